"""Every error survives the way through HTTP, with all that it carries."""

import json
from datetime import UTC, datetime

import pytest

from daybook import errors, new_decision_id
from daybook.doors.refusals import error_of, refusal, status_of
from daybook.models import DecisionReasoning, DecisionRecord
from daybook.models.base import MOST_PROBLEMS
from daybook.store.signing import HttpAnswer

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.DaybookError)
]


def there_and_back(error: errors.DaybookError) -> errors.DaybookError:
    """Send an error through HTTP."""
    body = json.dumps(refusal(error)).encode()
    return error_of("GET /", HttpAnswer(status=int(status_of(error)), headers={}, body=body))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_every_error_comes_back_as_itself(kind: type[errors.DaybookError]) -> None:
    """Class, message and attributes are those of the error that was sent."""
    sent = kind("it is not so: do otherwise")
    back = there_and_back(sent)
    assert type(back) is kind
    assert str(back) == str(sent)
    assert vars(back) == vars(sent)


def test_problems_come_back() -> None:
    """Each faulty field is named on both sides."""
    sent = errors.InvalidInputError("no", [("context.a", "is not JSON"), ("limit", "is 0")])
    back = there_and_back(sent)
    assert isinstance(back, errors.InvalidInputError)
    assert back.problems == sent.problems


def test_a_chain_comes_back() -> None:
    """What could be read of a broken chain are records again."""
    record = DecisionRecord(
        decision_id=new_decision_id("scout"),
        decision_type="other",  # type: ignore[arg-type]
        reasoning=DecisionReasoning(confidence=0.1 + 0.2),
        arrived_at=datetime.now(UTC),
    )
    back = there_and_back(errors.BrokenChainError("broken", [record]))
    assert isinstance(back, errors.BrokenChainError)
    assert back.chain == (record,)


def test_the_id_to_try_again_with_comes_back() -> None:
    """A storage error behind the API says under which id to log again."""
    sent = errors.ThrottledError("slow")
    sent.decision_id = new_decision_id("scout")
    back = there_and_back(sent)
    assert isinstance(back, errors.StorageError)
    assert back.decision_id == sent.decision_id


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, b'{"message":"Forbidden"}', errors.AccessDeniedError),
        (404, b'{"message":"Not Found"}', errors.StorageError),
        (413, b"", errors.BodyTooLargeError),
        (429, b'{"message":"Too Many Requests"}', errors.ThrottledError),
        (500, b'{"message":"Internal Server Error"}', errors.StorageError),
        (503, b'{"message":"Service Unavailable"}', errors.UnreachableError),
        (504, b"<html>", errors.UnreachableError),
        (400, b'{"error":"NoSuchError","message":"x"}', errors.StorageError),
        (400, b'{"error":"InvalidInputError"}', errors.StorageError),
        (400, b'{"error":"Any","message":"x"}', errors.StorageError),
        (400, b"[]", errors.StorageError),
    ],
)
def test_answers_of_others(status: int, body: bytes, kind: type[errors.DaybookError]) -> None:
    """What API Gateway, a proxy or another server says is an error that says what to do."""
    error = error_of("GET /stats", HttpAnswer(status=status, headers={}, body=body))
    assert type(error) is kind
    assert "GET /stats" in str(error)
    assert ("ApiUrl" in str(error)) is (status in {400, 403, 404}), "the URL may be wrong"


def test_a_function_that_failed_is_told_as_such() -> None:
    """The API is Daybook's, and where to look is its function's log."""
    body = b'{"message":"Internal Server Error"}'
    error = error_of("GET /stats", HttpAnswer(status=500, headers={}, body=body))
    assert "its log says why" in str(error)
    assert "not Daybook's API" not in str(error)


def test_a_refusal_is_bounded() -> None:
    """A fault in every number of a large body is not told number by number."""
    many = [(f"scores.{n}", "is no number") for n in range(300_000)]
    body = json.dumps(refusal(errors.InvalidInputError("x" * 10_000_000, many)))
    assert len(body) < 20_000
    assert len(json.loads(body)["problems"]) == MOST_PROBLEMS
    assert len(json.dumps(refusal(errors.InvalidInputError("", [("x" * 10**6, "no")])))) < 20_000


def test_an_unfinished_batch_passes_and_keeps_its_keys() -> None:
    """It is tried again; what was left undone is DynamoDB's, and may be bytes."""
    sent = errors.UnfinishedBatchError("left undone", [("t", {"pk": b"\xff"})])
    assert status_of(sent) == 503
    back = there_and_back(sent)
    assert isinstance(back, errors.UnfinishedBatchError)
    assert back.unprocessed == ()

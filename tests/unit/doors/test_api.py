"""The API as a door: signatures, retries, identity, and what does not fit."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from daybook import (
    AccessDeniedError,
    AWSClientManager,
    DecisionLogger,
    ForgedIdentityError,
    InvalidDecisionIdError,
    InvalidInputError,
    InvalidSignalIdError,
    MemoryManager,
    StorageError,
    ThrottledError,
    UnreachableError,
)
from daybook.doors import VERBS, Api
from daybook.doors.api import TRIES
from daybook.doors.refusals import refusal
from daybook.models.identity import EPOCH, DecisionId
from daybook.models.signal_ids import SignalId
from daybook.settings import Settings
from daybook.store.batching import Backoff
from daybook.store.signing import HttpAnswer, SignedHttp
from tests.unit.doors.conftest import Behind, through

SIGNAL = str(SignalId.make("scout", EPOCH, "d"))
Answers = Callable[[], HttpAnswer]


def answer(status: int, body: bytes = b"{}") -> Answers:
    """Answer so."""
    return lambda: HttpAnswer(status=status, headers={}, body=body)


def silence() -> HttpAnswer:
    """Do not answer."""
    raise UnreachableError("no answer")


@dataclass
class Wire:
    """Stands for the network: gives one answer after the other, the last one for ever."""

    answers: list[Answers]
    sent: list[Mapping[str, str]] = field(default_factory=list)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Give the next answer."""
        del method, url, body
        self.sent.append(dict(headers))
        return self.answers[min(len(self.sent), len(self.answers)) - 1]()


def over(wire: Wire) -> Api:
    """Return the API over this wire."""
    return Api(
        url="https://api.example",
        agent_id="scout",
        http=wire,  # type: ignore[arg-type]
        backoff=Backoff(tries=TRIES, sleep=lambda _: None),
    )


def calling(wire: Wire, verb: str, **given: Any) -> Any:
    """Call a verb over this wire."""
    return over(wire).call(VERBS[verb], given)


CRASHED = answer(500, b'{"message":"Internal Server Error"}')
PASSING = [silence, answer(429), CRASHED, answer(502), answer(503), answer(504)]


@pytest.mark.parametrize("fault", PASSING)
def test_passing_faults_are_tried_again(fault: Answers) -> None:
    """The same request, under the same id, until it is answered."""
    wire = Wire([fault, fault, answer(200, b'{"run_ids": ["a"]}')])
    assert calling(wire, "undoable_runs") == ["a"]
    assert len({headers["daybook-request"] for headers in wire.sent}) == 1
    assert len(wire.sent) == 3


def test_what_the_function_says_of_itself_does_not_pass() -> None:
    """A 500 of its own names a fault that is the same next time, and is not tried again."""
    wire = Wire([answer(500, json.dumps(refusal(AccessDeniedError("no role"))).encode())])
    with pytest.raises(AccessDeniedError):
        calling(wire, "undoable_runs")
    assert len(wire.sent) == 1


def test_tries_are_bounded() -> None:
    """What keeps failing ends in an error."""
    wire = Wire([answer(503)])
    with pytest.raises(UnreachableError):
        calling(wire, "undoable_runs")
    assert len(wire.sent) == TRIES


def test_what_cannot_be_repeated_is_not() -> None:
    """Undoing twice would undo two runs: it is sent again only if the function did not see it."""
    wire = Wire([silence])
    with pytest.raises(UnreachableError):
        calling(wire, "undo_run", run_id="r")
    assert len(wire.sent) == 1
    calling(throttled := Wire([answer(429), answer(200, b"null")]), "undo_run", run_id="r")
    assert len(throttled.sent) == 2
    halfway = Wire([answer(429, json.dumps(refusal(ThrottledError("DynamoDB"))).encode())])
    with pytest.raises(ThrottledError):
        calling(halfway, "undo_run", run_id="r")
    assert len(halfway.sent) == 1


def test_a_lost_answer_leaves_the_id() -> None:
    """What was sent may stand: the error says under which id to send it again, or look."""
    memory = MemoryManager("scout", AWSClientManager(settings=Settings()))
    memory.api = over(Wire([silence]))
    with pytest.raises(UnreachableError) as lost:
        DecisionLogger(memory).log_decision("other", confidence=0.5)
    assert DecisionId.parse(lost.value.decision_id or "").agent_id == "scout"
    with pytest.raises(UnreachableError) as lost:
        memory.publish_signal("risk_alert")
    assert SignalId.parse(lost.value.signal_id or "").sender == "scout"
    with pytest.raises(UnreachableError) as lost:
        memory.publish_signal("risk_alert", dedupe_id="d")
    assert lost.value.signal_id == str(SignalId.make("scout", memory.clock(), "d"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"run_ids": 3}', b'{"other": []}'])
def test_answers_that_are_not_understood(body: bytes) -> None:
    """Another server, or another version, is told as such, by the request's name."""
    with pytest.raises(StorageError, match=r"(?s)GET /consolidations .* same version"):
        calling(Wire([answer(200, body)]), "undoable_runs")


@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_answers_that_are_not_decoded(encoding: str) -> None:
    """What arrives damaged is no fault of whoever asked; a status of a fault is read as such."""

    def encoded(status: int) -> Answers:
        headers = {"content-encoding": encoding}
        return lambda: HttpAnswer(status=status, headers=headers, body=b"damaged")

    with pytest.raises(StorageError, match="GET /consolidations cannot be read"):
        calling(Wire([encoded(200)]), "undoable_runs")
    with pytest.raises(UnreachableError):
        calling(Wire([encoded(502)]), "undoable_runs")


def test_a_forged_identity_is_refused(behind: Behind) -> None:
    """A handle for one agent with the role of another does nothing, for either of them."""
    log = DecisionLogger(through(behind, "scout", "risk"))
    with pytest.raises(ForgedIdentityError, match="risk"):
        log.log_decision("other", confidence=0.5)
    for agent in ("scout", "risk"):
        own = DecisionLogger(through(behind, agent, agent))
        assert list(own.query_decisions()) == []


def test_a_claim_whose_answer_is_lost(behind: Behind) -> None:
    """It is sent again, and the answer is that same claim: no attempt is used up."""
    memory = through(behind, "scout", "scout")
    memory.register()
    memory.publish_signal("request", {}, ["scout"])
    send = SignedHttp.send
    lost: list[HttpAnswer] = []

    def losing(http: SignedHttp, *request: Any) -> HttpAnswer:
        answer = send(http, *request)
        if not lost:
            lost.append(answer)
            raise UnreachableError("no answer")
        return answer

    with patch.object(SignedHttp, "send", losing):
        (claim,) = memory.claim_signals()
    (first,) = json.loads(lost[0].body)["claims"]
    assert (claim.attempt, claim.fence) == (1, first["fence"])
    claim.ack()


def test_a_wrong_signature_is_refused(behind: Behind) -> None:
    """Whoever does not know the secret is turned away before the function."""
    _, url = behind
    manager = AWSClientManager(session=boto3.Session("scout", "guess"))
    log = DecisionLogger(MemoryManager("scout", manager, door="api", api_url=url))
    with pytest.raises(AccessDeniedError, match="403"):
        log.log_decision("other", confidence=0.5)


def test_a_wrong_url_is_named(behind: tuple[AWSClientManager, str]) -> None:
    """Who answers otherwise than Daybook's API is named, and where the right URL is found."""
    url = f"{behind[1]}/elsewhere"
    memory = MemoryManager("scout", AWSClientManager(), door="api", api_url=f"{url}/")
    with pytest.raises(StorageError, match=f"(?s)GET {url}/stats .*output ApiUrl"):
        memory.get_decision_stats()


REFUSED: list[tuple[str, tuple[Any, ...], type[InvalidInputError]]] = [
    ("signal_status", (5,), InvalidSignalIdError),
    ("signal_status", ("x" * 70_000,), InvalidSignalIdError),
    ("get_decision", (5,), InvalidDecisionIdError),
    ("get_decision", ("",), InvalidDecisionIdError),
    ("get_decision", ("x" * 70_000,), InvalidDecisionIdError),
    ("undo_run", ("x" * 70_000,), InvalidInputError),
    ("undo_run", (5,), InvalidInputError),
    ("_ack", (SIGNAL, 10**38), InvalidInputError),
    ("_ack", (SIGNAL, 10**5_000), InvalidInputError),
    ("_ack", (SIGNAL, -1), InvalidInputError),
    ("_release", (SIGNAL, 10**38), InvalidInputError),
    ("_extend", (SIGNAL, 10**38, 5), InvalidInputError),
]


@pytest.mark.parametrize("door", ["tables", "api"])
@pytest.mark.parametrize("case", range(len(REFUSED)))
def test_both_doors_refuse_alike(behind: Behind, door: str, case: int) -> None:
    """The same call is the same error, whichever way it goes."""
    verb, given, kind = REFUSED[case]
    direct = MemoryManager("scout", behind[0])
    memory = direct if door == "tables" else through(behind, "scout", "scout")
    with pytest.raises(InvalidInputError) as told:
        getattr(memory, verb)(*given)
    assert type(told.value) is kind


def test_a_take_over_that_comes_too_late(behind: Behind) -> None:
    """It is what somebody else has saved meanwhile that is taken over."""
    direct = MemoryManager("scout", behind[0])
    direct.save_state({"n": 1})
    memory = through(behind, "scout", "scout")
    send = SignedHttp.send
    sent: list[str] = []

    def overtaken(http: SignedHttp, method: str, *request: Any) -> HttpAnswer:
        sent.append(method)
        if sent == ["GET", "POST"]:
            direct.save_state({"n": 2}, 1)
        return send(http, method, *request)

    with patch.object(SignedHttp, "send", overtaken):
        taken = memory.load_state(take_over=True)
    assert taken is not None
    assert (taken.version, taken.data) == (3, {"n": 2})
    assert taken == direct.load_state()
    assert sent == ["GET", "POST"] * 2


def test_a_take_over_whose_answer_is_lost(behind: Behind) -> None:
    """It is sent again, and makes one version."""
    MemoryManager("scout", behind[0]).save_state({"n": 1})
    memory = through(behind, "scout", "scout")
    send = SignedHttp.send
    lost: list[HttpAnswer] = []

    def losing(http: SignedHttp, method: str, *request: Any) -> HttpAnswer:
        answer = send(http, method, *request)
        if method == "POST" and not lost:
            lost.append(answer)
            raise UnreachableError("no answer")
        return answer

    with patch.object(SignedHttp, "send", losing):
        taken = memory.load_state(take_over=True)
    assert lost
    assert taken is not None
    assert taken.version == 2


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"door": "window"}, "window"),
        ({"door": "api"}, "DAYBOOK_API_URL"),
        ({"door": "api", "api_url": "example.com"}, "no URL"),
        ({"door": "api", "api_url": "ftp://example.com"}, "no URL"),
        ({"door": "tables", "api_url": "https://example.com"}, "tables"),
    ],
)
def test_doors_that_cannot_be(more: dict[str, Any], says: str) -> None:
    """A door that does not exist, or leads nowhere, is told when the handle is made."""
    with pytest.raises(InvalidInputError, match=says):
        MemoryManager("scout", AWSClientManager(settings=Settings()), **more)


def test_the_settings_choose_the_door() -> None:
    """DAYBOOK_DOOR and DAYBOOK_API_URL are enough."""
    settings = Settings(door="api", api_url="https://api.example")
    memory = MemoryManager("scout", AWSClientManager(settings=settings))
    assert memory.api is not None
    assert memory.api.url == "https://api.example"
    with pytest.raises(InvalidInputError, match="no tables"):
        _ = memory.store


def test_without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent unsigned."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    memory = MemoryManager("scout", AWSClientManager(), door="api", api_url="http://127.0.0.1:9")
    with pytest.raises(AccessDeniedError, match="credentials"):
        memory.get_decision_stats()


def test_nobody_listens() -> None:
    """An address where nobody answers is an error that says so, after a few tries."""
    memory = MemoryManager("scout", AWSClientManager(), door="api", api_url="http://127.0.0.1:9")
    assert memory.api is not None
    with (
        patch.object(Backoff, "pause", lambda *_: None),
        pytest.raises(UnreachableError, match=r"POST|GET"),
    ):
        memory.get_decision_stats()


@pytest.mark.parametrize("fault", [silence, CRASHED, answer(502), answer(503), answer(504)])
def test_a_checkpoint_is_not_taken_twice(fault: Answers) -> None:
    """One whose answer was lost may stand: the client does not send for another."""
    wire = Wire([fault, answer(201)])
    with pytest.raises(StorageError):
        calling(wire, "create_checkpoint", label=None)
    assert len(wire.sent) == 1

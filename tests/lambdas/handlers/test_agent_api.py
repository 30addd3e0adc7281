"""The HTTP door: the same verbs, the same errors, and never a 500 for what a client sends."""

import base64
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook import AWSClientManager, DecisionLogger, MemoryManager, errors, new_decision_id
from daybook.doors.refusals import status_of
from lambdas.handlers.agent_api import handler
from tests.lambdas.conftest import ROLE, Call, Context, http_event, use_settings

DECISION = {"decision_type": "risk_assessment", "confidence": 0.5, "context": {"cycle": 1}}
CLAIM = {"limit": 1, "visibility_seconds": 60}
OUTCOME = {"decision_type": "risk_assessment", "success": True, "quality_score": 0.5}


def test_the_whole_life_of_a_decision(call: Call) -> None:
    """Log, close, read, walk, list and count over HTTP."""
    status, logged = call("POST", "/decisions", DECISION)
    assert status == 201
    root = logged["decision_id"]
    assert root.endswith("@scout")
    status, outcome = call("POST", f"/decisions/{root}/outcome", OUTCOME)
    assert (status, outcome["success"]) == (201, True)
    _, child = call("POST", "/decisions", DECISION | {"parent_decision_id": root})
    status, read = call("GET", f"/decisions/{root}")
    assert status == 200
    assert read["context"] == {"cycle": 1}
    assert read["outcome"]["quality_score"] == 0.5
    assert (read["agent_id"], read["decided_at"]) == ("scout", logged["decided_at"])
    _, chain = call("GET", f"/decisions/{child['decision_id']}/chain")
    assert [d["decision_id"] for d in chain["decisions"]] == [root, child["decision_id"]]
    _, children = call("GET", f"/decisions/{root}/children")
    assert [d["decision_id"] for d in children["decisions"]] == [child["decision_id"]]
    _, stats = call("GET", "/stats", query={"time_window_hours": "1"})
    assert (stats["total_decisions"], stats["success_rate"]) == (2, 1.0)


def test_what_is_logged_is_counted(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    """Decisions and outcomes each have a metric; other verbs are requests only."""
    _, logged = call("POST", "/decisions", DECISION)
    call("POST", f"/decisions/{logged['decision_id']}/outcome", OUTCOME)
    call("GET", "/stats")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = Counter(name for line in lines if "_aws" in line for name in line)
    names = ("Requests", "DecisionsLogged", "OutcomesLogged")
    assert [counted[name] for name in names] == [3, 1, 1]


def test_percent_encoded_ids(call: Call) -> None:
    """An id whose @ is encoded is the same id."""
    _, logged = call("POST", "/decisions", DECISION)
    encoded = logged["decision_id"].replace("@", "%40")
    assert call("GET", f"/decisions/{encoded}")[0] == 200


def test_pages(call: Call) -> None:
    """A list comes in pages, filtered by the query string."""
    for _ in range(3):
        _, logged = call("POST", "/decisions", DECISION)
    call("POST", f"/decisions/{logged['decision_id']}/outcome", OUTCOME)
    _, first = call("GET", "/decisions", query={"limit": "2"})
    _, second = call("GET", "/decisions", query={"limit": "2", "cursor": first["cursor"]})
    assert (len(first["decisions"]), len(second["decisions"])) == (2, 1)
    assert second["cursor"] is None
    _, good = call("GET", "/decisions", query={"success": "true", "tier": "stm"})
    assert [d["decision_id"] for d in good["decisions"]] == [logged["decision_id"]]
    _, none = call("GET", "/decisions", query={"until": "2020-01-01T00:00:00Z"})
    assert none == {"decisions": [], "cursor": None}


def test_floats_survive_the_trip(call: Call, manager: AWSClientManager) -> None:
    """What goes in over HTTP is read by the SDK to the last bit, and the other way round."""
    context = {"market": {"price": 0.1 + 0.2, "tiny": 5e-324}, "deep": [[[{"é": None}]]]}
    _, logged = call("POST", "/decisions", DECISION | {"context": context}, encoded=True)
    read = DecisionLogger(MemoryManager("scout", manager)).get_decision(logged["decision_id"])
    assert read.context.as_dict() == context
    assert call("GET", f"/decisions/{logged['decision_id']}")[1]["context"] == context


def test_repeats_count_once(call: Call) -> None:
    """A client that makes the id can repeat both requests; another content is a conflict."""
    own = {"decision_id": new_decision_id("scout")}
    for _ in range(2):
        assert call("POST", "/decisions", DECISION | own)[0] == 201
        assert call("POST", f"/decisions/{own['decision_id']}/outcome", OUTCOME)[0] == 201
    status, refused = call("POST", "/decisions", DECISION | own | {"confidence": 0.6})
    assert (status, refused["error"]) == (409, "DecisionConflictError")
    other = OUTCOME | {"success": False}
    status, refused = call("POST", f"/decisions/{own['decision_id']}/outcome", other)
    assert (status, refused["error"]) == (409, "OutcomeConflictError")
    assert call("GET", "/stats")[1]["with_outcome"] == 1


BAD_BODIES: list[tuple[object, str]] = [
    ("", "confidence"),
    ("{", "Invalid JSON"),
    ("[]", "object"),
    ("null", "object"),
    ("[" * 100_000, "recursion"),
    ('{"context": {"a": NaN}, "decision_type": "other", "confidence": 0.5}', "nan"),
    (DECISION | {"confidence": 2}, "confidence"),
    (DECISION | {"confidence": "0.5"}, "confidence"),
    (DECISION | {"decision_type": "guess"}, "source_selection"),
    (DECISION | {"agent_id": "somebody"}, "agent_id"),
    (DECISION | {"decided_at": "2026-01-01T00:00:00"}, "time zone"),
    (DECISION | {"decided_at": "yesterday"}, "decided_at"),
    (DECISION | {"parent_decision_id": "x"}, "parent_decision_id"),
    (DECISION | {"context": {"a": "\ud800"}}, "hex escape"),
    ({}, "decision_type"),
]


@pytest.mark.parametrize(("body", "says"), BAD_BODIES)
def test_bad_bodies(call: Call, body: object, says: str) -> None:
    """Each is a 400 that names the fault, and nothing is written."""
    status, refused = call("POST", "/decisions", body)
    assert (status, refused["error"]) == (400, "InvalidInputError")
    assert says in refused["message"]
    assert refused["problems"]
    assert call("GET", "/decisions")[1]["decisions"] == []


@pytest.mark.parametrize("body", ["a", base64.b64encode(b"\xff\xfe").decode()])
def test_bodies_that_are_not_text(manager: AWSClientManager, body: str) -> None:
    """Damaged base64 and damaged UTF-8 are the client's fault, and told so."""
    del manager
    event = http_event("POST", "/decisions", arn=ROLE.format(agent="scout"))
    answer = handler(event | {"body": body, "isBase64Encoded": True}, Context())
    assert answer["statusCode"] == 400
    message = json.loads(answer["body"])["message"]
    assert "UTF-8" in message or "base64" in message


# the same in every process: they are part of the tests' names
UNLOGGED = new_decision_id("scout", datetime(2026, 1, 1, tzinfo=UTC), random_bits=1)
FOREIGN = new_decision_id("other", datetime(2026, 1, 1, tzinfo=UTC), random_bits=1)
BAD_REQUESTS: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("GET", "/decisions/x", {}, 400, "InvalidDecisionIdError"),
    ("GET", f"/decisions/{UNLOGGED}", {}, 404, "DecisionNotFoundError"),
    ("GET", f"/decisions/{UNLOGGED}/chain", {}, 404, "DecisionNotFoundError"),
    ("POST", "/decisions/x/outcome", {"body": OUTCOME}, 400, "InvalidInputError"),
    (
        "POST",
        f"/decisions/{UNLOGGED}/outcome",
        {"body": OUTCOME},
        404,
        "DecisionNotFoundError",
    ),
    (
        "POST",
        f"/decisions/{FOREIGN}/outcome",
        {"body": OUTCOME},
        403,
        "ForeignDecisionError",
    ),
    (
        "POST",
        "/decisions",
        {"body": DECISION | {"decision_id": FOREIGN}},
        403,
        "ForeignDecisionError",
    ),
    ("GET", "/decisions", {"query": {"limit": "many"}}, 400, "InvalidInputError"),
    ("GET", "/decisions", {"query": {"limit": "0"}}, 400, "InvalidInputError"),
    ("GET", "/decisions", {"query": {"success": "maybe"}}, 400, "InvalidInputError"),
    ("GET", "/decisions", {"query": {"since": "2026-01-01T00:00:00"}}, 400, "InvalidInputError"),
    ("GET", "/decisions", {"query": {"cursor": "x"}}, 400, "InvalidCursorError"),
    ("GET", "/decisions", {"query": {"tier": "old"}}, 400, "InvalidInputError"),
    ("GET", "/decisions", {"query": {"agent_id": "other"}}, 400, "InvalidInputError"),
    ("GET", "/stats", {"query": {"time_window_hours": "nan"}}, 400, "InvalidInputError"),
    ("GET", "/stats", {"query": {"decision_type": "guess"}}, 400, "InvalidInputError"),
    ("GET", "/", {}, 404, "NotFoundError"),
    ("DELETE", "/decisions", {}, 404, "NotFoundError"),
    ("GET", "/decisions/%E0%A4%A", {}, 400, "InvalidDecisionIdError"),
]


BAD_REQUESTS += [
    ("POST", "/signals/claim", {"body": CLAIM | {"token": token}}, 400, "InvalidInputError")
    for token in ("", "a" * 11, "a" * 13, "A" * 12, "g" * 12, "a" * 12 + "\n", 1)
]


@pytest.mark.parametrize(("method", "path", "more", "status", "error"), BAD_REQUESTS)
def test_bad_requests(
    call: Call, method: str, path: str, more: dict[str, Any], status: int, error: str
) -> None:
    """Each gets a 4xx with a body that says what is wrong."""
    answered, refused = call(method, path, **more)
    assert (answered, refused["error"]) == (status, error)
    assert refused["message"]


CALLERS = [
    None,
    "arn:aws:iam::123456789012:user/somebody",
    "arn:aws:iam::123456789012:root",
    "arn:aws:sts::123456789012:assumed-role/admin/daybook-agent-scout",
    "arn:aws:sts::123456789012:assumed-role/daybook-agent-/session",
    "arn:aws:sts::999999999999:assumed-role/daybook-agent-scout/session",
    "arn:aws:sts::123456789012:assumed-role/x-daybook-agent-scout/session",
    "arn:aws:sts::123456789012:assumed-role/daybook-agent-a#b/session",
]


@pytest.mark.parametrize("arn", CALLERS)
def test_only_agents_are_let_in(call: Call, arn: str | None) -> None:
    """Whoever is no agent's role is refused; the session's name proves nothing."""
    for method, path, body in (("POST", "/decisions", DECISION), ("GET", "/stats", None)):
        status, refused = call(method, path, body, arn=arn)
        assert (status, refused["error"]) == (403, "UnknownCallerError")


def test_the_environment_is_not_read_anew(
    call: Call, manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request goes by the settings with which the container started."""
    monkeypatch.setenv("DAYBOOK_AGENT_ROLE_PREFIX", "another-")
    assert call("GET", "/stats")[0] == 200
    use_settings(manager, monkeypatch, agent_role_prefix="another-")
    assert call("GET", "/stats")[1]["error"] == "UnknownCallerError"


@pytest.mark.parametrize("limit", ["1", "2", "50"])
def test_lists_too_large_to_carry(call: Call, limit: str) -> None:
    """Pages end early, and a decision that no answer carries is listed without its content."""
    sizes = [10, 60_000, 60_000, 60_000, 200_000, 10]
    made = []
    for size in sizes:
        body = DECISION | {"context": {"noise": "é" + "".join(uuid4().hex for _ in range(size))}}
        status, logged = call("POST", "/decisions", body)
        assert status == 201
        made.append(logged["decision_id"])
    listed: list[dict[str, Any]] = []
    query = {"limit": limit}
    while True:
        status, page = call("GET", "/decisions", query=query)
        assert status == 200
        listed += page["decisions"]
        if page["cursor"] is None:
            break
        query["cursor"] = page["cursor"]
    assert [d["decision_id"] for d in listed] == made[::-1]
    assert [d["decision_id"] for d in listed if "too_large" in d] == [made[4]]
    status, refused = call("GET", f"/decisions/{made[4]}")
    assert (status, refused["error"]) == (413, "BodyTooLargeError")


@pytest.mark.parametrize(
    "bad",
    [
        {"decision_id": "ffffffff-ffff-7fff-bfff-ffffffffffff@scout"},
        {"decided_at": "0001-01-01T00:00:00+01:00"},
        {"decided_at": "9999-12-31T23:59:59-01:00"},
    ],
)
def test_times_outside_the_calendar(call: Call, bad: dict[str, str]) -> None:
    """A moment that no calendar holds is the client's mistake, in a body and in a query."""
    assert call("POST", "/decisions", DECISION | bad)[0] == 400
    for name in ("since", "until"):
        moment = bad.get("decided_at", "x")
        assert call("GET", "/decisions", query={name: moment})[0] == 400


def test_every_error_has_a_status() -> None:
    """Input, absence and conflict are the client's; what remains is ours."""
    aside = {
        errors.DaybookError,
        errors.LoopError,
        errors.UnreadableFileError,
        errors.PlatformError,
        errors.ThrottledError,
        errors.MissingExtraError,
    }
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.DaybookError):
            expected = 500 if issubclass(kind, errors.StorageError) else 400
            status = int(status_of(kind("x")))
            if kind not in aside:
                assert status // 100 == expected // 100, name


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.one_of(
        st.just("/decisions"), st.text(max_size=40).map("/decisions/{}/outcome".format), st.text()
    ),
    body=st.one_of(
        st.text(max_size=60),
        st.dictionaries(
            st.sampled_from([*DECISION, "decided_at", "scores"]),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.text(max_size=5),
                lambda inner: st.lists(inner, max_size=3),
            ),
        ),
    ),
    query=st.dictionaries(
        st.sampled_from(["limit", "since", "success", "cursor", "x"]), st.text(max_size=9)
    ),
)
def test_nothing_a_client_sends_is_a_500(
    call: Call, method: str, path: str, body: object, query: dict[str, str]
) -> None:
    """Whatever arrives, the answer is JSON and not a fault of ours."""
    status, _ = call(method, path, body, query=query)
    assert status < 500


@pytest.mark.parametrize("untellable", [b"\xff", object()])
def test_a_refusal_that_cannot_be_told_is_told_briefly(call: Call, untellable: object) -> None:
    """What an error carries never hides the error."""
    fault = errors.ThrottledError("slow" * 10_000)
    fault.decision_id = untellable  # type: ignore[assignment]
    with patch.object(MemoryManager, "serving", side_effect=fault):
        status, refused = call("GET", "/stats")
    assert (status, refused["error"]) == (429, "ThrottledError")
    assert len(refused["message"]) == 4_000


def test_the_clock_of_the_writer_is_kept(call: Call) -> None:
    """A past decision keeps its own time; arrival is the function's clock."""
    past = DECISION | {"decided_at": "2010-05-06T16:00:00-04:00"}
    _, logged = call("POST", "/decisions", past)
    _, read = call("GET", f"/decisions/{logged['decision_id']}")
    assert read["decided_at"] == "2010-05-06T20:00:00Z"
    assert datetime.fromisoformat(read["arrived_at"]).date() == datetime.now(UTC).date()

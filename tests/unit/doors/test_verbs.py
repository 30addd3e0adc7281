"""Verbs: their requests carry their arguments, and nothing else gets in."""

import inspect
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook import (
    InvalidDecisionIdError,
    InvalidInputError,
    InvalidSignalIdError,
    MemoryManager,
)
from daybook.doors import VERBS, Verb, verb
from daybook.models.drafts import DecisionDraft, OutcomeDraft

OWN = "01a1fc24-67b6-78c1-a534-9749b8abc2fe@risk"
MADE_ON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def carried(verb: Verb, **given: Any) -> dict[str, Any]:
    """Send arguments over the wire as the API's function would read them."""
    from urllib.parse import parse_qsl, unquote  # noqa: PLC0415

    wire = verb.pack(given)
    path = dict(zip(sorted(verb.in_path), map(unquote, _values(verb, wire.path)), strict=True))
    return verb.unpack(path, dict(parse_qsl(wire.query)), wire.body or b"")


def _values(verb: Verb, path: str) -> list[str]:
    parts = zip(verb.path.split("/"), path.split("/"), strict=True)
    found = {pattern: value for pattern, value in parts if pattern.startswith("{")}
    return [found[name] for name in sorted(found)]


def test_no_two_verbs_share_a_request() -> None:
    """Method and path name one verb."""
    requests = Counter(verb.request for verb in VERBS.values())
    assert [request for request, count in requests.items() if count > 1] == []


def test_no_two_verbs_share_a_name() -> None:
    """A second method of a name would take the first one's requests."""
    standing = VERBS["recall"]

    def recall(self: MemoryManager) -> None:
        """Stand for another room's method."""

    with pytest.raises(TypeError, match="POST /recall"):
        verb("POST", "/other")(recall)
    assert VERBS["recall"] is standing


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_every_verb_can_be_sent_and_read(verb: Verb) -> None:
    """Its arguments and its answer have a form in JSON; its path names only arguments."""
    assert verb.arguments.model_json_schema()["type"] == "object"
    assert verb.answer.json_schema()
    assert verb.path.count("{") == len(verb.in_path)


def test_public_methods_are_verbs() -> None:
    """What the handle offers can be had through both doors; these do it with other verbs."""
    made_of_others = {
        "record_decision",
        "record_decisions",
        "record_outcome",
        "query_decisions",
        "page_decisions",
        "serving",
        "flush",
        "close",
        "publish_signal",
        "claim_signals",
        "listen",
        "load_state",
        "save_state",
        "rollback",
        "remember",
        "read_session",
    }
    offered = {
        name
        for name, member in inspect.getmembers(MemoryManager, inspect.isroutine)
        if not name.startswith("_")
    }
    assert offered - made_of_others == {name for name in VERBS if not name.startswith("_")}


@given(st.text(min_size=1), st.lists(st.text()))
def test_any_text_arrives(pattern_id: str, agents: list[str]) -> None:
    """Ids with slashes, spaces, signs or any script arrive as they were sent."""
    try:
        pattern_id.encode()
        [agent.encode() for agent in agents]
    except UnicodeEncodeError:
        with pytest.raises(InvalidInputError):
            carried(VERBS["share_pattern"], pattern_id=pattern_id, agents=agents)
        return
    sent = {"pattern_id": pattern_id, "agents": agents}
    assert carried(VERBS["share_pattern"], **sent) == sent


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("get_decision_stats", {"time_window_hours": 0.1 + 0.2}),
        ("_page", {"success": False, "since": MADE_ON, "limit": 3}),
        ("list_patterns", {"min_confidence": 1e-300}),
        ("recall", {"decision_type": "other", "context": {"a": [1.5, None, {"b": 2**70}]}}),
        ("consolidate", {"now": MADE_ON, "dry_run": True}),
    ],
)
def test_arguments_arrive_equal(name: str, given: dict[str, Any]) -> None:
    """Numbers to the last bit, moments, flags and nothing at all."""
    assert carried(VERBS[name], **given) == given


def test_records_arrive_equal() -> None:
    """A record travels as its fields; one of them may be in the path."""
    draft = DecisionDraft(decision_type="other", confidence=0.1 + 0.2, decided_at=MADE_ON)  # type: ignore[arg-type]
    assert carried(VERBS["_log_decision"], draft=draft) == {"draft": draft}
    outcome = OutcomeDraft(decision_id=OWN, decision_type="other", success=True, latency_ms=1e-9)  # type: ignore[arg-type]
    assert carried(VERBS["_log_outcome"], draft=outcome) == {"draft": outcome}


@pytest.mark.parametrize("bad", [float("nan"), object(), {1: 2}, b"x", {"a": {"b": float("inf")}}])
def test_what_json_cannot_say_is_not_sent(bad: object) -> None:
    """The argument is named, as by the verb itself."""
    with pytest.raises(InvalidInputError, match="context"):
        VERBS["recall"].pack({"decision_type": "other", "context": bad})


@pytest.mark.parametrize(
    ("path", "query", "body", "says"),
    [
        ({}, {}, b'{"pattern_id": "p", "agents": [], "agent_id": "x"}', "agent_id"),
        ({}, {}, b'{"pattern_id": 3, "agents": []}', "pattern_id"),
        ({}, {}, b'{"pattern_id": "p"}', "agents"),
        ({}, {"pattern_id": "p"}, b'{"agents": []}', "query"),
        ({}, {}, b"[]", "object"),
        ({}, {}, b"{", "JSON"),
        ({}, {}, b"\xff", "JSON"),
    ],
)
def test_requests_that_cannot_be(
    path: dict[str, str], query: dict[str, str], body: bytes, says: str
) -> None:
    """Each is bad input that names the fault."""
    with pytest.raises(InvalidInputError, match=says):
        VERBS["share_pattern"].unpack(path, query, body)


@pytest.mark.parametrize("body", [b"[]", b"{", f'{{"decision_id": "{OWN}"}}'.encode()])
def test_bodies_beside_a_path(body: bytes) -> None:
    """What the path says cannot be said again in the body."""
    with pytest.raises(InvalidInputError):
        VERBS["_log_outcome"].unpack({"decision_id": OWN}, {}, body)


IN_PATHS = [
    ("get_decision", "decision_id", InvalidDecisionIdError),
    ("signal_status", "signal_id", InvalidSignalIdError),
    ("get_checkpoint", "checkpoint_id", InvalidInputError),
]


@pytest.mark.parametrize(("name", "argument", "kind"), IN_PATHS)
@pytest.mark.parametrize("text", ["", ".", "..", "a/b", "a%2Fb", "a?b", OWN + "/chain", "é"])
def test_what_would_lead_elsewhere_is_not_sent(
    name: str, argument: str, kind: type[InvalidInputError], text: str
) -> None:
    """What is no id is refused before it becomes part of a path, by the tables' own error."""
    with pytest.raises(InvalidInputError) as told:
        VERBS[name].pack({argument: text})
    assert type(told.value) is kind


def test_every_path_is_checked() -> None:
    """No argument travels in a path that is not known to be an id there."""
    in_paths = {name for verb in VERBS.values() for name in verb.in_path}
    assert in_paths == {argument for _, argument, _ in IN_PATHS}

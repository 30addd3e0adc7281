"""Agent A tries everything on agent B, through every request that the API knows."""

import json
from collections.abc import Iterator
from itertools import chain, product
from typing import Any
from urllib.parse import quote

import pytest

from daybook import AWSClientManager, DecisionLogger, MemoryManager, MemoryPattern
from daybook.doors import VERBS, Verb
from daybook.models.identity import EPOCH
from daybook.store import TABLES
from tests.lambdas.conftest import ROLE, Call

CANARY = "canary-of-b"
"""Stands in everything that B has."""


@pytest.fixture
def theirs(manager: AWSClientManager) -> dict[str, Any]:
    """Give B one of everything, and what it takes to name each."""
    b = MemoryManager("b", manager)
    MemoryManager("a", manager).register()
    b.register([CANARY], ["news"])
    log = DecisionLogger(b)
    decision_id = log.log_decision("other", confidence=0.5, context={"secret": CANARY})
    log.log_decision("other", confidence=0.5, parent_decision_id=decision_id, rationale=CANARY)
    pattern = MemoryPattern.checked(
        pattern_id=CANARY,
        agent_id="b",
        pattern_type="success",
        decision_type="other",
        choice=CANARY,
        conditions=[],
        success_rate=0.7,
        baseline_rate=0.5,
        sample_size=300,
        confidence=0.6,
        created_at=EPOCH,
        updated_at=EPOCH,
    )
    b.store_pattern(pattern)
    b.save_state({"secret": CANARY})
    checkpoint = b.create_checkpoint(CANARY)
    signal_id = b.publish_signal("request", {"secret": CANARY}, ["b"])
    (claim,) = b.claim_signals()
    waiting = b.publish_signal("request", {"secret": CANARY}, ["b"])
    return {
        "decision_id": [decision_id],
        "parent_decision_id": [decision_id],
        "signal_id": [signal_id, waiting],
        "checkpoint_id": [checkpoint.checkpoint_id],
        "pattern_id": [CANARY],
        "run_id": ["00000000-0000-7000-8000-000000000000"],
        "fence": [claim.fence, claim.fence + 1],
        "agent_id": ["b"],
        "agents": [["a"]],
        "decision_type": ["other"],
        "confidence": [0.5],
        "success": [True],
        "context": [{}],
        "data": [{"by": "a"}],
        "state": [{"by": "a"}],
        "expected_version": [None, 1],
        "visibility_seconds": [60],
        "limit": [5],
        "signal_type": ["request"],
    }


def attempts(verb: Verb, theirs: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield requests of a verb that name what is B's, wherever the verb takes it."""
    fields = verb.arguments.model_fields
    named = [name for name in fields if name in theirs]
    needed = [name for name in fields if fields[name].is_required() or name in verb.in_path]
    for names in (named, needed):
        for values in product(*(theirs.get(name, ["x"]) for name in names)):
            given = dict(zip(names, values, strict=True))
            path = verb.path
            for name in verb.in_path:
                path = path.replace(f"{{{name}}}", quote(str(given.pop(name)), safe=""))
            if verb.method == "GET":
                query = {k: json.dumps(v).strip('"') for k, v in given.items() if v is not None}
                yield path, {"query": query}
            else:
                yield path, {"body": given}
                yield path, {"body": given | {"agent_id": "b"}}


def of_b(manager: AWSClientManager) -> list[Any]:
    """Return every item that is B's, in every table."""
    items = chain.from_iterable(
        manager.dynamodb.scan(TableName=table.name)["Items"] for table in TABLES
    )
    own = [item for item in items if item["pk"]["S"].partition("#")[0] == "b"]
    return sorted(own, key=str)


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_a_reaches_nothing_of_b(
    call: Call, manager: AWSClientManager, theirs: dict[str, Any], verb: Verb
) -> None:
    """Whatever A says, B's items stay as they are, and nothing of theirs is in an answer."""
    before = of_b(manager)
    tried = 0
    for path, more in attempts(verb, theirs):
        for header in (None, "a"):
            tried += 1
            status, answer = call(
                verb.method, path, agent="a", headers={"daybook-agent": header}, **more
            )
            assert status < 500
            # what each says of itself is for everybody, and a refusal repeats what was asked
            repeated = status >= 400 and CANARY in json.dumps([path, more])
            assert CANARY not in json.dumps(answer) or repeated or verb.name == "agents"
        after = of_b(manager)
        # anybody may put a signal into B's inbox
        assert after == before or (verb.name == "_publish" and all(i in after for i in before))
    assert tried


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_a_cannot_say_that_it_is_b(
    call: Call, manager: AWSClientManager, theirs: dict[str, Any], verb: Verb
) -> None:
    """A request that names B and that A's role signed is refused, and does nothing for either."""
    before = [manager.dynamodb.scan(TableName=table.name)["Items"] for table in TABLES]
    for path, more in attempts(verb, theirs):
        status, answer = call(verb.method, path, agent="a", headers={"daybook-agent": "b"}, **more)
        assert (status, answer["error"]) == (403, "ForgedIdentityError")
        status, answer = call(
            verb.method, path, arn=f"arn:aws:iam::123456789012:role/{ROLE}", **more
        )
        assert (status, answer["error"]) == (403, "UnknownCallerError")
    assert [manager.dynamodb.scan(TableName=table.name)["Items"] for table in TABLES] == before


def test_b_reaches_its_own(call: Call, theirs: dict[str, Any]) -> None:
    """A control: the same requests, signed by B's own role, do reach what is B's."""
    seen = set()
    for verb in VERBS.values():
        for path, more in attempts(verb, theirs):
            _, answer = call(verb.method, path, agent="b", **more)
            if CANARY in json.dumps(answer):
                seen.add(verb.name)
    assert {
        "get_decision",
        "get_decision_chain",
        "get_children",
        "_page",
        "get_pattern",
        "list_patterns",
        "_load_state",
        "list_checkpoints",
        "pending_signals",
    } <= seen

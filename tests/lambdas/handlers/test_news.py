"""The follower of the streams: agents noted, whatever the batch holds."""

from typing import Any

import pytest

from daybook import AWSClientManager
from daybook.errors import ThrottledError
from daybook.progress.changed_states import changed_states
from daybook.progress.watched_agents import due_agents
from daybook.store import keys
from lambdas.handlers import news
from tests.lambdas.conftest import Context

UUID = "01a1fc24-67b6-78c1-a534-9749b8abc2fe"


def inserted(agent_id: str, sort_key: str = f"D#{UUID}") -> dict[str, Any]:
    """Make a record of DynamoDB's stream."""
    stored = {"pk": {"S": agent_id}, "sk": {"S": sort_key}}
    return {
        "eventID": "1",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": stored, "NewImage": stored, "SequenceNumber": "1"},
    }


def deliver(*records: dict[str, Any]) -> None:
    """Hand a batch to the function."""
    news.handler({"Records": list(records)}, Context())


def due(manager: AWSClientManager) -> list[str]:
    """Return the agents that the watch list holds as due."""
    return [agent.agent_id for agent in due_agents(manager.store)]


def test_every_agent_of_a_batch_is_noted(manager: AWSClientManager) -> None:
    """Decisions, outcomes and late marks are news, and a repeated batch changes nothing."""
    batch = [
        inserted("scout"),
        inserted("scout", f"D#{UUID}#O"),
        inserted("risk", f"D#{UUID}#O"),
        inserted("strategist", f"LATE#{0:017d}#{UUID}"),
    ]
    deliver(*batch)
    deliver(*batch)
    assert due(manager) == ["risk", "scout", "strategist"]


def test_what_is_not_daybooks_is_passed_over(manager: AWSClientManager) -> None:
    """Such a record holds nothing up, and nobody can get into the watch list's own keys."""
    deliver(
        inserted("scout", "SOMETHING"),
        inserted(keys.WATCHED),
        inserted("a b"),
        inserted("risk"),
    )
    assert due(manager) == ["risk"]


def changed(agent_id: str, before: int | None, after: int) -> dict[str, Any]:
    """Make a record of the stream of states."""
    record = inserted(agent_id, "CURRENT")
    record["dynamodb"]["NewImage"] |= {"version": {"N": str(after)}}
    if before is not None:
        record["eventName"] = "MODIFY"
        record["dynamodb"]["OldImage"] = {"version": {"N": str(before)}}
    return record


def test_states_that_have_changed(manager: AWSClientManager) -> None:
    """The last version counts, a repeated batch changes nothing, and the log is another matter."""
    batch = [changed("scout", None, 1), changed("scout", 1, 2), inserted("risk")]
    deliver(*batch)
    deliver(*batch)
    deliver(changed("scout", None, 1))
    assert [(s.agent_id, s.version) for s in changed_states(manager.store)] == [("scout", 2)]
    assert due(manager) == ["risk"]


def test_a_checkpoint_is_no_change(manager: AWSClientManager) -> None:
    """It is noted on the state's item, whose version stays; so is what is not Daybook's."""
    deliver(changed("scout", 3, 3), inserted("scout", "CP#1"), inserted("odd", "CURRENT"))
    assert list(changed_states(manager.store)) == []


@pytest.mark.parametrize("version", ["1.5", "-1", "0", "1E+3", "1" * 38, str(10**10)])
def test_what_is_no_version_is_passed_over(manager: AWSClientManager, version: str) -> None:
    """Whoever writes such an item holds up nobody else."""
    odd = changed("scout", None, 1)
    odd["dynamodb"]["NewImage"]["version"] = {"N": version}
    text = changed("odd", None, 1)
    text["dynamodb"]["NewImage"]["version"] = {"S": "one"}
    deliver(odd, text, changed("risk", None, 7))
    assert [(s.agent_id, s.version) for s in changed_states(manager.store)] == [("risk", 7)]


def test_an_empty_batch(manager: AWSClientManager) -> None:
    """Nothing to note is no failure."""
    deliver()
    assert due(manager) == []


def test_a_batch_that_cannot_be_noted_is_tried_again(
    manager: AWSClientManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function raises, so that Lambda keeps the batch; the next try notes all of it."""
    update = type(manager.store).update
    calls = []

    def throttled(*given: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise ThrottledError("too much")
        update(*given)

    monkeypatch.setattr(type(manager.store), "update", throttled)
    with pytest.raises(ThrottledError):
        deliver(inserted("risk"), inserted("scout"))
    deliver(inserted("risk"), inserted("scout"))
    assert due(manager) == ["risk", "scout"]

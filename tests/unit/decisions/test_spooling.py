"""How a spool's entries reach the tables: in few requests, and each fault has its own answer."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from daybook import (
    AccessDeniedError,
    AWSClientManager,
    DecisionType,
    MemoryManager,
    ThrottledError,
    new_decision_id,
)
from daybook.decisions.batches import PreparedDecision
from daybook.decisions.spooling import ToTables, kept_draft, kept_prepared
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.spool import Delivery, Entry, Kept
from daybook.store import CapacityMeter, Store
from daybook.store.batching import Backoff
from tests.faults.clients import CountingClient

RISK = DecisionType.RISK_ASSESSMENT


@dataclass
class Writer:
    """Makes entries of an agent, and looks at its log."""

    manager: AWSClientManager
    agent_id: str = field(default_factory=lambda: f"agent-{uuid4().hex}")
    number: int = 0

    @property
    def store(self) -> Store:
        """The store."""
        return self.manager.store

    def decision(
        self, *, careful: bool = False, ago: float = 0, own: str | None = None, **more: Any
    ) -> tuple[Entry, str]:
        """Make the entry of a decision; give its id, too."""
        now = self.store.clock()
        own = own or new_decision_id(self.agent_id, now - timedelta(seconds=ago))
        draft = DecisionDraft.checked(decision_type=RISK, confidence=0.5, decision_id=own, **more)
        ready = PreparedDecision.of(self.store, own, draft)
        return self._entry(kept_prepared(ready, is_new=not careful)), own

    def outcome(self, decision_id: str, *, success: bool = True) -> Entry:
        """Make the entry of an outcome."""
        draft = OutcomeDraft.checked(decision_id=decision_id, decision_type=RISK, success=success)
        return self._entry(kept_draft(draft))

    def _entry(self, new: Kept) -> Entry:
        self.number += 1
        return Entry(self.number, self.agent_id, new.kind, new.body, self.number, new.careful)

    def logged(self) -> int:
        """Return how many decisions are in the log."""
        return len(list(MemoryManager(self.agent_id, self.manager).query_decisions(self.query())))

    def query(self) -> Any:
        """Return the query for all of the agent's decisions."""
        from daybook import DecisionQuery  # noqa: PLC0415

        return DecisionQuery.checked(agent_id=self.agent_id)


@pytest.fixture
def writer(database: AWSClientManager) -> Writer:
    """Give a writer on DynamoDB Local."""
    return Writer(database)


def deliver(writer: Writer, *run: Entry, store: Store | None = None) -> tuple[Delivery, Any]:
    """Deliver a run; also give the requests that it took."""
    with CapacityMeter(writer.manager.dynamodb) as meter:
        result = ToTables(store or writer.store)(run)
    return result, dict(meter.requests)


def test_new_decisions_share_a_request(writer: Writer) -> None:
    """25 in one, 26 in two."""
    run = [writer.decision()[0] for _ in range(26)]
    result, requests = deliver(writer, *run[:25])
    assert list(result.delivered) == run[:25]
    assert requests == {"BatchWriteItem": 1}
    _, requests = deliver(writer, *run[25:], *(writer.decision()[0] for _ in range(25)))
    assert requests == {"BatchWriteItem": 2}
    assert writer.logged() == 51


def test_an_outcome_beside_its_decision_takes_one_request(writer: Writer) -> None:
    """What was just written need not be read."""
    entry, own = writer.decision()
    result, requests = deliver(writer, entry, writer.outcome(own))
    assert len(result.delivered) == 2
    assert requests == {"BatchWriteItem": 1, "PutItem": 1}


def test_decisions_of_outcomes_are_read_at_once(writer: Writer) -> None:
    """One request for all of a run."""
    made = [writer.decision() for _ in range(10)]
    deliver(writer, *(entry for entry, _ in made))
    result, requests = deliver(writer, *(writer.outcome(own) for _, own in made))
    assert len(result.delivered) == 10
    assert requests == {"BatchGetItem": 1, "PutItem": 10}


def test_late_decisions_leave_their_marks_in_a_batch(writer: Writer) -> None:
    """An outage of an hour: the marks first, then the decisions."""
    run = [writer.decision(ago=3600)[0] for _ in range(10)]
    run += [writer.decision(ago=59)[0]]
    _, requests = deliver(writer, *run)
    assert requests == {"BatchWriteItem": 2}
    items = list(writer.store.query(*_late(writer)))
    assert len(items) == 10


def _late(writer: Writer) -> tuple[Any, Any]:
    from daybook.store import DECISIONS  # noqa: PLC0415
    from daybook.store.expressions import begins_with, equals  # noqa: PLC0415

    return DECISIONS, equals("pk", writer.agent_id) & begins_with("sk", "LATE#")


def test_careful_entries_look_first(writer: Writer) -> None:
    """Sent twice they stand once, with the time of the first."""
    entry, own = writer.decision()
    deliver(writer, entry)
    first = MemoryManager(writer.agent_id, writer.manager).get_decision(own)
    result, requests = deliver(writer, entry._replace(careful=True))
    assert list(result.delivered) == [entry._replace(careful=True)]
    assert requests == {"PutItem": 1}
    assert MemoryManager(writer.agent_id, writer.manager).get_decision(own) == first


def test_one_bad_item_does_not_fail_its_batch(writer: Writer) -> None:
    """DynamoDB refuses the batch; each by itself, only one is at fault."""
    good, (bad, own) = [writer.decision()[0] for _ in range(5)], writer.decision()
    spoilt = bad._replace(body=f'{own}\n"pk":{{"S":""}},"sk":{{"S":"x"}}'.encode())
    result, _ = deliver(writer, *good[:2], spoilt, *good[2:])
    assert list(result.delivered) == good
    assert [each.entry for each in result.refused] == [spoilt]
    assert writer.logged() == 5


def test_what_cannot_be_read_is_refused(writer: Writer) -> None:
    """An outcome that is no JSON, or of a later version, blocks nothing."""
    entry, own = writer.decision()
    for body in (
        b"{",
        b"{}",
        kept_draft(OutcomeDraft.checked(decision_id=own, decision_type=RISK, success=True)).body[
            :-1
        ]
        + b',"new":1}',
    ):
        strange = writer.outcome(own)._replace(body=body)
        result, _ = deliver(writer, strange, entry)
        assert entry in result.delivered
        assert [each.entry for each in result.refused] == [strange]


@dataclass
class Leaving(CountingClient):
    """Leaves some items of each batch undone, the first so many times."""

    times: int = 1

    def batch_write_item(self, **request: Any) -> Any:
        """Write all but the last three."""
        ((table, writes),) = request["RequestItems"].items()
        if not self.times:
            return self.client.batch_write_item(**request)
        self.times -= 1
        if writes[:-3]:
            self.client.batch_write_item(RequestItems={table: writes[:-3]})
        return {"UnprocessedItems": {table: writes[-3:]}}


@pytest.mark.parametrize(("times", "count", "left"), [(2, 30, 0), (100, 10, 3), (100, 30, 8)])
def test_items_left_undone(writer: Writer, times: int, count: int, left: int) -> None:
    """They are tried again, and those that stay undone, and no others, are told of."""
    run = [writer.decision()[0] for _ in range(count)]
    client: Any = Leaving(writer.manager.dynamodb, times=times)
    patient = Backoff(tries=3, sleep=lambda _: None)
    result, _ = deliver(
        writer, *run, store=replace(writer.store, dynamodb=client, backoff=patient)
    )
    assert list(result.delivered) == run[: len(run) - left]
    assert result.fault is None
    assert set(result.held) == ({writer.agent_id} if left else set())
    # boto3 may have sent it twice, and been told of the second time only
    assert result.uncertain
    assert writer.logged() == count - left


def test_a_client_that_takes_items_only(writer: Writer) -> None:
    """Such as DAX: the batch is written down by the client."""
    run = [writer.decision(context={"a": 0.1, "ü": "🙂"})[0] for _ in range(3)]
    client: Any = CountingClient(writer.manager.dynamodb)
    result, _ = deliver(writer, *run, store=replace(writer.store, dynamodb=client))
    assert len(result.delivered) == 3
    assert client.calls == ["batch_write_item"]
    assert writer.logged() == 3


def test_moments_before_the_calendar(writer: Writer) -> None:
    """A clock at the beginning of time delivers, too."""
    entry, _ = writer.decision()
    start = datetime(1970, 1, 1, 0, 0, 30, tzinfo=UTC)
    result, _ = deliver(writer, entry, store=replace(writer.store, clock=lambda: start))
    assert result.delivered


@dataclass
class Denying(CountingClient):
    """Lets nobody write into one agent's partition."""

    agent_id: str = ""
    fault: Exception = field(default_factory=lambda: AccessDeniedError("not yours"))

    def batch_write_item(self, **request: Any) -> Any:
        """Write, unless the agent is among them."""
        ((_, writes),) = request["RequestItems"].items()
        if any(put["PutRequest"]["Item"]["pk"]["S"] == self.agent_id for put in writes):
            raise self.fault
        return self.client.batch_write_item(**request)

    def put_item(self, **request: Any) -> Any:
        """Write, unless it is the agent's."""
        if request["Item"]["pk"]["S"] == self.agent_id:
            raise self.fault
        return self.client.put_item(**request)


class Throttling(CountingClient):
    """Throttles every batch, as DynamoDB does when it takes nothing of it."""

    def batch_write_item(self, **_: Any) -> Any:
        """Refuse."""
        raise ThrottledError("slow down")


def test_a_throttled_batch_holds_its_agents(writer: Writer) -> None:
    """And stops no other: DynamoDB throttles a partition, and that is an agent."""
    other = Writer(writer.manager)
    run = [writer.decision()[0] for _ in range(30)]
    careful = other.decision(careful=True)[0]
    client: Any = Throttling(writer.manager.dynamodb)
    result, _ = deliver(writer, *run, careful, store=replace(writer.store, dynamodb=client))
    assert set(result.held) == {writer.agent_id}
    assert not result.fault
    assert list(result.delivered) == [careful]


def test_what_is_denied_to_an_agent_is_its_own(writer: Writer) -> None:
    """The others of its batch arrive, and all of it waits."""
    denied = Writer(writer.manager)
    run = [each.decision()[0] for each in (writer, denied, writer, denied)]
    client: Any = Denying(writer.manager.dynamodb, agent_id=denied.agent_id)
    result, _ = deliver(writer, *run, store=replace(writer.store, dynamodb=client))
    assert list(result.delivered) == [run[0], run[2]]
    assert set(result.held) == {denied.agent_id}
    assert not result.fault
    assert not result.refused


def test_a_fault_of_the_machine_refuses_nothing(writer: Writer) -> None:
    """A token's file that is gone for a moment, say: the entries stay."""
    run = [writer.decision(careful=True)[0]]
    gone = FileNotFoundError("the token")
    client: Any = Denying(writer.manager.dynamodb, agent_id=writer.agent_id, fault=gone)
    with pytest.raises(FileNotFoundError):
        deliver(writer, *run, store=replace(writer.store, dynamodb=client))


def test_careful_decisions_keep_their_place(writer: Writer) -> None:
    """A child never arrives before its parent, whichever of them has to be looked for."""
    parent, own = writer.decision(careful=True)
    child, _ = writer.decision(parent_decision_id=own)
    client: Any = CountingClient(writer.manager.dynamodb)
    deliver(writer, parent, child, store=replace(writer.store, dynamodb=client))
    assert client.calls == ["put_item", "batch_write_item"]

"""Carrying the desk's entries through the doors, all doors at once, and reading them back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from time import monotonic, sleep

from daybook import DecisionLogger, DecisionRecord
from examples.trading_desk.desk import Entry
from examples.trading_desk.doors import Door
from examples.trading_desk.plan import DeskError

Write = Callable[[Door, Entry], None]
Advance = Callable[[str], None]

PATIENCE = 30.0
"""Seconds after which what was handed in and cannot be read is lost."""


def log_decision(door: Door, entry: Entry) -> None:
    """Log an entry's decision."""
    given = door.log_decision(entry.decision)
    if given != entry.decision_id:
        raise DeskError(f"{door.name} logged {entry.decision_id} as {given}.")


def log_outcome(door: Door, entry: Entry) -> None:
    """Log an entry's outcome."""
    door.log_outcome(entry.outcome)


def hand_in(
    entries: Iterable[Entry], doors: Mapping[str, Door], write: Write, advance: Advance
) -> None:
    """Hand the entries in, each at its agent's door; return when all doors have settled.

    `advance` is told the agent of each entry handed in. The first error is raised, and stops
    the other doors too.
    """
    stop = Event()
    listed = list(entries)

    def serve(agent_id: str, door: Door) -> None:
        def one(entry: Entry) -> None:
            if not stop.is_set():
                write(door, entry)
                advance(agent_id)

        try:
            with ThreadPoolExecutor(door.threads) as workers:
                list(workers.map(one, [e for e in listed if e.agent_id == agent_id]))
            if not stop.is_set():
                door.settle()
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(len(doors)) as servers:
        serving = [servers.submit(serve, agent_id, door) for agent_id, door in doors.items()]
        try:
            for future in serving:
                future.result()
        except BaseException:
            stop.set()
            raise


def read_log(log: DecisionLogger, entries: Sequence[Entry]) -> dict[str, DecisionRecord]:
    """Return all that the agent's log holds of the time of these entries, by id."""
    moments = [entry.decision.decided_at for entry in entries if entry.decision.decided_at]
    if not moments:
        return {}
    after = max(moments) + timedelta(microseconds=1)
    held = log.query_decisions(since=min(moments), until=after)
    return {record.decision_id: record for record in held}


def as_measured_before(entries: Iterable[Entry], log: Mapping[str, DecisionRecord]) -> list[Entry]:
    """Return the entries, those already logged with the latency that is on record.

    A decision of an earlier run was made then, and took as long as it took then. Only this
    measurement could differ, and a different outcome would be refused.
    """
    return [_as_before(entry, log.get(entry.decision_id)) for entry in entries]


def _as_before(entry: Entry, recorded: DecisionRecord | None) -> Entry:
    if recorded is None or recorded.outcome is None:
        return entry
    latency = {"latency_ms": recorded.outcome.latency_ms}
    return Entry(
        agent_id=entry.agent_id,
        decision=entry.decision,
        outcome=entry.outcome.model_copy(update=latency),
    )


def check(log: DecisionLogger, entries: Sequence[Entry]) -> None:
    """Read an agent's entries back and compare.

    Indexes and queues may be a moment behind, so it looks again for a while. Raises DeskError
    when an entry is missing in the end, or is not what was handed in.
    """
    deadline = monotonic() + PATIENCE
    while True:
        held = read_log(log, entries)
        missing = [entry for entry in entries if not _complete(held.get(entry.decision_id))]
        if not missing:
            break
        if monotonic() > deadline:
            raise DeskError(
                f"{len(missing)} of {len(entries)} decisions or their outcomes cannot be read "
                f"{PATIENCE:.0f} seconds after they were handed in, such as "
                f"{missing[0].decision_id}."
            )
        sleep(0.5)
    for entry in entries:
        if not _same(entry, held[entry.decision_id]):
            raise DeskError(f"{entry.decision_id} reads back otherwise than it was handed in.")


def _complete(record: DecisionRecord | None) -> bool:
    return record is not None and record.outcome is not None


def _same(entry: Entry, record: DecisionRecord) -> bool:
    now = datetime.now(UTC)
    decision = entry.decision.to_record(entry.agent_id, now)
    outcome = entry.outcome.to_outcome(entry.agent_id, now)
    return (
        record.says_the_same_as(decision)
        and record.outcome is not None
        and record.outcome.says_the_same_as(outcome)
    )

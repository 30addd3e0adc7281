"""What the log holds of the second half already, from an earlier run.

Memory has learned from it by now, so to recall again for those days would be hindsight. They
are taken from the log instead, as they were decided then, and only days that nobody has
traded yet are decided with memory.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from daybook import DecisionLogger, DecisionRecord
from daybook.models.drafts import DecisionDraft
from examples.trading_desk import agents
from examples.trading_desk.agents import RISK, SCOUT, STRATEGIST
from examples.trading_desk.desk import SIDES, Made
from examples.trading_desk.plan import TAG, DeskError, Plan
from examples.trading_desk.prices import Market

Logs = Mapping[str, DecisionLogger]

FRESH = (
    "`daybook down --wipe` starts afresh (with the --home and --port of this platform, if it has "
    "its own), and so does another --home with another --port."
)


def traded_before(
    logs: Logs, plan: Plan, market: Market, days: Sequence[int]
) -> dict[int, list[Made]]:
    """Return the days of the second half whose decisions are all in the log, as they were made.

    Raises DeskError when the desk would have to recall on a day although outcomes of that
    day or later are in the log: what memory knows would be hindsight.
    """
    closes = {market.close_of(day): day for day in days}
    found: dict[int, dict[str, DecisionRecord]] = {day: {} for day in days}
    latest: datetime | None = None
    for agent_id, log in logs.items():
        for record in _desk_records(log, min(closes)):
            if record.outcome:
                latest = max(latest or record.decided_at, record.decided_at)
            if record.session_id == plan.session_id and record.decided_at in closes:
                found[closes[record.decided_at]][agent_id] = record
    traded = {
        day: [made_from(record) for record in records.values()]
        for day, records in found.items()
        if _is_whole(records)
    }
    waiting = min((close for close, day in closes.items() if day not in traded), default=None)
    if waiting and latest and latest >= waiting:
        raise DeskError(
            f"The log holds outcomes of the desk up to {latest:%Y-%m-%d}, of runs with other "
            f"settings or of one that was damaged. Memory has learned from them, and the desk is "
            f"yet to decide on {waiting:%Y-%m-%d}: recalling would be hindsight. {FRESH}"
        )
    return traded


def made_from(record: DecisionRecord) -> Made:
    """Return a logged decision as it was made."""
    said = dict(record.reasoning) | {
        name: getattr(record, name)
        for name in DecisionDraft.model_fields.keys() & DecisionRecord.model_fields.keys()
    }
    return Made(
        agent_id=record.agent_id,
        decision=DecisionDraft.checked(**said, decided_at=record.decided_at),
        latency_ms=record.outcome.latency_ms if record.outcome else None,
    )


def _desk_records(log: DecisionLogger, since: datetime) -> Iterable[DecisionRecord]:
    found = log.query_decisions(since=since - timedelta(microseconds=1))
    return (record for record in found if TAG in record.tags)


def _is_whole(records: Mapping[str, DecisionRecord]) -> bool:
    """Whether all decisions of a day are there; the risk agent is not asked on every day."""
    if SCOUT not in records or STRATEGIST not in records:
        return False
    strategy = records[STRATEGIST].reasoning.selected[0]
    would = records[STRATEGIST].context.as_dict()["would"]
    trades = strategy in agents.TRADING and would[strategy] != SIDES[0]
    return RISK in records or not trades

"""Statistics of an agent's decisions: closed hours from rollups, the rest from the log."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from daybook.analytics.closed_hours import read_closed_hours, with_unrolled
from daybook.analytics.rollups import HourRollup
from daybook.analytics.summaries import DecisionStats, summarize, summarize_rollup
from daybook.decisions import digests
from daybook.decisions.digests import DecisionDigest, OutcomeDigest, Window
from daybook.errors import InvalidInputError
from daybook.models import DecisionType
from daybook.store import Store, keys


def decision_stats(
    store: Store,
    agent_id: str,
    time_window_hours: float = 24,
    decision_type: DecisionType | None = None,
) -> DecisionStats:
    """Return the statistics of the decisions made in the last hours.

    Exact, whatever has been consolidated by now, except that percentiles are within 1% where
    rollups take part. Decisions that have expired since they were rolled up still count.
    Reads an item an hour, what has arrived since the last consolidation, and for the hours at
    the ends the digests in the indexes: one query a type and two for the outcomes. No bodies.
    Raises InvalidInputError when the window is not a positive number of hours.
    """
    since = _since(store.clock(), time_window_hours)
    live = _Live(store, agent_id, decision_type)
    closed = read_closed_hours(store, agent_id, since)
    if closed is None:
        window = keys.log_range(since, None)
        return summarize(list(live.decisions(window)), list(live.outcomes(window)))
    rollup = with_unrolled(store, closed)
    if decision_type:
        rollup = rollup.of_type(decision_type)
    for window in (keys.log_range(since, closed.first), keys.log_range(closed.until, None)):
        live.add_to(rollup, window)
    return summarize_rollup(rollup)


class _Live:
    """What the log itself says, of one type or of all."""

    def __init__(self, store: Store, agent_id: str, decision_type: DecisionType | None) -> None:
        self.store = store
        self.agent_id = agent_id
        self.decision_type = decision_type

    def decisions(self, window: Window) -> Iterator[DecisionDigest]:
        for kind in [self.decision_type] if self.decision_type else DecisionType:
            yield from digests.read_decisions(self.store, self.agent_id, kind, window)

    def outcomes(self, window: Window) -> Iterator[OutcomeDigest]:
        for success in (True, False):
            for digest in digests.read_outcomes(
                self.store, self.agent_id, window, success=success
            ):
                if self.decision_type in {None, digest.decision_type}:
                    yield digest

    def add_to(self, rollup: HourRollup, window: Window) -> None:
        if window[0] > window[1]:
            return
        for decision in self.decisions(window):
            rollup.add_decision(decision)
        for outcome in self.outcomes(window):
            rollup.add_outcome(outcome)


def _since(now: datetime, hours: float) -> datetime | None:
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not hours > 0:
        raise InvalidInputError(f"time_window_hours is {hours!r}: use a number above 0")
    try:
        return now - timedelta(hours=hours)
    except OverflowError:
        return None  # further back than a calendar goes: everything

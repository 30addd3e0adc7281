"""A worker that rolls up, and the exact answer to compare with: what the log itself says."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from daybook.analytics import DecisionStats, decision_stats, rolling
from daybook.analytics.rollup_items import read_hours
from daybook.analytics.summaries import Percentiles, summarize
from daybook.decisions import digests
from daybook.models import DecisionType
from daybook.models.identity import EPOCH
from daybook.models.json_values import JsonObject
from daybook.progress import Head, read_arrivals
from daybook.progress.heads import read_head
from daybook.store import Store, keys
from daybook.store.batching import cut
from daybook.store.requests import Write

FOR_EVER = 24 * 365 * 5000.0


def run(store: Store, agent_id: str, also: Sequence[Write] = (), chunk: int = 1000) -> Head:
    """Roll up whatever has arrived, then close what hours have ended."""
    now = store.clock()
    head = read_head(store, agent_id, rolling.JOB)
    arrivals = read_arrivals(store, agent_id, head.position.settled)
    fresh = list(head.position.new_among(arrivals, now))
    for part in cut(fresh, chunk):
        head = rolling.roll_arrivals(store, head, part, now, also)
    return rolling.close_hours(store, head, now, also)


def documents(store: Store, agent_id: str) -> dict[datetime, JsonObject]:
    """Return every rollup of an agent as it is stored."""
    hours = read_hours(store, agent_id, EPOCH, datetime(9000, 1, 1, tzinfo=UTC))
    return {hour.start: hour.rollup.document for hour in hours}


def exact(
    store: Store, agent_id: str, hours: float, kind: DecisionType | None = None
) -> DecisionStats:
    """Return the statistics straight from the log."""
    since = None if hours == FOR_EVER else store.clock() - timedelta(hours=hours)
    window = keys.log_range(since, None)
    return summarize(
        [
            digest
            for each in ([kind] if kind else DecisionType)
            for digest in digests.read_decisions(store, agent_id, each, window)
        ],
        [
            digest
            for success in (True, False)
            for digest in digests.read_outcomes(store, agent_id, window, success=success)
            if kind in {None, digest.decision_type}
        ],
    )


def check(
    store: Store, agent_id: str, hours: float, kind: DecisionType | None = None
) -> DecisionStats:
    """Compare the statistics with the exact answer, and return them."""
    stats = decision_stats(store, agent_id, hours, kind)
    assert_equal(stats, exact(store, agent_id, hours, kind))
    return stats


def assert_equal(found: DecisionStats, truth: DecisionStats) -> None:
    """Compare to the last bit, percentiles within the sketch's 1%."""
    assert list(found["by_type"]) == list(truth["by_type"])
    pairs = [(found, truth)]
    pairs += [(found["by_type"][kind], truth["by_type"][kind]) for kind in truth["by_type"]]  # type: ignore[misc]
    for ours, theirs in pairs:
        assert _exact_part(ours) == _exact_part(theirs)
        _assert_close(ours["latency_ms"], theirs["latency_ms"])


def _exact_part(stats: object) -> JsonObject:
    assert isinstance(stats, dict)
    return {name: of for name, of in stats.items() if name not in {"latency_ms", "by_type"}}


def _assert_close(ours: Percentiles, theirs: Percentiles) -> None:
    for one, other in zip(ours.values(), theirs.values(), strict=True):
        if other is None:
            assert one is None
        else:
            assert isinstance(one, float)
            assert isinstance(other, float)
            assert abs(one - other) <= 0.01 * (1 + 1e-9) * other

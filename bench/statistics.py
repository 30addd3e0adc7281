"""What statistics over 30 days read, beside reading the decisions, as the log grows.

`python -m bench.statistics` loads 100,000 and then 200,000 decisions of 30 days, with about a
kilobyte of context each and their outcomes, into DynamoDB Local, rolls them up, and counts the
read units of both ways (`ReturnConsumedCapacity`: exact, and the same on every machine). Exits
with 1 when statistics read more than a fiftieth, or do not equal the exact answer.
"""

import argparse
import dataclasses
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from bench.databases import create_tables, dynamodb_local
from bench.machine import describe
from bench.quotes import quote
from daybook import DecisionType, new_decision_id
from daybook.analytics import DecisionStats, decision_stats, rolling
from daybook.analytics.summaries import summarize
from daybook.decisions import DecisionQuery, digests, items, iterate
from daybook.decisions.recording import is_late
from daybook.models import DecisionId
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.progress import Head, read_arrivals
from daybook.progress.heads import read_head
from daybook.store import DECISIONS, CapacityMeter, Store, keys
from daybook.store.attributes import Item

NOW = datetime(2026, 3, 31, 12, 20, tzinfo=UTC)
DAYS = 30
HOURS = 24.0 * DAYS
LARGEST_SHARE = 1 / 50
_BATCH = 1000


class Figures(NamedTuple):
    """Read units and requests of each way, and seconds. `equal`: the statistics are exact."""

    decisions: int
    stats_units: float
    stats_requests: int
    stats_seconds: float
    digests_units: float
    log_units: float
    rolling_seconds: float
    equal: bool

    @property
    def share(self) -> float:
        """What statistics read, as a share of reading the decisions."""
        return self.stats_units / self.log_units

    @property
    def row(self) -> str:
        """The figures as a line of the table."""
        return (
            f"{self.decisions:>10,} {self.stats_units:>10,.1f} {self.stats_requests:>9} "
            f"{self.stats_seconds:>8.2f} {self.digests_units:>10,.1f} {self.log_units:>10,.1f} "
            f"{f'1/{1 / self.share:.0f}':>7} {self.rolling_seconds:>8.1f} "
            f"{'yes' if self.equal else 'NO':>6}"
        )


HEADER = (
    f"{'decisions':>10} {'stats RCU':>10} {'requests':>9} {'seconds':>8} {'index RCU':>10} "
    f"{'log RCU':>10} {'share':>7} {'roll s':>8} {'exact':>6}"
)


def load(store: Store, agent_id: str, count: int, days: int = DAYS) -> None:
    """Write decisions of all types up to now: 19 of 20 have an outcome, 1 of 100 is late."""
    draw = random.Random(1)  # noqa: S311 - reproducible, not secret
    made = _items(store, agent_id, count, timedelta(days=days), draw)
    while batch := list(islice(made, _BATCH)):
        store.put_all(DECISIONS, batch)


def _items(
    store: Store, agent_id: str, count: int, span: timedelta, draw: random.Random
) -> Iterator[Item]:
    for number in range(count):
        decided_at = NOW - span + span * number / count
        late = draw.random() < 0.01  # noqa: PLR2004 - one of a hundred
        arrived_at = decided_at + timedelta(hours=draw.uniform(0.1, 20) if late else 0)
        kind = draw.choice(list(DecisionType))
        own = new_decision_id(agent_id, decided_at, random_bits=draw.getrandbits(62))
        draft = DecisionDraft.checked(
            decision_type=kind,
            confidence=draw.random(),
            context={
                "market": {f"SYM{symbol}": quote(draw) for symbol in range(8)},
                "cycle": number,
            },
            decision_id=own,
        )
        record = draft.to_record(agent_id, arrived_at)
        if is_late(DecisionId.parse(own), arrived_at):
            yield items.late_mark(store, DecisionId.parse(own), arrived_at)
        decision = items.decision_item(store, record)
        yield decision
        if draw.random() < 0.95:  # noqa: PLR2004 - nineteen of twenty
            outcome = OutcomeDraft.checked(
                decision_id=own,
                decision_type=kind,
                success=draw.random() < record.reasoning.confidence,
                quality_score=draw.random(),
                latency_ms=draw.lognormvariate(5, 1),
                error="the exchange did not answer" if draw.random() < 0.02 else None,  # noqa: PLR2004
            )
            told_at = arrived_at + timedelta(minutes=draw.expovariate(1 / 30))
            yield items.outcome_item(store, outcome.to_outcome(agent_id, told_at), decision)


def roll(store: Store, agent_id: str) -> Head:
    """Roll up whatever has arrived, as consolidation does, but without its lease."""
    now = store.clock()
    head = read_head(store, agent_id, rolling.JOB)
    arrivals = head.position.new_among(read_arrivals(store, agent_id, head.position.settled), now)
    while batch := list(islice(arrivals, _BATCH)):
        head = rolling.roll_arrivals(store, head, batch, now, [])
    return rolling.close_hours(store, head, now, [])


def measure(store: Store, agent_id: str, count: int) -> Figures:
    """Load a log, roll it up, and count what each way of telling its statistics reads."""
    load(store, agent_id, count)
    began = time.monotonic()
    roll(store, agent_id)
    rolling_seconds = time.monotonic() - began
    began = time.monotonic()
    with CapacityMeter(store.dynamodb) as stats_meter:
        stats = decision_stats(store, agent_id, HOURS)
    stats_seconds = time.monotonic() - began
    with CapacityMeter(store.dynamodb) as digests_meter:
        truth = exact(store, agent_id)
    query = DecisionQuery(agent_id=agent_id, since=NOW - timedelta(days=DAYS))
    with CapacityMeter(store.dynamodb) as log_meter:
        read = sum(1 for _ in iterate(store, query))
    return Figures(
        decisions=count,
        stats_units=stats_meter.read_units,
        stats_requests=sum(stats_meter.requests.values()),
        stats_seconds=stats_seconds,
        digests_units=digests_meter.read_units,
        log_units=log_meter.read_units,
        rolling_seconds=rolling_seconds,
        equal=read == count and is_equal(stats, truth),
    )


def exact(store: Store, agent_id: str) -> DecisionStats:
    """Return the statistics from the digests in the indexes alone, as without rollups."""
    window = keys.log_range(NOW - timedelta(days=DAYS), None)
    return summarize(
        [
            digest
            for kind in DecisionType
            for digest in digests.read_decisions(store, agent_id, kind, window)
        ],
        [
            digest
            for success in (True, False)
            for digest in digests.read_outcomes(store, agent_id, window, success=success)
        ],
    )


def is_equal(stats: DecisionStats, truth: DecisionStats) -> bool:
    """Whether statistics equal others to the last bit, percentiles within 1%."""
    found, told = _latencies(stats), _latencies(truth)
    close = (
        abs(ours - theirs) <= 0.01 * (1 + 1e-9) * theirs
        for ours, theirs in zip(found, told, strict=True)
    )
    return _counts(stats) == _counts(truth) and all(close)


def _latencies(stats: DecisionStats) -> list[float]:
    parts = [stats["latency_ms"], *(of["latency_ms"] for of in stats["by_type"].values())]
    named = [(part["p50"], part["p95"], part["p99"]) for part in parts]
    return [latency for three in named for latency in three if latency is not None]


def _counts(stats: DecisionStats) -> list[dict[str, object]]:
    parts = [stats, *(stats["by_type"][kind] for kind in sorted(stats["by_type"]))]
    aside = {"latency_ms", "by_type"}
    return [{name: of for name, of in part.items() if name not in aside} for part in parts]


def main() -> int:
    """Measure, print the table, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--decisions", type=int, nargs="+", default=[100_000, 200_000])
    counts = parser.parse_args().decisions
    print(describe())
    print(HEADER)
    missed = False
    with dynamodb_local("4g") as url:
        store = dataclasses.replace(create_tables(url).store, clock=lambda: NOW)
        for count in counts:
            figures = measure(store, f"agent-{count}", count)
            print(figures.row, flush=True)
            missed = missed or not figures.equal or figures.share > LARGEST_SHARE
    print("a bar is missed" if missed else "statistics read at most 1/50, and are exact")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())

"""How long consolidation takes, and how much memory, beside merely reading the same items.

`python -m bench.consolidation` loads 20,000 decisions with their outcomes into DynamoDB Local
and lets three things run in processes of their own, in turn, several times: plain boto3
queries that read those items and do nothing with them; a first consolidation, which learns,
rolls up and closes the hours; and a run that finds nothing new. It prints medians, ratios and
peak memory, and exits with 1 when a bar is missed.
"""

import argparse
import multiprocessing
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.databases import connect, create_tables, dynamodb_local
from bench.machine import describe
from daybook import DecisionType, new_decision_id
from daybook.decisions import items
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.store import DECISIONS

KIND = DecisionType.STRATEGY_SELECTION
START = datetime(2026, 3, 1, tzinfo=UTC)
CHOICES = ("momentum", "reversion", "out", "hedge")
LARGEST_RATIO = 3.0
LARGEST_PEAK_MB = 256.0

Measure = tuple[float, float, str]
"""Seconds, peak memory in MB, and what was done."""


def load(url: str, agent_id: str, outcomes: int) -> None:
    """Write decisions of about a kilobyte and their outcomes, a decision a minute."""
    manager = connect(url)
    store = manager.store
    draw = random.Random(7)  # noqa: S311 - reproducible, not secret
    batch = []
    for number in range(outcomes):
        decided_at = START + timedelta(minutes=number)
        draft = DecisionDraft.checked(
            decision_type=KIND,
            options=list(CHOICES),
            selected=[draw.choice(CHOICES)],
            scores={choice: draw.random() for choice in CHOICES},
            confidence=draw.random(),
            context={
                "market": {
                    "trend": draw.choice(["up", "down", "flat"]),
                    "session": draw.choice(["asia", "europe", "us"]),
                    **{f"indicator_{n}": draw.gauss(0, 1) for n in range(8)},
                },
                "cycle": number,
                "note": "what the agent had in mind at the time, as agents do. " * 5,
            },
            decision_id=new_decision_id(agent_id, decided_at, random_bits=number),
        )
        decision = items.decision_item(store, draft.to_record(agent_id, decided_at))
        told = OutcomeDraft.checked(
            decision_id=draft.decision_id,
            decision_type=KIND,
            success=draw.choice([True, False]),
            quality_score=draw.random(),
            latency_ms=draw.expovariate(0.01),
        ).to_outcome(agent_id, decided_at + timedelta(minutes=5))
        batch += [decision, items.outcome_item(store, told, decision)]
        if len(batch) >= 1000:  # noqa: PLR2004 - any size will do
            store.put_all(DECISIONS, batch)
            batch = []
    store.put_all(DECISIONS, batch)


def merely_read(url: str, agent_id: str) -> str:
    """Read the items as a plain boto3 client does, page by page, and drop them."""
    client = connect(url).dynamodb
    pages = client.get_paginator("query").paginate(
        TableName=DECISIONS.name,
        KeyConditionExpression="pk = :agent",
        ExpressionAttributeValues={":agent": {"S": agent_id}},
    )
    return f"{sum(len(page['Items']) for page in pages):,} items"


def consolidate(url: str, agent_id: str) -> str:
    """Consolidate the agent."""
    from daybook.memory import consolidate as run  # noqa: PLC0415 - numpy, and only here

    store = connect(url).store
    report = run(store, agent_id, now=START + timedelta(days=60))
    return f"{report.outcomes_learned:,} outcomes, {len(report.changes)} patterns changed"


def measured(work: Callable[[str, str], str], url: str, agent_id: str) -> Measure:
    """Do the work in a new process; memory is that process's whole peak."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_timed, (work, url, agent_id))


def _timed(work: Callable[[str, str], str], url: str, agent_id: str) -> Measure:
    connect(url).dynamodb.list_tables()
    started = time.perf_counter()
    done = work(url, agent_id)
    seconds = time.perf_counter() - started
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, done


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--outcomes", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print(f"machine: {describe()}")
    rows: dict[str, list[Measure]] = {}
    with dynamodb_local() as url:
        create_tables(url)
        for number in range(chosen.rounds):
            agent_id = f"bench-{number}"
            load(url, agent_id, chosen.outcomes)
            for name, work in (
                ("boto3 merely reads", merely_read),
                ("first consolidation", consolidate),
                ("nothing new", consolidate),
            ):
                rows.setdefault(name, []).append(measured(work, url, agent_id))
                seconds, peak, done = rows[name][-1]
                print(f"round {number + 1}: {name}: {seconds:.2f} s, {peak:.0f} MB, {done}")
    read = statistics.median(row[0] for row in rows["boto3 merely reads"])
    print(f"\n{'median of ' + str(chosen.rounds):24}{'seconds':>9}{'ratio':>8}{'peak MB':>9}")
    for name, measures in rows.items():
        seconds = statistics.median(row[0] for row in measures)
        peak = max(row[1] for row in measures)
        print(f"{name:24}{seconds:9.2f}{seconds / read:8.2f}{peak:9.0f}")
    first = rows["first consolidation"]
    ratio = statistics.median(row[0] for row in first) / read
    peak = max(row[1] for row in first)
    met = ratio <= LARGEST_RATIO and peak < LARGEST_PEAK_MB
    bars = f"at most {LARGEST_RATIO:.0f} times reading, under {LARGEST_PEAK_MB:.0f} MB"
    print(f"bar: {bars}: {'met' if met else 'MISSED'} ({ratio:.2f}, {peak:.0f} MB)")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

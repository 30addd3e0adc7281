"""Logging decisions, side by side: processor time, decisions a second, latency, write units.

`python -m bench.writing` runs every way of `bench.writers` on DynamoDB Local in turns, several
times, and prints medians, and ratios to boto3's `batch_writer`. Processor time is that of this
process, all threads; the database is another one. Exits with 1 when a bar is not met.
"""

import argparse
import json
import logging
import random
import socket
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from bench.databases import connect, create_tables, dynamodb_local
from bench.machine import describe
from bench.quotes import quote
from bench.writers import (
    KIND,
    BatchWriter,
    Daybook,
    DaybookTogether,
    Facts,
    Plain,
    PutItem,
    Pydynox,
    PynamoDB,
    SameTable,
    ThreeFullIndexes,
    Writer,
)
from daybook import AWSClientManager, CapacityMeter, DecisionLogger, MemoryManager, SpoolConfig

THREADS = (1, 4, 16)
OURS = (Daybook.name, DaybookTogether.name)
SIZES = (512, 1024, 4096, 8192, 65536)
CPU_BAR = 0.35
"""Of `batch_writer`'s processor time for each decision."""
LATENCY_BAR = 0.35
"""Of the median of `put_item`."""
PACE_SECONDS = 0.001
"""Between decisions, as of a loop that does something else, too."""
UNITS_BARS = {1024: 0.75, 8192: 0.2}
"""Of the write units of the design with three full indexes, by the size of the context."""


class Run(NamedTuple):
    """What one way took for a number of decisions."""

    cpu_us: float
    per_second: float
    latencies_us: list[float]


def situation(size: int, seed: int) -> Facts:
    """Return a decision whose context has at least `size` bytes of ordinary JSON."""
    draw = random.Random(seed)  # noqa: S311 - no secrets here
    market: dict[str, object] = {}
    while len(json.dumps(market, separators=(",", ":"))) < size:
        market[f"SYM{len(market)}"] = quote(draw)
    return {
        "options": ["momentum", "mean_reversion", "stay_out"],
        "scores": {"momentum": 0.61, "mean_reversion": 0.2, "stay_out": 0.19},
        "selected": ["momentum"],
        "context": {"market": market, "cycle": seed},
        "confidence": 0.7,
        "rationale": "the trend is intact",
    }


def facts_of(count: int) -> list[Facts]:
    """Return so many decisions of 0.9 KB."""
    return [situation(700, seed) for seed in range(count)]


def run(writer: Writer, facts: Sequence[Facts], threads: int) -> Run:
    """Log these decisions by so many threads, each for an agent of its own."""

    def log(share: Sequence[Facts]) -> list[float]:
        latencies = []
        with writer.opened(f"agent-{uuid4().hex}") as log_one:
            for each in share:
                began = time.perf_counter()
                log_one(each)
                latencies.append((time.perf_counter() - began) * 1e6)
        return latencies

    cpu, wall = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        latencies = [each for taken in pool.map(log, _dealt(facts, threads)) for each in taken]
    wall = time.perf_counter() - wall
    return Run((time.process_time() - cpu) / len(facts) * 1e6, len(facts) / wall, latencies)


def _dealt(facts: Sequence[Facts], hands: int) -> list[Sequence[Facts]]:
    return [facts[start::hands] for start in range(hands)]


def units(manager: AWSClientManager, facts: Facts) -> float:
    """Return the write units of a decision and its outcome in Daybook's tables."""
    log = DecisionLogger(MemoryManager(f"agent-{uuid4().hex}", manager))
    with CapacityMeter(manager.dynamodb) as meter:
        decision_id = log.log_decision(KIND, **facts)
        log.log_outcome(decision_id, KIND, True, 0.53, 12.0)
    return meter.write_units


def compare(writers: Sequence[Writer], count: int, runs: int) -> dict[tuple[str, int], list[Run]]:
    """Run all ways in turns; a first round, which warms up, does not count."""
    facts = facts_of(count)
    found: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for turn in range(runs + 1):
        for threads in THREADS:
            for writer in writers:
                done = run(writer, facts if turn else facts[: count // 4], threads)
                if turn:
                    found[writer.name, threads].append(done)
    return found


def median(runs: Sequence[Run], what: str) -> float:
    """Return the median of a figure over the runs."""
    return float(statistics.median(getattr(each, what) for each in runs))


def percentile(runs: Sequence[Run], share: float) -> float:
    """Return the median over the runs of a percentile of the latencies."""
    return statistics.median(
        sorted(each.latencies_us)[int(share * (len(each.latencies_us) - 1))] for each in runs
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 1 if a bar is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=int, default=2000, help="in each run")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args(arguments)
    missed: list[str] = []
    logging.getLogger("daybook").setLevel(logging.ERROR)  # outages are what is measured
    print(describe())
    with dynamodb_local() as url, tempfile.TemporaryDirectory() as folder:
        manager = create_tables(url)
        three = ThreeFullIndexes(url)
        place = Path(folder)
        ways: list[Any] = [Daybook(url, place), DaybookTogether(url, place), Plain(url)]
        spools = [ways[0].standing, ways[1].standing]
        ways += [
            SameTable(url),
            BatchWriter(url),
            PutItem(url),
            PynamoDB(url),
            Pydynox(url),
            three,
        ]
        found = compare(ways, asked.decisions, asked.runs)
        names = [way.name for way in ways]
        missed += _show_cpu(names, found)
        missed += _show_rates(names, found)
        missed += _show_draining(ways[1], facts_of(asked.decisions), asked.runs, found)
        missed += _show_latencies(names, found)
        for memory in spools:
            memory.close()
        _show_outages(url, Path(folder), facts_of(1000))
        missed += _show_units(manager, three)
    print("\n".join(["", *missed]) if missed else "\nevery bar is met")
    return 1 if missed else 0


def _show_by_threads(
    names: Sequence[str], found: dict[tuple[str, int], list[Run]], what: str, beside: str
) -> dict[tuple[str, int], float]:
    """Print medians, and ratios to one way's; return the ratios by way and number of threads."""
    ratios: dict[tuple[str, int], float] = {}
    for name in names:
        line = f"{name:32}"
        for threads in THREADS:
            figure = median(found[name, threads], what)
            ratio = ratios[name, threads] = figure / median(found[beside, threads], what)
            line += f"{threads:>5} threads {figure:>6.0f} ({ratio:.2f})"
        print(line)
    return ratios


def _show_cpu(names: Sequence[str], found: dict[tuple[str, int], list[Run]]) -> list[str]:
    print("\nprocessor time for each decision, µs (ratio to batch_writer)")
    ratios = _show_by_threads(names, found, "cpu_us", BatchWriter.name)
    return [
        f"{name}: processor time with {threads} threads is {ratio:.2f} of batch_writer's, over "
        f"{CPU_BAR}"
        for (name, threads), ratio in ratios.items()
        if name in OURS and ratio > CPU_BAR
    ]


def _show_rates(names: Sequence[str], found: dict[tuple[str, int], list[Run]]) -> list[str]:
    print("\ndecisions a second, to the table (ratio to batch_write_item)")
    missed = []
    ratios = _show_by_threads(names, found, "per_second", Plain.name)
    for name in OURS:
        for threads in THREADS:
            ratio = ratios[name, threads]
            same = ratio / ratios[SameTable.name, threads]
            if ratio < 1:
                missed.append(
                    f"{name}: decisions a second with {threads} threads are {ratio:.2f} of "
                    f"batch_write_item's, and {same:.2f} of those into the same table"
                )
    return missed


def _show_draining(
    writer: DaybookTogether,
    facts: Sequence[Facts],
    runs: int,
    found: dict[tuple[str, int], list[Run]],
) -> list[str]:
    """Print how fast what waits in the spool is delivered, once nobody logs any more."""
    print("\ndecisions a second, of those that wait in the spool (ratio to the same table)")
    missed, line = [], ""
    for agents in THREADS:
        rate = statistics.median(drained(writer, facts, agents) for _ in range(runs))
        ratio = rate / median(found[SameTable.name, agents], "per_second")
        line += f"{agents:>6} agents {rate:>6.0f} ({ratio:.2f})"
        if ratio < 1:
            missed.append(f"draining, {agents} agents: {ratio:.2f} of those into the same table")
    print(f"{'Daybook, what waits':32}{line}")
    return missed


def drained(writer: DaybookTogether, facts: Sequence[Facts], agents: int) -> float:
    """Return how many a second go out of a spool that was filled for so many agents."""
    with ExitStack() as stack:
        for share in _dealt(facts, agents):
            log_one = stack.enter_context(writer.opened(f"agent-{uuid4().hex}"))
            for each in share:
                log_one(each)
        waits, began = writer.depth(), time.perf_counter()
        writer.standing.flush(600)
        return waits / (time.perf_counter() - began)


def _show_latencies(names: Sequence[str], found: dict[tuple[str, int], list[Run]]) -> list[str]:
    print("\nlatency of the call, one thread, µs")
    for name in names:
        p50, p99 = (percentile(found[name, 1], share) for share in (0.5, 0.99))
        print(f"{name:32} p50 {p50:>7.0f}   p99 {p99:>7.0f}")
    ratio = percentile(found[Daybook.name, 1], 0.5) / percentile(found[PutItem.name, 1], 0.5)
    print(f"Daybook's median is {ratio:.2f} of put_item's")
    return [] if ratio <= LATENCY_BAR else [f"latency: {ratio:.2f}, over {LATENCY_BAR}"]


def _show_outages(url: str, folder: Path, facts: Sequence[Facts]) -> None:
    """Print the latency of the call while DynamoDB answers, refuses, and is silent."""
    print("\nlatency of the spool's call during an outage, one thread, µs")
    with socket.socket() as refusing, socket.socket() as silent:
        for end in (refusing, silent):
            end.bind(("127.0.0.1", 0))
        silent.listen(128)  # connections are taken, and nobody ever answers
        places = {"DynamoDB answers": url}
        places |= {
            name: f"http://127.0.0.1:{end.getsockname()[1]}"
            for name, end in (("it refuses", refusing), ("it is silent", silent))
        }
        for number, (name, place) in enumerate(places.items()):
            config = SpoolConfig(path=folder / f"outage-{number}.db", drain_s=0)
            memory = MemoryManager("scout", connect(place), spool=config)
            log = DecisionLogger(memory)
            took = []
            for each in facts:
                began = time.perf_counter()
                log.log_decision(KIND, **each)
                took.append((time.perf_counter() - began) * 1e6)
                time.sleep(PACE_SECONDS)
            memory.close()
            took.sort()
            p50, p99 = (took[int(share * (len(took) - 1))] for share in (0.5, 0.99))
            print(f"{name:32} p50 {p50:>7.0f}   p99 {p99:>7.0f}")


def _show_units(manager: AWSClientManager, three: ThreeFullIndexes) -> list[str]:
    print("\nwrite units of a decision and its outcome, by the context's size")
    missed = []
    for size in SIZES:
        facts = situation(size, 1)
        ours, theirs = units(manager, facts), three.write("scout", facts)
        print(
            f"{size / 1024:>5.1f} KB   Daybook {ours:>4.0f}   three full indexes {theirs:>4.0f}"
            f"   ({ours / theirs:.2f})"
        )
        if ours / theirs > UNITS_BARS.get(size, 1):
            missed.append(f"write units at {size} bytes: {ours / theirs:.2f}")
    return missed


if __name__ == "__main__":
    sys.exit(main())

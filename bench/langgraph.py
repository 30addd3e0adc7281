"""Checkpoints of LangGraph in DynamoDB: ours, and those of langgraph-checkpoint-aws, side by side.

`python -m bench.langgraph` puts the same checkpoints through both savers on DynamoDB Local and
counts their requests (exact, and the same on every machine) and times them (medians, in
milliseconds). Exits with 1 when one of ours takes more requests than `BARS` says.
"""

import argparse
import logging
import os
import statistics
import sys
import time
from importlib.metadata import version
from typing import Any, NamedTuple, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    Checkpoint,
    CheckpointMetadata,
    empty_checkpoint,
)
from langgraph_checkpoint_aws import DynamoDBSaver

from bench.databases import create_tables, dynamodb_local
from bench.machine import describe
from daybook import AWSClientManager, CapacityMeter
from daybook.adapters.langgraph import DaybookSaver
from daybook.store.clients import sealed_session

THEIR_TABLE = "langgraph_checkpoints"
LISTED = 21
LARGE = 600_000
BARS = {"get_tuple": 2, f"list of {LISTED}": 2, "put": 1, "put of 600 KB": 1}

Saver = BaseCheckpointSaver[Any]


class Figure(NamedTuple):
    """What one operation took: requests, and the median of its times, or how it failed."""

    requests: int
    milliseconds: float
    failure: str = ""

    def __str__(self) -> str:
        return f"{self.requests:>8} {self.failure or f'{self.milliseconds:.1f} ms':>16}"


def place(thread_id: str) -> RunnableConfig:
    """Return the config of a thread."""
    return cast("RunnableConfig", {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}})


def checkpoint(step: int, size: int = 2000) -> Checkpoint:
    """Return a checkpoint of a conversation, with this many bytes that do not compress."""
    made = empty_checkpoint()
    messages = [f"message {number} of a conversation" for number in range(step + 1)]
    made["channel_values"] = {"messages": messages, "noise": os.urandom(size)}
    made["channel_versions"] = {"messages": step + 1, "noise": step + 1}
    return made


def put(saver: Saver, at: RunnableConfig, step: int, size: int = 2000) -> RunnableConfig:
    """Put the next checkpoint of a run."""
    made = checkpoint(step, size)
    about = cast("CheckpointMetadata", {"source": "loop", "step": step, "parents": {}})
    return saver.put(at, made, about, made["channel_versions"])


def grown(saver: Saver, thread_id: str) -> RunnableConfig:
    """Make a thread of 21 checkpoints, each with what two tasks have written; return its head."""
    at = place(thread_id)
    for step in range(LISTED):
        at = put(saver, at, step)
        for task in ("first", "second"):
            saver.put_writes(at, [("messages", f"from {task}")], task)
    return at


class Contestant:
    """A saver with a grown thread, what it takes for an operation, and how long."""

    def __init__(self, saver: Saver, client: Any) -> None:
        self.saver = saver
        self.client = client
        self.head = grown(saver, "bench")
        found = len(list(saver.list(place("bench"), limit=LISTED)))
        if found != LISTED:
            raise RuntimeError(f"{found} checkpoints were listed, and {LISTED} are there")

    def run(self, operation: str) -> None:
        """Do an operation once."""
        if operation == "put":
            self.head = put(self.saver, self.head, LISTED)
        elif operation == "get_tuple":
            self.saver.get_tuple(place("bench"))
        elif operation.startswith("list"):
            list(self.saver.list(place("bench"), limit=LISTED))
        else:
            self.head = put(self.saver, self.head, LISTED, LARGE)


def race(contestants: list[Contestant], operation: str, rounds: int) -> list[Figure]:
    """Let all do an operation in turn, so that what else the machine does falls on each."""
    times: list[list[float]] = [[] for _ in contestants]
    meters = [CapacityMeter(one.client) for one in contestants]
    failures = [""] * len(contestants)
    for _ in range(rounds):
        for number, one in enumerate(contestants):
            if failures[number]:
                continue
            began = time.perf_counter()
            try:
                with meters[number]:
                    one.run(operation)
            except Exception as fault:  # noqa: BLE001 - whatever it is, it is the figure
                failures[number] = type(fault).__name__
            times[number].append((time.perf_counter() - began) * 1000)
    return [
        Figure(meter.requests.total() // len(taken), statistics.median(taken), failure)
        for meter, taken, failure in zip(meters, times, failures, strict=True)
    ]


def theirs(manager: AWSClientManager) -> tuple[Saver, Any]:
    """Return langgraph-checkpoint-aws's saver on a table of its own, and its client."""
    manager.dynamodb.create_table(
        TableName=THEIR_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "PK", "AttributeType": "S"},
            {"AttributeName": "SK", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "PK", "KeyType": "HASH"},
            {"AttributeName": "SK", "KeyType": "RANGE"},
        ],
    )
    saver = DynamoDBSaver(
        table_name=THEIR_TABLE,
        session=sealed_session("us-east-1"),
        endpoint_url=manager.endpoint_url,
    )
    return saver, saver.client


def main() -> int:
    """Measure both, print the table, and return 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=50)
    rounds = parser.parse_args().rounds
    logging.disable(logging.CRITICAL)  # their refusals are figures here
    with dynamodb_local() as url:
        manager = create_tables(url)
        contestants = [
            Contestant(DaybookSaver(client_manager=manager, agent_id="bench"), manager.dynamodb),
            Contestant(*theirs(manager)),
            Contestant(
                DaybookSaver(client_manager=manager, agent_id="fenced", fenced=True),
                manager.dynamodb,
            ),
        ]
        for operation in list(BARS)[:2]:
            race(contestants, operation, rounds)  # the database is slow until it is warm
        raced = {operation: race(contestants, operation, rounds) for operation in BARS}
    print(describe())
    print(f"DynamoDB Local; medians of {rounds} rounds, in turn")
    name = f"langgraph-checkpoint-aws {version('langgraph-checkpoint-aws')}"
    print(f"{'':<16} {'Daybook':^25} {name:^33} {'ratio':>6} {'Daybook, fenced':^27}")
    for operation, (ours, others, fenced) in raced.items():
        ratio = "" if others.failure else f"{others.milliseconds / ours.milliseconds:.1f}x"
        print(f"{operation:<16} {ours}         {others} {ratio:>6}  {fenced}")
    missed = [
        operation
        for operation, (ours, _, fenced) in raced.items()
        if max(ours.requests, fenced.requests) > BARS[operation] or ours.failure or fenced.failure
    ]
    print(f"a bar is missed: {', '.join(missed)}" if missed else "every bar is met")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())

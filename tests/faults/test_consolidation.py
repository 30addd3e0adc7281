"""Consolidation takes effect once: through deaths, overlaps, repeats and late arrivals.

On DynamoDB Local, which is atomic as DynamoDB is. What a broken history of runs leaves behind
must equal what one clean run makes of the same log, to the last bit.
"""

import random
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from unittest import mock

import pytest

from daybook import AWSClientManager, ConsolidationBusyError, OvertakenError, StorageError
from daybook.memory import consolidate
from daybook.memory.learning_head import Notes
from daybook.progress import heads, read_heads
from daybook.progress.leases import LENGTH
from daybook.store import MEMORY, Store
from daybook.store.expressions import absent, begins_with, equals
from tests.faults.clients import (
    CountingClient,
    DeadError,
    DyingClient,
    HeldClient,
    RepeatingClient,
)
from tests.faults.worlds import NOW, START, World, clone, make_world, result

AHEAD = LENGTH + timedelta(seconds=1)
"""How far ahead another worker's clock is: to it, the first one's lease has ended."""

SAMPLE = 12
"""Of the interleavings of two workers, `make test` tries so many; `make campaign` all."""

Clean = tuple[dict[str, Any], int]


@pytest.fixture(scope="module")
def original(database: AWSClientManager) -> World:
    """Give an agent whose log nobody consolidates: the others are copies of it."""
    return make_world(database)


@pytest.fixture
def world(original: World) -> World:
    """Give a copy of that agent."""
    return clone(original)


@pytest.fixture(scope="module")
def clean(original: World) -> Clean:
    """Give what one clean run makes of the log, and how many calls it takes."""
    world = clone(original)
    client = CountingClient(world.store.dynamodb)
    report = world.consolidate(world.with_client(client))
    assert report.outcomes_learned > 100
    assert report.patterns_created >= 1
    return result(world), len(client.calls)


def leftovers(world: World) -> int:
    """Return how many parts of knowledge lie about that neither the head nor an undo needs."""
    agent_id = world.memory.agent_id
    notes = Notes.read(read_heads(world.store, agent_id)["learning"])
    named = sum(len(parts) for parts in notes.knowledge.values())
    kept = sum(len(parts) for _, parts in notes.runs)
    condition = equals("pk", agent_id) & begins_with("sk", "KNOWN#")
    return len(list(world.store.query(MEMORY, condition))) - named - kept


def test_repeated_runs_equal_one(world: World, clean: Clean) -> None:
    """Running again changes nothing, and learns nothing."""
    learned = [world.consolidate().outcomes_learned for _ in range(3)]
    assert learned[0] > 100
    assert learned[1:] == [0, 0]
    assert result(world) == clean[0]


def test_answers_lost_at_every_call(world: World, clean: Clean) -> None:
    """Calls that take effect twice, as when answers are lost and retried, count once."""
    world.consolidate(world.with_client(RepeatingClient(world.store.dynamodb)))
    assert result(world) == clean[0]
    assert leftovers(world) == 0


def check_deaths(original: World, clean: Clean, *, after_effect: bool, every: int) -> None:
    """Check that a worker which dies at a call leaves nothing that the next cannot put right."""
    expected, calls = clean
    for call in range(1 + after_effect, calls + 1, every):
        world = clone(original)
        dying = DyingClient(world.store.dynamodb, dies_at=call, after_effect=after_effect)
        with pytest.raises(DeadError):
            world.consolidate(world.with_client(dying))
        world.consolidate(world.with_client(world.store.dynamodb, clock_ahead=AHEAD))
        assert result(world) == expected, f"died at call {call}: {dying.calls[-1]}"
        assert leftovers(world) == 0, f"died at call {call}: {dying.calls[-1]}"


@pytest.mark.parametrize("after_effect", [False, True])
def test_death_at_some_calls(original: World, clean: Clean, *, after_effect: bool) -> None:
    """A worker dies before or after every third of its calls."""
    check_deaths(original, clean, after_effect=after_effect, every=3)


@pytest.mark.campaign
@pytest.mark.parametrize("after_effect", [False, True])
def test_death_at_every_call(original: World, clean: Clean, *, after_effect: bool) -> None:
    """The same for every call."""
    check_deaths(original, clean, after_effect=after_effect, every=1)


def test_death_upon_death(world: World, clean: Clean) -> None:
    """Ten workers die one after the other, each somewhere else; the eleventh ends it well."""
    expected, calls = clean
    draw = random.Random(1)  # noqa: S311 - reproducible, not secret
    for number in range(1, 11):
        dying = DyingClient(
            world.store.dynamodb,
            dies_at=draw.randint(3, calls),
            after_effect=draw.random() < 0.5,
        )
        with suppress(DeadError):
            world.consolidate(world.with_client(dying, clock_ahead=AHEAD * number))
    world.consolidate(world.with_client(world.store.dynamodb, clock_ahead=AHEAD * 11))
    assert result(world) == expected
    assert leftovers(world) == 0


def interleave(world: World, first_stop: int, second_stop: int) -> list[str]:
    """Hold two workers up at a call each, then let the first one end, then the second.

    To the second the first one's lease has ended. Returns how each ended.
    """
    ends = ["", ""]

    def work(number: int, store: Store) -> None:
        try:
            world.consolidate(store)
            ends[number] = "done"
        except (OvertakenError, ConsolidationBusyError) as refusal:
            ends[number] = type(refusal).__name__

    clients = [
        HeldClient(world.store.dynamodb, holds_at=(stop,)) for stop in (first_stop, second_stop)
    ]
    workers = [
        threading.Thread(
            target=work, args=(number, world.with_client(client, clock_ahead=AHEAD * number))
        )
        for number, client in enumerate(clients)
    ]
    held = []
    for worker, client in zip(workers, clients, strict=True):
        worker.start()
        held.append(client.wait_until_held(worker))
    for worker, client, stopped in zip(workers, clients, held, strict=True):
        if stopped:
            client.go_on()
        worker.join()
    return ends


def check_interleaving(original: World, expected: dict[str, Any], stops: tuple[int, int]) -> None:
    """Check that two workers held up there leave what one clean run leaves."""
    world = clone(original)
    ends = interleave(world, *stops)
    assert "" not in ends, f"a worker failed, held up at {stops}"
    world.consolidate(world.with_client(world.store.dynamodb, clock_ahead=AHEAD * 3))
    assert result(world) == expected, f"held up at {stops}, which ended {ends}"


def test_two_workers(original: World, clean: Clean) -> None:
    """Two overlapping workers, each held up at some call: as if there had been one."""
    expected, calls = clean
    draw = random.Random(2)  # noqa: S311 - reproducible, not secret
    for _ in range(SAMPLE):
        check_interleaving(original, expected, (draw.randint(1, calls), draw.randint(1, calls)))


@pytest.mark.campaign
def test_every_interleaving(original: World, clean: Clean) -> None:
    """The same for every pair of calls at which the two can be held up."""
    expected, calls = clean
    for first in range(1, calls + 1):
        for second in range(1, calls + 1):
            check_interleaving(original, expected, (first, second))


def test_control_without_conditions(original: World, clean: Clean) -> None:
    """The tests would notice: a head that moves without its condition counts twice."""
    anything = absent("no_such_attribute")
    with (
        mock.patch.object(heads, "_unmoved", return_value=anything),
        mock.patch("daybook.progress.leases.Lease.check", _no_check()),
    ):
        broken = []
        for stop in range(5, clean[1] + 1, 5):
            world = clone(original)
            interleave(world, stop, clean[1] + 100)
            broken.append(result(world) != clean[0])
    assert any(broken)


def _no_check() -> property:
    """Make a check of the lease that always holds."""
    from daybook.store import keys  # noqa: PLC0415
    from daybook.store.requests import Check  # noqa: PLC0415

    return property(
        lambda lease: Check(
            table=MEMORY,
            key=keys.lease(lease.agent_id),
            condition=absent("no_such_attribute"),
        )
    )


def test_late_outcomes_are_learned_once(world: World, clean: Clean) -> None:
    """Running every few days, while outcomes come up to twenty days late, ends the same.

    The evidence is the same; patterns have lived through more runs, so only what they say is
    compared.
    """
    learned = 0
    for day in range(42):
        moment = START + timedelta(days=day)
        report = consolidate(world.store, world.memory.agent_id, now=min(moment, NOW))
        learned += report.outcomes_learned
    found = result(world)
    expected = clean[0]
    assert found["hours"] == expected["hours"]
    assert found["stats"] == expected["stats"]
    assert found["bytes"] == expected["bytes"]
    said = ("pattern_id", "success_rate", "baseline_rate", "sample_size", "confidence")
    assert [[p[k] for k in said] for p in found["patterns"]] == [
        [p[k] for k in said] for p in expected["patterns"]
    ]


def test_nothing_new_takes_three_requests(world: World) -> None:
    """A run that finds nothing new makes at most three requests, whatever the hour."""
    world.consolidate()
    for later in (0, 1, 60, 3600, 86400, 40 * 86400):
        client = CountingClient(world.store.dynamodb)
        moment = NOW + timedelta(seconds=later)
        clock = partial(datetime.fromisoformat, moment.isoformat())
        store = replace(world.with_client(client), clock=clock)
        report = consolidate(store, world.memory.agent_id)
        assert report.outcomes_learned == 0
        assert len(client.calls) <= 3, (later, client.calls)
    empty = CountingClient(world.store.dynamodb)
    consolidate(world.with_client(empty), "nobody", now=NOW)
    assert len(empty.calls) <= 3


def test_storage_failure_loses_nothing(world: World, clean: Clean) -> None:
    """A run that AWS refuses midway gives its lease back, and the next one goes on at once."""
    expected, calls = clean

    class Refusing(CountingClient):
        def made(self, call: Any) -> Any:
            if len(self.calls) == calls // 2:
                raise StorageError("AWS said no")
            return call()

    with pytest.raises(StorageError, match="said no"):
        world.consolidate(world.with_client(Refusing(world.store.dynamodb)))
    world.consolidate()
    assert result(world) == expected

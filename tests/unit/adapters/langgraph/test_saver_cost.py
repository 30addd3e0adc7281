"""What the saver costs: requests, exactly, with and without a fence, small and large."""

import os
from typing import Any
from uuid import uuid4

import pytest

from daybook import CapacityMeter
from daybook.adapters.langgraph import DaybookSaver
from tests.unit.adapters.langgraph.drafts import chain, checkpoint, config, metadata, put


@pytest.fixture(params=[False, True], ids=["free", "fenced"])
def measured(
    request: pytest.FixtureRequest, saver: DaybookSaver, fenced: DaybookSaver
) -> DaybookSaver:
    """Give a saver without and with a fence."""
    return fenced if request.param else saver


def requests_of(meter: CapacityMeter) -> dict[str, int]:
    """Return what was counted since the last call."""
    counted = dict(meter.requests)
    meter.requests.clear()
    return counted


def test_put_is_one_request(measured: DaybookSaver, meter: CapacityMeter) -> None:
    """The first of a thread, of a run, and every other."""
    at = config("t")
    for step in range(4):
        at = put(measured, at, step=step, messages=["hello"] * step)
        assert sum(requests_of(meter).values()) == 1
    made = checkpoint(a=1)
    measured.put(at, made, metadata(run_id="new run"), {})
    assert sum(requests_of(meter).values()) == 1


def test_a_plain_put_is_a_plain_put(saver: DaybookSaver, meter: CapacityMeter) -> None:
    """Inside a run nothing is transacted, which would cost twice the write units."""
    at = put(saver, config("t"))
    requests_of(meter)
    meter.write_units = 0
    put(saver, at, a=1)
    assert requests_of(meter) == {"PutItem": 1}
    assert meter.write_units in (0, 1)  # moto does not say


def test_600_kb_is_one_request(measured: DaybookSaver, meter: CapacityMeter) -> None:
    """Also a state that no item can hold: in parts without a bucket, pointed to with one."""
    noise = os.urandom(600_000)
    at = put(measured, put(measured, config("t")), noise=noise)
    assert sum(requests_of(meter).values()) == 2
    found = measured.get_tuple(config("t"))
    assert found is not None
    assert found.config["configurable"]["checkpoint_id"] == at["configurable"]["checkpoint_id"]
    assert found.checkpoint["channel_values"] == {"noise": noise}
    assert sum(requests_of(meter).values()) == 2


def test_get_tuple_is_two_requests(measured: DaybookSaver, meter: CapacityMeter) -> None:
    """By id or the latest, with a hundred pending writes; of a thread that is not there, one."""
    places = chain(measured, "t", 3)
    for number in range(10):
        measured.put_writes(places[-1], [("a", number)] * 10, f"task {number}")
    requests_of(meter)
    for at in (config("t"), places[-1], places[0]):
        found = measured.get_tuple(at)
        assert found is not None
        assert sum(requests_of(meter).values()) <= 2
    assert measured.get_tuple(config(uuid4().hex)) is None
    assert requests_of(meter) == {"Query": 1}


def test_21_of_a_list_are_two_requests(measured: DaybookSaver, meter: CapacityMeter) -> None:
    """With what tasks have written; of a longer thread, of all namespaces, and filtered."""
    for at in chain(measured, "t", 25):
        measured.put_writes(at, [("a", 1), ("b", 2)], "task")
    requests_of(meter)
    anywhere: Any = {"configurable": {"thread_id": "t"}}
    for asked in (config("t"), anywhere):
        found = list(measured.list(asked, limit=21))
        assert [len(one.pending_writes or ()) for one in found] == [2] * 21
        assert requests_of(meter) == {"Query": 2}
    assert len(list(measured.list(config("t"), filter={"step": 3}))) == 1
    assert requests_of(meter) == {"Query": 2}


@pytest.mark.parametrize("count", [1, 25, 100])
def test_put_writes_is_one_request(
    measured: DaybookSaver, meter: CapacityMeter, count: int
) -> None:
    """However many writes; and when they are put again, or mixed with special ones."""
    at = put(measured, config("t"))
    requests_of(meter)
    writes: list[tuple[str, object]] = [(f"channel {n}", {"n": n}) for n in range(count)]
    for _ in range(2):
        measured.put_writes(at, writes, "task")
        assert sum(requests_of(meter).values()) == 1
    measured.put_writes(at, [("__error__", "e"), ("__interrupt__", "i")], "task")
    assert sum(requests_of(meter).values()) == 1
    measured.put_writes(at, [*writes, ("__error__", "e")], "other")
    assert sum(requests_of(meter).values()) == 1
    found = measured.get_tuple(at)
    assert found is not None
    assert len(found.pending_writes or ()) == 2 * count + 3

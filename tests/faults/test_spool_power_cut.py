"""A power cut loses nothing that a spool has acknowledged.

With `synchronous=NORMAL` it does, which shows that the test would notice.
"""

import random
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from daybook.spool import Entry
from daybook.spool.file import SpoolFile, adding, removing
from daybook.spool.quarantine import count_quarantined, open_or_save
from tests.faults.power import Disk


class Acknowledged(NamedTuple):
    """The test was told that these entries are kept."""

    numbers: tuple[int, ...]


class Delivered(NamedTuple):
    """These entries are about to be forgotten."""

    numbers: tuple[int, ...]


def entry(number: int, draw: random.Random) -> Entry:
    """Make an entry of up to two pages."""
    body = draw.randbytes(draw.choice((30, 800, 900, 6000)))
    return Entry(number=number, agent_id="scout", kind="decision", body=body, logged_at=number)


def work(disk: Disk, path: Path, synchronous: str, draw: random.Random) -> None:
    """Log groups of entries, and deliver some of them, past several checkpoints."""
    file = SpoolFile(path, disk.connect, synchronous)
    number, waiting = 0, []
    for _ in range(150):
        group = [entry(number + n, draw) for n in range(1, draw.randint(2, 8))]
        number += len(group)
        file.transact([adding(group)])
        disk.events.append(Acknowledged(tuple(each.number for each in group)))
        waiting += group
        if draw.random() < 0.5:
            done, waiting = waiting[: len(waiting) // 2], waiting[len(waiting) // 2 :]
            disk.events.append(Delivered(tuple(each.number for each in done)))
            file.transact([removing(done)])
    file.close()


def losses(tmp_path: Path, synchronous: str, cuts: int, seed: int) -> list[int]:
    """Return how many acknowledged entries each of so many power cuts loses."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    disk = Disk()
    running = tmp_path / "running"
    running.mkdir()
    work(disk, running / "spool.db", synchronous, draw)
    # from when the spool is made; what comes before is not acknowledged
    first = next(place for place, each in enumerate(disk.events) if isinstance(each, Acknowledged))
    lost = []
    for cut in range(cuts):
        at = draw.randint(first, len(disk.events))
        folder = tmp_path / f"cut-{cut}"
        folder.mkdir()
        disk.after_cut(at, folder, draw)
        expected: set[int] = set()
        for event in disk.events[:at]:
            match event:
                case Acknowledged():
                    expected.update(event.numbers)
                case Delivered():
                    expected.difference_update(event.numbers)
        path = folder / "spool.db"
        with closing(open_or_save(path, SpoolFile)) as file:
            found = {each.number for each in file.waiting()}
            _, damaged = file.read(sorted(found)[:500])
        assert not damaged
        lost.append(len(expected - found))
        if synchronous == "FULL":
            assert count_quarantined(path) == 0
        # the group that was being written is there as a whole, or not at all
        for event in disk.events[at:]:
            if isinstance(event, Acknowledged):
                assert found & set(event.numbers) in (set(), set(event.numbers))
    return lost


@pytest.mark.parametrize("seed", [1, 2])
def test_a_power_cut(tmp_path: Path, seed: int) -> None:
    """Everything acknowledged before it is there after it."""
    assert sum(losses(tmp_path, "FULL", 60, seed)) == 0


def test_the_control_loses(tmp_path: Path) -> None:
    """Without a sync at each commit the same cuts do lose."""
    assert sum(losses(tmp_path, "NORMAL", 60, 1)) > 0


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(3, 8))
def test_500_power_cuts(tmp_path: Path, seed: int) -> None:
    """A hundred for each of five histories; the control loses in most of them."""
    assert sum(losses(tmp_path, "FULL", 100, seed)) == 0

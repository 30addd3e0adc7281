"""A spool seen from outside: what waits, what was set aside and why, and back with it."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from daybook.errors import InvalidInputError, SpoolError
from daybook.spool.entries import Refusal
from daybook.spool.file import APPLICATION, SpoolFile, connect_read_only, refusals, taking_back
from daybook.spool.ownership import Ownership
from daybook.spool.quarantine import count_quarantined


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a spool's file holds.

    `depth` entries wait, the oldest since `oldest_at` (microseconds since 1970; None when none
    does). `set_aside` are those refused. `quarantined` damaged files lie beside it.
    """

    depth: int
    oldest_at: int | None
    set_aside: tuple[Refusal, ...]
    quarantined: int


def look(path: Path) -> Contents:
    """Return what a spool holds, also while its owner runs. Raises SpoolError if it is none."""
    if not path.is_file():
        raise SpoolError(f"there is no spool {path}")
    try:
        with closing(connect_read_only(path)) as connection:
            if not path.stat().st_size:
                raise SpoolError(f"{path} is empty: no handle has opened it yet")
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
                raise SpoolError(f"{path} is a database of another program, and no spool")
            waiting = connection.execute("SELECT count(*), min(logged_at) FROM entries")
            depth, oldest = waiting.fetchone()
            aside = tuple(refusals(connection))
    except sqlite3.Error as fault:
        raise SpoolError(
            f"the spool {path} cannot be read: {fault}. If it was one, opening it with a "
            "handle saves what can be"
        ) from fault
    return Contents(
        depth=depth, oldest_at=oldest, set_aside=aside, quarantined=count_quarantined(path)
    )


def take_back(path: Path, numbers: Collection[int] | None = None) -> int:
    """Put entries that were set aside back, to be tried again; return how many.

    None takes all but those that are damaged. Raises SpoolInUseError while the owner runs, and
    InvalidInputError for a number under which nothing is set aside, or nothing whole.
    """
    aside = {each.entry.number: each for each in look(path).set_aside}
    whole = {number for number, each in aside.items() if not each.is_damaged}
    wanted = sorted(whole if numbers is None else set(numbers))
    if unknown := [number for number in wanted if number not in aside]:
        raise InvalidInputError(f"nothing is set aside under {unknown[0]} in {path}")
    if damaged := [number for number in wanted if number not in whole]:
        raise InvalidInputError(
            f"{damaged[0]} is damaged, and says something else than was logged: export it, and "
            "log what it should say"
        )
    ownership = Ownership(path)
    try:
        with closing(SpoolFile(path)) as file:
            file.transact(taking_back([aside[number] for number in wanted]))
    finally:
        ownership.release()
    return len(wanted)

"""One day of one agent in the archive: written, and later rewritten without losing a row."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date
from heapq import merge
from itertools import groupby

from daybook.archive import rows
from daybook.archive.columns import KEY
from daybook.archive.parquet import Spool, read_archived, read_rows
from daybook.archive.rows import Row
from daybook.errors import AccessDeniedError, BodyMissingError, OvertakenError
from daybook.models import DecisionRecord
from daybook.store import Store, keys, objects

TRIES = 5


@dataclass(frozen=True)
class Written:
    """What became of a day: how many live decisions it had, and whether bodies are damaged.

    `changed` says whether the file had to be written.
    """

    decisions: int
    is_damaged: bool
    changed: bool


def write_day(
    store: Store, agent_id: str, day: date, live: Iterable[Row], *, is_new: bool
) -> Written:
    """Bring the file of a day up to what the log holds, keeping what the log has forgotten.

    `live` are the rows of the log in the order of their ids. Each write names the version of
    the file that it was made from, so of two workers at once the second finds out, and merges
    again: neither can leave out what the other has added. `is_new` spares the request that
    looks for a file. Raises BodyCorruptError when the file that stands is no archive,
    OvertakenError when others keep writing it.
    """
    bucket, name = str(store.bucket), keys.archive_day(agent_id, day)
    joined = _Joined((), live)
    with ExitStack() as spools:
        spool = whole = spools.enter_context(Spool(joined))
        for attempt in range(TRIES):
            version = None
            # what S3 says of a missing file, also to a role that may not list the bucket
            absent = () if attempt else (BodyMissingError, AccessDeniedError)
            with suppress(*absent):
                if attempt or not is_new:
                    file, version = objects.get_archive(store.s3(), bucket, name)
                    with file:
                        joined = _Joined(read_rows(file, name), spool)
                        whole = spools.enter_context(Spool(joined))
            if joined.changed:
                with whole.to_parquet() as file:
                    put = objects.put_archive(store.s3(), bucket, name, file, version)
            if not joined.changed or put:
                return Written(len(spool), joined.is_damaged, joined.changed)
    raise OvertakenError(f"others kept writing {name} while this worker tried to, {TRIES} times")


def read_day(store: Store, agent_id: str, day: date) -> Iterator[DecisionRecord]:
    """Iterate an agent's archived decisions of a day (UTC), oldest first. One request.

    Raises BodyMissingError when the archive has no such day: nothing was decided then, or it
    has not been archived yet (to a role that may not list the bucket: AccessDeniedError).
    """
    name = keys.archive_day(agent_id, day)
    file, _ = objects.get_archive(store.s3(), store.bucket, name)
    with file:
        yield from read_archived(file)


class _Joined:
    """The rows of a file and of the log, as one, with a count of what that did."""

    def __init__(self, archived: Iterable[Row], live: Iterable[Row]) -> None:
        self._archived = archived
        self._live = live
        self.changed = False
        self.is_damaged = False

    def __iter__(self) -> Iterator[Row]:
        """Iterate the rows by id; both sides are in that order already."""
        both = merge(_from(self._archived, False), _from(self._live, True), key=_decision_id)
        for _, same in groupby(both, key=_decision_id):
            (row, is_live), *also = same
            if also:
                archived, (live, is_live) = row, also[0]
                row = rows.merged(archived, live)
                self.changed |= row != archived
            else:
                self.changed |= is_live
            self.is_damaged |= is_live and rows.is_damaged(row)
            yield row


def _from(found: Iterable[Row], is_live: bool) -> Iterator[tuple[Row, bool]]:
    return ((row, is_live) for row in found)


def _decision_id(pair: tuple[Row, bool]) -> str:
    return str(pair[0][KEY])

"""Rows in and out of Parquet files, in memory that a day's size does not move."""

import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import IO, Any, Self

from daybook.archive import arrow, rows
from daybook.archive.columns import COLUMNS, KEY, Kind
from daybook.archive.rows import Row
from daybook.errors import BodyCorruptError
from daybook.models import DecisionRecord

BATCH_ROWS = 2000
BATCH_BYTES = 8 * 1024 * 1024
"""Rows become Arrow arrays this many at a time, or fewer if they are large."""

LARGEST_GROUP = 16_384
GROUP_BYTES = 16 * 1024 * 1024
"""A row group holds this many rows, or fewer if they are large: a writer holds one in memory."""

_ROWS_A_GROUP = b"daybook.rows_a_group"
_NUMBERS_BYTES = 256  # of a row, beside its text


class Spool:
    """Rows on disk: written once, read as often as needed.

    Only when all have been seen is it known how many a row group may hold. `sizes` are the
    rows' bytes, about. The columns are the archive's unless others are given.
    """

    def __init__(
        self,
        found: Iterable[Row],
        columns: Mapping[str, Kind] = COLUMNS,
        unlike: Iterable[str] = (KEY, "context"),
    ) -> None:
        core, io = arrow.arro3()
        self.sizes = array("Q")
        self._columns = columns
        self._unlike = tuple(unlike)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - __exit__ closes it
        with arrow.own_faults_kept(self._batches(found)) as batches:
            reader = core.RecordBatchReader.from_batches(arrow.schema(columns), batches)
            io.write_ipc_stream(reader, self._file, compression="zstd")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self.sizes)

    def __iter__(self) -> Iterator[Row]:
        _, io = arrow.arro3()
        self._file.seek(0)
        for batch in io.read_ipc_stream(self._file):
            yield from arrow.to_rows(batch, self._columns)

    def to_parquet(self) -> IO[bytes]:
        """Return the rows as a compressed Parquet file, from its start."""
        _, io = arrow.arro3()
        self._file.seek(0)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's
        group = rows_a_group(self.sizes)
        io.write_parquet(
            io.read_ipc_stream(self._file),
            file,
            compression="zstd(3)",
            # every one differs: a dictionary would only hold them all in memory
            column_dictionary_enabled=dict.fromkeys(self._unlike, False),
            max_row_group_size=group,
            key_value_metadata={_ROWS_A_GROUP.decode(): str(group)},
        )
        file.seek(0)
        return file

    def _batches(self, found: Iterable[Row]) -> Iterator[Any]:
        together: list[Row] = []
        held = 0
        for row in found:
            size = _size(row)
            if together and (len(together) == BATCH_ROWS or held + size > BATCH_BYTES):
                yield arrow.to_batch(together, self._columns)
                together, held = [], 0
            together.append(row)
            held += size
            self.sizes.append(size)
        if together:
            yield arrow.to_batch(together, self._columns)


def read_rows(file: IO[bytes], name: str, columns: Mapping[str, Kind] = COLUMNS) -> Iterator[Row]:
    """Iterate the rows of a Parquet file that a spool wrote. Raises BodyCorruptError.

    `name` is what to call the file in an error. A file with columns that this Daybook does
    not know is refused: rewriting it would lose them.
    """
    _, io = arrow.arro3()
    with arrow.told_as_corrupt(name):
        schema = io.read_parquet(file).schema
        group = int(schema.metadata.get(_ROWS_A_GROUP, b"64"))
    if schema.names != list(columns):
        raise BodyCorruptError(
            f"{name} has other columns than this Daybook writes: upgrade daybook-aws, or move "
            "it out of this folder"
        )
    file.seek(0)
    with arrow.told_as_corrupt(name):
        for batch in io.read_parquet(file, batch_size=min(group, BATCH_ROWS)):
            yield from arrow.to_rows(batch, columns)


def read_archived(file: bytes | IO[bytes]) -> Iterator[DecisionRecord]:
    """Iterate the decisions of a file of the archive, each equal to what was logged.

    A row whose body was lost before it could be archived is left out: it makes no record.
    Raises BodyCorruptError, or MissingExtraError without the extra `learning`.
    """
    opened = BytesIO(file) if isinstance(file, bytes) else file
    for row in read_rows(opened, "this file"):
        if rows.is_whole(row):
            yield rows.read(row)


def rows_a_group(sizes: "array[int]") -> int:
    """Return how many rows a row group may have, so that none is much over 16 MB.

    A group with the largest row of all may be larger by that row.
    """
    count = LARGEST_GROUP
    most = GROUP_BYTES + max(sizes, default=0)
    while count > 1 and any(
        sum(sizes[start : start + count]) > most for start in range(0, len(sizes), count)
    ):
        count //= 2
    return count


def _size(row: Row) -> int:
    """Return about how many bytes a row holds; text counts by its characters."""
    texts = sum(len(value) for value in row.values() if isinstance(value, str))
    listed = sum(len(text) for value in row.values() if isinstance(value, list) for text in value)
    return _NUMBERS_BYTES + texts + listed

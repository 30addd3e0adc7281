"""Rows as Arrow's record batches, and back.

arro3 binds the Rust implementation of Arrow and Parquet; with it a Lambda layer stays small,
where pyarrow alone would fill it. It comes with the extra `learning`, and is imported only
once there is something to archive.
"""

from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from daybook.archive.columns import COLUMNS, Kind
from daybook.archive.rows import Row
from daybook.errors import BodyCorruptError, MissingExtraError


def arro3() -> tuple[Any, Any]:
    """Return arro3's `core` and `io`. Raises MissingExtraError."""
    try:
        from arro3 import core, io  # noqa: PLC0415
    except ImportError as fault:
        raise MissingExtraError(
            "Parquet files are read and written by arro3, which is not installed: "
            "pip install 'daybook-aws[learning]'"
        ) from fault
    return core, io


def schema(columns: Mapping[str, Kind] = COLUMNS) -> Any:
    """Return the schema of files with these columns, unless told otherwise the archive's."""
    core, _ = arro3()
    return core.Schema(
        [
            core.Field(name, _type(core, kind), nullable=kind is not Kind.TEXTS)
            for name, kind in columns.items()
        ]
    )


def to_batch(rows: list[Row], columns: Mapping[str, Kind] = COLUMNS) -> Any:
    """Return rows as one batch."""
    core, _ = arro3()
    arrays = [_array(core, kind, [row[name] for row in rows]) for name, kind in columns.items()]
    return core.RecordBatch.from_arrays(arrays, schema=schema(columns))


def to_rows(batch: Any, columns: Mapping[str, Kind] = COLUMNS) -> Iterator[Row]:
    """Iterate the rows of a batch."""
    core, _ = arro3()
    lists = []
    for name, kind in columns.items():
        column = batch.column(name)
        # as numbers: exact, and no database of time zones is needed
        plain = column.cast(core.DataType.int64()) if kind is Kind.MOMENT else column
        lists.append(plain.to_pylist())
    for values in zip(*lists, strict=True):
        yield dict(zip(columns, values, strict=True))


@contextmanager
def own_faults_kept(batches: Iterator[Any]) -> Iterator[Iterator[Any]]:
    """Give these batches to arro3 and raise what they raise: arro3 tells only its text."""
    faults: list[BaseException] = []

    def guarded() -> Iterator[Any]:
        try:
            yield from batches
        except BaseException as fault:
            faults.append(fault)
            raise

    try:
        yield guarded()
    except Exception as told:  # noqa: BLE001 - arro3 raises nothing narrower
        raise (faults or [told])[0] from None


@contextmanager
def told_as_corrupt(name: str) -> Iterator[None]:
    """Tell a file that is no Parquet, on which arro3 panics rather than raise an exception."""
    try:
        yield
    except BaseException as fault:
        if isinstance(fault, Exception) or type(fault).__name__ == "PanicException":
            raise BodyCorruptError(
                f"{name} is no Parquet file, or half of one: {fault}"
            ) from fault
        raise


def _array(core: Any, kind: Kind, values: list[Any]) -> Any:
    match kind:
        case Kind.TEXTS:
            ends = array("i", [0])
            for texts in values:
                ends.append(ends[-1] + len(texts))
            flat = core.Array([text for texts in values for text in texts], core.DataType.utf8())
            offsets = core.Array(list(ends), core.DataType.int32())
            return core.list_array(offsets, flat, type=_type(core, kind))
        case Kind.MOMENT:
            return core.Array(values, core.DataType.int64()).cast(_type(core, kind))
        case _:
            return core.Array(values, _type(core, kind))


def _type(core: Any, kind: Kind) -> Any:
    kinds = core.DataType
    match kind:
        case Kind.TEXT:
            return kinds.utf8()
        case Kind.TEXTS:
            # "element", not Arrow's "item": what Hive, Athena and the Parquet standard call it
            return kinds.list(core.Field("element", kinds.utf8(), nullable=False))
        case Kind.NUMBER:
            return kinds.float64()
        case Kind.WHOLE:
            return kinds.int64()
        case Kind.MOMENT:
            return kinds.timestamp("us", tz="UTC")
        case Kind.FLAG:
            return kinds.bool()

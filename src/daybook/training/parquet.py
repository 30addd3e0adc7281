"""Trajectories as Parquet: a row a step, for DuckDB, Polars, Spark and data loaders."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from daybook.archive.parquet import Spool, read_rows
from daybook.errors import BodyCorruptError, UnreadableFileError
from daybook.models.trajectories import Trajectory
from daybook.training import step_rows
from daybook.training.files import FileName, replacing
from daybook.training.sources import Source, trajectories_of
from daybook.training.step_rows import COLUMNS, UNLIKE


def export_parquet(source: Source, path: FileName) -> int:
    """Write trajectories to a Parquet file, a row a step, and return how many.

    Compressed with zstd, in row groups of about 16 MB at most, so that neither writing nor
    reading holds more. Rows are kept in a temporary file until it is known how large they are.
    The file takes its place when it is whole. Raises MissingExtraError without the extra
    `learning`, OSError, and whatever the source raises.
    """
    count = 0

    def counted() -> Iterator[Trajectory]:
        nonlocal count
        for trajectory in trajectories_of(source):
            count += 1
            yield trajectory

    with (
        replacing(path) as file,
        Spool(step_rows.rows_of(counted()), COLUMNS, UNLIKE) as rows,
        rows.to_parquet() as written,
    ):
        shutil.copyfileobj(written, file)
    return count


def read_parquet(path: FileName) -> Iterator[Trajectory]:
    """Iterate the trajectories of a file, each equal to the one that was written.

    One is in memory at a time, beside a row group. Raises UnreadableFileError for what
    `export_parquet` has not written, or what has been cut or shuffled since; MissingExtraError
    without the extra `learning`; OSError.
    """
    with Path(path).open("rb") as file:
        try:
            yield from step_rows.read(read_rows(file, str(path), COLUMNS))
        except BodyCorruptError as fault:
            raise UnreadableFileError(str(fault)) from None
        except (ValidationError, ValueError, TypeError, OverflowError) as fault:
            raise UnreadableFileError(
                f"{path} holds other values in its columns than export_parquet writes: {fault}"
            ) from None

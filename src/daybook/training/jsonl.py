"""Trajectories as lines of JSON: any tool reads them, and files can be put together and cut."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from daybook.errors import UnreadableFileError
from daybook.models.base import as_invalid_input
from daybook.models.trajectories import Trajectory
from daybook.training.files import FileName, replacing
from daybook.training.sources import Source, trajectories_of

LONGEST_LINE = 1 << 28
"""Bytes. What has none this long is no file of lines, and is not read into memory."""


def export_jsonl(source: Source, path: FileName) -> int:
    """Write trajectories to a file, one a line in UTF-8, and return how many.

    One is in memory at a time. The file takes its place when it is whole; until then what was
    there stays. Raises OSError, and whatever the source raises.
    """
    count = 0
    with replacing(path) as file:
        for trajectory in trajectories_of(source):
            file.write(trajectory.model_dump_json().encode() + b"\n")
            count += 1
    return count


def read_jsonl(path: FileName) -> Iterator[Trajectory]:
    """Iterate the trajectories of a file, each equal to the one that was written.

    Empty lines are passed over. Raises UnreadableFileError that names the line for what is no
    trajectory, and for a last line that was cut off; OSError.
    """
    with Path(path).open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if not line.endswith(b"\n"):
                raise UnreadableFileError(
                    f"{path}, line {number}: it has no end: the file was cut off, or holds no "
                    "lines of JSON"
                )
            if not line.isspace():
                yield _read(line, f"{path}, line {number}")


def _read(line: bytes, where: str) -> Trajectory:
    try:
        return Trajectory.model_validate_json(line, strict=False)  # moments are text in JSON
    except ValidationError as fault:
        told = as_invalid_input(fault, fault.title)
        raise UnreadableFileError(f"{where}: {str(told)[:500]}") from None

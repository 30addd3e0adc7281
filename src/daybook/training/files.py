"""Files that are whole or not there: written beside their place, then put into it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

FileName = str | os.PathLike[str]


@contextmanager
def replacing(path: FileName) -> Iterator[IO[bytes]]:
    """Give a file to write, which takes the place of `path` when all is written.

    Until then, and if writing fails, what was there stays. Its folder must exist. Raises OSError.
    """
    target = Path(path)
    beside = target.with_name(f".{target.name[:100]}.{uuid4().hex}.new")
    try:
        with beside.open("xb") as file:
            yield file
            file.flush()
            # else a power cut may leave the new name with nothing in it
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise

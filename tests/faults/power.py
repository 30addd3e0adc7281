"""A disk that loses its power: only what was synced is sure to be there afterwards.

Killing a process does not show this: what it wrote is still in the system's memory. Here every
write and every sync of a SQLite file is noted, and the disk as it may be after a cut is made from
the notes: all that was synced, and of the rest whatever sectors happened to be written.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import apsw

SECTOR = 512


class Write(NamedTuple):
    """Bytes that were written into a file."""

    file: str
    offset: int
    content: bytes


class Truncate(NamedTuple):
    """A file that was cut off."""

    file: str
    size: int


class Sync(NamedTuple):
    """A file that was brought to the disk."""

    file: str


class Delete(NamedTuple):
    """A file that was removed."""

    file: str


@dataclass
class Disk:
    """Notes what SQLite does to files. `events` also takes the marks of the test."""

    events: list[Any] = field(default_factory=list)
    vfs: "Noting" = field(init=False)

    def __post_init__(self) -> None:
        self.vfs = Noting(self)

    def connect(self, path: Path) -> apsw.Connection:
        """Open a file on this disk."""
        return apsw.Connection(str(path), vfs=self.vfs.name)

    def after_cut(self, at: int, folder: Path, draw: random.Random) -> None:
        """Write the files as they may be found when the power fails after so many events."""
        files: dict[str, _File] = defaultdict(_File)
        for event in self.events[:at]:
            match event:
                case Write() | Truncate():
                    files[event.file].since.append(event)
                case Sync():
                    files[event.file].sync()
                case Delete():
                    files.pop(event.file, None)
        for name, file in files.items():
            (folder / name).write_bytes(file.after_cut(draw))


@dataclass
class _File:
    """What is sure to be on the disk, and what was written since."""

    synced: bytearray = field(default_factory=bytearray)
    since: list[Write | Truncate] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.since:
            _apply(self.synced, change)
        self.since.clear()

    def after_cut(self, draw: random.Random) -> bytes:
        content = bytearray(self.synced)
        for change in self.since:
            for part in _sectors(change):
                if draw.random() < 0.5:
                    _apply(content, part)
        return bytes(content)


def _apply(content: bytearray, change: Write | Truncate) -> None:
    if isinstance(change, Truncate):
        del content[change.size :]
        return
    end = change.offset + len(change.content)
    content.extend(bytes(max(0, end - len(content))))
    content[change.offset : end] = change.content


def _sectors(change: Write | Truncate) -> list[Write | Truncate]:
    if isinstance(change, Truncate):
        return [change]
    starts = range(0, len(change.content), SECTOR)
    return [
        Write(change.file, change.offset + start, change.content[start : start + SECTOR])
        for start in starts
    ]


class Noting(apsw.VFS):
    """SQLite's way to the files, with notes."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.name = f"daybook-{id(disk)}"
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> "NotedFile":  # noqa: N802 - SQLite's name
        """Open a file."""
        return NotedFile(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """Remove a file."""
        self.disk.events.append(Delete(Path(filename).name))
        super().xDelete(filename, syncdir)


class NotedFile(apsw.VFSFile):
    """A file, with notes."""

    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self.disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.name = Path(path or "temporary").name
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        """Write."""
        super().xWrite(data, offset)
        self.disk.events.append(Write(self.name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        """Cut off."""
        super().xTruncate(newsize)
        self.disk.events.append(Truncate(self.name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        """Bring to the disk."""
        super().xSync(flags)
        self.disk.events.append(Sync(self.name))

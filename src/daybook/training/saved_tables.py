"""What a learner is, in a file: JSON to be read by people, or npz for large tables.

Both hold a header, a JSON object that names the format and its version, and the rows. Neither is
ever read as pickle, and what a file claims about sizes is not believed: npz is read only where
its parts are stored as they are, so that none can be larger than the file.
"""

import hashlib
import io
import json
import math
import zipfile
from pathlib import Path
from typing import IO, Annotated, Any

import numpy as np
from pydantic import Field

from daybook.errors import DaybookError, InvalidInputError, UnreadableFileError
from daybook.models.base import ListOf, Record
from daybook.models.identity import AgentId
from daybook.models.json_values import Json, JsonDict
from daybook.training.files import FileName, replacing
from daybook.training.values import key_of, value_of

FORMAT = "daybook.q-table"
VERSION = 1
_PARTS = ("header", "states", "ends", "values")
_KINDS = {"header": "|u1", "states": "|u1", "ends": "<i8", "values": "<f8"}


class SavedTable(Record, title="the saved learner"):
    """A learner's settings, its random numbers' state and its rows, by the text of the state."""

    actions: Annotated[ListOf[Json], Field(min_length=1)]
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    discount: Annotated[float, Field(ge=0, le=1)]
    epsilon: Annotated[float, Field(ge=0, le=1)]
    initial_value: float
    steps_learned: Annotated[int, Field(ge=0)]
    agent_id: AgentId
    task: str
    random: JsonDict
    rows: dict[str, list[float]] = Field(default_factory=dict)

    def generator(self) -> np.random.Generator:
        """Return a generator that goes on where the saved one was. Raises UnreadableFileError."""
        made: Any = np.random.PCG64()
        try:
            made.state = self.random
        except (ValueError, TypeError, KeyError, OverflowError) as fault:
            raise UnreadableFileError(
                f"the state of the random numbers is no PCG64's: {fault}"
            ) from None
        return np.random.Generator(made)


def write(path: FileName, table: SavedTable) -> None:
    """Write a table, in the format of the path's suffix. Raises InvalidInputError, OSError."""
    writer = {".json": _write_json, ".npz": _write_npz}[_suffix(path)]
    with replacing(path) as file:
        writer(file, table)


def read(path: FileName) -> SavedTable:
    """Return the table of a file. Raises UnreadableFileError, InvalidInputError, OSError."""
    reader = {".json": _read_json, ".npz": _read_npz}[_suffix(path)]
    with Path(path).open("rb") as file:
        try:
            return reader(file)
        except (DaybookError, ValueError, LookupError, EOFError, RecursionError) as fault:
            raise _unreadable(path, fault) from None
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, MemoryError) as fault:
            raise _unreadable(path, fault) from None


def _unreadable(path: FileName, fault: Exception) -> UnreadableFileError:
    return UnreadableFileError(
        f"{path} holds no learner that this Daybook can read: {fault or type(fault).__name__}; "
        "load a file that QLearner.save wrote, whole"
    )


def _suffix(path: FileName) -> str:
    suffix = Path(path).suffix
    if suffix not in {".json", ".npz"}:
        raise InvalidInputError(f"{str(path)!r:.200} is neither .json nor .npz: name it one")
    return suffix


def _write_json(file: IO[bytes], table: SavedTable) -> None:
    content = {
        "header": _header(table),
        "states": [value_of(key) for key in table.rows],
        "values": list(table.rows.values()),
    }
    # the digest is of the text without it, and all on one line
    text = _json(content)
    signed = _json({"sha256": hashlib.sha256(text.encode()).hexdigest()} | content)
    file.write(signed.encode())


def _read_json(file: IO[bytes]) -> SavedTable:
    content = json.loads(file.read())
    if not isinstance(content, dict) or "header" not in content:
        raise InvalidInputError("it is JSON, but not a learner's")
    header = _checked_header(content["header"])
    digest = content.pop("sha256", None)
    if digest != hashlib.sha256(_json(content).encode()).hexdigest():
        raise InvalidInputError("its checksum is another: it was damaged, or edited")
    keys = [key_of(state) for state in content["states"]]
    return _table(header, keys, content["values"])


def _write_npz(file: IO[bytes], table: SavedTable) -> None:
    texts = [key.encode() for key in table.rows]
    width = len(table.actions)
    parts = {
        "header": np.frombuffer(_json(_header(table)).encode(), np.uint8),
        "states": np.frombuffer(b"".join(texts), np.uint8),
        "ends": np.cumsum([len(text) for text in texts], dtype="<i8"),
        "values": np.array(list(table.rows.values()), "<f8").reshape(-1, width),
    }
    np.savez(file, allow_pickle=False, **parts)


def _read_npz(file: IO[bytes]) -> SavedTable:
    parts = _arrays(file)
    header = _checked_header(json.loads(parts["header"].tobytes()))
    texts, start, keys = parts["states"].tobytes(), 0, []
    for end in parts["ends"].tolist():
        if not start < end <= len(texts):
            raise InvalidInputError("its states do not fit their lengths")
        keys.append(texts[start:end].decode())
        value_of(keys[-1])  # which must be JSON
        start = end
    if start != len(texts):
        raise InvalidInputError("its states do not fit their lengths")
    return _table(header, keys, parts["values"].tolist())


def _arrays(file: IO[bytes]) -> dict[str, Any]:
    """Return the arrays of an npz, of which nothing larger than the file is made."""
    with zipfile.ZipFile(file) as archive:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise InvalidInputError("its parts are compressed, as save never does")
        bodies = {name: archive.read(f"{name}.npy") for name in _PARTS}
    arrays = {}
    for name, body in bodies.items():
        opened = io.BytesIO(body)
        version = np.lib.format.read_magic(opened)
        if version != (1, 0):
            raise InvalidInputError(f"its {name} are an array of version {version}")
        shape, _, dtype = np.lib.format.read_array_header_1_0(opened)
        size = math.prod(shape) * dtype.itemsize
        if dtype.str != _KINDS[name] or size != len(body) - opened.tell():
            raise InvalidInputError(f"its {name} are {dtype} of the shape {shape}, or cut off")
        arrays[name] = np.load(io.BytesIO(body), allow_pickle=False)
    return arrays


def _header(table: SavedTable) -> dict[str, Any]:
    settings = table.model_dump(mode="json", exclude={"rows"})
    return {"format": FORMAT, "version": VERSION} | settings


def _checked_header(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InvalidInputError(f"its format is not {FORMAT!r}")
    if found.get("version") != VERSION:
        raise InvalidInputError(
            f"its version is {found.get('version')!r:.20} and this Daybook reads {VERSION}: "
            "upgrade daybook-aws"
        )
    return {name: value for name, value in found.items() if name not in {"format", "version"}}


def _table(header: dict[str, Any], keys: list[str], values: Any) -> SavedTable:
    if not isinstance(values, list) or len(values) != len(keys):
        raise InvalidInputError(f"it has {len(keys)} states and not as many rows")
    table = SavedTable.checked(**header | {"rows": dict(zip(keys, values, strict=True))})
    if len(table.rows) < len(keys):
        raise InvalidInputError("it has one state twice")
    width = len(table.actions)
    if any(len(row) != width for row in table.rows.values()):
        raise InvalidInputError(f"it has {width} actions and rows of other lengths")
    table.generator()
    return table


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

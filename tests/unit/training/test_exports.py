"""Files of trajectories: equal when they are read, whole or not there, in bounded memory."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch
from weakref import ref

import duckdb
import pytest
from arro3 import core
from arro3 import io as arro3_io
from hypothesis import given, settings
from hypothesis import strategies as some

from daybook import InvalidInputError, MissingExtraError, ReplayBuffer, UnreadableFileError
from daybook.archive import parquet as archive_parquet
from daybook.models.trajectories import Trajectory
from daybook.training import (
    export_jsonl,
    export_parquet,
    jsonl,
    read_jsonl,
    read_parquet,
    step_rows,
)
from tests.unit.training.trajectories import trajectories, walk

FORMATS: dict[str, tuple[Callable[..., int], Callable[..., Iterator[Trajectory]]]] = {
    "jsonl": (export_jsonl, read_jsonl),
    "parquet": (export_parquet, read_parquet),
}


@pytest.fixture(params=list(FORMATS))
def kind(request: pytest.FixtureRequest) -> str:
    """Name the format."""
    return str(request.param)


@pytest.mark.parametrize("kind", list(FORMATS))
@settings(max_examples=60, deadline=None)
@given(some.lists(trajectories(), max_size=4))
def test_what_is_read_equals_what_was_written(kind: str, given_ones: list[Trajectory]) -> None:
    """Whatever a trajectory can hold, and as the same JSON to the last bit."""
    export, read = FORMATS[kind]
    with TemporaryDirectory() as folder:
        assert export(given_ones, f"{folder}/x") == len(given_ones)
        found = list(read(f"{folder}/x"))
    assert found == given_ones
    assert [json.dumps(t.model_dump(mode="json"), sort_keys=True) for t in found] == [
        json.dumps(t.model_dump(mode="json"), sort_keys=True) for t in given_ones
    ]


def test_a_buffer_is_exported(kind: str, tmp_path: Path) -> None:
    """All that a buffer holds, from it or from an iterator, or one trajectory."""
    export, read = FORMATS[kind]
    buffer = ReplayBuffer()
    for number in range(30):
        buffer.store_trajectory(walk(number))
    assert export(buffer, tmp_path / "x") == 30
    assert {t.trajectory_id for t in read(tmp_path / "x")} == {f"w{n}" for n in range(30)}
    assert export(walk(5), tmp_path / "x") == 1
    assert list(read(tmp_path / "x")) == [walk(5)]
    assert export(iter(()), tmp_path / "x") == 0
    assert list(read(tmp_path / "x")) == []


def test_a_source_that_fails_leaves_what_was_there(kind: str, tmp_path: Path) -> None:
    """Half an export is none: its fault comes as it is, and nothing is left beside the file."""
    export, read = FORMATS[kind]
    path = tmp_path / "x"
    export([walk(1)], path)

    def failing() -> Iterator[Trajectory]:
        yield walk(2)
        raise KeyError("the source")

    with pytest.raises(KeyError, match="the source"):
        export(failing(), path)
    with pytest.raises(InvalidInputError, match="is no Trajectory"):
        export([walk(2), {"reward": 1}], path)
    with pytest.raises(InvalidInputError, match="holds no trajectories"):
        export(7, path)
    assert list(read(path)) == [walk(1)]
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(FileNotFoundError):
        export([walk(1)], tmp_path / "nowhere" / "x")
    with pytest.raises(FileNotFoundError):
        list(read(tmp_path / "y"))


def test_cut_and_other_files_are_refused(kind: str, tmp_path: Path) -> None:
    """A file that lost its end, or is something else, is told as that."""
    export, read = FORMATS[kind]
    path = tmp_path / "x"
    export([walk(number) for number in range(5)], path)
    whole = path.read_bytes()
    for junk in (whole[:-1], whole[:-40], whole[: len(whole) // 2], b"x" * 100, b"{}\n", b"1"):
        path.write_bytes(junk)
        with pytest.raises(UnreadableFileError, match=str(path)):
            list(read(path))


def test_a_line_that_is_no_trajectory(tmp_path: Path) -> None:
    """The error names its line; empty lines are passed over; what is before it is read."""
    path = tmp_path / "x"
    line = walk(1).model_dump_json()
    path.write_text(f"{line}\n\n{line.replace('success', 'great')}\n")
    found = read_jsonl(path)
    assert next(found) == walk(1)
    with pytest.raises(UnreadableFileError, match=r"line 3: .*final_outcome.*partial"):
        next(found)
    path.write_text(f"{line}\n")
    with (
        patch.object(jsonl, "LONGEST_LINE", 100),
        pytest.raises(UnreadableFileError, match="line 1: it has no end"),
    ):
        list(read_jsonl(path))


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Write a Parquet file of two walks with changes to its rows."""
    rows = list(step_rows.rows_of([walk(0), walk(1)]))
    change(rows)
    with patch.object(step_rows, "rows_of", lambda _: iter(rows)):
        export_parquet([walk(0)], path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.pop(1), "is not whole: of 3 steps there are 2 rows"),
        (lambda rows: rows.pop(5), "not whole"),
        (lambda rows: rows.reverse(), "not whole"),
        (lambda rows: rows.insert(0, rows.pop(1)), "not whole"),
        (lambda rows: rows[0].update(final_outcome="great"), "final_outcome"),
        (lambda rows: rows[2].update(tool_args="{"), "other values"),
        (lambda rows: rows[2].update(tool_args=None), "other values"),
        (lambda rows: rows[0].update(created_at=1 << 62), "other values"),
    ],
    ids=["row", "last row", "reversed", "swapped", "outcome", "json", "null", "moment"],
)
def test_rows_that_make_no_trajectory(
    tmp_path: Path, change: Callable[[list[dict[str, Any]]], object], words: str
) -> None:
    """Rows that were lost, moved or changed are refused; the control, unchanged, is read."""
    rewrite(tmp_path / "x", lambda _: None)
    assert list(read_parquet(tmp_path / "x")) == [walk(0), walk(1)]
    rewrite(tmp_path / "x", change)
    with pytest.raises(UnreadableFileError, match=words):
        list(read_parquet(tmp_path / "x"))


def test_a_parquet_file_with_other_columns(tmp_path: Path) -> None:
    """A later Daybook's column is not dropped in silence."""
    names = [*step_rows.COLUMNS, "new"]
    schema = core.Schema([core.Field(name, core.DataType.utf8()) for name in names])
    empty = core.RecordBatchReader.from_batches(schema, [])
    with (tmp_path / "x").open("wb") as file:
        arro3_io.write_parquet(empty, file)
    with pytest.raises(UnreadableFileError, match="other columns"):
        list(read_parquet(tmp_path / "x"))


def test_trajectories_go_over_batches_and_groups(tmp_path: Path) -> None:
    """Row groups end where they end; who reads sees none of it."""
    given_ones = [walk(number, length=1 + number % 9) for number in range(60)]
    with (
        patch.multiple(archive_parquet, BATCH_ROWS=7, BATCH_BYTES=4000),
        patch.multiple(archive_parquet, GROUP_BYTES=9000),
    ):
        export_parquet(given_ones, tmp_path / "x")
        groups = duckdb.table_function("parquet_metadata", [f"{tmp_path}/x"])
        assert groups.aggregate("count(DISTINCT row_group_id)").fetchall()[0][0] > 5
        assert list(read_parquet(tmp_path / "x")) == given_ones


def test_duckdb_reads_the_columns(tmp_path: Path) -> None:
    """What is trained on has types; what is nested is JSON."""
    export_parquet([walk(0), walk(1)], tmp_path / "x.parquet")
    rows = duckdb.read_parquet(f"{tmp_path}/x.parquet")
    found = rows.project("trajectory_id, step, state, action, reward, terminated").fetchall()
    assert found[:3] == [
        ("w0", 0, "0", "0", 0.0, False),
        ("w0", 1, "1", "1", 0.5, False),
        ("w0", 2, "2", "0", 1.0, True),
    ]
    total = rows.aggregate("domain, sum(reward), max(CAST(tool_args->>'state' AS INT))")
    assert total.fetchall() == [("hills", 3.0, 2)]


PROGRAM = """
import re, sys
from daybook import training
from tests.unit.training.trajectories import walk

kind, count, size, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
base = walk(0, 10)
made = (base.model_copy(update={"initial_state": {"noise": str(n) * size}}) for n in range(count))
written = getattr(training, f"export_{kind}")(made, path)
read = sum(len(each.steps) for each in getattr(training, f"read_{kind}")(path))
assert (written, read) == (count, 10 * count)
# not ru_maxrss, which begins with what the parent had
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) // 1024)
"""


def test_one_is_in_memory_at_a_time(kind: str, tmp_path: Path) -> None:
    """Written and read, hardly any trajectory lives beside the one that is worked on."""
    export, read = FORMATS[kind]
    seen: list[ref[Trajectory]] = []
    most = 0

    def watched(found: Iterable[Trajectory]) -> Iterator[Trajectory]:
        nonlocal most
        for each in found:
            seen.append(ref(each))
            most = max(most, sum(known() is not None for known in seen))
            yield each

    export(watched(walk(number) for number in range(100)), tmp_path / "x")
    assert sum(1 for _ in watched(read(tmp_path / "x"))) == 100
    assert len(seen) == 200
    assert most <= 4


@pytest.mark.campaign
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_is_bounded(kind: str, tmp_path: Path) -> None:
    """2,400 trajectories of 100 to 200 KB, 400 MB in all, pass through far less than that."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, "2400", "50000", str(tmp_path / "x")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(ran.stdout) < 200


def test_parquet_without_arro3(tmp_path: Path) -> None:
    """The extra is named, and no file is made."""
    with (
        patch.dict(sys.modules, {"arro3": None}),
        pytest.raises(MissingExtraError, match=r"daybook-aws\[learning\]"),
    ):
        export_parquet([walk(1)], tmp_path / "x")
    assert list(tmp_path.iterdir()) == []

"""A day of any size is archived in the same memory, well under what the function has."""

import subprocess
import sys

import pytest

LIMIT_MB = 192

PROGRAM = """
import random, re, sys
from daybook.archive.columns import COLUMNS, Kind
from daybook.archive.parquet import Spool, read_rows

count, size = map(int, sys.argv[1:])
letters = [chr(code) for code in range(33, 97)]
noise = "".join(random.Random(1).choices(letters, k=4_000_000))
empty = {name: [] if kind is Kind.TEXTS else None for name, kind in COLUMNS.items()}


def rows():
    for n in range(count):
        at = n * 7919 * size % (len(noise) - size)
        yield empty | {"decision_id": f"{n:08d}", "context": noise[at : at + size]}


with Spool(rows()) as spool, spool.to_parquet() as file, Spool(read_rows(file, "x")) as again:
    with again.to_parquet() as second:
        written = second.seek(0, 2)
    assert len(again) == count
# not ru_maxrss, which begins with what the parent had
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(written // 2**20, int(peak[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(("count", "size"), [(100_000, 1_000), (600, 300_000), (40, 4_000_000)])
def test_memory_is_bounded(count: int, size: int) -> None:
    """100,000 decisions of 1 KB, 600 of 300 KB, 40 of 4 MB: written, read and written again."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(count), str(size - size // 1_000_000)],
        capture_output=True,
        text=True,
        check=True,
    )
    written_mb, peak_mb = map(int, ran.stdout.split())
    assert peak_mb < LIMIT_MB
    print(f"{count} x {size}: file {written_mb} MB, peak {peak_mb} MB")  # noqa: T201

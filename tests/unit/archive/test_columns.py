"""What `docs/archive.md` says of the columns is so."""

import re
from pathlib import Path

import duckdb

from daybook.archive.columns import COLUMNS, DECISION, OUTCOME, Kind
from daybook.archive.parquet import Spool

DOCUMENT = (Path(__file__).parents[3] / "docs" / "archive.md").read_text()
DUCKDB_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.TEXTS: "VARCHAR[]",
    Kind.NUMBER: "DOUBLE",
    Kind.MOMENT: "TIMESTAMP WITH TIME ZONE",
    Kind.FLAG: "BOOLEAN",
}


def test_athena_is_told_every_column() -> None:
    """In the order of the files, each with its type."""
    table = DOCUMENT.partition("CREATE EXTERNAL TABLE")[2].partition(")\nPARTITIONED")[0]
    told = re.findall(r"^  (\w+) ([a-z<>]+),?$", table, re.MULTILINE)
    assert told == [(name, str(kind)) for name, kind in COLUMNS.items()]


def test_the_table_names_every_column() -> None:
    """No column is left out, none is made up."""
    table = DOCUMENT.partition("## Columns")[2].partition("\n\nA row")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(rows)) == list(COLUMNS)
    assert list(DECISION | OUTCOME) == list(COLUMNS)


def test_the_file_has_these_columns(tmp_path: Path) -> None:
    """As another reader sees them, also in a file without rows."""
    path = tmp_path / "x.parquet"
    with Spool(()) as spool, spool.to_parquet() as file:
        path.write_bytes(file.read())
    found = duckdb.read_parquet(str(path))
    assert found.columns == list(COLUMNS)
    assert [str(kind) for kind in found.types] == [DUCKDB_TYPES[k] for k in COLUMNS.values()]

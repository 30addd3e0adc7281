"""The archive's files: nothing lost, readable by others, clear about what they are not."""

import io
import json
import sys
from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from arro3 import core
from arro3 import io as arro3_io
from hypothesis import given, settings
from hypothesis import strategies as some

from daybook import (
    DecisionOutcome,
    DecisionRecord,
    DecisionType,
    MissingExtraError,
    new_decision_id,
)
from daybook.archive import parquet, read_archived, rows
from daybook.archive.columns import COLUMNS
from daybook.archive.parquet import GROUP_BYTES, LARGEST_GROUP, Spool, rows_a_group
from daybook.errors import BodyCorruptError, UnreachableError

NOW = datetime(2026, 3, 1, 12, 0, 0, 123457, tzinfo=UTC)

texts = some.text(some.characters(codec="utf-8"), max_size=20)
words = texts.filter(bool)
floats = some.floats(allow_nan=False, allow_infinity=False)
json_values = some.recursive(
    some.none() | some.booleans() | some.integers(-(10**30), 10**30) | floats | texts,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
moments = some.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(9999, 1, 1),  # noqa: DTZ001
    timezones=some.just(UTC),
)


@some.composite
def records(draw: Any) -> DecisionRecord:
    """Draw a decision with all that one may have."""
    own = new_decision_id("a@b:c", draw(moments), random_bits=draw(some.integers(0, 2**62 - 1)))
    kind = draw(some.sampled_from(list(DecisionType)))
    options = draw(some.lists(words, unique=True, max_size=4))
    chosen = draw(some.lists(some.sampled_from(options or ["x"]), max_size=3)) if options else []
    share = some.floats(0, 1)
    outcome = None
    if draw(some.booleans()):
        outcome = DecisionOutcome.checked(
            decision_id=own,
            decision_type=kind,
            success=draw(some.booleans()),
            quality_score=draw(some.none() | share),
            latency_ms=draw(some.none() | some.floats(0, 1e300)),
            error=draw(some.none() | texts),
            details=draw(some.dictionaries(texts, json_values, max_size=3)),
            arrived_at=draw(moments),
        )
    context = {"market": {"p": draw(floats)}, "cycle": draw(some.none() | some.integers())}
    return DecisionRecord.checked(
        decision_id=own,
        decision_type=kind,
        context=draw(some.sampled_from([{}, context])) | {"more": draw(json_values)},
        reasoning={
            "options": options,
            "selected": chosen,
            "scores": {name: draw(floats) for name in chosen},
            "patterns_applied": draw(some.lists(words, max_size=3)),
            "confidence": draw(share),
            "rationale": draw(some.none() | texts),
            "propensity": draw(some.none() | some.floats(1e-300, 1)),
        },
        parent_decision_id=draw(some.none() | some.just(new_decision_id("p", NOW))),
        session_id=draw(some.none() | words),
        tags=draw(some.lists(words, max_size=3)),
        agent_version=draw(some.none() | words),
        arrived_at=draw(moments),
        outcome=outcome,
    )


def file_of(decisions: list[DecisionRecord]) -> bytes:
    """Return the file with these decisions."""
    with Spool(map(rows.of_record, decisions)) as spool, spool.to_parquet() as file:
        return file.read()


def one(**given: Any) -> DecisionRecord:
    """Return a decision."""
    return DecisionRecord.checked(
        **{
            "decision_id": new_decision_id("a", NOW),
            "decision_type": "other",
            "reasoning": {"confidence": 0.5},
            "arrived_at": NOW,
        }
        | given
    )


@settings(max_examples=150, deadline=None)
@given(some.lists(records(), max_size=4))
def test_nothing_is_lost(decisions: list[DecisionRecord]) -> None:
    """Whatever a record can hold reads back equal, and as the same JSON to the last bit."""
    back = list(read_archived(file_of(decisions)))
    assert back == decisions
    assert [json.dumps(d.model_dump(mode="json"), sort_keys=True) for d in back] == [
        json.dumps(d.model_dump(mode="json"), sort_keys=True) for d in decisions
    ]


def test_large_and_deep_contexts() -> None:
    """300 KB in one context, and 60 levels of nesting."""
    deep: Any = 1e-7
    for _ in range(60):
        deep = [deep]
    large = one(context={"noise": "ü" * 300_000, "deep": deep})
    assert list(read_archived(file_of([large]))) == [large]


def test_duckdb_reads_the_types(tmp_path: Path) -> None:
    """Moments are timestamps with a zone, lists are lists, JSON can be taken apart."""
    path = tmp_path / "x.parquet"
    path.write_bytes(file_of([one(tags=["t", "u"], context={"market": {"btc": 45000.5}})]))
    columns = (
        "decided_at AT TIME ZONE 'UTC', tags, confidence, success, "
        "CAST(context->>'$.market.btc' AS DOUBLE)"
    )
    found = duckdb.read_parquet(str(path)).project(columns).fetchall()
    assert found == [(NOW.replace(tzinfo=None), ["t", "u"], 0.5, None, 45000.5)]


def test_many_batches_and_groups_keep_the_order() -> None:
    """Batches and row groups end by rows and by bytes, and a reader sees none of it."""
    decisions = [one(context={"n": n, "noise": "x" * (n % 7) * 40}) for n in range(300)]
    with (
        patch.multiple(parquet, BATCH_ROWS=70, BATCH_BYTES=20_000),
        patch.multiple(parquet, GROUP_BYTES=30_000),
    ):
        file = file_of(decisions)
    assert [d.context.as_dict()["n"] for d in read_archived(file)] == list(range(300))


def test_row_groups_are_bounded() -> None:
    """Ordinary rows fill a group by number, large ones by bytes, one huge row alone."""
    assert rows_a_group(array("Q")) == LARGEST_GROUP
    assert rows_a_group(array("Q", [1000] * 100_000)) == LARGEST_GROUP
    huge = GROUP_BYTES // 100
    assert 64 <= rows_a_group(array("Q", [huge] * 5000)) <= 101
    mixed = array("Q", [1000] * 10_000 + [3 * GROUP_BYTES] + [1000] * 10_000)
    assert rows_a_group(mixed) == LARGEST_GROUP


@pytest.mark.parametrize("junk", [b"", b"PAR1", b"x" * 100, b"PAR1" + b"x" * 100 + b"PAR1"])
def test_a_file_that_is_no_parquet(junk: bytes) -> None:
    """The Rust side panics; the reader gets an error that it can catch."""
    with pytest.raises(BodyCorruptError, match="no Parquet"):
        list(read_archived(junk))


def test_a_file_with_other_columns() -> None:
    """A newer Daybook's column is not dropped in silence."""
    schema = core.Schema([core.Field(name, core.DataType.utf8()) for name in [*COLUMNS, "new"]])
    empty = core.RecordBatchReader.from_batches(schema, [])
    file = io.BytesIO()
    arro3_io.write_parquet(empty, file)
    with pytest.raises(BodyCorruptError, match="upgrade"):
        list(read_archived(file.getvalue()))


def test_a_fault_while_reading_the_log_stays_itself() -> None:
    """Arrow hands on only the text of what a generator raises; here the error comes out."""

    def failing() -> Any:
        yield rows.of_record(one())
        raise UnreachableError("gone")

    with pytest.raises(UnreachableError, match="gone"):
        Spool(failing())


def test_without_the_extra() -> None:
    """The error says what to install."""
    with (
        patch.dict(sys.modules, {"arro3": None}),
        pytest.raises(MissingExtraError, match=r"pip install 'daybook-aws\[learning\]'"),
    ):
        list(read_archived(b""))

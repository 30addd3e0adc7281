"""What ministack has saved of streams, before it starts again."""

import json
from pathlib import Path
from typing import Any

import pytest

from daybook.platform import streams

SCOPED = {"__account_region_scoped__": True}


def saved(positions: dict[str, int]) -> dict[str, Any]:
    """Make a state as ministack writes it."""
    return {
        "__ministack_format__": 2,
        "payload": {
            "functions": SCOPED | {"data": {"f": {"code": "é"}}},
            "dynamodb_stream_positions": SCOPED | {"data": positions},
        },
    }


def test_positions_are_forgotten(tmp_path: Path) -> None:
    """All of them, and nothing else is."""
    path = tmp_path / "lambda.json"
    path.write_text(json.dumps(saved({"mapping": 340})))
    assert streams.rewind(tmp_path)
    assert json.loads(path.read_text()) == saved({})
    assert not streams.rewind(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["lambda.json"]


def test_there_is_no_state(tmp_path: Path) -> None:
    """A platform that starts for the first time has none."""
    assert not streams.rewind(tmp_path / "none")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"payload": {}}', '{"payload": []}'])
def test_another_state_is_left_alone(tmp_path: Path, text: str) -> None:
    """Damaged, or of another version: that is for ministack to say."""
    path = tmp_path / "lambda.json"
    path.write_text(text)
    assert not streams.rewind(tmp_path)
    assert path.read_text() == text

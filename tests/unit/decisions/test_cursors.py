"""Cursors say where a page ended, and nothing that is not asked of them."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.decisions import cursors
from daybook.errors import InvalidCursorError
from daybook.models import DecisionId, new_decision_id

LAST = DecisionId.parse(new_decision_id("a"))


@given(st.text())
def test_a_cursor_reads_back(query: str) -> None:
    """With the same query it gives the decision, in text that a URL can carry."""
    cursor = cursors.encode(query.encode(errors="replace").decode(), LAST)
    assert cursors.decode(query.encode(errors="replace").decode(), cursor) == LAST
    assert all(c.isalnum() or c in "-_" for c in cursor)


@given(st.text())
def test_anything_else_is_refused(text: str) -> None:
    """Whatever a client makes up is an error of its own, never another one."""
    with pytest.raises(InvalidCursorError):
        cursors.decode("query", text)


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_well_formed_nonsense_is_refused(value: object) -> None:
    """Valid base64 of valid JSON is not yet a cursor."""
    made = base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    with pytest.raises(InvalidCursorError):
        cursors.decode("query", made)

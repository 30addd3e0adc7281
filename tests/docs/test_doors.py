"""The tables of `docs/doors.md` are those of the code: every request, every status."""

import re
from http import HTTPStatus
from inspect import Parameter
from pathlib import Path

import pytest

from daybook import DecisionLogger, MemoryManager, PatternLearner, errors
from daybook.doors import VERBS, Verb
from daybook.doors.refusals import STATUS_OF, status_of
from daybook.signals.claims import Claim

TEXT = (Path(__file__).parent.parent.parent / "docs" / "doors.md").read_text()

REQUEST = re.compile(
    r"^\| `(?P<request>[A-Z]+ /[^`]*)` "
    r"\|(?P<names>[^|]*)\|(?P<takes>[^|]*)\|(?P<answers>[^|]*)\|$",
    re.MULTILINE,
)
ROWS = {row["request"]: row for row in REQUEST.finditer(TEXT)}
WORD = re.compile(r"`(\w+)`")


def arguments_of(verb: Verb) -> str:
    """Return what a verb takes beside its path, as the table says it."""
    return ", ".join(
        f"`{name}`" if each.default is Parameter.empty else f"[`{name}`]"
        for name, each in list(verb.signature.parameters.items())[1:]
        if name not in verb.in_path
    )


def test_every_request_is_in_the_table() -> None:
    """No request is left out, invented, or named twice."""
    assert len(REQUEST.findall(TEXT)) == len(ROWS)
    assert set(ROWS) == {verb.request for verb in VERBS.values()}


@pytest.mark.parametrize("verb", VERBS.values(), ids=lambda verb: str(verb.request))
def test_a_request_is_as_it_is_said(verb: Verb) -> None:
    """What it takes, where its answer stands, and its status are those of the verb."""
    row = ROWS[verb.request]
    if not verb.record:
        assert row["takes"].strip() == arguments_of(verb)
    if verb.lists:
        assert WORD.findall(row["answers"])[0] == verb.lists
    assert ("201" in row["answers"]) is verb.creates
    for name in WORD.findall(row["names"]):
        homes = (MemoryManager, DecisionLogger, PatternLearner, Claim)
        assert any(hasattr(home, name) for home in homes), name


def test_what_is_not_repeated_is_said() -> None:
    """Those verbs, and no others."""
    (said,) = re.findall(r"^- (.*) are not repeatable\.", TEXT, re.MULTILINE)
    once = {name.strip("_") for name, verb in VERBS.items() if not verb.repeatable}
    assert set(WORD.findall(said)) == once


def test_statuses() -> None:
    """Each status is said of its errors, in the order in which the function asks."""
    rows = re.findall(r"^\| (\d{3}) \|([^|]*)\|$", TEXT, re.MULTILINE)
    said = {
        name: HTTPStatus(int(status)) for status, names in rows for name in WORD.findall(names)
    }
    assert said == {kind.__name__: status for kind, status in STATUS_OF}
    for name, status in said.items():
        assert status_of(getattr(errors, name)("")) == status
    assert HTTPStatus.INTERNAL_SERVER_ERROR in [int(status) for status, _ in rows]

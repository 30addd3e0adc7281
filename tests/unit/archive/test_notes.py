"""Which days are to be redone, and when."""

from datetime import UTC, date, datetime, timedelta

from daybook import new_decision_id
from daybook.archive import note_arrivals
from daybook.archive.notes import Marks, Notes
from daybook.decisions.digests import OutcomeDigest
from daybook.models import DecisionId, DecisionType
from daybook.models.identity import microseconds
from daybook.progress import LAG, Arrival, Head

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TOMORROW = NOW.replace(day=11, hour=1)
DAY = date(2026, 3, 1)
YEAR = timedelta(days=365)
ARCHIVED = Notes(archived_until=date(2026, 3, 9))


def arrival(decided_at: datetime, *, is_late_mark: bool = False) -> Arrival:
    """Return an outcome, or a late decision's mark, that arrives now."""
    own = DecisionId.parse(new_decision_id("a", decided_at))
    outcome = OutcomeDigest(own.uuid, DecisionType.OTHER, True, None, None, False, 0.5)
    return Arrival(microseconds(NOW), own.uuid, own.uuid, None if is_late_mark else outcome)


def noted(notes: Notes, *arrivals: Arrival) -> Notes:
    """Return the notes after these arrivals."""
    return Notes.read(
        note_arrivals(Head("a", "archive", 1, notes=notes.document), arrivals, NOW).notes
    )


def test_an_outcome_of_an_archived_day_marks_it() -> None:
    """One of a day that is still to be archived needs no mark: the file will have it."""
    old = NOW - timedelta(days=5)
    assert set(noted(ARCHIVED, arrival(old), arrival(NOW)).dirty) == {old.date()}
    assert noted(Notes(), arrival(old)).dirty == {}


def test_a_late_decision_marks_its_day_in_any_case() -> None:
    """The decision comes after its mark, perhaps after the day was archived in between."""
    marked = noted(ARCHIVED, arrival(NOW - timedelta(minutes=5), is_late_mark=True))
    assert set(marked.dirty) == {NOW.date()}
    assert list(marked.due(TOMORROW, YEAR)) == []
    assert marked.written(NOW.date(), TOMORROW).dirty == {}
    assert set(marked.written(NOW.date(), NOW + LAG / 2).dirty) == {NOW.date()}


def test_the_position_passes_what_was_noted() -> None:
    """So that the next run does not note it again."""
    new = arrival(NOW)
    head = note_arrivals(Head("a", "archive", 1, notes=ARCHIVED.document), [new], NOW)
    assert head.version == 1
    assert head.position.is_done(new)


def test_a_day_is_rewritten_once_a_day() -> None:
    """What came today waits for tomorrow, and what comes meanwhile does not put it off."""
    notes = ARCHIVED.marked(DAY, NOW)
    assert list(notes.due(NOW + timedelta(hours=11), YEAR)) == []
    assert list(notes.due(TOMORROW, YEAR)) == [DAY]
    again = notes.marked(DAY, TOMORROW - LAG)
    assert list(again.due(TOMORROW, YEAR)) == [DAY]
    assert again.written(DAY, TOMORROW).dirty == {}


def test_what_came_within_two_minutes_is_looked_at_again() -> None:
    """A day's rewrite does not clear a mark whose decision may still be on its way."""
    fresh = ARCHIVED.marked(DAY, NOW).marked(DAY, TOMORROW)
    assert list(fresh.due(TOMORROW, YEAR)) == []
    at = microseconds(TOMORROW)
    assert fresh.written(DAY, TOMORROW + LAG / 2).dirty == {DAY: Marks(at, at)}


def test_nothing_waits_when_decisions_are_about_to_expire() -> None:
    """Two days before the end the rewrite comes at once; long after it, daily again."""
    notes = ARCHIVED.marked(DAY, NOW)
    soon = NOW + LAG
    assert list(notes.due(soon, timedelta(days=11))) == [DAY]
    assert list(notes.due(soon, timedelta(days=12))) == []
    assert list(notes.due(soon, timedelta(days=5))) == []
    assert list(notes.due(soon, None)) == []
    assert list(notes.due(NOW, timedelta(days=11))) == []


def test_notes_read_back() -> None:
    """As JSON, also when there is nothing in them."""
    for notes in (Notes(), ARCHIVED.marked(DAY, NOW)):
        assert Notes.read(notes.document) == notes
    assert Notes.read({}) == Notes()

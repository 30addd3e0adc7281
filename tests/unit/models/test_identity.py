"""Ids carry the decision's time and agent, and sort by time."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import InvalidDecisionIdError, InvalidInputError
from daybook.models import DecisionId, new_decision_id
from daybook.models.identity import uuid_at

moments = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
bits = st.integers(min_value=0, max_value=2**62 - 1)
agent_ids = st.from_regex(r"[A-Za-z0-9._:@-]{1,128}", fullmatch=True)


@given(agent_ids, moments, bits)
def test_an_id_gives_its_parts_back(agent_id: str, moment: datetime, random_bits: int) -> None:
    """The agent and the moment, to the microsecond, come out as they went in."""
    parsed = DecisionId.parse(new_decision_id(agent_id, moment, random_bits=random_bits))
    assert (parsed.agent_id, parsed.decided_at) == (agent_id, moment)
    assert UUID(parsed.uuid).version == 7


@given(moments, moments, bits, bits)
def test_ids_sort_by_time(first: datetime, second: datetime, one: int, two: int) -> None:
    """An earlier moment makes a smaller id, whatever the random part and the agent."""
    if first != second:
        earlier, later = sorted([(first, one), (second, two)])
        ids = [
            new_decision_id("z", earlier[0], random_bits=earlier[1]),
            new_decision_id("a", later[0], random_bits=later[1]),
        ]
        assert ids == sorted(ids)


@given(moments, bits)
def test_a_moment_bounds_its_ids(moment: datetime, random_bits: int) -> None:
    """The id without random bits is the smallest of its microsecond."""
    assert uuid_at(moment) <= uuid_at(moment, random_bits)
    assert uuid_at(moment, random_bits) < uuid_at(moment + timedelta(microseconds=1))


def test_every_microsecond_of_a_millisecond() -> None:
    """Twelve bits tell a thousand microseconds apart."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for step in range(1000):
        moment = start + timedelta(microseconds=step)
        assert DecisionId.parse(new_decision_id("a", moment)).decided_at == moment


def test_foreign_uuids_keep_their_place() -> None:
    """A UUIDv7 made elsewhere reads as the microsecond in whose range it sorts."""
    for fraction in range(4096):
        uuid = f"01a1fc24-67b6-7{fraction:03x}-a534-9749b8abc2fe"
        moment = DecisionId.parse(f"{uuid}@a").decided_at
        assert uuid_at(moment) <= uuid
        assert uuid < uuid_at(moment + timedelta(microseconds=1))


def test_time_zones_are_one_moment() -> None:
    """The same moment in another zone makes the same time in the id."""
    there = datetime(2026, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    made = DecisionId.parse(new_decision_id("a", there))
    assert made.decided_at == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "01a1fc24-67b6-7000-a534-9749b8abc2fe",
        "01a1fc24-67b6-7000-a534-9749b8abc2fe@",
        "01a1fc24-67b6-7000-a534-9749b8abc2fe@a#b",
        "01a1fc24-67b6-4000-a534-9749b8abc2fe@a",
        "01A1FC24-67B6-7000-A534-9749B8ABC2FE@a",
        "01a1fc24-67b6-7000-a534-9749b8abc2fe@a\n",
        "01a1fc24-67b6-7000-c534-9749b8abc2fe@a",
    ],
)
def test_what_is_no_id(text: str) -> None:
    """Anything but a lower-case UUIDv7 and an agent id is refused."""
    with pytest.raises(InvalidDecisionIdError):
        DecisionId.parse(text)


def test_moments_that_no_id_can_carry() -> None:
    """Before 1970 there is no UUIDv7; without a zone there is no moment."""
    with pytest.raises(InvalidInputError, match="before 1970"):
        new_decision_id("a", datetime(1969, 1, 1, tzinfo=UTC))
    with pytest.raises(InvalidInputError, match="no time zone"):
        new_decision_id("a", datetime(2026, 1, 1))  # noqa: DTZ001

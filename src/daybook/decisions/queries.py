"""Queries over an agent's log: by type, by success, by time, by tier. Never a scan."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Self

from pydantic import BeforeValidator, model_validator

from daybook.decisions import cursors, digests, reading
from daybook.decisions.digests import Window
from daybook.errors import InvalidInputError
from daybook.models import DecisionId, DecisionRecord, DecisionType, MemoryTier
from daybook.models.base import Record
from daybook.models.decisions import SHORT_TERM, Kind
from daybook.models.identity import AgentId, Moment
from daybook.store import DECISIONS, Store, keys
from daybook.store.expressions import between, equals

LARGEST_PAGE = 1000
RUN_OF_PAGE = 200
"""Decisions asked for at once where only pages can be had."""

_MICROSECOND = timedelta(microseconds=1)


def _tier(value: object) -> object:
    if isinstance(value, str) and not isinstance(value, MemoryTier):
        if value not in set(MemoryTier):
            raise ValueError(f"{value[:60]!r} is unknown: use one of {', '.join(MemoryTier)}")
        return MemoryTier(value)
    return value


class DecisionQuery(Record, title="the query"):
    """Which decisions of an agent: None means any.

    `since` is inclusive and `until` exclusive, both by the time the decision was made.
    `success` asks for decisions with an outcome.
    """

    agent_id: AgentId
    decision_type: Kind | None = None
    success: bool | None = None
    since: Moment | None = None
    until: Moment | None = None
    tier: Annotated[MemoryTier, BeforeValidator(_tier)] | None = None

    @model_validator(mode="after")
    def _window_is_not_backwards(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError("since is later than until")
        return self

    def window(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """Return the window of time that `since`, `until` and `tier` leave at this moment."""
        since, until = self.since, self.until
        boundary = now - SHORT_TERM + _MICROSECOND
        if self.tier is MemoryTier.STM:
            since = max(since or boundary, boundary)
        if self.tier is MemoryTier.LTM:
            until = min(until or boundary, boundary)
        return since, until


@dataclass(frozen=True)
class DecisionPage:
    """Some decisions, newest first, and the cursor of the next page (None: no more)."""

    decisions: tuple[DecisionRecord, ...]
    cursor: str | None

    def first(self, count: int, query: DecisionQuery) -> "DecisionPage":
        """Return the page that ends after `count` decisions (at least 1) of this one."""
        if count >= len(self.decisions):
            return self
        kept = self.decisions[:count]
        last = DecisionId.parse(kept[-1].decision_id)
        return DecisionPage(kept, cursors.encode(query.model_dump_json(), last))


def iterate(
    store: Store, query: DecisionQuery, limit: int | None = None
) -> Iterator[DecisionRecord]:
    """Iterate the decisions of a query, newest first, reading on only as they are taken."""
    return islice(_matching(store, query, None, _checked(limit)), limit)


def over_pages(
    read_page: Callable[[DecisionQuery, int, str | None], DecisionPage],
    query: DecisionQuery,
    limit: int | None = None,
) -> Iterator[DecisionRecord]:
    """Iterate the decisions of a query where only pages can be had, as through the API."""
    size = min(_checked(limit) or RUN_OF_PAGE, RUN_OF_PAGE)
    return islice(_across(read_page, query, size), limit)


def _across(
    read_page: Callable[[DecisionQuery, int, str | None], DecisionPage],
    query: DecisionQuery,
    size: int,
) -> Iterator[DecisionRecord]:
    cursor: str | None = None
    while True:
        found = read_page(query, size, cursor)
        yield from found.decisions
        cursor = found.cursor
        if cursor is None:
            return


def _checked(limit: int | None) -> int | None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise InvalidInputError(f"limit is {limit!r}: use a whole number from 0, or None for all")
    return limit


def page(
    store: Store, query: DecisionQuery, limit: int = 50, cursor: str | None = None
) -> DecisionPage:
    """Return one page of a query. Raises InvalidCursorError or InvalidInputError."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LARGEST_PAGE:
        raise InvalidInputError(f"limit is {limit!r}: use a whole number from 1 to {LARGEST_PAGE}")
    asked = query.model_dump_json()
    before = cursors.decode(asked, cursor).uuid if cursor is not None else None
    found = list(islice(_matching(store, query, before, limit + 1), limit + 1))
    return DecisionPage(tuple(found), None).first(limit, query)


def _matching(
    store: Store, query: DecisionQuery, before: str | None, wanted: int | None
) -> Iterator[DecisionRecord]:
    since, until = query.window(store.clock())
    window = keys.log_range(since, until, before)
    if window[0] > window[1] or wanted == 0:
        return iter(())
    run = min(wanted or reading.RUN, reading.RUN)
    if query.success is not None:
        return reading.hydrated(store, _by_success(store, query, window, wanted), run)
    if query.decision_type is not None:
        return reading.hydrated(store, _by_type(store, query, window, wanted), run)
    # a decision and its outcome are two items; read no more than are wanted
    page_size = 2 * wanted if wanted is not None else None
    condition = equals("pk", query.agent_id) & between("sk", *window)
    found = store.query(DECISIONS, condition, newest_first=True, page_size=page_size)
    return reading.assembled(store, found)


def _by_success(
    store: Store, query: DecisionQuery, window: Window, wanted: int | None
) -> Iterator[DecisionId]:
    # of one type only some of the outcomes are wanted: pages of the usual size find them sooner
    page_size = wanted if query.decision_type is None else None
    for outcome in digests.read_outcomes(
        store, query.agent_id, window, success=bool(query.success), page_size=page_size
    ):
        if query.decision_type in {None, outcome.decision_type}:
            yield DecisionId(outcome.uuid, query.agent_id)


def _by_type(
    store: Store, query: DecisionQuery, window: Window, wanted: int | None
) -> Iterator[DecisionId]:
    kind = DecisionType(query.decision_type or "")
    for decision in digests.read_decisions(store, query.agent_id, kind, window, wanted):
        yield DecisionId(decision.uuid, query.agent_id)

"""An agent's inbox: what is waiting for it, and claiming that for a while.

`TargetAgentIndex` holds what is due, the most urgent first and then the oldest. A claim is one
conditional write, so of many workers at one signal one gets it; and it lasts for a time, so a
worker that dies gives its signals back without a word.
"""

import random
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any

from pydantic import Field

from daybook.errors import BodyCorruptError, InvalidInputError, StorageError
from daybook.models import AgentSignal, ClaimedSignal, SignalStatus
from daybook.models.identity import microseconds, moment_of
from daybook.models.signal_ids import SignalId
from daybook.models.signals import json_size
from daybook.signals import items
from daybook.store import SIGNALS, Store, keys
from daybook.store.attributes import Item
from daybook.store.expressions import (
    Condition,
    at_least,
    at_most,
    equals,
    less_than,
    more_than,
    present,
)
from daybook.store.requests import Update
from daybook.store.schema import TTL_ATTRIBUTE
from daybook.store.table import Revised

MOST_ATTEMPTS = 5
"""A signal that was claimed this often and never acknowledged is dead."""

MOST_AT_ONCE = 100
LONGEST_VISIBILITY = 43_200
"""Seconds for which a claim can be held, or a signal held back: twelve hours."""

ENOUGH = 3_000_000
"""Bytes of JSON after which no more signals are handed out at once: the API carries no more."""

LOOK_AHEAD = 100
"""How far a worker looks past the head of an inbox when it meets others there."""

Shuffle = Callable[[list[Any]], None]
ClaimToken = Annotated[str, Field(pattern="^[0-9a-f]{12}$")]


def list_pending(store: Store, agent_id: str, limit: int = 50) -> list[AgentSignal]:
    """Return what waits for an agent, the most urgent first, then the oldest. Claims nothing.

    Two requests. A signal that cannot be read is left out; and after 3 MB of JSON so are the
    rest.
    """
    checked_count("limit", limit, MOST_AT_ONCE)
    now = store.clock()
    waiting = list(islice(_visible(store, agent_id, now, limit), limit))
    keys_of = {
        str(found[items.DUE_KEY]): {"pk": found["pk"], "sk": found["sk"]} for found in waiting
    }
    # read from the table: the index may lag behind claims and acknowledgements
    whole = {
        str(item[items.DUE_KEY]): item
        for item in (store.fetch(SIGNALS, keys_of.values()) if keys_of else ())
        if items.DUE_KEY in item and int(item[items.VISIBLE_AT]) <= microseconds(now)
    }
    signals = (_readable(store, whole[due]) for due in keys_of if due in whole)
    shown: list[AgentSignal] = []
    size = 0
    for signal in signals:
        if signal is not None:
            shown.append(signal)
            size += _size(signal)
        if size >= ENOUGH:
            break
    return shown


def claim(
    store: Store,
    agent_id: str,
    limit: int = 10,
    visibility_seconds: int = 60,
    token: str | None = None,
    *,
    shuffle: Shuffle = random.shuffle,
) -> list[ClaimedSignal]:
    """Claim up to `limit` signals of an agent's inbox, in the order in which they are due.

    Nobody else can claim them for so many seconds. One request, and one for each signal; more
    where other workers are at the same inbox. One alone takes them strictly by priority and then
    by age. Those that meet keep to the priorities, and spread over the signals of each. A signal
    that was claimed five times in vain is put aside as dead. After 3 MB of JSON no more are
    claimed. Whoever claims again with the same `token` is given the same claims again, as far as
    they are still held.

    Raises InvalidInputError, and StorageError when AWS fails before anything is claimed. When it
    fails later, the answer is what is claimed by then.
    """
    checked_count("limit", limit, MOST_AT_ONCE)
    checked_count("visibility_seconds", visibility_seconds, LONGEST_VISIBILITY)
    now = store.clock()
    until = now + timedelta(seconds=visibility_seconds)
    token = token or secrets.token_hex(6)
    found = _visible(store, agent_id, now, limit, token)
    claimed: list[tuple[str, ClaimedSignal]] = []
    size = 0
    try:
        for item in _taken(store, found, now, until, token, shuffle):
            signal = _readable(store, item)
            # one that cannot be read is tried again by and by, perhaps by a newer Daybook
            if signal is not None:
                claimed.append((str(item[items.DUE_KEY]), _as_claimed(signal, item)))
                size += _size(signal)
            if len(claimed) == limit or size >= ENOUGH:
                break
    except StorageError:
        # what is claimed would be hidden from everybody until its time is over
        if not claimed:
            raise
    return [each for _, each in sorted(claimed, key=lambda pair: pair[0])]


def checked_count(name: str, count: object, most: int, least: int = 1) -> int:
    """Return a whole number of a range, or raise InvalidInputError."""
    if isinstance(count, bool) or not isinstance(count, int) or not least <= count <= most:
        raise InvalidInputError(
            f"{name} is {count!r:.60}: use a whole number from {least} to {most}",
            [(name, f"is not a whole number from {least} to {most}")],
        )
    return count


def _visible(
    store: Store, agent_id: str, now: datetime, wanted: int, token: str = ""
) -> Iterator[Item]:
    """Iterate what can be claimed now, or is claimed by this token, as the index has it.

    Only what is in the agent's own partition: others could write its name on an item of theirs.
    """
    moment = microseconds(now)
    index = SIGNALS.index("TargetAgentIndex")
    due = store.query(SIGNALS, equals(items.TARGET_KEY, agent_id), index=index, page_size=wanted)
    own = (item for item in due if item["pk"] == agent_id)
    return (
        item
        for item in own
        if int(item[items.VISIBLE_AT]) <= moment or item.get(items.TOKEN) == token
    )


def _taken(
    store: Store,
    found: Iterator[Item],
    now: datetime,
    until: datetime,
    token: str,
    shuffle: Shuffle,
) -> Iterator[Item]:
    """Claim one delivery after the other, and give each: in order, until others are met."""
    for candidate in found:
        is_ours, item = _claim_one(store, candidate, now, until, token)
        if is_ours:
            yield item
        elif _is_held(item, now):
            break
    while ahead := list(islice(found, LOOK_AHEAD)):
        for candidate in _spread(ahead, shuffle):
            is_ours, item = _claim_one(store, candidate, now, until, token)
            if is_ours:
                yield item


def _is_held(item: Item, now: datetime) -> bool:
    """Whether somebody has claimed a delivery: not so one that is dead, done or gone."""
    claimed = item.get(items.STATUS) == SignalStatus.CLAIMED
    return claimed and int(item[items.VISIBLE_AT]) > microseconds(now)


def _spread(candidates: list[Item], shuffle: Shuffle) -> list[Item]:
    """Shuffle the candidates of each priority, so that workers who meet go separate ways."""
    shuffle(candidates)
    return sorted(candidates, key=lambda item: keys.due_priority(str(item[items.DUE_KEY])))


def _claim_one(
    store: Store, candidate: Item, now: datetime, until: datetime, token: str
) -> Revised:
    """Claim a delivery; return whether it is ours, and it as it stands.

    What the index says may be out of date; the condition is about the item as it is.
    """
    if int(candidate[items.ATTEMPTS]) >= MOST_ATTEMPTS and candidate.get(items.TOKEN) != token:
        return _put_aside(store, candidate, now)
    # no claim outlasts the signal: what is claimed after that is another one of the same id
    ends = min(microseconds(until), int(candidate[TTL_ATTRIBUTE]) * 1_000_000)
    update = Update(
        table=SIGNALS,
        key=_key(candidate),
        condition=_claimable(now) & less_than(items.ATTEMPTS, MOST_ATTEMPTS),
        values={
            items.STATUS: SignalStatus.CLAIMED.value,
            items.VISIBLE_AT: ends,
            items.TOKEN: token,
        },
        counts={items.FENCE: 1, items.ATTEMPTS: 1},
    )
    done, item = store.revise(update)
    # by a try of ours whose answer was lost
    before = item.get(items.TOKEN) == token and _is_held(item, now)
    if done or before:
        return Revised(True, item)
    if int(item.get(items.ATTEMPTS, 0)) >= MOST_ATTEMPTS:
        return _put_aside(store, candidate, now)
    return Revised(False, item)


def _put_aside(store: Store, delivery: Item, now: datetime) -> Revised:
    """Set a delivery dead, if it still is as it was seen: it leaves the index, and is kept.

    Returns that it is not ours, and it as it stands.
    """
    _, item = store.revise(
        Update(
            table=SIGNALS,
            key=_key(delivery),
            condition=_claimable(now) & at_least(items.ATTEMPTS, MOST_ATTEMPTS),
            values={items.STATUS: SignalStatus.DEAD.value},
            removes=items.NOT_DUE,
        )
    )
    return Revised(False, item)


def _claimable(now: datetime) -> Condition:
    return (
        present(items.DUE_KEY)
        & at_most(items.VISIBLE_AT, microseconds(now))
        & more_than(TTL_ATTRIBUTE, int(now.timestamp()))
    )


def _key(item: Item) -> Item:
    return {"pk": item["pk"], "sk": item["sk"]}


def _readable(store: Store, item: Item) -> AgentSignal | None:
    """Return a delivery's signal, or None if it is damaged: the others go on."""
    try:
        return items.read_signal(store, item)
    except BodyCorruptError:
        return None


def _size(signal: AgentSignal) -> int:
    return json_size(signal.model_dump(mode="json"))


def _as_claimed(signal: AgentSignal, item: Item) -> ClaimedSignal:
    return ClaimedSignal.checked(
        signal=signal,
        fence=int(item[items.FENCE]),
        attempt=int(item[items.ATTEMPTS]),
        visible_until=moment_of(int(item[items.VISIBLE_AT])),
    )


def delivery_key(agent_id: str, signal_id: str) -> Item:
    """Return the key of an agent's delivery of a signal. Raises InvalidSignalIdError."""
    return keys.delivery(agent_id, SignalId.parse(signal_id))

"""What the holder of a claim does with it: acknowledge, release or extend.

Each is one write on the condition that the claim is still held: the fence is the one it was
given, and its time is not over. Whoever was too slow changes nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from daybook.errors import ClaimExpiredError, ConflictError, InvalidInputError
from daybook.models import SignalStatus
from daybook.models.identity import microseconds, moment_of
from daybook.signals import items
from daybook.signals.inbox import LONGEST_VISIBILITY, checked_count, delivery_key
from daybook.store import SIGNALS, Store
from daybook.store.attributes import Item
from daybook.store.expressions import Condition, equals, more_than
from daybook.store.requests import Update, Write
from daybook.store.schema import TTL_ATTRIBUTE
from daybook.store.table import Revised

_SECOND = 1_000_000

FENCES_END = 10**38
"""What DynamoDB can hold: a number has 38 digits there."""


def acknowledge(
    store: Store, agent_id: str, signal_id: str, fence: int, also: Sequence[Write] = ()
) -> bool:
    """Say that a signal has been dealt with: nobody is given it again.

    Returns False if this claim had said so before, perhaps in a try whose answer was lost.

    What `also` holds is written with that or not at all, so that the effect of a signal
    happens once although it may be delivered more often. One request; another one when a
    condition of a transaction fails. Acknowledging twice by the same claim changes nothing.

    Raises ClaimExpiredError when the claim is no longer held, and ConflictError when a condition
    of `also` does not hold; nothing is written then.
    """
    update = Update(
        table=SIGNALS,
        key=delivery_key(agent_id, signal_id),
        condition=_held(fence, store.clock()),
        values={items.STATUS: SignalStatus.PROCESSED.value},
        removes=items.NOT_DUE,
    )
    if also:
        if store.transact([update, *also]):
            return True
        standing = store.get(SIGNALS, update.key) or {}
    else:
        done, standing = store.revise(update)
        if done:
            return True
    if _is(standing, SignalStatus.PROCESSED, fence):
        return False
    if also and _is_held(standing, fence, store.clock()):
        raise ConflictError(
            f"what was to be written together with the acknowledgement of {signal_id} was "
            "refused, so nothing was written: the claim is still held"
        )
    raise _lost("acknowledged", signal_id, fence, standing)


def release(
    store: Store,
    agent_id: str,
    signal_id: str,
    fence: int,
    delay_seconds: int = 0,
    *,
    untried: bool = False,
) -> None:
    """Give a signal back, to be claimed again at once or after so many seconds.

    One request. `untried` says that nobody has tried to deal with it, so that it does not count
    as an attempt. Raises ClaimExpiredError when the claim is no longer held.
    """
    checked_count("delay_seconds", delay_seconds, LONGEST_VISIBILITY, least=0)
    now = store.clock()
    later = microseconds(now + timedelta(seconds=delay_seconds)) if delay_seconds else 0
    update = Update(
        table=SIGNALS,
        key=delivery_key(agent_id, signal_id),
        condition=_held(fence, now),
        values={items.STATUS: SignalStatus.PENDING.value, items.VISIBLE_AT: later},
        counts={items.ATTEMPTS: -1} if untried else {},
    )
    done, standing = store.revise(update)
    if not done and not _is(standing, SignalStatus.PENDING, fence):
        raise _lost("released", signal_id, fence, standing)


def extend(
    store: Store, agent_id: str, signal_id: str, fence: int, visibility_seconds: int
) -> datetime:
    """Hold a signal for so many seconds from now; return until when. One request.

    No claim outlasts its signal: one that would ends with it, which takes a second request.

    Raises ClaimExpiredError when the claim is no longer held.
    """
    checked_count("visibility_seconds", visibility_seconds, LONGEST_VISIBILITY)
    key = delivery_key(agent_id, signal_id)
    now = store.clock()
    until = microseconds(now + timedelta(seconds=visibility_seconds))

    def hold(until: int, also: Condition) -> Revised:
        return store.revise(
            Update(
                table=SIGNALS,
                key=key,
                condition=_held(fence, now) & also,
                values={items.VISIBLE_AT: until},
            )
        )

    done, standing = hold(until, more_than(TTL_ATTRIBUTE, -(-until // _SECOND) - 1))
    if not done and _is_held(standing, fence, now):
        until = min(until, int(standing[TTL_ATTRIBUTE]) * _SECOND)
        done, standing = hold(until, equals(TTL_ATTRIBUTE, standing[TTL_ATTRIBUTE]))
    if not done:
        raise _lost("extended", signal_id, fence, standing)
    return moment_of(until)


def _held(fence: int, now: datetime) -> Condition:
    if isinstance(fence, bool) or not isinstance(fence, int):
        raise InvalidInputError(f"fence is {fence!r:.60}: use that of the claim")
    if not 0 <= fence < FENCES_END:
        # not shown: Python itself refuses to write down a very long number
        raise InvalidInputError("fence has more than 38 digits, or a sign: use that of the claim")
    return (
        equals(items.FENCE, fence)
        & equals(items.STATUS, SignalStatus.CLAIMED.value)
        & more_than(items.VISIBLE_AT, microseconds(now))
        & more_than(TTL_ATTRIBUTE, int(now.timestamp()))
    )


def _is(standing: Item, status: SignalStatus, fence: int) -> bool:
    return standing.get(items.STATUS) == status and standing.get(items.FENCE) == fence


def _is_held(standing: Item, fence: int, now: datetime) -> bool:
    visible_at = int(standing.get(items.VISIBLE_AT, 0))
    expires_at = int(standing.get(TTL_ATTRIBUTE, 0))
    return (
        _is(standing, SignalStatus.CLAIMED, fence)
        and visible_at > microseconds(now)
        and expires_at > int(now.timestamp())
    )


def _lost(what: str, signal_id: str, fence: int, standing: Item) -> ClaimExpiredError:
    status = str(standing.get(items.STATUS))
    in_time = "; claim for longer, or extend the claim in time"
    if not standing:
        found = "it is unknown, or has expired"
    elif standing.get(items.FENCE) != fence:
        found = f"somebody else has claimed it since, and it is {status}{in_time}"
    elif status == SignalStatus.PROCESSED:
        found = "this claim has acknowledged it already"
    elif status == SignalStatus.PENDING:
        found = "this claim has given it back already"
    elif status == SignalStatus.DEAD:
        found = f"it was tried too often, and is dead{in_time}"
    else:
        found = f"the time of the claim is over{in_time}"
    return ClaimExpiredError(
        f"the signal {signal_id} cannot be {what}, and nothing was changed: {found}"
    )

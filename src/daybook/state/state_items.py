"""An agent's state as an item: its version, its data, and who wrote the last few versions."""

import re
import secrets
from datetime import datetime

from daybook.errors import (
    AccessDeniedError,
    BodyMissingError,
    InvalidInputError,
    StaleStateError,
)
from daybook.models import AgentState
from daybook.models.identity import microseconds, moment_of
from daybook.models.json_values import JsonObject
from daybook.models.state import checkpoint_id, version_and_number
from daybook.store import STATE, Codec, Store, keys, pack, unpack
from daybook.store.attributes import Item
from daybook.store.bodies import BODY, BODY_OBJECT
from daybook.store.bodies import VERSION as FORM
from daybook.store.expressions import Condition, absent, equals
from daybook.store.requests import Update

CODEC = Codec(version=1)

TRIES = 10
"""How often something is tried anew when others keep changing the same state."""

VERSION = "version"
LAST = "last"
RESTORED_FROM = "restored_from"
_UPDATED_AT = "updated_at"
_CONTENT = (FORM, BODY, BODY_OBJECT)

WRITERS = tuple(f"w{age}" for age in range(8))
"""Tokens of those who wrote the version that stands, the one before it, and so on."""

_NOBODY = "-"

_TOKEN = re.compile(r"[0-9a-f]{12}")


def new_token() -> str:
    """Return a random token, by which a writer knows its own write again."""
    return secrets.token_hex(6)


def checked_token(token: str) -> str:
    """Return the token, or raise InvalidInputError if `new_token` cannot have made it."""
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise InvalidInputError(f"{token!r:.60} is not a token: use twelve hexadecimal digits")
    return token


def first_version(
    store: Store, agent_id: str, data: JsonObject, token: str, now: datetime
) -> Item:
    """Return the item of version 1."""
    writers = dict.fromkeys(WRITERS, _NOBODY) | {WRITERS[0]: token}
    item = keys.current_state(agent_id) | _stamp(1, now) | writers
    return pack(store, CODEC, keys.state_body(agent_id, 1, token), item, data)


def content(store: Store, agent_id: str, version: int, data: JsonObject, token: str) -> Item:
    """Return the attributes that hold the data, which is put into the bucket if it is large.

    Raises BodyTooLargeError when there is no bucket.
    """
    beside = dict.fromkeys(WRITERS, token) | _stamp(version, store.clock())
    beside |= keys.current_state(agent_id) | {LAST: checkpoint_id(version, 0, token)}
    return content_of(pack(store, CODEC, keys.state_body(agent_id, version, token), beside, data))


def content_of(item: Item) -> Item:
    """Return the attributes of an item that hold its data, to be put into another one."""
    return {name: item[name] for name in _CONTENT if name in item}


def next_version(
    agent_id: str,
    version: int,
    held: Item,
    *,
    token: str,
    now: datetime,
    unmoved: Condition | None = None,
    restored_from: str | None = None,
) -> Update:
    """Return the write of the version after this one, on condition that this one stands.

    `held` are the attributes of its data; without any, the data stays as it is.
    """
    removes = [name for name in (BODY, BODY_OBJECT) if held and name not in held]
    values = _stamp(version + 1, now) | {WRITERS[0]: token} | held
    if restored_from is None:
        removes.append(RESTORED_FROM)
    else:
        values[RESTORED_FROM] = restored_from
    return Update(
        table=STATE,
        key=keys.current_state(agent_id),
        values=values,
        # the oldest first: right also where a move sees what the move before it has done
        moves=dict(reversed(list(zip(WRITERS[1:], WRITERS, strict=False)))),
        removes=removes,
        condition=unmoved or equals(VERSION, version),
    )


def unmoved(item: Item) -> Condition:
    """Hold when neither the state nor its last checkpoint is another than in this item."""
    last = item.get(LAST)
    return equals(VERSION, item[VERSION]) & (equals(LAST, last) if last else absent(LAST))


def wrote(item: Item, version: int, token: str) -> bool | None:
    """Whether the writer with this token wrote this version, or None if that is too long ago."""
    age = version_of(item) - version
    if age < 0:
        return False
    return item.get(WRITERS[age]) == token if age < len(WRITERS) else None


def version_of(item: Item) -> int:
    """Return the version of an item; 0 if there is none."""
    return int(item.get(VERSION, 0))


def next_checkpoint_id(item: Item) -> str:
    """Return an id for a checkpoint of this state, greater than all that were taken before."""
    version, last = version_of(item), item.get(LAST)
    number = 0
    if last is not None:
        of_version, of_number = version_and_number(str(last))
        number = of_number + 1 if of_version == version else 0
    return checkpoint_id(version, number, new_token())


def read_current(store: Store, agent_id: str) -> tuple[Item, AgentState] | None:
    """Return the agent's item and the state in it, or None if it has none. One request.

    An object that is gone because its version has been superseded meanwhile makes no fault.
    """
    item = store.get(STATE, keys.current_state(agent_id))
    while item is not None:
        try:
            return item, read_state(store, item)
        except (BodyMissingError, AccessDeniedError):
            # to those who may not list a bucket, S3 says that they may not read what is missing
            fresh = store.get(STATE, keys.current_state(agent_id)) or {}
            if fresh.get(BODY_OBJECT) == item.get(BODY_OBJECT):
                raise
            item = fresh
    return None


def read_state(store: Store, item: Item) -> AgentState:
    """Return the state of an item. Raises BodyMissingError or BodyCorruptError."""
    restored_from = item.get(RESTORED_FROM)
    return make_state(
        str(item["pk"]),
        version_of(item),
        unpack(store, CODEC, item),
        moment_of(int(item[_UPDATED_AT])),
        str(restored_from) if restored_from else None,
    )


def make_state(
    agent_id: str,
    version: int,
    data: JsonObject,
    updated_at: datetime,
    restored_from: str | None = None,
) -> AgentState:
    """Return a state of data that was decoded from JSON, which megabytes need not prove again."""
    return AgentState.model_construct(
        agent_id=agent_id,
        version=version,
        data=data,
        updated_at=updated_at,
        restored_from=restored_from,
    )


def moved_on(agent_id: str, expected: int, found: int, *, unsure: bool = False) -> StaleStateError:
    """Return the error for a writer that has not seen the version that stands."""
    seen = f"version {expected}" if expected else "no version"
    stands = f"version {found} stands" if found else "there is none"
    fate = "nothing was written"
    if unsure:
        fate = (
            f"either nothing was written, or this was version {expected + 1} and others have "
            f"followed it, and that can no longer be told"
        )
    return StaleStateError(
        f"the state of {agent_id!r} was to follow {seen}, and {stands}: {fate}. Read it with "
        "load_state(), and decide anew",
        found,
    )


def contended(agent_id: str, what: str, found: int) -> StaleStateError:
    """Return the error for something that others got in the way of again and again."""
    return StaleStateError(
        f"others changed the state of {agent_id!r} {TRIES} times in a row, and it could not be "
        f"{what}: nothing was written. Try again",
        found,
    )


def _stamp(version: int, now: datetime) -> Item:
    return {VERSION: version, _UPDATED_AT: microseconds(now)}

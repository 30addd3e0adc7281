"""What is known of an agent's decision types, as items: copied on write, never overwritten.

The head of the learning job names the items that make up what is known now. A run writes
those parts that changed under a stamp of its own, and they count from the moment the head
names them; so a run that dies half-way has changed nothing, and undoing a run is naming the
parts of before.
"""

from collections.abc import Iterable, Iterator, Mapping

from daybook.errors import BodyCorruptError
from daybook.store import MEMORY, Store, codec, keys
from daybook.store.expressions import begins_with, equals

_PART = "part"

_PIECE = "+"
_PIECE_BYTES = 350_000
"""An item holds 400 KB; a larger part goes on in `name+1`, `name+2`, and so on."""

Manifest = dict[str, dict[str, str]]
"""Decision type to part (or a further piece of it) to the stamp of its writer."""

Address = tuple[str, str, str]
"""Stamp, decision type and part."""


def load(
    store: Store, agent_id: str, manifest: Manifest, kinds: Iterable[str]
) -> dict[str, dict[str, bytes]]:
    """Return the parts of these decision types, by type and name."""
    wanted = {
        (stamp, kind, name): keys.knowledge(agent_id, stamp, kind, name)
        for kind in kinds
        for name, stamp in manifest.get(kind, {}).items()
    }
    found = {i["sk"]: i for i in store.fetch(MEMORY, wanted.values())} if wanted else {}
    pieces: dict[tuple[str, str], dict[int, bytes]] = {}
    for (_, kind, piece), key in wanted.items():
        packed = found.get(key["sk"], {}).get(_PART)
        if not isinstance(packed, bytes):
            raise BodyCorruptError(
                f"what {agent_id} knows of {kind} lacks the part {piece!r} that its head names"
            )
        name, _, number = piece.partition(_PIECE)
        pieces.setdefault((kind, name), {})[int(number or 0)] = packed
    parts: dict[str, dict[str, bytes]] = {}
    for (kind, name), numbered in pieces.items():
        whole = b"".join(numbered[number] for number in sorted(numbered))
        parts.setdefault(kind, {})[name] = codec.inflated(whole)
    return parts


def save(
    store: Store,
    agent_id: str,
    stamp: str,
    manifest: Manifest,
    before: Mapping[str, Mapping[str, bytes]],
    after: Mapping[str, Mapping[str, bytes]],
) -> Manifest:
    """Write the parts that changed, and return the manifest that names them."""
    items = []
    changed = {kind: dict(names) for kind, names in manifest.items()}
    for kind, parts in after.items():
        standing = before.get(kind, {})
        same = {name for name, part in parts.items() if standing.get(name) == part}
        stamps = {
            piece: written
            for piece, written in changed.get(kind, {}).items()
            if piece.partition(_PIECE)[0] in same
        }
        for name in parts.keys() - same:
            for piece, packed in _pieces(name, codec.deflated(parts[name])):
                stamps[piece] = stamp
                items.append(keys.knowledge(agent_id, stamp, kind, piece) | {_PART: packed})
        changed[kind] = dict(sorted(stamps.items()))
    store.put_all(MEMORY, items)
    return changed


def superseded(before: Manifest, after: Manifest) -> list[Address]:
    """Return the parts that the one manifest names and the other does not."""
    return sorted(_addresses(before) - _addresses(after))


def delete(store: Store, agent_id: str, addresses: Iterable[Address]) -> None:
    """Delete parts that nothing names any more."""
    gone = [keys.knowledge(agent_id, stamp, kind, name) for stamp, kind, name in addresses]
    store.delete_all(MEMORY, gone)


def sweep(store: Store, agent_id: str, version: int) -> None:
    """Delete what workers that died had written for a version which was never reached."""
    condition = equals("pk", agent_id) & begins_with("sk", keys.knowledge_for(version))
    left = store.query(MEMORY, condition, consistent=True)
    store.delete_all(MEMORY, [{"pk": item["pk"], "sk": item["sk"]} for item in left])


def _pieces(name: str, packed: bytes) -> Iterator[tuple[str, bytes]]:
    for number, start in enumerate(range(0, len(packed), _PIECE_BYTES)):
        piece = f"{name}{_PIECE}{number}" if number else name
        yield piece, packed[start : start + _PIECE_BYTES]


def _addresses(manifest: Manifest) -> set[Address]:
    return {
        (stamp, kind, name) for kind, names in manifest.items() for name, stamp in names.items()
    }

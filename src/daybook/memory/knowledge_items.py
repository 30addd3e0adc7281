"""What is known of an agent's decision types, as items: copied on write, never overwritten.

The head of the learning job names the items that make up what is known now. A run writes
those parts that changed under a stamp of its own, and they count from the moment the head
names them; so a run that dies half-way has changed nothing, and undoing a run is naming the
parts of before.
"""

from collections.abc import Iterable, Mapping

from daybook.errors import BodyCorruptError
from daybook.store import MEMORY, Store, codec, keys
from daybook.store.expressions import begins_with, equals

_PART = "part"

Manifest = dict[str, dict[str, str]]
"""Decision type to part to the stamp of its writer."""

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
    parts: dict[str, dict[str, bytes]] = {}
    for (_, kind, name), key in wanted.items():
        packed = found.get(key["sk"], {}).get(_PART)
        if not isinstance(packed, bytes):
            raise BodyCorruptError(
                f"what {agent_id} knows of {kind} lacks the part {name!r} that its head names"
            )
        parts.setdefault(kind, {})[name] = codec.inflated(packed)
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
        stamps = {name: changed.get(kind, {}).get(name, stamp) for name in parts}
        for name, part in parts.items():
            if standing.get(name) != part:
                stamps[name] = stamp
                key = keys.knowledge(agent_id, stamp, kind, name)
                items.append(key | {_PART: codec.deflated(part)})
        changed[kind] = stamps
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


def _addresses(manifest: Manifest) -> set[Address]:
    return {
        (stamp, kind, name) for kind, names in manifest.items() for name, stamp in names.items()
    }

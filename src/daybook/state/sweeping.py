"""Bodies in the bucket that neither the state nor a checkpoint needs any more: taken away."""

from daybook.state.state_items import LAST, VERSION, version_of
from daybook.store import STATE, Store, keys, objects
from daybook.store.bodies import BODY_OBJECT
from daybook.store.expressions import begins_with, equals


def sweep(store: Store, agent_id: str) -> int:
    """Delete the objects of versions that nothing points to; return how many.

    Two requests to the bucket and three to the table, one where the agent has no objects. Does
    nothing while others are writing: then a later sweep does.

    Why it is safe: only the current state and checkpoints point to objects, and each of them
    only ever takes its pointer from another. Whatever hands one on changes the state's version
    or its last checkpoint, so between two equal readings of these none is handed on. An object
    of a version that is yet to be written is left alone; one of a version that stands, or has
    stood, and that nothing points to can never be pointed to again. What has another name is
    not Daybook's, and stays.
    """
    if store.bucket is None:
        return 0
    names = objects.list_bodies(store.s3(), store.bucket, keys.state_bodies(agent_id))
    if not names:
        return 0
    before = store.get(STATE, keys.current_state(agent_id)) or {}
    condition = equals("pk", agent_id) & begins_with("sk", keys.checkpoints())
    used = {item.get(BODY_OBJECT) for item in store.query(STATE, condition, consistent=True)}
    after = store.get(STATE, keys.current_state(agent_id)) or {}
    if any(before.get(name) != after.get(name) for name in (VERSION, LAST)):
        return 0
    used.add(after.get(BODY_OBJECT))
    stood = version_of(after)
    versions = {name: keys.version_of_body(name) for name in names if name not in used}
    doomed = [name for name, of in versions.items() if of is not None and of <= stood]
    objects.delete_bodies(store.s3(), store.bucket, doomed)
    return len(doomed)

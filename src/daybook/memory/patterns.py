"""An agent's patterns: stored, read, listed by confidence, retired; every version is kept."""

from collections.abc import Callable, Sequence
from datetime import datetime

from daybook.errors import (
    ForeignPatternError,
    InvalidInputError,
    PatternConflictError,
    PatternNotFoundError,
)
from daybook.memory import pattern_items
from daybook.memory.pattern_items import MOST_RECIPIENTS, Standing, checked_pattern_id
from daybook.models import DecisionType, MemoryPattern
from daybook.models.decisions import checked_decision_type
from daybook.models.identity import checked_agent_id
from daybook.store import MEMORY, Store, keys
from daybook.store.expressions import at_least, begins_with, equals

TRIES = 5
"""How often a change is tried anew when others keep changing the same pattern."""


def store_pattern(store: Store, agent_id: str, pattern: MemoryPattern) -> MemoryPattern:
    """Store a pattern of this agent and return it as it stands.

    A new id is stored as it is given. An id that is there has to carry the version that
    stands; it becomes the next version, and the old one is kept. Storing what already stands
    changes nothing; who may see it is changed by share_pattern and unshare_pattern alone.
    Raises PatternConflictError when the pattern has changed since it was read,
    ForeignPatternError when it names another agent, and InvalidInputError when it is not valid.
    """
    if not isinstance(pattern, MemoryPattern):
        raise InvalidInputError(f"a pattern is a MemoryPattern, not {type(pattern).__name__}")
    pattern = MemoryPattern.checked(**dict(pattern))
    checked_pattern_id(pattern.pattern_id)
    if pattern.agent_id != agent_id:
        raise ForeignPatternError(
            f"the pattern is {pattern.agent_id!r}'s, and this is {agent_id!r}: an agent writes "
            "into its own memory only. Share it instead, with share_pattern()",
            [("agent_id", "is another agent")],
        )
    _check_recipients(pattern.agent_id, pattern.shared_with)

    def changed(standing: Standing | None) -> MemoryPattern:
        if standing is None or pattern == standing.pattern:
            return pattern
        made = pattern.model_copy(
            update={"created_at": standing.pattern.created_at, "version": pattern.version + 1}
        )
        if made == standing.pattern:
            return made  # handed in again, after an answer that was lost
        if pattern.version != standing.pattern.version:
            raise PatternConflictError(
                f"the pattern {pattern.pattern_id!r} is at version {standing.pattern.version}, "
                f"and this was made from version {pattern.version}: read it again, and change that"
            )
        if pattern.updated_at < standing.pattern.updated_at:
            raise PatternConflictError(
                f"the pattern {pattern.pattern_id!r} was refreshed with newer outcomes after this "
                "was read: read it again, and change that"
            )
        if set(pattern.shared_with) != set(standing.pattern.shared_with):
            raise PatternConflictError(
                f"the pattern {pattern.pattern_id!r} is shared with others than this says: read "
                "it again, and change that with share_pattern() and unshare_pattern()"
            )
        return made

    return _change(store, agent_id, pattern.pattern_id, changed)


def get_pattern(store: Store, agent_id: str, pattern_id: str) -> MemoryPattern:
    """Return a pattern of this agent, also a retired one. One request.

    Raises PatternNotFoundError.
    """
    standing = find(store, agent_id, pattern_id)
    if standing is None:
        raise _missing(agent_id, pattern_id)
    return standing.pattern


def list_patterns(
    store: Store,
    agent_id: str,
    min_confidence: float = 0.0,
    decision_type: DecisionType | str | None = None,
) -> list[MemoryPattern]:
    """Return the agent's live patterns of at least this confidence, the most confident first.

    One request for each decision type (more past 1 MB of patterns).
    """
    if isinstance(min_confidence, bool) or not isinstance(min_confidence, int | float):
        raise InvalidInputError(f"min_confidence is {min_confidence!r}: use a number from 0 to 1")
    if not 0 <= min_confidence <= 1:
        raise InvalidInputError(f"min_confidence is {min_confidence}: use a number from 0 to 1")
    kinds = list(DecisionType) if decision_type is None else [checked_decision_type(decision_type)]
    least = pattern_items.least_indexed(min_confidence)
    found = [
        pattern_items.read_pattern(store, item)
        for kind in kinds
        for item in store.query(
            MEMORY,
            equals("confidence_key", keys.type_key(agent_id, kind))
            & at_least("confidence", least),
            index=MEMORY.index("ConfidenceIndex"),
        )
    ]
    meant = [pattern for pattern in found if pattern.confidence >= min_confidence]
    return sorted(meant, key=by_confidence)


def retire_pattern(
    store: Store, agent_id: str, pattern_id: str, now: datetime | None = None
) -> MemoryPattern:
    """Take a pattern out of use, for good: learning does not bring it back.

    It makes a new version, and its history stays. Retiring it twice changes nothing. Raises
    PatternNotFoundError.
    """
    moment = now or store.clock()

    def retired(standing: Standing | None) -> MemoryPattern:
        if standing is None:
            raise _missing(agent_id, pattern_id)
        pattern = standing.pattern
        if pattern.retired_at is not None and standing.run is None:
            return pattern
        update = {"retired_at": moment, "updated_at": moment, "version": pattern.version + 1}
        return pattern.model_copy(update=update)

    return _change(store, agent_id, pattern_id, retired)


def pattern_history(store: Store, agent_id: str, pattern_id: str) -> list[MemoryPattern]:
    """Return every version of a pattern, the oldest first, as it stands last. Two requests.

    Raises PatternNotFoundError.
    """
    current = get_pattern(store, agent_id, pattern_id)
    versions = keys.pattern_versions(pattern_id)
    condition = equals("pk", agent_id) & begins_with("sk", versions)
    earlier = store.query(MEMORY, condition, consistent=True)
    return [*(pattern_items.read_pattern(store, item) for item in earlier), current]


def share_pattern(
    store: Store, agent_id: str, pattern_id: str, agents: Sequence[str]
) -> MemoryPattern:
    """Let these agents find a pattern of this one, besides those that can already.

    Makes no new version. Raises PatternNotFoundError, also for another agent's pattern, and
    InvalidInputError when there would be more than 90 recipients.
    """
    added = _listed(agents)
    _check_recipients(agent_id, added)

    def shared(standing: Standing | None) -> MemoryPattern:
        if standing is None:
            raise _missing(agent_id, pattern_id)
        if standing.pattern.retired_at is not None:
            raise PatternNotFoundError(
                f"the pattern {pattern_id!r:.80} of {agent_id!r} is retired: nobody is shown it"
            )
        recipients = list(dict.fromkeys([*standing.pattern.shared_with, *added]))
        _check_recipients(agent_id, recipients)
        return standing.pattern.model_copy(update={"shared_with": recipients})

    return _change(store, agent_id, pattern_id, shared, same_author=True)


def unshare_pattern(
    store: Store, agent_id: str, pattern_id: str, agents: Sequence[str]
) -> MemoryPattern:
    """Stop these agents from finding a pattern, at once. Raises PatternNotFoundError."""
    removed = set(_listed(agents))

    def unshared(standing: Standing | None) -> MemoryPattern:
        if standing is None:
            raise _missing(agent_id, pattern_id)
        left = [agent for agent in standing.pattern.shared_with if agent not in removed]
        return standing.pattern.model_copy(update={"shared_with": left})

    return _change(store, agent_id, pattern_id, unshared, same_author=True)


def find(store: Store, agent_id: str, pattern_id: str) -> Standing | None:
    """Return a pattern as it stands, or None. One request."""
    item = store.get(MEMORY, keys.pattern(agent_id, checked_pattern_id(pattern_id)))
    return pattern_items.read_standing(store, item) if item else None


def every_standing(store: Store, agent_id: str) -> dict[str, Standing]:
    """Return all of the agent's patterns as they are now, also retired ones, by their ids."""
    condition = equals("pk", agent_id) & begins_with("sk", keys.patterns())
    found = [
        pattern_items.read_standing(store, item)
        for item in store.query(MEMORY, condition, consistent=True)
    ]
    return {standing.pattern.pattern_id: standing for standing in found}


def by_confidence(pattern: MemoryPattern) -> tuple[float, str, str]:
    """Sort key: the most confident first, then by id."""
    return (-pattern.confidence, pattern.agent_id, pattern.pattern_id)


def _change(
    store: Store,
    agent_id: str,
    pattern_id: str,
    change: Callable[[Standing | None], MemoryPattern],
    *,
    same_author: bool = False,
) -> MemoryPattern:
    """Change a pattern as it stands; anew when somebody else has changed it meanwhile.

    Whoever changes what a pattern says is its author: a person, unless a run did.
    """
    for _ in range(TRIES):
        standing = find(store, agent_id, pattern_id)
        pattern = change(standing)
        if standing and pattern == standing.pattern:
            return pattern
        # checked again: a copy with changes is not
        whole = MemoryPattern.checked(**dict(pattern))
        run = standing.run if standing and same_author else None
        if store.transact(pattern_items.writes(store, standing, whole, run)):
            return whole
        written = find(store, agent_id, pattern_id)
        if written and written.pattern == whole:
            return whole  # by a try of ours whose answer was lost
    raise PatternConflictError(
        f"the pattern {pattern_id!r} was changed by others {TRIES} times in a row: try again"
    )


def _check_recipients(agent_id: str, agents: list[str]) -> None:
    if agent_id in agents:
        raise InvalidInputError(f"{agent_id!r} owns the pattern: share it with others")
    if len(agents) > MOST_RECIPIENTS:
        raise InvalidInputError(
            f"the pattern would be shared with {len(agents)} agents; the most is {MOST_RECIPIENTS}"
        )


def _listed(agents: object) -> list[str]:
    if not isinstance(agents, list | tuple | set | frozenset):
        raise InvalidInputError(f"agents is {agents!r:.60}: use a list of agent ids")
    return [checked_agent_id(agent) for agent in agents]


def _missing(agent_id: str, pattern_id: str) -> PatternNotFoundError:
    return PatternNotFoundError(
        f"{agent_id!r} has no pattern {pattern_id!r:.80}: list_patterns() tells which there are"
    )

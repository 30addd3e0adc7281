"""What one run learns: the knowledge of each decision type, loaded when a lesson needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING

from daybook.errors import MissingExtraError
from daybook.memory import knowledge_items
from daybook.memory.knowledge_items import Manifest
from daybook.memory.lessons import Joined, join
from daybook.memory.pattern_items import Standing
from daybook.memory.runs import Change
from daybook.models import DecisionType
from daybook.progress import Arrival
from daybook.store import Store

if TYPE_CHECKING:
    from daybook.memory.learning import Knowledge, LearningSettings, PatternChange


def engine() -> ModuleType:
    """Return the learning engine. Raises MissingExtraError when numpy is not installed."""
    try:
        from daybook.memory import learning  # noqa: PLC0415 - numpy is an extra
    except ModuleNotFoundError as fault:
        raise MissingExtraError(
            f"learning needs {fault.name}: pip install 'daybook-aws[learning]'"
        ) from fault
    return learning


@dataclass
class Classroom:
    """The knowledge that a run has read, and what it has added."""

    store: Store
    agent_id: str
    manifest: Manifest
    settings: "LearningSettings | None" = None
    outcomes: int = 0
    damaged: int = 0
    _before: dict[str, dict[str, bytes]] = field(default_factory=dict)
    _left_out_before: int = 0
    _known: "dict[str, Knowledge]" = field(default_factory=dict)

    def learn(self, arrivals: Sequence[Arrival]) -> None:
        """Learn from the outcomes among these, in their order."""
        learning = engine()
        lessons, damaged = join(self.store, self.agent_id, arrivals)
        self.damaged += damaged
        by_kind: dict[str, list[Joined]] = {}
        for lesson in lessons:
            by_kind.setdefault(lesson.decision_type, []).append(lesson)
        self._load(by_kind.keys() - self._known.keys())
        for kind, together in by_kind.items():
            self._known[kind].learn(
                learning.Lesson(
                    uuid=lesson.decision_id.uuid,
                    decided_at=lesson.decision_id.decided_at,
                    choices=lesson.choices,
                    context=lesson.context,
                    success=lesson.success,
                )
                for lesson in together
            )
        self.outcomes += len(lessons)

    @property
    def left_out(self) -> int:
        """Outcomes from which this run learned nothing: there are too many other choices."""
        return sum(known.left_out for known in self._known.values()) - self._left_out_before

    def changes(self, standings: Mapping[str, Standing], now: datetime) -> tuple[Change, ...]:
        """Return what the patterns should become, given all that is known now.

        `standings` are all of the agent's patterns. Those that a person retired stay so.
        """
        banned = {
            pattern_id
            for pattern_id, standing in standings.items()
            if standing.pattern.retired_at and standing.run is None
        }
        found: list[Change] = []
        for kind in sorted(self._known):
            # also those that learning has retired: found again, they go on with their history
            own = [
                standing.pattern
                for standing in standings.values()
                if standing.pattern.decision_type == kind
                and standing.pattern.pattern_id not in banned
            ]
            found += [
                change
                for each in engine().evolve(
                    self._known[kind],
                    sorted(own, key=lambda pattern: pattern.pattern_id),
                    agent_id=self.agent_id,
                    decision_type=DecisionType(kind),
                    now=now,
                    settings=self.settings or engine().LearningSettings(),
                    banned=banned,
                )
                if (change := _change(each, standings))
            ]
        return tuple(found)

    def save(self, stamp: str) -> Manifest:
        """Write the parts that changed, and return the manifest that names them."""
        after = {kind: known.dump() for kind, known in self._known.items()}
        return knowledge_items.save(
            self.store, self.agent_id, stamp, self.manifest, self._before, after
        )

    def _load(self, kinds: "set[str]") -> None:
        found = knowledge_items.load(self.store, self.agent_id, self.manifest, kinds)
        for kind in kinds:
            self._before[kind] = found.get(kind, {})
            self._known[kind] = engine().Knowledge.load(self._before[kind])
            self._left_out_before += self._known[kind].left_out


def _change(found: "PatternChange", standings: Mapping[str, Standing]) -> Change | None:
    """Return what the engine found as a change of what stands.

    An id that stands although the engine did not know of it keeps its history. None when a
    person has given the id to a pattern of another type, which is theirs.
    """
    before, after = found.before, found.after
    standing = standings.get(after.pattern_id)
    if before is None and standing is not None:
        if standing.pattern.decision_type != after.decision_type:
            return None
        before = standing.pattern
        history = {"version": before.version + 1, "created_at": before.created_at}
        after = after.model_copy(update=history)
    return Change(found.kind, before, after, found.reason)

"""What is known of one decision type of one agent: counts, and where they come from."""

import copy
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from daybook.errors import InvalidInputError
from daybook.memory.learning.lessons import Lesson, Value, features_of
from daybook.memory.learning.segments import Block, Segment, block_of, unit_of
from daybook.memory.learning.tuning import WARM_UP
from daybook.memory.learning.vocabulary import Vocabulary

FORMAT = 1
RECENT = 512
"""So many of the latest lessons are kept, to name a pattern's evidence from."""

_VOCABULARY = "vocabulary"


class Row(NamedTuple):
    """A lesson of the warm-up, kept whole; `unit` is its unit of time."""

    uuid: str
    unit: int
    choices: tuple[str, ...]
    values: dict[str, Value]
    success: bool


class Recent(NamedTuple):
    """One of the latest lessons: its slots by feature, and the numbers of its choices."""

    uuid: str
    slots: bytes
    choices: tuple[int, ...]
    success: bool


class Knowledge:
    """Counts of the lessons learned so far.

    Learning is a left fold: learning lessons in two parts, with a dump and a load between them
    or not, leaves exactly what learning them at once leaves. Memory is bounded by the constants
    of `tuning` and by the logarithm of the time covered, not by the number of lessons.
    """

    def __init__(self) -> None:
        self.vocabulary: Vocabulary | None = None
        self.segments: dict[Block, Segment] = {}
        self.newest = 0
        self.recent: list[Recent] = []
        self.looked_at: Counter[str] = Counter()
        self.looked_when = 0
        self._warming: list[Row] = []

    def learn(self, lessons: Iterable[Lesson]) -> None:
        """Count lessons, in the order in which they arrived."""
        rows = [
            Row(
                lesson.uuid,
                unit_of(lesson.decided_at),
                tuple(lesson.choices),
                features_of(lesson.context),
                bool(lesson.success),
            )
            for lesson in lessons
            if lesson.choices
        ]
        if self.vocabulary is None:
            missing = WARM_UP - len(self._warming)
            self._warming += rows[:missing]
            rows = rows[missing:]
            if len(self._warming) < WARM_UP:
                return
            self._settle()
        self._count(rows)

    def settled(self) -> "Knowledge":
        """Return this knowledge, or during the warm-up a copy that settles on what there is."""
        if self.vocabulary is not None:
            return self
        provisional = copy.copy(self)
        provisional.segments = {}
        provisional.recent = []
        provisional._settle()  # noqa: SLF001 - a copy of itself
        return provisional

    def look(self) -> None:
        """Remember what there is: a look at it is over. A dump is written after a look."""
        self.looked_at, self.looked_when = self.outcomes(), self.newest

    def outcomes(self) -> Counter[str]:
        """Return the number of outcomes by choice."""
        if self.vocabulary is None:
            return Counter(choice for row in self._warming for choice in set(row.choices))
        totals = sum((segment.totals.sum(1) for segment in self.segments.values()), np.zeros(1))
        return Counter(dict(zip(self.vocabulary.choices, totals.tolist(), strict=False)))

    @property
    def left_out(self) -> int:
        """Outcomes of choices beyond those that are learned about."""
        return self.vocabulary.left_out if self.vocabulary else 0

    def _settle(self) -> None:
        warming, self._warming = self._warming, []
        self.vocabulary = Vocabulary.settled(
            [row.values for row in warming], [row.choices for row in warming]
        )
        self._count(warming)

    def _count(self, rows: list[Row]) -> None:
        if not rows or self.vocabulary is None:
            return
        self.newest = max(self.newest, *(row.unit for row in rows))
        self._move_to_coarser_blocks()
        codes: dict[Block, list[list[int]]] = defaultdict(list)
        places: dict[Block, list[int]] = defaultdict(list)
        for row in rows:
            slots = self.vocabulary.codes(row.values)
            choices = self.vocabulary.places(row.choices)
            block = block_of(row.unit, self.newest)
            codes[block] += [slots] * len(choices)
            places[block] += [choice * 2 + row.success for choice in choices]
            named = bytes(max(slot, 0) for slot in slots)
            self.recent.append(Recent(row.uuid, named, tuple(choices), row.success))
        del self.recent[:-RECENT]
        for block, found in places.items():
            if found:
                segment = self.segments.setdefault(block, Segment())
                segment.count(np.array(found), np.array(codes[block]))

    def _move_to_coarser_blocks(self) -> None:
        for block in sorted(self.segments):
            wider = block_of(block.number << block.level, self.newest)
            if wider != block:
                segment = self.segments.pop(block)
                if wider in self.segments:
                    self.segments[wider].merge(segment)
                else:
                    self.segments[wider] = segment

    def dump(self) -> dict[str, bytes]:
        """Return the knowledge as named parts: a vocabulary, and one part a segment of time."""
        body = {
            "format": FORMAT,
            "newest": self.newest,
            "vocabulary": self.vocabulary.dump() if self.vocabulary else None,
            "warming": self._warming,
            "recent": [
                [recent.uuid, recent.slots.hex(), recent.choices, recent.success]
                for recent in self.recent
            ],
        }
        parts = {_VOCABULARY: json.dumps(body, separators=(",", ":")).encode()}
        for block, segment in sorted(self.segments.items()):
            parts[f"segment-{block.level}-{block.number}"] = segment.dump()
        return parts

    @classmethod
    def load(cls, parts: Mapping[str, bytes]) -> "Knowledge":
        """Read what `dump` returned; no parts are no knowledge. Raises InvalidInputError."""
        knowledge = cls()
        if not parts:
            return knowledge
        body: dict[str, Any] = json.loads(parts[_VOCABULARY])
        if body.get("format") != FORMAT:
            raise InvalidInputError(
                f"the stored knowledge has format {body.get('format')!r}, and this Daybook reads "
                f"format {FORMAT}: upgrade daybook-aws"
            )
        knowledge.newest = body["newest"]
        if body["vocabulary"] is not None:
            knowledge.vocabulary = Vocabulary.load(body["vocabulary"])
        knowledge._warming = [
            Row(uuid, unit, tuple(choices), values, success)
            for uuid, unit, choices, values, success in body["warming"]
        ]
        knowledge.recent = [
            Recent(uuid, bytes.fromhex(slots), tuple(choices), success)
            for uuid, slots, choices, success in body["recent"]
        ]
        for name in sorted(parts.keys() - {_VOCABULARY}):
            _, level, index = name.split("-")
            knowledge.segments[Block(int(level), int(index))] = Segment.load(parts[name])
        knowledge.look()
        return knowledge

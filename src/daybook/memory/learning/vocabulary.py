"""Which choices, features, categories and cut points are counted, and in which slot."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from daybook.memory.learning.lessons import Value
from daybook.memory.learning.tuning import CHOICES, FEATURES, SLOTS

RANGES = SLOTS - 1
REST = SLOTS - 1
"""The slot of categories beyond those that have their own."""

_LEAST_PRESENT = 0.05
_LEARNED_AT = 256
_MOST_WAITING = 32
_SWEPT_AFTER = 4096


class Feature:
    """One feature of the context: numeric with `edges`, or with `categories`; slot 0 is absent.

    Slot s of a number holds `edges[s-2] <= value < edges[s-1]`; slot s of a category is
    `categories[s-1]`. A value of the other kind counts as absent.
    """

    def __init__(self, path: str, edges: list[float] | None, categories: Sequence[Value]) -> None:
        self.path = path
        self.edges = edges
        self.categories = list(categories)
        self._slots = {category: slot for slot, category in enumerate(categories, 1)}

    @classmethod
    def of(cls, path: str, values: Sequence[Value]) -> "Feature | None":
        """Settle a feature from the values seen so far; None when they look like ids."""
        numbers = [value for value in values if isinstance(value, float)]
        if len(numbers) * 2 > len(values):
            ordered = np.sort(np.array(numbers))
            # the smallest value cannot be a cut: nothing lies below it
            at = [int(len(ordered) * part / RANGES) for part in range(1, RANGES)]
            edges = sorted({float(ordered[place]) for place in at} - {float(ordered[0])})
            if not edges and ordered[0] < ordered[-1]:
                edges = [float(ordered[ordered > ordered[0]][0])]
            return cls(path, edges, [])
        texts = Counter(value for value in values if not isinstance(value, float))
        if len(texts) >= REST and len(texts) * 2 > texts.total():
            return None
        ranked = sorted(texts, key=lambda text: (-texts[text], str(text)))
        return cls(path, None, ranked[: REST - 1])

    def slot(self, value: Value) -> int:
        """Return the slot of a value, giving a new category its own while there are any left."""
        if isinstance(value, float):
            return 0 if self.edges is None else bisect_right(self.edges, value) + 1
        if self.edges is not None:
            return 0
        slot = self._slots.get(value)
        if slot is None:
            if len(self.categories) >= REST - 1:
                return REST
            self.categories.append(value)
            slot = self._slots[value] = len(self.categories)
        return slot

    def known_slot(self, value: Value) -> int | None:
        """Return the slot of a category, or None when it has none of its own."""
        return self._slots.get(value)


class Vocabulary:
    """The choices and features of one decision type, in the order of their slots."""

    def __init__(self) -> None:
        self.choices: list[str] = []
        self.features: list[Feature] = []
        self.dropped: list[str] = []
        self.waiting: dict[str, list[Value]] = {}
        self.left_out = 0
        self.seen = 0

    @classmethod
    def settled(
        cls, rows: Sequence[Mapping[str, Value]], choices: Sequence[Sequence[str]]
    ) -> "Vocabulary":
        """Choose the features and choices from the first lessons: those that come up most."""
        vocabulary = cls()
        chosen = Counter(choice for several in choices for choice in dict.fromkeys(several))
        most = {choice for choice, _ in chosen.most_common(CHOICES)}
        vocabulary.choices = [choice for choice in chosen if choice in most]
        present = Counter(path for row in rows for path in row)
        for path in sorted(present, key=lambda path: (-present[path], path)):
            if present[path] >= _LEAST_PRESENT * len(rows):
                vocabulary._settle(path, [row[path] for row in rows if path in row])
        return vocabulary

    def codes(self, row: Mapping[str, Value]) -> list[int]:
        """Return the slot of each feature, -1 for those that do not exist yet; learns new ones."""
        self.seen += 1
        found = [
            feature.slot(row[feature.path]) if feature.path in row else 0
            for feature in self.features
        ]
        known = sum(slot > 0 for slot in found)
        if known < len(row) and len(self.features) < FEATURES:
            self._wait_for_new(row)
        return found + [-1] * (FEATURES - len(found))

    def places(self, choices: Sequence[str]) -> list[int]:
        """Return the numbers of the choices that are learned about."""
        found = []
        for choice in dict.fromkeys(choices):
            if choice not in self.choices and len(self.choices) < CHOICES:
                self.choices.append(choice)
            if choice in self.choices:
                found.append(self.choices.index(choice))
            else:
                self.left_out += 1
        return found

    def _wait_for_new(self, row: Mapping[str, Value]) -> None:
        settled = {feature.path for feature in self.features}.union(self.dropped)
        for path, value in row.items():
            if path in settled or (
                path not in self.waiting and len(self.waiting) >= _MOST_WAITING
            ):
                continue
            values = self.waiting.setdefault(path, [])
            values.append(value)
            if len(values) >= _LEARNED_AT:
                del self.waiting[path]
                self._settle(path, values)
        if self.seen % _SWEPT_AFTER == 0:
            self.waiting = {
                path: values
                for path, values in self.waiting.items()
                if len(values) >= _LEARNED_AT * _LEAST_PRESENT
            }

    def _settle(self, path: str, values: Sequence[Value]) -> None:
        feature = Feature.of(path, values)
        if feature is not None and len(self.features) < FEATURES:
            self.features.append(feature)
        elif len(self.dropped) < FEATURES:
            self.dropped.append(path)

    def dump(self) -> dict[str, Any]:
        """Return the vocabulary as JSON."""
        return {
            "choices": self.choices,
            "features": [[f.path, f.edges, f.categories] for f in self.features],
            "dropped": self.dropped,
            "waiting": self.waiting,
            "left_out": self.left_out,
            "seen": self.seen,
        }

    @classmethod
    def load(cls, body: Mapping[str, Any]) -> "Vocabulary":
        """Read what `dump` returned."""
        vocabulary = cls()
        vocabulary.choices = list(body["choices"])
        vocabulary.features = [Feature(*fields) for fields in body["features"]]
        vocabulary.dropped = list(body["dropped"])
        vocabulary.waiting = {path: list(values) for path, values in body["waiting"].items()}
        vocabulary.left_out = int(body["left_out"])
        vocabulary.seen = int(body["seen"])
        return vocabulary

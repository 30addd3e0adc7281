"""The regions of a feature that a condition can name, and conditions in words of slots."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from daybook.memory.learning.evidence import Floats
from daybook.memory.learning.lessons import as_float
from daybook.memory.learning.segments import EARLIER, LATER
from daybook.memory.learning.tuning import FEATURES, PAIRED, SLOTS
from daybook.memory.learning.vocabulary import Feature
from daybook.models.enums import ConditionOperator as Op
from daybook.models.patterns import PatternCondition

MOST_REGIONS = 2 * (SLOTS - 2)


@dataclass(frozen=True)
class Region:
    """Values of a feature below a cut, from a cut on, or of one category.

    `at` is the cut's number from 1, or the category's slot.
    """

    op: Op
    at: int

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """The slots [slot] inside."""
        slots: NDArray[np.intp] = np.arange(SLOTS)
        low, high = {Op.LT: (1, self.at), Op.GE: (self.at + 1, SLOTS)}.get(
            self.op, (self.at, self.at)
        )
        inside: NDArray[np.bool_] = (slots >= low) & (slots <= high)
        return inside


Place = tuple[tuple[int, Region], ...]
"""Regions of one or two features, by the features' numbers; none at all mean everywhere."""


class Regions:
    """All regions of all features, and the matrices that sum counts over them."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = list(features)
        self.of = [_regions_of(feature) for feature in self.features]
        self.numeric = np.zeros(FEATURES, np.bool_)
        self.numeric[: len(self.of)] = [f.edges is not None for f in self.features]
        self.masks: Floats = np.zeros((FEATURES, MOST_REGIONS, SLOTS))
        for number, regions in enumerate(self.of):
            for place, region in enumerate(regions):
                self.masks[number, place] = region.mask

    def sums(self, singles: Floats) -> Floats:
        """Sum [feature, slot] into [feature, region]."""
        sums: Floats = np.einsum("frs,fs->fr", self.masks, singles)
        return sums

    def pair_sums(self, pairs: Floats) -> Floats:
        """Sum [pair, slot, slot] into [pair, region, region]."""
        sums: Floats = self.masks[EARLIER] @ pairs @ self.masks[LATER].transpose(0, 2, 1)
        return sums

    def find(self, conditions: Sequence[PatternCondition]) -> Place | None:
        """Return the conditions as regions, cuts at the nearest edge; None if not countable."""
        numbers = {feature.path: number for number, feature in enumerate(self.features)}
        found: list[tuple[int, Region]] = []
        for condition in conditions:
            number = numbers.get(condition.feature)
            region = None if number is None else _region(self.features[number], condition)
            if number is None or region is None:
                return None
            found.append((number, region))
        features = [number for number, _ in found]
        alone = len(features) < 2  # noqa: PLR2004
        paired = len(set(features)) == len(features) == 2 and max(features) < PAIRED  # noqa: PLR2004
        return tuple(sorted(found, key=lambda term: term[0])) if alone or paired else None

    def conditions(self, found: Place) -> list[PatternCondition]:
        """Return regions of features as conditions, by feature path."""
        listed = []
        for number, region in found:
            feature = self.features[number]
            value = (
                feature.categories[region.at - 1]
                if feature.edges is None
                else feature.edges[region.at - 1]
            )
            listed.append(PatternCondition(feature=feature.path, op=region.op, value=value))
        return sorted(listed, key=lambda condition: condition.feature)


def _regions_of(feature: Feature) -> list[Region]:
    if feature.edges is None:
        return [Region(Op.EQ, slot) for slot in range(1, len(feature.categories) + 1)]
    cuts = range(1, len(feature.edges) + 1)
    return [Region(op, cut) for cut in cuts for op in (Op.LT, Op.GE)]


def _region(feature: Feature, condition: PatternCondition) -> Region | None:
    value = condition.value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if condition.op is Op.EQ:
        if number or feature.edges is not None:
            return None
        slot = feature.known_slot(value if not isinstance(value, int | float) else bool(value))
        return None if slot is None else Region(Op.EQ, slot)
    if not number or not feature.edges:
        return None
    cut = as_float(value)  # type: ignore[arg-type]
    nearest = int(np.argmin(np.abs(np.array(feature.edges) - cut)))
    return Region(condition.op, nearest + 1)

"""One effect gives one finding: one condition, two, or both while the evidence cannot tell."""

import numpy as np
import pytest

from daybook.memory.learning.evidence import ChoiceEvidence
from daybook.memory.learning.findings import Signature
from daybook.memory.learning.regions import Regions
from daybook.memory.learning.search import Search
from daybook.memory.learning.segments import PAIRS
from daybook.memory.learning.tuning import FEATURES, SLOTS, LearningSettings
from daybook.memory.learning.vocabulary import Feature

COLOURS = Feature("colour", None, ["red", "green", "blue", "grey"])
SIZES = Feature("size", None, ["small", "medium", "large", "huge"])
RED, SMALL = (0, "eq", 1), (1, "eq", 1)


def evidence(red_small: float, red_rest: float, n: int = 150, elsewhere: float = 0.5) -> Search:
    """Search 2,400 outcomes: red and small, red and not, and everything else, at these rates."""
    grid = np.zeros((2, SLOTS, SLOTS))
    grid[0, 1, 1:5] = [n, n / 3, n / 3, n / 3]
    grid[0, 2:5, 1:5] = 175
    grid[1] = grid[0] * elsewhere
    grid[1, 1, 1:5] = grid[0, 1, 1:5] * [red_small, red_rest, red_rest, red_rest]
    pairs = np.zeros((2, PAIRS, SLOTS, SLOTS))
    pairs[:, 0] = grid
    singles = np.zeros((2, FEATURES, SLOTS))
    singles[:, 0], singles[:, 1] = grid.sum(2), grid.sum(1)
    found = ChoiceEvidence(grid.sum((1, 2)), np.zeros(2), singles, pairs, 1.0)
    return Search(found, Regions([COLOURS, SIZES]), 1, LearningSettings())


def found(search: Search, known: tuple[Signature, ...] = ()) -> list[Signature]:
    """Return what the search finds, beside what is known."""
    search.known = set(known)
    return [finding.signature for finding in search.run()]


@pytest.mark.parametrize("rate", [0.7, 0.3])
def test_one_condition_needs_no_second(rate: float) -> None:
    """A second condition that changes nothing is not named."""
    assert found(evidence(rate, rate)) == [(RED,)]


def test_a_pair_is_not_named_by_half_of_it() -> None:
    """The single condition is not found where only both together do better."""
    assert found(evidence(0.85, 0.5)) == [(RED, SMALL)]


def test_both_are_named_while_the_evidence_cannot_tell() -> None:
    """Somewhat better with the second condition: neither is dropped."""
    assert found(evidence(0.78, 0.62)) == [(RED,), (RED, SMALL)]


def test_what_is_known_stays_a_little_longer() -> None:
    """A known pattern does not come and go with every outcome."""
    sure = evidence(0.81, 0.59)
    assert found(sure) == [(RED, SMALL)]
    assert found(sure, known=((RED,),)) == [(RED,), (RED, SMALL)]
    assert found(evidence(0.9, 0.5), known=((RED,),)) == [(RED, SMALL)]


def test_a_known_pair_is_dropped_once_nothing_speaks_for_its_second_condition() -> None:
    """The simpler pattern takes its place."""
    assert found(evidence(0.7, 0.7), known=((RED, SMALL),)) == [(RED,)]


def test_no_difference_and_few_outcomes_yield_nothing() -> None:
    """Neither the same rate everywhere nor too few outcomes."""
    assert found(evidence(0.5, 0.5)) == []
    few = evidence(0.9, 0.9)
    few.evidence = ChoiceEvidence(
        np.array([59.0, 30.0]), np.zeros(2), few.evidence.singles, few.evidence.pairs, 1.0
    )
    assert found(few) == []


def test_a_share_of_nothing_finds_nothing_new_and_keeps_what_is_known() -> None:
    """Between two milestones."""
    search = evidence(0.7, 0.7)
    search.share = 0.0
    assert found(search) == []
    assert found(search, known=((RED,),)) == [(RED,)]


def test_two_effects_give_two_findings() -> None:
    """The second is found once the first is explained."""
    search = evidence(0.7, 0.7)
    blue_huge = (0, 3, 4)
    search.evidence.pairs[1][blue_huge] = 175 * 0.8
    search.evidence.singles[1, 0, 3] += 175 * 0.3
    search.evidence.singles[1, 1, 4] += 175 * 0.3
    search.evidence.total[1] += 175 * 0.3
    assert set(found(search)) == {(RED,), ((0, "eq", 3), (1, "eq", 4))}

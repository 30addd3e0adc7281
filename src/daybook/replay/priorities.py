"""The formulas of prioritized replay: pure, over arrays."""

import numpy as np

from daybook.replay.sum_tree import Floats

FIRST_PRIORITY = 1.0
"""Of the first trajectory, whose loss nobody knows; later ones get the highest so far."""


def priorities_of(losses: Floats, alpha: float, epsilon: float) -> Floats:
    """Return `(|loss| + epsilon) ** alpha` (Schaul et al. 2016, section 3.3)."""
    priorities: Floats = (np.abs(losses) + epsilon) ** alpha
    return priorities


def importance_weights(probabilities: Floats, count: int, beta: float) -> Floats:
    """Return `(count * probability) ** -beta`, over the largest of them.

    They correct for unequal draws among `count` trajectories (Schaul et al. 2016, section 3.4),
    whatever the probabilities came from: also from sums that were out of date.
    """
    weights = (count * probabilities) ** -beta
    scaled: Floats = weights / weights.max()
    return scaled

"""The formulas of prioritized replay: pure, over arrays."""

import numpy as np

from daybook.replay.sum_tree import Floats

FIRST_LOSS = 1.0
"""As if of the first trajectory, whose loss nobody knows; later ones get the highest so far."""


def priorities_of(losses: Floats, alpha: float, epsilon: float) -> Floats:
    """Return `(|loss| + epsilon) ** alpha` (Schaul et al. 2016, section 3.3)."""
    priorities: Floats = (np.abs(losses) + epsilon) ** alpha
    return priorities


def importance_weights(probabilities: Floats, beta: float) -> Floats:
    """Return `(N * probability) ** -beta` over the largest of them, from which N cancels out.

    They correct for unequal draws (Schaul et al. 2016, section 3.4), whatever the probabilities
    came from: also from sums that were out of date.
    """
    scaled: Floats = (probabilities / probabilities.min()) ** -beta
    return scaled

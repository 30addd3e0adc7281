"""Training on trajectories: a tabular learner, and ways out to other trainers.

Needs the extra `replay` (numpy). Parquet needs `learning`, Minari `minari`; torch is used where it
is installed, and never asked for otherwise.
"""

from daybook.training.q_learner import QLearner, Replayed
from daybook.training.transitions import (
    Transition,
    episode,
    step_of,
    transition_of,
    transitions,
)

__all__ = [
    "QLearner",
    "Replayed",
    "Transition",
    "episode",
    "step_of",
    "transition_of",
    "transitions",
]

"""Training on trajectories: a tabular learner, and ways out to other trainers.

Needs the extra `replay` (numpy). Parquet needs `learning`, Minari `minari`; torch is used where it
is installed, and never asked for otherwise.
"""

import daybook.replay  # noqa: F401 - it says which extra is missing, before numpy is imported
from daybook.training.batches import TransitionBatch, batches, torch_batches
from daybook.training.jsonl import export_jsonl, read_jsonl
from daybook.training.minari_datasets import export_minari
from daybook.training.parquet import export_parquet, read_parquet
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
    "TransitionBatch",
    "batches",
    "episode",
    "export_jsonl",
    "export_minari",
    "export_parquet",
    "read_jsonl",
    "read_parquet",
    "step_of",
    "torch_batches",
    "transition_of",
    "transitions",
]

"""Experience replay: trajectories kept, drawn by priority, and trained on.

Needs the extra `replay` (numpy).
"""

from daybook.errors import MissingExtraError

try:
    import numpy as np  # noqa: F401
    import sortedcontainers  # noqa: F401
except ModuleNotFoundError as fault:
    raise MissingExtraError(
        f"experience replay needs {fault.name}: pip install 'daybook-aws[replay]'"
    ) from fault

from daybook.replay.batches import ReplayEntry, ReplayStatistics, SampledBatch
from daybook.replay.config import ReplayConfig, ReplayStrategy
from daybook.replay.in_memory import InMemoryReplay
from daybook.replay.in_tables import ReplayInTables

__all__ = [
    "InMemoryReplay",
    "ReplayConfig",
    "ReplayEntry",
    "ReplayInTables",
    "ReplayStatistics",
    "ReplayStrategy",
    "SampledBatch",
]

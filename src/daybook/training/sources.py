"""What can be exported: a buffer, or trajectories from anywhere."""

from collections.abc import Iterable, Iterator

from daybook.errors import InvalidInputError
from daybook.models.base import checked_kind
from daybook.models.trajectories import Trajectory
from daybook.replay_buffer import ReplayBuffer

Source = ReplayBuffer | Trajectory | Iterable[Trajectory]


def trajectories_of(source: Source) -> Iterator[Trajectory]:
    """Iterate the trajectories of a source: all of a buffer, one, or those of any iterable.

    Raises InvalidInputError for anything else, when it is met.
    """
    if isinstance(source, ReplayBuffer):
        yield from source.iterate_trajectories()
    elif isinstance(source, Trajectory):
        yield source
    elif not isinstance(source, Iterable):
        raise InvalidInputError(
            f"{source!r:.80} holds no trajectories: pass a ReplayBuffer, or an iterable of them"
        )
    else:
        for each in source:
            yield checked_kind(each, Trajectory, "trajectories, or a ReplayBuffer")

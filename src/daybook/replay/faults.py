"""What every backend of a buffer says when it cannot do what was asked."""

from daybook.errors import EmptyReplayError, TrajectoryConflictError, TrajectoryNotFoundError
from daybook.models.trajectories import Trajectory


def empty_replay() -> EmptyReplayError:
    """Return the error for a draw from nothing."""
    return EmptyReplayError("the replay buffer is empty: store trajectories first")


def no_trajectory(trajectory_id: str) -> TrajectoryNotFoundError:
    """Return the error for an id that stands for nothing."""
    return TrajectoryNotFoundError(
        f"there is no trajectory {trajectory_id!r:.80}: it was never stored here, or has made "
        "room for others"
    )


def check_same(given: Trajectory, standing: Trajectory) -> None:
    """Raise TrajectoryConflictError if another trajectory stands under the id of the one given."""
    if given != standing:
        raise TrajectoryConflictError(
            f"the trajectory {given.trajectory_id!r:.80} is stored already, and says something "
            "else: trajectories do not change, so store it under an id of its own"
        )

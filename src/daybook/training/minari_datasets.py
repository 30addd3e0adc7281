"""Trajectories as a Minari dataset, written by Minari itself: for offline learners that read it.

Needs the extra `minari`, which brings gymnasium: a dataset names the spaces of its environment.
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from daybook.errors import InvalidInputError, MissingExtraError
from daybook.models.json_values import JsonValue
from daybook.models.trajectories import Trajectory
from daybook.training.sources import Source, trajectories_of
from daybook.training.transitions import Transition, transitions


def export_minari(
    source: Source,
    dataset_id: str,
    *,
    environment: str | None = None,
    observation_space: Any = None,
    action_space: Any = None,
    description: str | None = None,
    author: str | None = None,
    algorithm_name: str | None = None,
    code_permalink: str | None = None,
) -> int:
    """Write trajectories as a Minari dataset, an episode each, and return how many.

    `minari.load_dataset(dataset_id)` reads it. `environment` is the id of the gymnasium
    environment; without one both spaces must be given. The steps of a trajectory must follow each
    other: each begins in the state in which the one before ended. One is in memory at a time, and
    the dataset takes its place when it is whole. Raises InvalidInputError for a dataset that
    exists, an id that is none, steps that do not fit the spaces, or no episodes at all;
    MissingExtraError; OSError.
    """
    minari, gymnasium = _libraries()
    spec = None
    if environment is not None:
        spec, observation_space, action_space = _spaces_of(
            gymnasium, environment, observation_space, action_space
        )
    if observation_space is None or action_space is None:
        raise InvalidInputError(
            "a Minari dataset names its spaces: give environment=, or both observation_space= "
            "and action_space="
        )
    target = _free_place(dataset_id)
    about = {
        "description": description,
        "author": {author} if author else None,
        "algorithm_name": algorithm_name,
        "code_permalink": code_permalink,
    }
    count = 0

    def episodes() -> Iterator[Any]:
        nonlocal count
        for trajectory in trajectories_of(source):
            yield _episode(minari, gymnasium, trajectory, observation_space, action_space)
            count += 1

    beside = target.with_name(f".{target.name}.{uuid4().hex}.new")
    beside.mkdir(parents=True)
    try:
        storage = minari.dataset.minari_storage.MinariStorage.new(
            beside / "data", observation_space, action_space, spec
        )
        named = {"dataset_id": dataset_id, "minari_version": minari.__version__}
        storage.update_metadata(named | {name: of for name, of in about.items() if of})
        first = next(found := episodes(), None)
        if first is None:
            raise InvalidInputError("there are no trajectories: a dataset holds at least one")
        storage.update_episodes(_after(first, found))
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return count


def _after(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _libraries() -> tuple[Any, Any]:
    try:
        import gymnasium  # noqa: PLC0415 - comes with the extra
        import h5py  # noqa: F401, PLC0415 - in which minari writes
        import minari  # noqa: PLC0415
        import minari.dataset.minari_storage  # noqa: PLC0415
        from PIL import Image  # noqa: F401, PLC0415 - which minari imports with h5py
    except ImportError as fault:
        raise MissingExtraError(
            f"a Minari dataset needs {fault.name}: pip install 'daybook-aws[minari]'"
        ) from fault
    return minari, gymnasium


def _spaces_of(
    gymnasium: Any, environment: str, observation_space: Any, action_space: Any
) -> tuple[Any, Any, Any]:
    try:
        made = gymnasium.make(environment)
    except gymnasium.error.Error as fault:
        raise InvalidInputError(f"gymnasium makes no {environment!r:.100}: {fault}") from None
    with made:
        seen = made.observation_space if observation_space is None else observation_space
        done = made.action_space if action_space is None else action_space
        return made.spec, seen, done


def _free_place(dataset_id: str) -> Path:
    """Return the folder of a new dataset, in its namespace."""
    from minari.dataset.minari_dataset import parse_dataset_id  # noqa: PLC0415
    from minari.namespace import create_namespace, list_local_namespaces  # noqa: PLC0415
    from minari.storage.datasets_root_dir import get_dataset_path  # noqa: PLC0415

    try:
        namespace, _, _ = parse_dataset_id(dataset_id)
        target = Path(get_dataset_path(dataset_id))
        if namespace and namespace not in list_local_namespaces():
            create_namespace(namespace)
    except (TypeError, ValueError) as fault:
        raise InvalidInputError(f"the dataset id {dataset_id!r:.100} is none: {fault}") from None
    if target.exists():
        raise InvalidInputError(
            f"a Minari dataset {dataset_id} is there already: give another version, or delete it "
            "with minari.delete_dataset"
        )
    return target


def _episode(
    minari: Any, gymnasium: Any, trajectory: Trajectory, observations: Any, actions: Any
) -> Any:
    """Return Minari's buffer of a trajectory: one observation more than there are actions."""
    steps = list(transitions(trajectory))
    where = f"the trajectory {trajectory.trajectory_id!r:.80}"
    if not steps:
        raise InvalidInputError(f"{where} has no steps: leave it out")
    seen = _states(steps, where)
    spaces = gymnasium.spaces
    return minari.data_collector.EpisodeBuffer(
        observations=_column(
            spaces,
            observations,
            [_sample(spaces, observations, state, f"{where}: the state") for state in seen],
        ),
        actions=_column(
            spaces,
            actions,
            [_sample(spaces, actions, step.action, f"{where}: the action") for step in steps],
        ),
        rewards=[step.reward for step in steps],
        terminations=[step.terminated for step in steps],
        truncations=[step.truncated for step in steps],
    )


def _states(steps: list[Transition], where: str) -> list[JsonValue]:
    """Return the states in which an episode was, from the first to the one after its last step."""
    states = [step.state for step in steps]
    for number, (step, state) in enumerate(zip(steps, states[1:], strict=False)):
        if step.next_state != state:
            raise InvalidInputError(
                f"{where}: step {number} ends in {step.next_state!r:.60} and the next one begins "
                f"in {state!r:.60}: in a Minari dataset each begins where the one before ended"
            )
    last = steps[-1]
    nothing_follows = last.terminated and last.next_state is None
    return [*states, last.state if nothing_follows else last.next_state]


def _sample(spaces: Any, space: Any, value: JsonValue, what: str) -> Any:
    """Return a JSON value as a member of a space."""
    made: Any = value
    try:
        match space:
            case spaces.Tuple():
                parts = zip(space.spaces, value, strict=True)
                made = tuple(_sample(spaces, each, part, what) for each, part in parts)
            case spaces.Dict():
                named = space.spaces.items()
                made = {name: _sample(spaces, each, value[name], what) for name, each in named}
            case spaces.Box() | spaces.MultiDiscrete() | spaces.MultiBinary():
                made = np.asarray(value, dtype=space.dtype)
            case _:
                pass
        is_member = space.contains(made)
    except (LookupError, TypeError, ValueError, OverflowError):
        is_member = False
    if not is_member:
        raise InvalidInputError(f"{what} {value!r:.60} is none of {space}")
    return made


def _column(spaces: Any, space: Any, samples: list[Any]) -> Any:
    """Return members of a space side by side, as Minari keeps them."""
    match space:
        case spaces.Tuple():
            each = zip(space.spaces, zip(*samples, strict=True), strict=True)
            return tuple(_column(spaces, part, list(column)) for part, column in each)
        case spaces.Dict():
            named: Mapping[str, Any] = space.spaces
            return {
                name: _column(spaces, part, [sample[name] for sample in samples])
                for name, part in named.items()
            }
        case spaces.Text():
            return list(samples)
        case _:
            return np.asarray(samples, dtype=space.dtype)

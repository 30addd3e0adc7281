"""Transitions as arrays: numpy's, and torch's where it is installed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybook.errors import InvalidInputError, MissingExtraError
from daybook.models.json_values import JsonValue
from daybook.training.sources import Source, trajectories_of
from daybook.training.transitions import Transition, transitions

Array = NDArray[Any]
Encode = Callable[[JsonValue], Any]

LARGEST_BATCH = 1_000_000


@dataclass(frozen=True, slots=True)
class TransitionBatch:
    """Transitions side by side: all have the batch's length first.

    `states` and `next_states` have the shape of a state after that, `actions` that of an action.
    `rewards` are float64, `terminated` and `truncated` bool.
    """

    states: Any
    actions: Any
    rewards: Any
    next_states: Any
    terminated: Any
    truncated: Any

    @property
    def dones(self) -> Any:
        """Where an episode ends, for whatever reason; only `terminated` ends what can be had."""
        return self.terminated | self.truncated

    def __len__(self) -> int:
        return len(self.rewards)


def batches(
    source: Source,
    size: int,
    *,
    encode_state: Encode | None = None,
    encode_action: Encode | None = None,
    drop_last: bool = False,
) -> Iterator[TransitionBatch]:
    """Iterate a source's transitions as arrays, `size` at a time, in their order.

    Numbers, texts, and lists of numbers become arrays as they are; for other states and actions
    say with `encode_state` and `encode_action` what array (or number) one is. The first batch
    decides types and shapes, and all have the same. The last batch may be smaller, unless
    `drop_last` leaves it out. A terminated step without a next state gets its own state there,
    which nothing looks at. Raises InvalidInputError.
    """
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= LARGEST_BATCH:
        raise InvalidInputError(f"size is {size!r:.60}: use a whole number, 1 to {LARGEST_BATCH}")
    return _batches(
        transitions(trajectories_of(source)),
        size,
        _Stack("state", encode_state),
        _Stack("action", encode_action),
        drop_last=drop_last,
    )


def torch_batches(
    source: Source,
    size: int,
    *,
    encode_state: Encode | None = None,
    encode_action: Encode | None = None,
    drop_last: bool = False,
) -> Iterator[TransitionBatch]:
    """Iterate what `batches` does as torch's tensors, which share the arrays' memory.

    Raises MissingExtraError where torch is not installed, InvalidInputError for texts that no
    `encode_…` turns into numbers.
    """
    try:
        import torch  # noqa: PLC0415 - not a dependency: used where it is there
    except ImportError as fault:
        raise MissingExtraError(
            "batches of tensors need torch, which is not installed: pip install torch, or take "
            "numpy's arrays from batches(…)"
        ) from fault
    found = batches(
        source,
        size,
        encode_state=encode_state,
        encode_action=encode_action,
        drop_last=drop_last,
    )
    return (_as_tensors(batch, torch.from_numpy) for batch in found)


def _as_tensors(batch: TransitionBatch, convert: Callable[[Array], Any]) -> TransitionBatch:
    for name in ("states", "actions"):
        if getattr(batch, name).dtype.kind == "U":
            raise InvalidInputError(
                f"the {name} are texts, of which there are no tensors: say with "
                f"encode_{name[:-1]} what number, or array, each is"
            )
    return TransitionBatch(
        states=convert(batch.states),
        actions=convert(batch.actions),
        rewards=convert(batch.rewards),
        next_states=convert(batch.next_states),
        terminated=convert(batch.terminated),
        truncated=convert(batch.truncated),
    )


def _batches(
    found: Iterator[Transition], size: int, states: "_Stack", actions: "_Stack", *, drop_last: bool
) -> Iterator[TransitionBatch]:
    while some := list(islice(found, size)):
        if drop_last and len(some) < size:
            return
        yield TransitionBatch(
            states=states.array([each.state for each in some]),
            actions=actions.array([each.action for each in some]),
            rewards=np.array([each.reward for each in some], dtype=np.float64),
            next_states=states.array([_next_state(each) for each in some]),
            terminated=np.array([each.terminated for each in some], dtype=np.bool_),
            truncated=np.array([each.truncated for each in some], dtype=np.bool_),
        )


def _next_state(transition: Transition) -> JsonValue:
    nothing_follows = transition.terminated and transition.next_state is None
    return transition.state if nothing_follows else transition.next_state


class _Stack:
    """Makes arrays of values, all of one type and shape."""

    def __init__(self, what: str, encode: Encode | None) -> None:
        self._what = what
        self._encode = encode
        self._dtype: np.dtype[Any] | None = None
        self._shape: tuple[int, ...] = ()

    def array(self, values: list[JsonValue]) -> Array:
        """Return values as one array."""
        stacked = self._stacked(values)
        if self._dtype is None:
            self._dtype, self._shape = stacked.dtype, stacked.shape[1:]
        if stacked.shape[1:] != self._shape:
            raise self._refusal(f"the shape {stacked.shape[1:]} after {self._shape}")
        if stacked.dtype.kind == self._dtype.kind == "U":
            return stacked  # texts of any length are one type
        if not np.can_cast(stacked.dtype, self._dtype, "safe"):
            raise self._refusal(f"{stacked.dtype} after {self._dtype}")
        return stacked.astype(self._dtype, copy=False)

    def _stacked(self, values: list[JsonValue]) -> Array:
        if self._encode is not None:
            values = [self._encode(value) for value in values]
        try:
            stacked = np.array(values)
        except (ValueError, OverflowError):
            raise self._refusal("arrays of several shapes") from None
        if stacked.dtype.kind == "U" and not all(isinstance(value, str) for value in values):
            # numpy would make texts of the numbers beside them
            raise self._refusal("texts and others together")
        if stacked.dtype.kind not in "biufU":
            raise self._refusal(f"{stacked.dtype}, such as {values[0]!r:.40}")
        return stacked

    def _refusal(self, found: str) -> InvalidInputError:
        return InvalidInputError(
            f"the {self._what}s make no array: they are {found}; say with encode_{self._what} "
            "what array of numbers each is"
        )

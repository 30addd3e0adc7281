"""`QTable`: what each action is worth in each state, and the one rule that changes it."""

from collections.abc import Iterator, Sequence

from daybook.errors import InvalidInputError
from daybook.models.json_values import JsonValue
from daybook.training.values import key_of, plain


class QTable:
    """A row of numbers for each state that was met: one for each action, in their order."""

    def __init__(self, actions: Sequence[JsonValue], initial_value: float) -> None:
        self.actions = _checked_actions(actions)
        self.initial_value = initial_value
        self.rows: dict[str, list[float]] = {}
        self._numbers = {key_of(action): number for number, action in enumerate(self.actions)}
        self._unmet = [initial_value] * len(self.actions)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[str, list[float]]]:
        return iter(self.rows.items())

    def row(self, state: object) -> list[float]:
        """Return what each action is worth in a state, which need not have been met."""
        return self.rows.get(key_of(plain(state, "the state")), self._unmet)

    def number(self, action: object) -> int:
        """Return the place of an action among all. Raises InvalidInputError."""
        found = self._numbers.get(key_of(plain(action, "the action")))
        if found is None:
            raise InvalidInputError(
                f"the action {action!r:.60} is unknown: this learner has {self._listed()}"
            )
        return found

    def error(
        self, state: JsonValue, action: int, target: float, future: float, next_state: JsonValue
    ) -> tuple[list[float], float]:
        """Return a state's own row, and by how much a target is over what it says.

        The temporal difference of Q-learning: `target + future * max Q(next_state) - Q(state,
        action)` (Watkins and Dayan, Q-learning, 1992). A `future` of 0 looks at no next state.
        """
        key = key_of(state)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = self._unmet.copy()
        if future:
            target += future * max(self.rows.get(key_of(next_state), self._unmet))
        return row, target - row[action]

    def _listed(self) -> str:
        return ", ".join(map(repr, self.actions[:20])) + (" …" if len(self.actions) > 20 else "")  # noqa: PLR2004


def _checked_actions(given: object) -> list[JsonValue]:
    if isinstance(given, str | bytes | dict):
        raise InvalidInputError(f"the actions are {given!r:.60}: give a list of them")
    try:
        actions = [plain(action, "the action") for action in given]  # type: ignore[attr-defined]
    except TypeError:
        raise InvalidInputError(f"the actions are {given!r:.60}: give a list of them") from None
    if not actions:
        raise InvalidInputError("there are no actions: give at least one")
    if len({key_of(action) for action in actions}) < len(actions):
        raise InvalidInputError(f"the actions {actions!r:.80} name one twice: each needs a name")
    return actions

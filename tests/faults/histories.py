"""Whether a history of state could have come from one writer after another.

A search after Wing and Gong ("Testing and verifying concurrent objects", 1993) with Lowe's
memory of what was tried ("Testing for linearizability", 2017): operations are put in an order
that respects who ended before whom began, and that a plain model of state and checkpoints
answers as the real one did.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple


class Operation(NamedTuple):
    """What was asked and answered, between two readings of one clock."""

    began: int
    ended: int
    verb: str
    asked: Any
    answer: Any


@dataclass(frozen=True)
class Model:
    """An agent's state and checkpoints, as they would be with one writer.

    A state is told by a number in it. `taken` are checkpoints by id; `replaced`, what rollbacks
    kept, by version.
    """

    version: int = 0
    held: int | None = None
    restored_from: str | None = None
    taken: dict[str, int] = field(default_factory=dict)
    replaced: dict[int, int] = field(default_factory=dict)

    def after(self, operation: Operation) -> "Model | None":
        """Return the model after an operation, or None if it would have answered otherwise."""
        step = getattr(self, f"_{operation.verb}")
        after: Model | None = step(operation.asked, operation.answer)
        return after

    def _load(self, _: Any, answer: Any) -> "Model | None":
        return self if answer == (self.version, self.held, self.restored_from) else None

    def _stale(self, expected: int, found: int) -> "Model | None":
        return self if found == self.version != expected else None

    def _save(self, asked: Any, answer: Any) -> "Model | None":
        expected, held = asked
        if (expected, expected + 1) != (self.version, answer):
            return None
        return replace(self, version=answer, held=held, restored_from=None)

    def _take_over(self, _: Any, answer: Any) -> "Model | None":
        if answer != (self.version + 1, self.held):
            return None
        return replace(self, version=self.version + 1, restored_from=None)

    def _checkpoint(self, _: Any, answer: Any) -> "Model | None":
        name, version, held = answer
        if (version, held) != (self.version, self.held) or name in self.taken:
            return None
        return replace(self, taken=self.taken | {name: held})

    def _rollback(self, asked: Any, answer: Any) -> "Model | None":
        name, expected = asked
        version, held, restored_from = answer
        wanted = max(self.taken, default=None) if name is None else name
        unexpected = expected not in {None, self.version}
        if wanted is None or unexpected or (restored_from, version) != (wanted, self.version + 1):
            return None
        if self._kept(wanted) != held or self.held is None:
            return None
        kept = self.replaced | {self.version: self.held}
        return Model(version, held, wanted, self.taken, kept)

    def _nothing(self, *_: Any) -> "Model | None":
        """Answer a rollback that found no checkpoint."""
        return None if self.taken else self

    def _get(self, name: str, held: int) -> "Model | None":
        return self if self._kept(name) == held else None

    def _list(self, _: Any, answer: Any) -> "Model | None":
        taken, replaced = answer
        return self if (taken, replaced) == (set(self.taken), set(self.replaced)) else None

    def _kept(self, name: str) -> int | None:
        return self.taken[name] if name in self.taken else self.replaced.get(int(name[:10]))


CHANGES = frozenset({"save", "take_over", "checkpoint", "rollback"})


def order(history: Sequence[Operation]) -> list[Operation] | None:
    """Return an order in which one writer after another would have got these answers."""
    operations = sorted(history)
    everything = (1 << len(operations)) - 1
    seen: set[int] = set()
    trail: list[tuple[int, Model, list[int]]] = [(0, Model(), [])]
    while trail:
        done, model, so_far = trail.pop()
        done, so_far = _answered(operations, done, model, so_far)
        if done == everything:
            return [operations[number] for number in so_far]
        # what has been done says where the model stands, so it is tried once
        if done in seen:
            continue
        seen.add(done)
        trail += [
            (done | 1 << number, after, [*so_far, number])
            for number in _next(operations, done)
            if operations[number].verb in CHANGES and (after := model.after(operations[number]))
        ]
    return None


def _answered(
    operations: list[Operation], done: int, model: Model, so_far: list[int]
) -> tuple[int, list[int]]:
    """Do whatever changes nothing and fits here: it can as well come now as later."""
    fits = True
    while fits:
        fits = False
        for number in _next(operations, done):
            if operations[number].verb not in CHANGES and model.after(operations[number]):
                done, so_far, fits = done | 1 << number, [*so_far, number], True
    return done, so_far


def _next(operations: list[Operation], done: int) -> Iterator[int]:
    """Yield what may come next: what began before any other that is left had ended."""
    ends: int | None = None
    # the lowest that is left: the ones in the first run of bits are done
    first = (~done & (done + 1)).bit_length() - 1
    found = []
    for number in range(first, len(operations)):
        operation = operations[number]
        if ends is not None and operation.began > ends:
            break
        if not done >> number & 1:
            found.append(number)
            ends = operation.ended if ends is None else min(ends, operation.ended)
    yield from (number for number in found if operations[number].began <= (ends or 0))

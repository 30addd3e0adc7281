"""Batches: cut to DynamoDB's limits, and what it leaves undone tried again, within bounds."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from daybook.errors import UnfinishedBatchError

GET_LIMIT = 100
WRITE_LIMIT = 25

Element = TypeVar("Element")
RequestItems = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Full jitter: before try n, sleep a random time up to `base * 2**n`, at most `cap`.

    Seconds. `sleep` and `draw` are there to be replaced in tests.
    """

    tries: int = 8
    base: float = 0.05
    cap: float = 5.0
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = random.random

    def pause(self, attempt: int) -> None:
        """Sleep before the next attempt; the first is attempt 0."""
        self.sleep(self.draw() * min(self.cap, self.base * 2**attempt))

    def attempts(self, tries: int | None = None) -> Iterator[int]:
        """Count tries from 0, `self.tries` unless told; sleep between them, not after the last."""
        for attempt in range(self.tries if tries is None else tries):
            if attempt:
                self.pause(attempt - 1)
            yield attempt


def cut(elements: Sequence[Element], limit: int) -> Iterator[Sequence[Element]]:
    """Cut a sequence into runs of at most `limit`."""
    for start in range(0, len(elements), limit):
        yield elements[start : start + limit]


def drain(
    send: Callable[[RequestItems], tuple[list[Any], RequestItems]],
    request: RequestItems,
    backoff: Backoff,
) -> list[Any]:
    """Send a batch until nothing of it is left, and return all that was answered.

    `send` returns what was answered and what was left undone. Raises UnfinishedBatchError,
    holding the rest, when `backoff.tries` tries in a row got nothing further.
    """
    answered: list[Any] = []
    attempt = 0
    while request:
        answers, rest = send(request)
        answered += answers
        attempt = 0 if _count(rest) < _count(request) else attempt + 1
        if attempt >= backoff.tries:
            raise UnfinishedBatchError(
                f"DynamoDB left {_count(rest)} of a batch undone {attempt} times in a row: it is "
                "throttling. Try those again later; they are in .unprocessed",
                [(table, left) for table, leftover in rest.items() for left in _parts(leftover)],
            )
        if rest:
            backoff.pause(attempt)
        request = rest
    return answered


def _parts(leftover: Any) -> list[Any]:
    return list(leftover["Keys"] if isinstance(leftover, dict) else leftover)


def _count(request: RequestItems) -> int:
    return sum(len(_parts(leftover)) for leftover in request.values())

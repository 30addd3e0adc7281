"""Clients that fail: a worker that dies at one of its calls, and one that is held up there."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class DeadError(Exception):
    """The worker is dead: from here on it neither reads nor writes."""


@dataclass
class CountingClient:
    """A DynamoDB client that counts its calls by name."""

    client: Any
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.client, name)
        if not callable(real):
            return real

        def call(**parameters: Any) -> Any:
            self.calls.append(name)
            return self.made(lambda: real(**parameters))

        return call

    def made(self, call: Callable[[], Any]) -> Any:
        """Make a call."""
        return call()


@dataclass
class DyingClient(CountingClient):
    """Dies at its n-th call (the first is 1), before it or after it has taken effect."""

    dies_at: int = 1
    after_effect: bool = False

    def made(self, call: Callable[[], Any]) -> Any:
        """Make a call, unless dead."""
        if len(self.calls) < self.dies_at:
            return call()
        if len(self.calls) == self.dies_at and self.after_effect:
            call()
        raise DeadError(f"at call {self.dies_at}")


@dataclass
class HeldClient(CountingClient):
    """Stops before each of the calls named in `holds_at`, until `go_on` is called."""

    holds_at: tuple[int, ...] = ()
    _held: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def made(self, call: Callable[[], Any]) -> Any:
        """Make a call, perhaps later."""
        if len(self.calls) in self.holds_at:
            self._held.release()
            self._free.acquire()
        return call()

    def wait_until_held(self, worker: threading.Thread) -> bool:
        """Wait until the worker stops at a call; False if it ended instead."""
        while not self._held.acquire(timeout=0.02):
            if not worker.is_alive():
                return self._held.acquire(blocking=False)
        return True

    def go_on(self) -> None:
        """Let the worker make the call."""
        self._free.release()


@dataclass
class RepeatingClient(CountingClient):
    """Makes each call twice and tells the second answer: the first one's was lost."""

    def made(self, call: Callable[[], Any]) -> Any:
        """Make a call, and again."""
        call()
        return call()

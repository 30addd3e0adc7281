"""Where the entries of a spool go in its tests: a list that can fail, hang and refuse."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from daybook.errors import StorageError, UnreachableError
from daybook.spool import Delivery, Entry, Refusal


@dataclass
class Sink:
    """Keeps what it is given. `open` lets deliveries through; until then they wait."""

    got: list[tuple[str, bytes]] = field(default_factory=list)
    careful: list[bytes] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    faults: list[StorageError] = field(default_factory=list)
    refuses: Callable[[Entry], bool] = lambda entry: entry.body == b"poison"
    open: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.open.set()

    def __call__(self, run: Sequence[Entry]) -> Delivery:
        """Deliver."""
        self.open.wait()
        with self._lock:
            if self.faults:
                return Delivery(fault=self.faults.pop(0), uncertain=True)
            refused = [Refusal(entry=each, reason="no") for each in run if self.refuses(each)]
            fine = [each for each in run if not self.refuses(each)]
            self.got += [(each.agent_id, each.body) for each in fine]
            self.careful += [each.body for each in run if each.careful]
            self.runs.append(len(run))
            return Delivery(delivered=fine, refused=refused)

    def bodies(self, agent_id: str) -> list[int]:
        """Return the numbers that an agent's entries carry, in the order of delivery."""
        return [int(body) for agent, body in self.got if agent == agent_id]


def unreachable(times: int) -> list[StorageError]:
    """Return as many faults of the network."""
    return [UnreachableError("no answer")] * times

"""Positions: up to where a job has dealt with an agent's arrivals, each of them once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from daybook.models.identity import microseconds, moment_of
from daybook.models.json_values import JsonObject
from daybook.progress.arrivals import Arrival

LAG = timedelta(minutes=2)
"""An arrival may become visible this long after the time that it carries.

A writer stamps it, then sends it, and retries for up to half a minute; an index follows its
table within seconds, and clocks differ by some.
"""

LONGEST_TAIL = 20_000
"""Arrivals of the last two minutes that a position can name; the rest waits for a later run."""


@dataclass(frozen=True)
class Position:
    """Whatever arrived before `settled` (microseconds) is done; later than that, `done` is.

    `settled` stays two minutes behind the clock, because an older arrival may still become
    visible. What is done already of those two minutes is named one by one: fingerprint to
    arrival time. So nothing waits for the two minutes to pass, and nothing is missed or
    done twice.
    """

    settled: int = 0
    done: Mapping[int, int] = field(default_factory=dict)

    @property
    def settled_at(self) -> datetime:
        """The moment up to which everything is done, in UTC."""
        return moment_of(self.settled)

    def is_done(self, arrival: Arrival) -> bool:
        """Whether the arrival has been dealt with."""
        return arrival.arrived_at < self.settled or arrival.fingerprint in self.done

    def after(self, arrivals: Sequence[Arrival], now: datetime) -> Self:
        """Return the position once these have been dealt with too.

        They are the oldest of those that are not done, in order.
        """
        if not arrivals:
            return self
        settled = max(self.settled, min(arrivals[-1].arrived_at, microseconds(now - LAG)))
        done = {name: at for name, at in self.done.items() if at >= settled}
        done |= {
            each.fingerprint: each.arrived_at for each in arrivals if each.arrived_at >= settled
        }
        return type(self)(settled, done)

    @property
    def document(self) -> JsonObject:
        """The position as JSON."""
        tail = sorted((at, name) for name, at in self.done.items())
        return {"settled": self.settled, "done": [[at - self.settled, name] for at, name in tail]}

    @classmethod
    def read(cls, document: JsonObject) -> Self:
        """Return the position from its JSON."""
        settled = int(document["settled"])
        return cls(settled, {name: settled + after for after, name in document["done"]})

    def new_among(self, arrivals: Iterable[Arrival], now: datetime) -> Iterator[Arrival]:
        """Iterate those not done, as far as the position can name what it passes."""
        border = microseconds(now - LAG)
        room = LONGEST_TAIL - len(self.done)
        for arrival in arrivals:
            if self.is_done(arrival):
                continue
            room -= arrival.arrived_at >= border
            if room < 0:
                return
            yield arrival

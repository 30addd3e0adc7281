"""What agents do in a month, as far as it costs: asked of a person, and checked."""

from typing import Annotated, Literal

from pydantic import Field

from daybook.models.base import Record

HOURS_A_MONTH = 730
"""AWS's own month, and the only one here: a twelfth of a year, 30.4 days."""

DAYS_A_MONTH = HOURS_A_MONTH / 24

Door = Literal["tables", "api"]

ACycle = Annotated[float, Field(ge=0, le=10_000)]
Kilobytes = Annotated[float, Field(gt=0, le=1_000)]


class Workload(Record, title="the workload"):
    """What each of so many agents does.

    Counts are of one agent. A cycle is what an agent does at a time: it loads its state, asks its
    inbox, recalls, decides, is told what came of the decisions of the cycle before, and saves its
    state. Sizes are kilobytes of JSON as an agent hands it in, at most 1,000: what is larger may
    go to the bucket, and is not priced here. `outcomes` is the share of decisions that get one.
    `recalls_per_cycle` is one for each decision unless it is given. A signal goes to one agent.
    `retention_days` is how many days of log there are: the stage's retention once it is reached,
    fewer before. `door` is the way in: to the tables, or through the API.
    """

    agents: Annotated[int, Field(ge=1, le=1_000_000)]
    cycles_per_day: Annotated[float, Field(gt=0, le=86_400)]
    decisions_per_cycle: Annotated[float, Field(gt=0, le=10_000)]
    decision_kb: Kilobytes = 4
    outcomes: Annotated[float, Field(ge=0, le=1)] = 1
    recalls_per_cycle: ACycle | None = None
    saves_per_cycle: ACycle = 1
    state_kb: Kilobytes = 4
    signals_per_cycle: ACycle = 1
    retention_days: Annotated[float, Field(gt=0, le=36_500)] = 365
    door: Door = "tables"

    @property
    def cycles(self) -> float:
        """Cycles of all agents in a month."""
        return self.agents * self.cycles_per_day * DAYS_A_MONTH

    @property
    def decisions(self) -> float:
        """Decisions of all agents in a month."""
        return self.cycles * self.decisions_per_cycle

    @property
    def recalls(self) -> float:
        """Recalls of all agents in a month."""
        if self.recalls_per_cycle is None:
            return self.decisions
        return self.cycles * self.recalls_per_cycle

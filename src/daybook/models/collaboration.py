"""Who tells whom how often, and how often that is acted on: a weighted, directed graph."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Annotated, Self

from pydantic import Field
from pydantic import model_validator as checks

from daybook.errors import InvalidInputError
from daybook.models.base import ListOf, Record
from daybook.models.identity import AgentId

Count = Annotated[int, Field(ge=0)]


class Exchange(Record, title="the exchange"):
    """How many signals one agent has sent to another, and how many of them were acted on."""

    sender: AgentId
    target: AgentId
    sent: Count
    acted_on: Count

    @checks(mode="after")
    def _fits_together(self) -> Self:
        if self.sender == self.target:
            raise InvalidInputError(
                f"{self.sender!r} tells itself something: leave that out, it is no collaboration"
            )
        if self.acted_on > self.sent:
            raise InvalidInputError(
                f"of {self.sent} signals from {self.sender!r} to {self.target!r} {self.acted_on} "
                "were acted on: that is more than were sent"
            )
        return self


class CollaborationGraph(Record, title="the graph"):
    """Exchanges between agents, at most one each way for a pair.

    `agents` names those who are there, so that the silent count, too; whoever has a part in an
    exchange need not be named.
    """

    exchanges: ListOf[Exchange]
    agents: ListOf[AgentId] = Field(default_factory=list)

    @checks(mode="after")
    def _has_one_of_each(self) -> Self:
        counted = Counter((each.sender, each.target) for each in self.exchanges)
        twice = [" to ".join(pair) for pair, count in counted.items() if count > 1]
        if twice:
            raise InvalidInputError(f"{twice[0]} is there more than once: add up the counts")
        return self

    @property
    def members(self) -> list[str]:
        """Everybody who is there, in the order of their names."""
        parts = ((each.sender, each.target) for each in self.exchanges)
        return sorted({*self.agents, *chain(*parts)})

    def merged(self, *others: "CollaborationGraph") -> "CollaborationGraph":
        """Return the sum of this graph and others: a bus's and the log of signals', say."""
        graphs = (self, *others)
        return summed(
            (each for graph in graphs for each in graph.exchanges),
            {agent for graph in graphs for agent in graph.agents},
        )


def summed(exchanges: Iterable[Exchange], agents: Iterable[str] = ()) -> CollaborationGraph:
    """Return the graph of exchanges in which a pair may come more than once."""
    sent: Counter[tuple[str, str]] = Counter()
    acted_on: Counter[tuple[str, str]] = Counter()
    for each in exchanges:
        sent[each.sender, each.target] += each.sent
        acted_on[each.sender, each.target] += each.acted_on
    return CollaborationGraph.checked(
        agents=sorted(agents),
        exchanges=[
            Exchange(sender=pair[0], target=pair[1], sent=sent[pair], acted_on=acted_on[pair])
            for pair in sorted(sent)
        ],
    )

"""`MultiAgentCoordinator`: who is there, for a program that looks after several agents."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from daybook import memory, signals
from daybook.client import AWSClientManager, client_manager_or_usual
from daybook.models import AgentCard, AgentSignal, MemoryPattern
from daybook.models.collaboration import CollaborationGraph
from daybook.models.identity import checked_agent_id
from daybook.signals import Directory


class MultiAgentCoordinator:
    """Registers agents, finds them by what they can do, and delivers signals.

    It writes into the partitions of many agents, so its role may not be confined to one. Without
    a client manager it uses that of `get_client_manager()`. Raises
    InvalidInputError for what is no client manager.
    """

    def __init__(self, client_manager: AWSClientManager | None = None) -> None:
        self.client_manager = client_manager_or_usual(client_manager)
        self.store = self.client_manager.store
        self._directory = Directory()

    def register(
        self, agent_id: str, capabilities: Sequence[str] = (), topics: Sequence[str] = ()
    ) -> AgentCard:
        """Enter an agent into the registry, or replace what is said of it there.

        It gets the signals that name it, those for its topics, and those for everybody. Raises
        InvalidInputError.
        """
        card = signals.register(self.store, agent_id, capabilities, topics)
        self._directory.forget()
        return card

    def heartbeat(self, agent_id: str) -> AgentCard:
        """Note that an agent is alive. Raises AgentNotRegisteredError."""
        return signals.heartbeat(self.store, agent_id)

    def unregister(self, agent_id: str) -> None:
        """Take an agent out of the registry. What it has been delivered stays till it expires."""
        signals.unregister(self.store, agent_id)
        self._directory.forget()

    def agents(
        self,
        alive_within: timedelta | float | None = None,
        capability: str | None = None,
        topic: str | None = None,
    ) -> list[AgentCard]:
        """Return the registered agents, in the order of their ids.

        `alive_within` is a timedelta or seconds; `capability` and `topic` leave out whoever has
        not got them.
        """
        return signals.list_agents(self.store, alive_within, capability, topic)

    def route(self, signal: AgentSignal | str) -> list[str]:
        """Deliver a signal, given itself or its id, to every target that does not have it yet.

        Returns the targets. It finishes what a sender that failed has begun, and can be repeated
        at will: nobody is given a signal twice. A signal that is not published yet is published.

        Raises SignalNotFoundError for an id that is not published, or has expired; and as
        publishing does for a signal: InvalidInputError when it has expired or is none,
        UnknownTargetError, and SignalConflictError when another one is published under its id.
        """
        if isinstance(signal, str):
            published = signals.get_signal(self.store, signal)
        else:
            published = signals.publish(self.store, signal, routed=True, directory=self._directory)
        return signals.route(self.store, published, self._directory)

    def get_collaboration(
        self,
        agents: Iterable[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> CollaborationGraph:
        """Return who has told whom how often by signals, of the registered agents or of these.

        Of signals made from `since` to `until`, which a day later are gone. When they count as
        acted on, and what this costs, `signals.read_collaboration` says. Raises InvalidInputError.
        """
        who = [card.agent_id for card in self.agents()] if agents is None else agents
        return signals.read_collaboration(self.store, who, since, until)

    def shared_patterns(self, agent_id: str) -> list[MemoryPattern]:
        """Return the patterns that other agents share with this one."""
        return memory.shared_patterns(self.store, checked_agent_id(agent_id))

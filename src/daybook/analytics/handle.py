"""The verb of numbers on an agent's handle: thin, over the functions of this room."""

from daybook.analytics.decision_stats import decision_stats
from daybook.analytics.summaries import DecisionStats
from daybook.doors import Handle, verb
from daybook.models import DecisionType


class StatisticsVerbs(Handle):
    """What an agent asks its log for in numbers."""

    @verb("GET", "/stats")
    def get_decision_stats(
        self, time_window_hours: float = 24, decision_type: DecisionType | None = None
    ) -> DecisionStats:
        """Return the statistics of this agent's decisions of the last hours."""
        return decision_stats(self.store, self.agent_id, time_window_hours, decision_type)

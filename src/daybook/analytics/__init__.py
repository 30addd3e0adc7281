"""What the log says in numbers."""

from daybook.analytics.decision_stats import decision_stats
from daybook.analytics.handle import StatisticsVerbs
from daybook.analytics.summaries import DecisionStats

__all__ = ["DecisionStats", "StatisticsVerbs", "decision_stats"]

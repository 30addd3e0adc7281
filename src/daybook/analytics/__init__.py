"""What the log says in numbers."""

from daybook.analytics.decision_stats import DecisionStats, decision_stats

__all__ = ["DecisionStats", "decision_stats"]

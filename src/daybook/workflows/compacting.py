"""`Compactor`: sessions compacted, measured, and learned from."""

from datetime import datetime

from daybook.errors import ConsolidationBusyError
from daybook.learner import PatternLearner
from daybook.memory.classroom import engine
from daybook.models.sessions import SessionMetrics
from daybook.sessions import SettlingReport
from daybook.workflows.memory import WorkflowMemory


class Compactor:
    """Compacts an agent's sessions; `CompactionService` is the same, awaited."""

    def __init__(self, workflows: WorkflowMemory) -> None:
        self.workflows = workflows

    def compact_session(
        self, session_id: str, namespace: str | None = None, extract_patterns: bool = False
    ) -> SessionMetrics:
        """Put a session's memories into one compressed item, and say what that saved.

        `namespace` labels the metrics: the tool's unless given. With `extract_patterns` the
        agent's log is consolidated then, and `patterns_extracted` counts the patterns that are
        new; it is 0 when a scheduled run is at it already. Raises MissingExtraError when that is
        asked for without numpy, before anything is done; SessionBusyError; BodyTooLargeError.
        """
        memory = self.workflows.memory
        if extract_patterns and memory.api is None:
            engine()
        named = self.workflows.namespace if namespace is None else namespace
        done = memory.compact_session(session_id, named)
        self.workflows.measures.compacted(done)
        if not extract_patterns:
            return done
        try:
            learned = PatternLearner(memory).consolidate().patterns_created
        except ConsolidationBusyError:
            learned = 0
        return done.model_copy(update={"patterns_extracted": learned})

    def compact_closed(self, now: datetime | None = None) -> SettlingReport:
        """Compact the sessions that are closed, or in which nothing happened for a day.

        For a schedule; what cannot be compacted is named in the report, and tried again.
        """
        report = self.workflows.memory.compact_closed(now, self.workflows.namespace)
        for done in report.settled:
            self.workflows.measures.compacted(done)
        return report

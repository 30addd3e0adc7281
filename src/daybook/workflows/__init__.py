"""Workflow memory: what was done for a type of task, how it went, and what to do next time."""

from daybook.models.workflows import LearningMetrics, TaskMetrics, TaskType, WorkflowPattern
from daybook.workflows.orchestrator import LearningOrchestrator, OrchestratedRun
from daybook.workflows.task_types import Classifier, infer_task_type
from daybook.workflows.tool import CompactionService, MemoryTool

__all__ = [
    "Classifier",
    "CompactionService",
    "LearningMetrics",
    "LearningOrchestrator",
    "MemoryTool",
    "OrchestratedRun",
    "TaskMetrics",
    "TaskType",
    "WorkflowPattern",
    "infer_task_type",
]

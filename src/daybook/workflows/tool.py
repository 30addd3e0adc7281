"""`MemoryTool` and `CompactionService`: workflow memory, awaited."""

from daybook.aio.awaiting import Awaiting, awaited
from daybook.memory_manager import MemoryManager
from daybook.metrics import Registry
from daybook.models.base import checked_kind
from daybook.workflows.compacting import Compactor
from daybook.workflows.memory import WorkflowMemory


class MemoryTool(Awaiting[WorkflowMemory]):
    """An agent's memory of workflows and sessions, for asyncio; the sync one is `.sync`.

    `namespace` labels the metrics, which go to the registry `metrics`, a new one unless given.
    Raises InvalidInputError when it is made of what is no MemoryManager.
    """

    def __init__(
        self,
        memory_manager: MemoryManager,
        *,
        namespace: str = "default",
        metrics: Registry | None = None,
    ) -> None:
        super().__init__(WorkflowMemory(memory_manager, namespace=namespace, metrics=metrics))

    @property
    def metrics(self) -> Registry:
        """The registry of its measures."""
        return self.sync.metrics

    store_workflow = awaited(WorkflowMemory.store_workflow)
    retrieve_workflow_patterns = awaited(WorkflowMemory.retrieve_workflow_patterns)
    get_best_workflow_for_task = awaited(WorkflowMemory.get_best_workflow_for_task)
    get_task_success_metrics = awaited(WorkflowMemory.get_task_success_metrics)
    get_learning_metrics = awaited(WorkflowMemory.get_learning_metrics)
    remember = awaited(WorkflowMemory.remember)
    read_session = awaited(WorkflowMemory.read_session)
    list_sessions = awaited(WorkflowMemory.list_sessions)
    close_session = awaited(WorkflowMemory.close_session)


class CompactionService(Awaiting[Compactor]):
    """Compacts an agent's sessions, for asyncio; the sync one is `.sync`.

    Raises InvalidInputError when it is made of what is no MemoryTool.
    """

    def __init__(self, memory_tool: MemoryTool) -> None:
        super().__init__(
            Compactor(checked_kind(memory_tool, MemoryTool, "MemoryTool(memory_manager)").sync)
        )

    compact_session = awaited(Compactor.compact_session)
    compact_closed = awaited(Compactor.compact_closed)

"""Runs stored by many at once, on DynamoDB Local, which is atomic."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

from daybook import AWSClientManager, MemoryManager
from daybook.workflows.memory import WorkflowMemory

THREADS = 8


def test_a_run_that_many_store_counts_once(database: AWSClientManager) -> None:
    """Under one id there is one decision, whoever was first; without an id each is its own."""
    agent_id = f"agent-{uuid4().hex}"
    together = Barrier(THREADS)

    def store(_: int) -> tuple[str, str]:
        workflows = WorkflowMemory(MemoryManager(agent_id, database))
        together.wait()
        one = workflows.store_workflow("testing", ["a"], True, 1.0, run_id="the same")
        return one, workflows.store_workflow("testing", ["b"], True, 1.0)

    with ThreadPoolExecutor(THREADS) as pool:
        stored = list(pool.map(store, range(THREADS)))
    assert len({one for one, _ in stored}) == 1
    found = WorkflowMemory(MemoryManager(agent_id, database))
    sizes = {p.workflow: p.sample_size for p in found.retrieve_workflow_patterns("testing")}
    assert sizes == {"a": 1, "b": THREADS}

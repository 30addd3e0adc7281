"""The awaited verbs are the sync ones, and their objects are made of what they should be."""

import asyncio
import inspect

import pytest

from daybook import CompactionService, InvalidInputError, MemoryManager, MemoryTool, Registry
from daybook.workflows.compacting import Compactor
from daybook.workflows.memory import WorkflowMemory


@pytest.mark.parametrize(
    ("edge", "sync"),
    [(MemoryTool, WorkflowMemory), (CompactionService, Compactor)],
    ids=["tool", "compaction"],
)
def test_each_verb_is_the_sync_one(edge: type, sync: type) -> None:
    """All of them, with their arguments and their words."""
    names = [n for n, m in vars(sync).items() if inspect.isfunction(m) and not n.startswith("_")]
    assert names
    for name in names:
        ours, theirs = getattr(edge, name), getattr(sync, name)
        assert inspect.iscoroutinefunction(ours)
        assert list(inspect.signature(ours).parameters) == list(
            inspect.signature(theirs).parameters
        )
        assert ours.__doc__ == theirs.__doc__


def test_they_are_made_of_what_they_should_be(daybook_memory: MemoryManager) -> None:
    """Anything else is refused at once."""
    for make in (MemoryTool, CompactionService):
        with pytest.raises(InvalidInputError):
            make("analyst")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="namespace"):
        MemoryTool(daybook_memory, namespace="")


def test_measures_are_by_namespace(daybook_memory: MemoryManager) -> None:
    """Compaction and reading are measured; compacting again saves nothing more."""
    registry = Registry()
    tool = MemoryTool(daybook_memory, namespace="desk", metrics=registry)
    compaction = CompactionService(tool)

    async def go() -> None:
        for number in range(100):
            await tool.remember("s", {"step": number, "said": "the same words each time"})
        done = await compaction.compact_session("s")
        measures = tool.sync.measures
        assert measures.ratio.value(namespace="desk") == done.compression_ratio > 0.4
        for _ in range(2):
            assert measures.saved.value(namespace="desk") == done.bytes_saved
            await compaction.compact_session("s")
        await compaction.compact_session("other", "elsewhere")
        assert measures.ratio.values() == {("desk",): done.compression_ratio, ("elsewhere",): 0}
        await tool.read_session("s")
        (known,) = measures.decompression.distributions().values()
        assert sum(known.counts) == 1
        assert known.total > 0

    asyncio.run(go())
    assert {measure.name for measure in registry} >= {
        "memory_compression_ratio",
        "memory_storage_bytes_saved_total",
        "memory_decompression_latency_ms",
        "memory_retrieval_accuracy",
    }


def test_accuracy_is_the_share_that_came_true(daybook_memory: MemoryManager) -> None:
    """A pattern of one half or more predicts success, another one failure."""
    measures = MemoryTool(daybook_memory).sync.measures
    assert measures.accuracy_of("default") is None
    for rate, success in ((0.9, True), (0.5, True), (0.9, False), (0.2, False)):
        measures.used("default", rate, success=success)
    assert measures.accuracy_of("default") == 0.75
    assert measures.accuracy.value(namespace="default") == 0.75

"""A workflow that another agent has learned, and shares."""

from collections.abc import Sequence

from daybook import AWSClientManager, MemoryManager, MemoryPattern, PatternCondition
from daybook.models.workflow_names import name_of


def share_a_workflow(
    manager: AWSClientManager, recipient: str, steps: Sequence[str], task_type: str = "testing"
) -> MemoryManager:
    """Have a friend of an agent share a pattern about these steps; return the friend."""
    friend = MemoryManager(f"{recipient}-friend", manager)
    now = friend.clock()
    pattern = MemoryPattern.checked(
        pattern_id="p",
        agent_id=friend.agent_id,
        pattern_type="success",
        decision_type="workflow_selection",
        choice=name_of(steps),
        conditions=[PatternCondition.checked(feature="task_type", op="eq", value=task_type)],
        success_rate=0.9,
        baseline_rate=0.5,
        sample_size=50,
        confidence=0.8,
        created_at=now,
        updated_at=now,
    )
    friend.store_pattern(pattern)
    friend.share_pattern("p", [recipient])
    return friend

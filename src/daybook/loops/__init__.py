"""Loops: agents that act by themselves, again and again, many in one process."""

from daybook.loops.bus import Message
from daybook.loops.loop import AgentLoop
from daybook.loops.restarts import RestartPolicy
from daybook.loops.supervisor import LoopSupervisor
from daybook.loops.tick import Tick
from daybook.loops.working_memory import WorkingMemoryConfig

__all__ = [
    "AgentLoop",
    "LoopSupervisor",
    "Message",
    "RestartPolicy",
    "Tick",
    "WorkingMemoryConfig",
]

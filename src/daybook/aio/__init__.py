"""For asyncio: the same verbs, awaited. The edge, and nothing but the edge."""

from daybook.aio.logger import AsyncDecisionLogger
from daybook.aio.memory import AsyncClaim, AsyncMemoryManager

__all__ = ["AsyncClaim", "AsyncDecisionLogger", "AsyncMemoryManager"]

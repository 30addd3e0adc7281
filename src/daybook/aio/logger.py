"""`AsyncDecisionLogger`: the words in which an agent logs and looks back, awaited."""

from daybook.aio.awaiting import Awaiting, awaited, iterated
from daybook.logger import DecisionLogger
from daybook.models.base import checked_kind

PAGE = 25


class AsyncDecisionLogger(Awaiting[DecisionLogger]):
    """A `DecisionLogger` for asyncio: `await log.log_decision(…)`; the sync one is `.sync`.

    Blocks need no other: `async with log.sync.deciding(…)`, and `@decision` on `async def`.
    Raises InvalidInputError when it is made of what is no DecisionLogger.
    """

    def __init__(self, logger: DecisionLogger) -> None:
        super().__init__(checked_kind(logger, DecisionLogger, "DecisionLogger(memory_manager)"))

    log_decision = awaited(DecisionLogger.log_decision)
    log_decisions = awaited(DecisionLogger.log_decisions)
    log_source_selection = awaited(DecisionLogger.log_source_selection)
    log_query_execution = awaited(DecisionLogger.log_query_execution)
    log_signal_generation = awaited(DecisionLogger.log_signal_generation)
    log_risk_assessment = awaited(DecisionLogger.log_risk_assessment)
    log_strategy_selection = awaited(DecisionLogger.log_strategy_selection)
    log_outcome = awaited(DecisionLogger.log_outcome)
    get_decision = awaited(DecisionLogger.get_decision)
    get_decision_chain = awaited(DecisionLogger.get_decision_chain)
    get_children = awaited(DecisionLogger.get_children)
    query_decisions = iterated(DecisionLogger.query_decisions, PAGE)
    page_decisions = awaited(DecisionLogger.page_decisions)
    get_decision_stats = awaited(DecisionLogger.get_decision_stats)

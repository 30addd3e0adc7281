"""What the easy way of logging costs in processor time, beside the same pair by hand.

The database is left out: `put_item` and `get_item` answer at once. Run with
`python -m bench.deciding`.
"""

import asyncio
import time
from collections.abc import Callable
from statistics import median
from typing import Any, cast

from bench.machine import describe
from daybook import AWSClientManager, DecisionLogger, DecisionType, MemoryManager, decision
from daybook.settings import Settings

KIND = DecisionType.RISK_ASSESSMENT
ROUNDS, CALLS = 15, 400
OPTIONS = ["half", "full"]
SCORES = {"half": 0.6, "full": 0.4}
CONTEXT = {"market": {f"SYM{n}": {"price": 100.5 + n, "trend": "up"} for n in range(20)}}


class Nowhere:
    """A database that takes everything at once, and keeps the last decision."""

    def __init__(self) -> None:
        self.last: dict[str, Any] = {}

    def put_item(self, **request: Any) -> dict[str, Any]:
        """Take an item."""
        if not request["Item"]["sk"]["S"].endswith("#O"):
            self.last = request["Item"]
        return {}

    def get_item(self, **_: Any) -> dict[str, Any]:
        """Give the last decision."""
        return {"Item": self.last}


def microseconds(work: Callable[[], object]) -> float:
    """Return the processor time of one call: the median of rounds, each a mean."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            work()
        rounds.append((time.process_time() - started) / CALLS * 1e6)
    return median(rounds)


def main() -> None:
    """Measure each way and print it."""
    manager = AWSClientManager(
        dynamodb=cast("Any", Nowhere()), settings=Settings(payload_bucket=None)
    )
    log = DecisionLogger(MemoryManager("a", manager))

    def by_hand() -> None:
        own = log.log_risk_assessment(OPTIONS, SCORES, "half", CONTEXT, 0.7)
        log.log_outcome(own, KIND, True, None, 12.5)

    def block() -> None:
        with log.deciding(KIND, options=OPTIONS, context=CONTEXT, confidence=0.7) as d:
            d.select("half", scores=SCORES)

    @decision(KIND, log=log, options=OPTIONS, confidence=0.7)
    def call(market: dict[str, Any]) -> str:
        return "half" if market else "full"

    async def async_block() -> None:
        async with log.deciding(KIND, options=OPTIONS, context=CONTEXT, confidence=0.7) as d:
            d.select("half", scores=SCORES)

    print(describe())
    hand = microseconds(by_hand)
    print(f"log_decision and log_outcome by hand  {hand:6.0f} µs")
    ways = {"with log.deciding": block, "@decision": lambda: call(CONTEXT["market"])}
    for name, work in ways.items():
        taken = microseconds(work)
        print(f"{name:36}  {taken:6.0f} µs  {taken - hand:+5.0f}")
    with asyncio.Runner() as runner:
        taken = microseconds(lambda: runner.run(async_block()))
        idle = microseconds(lambda: runner.run(asyncio.sleep(0)))
    print(f"{'async with log.deciding':36}  {taken - idle:6.0f} µs  {taken - idle - hand:+5.0f}")


if __name__ == "__main__":
    main()

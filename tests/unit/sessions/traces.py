"""Sessions as agents leave them: calls of tools, results, reasoning, all different."""

import random
from typing import Any
from uuid import UUID

_VERBS = ["looked up", "compared", "checked", "rejected", "kept", "computed", "sorted", "joined"]
_THINGS = [
    "the order book",
    "funding rates",
    "open interest",
    "the news feed",
    "wallet flows",
    "the yield curve",
    "option skew",
    "spreads",
    "the calendar",
    "volatility surfaces",
]
_WHY = [
    "because it moved first",
    "since the last one was stale",
    "to confirm the trend",
    "as the limit allows it",
    "before sizing the position",
    "although the sample is small",
]
_TOOLS = ["search", "sql", "fetch", "python", "notify"]
_PEOPLE = ["Ada", "Bo", "Chen", "Dara", "Emil", "Fatima", "Goran", "Hana"]


def trace(seed: int, memories: int) -> list[dict[str, Any]]:
    """Make the memories of a session: ids and numbers that never repeat, words as people use."""
    draw = random.Random(seed)  # noqa: S311 - no secrets here
    makers = (_call, _thought, _answer, _message)
    return [draw.choice(makers)(draw, step) | {"step": step} for step in range(memories)]


def _sentence(draw: random.Random) -> str:
    said = f"{draw.choice(_VERBS)} {draw.choice(_THINGS)} {draw.choice(_WHY)}"
    return f"{said}, {draw.choice(_VERBS)} {draw.choice(_THINGS)} ({draw.uniform(-9, 9):.4f})"


def _call(draw: random.Random, step: int) -> dict[str, Any]:
    return {
        "kind": "tool_call",
        "tool": draw.choice(_TOOLS),
        "call_id": str(UUID(int=draw.getrandbits(128))),
        "arguments": {
            "symbols": draw.sample(["BTC", "ETH", "SOL", "IBM", "AAPL", "XAU", "DAX"], 2),
            "since": f"2026-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}T{step % 24}:00",
            "limit": draw.randint(10, 5000),
        },
        "latency_ms": draw.lognormvariate(4, 1),
    }


def _thought(draw: random.Random, _: int) -> dict[str, Any]:
    return {"kind": "reasoning", "text": ". ".join(_sentence(draw) for _ in range(3))}


def _answer(draw: random.Random, _: int) -> dict[str, Any]:
    rows = [{"price": draw.uniform(10, 70_000), "size": draw.random()} for _ in range(4)]
    return {"kind": "tool_result", "call_id": str(UUID(int=draw.getrandbits(128))), "rows": rows}


def _message(draw: random.Random, _: int) -> dict[str, Any]:
    return {"kind": "message", "from": draw.choice(_PEOPLE), "text": f"I {_sentence(draw)}."}

"""What decisions may carry: contexts that are hard to keep, and everything at once."""

from typing import Any

from daybook import DecisionType

DEEP: dict[str, object] = {"leaf": [None, 0.1, "ende"]}
for level in range(20):
    DEEP = {f"level {level}": DEEP}

CONTEXTS = [
    {},
    {"market": {}},
    {"cycle": None, "market": {"empty": [], "nothing": None, "nested": {}}},
    {"market": {"btc_price": 45000.00, "tick": 0.1 + 0.2, "tiny": 5e-324, "huge": 1.7e308}},
    {"-0": -0.0, "big": 2**200, "negative": -(2**63) - 1, "true": True, "one": 1},
    {"ünïcödé 🙂": "日本語 \x00 \u2028 \U0001d518", "quotes": '"\\/\n\r\t'},
    DEEP,
]

EVERYTHING: dict[str, Any] = {
    "decision_type": DecisionType.STRATEGY_SELECTION,
    "options": ["a", "b"],
    "scores": {"a": 0.1, "b": -2.5},
    "selected": "a",
    "context": {"market": {"trend": "up"}, "cycle": 7},
    "confidence": 0.9,
    "patterns_applied": ("p1",),
    "rationale": "because",
    "session_id": "s",
    "tags": ("x", "y"),
    "agent_version": "v1",
    "propensity": 0.25,
}
"""All that a decision can carry, but a parent."""

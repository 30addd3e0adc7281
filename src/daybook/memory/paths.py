"""Dotted paths into a context, as in `market.trend`; keys may contain dots themselves."""

from collections.abc import Mapping
from typing import Any

ABSENT = object()
"""What is at a path where nothing is."""


def look_up(context: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, `ABSENT` if there is none.

    Each dot may end a key. At each level a key that is the whole rest of the path comes first,
    then the shortest key below which the rest is found.
    """
    waiting = [(context, 0)]
    seen = set()
    while waiting:
        node, start = waiting.pop()
        if (id(node), start) in seen:
            continue
        seen.add((id(node), start))
        if path[start:] in node:
            return node[path[start:]]
        below = []
        at = path.find(".", start)
        while at >= 0:
            inner = node.get(path[start:at])
            if isinstance(inner, Mapping):
                below.append((inner, at + 1))
            at = path.find(".", at + 1)
        waiting += reversed(below)
    return ABSENT

"""The collaboration graph: what it refuses, who is in it, and sums."""

from typing import Any

import pytest

from daybook import CollaborationGraph, Exchange, InvalidInputError


def told(sender: str, target: str, sent: int, acted_on: int = 0) -> Exchange:
    """Make an exchange."""
    return Exchange(sender=sender, target=target, sent=sent, acted_on=acted_on)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"target": "a"}, "tells itself"),
        ({"acted_on": 4}, "more than were sent"),
        ({"sent": -1}, "greater than or equal to 0"),
        ({"sent": 1.0}, "valid integer"),
        ({"sent": True}, "valid integer"),
        ({"sender": "no agent"}, "is not an agent id"),
    ],
    ids=["itself", "too many", "negative", "a float", "a truth", "no id"],
)
def test_exchanges_that_cannot_be(fields: dict[str, Any], match: str) -> None:
    """Each is refused in a sentence."""
    usual: dict[str, Any] = {"sender": "a", "target": "b", "sent": 3, "acted_on": 0}
    with pytest.raises(InvalidInputError, match=match):
        Exchange.checked(**usual | fields)


def test_a_pair_is_there_once_each_way() -> None:
    """The same way twice is refused; there and back is not."""
    both = CollaborationGraph(exchanges=[told("a", "b", 1), told("b", "a", 1)])
    assert both.members == ["a", "b"]
    with pytest.raises(InvalidInputError, match="a to b is there more than once: add up"):
        CollaborationGraph.checked(exchanges=[told("a", "b", 1), told("a", "b", 2)])


def test_members_are_the_named_and_whoever_takes_part() -> None:
    """Once each, in order."""
    graph = CollaborationGraph(exchanges=[told("b", "a", 1)], agents=["silent", "b"])
    assert graph.members == ["a", "b", "silent"]


def test_graphs_add_up() -> None:
    """Counts of a pair are summed, and everybody is kept."""
    one = CollaborationGraph(exchanges=[told("a", "b", 3, 1), told("b", "a", 1)], agents=["x"])
    two = CollaborationGraph(exchanges=[told("a", "b", 4, 4)], agents=["y"])
    total = one.merged(two)
    assert total.exchanges == [told("a", "b", 7, 5), told("b", "a", 1)]
    assert total.members == ["a", "b", "x", "y"]
    assert one.merged().exchanges == one.exchanges


def test_a_graph_survives_json() -> None:
    """It reads back equal."""
    graph = CollaborationGraph(exchanges=[told("a", "b", 3, 1)], agents=["x"])
    assert CollaborationGraph.model_validate_json(graph.model_dump_json()) == graph

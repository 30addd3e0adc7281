"""The symbiosis score: what holds for every graph, and what its parts are worth."""

import math
from itertools import combinations, permutations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daybook import CollaborationGraph, Exchange, InvalidInputError, symbiosis_score
from daybook.analytics.symbiosis import acted_on_share, balance, reciprocity

NAMES = ["a", "b", "c", "d", "e"]
COUNTS = st.integers(0, 50)


def graph_of(*told: tuple[str, str, int, int], agents: list[str] | None = None) -> Any:
    """Make a graph of sender, target, sent, acted on."""
    return CollaborationGraph(
        exchanges=[
            Exchange(sender=by, target=to, sent=sent, acted_on=acted_on)
            for by, to, sent, acted_on in told
        ],
        agents=agents or [],
    )


@st.composite
def graphs(draw: st.DrawFn) -> CollaborationGraph:
    """Draw a graph of up to five agents."""
    names = NAMES[: draw(st.integers(1, 5))]
    pairs = [pair for pair in permutations(names, 2) if draw(st.booleans())]
    told = []
    for by, to in pairs:
        sent = draw(COUNTS)
        told.append((by, to, sent, draw(st.integers(0, sent))))
    return graph_of(*told, agents=names)  # type: ignore[no-any-return]


@given(graphs())
def test_it_is_from_0_to_1(graph: CollaborationGraph) -> None:
    """So are its parts, and it is their geometric mean."""
    parts = [part(graph) for part in (reciprocity, balance, acted_on_share)]
    score = symbiosis_score(graph)
    assert all(0 <= part <= 1 for part in (*parts, score))
    assert score == pytest.approx(math.prod(parts) ** (1 / 3))


@given(graphs(), st.permutations(NAMES))
def test_names_do_not_matter(graph: CollaborationGraph, names: list[str]) -> None:
    """Renaming agents changes nothing, to the last bit; nor does the order of the exchanges."""
    called = dict(zip(NAMES, names, strict=True))
    renamed = CollaborationGraph(
        exchanges=[
            each.model_copy(update={"sender": called[each.sender], "target": called[each.target]})
            for each in reversed(graph.exchanges)
        ],
        agents=[called[name] for name in graph.agents],
    )
    assert symbiosis_score(renamed) == symbiosis_score(graph)


@given(graphs(), st.integers(1, 10**6))
def test_the_size_does_not_matter(graph: CollaborationGraph, times: int) -> None:
    """All counts times a number change nothing."""
    scaled = CollaborationGraph(
        exchanges=[
            each.model_copy(update={"sent": each.sent * times, "acted_on": each.acted_on * times})
            for each in graph.exchanges
        ],
        agents=graph.agents,
    )
    assert symbiosis_score(scaled) == symbiosis_score(graph)


@given(graphs(), st.data())
def test_acting_on_more_raises_it(graph: CollaborationGraph, data: st.DataObject) -> None:
    """One more signal acted on raises the score, if there is any answering at all."""
    open_ones = [n for n, each in enumerate(graph.exchanges) if each.acted_on < each.sent]
    assume(open_ones)
    chosen = data.draw(st.sampled_from(open_ones))
    exchanges = list(graph.exchanges)
    more = exchanges[chosen].acted_on + 1
    exchanges[chosen] = exchanges[chosen].model_copy(update={"acted_on": more})
    after = symbiosis_score(CollaborationGraph(exchanges=exchanges, agents=graph.agents))
    if reciprocity(graph) * balance(graph):
        assert after > symbiosis_score(graph)
    else:
        assert after == symbiosis_score(graph) == 0


@given(graphs())
def test_only_full_mutual_even_exchange_is_1(graph: CollaborationGraph) -> None:
    """A score of 1 means: as much each way, all agents alike, and everything acted on."""
    sent = {(each.sender, each.target): each.sent for each in graph.exchanges}
    mutual = all(count == sent.get((to, by), 0) for (by, to), count in sent.items())
    part = {
        name: sum(count for pair, count in sent.items() if name in pair) for name in graph.members
    }
    even = len(set(part.values())) == 1 and any(part.values())
    acted_on = all(each.acted_on == each.sent for each in graph.exchanges)
    assert (symbiosis_score(graph) == 1) == (mutual and even and acted_on)


@pytest.mark.parametrize("agents", [2, 3, 7, 100])
def test_full_mutual_even_exchange_is_1_exactly(agents: int) -> None:
    """Among few and among many, whatever the logarithms round to."""
    names = [f"agent-{number}" for number in range(agents)]
    told = [(by, to, 3, 3) for pair in combinations(names, 2) for by, to in (pair, pair[::-1])]
    assert symbiosis_score(graph_of(*told)) == 1


@pytest.mark.parametrize(
    "graph",
    [
        graph_of(),
        graph_of(agents=["alone"]),
        graph_of(agents=["a", "b"]),
        graph_of(("a", "b", 0, 0), ("b", "a", 0, 0)),
        graph_of(("a", "b", 9, 9)),
        graph_of(("a", "b", 9, 9), ("b", "c", 9, 9), ("c", "a", 9, 9)),
        graph_of(("a", "b", 9, 0), ("b", "a", 9, 0)),
    ],
    ids=["nobody", "one", "silence", "counts of 0", "one way", "a ring", "nothing acted on"],
)
def test_no_collaboration_is_0(graph: CollaborationGraph) -> None:
    """Without signals, without answers, or without anything acted on."""
    assert symbiosis_score(graph) == 0


def test_the_parts_by_hand() -> None:
    """R, B and A of a small graph, worked out by hand."""
    graph = graph_of(("a", "b", 6, 3), ("b", "a", 2, 2), ("a", "c", 2, 0), agents=["silent"])
    assert reciprocity(graph) == 4 / 10
    shares = [10 / 20, 8 / 20, 2 / 20]
    entropy = -sum(share * math.log(share) for share in shares)
    assert balance(graph) == pytest.approx(entropy / math.log(4))
    assert acted_on_share(graph) == 5 / 10


def test_silent_agents_lower_it() -> None:
    """Two that work together among five are less than two alone."""
    told = (("a", "b", 5, 5), ("b", "a", 5, 5))
    assert symbiosis_score(graph_of(*told, agents=NAMES)) < symbiosis_score(graph_of(*told)) == 1


@pytest.mark.parametrize("given_", [None, {}, [], "graph"])
def test_what_is_no_graph_is_refused(given_: Any) -> None:
    """The error says how one is made."""
    with pytest.raises(InvalidInputError, match="is no CollaborationGraph: pass"):
        symbiosis_score(given_)

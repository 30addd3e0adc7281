"""The symbiosis score: how well agents work together, going by who tells whom. Pure."""

import math
from collections import Counter

from daybook.models.base import checked_kind
from daybook.models.collaboration import CollaborationGraph


def symbiosis_score(graph: CollaborationGraph) -> float:
    """Return how well agents work together, from 0 (not at all) to 1.

    With s(i, j) signals from agent i to agent j, a(i, j) of them acted on, S the sum of all s,
    and n agents, silent ones included, it is the geometric mean of three shares,

        score = (R · B · A) ^ (1/3)

    - reciprocity  R = sum of min(s(i, j), s(j, i)) over all i and j, divided by S
    - balance      B = -(sum of p(i) ln p(i)) / ln n, where p(i) is the share of agent i in all
      signals, those it sent and those sent to it: (sum of s(i, j) + s(j, i) over j) / 2S
    - acted on     A = (sum of a) / S

    It is 0 if nobody tells anybody anything, if nobody is ever answered, or if nothing is acted
    on. It is 1 if and only if each pair says as much one way as the other, every agent has the
    same share, and everything is acted on; it does not ask that everybody talks with everybody.
    Other names, or all counts times a number, change nothing. When more of the same signals are
    acted on, it rises.

    R is the weighted reciprocity r of Squartini, Picciolo, Ruzzenenti and Garlaschelli,
    "Reciprocity of weighted networks" (Scientific Reports 3:2729, 2013). It is not corrected for
    chance as in Garlaschelli and Loffredo, "Patterns of link reciprocity in directed networks"
    (Physical Review Letters 93:268701, 2004): that can be negative, and is undefined where
    everybody talks with everybody. B is Pielou's evenness, Shannon's entropy divided by its
    largest value (Journal of Theoretical Biology 13:131-144, 1966). The geometric mean is that of
    the Human Development Index (UNDP, Human Development Report 2010, technical note 1): no part
    makes up for another that is missing.

    Raises InvalidInputError for what is no CollaborationGraph.

    >>> from daybook import CollaborationGraph, Exchange, symbiosis_score
    >>> def score(*told):
    ...     exchanges = [
    ...         Exchange(sender=by, target=to, sent=sent, acted_on=acted_on)
    ...         for by, to, sent, acted_on in told
    ...     ]
    ...     return round(symbiosis_score(CollaborationGraph(exchanges=exchanges)), 4)
    >>> score(("scout", "risk", 8, 8), ("risk", "scout", 8, 8))
    1.0
    >>> score(("scout", "risk", 12, 6), ("risk", "scout", 4, 2))  # R = 0.5, B = 1, A = 0.5
    0.63
    """
    checked_kind(graph, CollaborationGraph, "CollaborationGraph.checked(exchanges=[…])")
    return math.cbrt(reciprocity(graph) * balance(graph) * acted_on_share(graph))


def reciprocity(graph: CollaborationGraph) -> float:
    """Return the share of signals that is answered by as many the other way; 0 of none."""
    sent = {(each.sender, each.target): each.sent for each in graph.exchanges}
    returned = sum(min(count, sent.get((to, by), 0)) for (by, to), count in sent.items())
    return _share(returned, sum(sent.values()))


def balance(graph: CollaborationGraph) -> float:
    """Return how evenly agents have part in the signals, from 0 to 1; 0 of none.

    As 1 - (sum of p ln(n p)) / ln n, which is the same, and is 1 exactly when all are even.
    """
    parts: Counter[str] = Counter()
    for each in graph.exchanges:
        parts[each.sender] += each.sent
        parts[each.target] += each.sent
    agents, total = len(graph.members), parts.total()
    if not total:
        return 0.0
    active = [count for count in parts.values() if count]
    # fsum, so that the order of the agents, which is that of their names, does not matter
    away = math.fsum(count / total * math.log(agents * count / total) for count in active)
    return min(1.0, max(0.0, 1 - away / math.log(agents)))


def acted_on_share(graph: CollaborationGraph) -> float:
    """Return the share of signals that was acted on; 0 of none."""
    acted_on = sum(each.acted_on for each in graph.exchanges)
    return _share(acted_on, sum(each.sent for each in graph.exchanges))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0

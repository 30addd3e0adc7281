"""What the desk shows on the screen, once all is logged."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.tree import Tree

from daybook import DecisionRecord
from examples.trading_desk.agents import AGENTS, RISK, STRATEGIST
from examples.trading_desk.desk import Entry
from examples.trading_desk.portfolio import Curve
from examples.trading_desk.prices import NEW_YORK

NOTHING = "-"
EARNED = {STRATEGIST: "strategy_return", RISK: "desk_return"}
"""Which detail of an agent's outcome is what its choice earned."""


def table(title: str, *columns: str, words: int = 1) -> Table:
    """Return an empty table; the first columns hold words, the others numbers."""
    empty = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for place, name in enumerate(columns):
        empty.add_column(name, justify="left" if place < words else "right")
    return empty


def show_statistics(console: Console, stats: Mapping[str, Mapping[str, Any]]) -> None:
    """Show what `get_decision_stats` answers, a row for each agent and type."""
    numbers = ("made", "success", "conf.", "quality", "p50 ms", "p99 ms")
    shown = table("What the log says of each agent", "agent", "type", *numbers, words=2)
    for agent_id, answered in stats.items():
        for kind, row in answered["by_type"].items():
            shown.add_row(
                agent_id,
                kind,
                f"{row['total_decisions']:,}",
                _number(row["success_rate"], ".1%"),
                _number(row["avg_confidence"], ".2f"),
                _number(row["avg_quality_score"], ".2f"),
                _number(row["latency_ms"]["p50"], ".3f"),
                _number(row["latency_ms"]["p99"], ".3f"),
            )
    console.print(shown)
    console.print(
        "p50 and p99 are how long the agents thought, recalling included where they recall; not "
        "how long logging took. The scout's row came through the HTTP API.\n",
        style="dim",
    )


def show_choices(console: Console, entries: Iterable[Entry]) -> None:
    """Show what followed each choice of each agent."""
    numbers = ("times", "success", "quality", "market then", "earned")
    shown = table("What each choice was worth", "agent", "choice", *numbers, words=2)
    made: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        made.setdefault((entry.agent_id, entry.decision.selected[0]), []).append(entry)
    for agent_id, choice in sorted(made, key=_order(made)):
        chosen = made[agent_id, choice]
        shown.add_row(
            agent_id,
            choice,
            str(len(chosen)),
            f"{fmean(entry.outcome.success for entry in chosen):.1%}",
            f"{fmean(entry.outcome.quality_score or 0.0 for entry in chosen):.2f}",
            *(_average(chosen, detail) for detail in ("return", EARNED.get(agent_id, ""))),
        )
    console.print(shown)
    console.print(
        "Market then: the return of the symbol until the next decision. Earned: the strategist's "
        "on the money in the trade, the risk agent's on all of the desk's money.\n",
        style="dim",
    )


def show_worth(console: Console, when: str, curves: Sequence[Curve]) -> None:
    """Show what the desks earned, beside what holding earned."""
    shown = table(f"One dollar became, in {when}", "", "dollars", "a year", "worst fall")
    for curve in curves:
        shown.add_row(
            curve.name, f"{curve.worth[-1]:.2f}", f"{curve.yearly:+.1%}", f"{curve.worst_fall:.1%}"
        )
    console.print(shown)
    console.print()


def show_chain(console: Console, chain: Sequence[DecisionRecord]) -> None:
    """Show a chain of decisions, the root first, each with its outcome."""
    at = chain[0].decided_at.astimezone(NEW_YORK)
    tree = Tree(f"One chain of {len(chain)} decisions, made at {at:%Y-%m-%d %H:%M %Z}")
    branch = tree
    for record in chain:
        reasoning = record.reasoning
        branch = branch.add(
            f"[bold]{record.agent_id}[/bold] {record.decision_type}: "
            f"[bold]{', '.join(reasoning.selected)}[/bold] of {', '.join(reasoning.options)}"
        )
        branch.add(f"[dim]{record.decision_id}[/dim]")
        chance = f", propensity {reasoning.propensity:.2f}" if reasoning.propensity else ""
        branch.add(
            f"because {reasoning.rationale} (confidence {reasoning.confidence:.2f}{chance})"
        )
        if reasoning.patterns_applied:
            branch.add(f"patterns applied: {', '.join(reasoning.patterns_applied)}")
        branch.add(_outcome(record))
    console.print(tree)
    console.print()


def _outcome(record: DecisionRecord) -> str:
    outcome = record.outcome
    if outcome is None:
        return "no outcome yet"
    word = "[green]right[/green]" if outcome.success else "[red]wrong[/red]"
    facts = ", ".join(
        f"{name.replace('_', ' ')} {value:{'.2f' if name == 'size' else '+.2%'}}"
        for name, value in outcome.details.items()
        if isinstance(value, float)
    )
    return f"turned out {word}: {facts} (quality {_number(outcome.quality_score, '.2f')})"


def _order(
    made: Mapping[tuple[str, str], list[Entry]],
) -> Callable[[tuple[str, str]], tuple[int, int]]:
    """Sort by agent, and an agent's choices as it lists its options."""

    def place(key: tuple[str, str]) -> tuple[int, int]:
        options = made[key][-1].decision.options
        return AGENTS.index(key[0]), options.index(key[1])

    return place


def _average(entries: Sequence[Entry], detail: str) -> str:
    found = [entry.outcome.details.get(detail) for entry in entries]
    numbers = [value for value in found if isinstance(value, float)]
    return f"{fmean(numbers):+.2%}" if numbers else NOTHING


def _number(value: float | None, form: str) -> str:
    return NOTHING if value is None else format(value, form)

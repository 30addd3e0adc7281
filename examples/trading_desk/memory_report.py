"""What the desk shows of memory: what was learned, and whether recalling it helped."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console

from daybook import MemoryPattern
from daybook.models import PatternCondition
from daybook.models.enums import ConditionOperator
from daybook.store.capacity import CapacityMeter
from examples.trading_desk.agents import AGENTS, RISK
from examples.trading_desk.comparison import (
    CHANCE,
    ERRORS,
    Estimate,
    success_difference,
    success_rate,
    verdict,
    yearly_difference,
)
from examples.trading_desk.desk import TradingDay
from examples.trading_desk.report import NOTHING, table

SHOWN = 8
"""So many patterns of each agent are shown, the most confident."""

SIGNS = {ConditionOperator.EQ: "=", ConditionOperator.LT: "<", ConditionOperator.GE: "≥"}


def show_patterns(console: Console, title: str, patterns: Iterable[list[MemoryPattern]]) -> None:
    """Show what each agent knows, a row for each pattern."""
    numbers = ("succeeds", "otherwise", "outcomes", "conf.")
    shown = table(title, "agent", "choice", "when", *numbers, words=3)
    more = 0
    for known in patterns:
        more += len(known[SHOWN:])
        for pattern in known[:SHOWN]:
            shown.add_row(
                pattern.agent_id,
                pattern.choice,
                " and ".join(map(_words, pattern.conditions)) or "always",
                f"{pattern.success_rate:.0%}",
                f"{pattern.baseline_rate:.0%}",
                str(pattern.sample_size),
                f"{pattern.confidence:.2f}",
            )
    if not shown.row_count:
        console.print(f"{title}: nothing. No effect in it was stronger than chance.\n")
        return
    console.print(shown)
    rest = f" {more} more are not shown." if more else ""
    console.print(
        "Otherwise: the same choice where the conditions do not hold; of a choice as a whole, the "
        f"other choices.{rest}\n",
        style="dim",
    )


def show_recalls(console: Console, seconds: Sequence[float], meter: CapacityMeter) -> None:
    """Say what recalling took."""
    if not seconds:
        return
    ordered = sorted(seconds)
    middle, late = (ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))
    console.print(
        f"{len(ordered):,} recalls took {meter.requests.total():,} requests and "
        f"{meter.read_units / len(ordered):.1f} read units each; p50 {middle:.1f} ms, "
        f"p99 {late:.1f} ms on this machine."
    )


def show_comparison(
    console: Console,
    first: Sequence[TradingDay],
    recalled: Sequence[TradingDay],
    without: Sequence[TradingDay],
    every: int,
) -> None:
    """Show each agent's success in both halves, with and without recall, and say what it means."""
    columns = ("1st half", "2nd, no recall", "2nd, recall", "difference")
    shown = table("Did recall help?", "right how often", *columns)
    differences: dict[str, Estimate | None] = {}
    for agent in AGENTS:
        name = "the risk agent" if agent == RISK else f"the {agent}"
        differences[name] = found = success_difference(recalled, without, agent)
        rates = [success_rate(days, agent) for days in (first, without, recalled)]
        shown.add_row(agent, *(_rate(rate) for rate in rates), _points(found))
    console.print(shown)
    earned = yearly_difference(recalled, without, every)
    differences["the desk's money"] = earned
    for agent in AGENTS:
        console.print(f"  {agent}: {_habits(agent, recalled, without)}", style="dim")
    console.print(
        f"The desk earned {earned.value * 100:+.1f} ± {earned.error * 100:.1f} points a year more "
        "with recall than without, not compounded."
    )
    console.print(f"{verdict(differences)}", style="bold")
    console.print(
        f"± is one standard error. The difference is in points of a per cent, of the same "
        f"{len(recalled):,} days with the same dice, day against day. Beyond chance is over "
        f"{ERRORS:.1f} errors: {CHANCE:.0%} for all {len(differences)} questions together. The "
        "first half had other prices, so its column alone says nothing about memory.\n",
        style="dim",
    )


def show_caution(console: Console, recalled: float, without: float, hold: float) -> None:
    """Say what the dollars are worth, given what one became with recall, without, and held."""
    beat = [name for name, worth in (("with", recalled), ("without", without)) if worth > hold]
    verb = f"{' and '.join(beat)} recall beat" if beat else "with or without recall did not beat"
    console.print(
        f"In the second half the desk {verb} buying and holding. No trading costs, interest or "
        "taxes are counted, and the symbols are known winners: this shows logging and memory, "
        "and is no way to trade.\n",
        style="dim",
    )


def _habits(agent: str, recalled: Sequence[TradingDay], without: Sequence[TradingDay]) -> str:
    """Say what the agent chose most often with recall, and how often it does without."""
    with_it, without_it = (
        [entry.decision for day in days for entry in day.entries if entry.agent_id == agent]
        for days in (recalled, without)
    )
    if not any(decision.patterns_applied for decision in with_it):
        return "recalled nothing; any difference comes from what the agent before it chose."
    counts = [Counter(made.selected[0] for made in days) for days in (with_it, without_it)]
    choice, times = counts[0].most_common(1)[0]
    share = counts[1][choice] / max(counts[1].total(), 1)
    return f"{choice} {times / len(with_it):.0%} of the time with recall, {share:.0%} without."


def _words(condition: PatternCondition) -> str:
    value = condition.value
    shown = f"{value:.4g}" if isinstance(value, float) else str(value)
    feature = condition.feature.removeprefix("market.")
    return f"{feature} {SIGNS[condition.op]} {shown}"


def _rate(rate: Estimate | None) -> str:
    return f"{rate.value:.1%} ± {rate.error:.1%}" if rate else NOTHING


def _points(difference: Estimate | None) -> str:
    if difference is None:
        return NOTHING
    return f"{difference.value * 100:+.1f} ± {difference.error * 100:.1f}"

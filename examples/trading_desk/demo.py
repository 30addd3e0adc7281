"""The demo from beginning to end: two halves, logged and learned from, and a report."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from rich.console import Console

from examples.trading_desk import history, memory_report, report, session
from examples.trading_desk.agents import AGENTS, SCOUT, STRATEGIST
from examples.trading_desk.costs import Costs, show_costs, show_traffic
from examples.trading_desk.desk import Made, TradingDay, trade
from examples.trading_desk.plan import Plan
from examples.trading_desk.portfolio import curves
from examples.trading_desk.prices import Market
from examples.trading_desk.session import Session, of
from examples.trading_desk.wiring import Wiring


def run(console: Console, wiring: Wiring, market: Market, plan: Plan) -> None:
    """Trade both halves and report. Raises DeskError or a DaybookError."""
    early, years = plan.halves(market)
    late = [day for year in years for day in year]
    console.print(
        f"Prices: {', '.join(market.closes)}, {market.days[0]} to {market.days[-1]}. The desk "
        f"decides on {len(early) + len(late):,} days, every {plan.every} trading days from "
        f"{market.days[early[0]]} on (--every and --days change that)."
    )
    wiring.risk_door.settle()  # an interrupted run may have left messages on the queue
    traded = history.traded_before(wiring.logs, plan, market, late)
    if traded:
        console.print(
            f"An earlier run has traded {len(traded):,} of the second half's {len(late):,} days "
            "with memory. They are taken from the log: memory has learned from them since, and "
            "recalling anew would be hindsight. All is logged again, which must change nothing."
        )
    work = Session(console, wiring, market, plan)
    first = first_half(work, early, is_new=not traded)
    without = [trade(market, plan, day) for day in late]
    second = second_half(work, years, traded, without)
    memory_report.show_recalls(console, work.memories.seconds, work.recalls)
    console.print(
        f"{len(work.entries):,} decisions with their outcomes went through three doors and read "
        "back equal.\n"
    )
    show_log(work)
    memory_report.show_comparison(console, first, second, without, plan.every)
    show_money(work, first, second, without)

    top = memorable(second)
    report.show_chain(console, wiring.logs[SCOUT].get_decision_chain(top))
    costs = Costs(work.decisions, work.outcomes, entries=len(of(STRATEGIST, work.entries)))
    show_costs(console, costs, repeated=work.repeated)
    show_traffic(console, wiring)


def first_half(work: Session, days: Sequence[int], *, is_new: bool) -> list[TradingDay]:
    """Trade the first half without memory, and let the agents learn from it.

    What they know is shown; unless it `is_new`, that is also from what followed.
    """
    began = perf_counter()
    made = [trade(work.market, work.plan, day) for day in days]
    work.console.print(
        f"First half, {made[0].day} to {made[-1].day}: each agent follows its own rule, from the "
        "past of the day alone."
    )
    learned = work.log(made)
    outcomes = sum(each.report.outcomes_learned for each in learned.values())
    seconds = sum(each.seconds for each in learned.values())
    work.console.print(
        f"{len(made)} days are logged, and in {seconds:.0f} s the agents have learned from "
        f"{outcomes:,} new outcomes; {session.told(learned, began)} in all.\n"
    )
    memory_report.show_patterns(
        work.console,
        "Memory after the first half" if is_new else "Memory now, from all that is logged",
        [memory.list_patterns() for memory in work.memories.of.values()],
    )
    return made


def second_half(
    work: Session,
    years: Sequence[Sequence[int]],
    traded: Mapping[int, Sequence[Made]],
    without: Sequence[TradingDay],
) -> list[TradingDay]:
    """Trade the second half with memory, a year at a time, and learn at each year's end.

    `without` are the same days as the desk would have traded them without memory.
    """
    done: list[TradingDay] = []
    work.console.print(
        "Second half: each agent asks its memory before it decides, and learns at each year's "
        "end. Days are changed when they differ from the same days without memory; of the "
        "patterns + are new, ~ updated, - retired."
    )
    for year in years:
        began = perf_counter()
        days = [work.trade(day, traded) for day in year]
        learned = work.log(days)
        control = without[len(done) : len(done) + len(days)]
        done += days
        entries = [entry for day in days for entry in day.entries]
        advised = sum(bool(entry.decision.patterns_applied) for entry in entries)
        others = sum(map(_differ, days, control))
        origin = ", from the log" if set(year) <= traded.keys() else ""
        work.console.print(
            f"  {days[0].day.year}{origin}: {advised} of {len(entries)} decisions advised, "
            f"{others} of {len(days)} days changed; {session.told(learned, began)}"
        )
    return done


def show_log(work: Session) -> None:
    """Show what the log says of the agents."""
    hours = (datetime.now(UTC) - work.market.close_of(0)).total_seconds() / 3600
    stats: dict[str, Mapping[str, Any]] = {
        agent: work.wiring.logs[agent].get_decision_stats(hours) for agent in AGENTS[1:]
    }
    stats = {SCOUT: work.wiring.scout_door.stats(hours), **stats}
    report.show_statistics(work.console, stats)
    others = sum(answered["total_decisions"] for answered in stats.values()) - len(work.entries)
    if others:
        work.console.print(
            f"{others:,} of these decisions are of runs with other settings: "
            "`daybook down --wipe` starts afresh.\n",
            style="yellow",
        )
    report.show_choices(work.console, work.entries)


def show_money(
    work: Session,
    first: Sequence[TradingDay],
    second: Sequence[TradingDay],
    without: Sequence[TradingDay],
) -> None:
    """Show what a dollar became in each half."""
    early = curves(work.market, work.plan, {"the desk": first})
    desks = {"the desk with recall": second, "the desk without recall": without}
    late = curves(work.market, work.plan, desks)
    report.show_worth(work.console, f"the first half ({early[0].years:.1f} years)", early)
    report.show_worth(work.console, f"the second half ({late[0].years:.1f} years)", late)
    memory_report.show_caution(work.console, *(curve.worth[-1] for curve in late[:3]))


def memorable(days: Sequence[TradingDay]) -> str:
    """Return the risk agent's decision of the day on which the desk won or lost the most.

    The last decision of all if the desk never traded.
    """
    risked = [day for day in days if len(day.entries) == len(AGENTS)]
    if not risked:
        return days[-1].entries[-1].decision_id
    return max(risked, key=lambda day: abs(day.desk_return)).entries[-1].decision_id


def _differ(one: TradingDay, other: TradingDay) -> bool:
    """Whether two desks decided otherwise on a day."""
    chosen = [[entry.decision.selected for entry in day.entries] for day in (one, other)]
    return chosen[0] != chosen[1]

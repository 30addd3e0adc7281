"""The demo from beginning to end: decide, log, read back, report."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from daybook.store.capacity import CapacityMeter
from examples.trading_desk import report, writing
from examples.trading_desk.agents import AGENTS, RISK, SCOUT, STRATEGIST
from examples.trading_desk.costs import Costs, show_costs, show_traffic
from examples.trading_desk.desk import Entry, TradingDay, trade
from examples.trading_desk.plan import Plan
from examples.trading_desk.portfolio import curves
from examples.trading_desk.prices import Market
from examples.trading_desk.wiring import Wiring
from examples.trading_desk.writing import Write


def run(console: Console, wiring: Wiring, market: Market, plan: Plan) -> None:
    """Trade, log, read back and report. Raises DeskError or a DaybookError."""
    days = decide(console, market, plan)
    made = [entry for day in days for entry in day.entries]
    entries, repeated = recall(console, wiring, made)
    with CapacityMeter(wiring.metered.dynamodb) as decisions:
        hand_in(console, wiring, "decision", entries, writing.log_decision)
    with CapacityMeter(wiring.metered.dynamodb) as outcomes:
        hand_in(console, wiring, "outcome", entries, writing.log_outcome)
    check(console, wiring, entries)
    console.print()

    hours = (datetime.now(UTC) - market.close_of(0)).total_seconds() / 3600
    stats: dict[str, Mapping[str, Any]] = {
        agent: wiring.logs[agent].get_decision_stats(hours) for agent in AGENTS[1:]
    }
    stats = {SCOUT: wiring.scout_door.stats(hours), **stats}
    report.show_statistics(console, stats)
    others = sum(answered["total_decisions"] for answered in stats.values()) - len(entries)
    if others:
        console.print(
            f"{others:,} of these decisions are of runs with other settings: "
            "`daybook down --wipe` starts afresh.\n",
            style="yellow",
        )
    report.show_choices(console, entries)
    report.show_worth(console, curves(market, plan, days))
    report.show_chain(console, wiring.logs[SCOUT].get_decision_chain(memorable(entries)))
    costs = Costs(decisions, outcomes, entries=len(_of(STRATEGIST, entries)))
    show_costs(console, costs, repeated=repeated)
    show_traffic(console, wiring)


def decide(console: Console, market: Market, plan: Plan) -> list[TradingDay]:
    """Let the desk decide on each day of the plan."""
    chosen = plan.decision_days(market)
    console.print(
        f"Prices: {', '.join(market.closes)}, {market.days[0]} to {market.days[-1]}. The desk "
        f"decides on {len(chosen):,} days, every {plan.every} trading days from "
        f"{market.days[chosen[0]]} on (--every and --days change that)."
    )
    with _progress(console) as progress:
        days = [trade(market, plan, day) for day in progress.track(chosen, description="deciding")]
    made = sum(len(day.entries) for day in days)
    console.print(f"{made:,} decisions made, each from the past of its day alone.")
    return days


def recall(console: Console, wiring: Wiring, entries: Sequence[Entry]) -> tuple[list[Entry], int]:
    """Look up what an earlier run of the same plan has logged, and keep to it.

    Returns the entries, and how many of them are in the log already.
    """
    wiring.risk_door.settle()  # an interrupted run may have left messages on the queue
    held = {
        decision_id: record
        for agent, log in wiring.logs.items()
        for decision_id, record in writing.read_log(log, _of(agent, entries)).items()
    }
    known = sum(entry.decision_id in held for entry in entries)
    if known:
        console.print(
            f"{known:,} of them are in the log already, from an earlier run. They are logged "
            "again, which must change nothing; their measured latencies stay those of that run."
        )
    return writing.as_measured_before(entries, held), known


def hand_in(
    console: Console, wiring: Wiring, what: str, entries: Sequence[Entry], write: Write
) -> None:
    """Hand the decisions or the outcomes in, and wait until the queue is empty."""
    began = perf_counter()
    with _progress(console) as progress:
        tasks = {
            agent: progress.add_task(
                f"{agent}'s {what}s: {door.name}", total=len(_of(agent, entries))
            )
            for agent, door in wiring.doors.items()
        }
        drain = progress.add_task("the queue is carried out", total=len(_of(RISK, entries)))

        def left(messages: int) -> None:
            # what others have put on the same queue is waited for, and not shown
            done = max(len(_of(RISK, entries)) - messages, 0)
            progress.update(drain, completed=done)

        wiring.risk_door.waiting = left
        writing.hand_in(entries, wiring.doors, write, lambda agent: progress.advance(tasks[agent]))
    took = perf_counter() - began
    console.print(f"{len(entries):,} {what}s logged through three doors in {took:.0f} s.")


def check(console: Console, wiring: Wiring, entries: Sequence[Entry]) -> None:
    """Read everything back; say so when the log holds more than this run's decisions."""
    with _progress(console) as progress:
        for agent in progress.track(AGENTS, description="reading back"):
            writing.check(wiring.logs[agent], _of(agent, entries))
    console.print(f"{len(entries):,} decisions with their outcomes read back equal.")


def memorable(entries: Sequence[Entry]) -> str:
    """Return the risk agent's decision of the day on which the desk won or lost the most."""
    trades = _of(RISK, entries)
    if not trades:
        return entries[-1].decision_id
    most = max(trades, key=lambda entry: abs(float(str(entry.outcome.details["desk_return"]))))
    return most.decision_id


def _of(agent: str, entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.agent_id == agent]


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

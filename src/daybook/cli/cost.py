"""`daybook cost`: what a month of agents costs on AWS, by part."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from daybook.cli.console import out
from daybook.costs import AS_OF, PRICES, REGION, Bill, Meter, Workload, bill
from daybook.costs.assumptions import assumptions
from daybook.costs.workload import HOURS_A_MONTH
from daybook.errors import InvalidInputError

_MILLION = 1_000_000
_THOUSAND = 1_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cost")(show_cost)


def show_cost(
    *,
    agents: Annotated[int, typer.Option(help="How many agents.")] = 5,
    cycles_per_day: Annotated[float, typer.Option(help="Cycles of an agent in a day.")] = 144,
    decisions_per_cycle: Annotated[float, typer.Option(help="Decisions in a cycle.")] = 4,
    decision_kb: Annotated[
        float, typer.Option(help="JSON of a decision's context, in KB, up to 1,000.")
    ] = 4,
    outcomes: Annotated[
        float, typer.Option(help="Share of decisions that get an outcome, 0 to 1.")
    ] = 1,
    recalls_per_cycle: Annotated[
        float | None, typer.Option(help="Recalls in a cycle; one for each decision by default.")
    ] = None,
    saves_per_cycle: Annotated[float, typer.Option(help="Saves of the state in a cycle.")] = 1,
    state_kb: Annotated[float, typer.Option(help="JSON of a state, in KB, up to 1,000.")] = 4,
    signals_per_cycle: Annotated[
        float, typer.Option(help="Signals that an agent sends in a cycle, to one agent each.")
    ] = 1,
    retention_days: Annotated[
        float, typer.Option(help="Days of log that are kept; 15 is the average of a first month.")
    ] = 365,
    door: Annotated[
        str, typer.Option(help="How agents come in: to the `tables`, or through the `api`.")
    ] = "tables",
    no_free_tier: Annotated[
        bool, typer.Option("--no-free-tier", help="Take off nothing of what AWS gives for free.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a month costs on AWS, by part. Sends no request."""
    workload = _checked(
        agents=agents,
        cycles_per_day=cycles_per_day,
        decisions_per_cycle=decisions_per_cycle,
        decision_kb=decision_kb,
        outcomes=outcomes,
        recalls_per_cycle=recalls_per_cycle,
        saves_per_cycle=saves_per_cycle,
        state_kb=state_kb,
        signals_per_cycle=signals_per_cycle,
        retention_days=retention_days,
        door=door,
    )
    made = bill(workload, free_tier=not no_free_tier)
    told = assumptions(workload, free_tier=not no_free_tier)
    if as_json:
        out.print_json(json.dumps(_as_json(workload, made, told)))
        return
    _print(made)
    out.print("\nThis assumes:")
    for sentence in told:
        out.print(f"- {sentence}", markup=False)


def _checked(**given: Any) -> Workload:
    """Return the workload, or raise InvalidInputError that names the options at fault."""
    try:
        return Workload.checked(**given)
    except InvalidInputError as refusal:
        faults = [
            f"--{name.replace('_', '-')} is {given[name]}, and {reason.removeprefix('Input ')}"
            for name, reason in refusal.problems
        ]
        raise InvalidInputError("; ".join(faults), refusal.problems) from None


def _print(made: Bill) -> None:
    """Print a line for each part that is used, and their sum."""
    table = Table(box=None, pad_edge=False)
    table.add_column("part")
    for heading in ("requests", "dollars", "list price"):
        table.add_column(heading, justify="right", overflow="fold")  # never half a number
    table.add_column("mostly for", overflow="fold")
    for line in made.lines:
        if line.amounts:
            requests = f"{line.requests:,.0f}" if line.requests else "-"
            sums = (f"{line.dollars:,.2f}", f"{line.full_dollars:,.2f}")
            table.add_row(line.part, requests, *sums, _most(line.amounts))
    table.add_section()
    table.add_row(
        "a month",
        f"{made.requests:,.0f}",
        f"{made.dollars:,.2f}",
        f"{made.full_dollars:,.2f}",
        f"{REGION}, {AS_OF}",
    )
    out.print(table)


def _most(amounts: Mapping[Meter, float]) -> str:
    """Name what costs most of a part."""
    dearest = max(amounts, key=lambda meter: PRICES[meter].of(amounts[meter]))
    return f"{_shown(amounts[dearest])} {dearest}"


def _shown(amount: float) -> str:
    if amount >= _MILLION:
        return f"{amount / _MILLION:,.2f} M"
    return f"{amount:,.0f}" if amount >= _THOUSAND else f"{amount:,.3g}"


def _as_json(workload: Workload, made: Bill, told: list[str]) -> dict[str, Any]:
    """Return a bill as JSON's types; amounts are not rounded."""
    return {
        "region": REGION,
        "prices_of": AS_OF.isoformat(),
        "hours_a_month": HOURS_A_MONTH,
        "workload": workload.model_dump(mode="json"),
        "requests": made.requests,
        "dollars": made.dollars,
        "list_price": made.full_dollars,
        "parts": {
            line.part: {
                "requests": line.requests,
                "dollars": line.dollars,
                "list_price": line.full_dollars,
                "amounts": {meter.value: amount for meter, amount in line.amounts.items()},
            }
            for line in made.lines
        },
        "assumptions": told,
    }

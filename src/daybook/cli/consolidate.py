"""`daybook consolidate`: by hand, what the schedule does."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from daybook.cli.console import complain, out, progress
from daybook.client import get_client_manager
from daybook.errors import AccessDeniedError, DaybookError, RunNotFoundError
from daybook.learner import PatternLearner
from daybook.memory import ConsolidationReport
from daybook.memory_manager import MemoryManager
from daybook.models.identity import EPOCH
from daybook.progress.watched_agents import due_agents, note_caught_up

SHOWN_CHANGES = 20
LAST = "last"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("consolidate")(consolidate_by_hand)


def consolidate_by_hand(
    *,
    agent: Annotated[
        list[str] | None, typer.Option(help="The agent to consolidate; repeat for more.")
    ] = None,
    every_due: Annotated[
        bool, typer.Option("--all", help="Every agent that the schedule would look after now.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option(help="Say what would be learned, and write nothing.")
    ] = False,
    undo: Annotated[
        str | None,
        typer.Option(metavar="RUN_ID", help="Undo a run of this one agent; `last`: its latest."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Learn from what has arrived, as the schedule does. Exit code 1 if an agent failed."""
    agents = list(dict.fromkeys(agent or ()))
    if bool(agents) is every_due:
        raise typer.BadParameter("name the agents with --agent, or take --all that are due")
    if undo is not None:
        if len(agents) != 1 or dry_run:
            raise typer.BadParameter("--undo takes one --agent, and neither --all nor --dry-run")
        _undo(agents[0], undo, as_json=as_json)
        return
    if every_due:
        store = get_client_manager().store
        agents = [due.agent_id for due in due_agents(store)]
    reports, failures = _consolidate_each(agents, dry_run=dry_run)
    if as_json:
        out.print_json(
            json.dumps(
                {
                    "runs": [report.model_dump(mode="json") for report in reports],
                    "failed": {name: str(error) for name, error in failures.items()},
                }
            )
        )
    elif reports or not failures:
        _print(reports, dry_run=dry_run)
    for name, error in failures.items():
        complain(f"{name}: {error}")
    if failures:
        raise typer.Exit(1)


def _undo(agent_id: str, run_id: str, *, as_json: bool) -> None:
    learner = PatternLearner(MemoryManager(agent_id))
    if run_id == LAST:
        runs = learner.undoable()
        if not runs:
            raise RunNotFoundError(f"{agent_id!r} has no run that can be undone")
        run_id = runs[0]
    learner.undo(run_id)
    if as_json:
        out.print_json(json.dumps({"agent_id": agent_id, "undone": run_id}))
    else:
        out.print(
            f"Undone: the run {run_id} of {agent_id}. The next run learns its outcomes again.",
            markup=False,
        )


def _consolidate_each(
    agents: Sequence[str], *, dry_run: bool
) -> tuple[list[ConsolidationReport], dict[str, DaybookError]]:
    """Consolidate one agent after the other; return what was done, and who failed why."""
    reports: list[ConsolidationReport] = []
    failures: dict[str, DaybookError] = {}
    with progress("Consolidating") as step:
        for agent_id in agents:
            step(f"Consolidating {agent_id}")
            try:
                reports.extend(_runs(MemoryManager(agent_id), dry_run=dry_run))
            except DaybookError as error:
                failures[agent_id] = error
    return reports, failures


def _runs(memory: MemoryManager, *, dry_run: bool) -> Iterator[ConsolidationReport]:
    """Consolidate an agent until nothing is left, or nothing more can be done now."""
    learner = PatternLearner(memory)
    reached = None
    while True:
        report = learner.consolidate(dry_run=dry_run)
        yield report
        if dry_run:
            return
        if not report.more:
            # a role that is confined to its agent cannot say so; the schedule then finds out
            with suppress(AccessDeniedError):
                note_caught_up(
                    memory.store, memory.agent_id, report.caught_up_to, report.look_again_at
                )
            return
        if reached is not None and report.caught_up_to <= reached:
            return
        reached = report.caught_up_to


def _print(reports: Sequence[ConsolidationReport], *, dry_run: bool) -> None:
    """Print what was done, for a person."""
    if not reports:
        out.print("Nothing to do.")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("agent", overflow="fold")
    for heading in ("outcomes", "new", "changed", "retired", "days archived"):
        table.add_column(heading, justify="right")
    table.add_column("caught up to")
    for report in reports:
        table.add_row(
            report.agent_id,
            *(
                f"{count:,}"
                for count in (
                    report.outcomes_learned,
                    report.patterns_created,
                    report.patterns_updated,
                    report.patterns_retired,
                    report.days_archived,
                )
            ),
            _shown(report.caught_up_to),
        )
    out.print(table)
    last = {report.agent_id: report for report in reports}
    for agent_id in (report.agent_id for report in last.values() if report.more):
        out.print(f"{agent_id}: more is left for another run.", markup=False)
    changes = [(report.agent_id, change) for report in reports for change in report.changes]
    for agent_id, change in changes[:SHOWN_CHANGES]:
        out.print(f"{agent_id}: {change.kind} {change.pattern_id}: {change.reason}", markup=False)
    if len(changes) > SHOWN_CHANGES:
        out.print(f"and {len(changes) - SHOWN_CHANGES} more changes; --json shows all.")
    if dry_run:
        out.print("This was a dry run: nothing was written.")
        return
    for report in reports:
        if report.outcomes_learned:
            command = f"daybook consolidate --agent {report.agent_id} --undo {report.run_id}"
            out.print(f"To undo: {command}", markup=False, soft_wrap=True)


def _shown(moment: datetime) -> str:
    return "never" if moment == EPOCH else f"{moment:%Y-%m-%d %H:%M}"

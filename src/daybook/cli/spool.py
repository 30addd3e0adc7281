"""`daybook spool`: what waits on the disk, what was set aside and why, and back with it."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from daybook.cli.console import complain, out
from daybook.decisions.spooling import shown
from daybook.spool import Refusal, look, take_back

File = Annotated[Path, typer.Argument(metavar="PATH", help="The spool's file.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, help="Look into the spool of an agent's process.")
    group.command("status")(status)
    group.command("list")(list_set_aside)
    group.command("retry")(retry)
    group.command("export")(export)
    app.add_typer(group, name="spool")


def status(path: File, *, as_json: Json = False) -> None:
    """Say how many entries wait, for how long, and how many were set aside."""
    found = look(path)
    age = 0.0 if found.oldest_at is None else max(0.0, time.time() - found.oldest_at / 1e6)
    if as_json:
        told = {"depth": found.depth, "oldest_age_s": round(age, 3)}
        told |= {"set_aside": len(found.set_aside), "quarantined": found.quarantined}
        out.print_json(json.dumps(told))
        return
    out.print(f"waiting: {found.depth:,}" + (f", the oldest for {age:,.0f} s" if age else ""))
    out.print(f"set aside: {len(found.set_aside):,}")
    if found.quarantined:
        out.print(
            f"{found.quarantined} damaged files lie beside it: {path}.damaged-*", markup=False
        )


def list_set_aside(path: File, *, as_json: Json = False) -> None:
    """List the entries that the log refused, with the reasons."""
    aside = look(path).set_aside
    if as_json:
        out.print_json(json.dumps([_described(each, whole=False) for each in aside]))
        return
    if not aside:
        out.print("Nothing is set aside.")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("number", justify="right")
    for heading in ("agent", "kind", "reason"):
        table.add_column(heading, overflow="fold")
    for each in aside:
        entry = each.entry
        table.add_row(*map(Text, (str(entry.number), entry.agent_id, entry.kind, each.reason)))
    out.print(table)


def retry(
    path: File,
    numbers: Annotated[
        list[int] | None,
        typer.Argument(metavar="[NUMBER]...", help="Which; all if none is named."),
    ] = None,
) -> None:
    """Put entries back that were set aside; the next handle on the spool delivers them.

    Not while a process has the spool.
    """
    count = take_back(path, numbers or None)
    out.print(f"To be tried again when the spool is opened: {count:,}")


def export(path: File) -> None:
    """Write the entries that were set aside as JSON, one to a line."""
    for each in look(path).set_aside:
        try:
            line = _described(each, whole=True)
        except (ValueError, KeyError) as fault:
            complain(f"entry {each.entry.number} cannot be read: {fault}")
            line = _described(each, whole=False)
        typer.echo(json.dumps(line, ensure_ascii=False))  # not by rich, which reads :smileys:


def _described(refusal: Refusal, *, whole: bool) -> dict[str, Any]:
    entry = refusal.entry
    told: dict[str, Any] = {
        "number": entry.number,
        "agent_id": entry.agent_id,
        "kind": entry.kind,
        "logged_at": entry.logged_at,
        "reason": refusal.reason,
    }
    return told | {"entry": shown(entry)} if whole else told

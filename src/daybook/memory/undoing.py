"""Undoing a run of consolidation: as if it had learned nothing."""

from datetime import timedelta

from daybook.errors import UndoRefusedError
from daybook.memory import knowledge_items, learning_head, runs
from daybook.memory.learning_head import JOB, Notes
from daybook.progress import Position, leased
from daybook.progress.heads import read_head
from daybook.store import Store


def undoable(store: Store, agent_id: str) -> list[str]:
    """Return the ids of the runs that can be undone, the latest first. One request."""
    notes = Notes.read(read_head(store, agent_id, JOB))
    return [run_id for run_id, _ in reversed(notes.runs)]


def undo(store: Store, agent_id: str, run_id: str, *, wait: timedelta = timedelta()) -> None:
    """Make it as if a run had learned nothing; the next one learns its outcomes again.

    Patterns that the run created are retired, and those that it changed get their old content
    back, except where a person has changed them since. Only the latest run can be undone, then
    the one before it, five in all. Rollups and archives stay: they hold facts. Raises
    RunNotFoundError, UndoRefusedError, ConsolidationBusyError or OvertakenError.
    """
    runs.check_run_id(run_id)
    with leased(store, agent_id, wait=wait) as lease:
        head = runs.finish(store, lease, read_head(store, agent_id, JOB))
        notes = Notes.read(head)
        run = runs.read(store, agent_id, run_id)
        undoable = [each for each, _ in notes.runs]
        if run_id not in undoable:
            raise UndoRefusedError(
                f"the run {run_id} was undone already, or is too old: of {agent_id!r} these can "
                f"still be undone, the last first: {', '.join(reversed(undoable)) or 'none'}"
            )
        if run_id != undoable[-1]:
            raise UndoRefusedError(
                f"later runs build on {run_id}: undo {undoable[-1]} first, then go on backwards"
            )
        before = run.was["knowledge"]
        added = knowledge_items.superseded(notes.knowledge, before)
        position = Position.read(run.was["position"])
        undone = notes.without_last_run(before, added, store.clock())
        head = learning_head.move(store, lease, head, undone, position)
        runs.finish(store, lease, head)

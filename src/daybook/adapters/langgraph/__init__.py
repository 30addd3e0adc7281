"""LangGraph on Daybook: a checkpoint saver and a store, in the tables of an agent.

    graph = builder.compile(
        checkpointer=DaybookSaver(client_manager=client_manager, agent_id="btc-agent-001"),
        store=DaybookStore(client_manager=client_manager, agent_id="btc-agent-001"),
    )

Needs the extra: `pip install 'daybook-aws[langgraph]'`.

    saver        DaybookSaver: LangGraph's methods, each a verb below
    threads      what every verb works on: an agent's threads, and how they are kept
    positions    where in a thread: what LangGraph's config says
    reading      checkpoints found and listed
    writing      checkpoints put, with a fence or without
    task_writes  what tasks have written since
    deltas       the history of channels whose checkpoints hold only what was added
    upkeep       threads copied, pruned and deleted
    checkpoints  a checkpoint as items, and back
    frames       several byte strings as one body
    bodies       a body in its item, in parts beside it, or in the bucket

    store        DaybookStore: gets, puts, searches and listings
    documents    a document as an item, and back
    filters      which documents a search lets through

    names        what either takes for a name
"""

from importlib.util import find_spec

from daybook.errors import MissingExtraError


def _check_installed() -> None:
    try:
        found = find_spec("langgraph.checkpoint.base") and find_spec("langgraph.store.base")
    except ImportError:
        found = None
    if found is None:
        raise MissingExtraError(
            "LangGraph's checkpoints are not installed: pip install 'daybook-aws[langgraph]'"
        )


_check_installed()

from daybook.adapters.langgraph.saver import DaybookSaver  # noqa: E402 - or it would not be said
from daybook.adapters.langgraph.store import DaybookStore  # noqa: E402

__all__ = ["DaybookSaver", "DaybookStore"]

"""LangGraph on Daybook: a checkpoint saver and a store, in the tables of an agent.

    graph = builder.compile(
        checkpointer=DaybookSaver(client_manager=client_manager, agent_id="btc-agent-001"),
        store=DaybookStore(client_manager=client_manager, agent_id="btc-agent-001"),
    )

Needs the extra: `pip install 'daybook-aws[langgraph]'`.
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

"""An agent's state: saved under version numbers, kept in checkpoints, rolled back."""

from daybook.state.checkpoints import (
    create_checkpoint,
    create_if_changed,
    get_checkpoint,
    list_checkpoints,
)
from daybook.state.current import load, save
from daybook.state.rollbacks import rollback
from daybook.state.sweeping import sweep

__all__ = [
    "create_checkpoint",
    "create_if_changed",
    "get_checkpoint",
    "list_checkpoints",
    "load",
    "rollback",
    "save",
    "sweep",
]

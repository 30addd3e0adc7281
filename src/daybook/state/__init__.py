"""An agent's state: saved under version numbers, kept in checkpoints, rolled back."""

from daybook.state.checkpoints import (
    create_checkpoint,
    create_if_changed,
    get_checkpoint,
    list_checkpoints,
)
from daybook.state.current import load, prepare_save, save
from daybook.state.handle import StateVerbs
from daybook.state.rollbacks import rollback
from daybook.state.sweeping import sweep

__all__ = [
    "StateVerbs",
    "create_checkpoint",
    "create_if_changed",
    "get_checkpoint",
    "list_checkpoints",
    "load",
    "prepare_save",
    "rollback",
    "save",
    "sweep",
]

"""The verbs of state on an agent's handle: thin, over the functions of this room."""

from collections.abc import Mapping
from typing import Any

from daybook.doors import Handle, verb
from daybook.models import AgentState, Checkpoint
from daybook.models.state import StateReceipt, checked_checkpoint_id
from daybook.state import checkpoints, current, rollbacks
from daybook.state.state_items import new_token


class StateVerbs(Handle):
    """What an agent does with its state."""

    checkpoints_kept: int = 0
    """How many checkpoints without a label stay; 0 keeps all."""

    def load_state(self, take_over: bool = False) -> AgentState | None:
        """Return this agent's state as it is now, or None if it has none yet.

        With `take_over` it becomes the next version, and whoever read it before gets a
        StaleStateError at its next write: for an agent that starts in the place of another.
        """
        current.check_take_over(take_over)
        if self.api is None:
            return current.load(self.store, self.agent_id, take_over=take_over)
        if not take_over:
            return self._load_state()
        # read first: once a version stands nothing may fail any more
        return current.take_over_by(
            self.agent_id, self.api.backoff, self._load_state, self._take_over_version
        )

    @verb("GET", "/state")
    def _load_state(self) -> AgentState | None:
        return current.load(self.store, self.agent_id)

    @verb("POST", "/state/take-over")
    def _take_over_version(self, expected_version: int, token: str | None = None) -> StateReceipt:
        return current.take_over_version(self.store, self.agent_id, expected_version, token)

    def save_state(
        self, data: Mapping[str, Any], expected_version: int | None = None
    ) -> AgentState:
        """Write this agent's state as the version after the one that was read; return it.

        None or 0 says that there was none. Raises StaleStateError, with the version in `.found`,
        when another one stands: nothing is ever overwritten unseen.
        """
        if self.api is None:
            return current.save(self.store, self.agent_id, data, expected_version)
        current.check_data(self.agent_id, data)
        made = self._save_state(data, expected_version, new_token())
        return made.state(self.agent_id, data)

    @verb("PUT", "/state")
    def _save_state(
        self,
        data: Mapping[str, Any],
        expected_version: int | None = None,
        token: str | None = None,
    ) -> StateReceipt:
        made = current.save(self.store, self.agent_id, data, expected_version, token)
        return StateReceipt.of(made)

    @verb("POST", "/checkpoints", creates=True, repeatable=False)
    def create_checkpoint(self, label: str | None = None) -> Checkpoint:
        """Keep this agent's state as it is now; return the checkpoint, without its data.

        One with a label is kept for good. Raises StateNotFoundError.
        """
        return checkpoints.create_checkpoint(
            self.store, self.agent_id, label, keep=self.checkpoints_kept
        )

    @verb("GET", "/checkpoints", lists="checkpoints")
    def list_checkpoints(self) -> list[Checkpoint]:
        """Return this agent's checkpoints without their data, the newest first."""
        return checkpoints.list_checkpoints(self.store, self.agent_id)

    @verb("GET", "/checkpoints/{checkpoint_id}")
    def get_checkpoint(self, checkpoint_id: str) -> Checkpoint:
        """Return a checkpoint with its data. Raises CheckpointNotFoundError."""
        return checkpoints.get_checkpoint(self.store, self.agent_id, checkpoint_id)

    def rollback(
        self, checkpoint_id: str | None = None, expected_version: int | None = None
    ) -> AgentState:
        """Make what a checkpoint holds the next version of the state; None is the last one.

        What it replaces is kept as a checkpoint. Raises CheckpointNotFoundError, and
        StaleStateError when another version stands than the one expected.
        """
        if self.api is None:
            return self._rolled_back(checkpoint_id, expected_version)
        current.checked_version(expected_version)
        # a checkpoint never changes, and once the rollback stands nothing may fail any more
        if checkpoint_id is None:
            held = self._last_checkpoint()
        else:
            held = self.get_checkpoint(checked_checkpoint_id(checkpoint_id))
        made = self._rollback(held.checkpoint_id, expected_version)
        return made.state(self.agent_id, held.data or {})

    @verb("GET", "/state/last-checkpoint")
    def _last_checkpoint(self) -> Checkpoint:
        return checkpoints.last_checkpoint(self.store, self.agent_id)

    @verb("POST", "/state/rollback", repeatable=False)
    def _rollback(
        self, checkpoint_id: str | None = None, expected_version: int | None = None
    ) -> StateReceipt:
        return StateReceipt.of(self._rolled_back(checkpoint_id, expected_version))

    def _rolled_back(self, checkpoint_id: str | None, expected_version: int | None) -> AgentState:
        return rollbacks.rollback(
            self.store,
            self.agent_id,
            checkpoint_id,
            expected_version,
            keep=self.checkpoints_kept,
        )

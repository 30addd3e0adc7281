"""Every error that Daybook raises, in one tree.

::

    DaybookError
    ├── InvalidInputError (also a ValueError)     what was asked is wrong; nothing was written
    │   ├── InvalidAgentIdError
    │   ├── InvalidDecisionIdError
    │   ├── InvalidCursorError
    │   ├── WrongDecisionTypeError
    │   ├── ForeignDecisionError
    │   ├── ForeignPatternError
    │   ├── NoLoggerError
    │   ├── InvalidSignalIdError
    │   ├── ForeignSignalError
    │   ├── UnknownTargetError
    │   └── BodyTooLargeError
    │       └── SignalTooLargeError
    ├── NotFoundError (also a LookupError)        what was asked for is not there
    │   ├── DecisionNotFoundError
    │   ├── PatternNotFoundError
    │   ├── RunNotFoundError
    │   ├── StateNotFoundError
    │   ├── CheckpointNotFoundError
    │   ├── SignalNotFoundError
    │   ├── AgentNotRegisteredError
    │   ├── SessionNotFoundError
    │   ├── TrajectoryNotFoundError
    │   └── EmptyReplayError
    ├── ConflictError                             something else is already recorded
    │   ├── DecisionConflictError
    │   ├── DecisionLoggedError
    │   ├── OutcomeConflictError
    │   ├── PatternConflictError
    │   ├── ConsolidationBusyError
    │   ├── OvertakenError
    │   ├── StaleStateError
    │   ├── UndoRefusedError
    │   ├── SignalConflictError
    │   ├── TrajectoryConflictError
    │   ├── SessionBusyError
    │   └── ClaimExpiredError
    ├── ChainError                                a chain that cannot be walked to its root
    │   ├── BrokenChainError
    │   ├── ChainTooLongError
    │   ├── CyclicChainError
    │   └── ForeignChainError
    ├── StorageError                              AWS or the spool said no, or nothing
    │   ├── TableMissingError
    │   ├── SchemaMismatchError
    │   ├── AccessDeniedError
    │   ├── ThrottledError
    │   ├── UnreachableError
    │   ├── UnfinishedBatchError
    │   ├── RejectedError
    │   ├── BodyMissingError
    │   ├── BodyCorruptError
    │   └── SpoolError                            the spool on this machine could not keep it
    │       ├── SpoolFullError
    │       ├── SpoolInUseError
    │       └── SpoolClosedError
    ├── LoopError                                 a loop is not in the state for what was asked
    ├── UnreadableFileError                       a file does not hold what it should
    ├── MissingExtraError (also an ImportError)   an optional part is not installed
    ├── UnknownCallerError                        the API cannot tell which agent is calling
    ├── ForgedIdentityError                       a request names another agent than its signer
    └── PlatformError                             the local platform cannot do what was asked

Each message says what was asked, what was found and what to do.
"""

from collections.abc import Sequence
from typing import Any, Self


class DaybookError(Exception):
    """The root: catch it to catch whatever Daybook raises on purpose.

    When many decisions were being logged, `decision_ids` are theirs, in order. Whether or not each
    was written, logging them again with these ids counts once.
    """

    decision_ids: Sequence[str] = ()


class InvalidInputError(DaybookError, ValueError):
    """The input is wrong and nothing was written.

    `problems` names each fault as `(where, what)`, `where` being a dotted path.
    """

    def __init__(self, message: str, problems: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    def at(self, place: str) -> Self:
        """Return the same about a part of what was handed in."""
        problems = [
            (f"{place}.{where}" if where else place, what) for where, what in self.problems
        ]
        return type(self)(f"{place}: {self}", problems)


class InvalidAgentIdError(InvalidInputError):
    """An agent id is not 1 to 128 characters of `A-Z a-z 0-9 . _ : @ -`."""


class InvalidDecisionIdError(InvalidInputError):
    """A decision id is not `<UUIDv7>@<agent id>`."""


class InvalidCursorError(InvalidInputError):
    """A cursor is damaged, or belongs to another query."""


class WrongDecisionTypeError(InvalidInputError):
    """An outcome names another type than its decision has."""


class ForeignDecisionError(InvalidInputError):
    """An agent tried to write into another agent's log, or to read it where it may not."""


class ForeignPatternError(InvalidInputError):
    """An agent tried to write into another agent's memory."""


class NoLoggerError(InvalidInputError):
    """A decorated function was called where no log is known."""


class ForeignSignalError(InvalidInputError):
    """An agent asked about another's signal where it may not, or published under its name."""


class BodyTooLargeError(InvalidInputError):
    """A body does not fit into an item without a bucket, or is more than the API carries."""


class InvalidSignalIdError(InvalidInputError):
    """A signal id is not `<UUID>@<agent id>`."""


class UnknownTargetError(InvalidInputError):
    """A signal names agents that are not registered, or a message no loop; nothing was sent."""


class SignalTooLargeError(BodyTooLargeError):
    """A signal's payload, or the signal with its list of targets, is over the limit."""


class NotFoundError(DaybookError, LookupError):
    """What was asked for does not exist, or has expired."""


class DecisionNotFoundError(NotFoundError):
    """No decision has this id, or it has expired."""


class PatternNotFoundError(NotFoundError):
    """This agent has no pattern of this id."""


class RunNotFoundError(NotFoundError):
    """No consolidation run of this agent has this id, or it is too old to be kept."""


class SignalNotFoundError(NotFoundError):
    """No signal has this id, or it has expired."""


class SessionNotFoundError(NotFoundError):
    """Nothing was remembered in a session of this id, or it has expired."""


class AgentNotRegisteredError(NotFoundError):
    """The agent is not in the registry of who is there."""


class TrajectoryNotFoundError(NotFoundError):
    """The replay buffer holds no trajectory of this id."""


class EmptyReplayError(NotFoundError):
    """The replay buffer holds nothing to draw."""


class StateNotFoundError(NotFoundError):
    """This agent has not saved any state yet."""


class CheckpointNotFoundError(NotFoundError):
    """This agent has no checkpoint of this id, or none at all."""


class ConflictError(DaybookError):
    """Something else is already recorded; it stands, and nothing was written."""


class DecisionConflictError(ConflictError):
    """Another decision is already recorded under this id."""


class DecisionLoggedError(ConflictError):
    """A block's decision, or its outcome, was changed after it had been logged."""


class OutcomeConflictError(ConflictError):
    """A different outcome is already recorded for this decision."""


class PatternConflictError(ConflictError):
    """A pattern has changed since it was read."""


class ConsolidationBusyError(ConflictError):
    """Another consolidation of the agent is under way."""


class OvertakenError(ConflictError):
    """Another worker has taken over the job, and has gone on with it."""


class StaleStateError(ConflictError):
    """An agent's state has moved on since the caller read it.

    `found` is the version that stands; 0 when there is none.
    """

    def __init__(self, message: str, found: int = 0) -> None:
        super().__init__(message)
        self.found = found


class UndoRefusedError(ConflictError):
    """A consolidation run cannot be undone: later ones build on it, or it was undone."""


class SignalConflictError(ConflictError):
    """Another signal is already published under this `dedupe_id`; it stands."""


class TrajectoryConflictError(ConflictError):
    """Another trajectory is already stored under this id; it stands."""


class SessionBusyError(ConflictError):
    """Others kept compacting the same session meanwhile."""


class ClaimExpiredError(ConflictError):
    """A claim on a signal is no longer held: its time is over, or it was settled."""


class ChainError(DaybookError):
    """A chain of decisions cannot be walked to its root.

    `chain` holds what could be read, nearest the root first.
    """

    def __init__(self, message: str, chain: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.chain = tuple(chain)


class BrokenChainError(ChainError):
    """A decision names a parent that does not exist, or has expired."""


class ChainTooLongError(ChainError):
    """A chain has more links than are followed."""


class CyclicChainError(ChainError):
    """A decision is its own ancestor."""


class ForeignChainError(ChainError):
    """A chain goes on in the log of an agent whose decisions may not be read here."""


class StorageError(DaybookError):
    """AWS refused a request, or did not answer it.

    When a decision was being logged, `decision_id` is its id: whether or not it was written,
    logging it again with this id counts once. When a signal was being published, `signal_id` is
    its id: `MultiAgentCoordinator.route(signal_id)` finishes what was begun.
    """

    decision_id: str | None = None
    signal_id: str | None = None


class TableMissingError(StorageError):
    """A table (or the bucket) does not exist."""


class SchemaMismatchError(StorageError):
    """A table exists with other keys or indexes than Daybook's schema."""


class AccessDeniedError(StorageError):
    """The credentials are missing, expired, or lack a permission."""


class ThrottledError(StorageError):
    """AWS kept throttling after the last retry."""


class UnreachableError(StorageError):
    """The endpoint could not be reached, or did not answer in time."""


class UnfinishedBatchError(StorageError):
    """DynamoDB left part of a batch undone after the last retry.

    `unprocessed` holds what was not done, in the form in which it was handed in.
    """

    def __init__(self, message: str, unprocessed: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.unprocessed = tuple(unprocessed)


class RejectedError(StorageError):
    """AWS takes a request for invalid: sent again, it is refused again."""


class BodyMissingError(StorageError):
    """An item points to an object that is not in the bucket, or there is no bucket to look in."""


class BodyCorruptError(StorageError):
    """A stored body does not decode, or does not match its checksum."""


class SpoolError(StorageError):
    """The spool could not keep an entry, so it was not acknowledged; or it cannot be opened."""


class SpoolFullError(SpoolError):
    """As many entries wait in the spool as it may hold."""


class SpoolInUseError(SpoolError):
    """Another process owns the spool, or another client manager of this one."""


class SpoolClosedError(SpoolError):
    """The spool was closed, or belongs to the process that this one was forked from."""


class LoopError(DaybookError):
    """A loop, or its supervisor, is not in the state for what was asked; nothing has changed."""


class UnreadableFileError(DaybookError):
    """A file is damaged, was cut off, is of a later version, or is of another kind."""


class MissingExtraError(DaybookError, ImportError):
    """An optional part of Daybook is needed and not installed; the message names it."""


class UnknownCallerError(DaybookError):
    """Whoever signed a request to the API is not an agent."""


class ForgedIdentityError(DaybookError):
    """A request to the API says that it comes from another agent than the one that signed it."""


class PlatformError(DaybookError):
    """The local platform cannot do what was asked; the message says what to do."""

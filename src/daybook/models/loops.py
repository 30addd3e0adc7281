"""How loops are doing: their state, and their numbers at one moment."""

from enum import StrEnum

from daybook.models.base import ListOf, Record


class LoopState(StrEnum):
    """How a loop is. The first and the last two are at rest: it can be started."""

    NEW = "new"
    RUNNING = "running"
    RESTARTING = "restarting"
    """Its step raised, and it pauses before it goes on."""
    STOPPING = "stopping"
    """It was asked to stop, and its step is still at work."""
    STOPPED = "stopped"
    FAILED = "failed"
    """Its step raised, and it has given up."""

    @property
    def is_at_work(self) -> bool:
        """Whether a loop in this state has a thread."""
        return self in {LoopState.RUNNING, LoopState.RESTARTING, LoopState.STOPPING}


class Percentiles(Record):
    """Milliseconds within 1%; None of none."""

    p50: float | None
    p95: float | None
    p99: float | None


class Messages(Record):
    """What became of messages, each counted once for everyone that it was sent to.

    `sent` is by this loop. `received`, `dropped` and `waiting` (the depth of its inbox) are those
    sent to it. Of a supervisor the first is the sum of the other three, exactly.
    """

    sent: int
    received: int
    dropped: int
    waiting: int


class WorkingMemoryMetrics(Record):
    """What a loop keeps in its working memory. Bytes are of JSON.

    `plain_bytes` are those of the entries that are not in a block. `packed_bytes` is what the
    blocks take, and `unpacked_bytes` what took that place before. `compression_ratio` is the
    latter through the former: 4.0 is a quarter of the size, None is that nothing is packed.
    `forgotten` entries went with the oldest blocks.
    """

    entries: int
    blocks: int
    plain_bytes: int
    packed_bytes: int
    unpacked_bytes: int
    compression_ratio: float | None
    forgotten: int


class LoopMetrics(Record):
    """How a loop is doing. The counts go on when it is started again.

    `ticks` are steps that have begun, `failures` those that raised. `missed_beats` came due
    while a step, or a pause before a restart, was under way. `step_ms` is how long steps took,
    and `delay_ms` by how much beats came late. `busy_s` is for how many seconds the step that is
    under way has been; 0 when none is.
    """

    name: str
    state: LoopState
    ticks: int
    failures: int
    failures_in_a_row: int
    restarts: int
    missed_beats: int
    step_ms: Percentiles
    delay_ms: Percentiles
    busy_s: float
    last_error: str | None
    messages: Messages
    memory: WorkingMemoryMetrics


class SupervisorMetrics(Record):
    """How a supervisor's loops are doing, together and each.

    The sums and the percentiles are over the loops that it holds, in the order of their names;
    `messages` are also those of loops that were removed.
    """

    states: dict[LoopState, int]
    ticks: int
    failures: int
    restarts: int
    missed_beats: int
    step_ms: Percentiles
    delay_ms: Percentiles
    messages: Messages
    memory: WorkingMemoryMetrics
    loops: ListOf[LoopMetrics]

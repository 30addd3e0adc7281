"""What the contracts of signals look at."""

from daybook import Claim, MemoryManager, SignalStatus


def ids(claims: list[Claim]) -> list[str]:
    """Return the ids of what was claimed."""
    return [claim.signal.signal_id for claim in claims]


def statuses(sender: MemoryManager, signal_id: str) -> dict[str, SignalStatus]:
    """Return how far each target has got."""
    report = sender.signal_status(signal_id)
    return {each.agent_id: each.status for each in report.deliveries}

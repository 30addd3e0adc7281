"""What a bill rests on, in sentences for whoever reads it."""

from daybook.costs.deployment import POLLED_QUEUES, POLLERS
from daybook.costs.prices import AS_OF, REGION
from daybook.costs.workload import HOURS_A_MONTH, Workload

NOT_COUNTED = (
    "data transfer out of the region",
    "mail of alarms",
    "deployments",
    "reading the archive",
    "retries",
    "statistics, lists and chains that are asked for",
    "LangGraph",
    "state or decisions in the bucket",
    "the decision queue's messages",
    "parents and late decisions",
    "taxes",
)


def assumptions(workload: Workload, *, free_tier: bool) -> list[str]:
    """Return what the bill of a workload assumes, a sentence each."""
    free = (
        "What AWS gives every account each month without end is taken off, once"
        if free_tier
        else "Nothing is taken off for what AWS gives for nothing"
    )
    return [
        f"A month is {HOURS_A_MONTH} hours, 30.4 days. Prices of {REGION} as of {AS_OF}.",
        f"{free}; an account's first year and credits are not counted.",
        _day(workload),
        f"{_shown(workload.retention_days)} days of log are there, and backed up.",
        "Sizes are of JSON as it is handed in; from 1 KB on it is stored at about a quarter.",
        "Each decision of a cycle is of another type, up to eight.",
        "Agents have found patterns long ago, and keep them up: new agents cost less.",
        "How long functions run, what they log, and requests for keys are estimates.",
        f"Lambda has {POLLERS} polls of each of {len(POLLED_QUEUES)} queues under way at once.",
        f"Not counted: {', '.join(NOT_COUNTED)}.",
    ]


def _day(workload: Workload) -> str:
    """Say what an agent does."""
    recalls = workload.recalls / workload.cycles
    door = "the tables" if workload.door == "tables" else "the API"
    return (
        f"{workload.agents:,} agents at {door}, {_shown(workload.cycles_per_day)} cycles a day; "
        f"in each, {_shown(workload.decisions_per_cycle)} decisions of "
        f"{_shown(workload.decision_kb)} KB ({workload.outcomes:.0%} get an outcome), "
        f"{_shown(recalls)} recalls, {_shown(workload.saves_per_cycle)} saves of "
        f"{_shown(workload.state_kb)} KB of state, {_shown(workload.signals_per_cycle)} signals."
    )


def _shown(number: float) -> str:
    return f"{number:,.6g}" if abs(number) < 1_000 else f"{number:,.0f}"  # noqa: PLR2004 - commas

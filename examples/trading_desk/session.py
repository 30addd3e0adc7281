"""The desk at work: it hands its days in, lets its agents learn, and recalls as it goes on."""

from collections.abc import Mapping, Sequence
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from daybook.store.capacity import CapacityMeter
from examples.trading_desk import desk, writing
from examples.trading_desk.agents import AGENTS, RISK
from examples.trading_desk.desk import Entry, Made, TradingDay
from examples.trading_desk.learning import Learned, Quiet
from examples.trading_desk.memory import Memories
from examples.trading_desk.plan import Plan
from examples.trading_desk.prices import Market
from examples.trading_desk.wiring import Wiring
from examples.trading_desk.writing import Write


class Session:
    """One run of the demo on one platform, and what it has done so far.

    `entries` are those handed in, `repeated` how many of them were in the log before. The
    meters count what logging through the direct door and what recalling took.
    """

    def __init__(self, console: Console, wiring: Wiring, market: Market, plan: Plan) -> None:
        self.console = console
        self.wiring = wiring
        self.market = market
        self.plan = plan
        self.memories = Memories(wiring.memories)
        self.entries: list[Entry] = []
        self.repeated = 0
        self.decisions = CapacityMeter(wiring.metered.dynamodb)
        self.outcomes = CapacityMeter(wiring.metered.dynamodb)
        self.recalls = CapacityMeter(wiring.remembering.dynamodb)

    def trade(self, day: int, traded: Mapping[int, Sequence[Made]]) -> TradingDay:
        """Trade a day with memory; take it from the log if it was traded in an earlier run."""
        made = traded.get(day)
        if made is None:
            known = self.market.until(day)
            with self.recalls:
                made = desk.decide(known, self.plan, self.memories.guide)
        return desk.judge(self.market, self.plan, day, made)

    def log(self, days: Sequence[TradingDay]) -> dict[str, Learned]:
        """Hand in the decisions of these days, then their outcomes, and let the agents learn.

        Then everything is read back. Raises DeskError or a DaybookError.
        """
        made = [entry for day in days for entry in day.entries]
        held = {
            decision_id: record
            for agent, log in self.wiring.logs.items()
            for decision_id, record in writing.read_log(log, of(agent, made)).items()
        }
        self.repeated += sum(entry.decision_id in held for entry in made)
        entries = writing.as_measured_before(made, held)
        with self.decisions:
            self._hand_in("decision", entries, writing.log_decision)
        new = {
            agent: sum(
                entry.decision_id not in held or held[entry.decision_id].outcome is None
                for entry in of(agent, entries)
            )
            for agent in AGENTS
        }
        with Quiet(self.memories.of.values()) as quiet:
            with self.outcomes:
                self._hand_in("outcome", entries, writing.log_outcome)
            learned = self._learn(quiet, new)
        with self._progress() as progress:
            for agent in progress.track(AGENTS, description="reading back"):
                writing.check(self.wiring.logs[agent], of(agent, entries))
        self.entries += entries
        return learned

    def _learn(self, quiet: Quiet, new: Mapping[str, int]) -> dict[str, Learned]:
        learned: dict[str, Learned] = {}
        with self._progress() as progress:
            for agent in progress.track(AGENTS, description="learning"):
                learned[agent] = quiet.learn(self.memories.of[agent])
                missing = new[agent] - learned[agent].report.outcomes_learned
                if missing > 0:
                    self.console.print(
                        f"{missing} of the {agent}'s outcomes were learned by the stack's own "
                        "schedule before the desk came to it, with the default half-life of 90 "
                        "days: what is recalled may differ from an undisturbed run's.",
                        style="yellow",
                    )
        return learned

    def _hand_in(self, what: str, entries: Sequence[Entry], write: Write) -> None:
        """Hand the decisions or the outcomes in, and wait until the queue is empty."""
        with self._progress() as progress:
            tasks = {
                agent: progress.add_task(
                    f"{agent}'s {what}s: {door.name}", total=len(of(agent, entries))
                )
                for agent, door in self.wiring.doors.items()
            }
            drain = progress.add_task("the queue is carried out", total=len(of(RISK, entries)))

            def left(messages: int) -> None:
                # what others have put on the same queue is waited for, and not shown
                done = max(len(of(RISK, entries)) - messages, 0)
                progress.update(drain, completed=done)

            self.wiring.risk_door.waiting = left
            writing.hand_in(
                entries, self.wiring.doors, write, lambda agent: progress.advance(tasks[agent])
            )

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )


def of(agent: str, entries: Sequence[Entry]) -> list[Entry]:
    """Return an agent's entries."""
    return [entry for entry in entries if entry.agent_id == agent]


def told(learned: Mapping[str, Learned], began: float) -> str:
    """Say how patterns changed, and how long everything since `began` took."""
    reports = [each.report for each in learned.values()]
    created, updated, retired = (
        sum(getattr(report, f"patterns_{verb}") for report in reports)
        for verb in ("created", "updated", "retired")
    )
    return f"patterns +{created} ~{updated} -{retired}; {perf_counter() - began:.0f} s"

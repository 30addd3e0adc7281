"""Random lives of an agent: whenever runs happen, the statistics are those of everything."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from daybook import AWSClientManager, new_decision_id
from daybook.analytics import decision_stats, rolling
from daybook.analytics.closed_hours import read_closed_hours
from daybook.analytics.summaries import summarize
from daybook.decisions import record, record_outcome
from daybook.decisions.digests import DecisionDigest, OutcomeDigest
from daybook.models import DecisionType
from daybook.models.drafts import DecisionDraft, OutcomeDraft
from daybook.models.identity import DecisionId
from daybook.progress.heads import read_head
from daybook.store import Store
from tests.unit.analytics.worker import assert_equal, run

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS = st.sampled_from([DecisionType.RISK_ASSESSMENT, DecisionType.OTHER])
SHARES = st.floats(min_value=0, max_value=1)
DELAYS = st.sampled_from([0, 59, 60, 61, 600, 7200, 86_400, 20 * 86_400]) | st.integers(0, 9000)


class History(RuleBasedStateMachine):
    """Decisions and outcomes arrive with any delay; runs and questions come at any moment."""

    database: Store

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.store = dataclasses.replace(self.database, clock=lambda: self.now)
        self.agent_id = f"agent-{uuid4().hex}"
        self.decisions: list[DecisionDigest] = []
        self.outcomes: dict[str, OutcomeDigest] = {}
        self.drafts: list[DecisionDraft] = []

    @rule(delay=DELAYS, kind=KINDS, confidence=SHARES)
    def decide(self, delay: int, kind: DecisionType, confidence: float) -> None:
        """Log a decision that was made some seconds ago."""
        own = new_decision_id(self.agent_id, self.now - timedelta(seconds=delay))
        draft = DecisionDraft(decision_type=kind, confidence=confidence, decision_id=own)
        record(self.store, draft.to_record(self.agent_id, self.now))
        self.drafts.append(draft)
        self.decisions.append(DecisionDigest(DecisionId.parse(own).uuid, kind, confidence, 0))

    @rule(which=st.integers(0, 99))
    def repeat(self, which: int) -> None:
        """Log one of the decisions again."""
        if self.drafts:
            draft = self.drafts[which % len(self.drafts)]
            record(self.store, draft.to_record(self.agent_id, self.now))

    @rule(
        which=st.integers(0, 99),
        success=st.booleans(),
        quality=st.none() | SHARES,
        latency=st.none() | st.floats(0, 1e6),
    )
    def resolve(
        self, which: int, success: bool, quality: float | None, latency: float | None
    ) -> None:
        """Log the outcome of a decision, if it has none."""
        if not self.drafts:
            return
        draft = self.drafts[which % len(self.drafts)]
        uuid = DecisionId.parse(str(draft.decision_id)).uuid
        if uuid in self.outcomes:
            return
        facts: dict[str, Any] = {"success": success, "quality_score": quality}
        outcome = OutcomeDraft(
            decision_id=str(draft.decision_id),
            decision_type=draft.decision_type,
            latency_ms=latency,
            **facts,
        )
        record_outcome(self.store, outcome.to_outcome(self.agent_id, self.now))
        self.outcomes[uuid] = OutcomeDigest(
            uuid, draft.decision_type, success, quality, latency, False, draft.confidence
        )

    @rule(seconds=DELAYS)
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def consolidate(self) -> None:
        """Roll up."""
        run(self.store, self.agent_id)

    @rule(hours=st.sampled_from([0.5, 2, 48, 30 * 24]) | st.floats(0.01, 60), kind=KINDS)
    def ask(self, hours: float, kind: DecisionType) -> None:
        """Ask about a window, of one type."""
        self._compare(hours, kind)

    @invariant()
    def statistics_are_exact(self) -> None:
        """Ask about everything."""
        self._compare(24 * 365)

    def _compare(self, hours: float, kind: DecisionType | None = None) -> None:
        since = self.now - timedelta(hours=hours)
        truth = summarize(
            [d for d in self.decisions if self._asked(d, since, kind)],
            [o for o in self.outcomes.values() if self._asked(o, since, kind)],
        )
        assert_equal(decision_stats(self.store, self.agent_id, hours, kind), truth)

    def _asked(
        self, digest: DecisionDigest | OutcomeDigest, since: datetime, kind: DecisionType | None
    ) -> bool:
        made = DecisionId(digest.uuid, self.agent_id).decided_at
        return made >= since and kind in {None, digest.decision_type}


def test_statistics_are_exact_at_every_moment(database: AWSClientManager) -> None:
    """To the last bit, percentiles within 1%, for late, repeated and unrolled arrivals alike."""
    history = type("HistoryOnDynamoDB", (History,), {"database": database.store})
    run_state_machine_as_test(
        history,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(hours=st.floats(0.02, 200))
def test_the_first_hour_is_whole(database: AWSClientManager, hours: float) -> None:
    """From rollups come only hours that lie in the window from end to end."""
    store = dataclasses.replace(database.store, clock=lambda: START)
    since = START - timedelta(hours=hours)
    agent_id = f"agent-{uuid4().hex}"
    head = read_head(store, agent_id, rolling.JOB)
    assert read_closed_hours(store, agent_id, since) is None
    draft = DecisionDraft(
        decision_type=DecisionType.OTHER, confidence=0.5, decided_at=START - timedelta(hours=300)
    )
    record(store, draft.to_record(agent_id, START))
    until = rolling.closed_until(rolling.close_hours(store, head, START, []))
    closed = read_closed_hours(store, agent_id, since)
    assert until == START - timedelta(hours=1)
    if closed is None:
        assert hours < 2
    else:
        assert closed.until == until
        assert since <= closed.first < since + timedelta(hours=1)


def test_a_broken_summary_would_be_caught() -> None:
    """The control: one decision more, or a latency off by 2%, is not equal."""
    decision = DecisionDigest("u", DecisionType.OTHER, 0.5, 0)
    outcome = OutcomeDigest("u", DecisionType.OTHER, True, 0.5, 100.0, False, 0.5)
    truth = summarize([decision], [outcome])
    for found in (
        summarize([decision] * 2, [outcome]),
        summarize([decision], [outcome._replace(latency_ms=102.0)]),
    ):
        with pytest.raises(AssertionError):
            assert_equal(found, truth)

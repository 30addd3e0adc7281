"""What runs consolidation and checkpoints: the streams' follower, schedules and workers."""

import json
from typing import Any

import pytest

from daybook.models.identity import DecisionId
from daybook.store import DECISIONS, keys
from tests.infra.conftest import Synthesized

MINUTE = 60


def mapping_of(stage: Synthesized, function: str, source: str = "") -> dict[str, Any]:
    """Return the properties of the event source of a function."""
    (found,) = (
        mapping["Properties"]
        for mapping in stage.of_type("AWS::Lambda::EventSourceMapping").values()
        if function in mapping["Properties"]["FunctionName"]["Ref"]
        and source in str(mapping["Properties"]["EventSourceArn"])
    )
    return dict(found)


LOG, STATES = "tablesagentdecisions", "tablesagentstate"


@pytest.mark.parametrize("source", [LOG, STATES])
def test_the_streams_are_followed(stage: Synthesized, source: str) -> None:
    """In large batches, gathered for a while, from the oldest record that there is."""
    mapping = mapping_of(stage, "newsfunction", source)
    assert mapping["BatchSize"] == 1000
    assert mapping["MaximumBatchingWindowInSeconds"] == (1 if stage.config.local else MINUTE)
    assert mapping["StartingPosition"] == "TRIM_HORIZON"


@pytest.mark.parametrize("source", [LOG, STATES])
def test_a_failed_batch_is_halved_and_kept(stage: Synthesized, source: str) -> None:
    """It is tried again for half a day; what fails until then is known of afterwards."""
    mapping = mapping_of(stage, "newsfunction", source)
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRecordAgeInSeconds"] == 12 * 60 * MINUTE
    assert "MaximumRetryAttempts" not in mapping
    assert "deadletters" in str(mapping["DestinationConfig"]["OnFailure"]["Destination"])


def test_only_arrivals_are_news(stage: Synthesized) -> None:
    """The filter lets decisions, outcomes and late marks pass, and no expiry."""
    mapping = mapping_of(stage, "newsfunction", LOG)
    (given,) = mapping["FilterCriteria"]["Filters"]
    pattern = json.loads(given["Pattern"])
    assert "REMOVE" not in pattern["eventName"]
    prefixes = tuple(each["prefix"] for each in pattern["dynamodb"]["Keys"]["sk"]["S"])
    written = DecisionId("01a1fc24-67b6-78c1-a534-9749b8abc2fe", "scout")
    for key in (keys.decision(written), keys.outcome(written), keys.late_mark(written, 1)):
        assert str(key["sk"]).startswith(prefixes)
    assert DECISIONS.name in str(stage.of_type("AWS::DynamoDB::Table"))


def test_only_states_that_stand_are_news(stage: Synthesized) -> None:
    """The filter lets the current state pass, and no checkpoint."""
    (given,) = mapping_of(stage, "newsfunction", STATES)["FilterCriteria"]["Filters"]
    pattern = json.loads(given["Pattern"])
    assert pattern["dynamodb"]["Keys"]["sk"]["S"] == [keys.current_state("a")["sk"]]
    assert "REMOVE" not in pattern["eventName"]


@pytest.mark.parametrize(
    ("name", "letters", "minutes"),
    [("consolidation", "consolidatingschedule", 15), ("checkpoint", "checkpointingschedule", 60)],
)
def test_the_schedule_calls_the_planner(
    stage: Synthesized, name: str, letters: str, minutes: int
) -> None:
    """At its rate, every minute locally, and exactly then."""
    (schedule,) = (
        found["Properties"]
        for found in stage.of_type("AWS::Scheduler::Schedule").values()
        if found["Properties"]["Name"] == f"daybook-{name}"
    )
    rate = "rate(1 minute)" if stage.config.local else "rate(15 minutes)"
    rate = rate.replace("15 minutes", "1 hour") if minutes == MINUTE else rate
    assert schedule["ScheduleExpression"] == rate
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["State"] == "ENABLED"
    target = schedule["Target"]
    assert f"{name}plannerfunction" in str(target["Arn"])
    assert f"{letters}deadletters" in str(target["DeadLetterConfig"])
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] >= MINUTE


@pytest.mark.parametrize("name", ["consolidation", "checkpoint"])
def test_workers_take_one_agent_each(stage: Synthesized, name: str) -> None:
    """And not more at once than the account can bear."""
    mapping = mapping_of(stage, f"{name}workerfunction")
    assert mapping["BatchSize"] == 1
    paces = {"consolidation": stage.config.consolidation, "checkpoint": stage.config.checkpoints}
    workers = paces[name].workers
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": workers}


def test_only_the_local_platform_has_its_own_actions(stage: Synthesized) -> None:
    """AWS knows no action `sqs:SendMessageBatch`; ministack asks for it."""
    policies = str(stage.of_type("AWS::IAM::Policy"))
    assert ("sqs:SendMessageBatch" in policies) is stage.config.local

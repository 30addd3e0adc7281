"""What runs consolidation: the stream's follower, the schedule and the workers."""

import json
from typing import Any

from daybook.models.identity import DecisionId
from daybook.store import DECISIONS, keys
from tests.infra.conftest import Synthesized

MINUTE = 60


def mapping_of(stage: Synthesized, function: str) -> dict[str, Any]:
    """Return the properties of the event source of a function."""
    (found,) = (
        mapping["Properties"]
        for mapping in stage.of_type("AWS::Lambda::EventSourceMapping").values()
        if function in mapping["Properties"]["FunctionName"]["Ref"]
    )
    return dict(found)


def test_the_logs_stream_is_followed(stage: Synthesized) -> None:
    """In large batches, gathered for a while, from the oldest record that there is."""
    mapping = mapping_of(stage, "newsfunction")
    assert "tablesagentdecisions" in str(mapping["EventSourceArn"])
    assert mapping["BatchSize"] == 1000
    assert mapping["MaximumBatchingWindowInSeconds"] == (1 if stage.config.local else MINUTE)
    assert mapping["StartingPosition"] == "TRIM_HORIZON"


def test_a_failed_batch_is_halved_and_kept(stage: Synthesized) -> None:
    """It is tried again for half a day; what fails until then is known of afterwards."""
    mapping = mapping_of(stage, "newsfunction")
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRecordAgeInSeconds"] == 12 * 60 * MINUTE
    assert "MaximumRetryAttempts" not in mapping
    assert "deadletters" in str(mapping["DestinationConfig"]["OnFailure"]["Destination"])


def test_only_arrivals_are_news(stage: Synthesized) -> None:
    """The filter lets decisions, outcomes and late marks pass, and no expiry."""
    mapping = mapping_of(stage, "newsfunction")
    (given,) = mapping["FilterCriteria"]["Filters"]
    pattern = json.loads(given["Pattern"])
    assert "REMOVE" not in pattern["eventName"]
    prefixes = tuple(each["prefix"] for each in pattern["dynamodb"]["Keys"]["sk"]["S"])
    written = DecisionId("01a1fc24-67b6-78c1-a534-9749b8abc2fe", "scout")
    for key in (keys.decision(written), keys.outcome(written), keys.late_mark(written, 1)):
        assert str(key["sk"]).startswith(prefixes)
    assert DECISIONS.name in str(stage.of_type("AWS::DynamoDB::Table"))


def test_the_schedule_calls_the_planner(stage: Synthesized) -> None:
    """Every quarter of an hour, every minute locally, and exactly then."""
    schedule = stage.only("AWS::Scheduler::Schedule")
    rate = "rate(1 minute)" if stage.config.local else "rate(15 minutes)"
    assert schedule["ScheduleExpression"] == rate
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["State"] == "ENABLED"
    target = schedule["Target"]
    assert "consolidationplannerfunction" in str(target["Arn"])
    assert "scheduledeadletters" in str(target["DeadLetterConfig"])
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] >= MINUTE


def test_workers_take_one_agent_each(stage: Synthesized) -> None:
    """And not more at once than the account can bear."""
    mapping = mapping_of(stage, "workerfunction")
    assert mapping["BatchSize"] == 1
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": stage.config.consolidation_workers}


def test_only_the_local_platform_has_its_own_actions(stage: Synthesized) -> None:
    """AWS knows no action `sqs:SendMessageBatch`; ministack asks for it."""
    policies = str(stage.of_type("AWS::IAM::Policy"))
    assert ("sqs:SendMessageBatch" in policies) is stage.config.local

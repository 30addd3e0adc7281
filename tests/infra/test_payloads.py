"""The bucket's lifecycle: bodies go after their items, the archive never."""

from typing import Any

import aws_cdk as cdk
from aws_cdk.assertions import Template

from daybook import new_decision_id
from daybook.models import DecisionId
from daybook.store import keys
from infra.config import stage_config
from infra.payloads import GRACE_DAYS, Payloads
from tests.infra.conftest import Synthesized


def rules(stage: Synthesized) -> list[dict[str, Any]]:
    """Return the lifecycle rules of the bucket."""
    return list(stage.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"])


def test_only_bodies_expire(stage: Synthesized) -> None:
    """The one rule that removes what is current is for the bodies' folder."""
    (expiry,) = (rule for rule in rules(stage) if "ExpirationInDays" in rule)
    assert expiry["Prefix"] == keys.BODIES
    assert expiry["ExpirationInDays"] == stage.config.retention_days + GRACE_DAYS
    own = DecisionId.parse(new_decision_id("a"))
    assert keys.decision_bodies(own).startswith(keys.BODIES)
    day = keys.archive_day("a", own.decided_at.date())
    assert not day.startswith(keys.BODIES)
    # a state has no end, and neither have its checkpoints
    assert not keys.state_body("a", 1, "t").startswith(keys.BODIES)
    assert keys.state_body("a", 1, "t").startswith(keys.STATE_BODIES)


def test_earlier_versions_end_everywhere(stage: Synthesized) -> None:
    """A rewritten day, or a body that was written over, can be had back for 35 days."""
    (earlier,) = (rule for rule in rules(stage) if "NoncurrentVersionExpiration" in rule)
    assert earlier["NoncurrentVersionExpiration"] == {"NoncurrentDays": GRACE_DAYS}
    assert "Prefix" not in earlier


def test_a_log_that_is_kept_for_ever_keeps_its_bodies() -> None:
    """Without a retention no body expires."""
    config = stage_config({"stage": "dev", "retention_days": "0"}.get)
    app = cdk.App()
    stack = cdk.Stack(app, "kept")
    Payloads(stack, "payloads", config=config)
    (bucket,) = Template.from_stack(stack).find_resources("AWS::S3::Bucket").values()
    kept = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert not [rule for rule in kept if "ExpirationInDays" in rule]

"""What concerns the stack as a whole: nag, bucket, logs, alarms, outputs."""

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from infra import nag
from tests.infra.conftest import Synthesized


def test_cdk_nag_has_nothing_to_say(stage: Synthesized) -> None:
    """Every finding of the AwsSolutions rules is mended, or acknowledged with a reason."""
    assert stage.findings == []


def test_cdk_nag_looks(tmp_path: Path) -> None:
    """The control: a bucket without any care is found, so the silence above means something."""
    app = cdk.App(outdir=str(tmp_path))
    s3.Bucket(cdk.Stack(app, "careless"), "bucket")
    nag.check(app)
    with pytest.raises(RuntimeError, match="AwsSolutions-S10"):
        app.synth()


def test_bucket_is_private_and_encrypted(stage: Synthesized) -> None:
    """Nothing public, encrypted, versioned, and no half-uploaded body stays."""
    bucket = stage.only("AWS::S3::Bucket")
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_bodies_outlive_their_items(prod: Synthesized) -> None:
    """A body goes only after its item has, so that a restored table still finds its bodies."""
    rules = prod.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    (days,) = (rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule)
    assert days >= prod.config.retention_days + 35


def test_logs_end(stage: Synthesized) -> None:
    """Every log group has a retention."""
    groups = stage.of_type("AWS::Logs::LogGroup").values()
    assert len(groups) == 10
    assert {g["Properties"]["RetentionInDays"] for g in groups} == {
        stage.config.log_retention_days
    }


def test_alarms(prod: Synthesized) -> None:
    """Dead letters, errors, throttles and a late queue raise an alarm, which is sent."""
    alarms = prod.of_type("AWS::CloudWatch::Alarm").values()
    functions = {
        f["Properties"]["FunctionName"] for f in prod.of_type("AWS::Lambda::Function").values()
    }
    assert len(functions) == 9
    assert {a["Properties"]["AlarmName"] for a in alarms} == {
        "daybook-dead-letters",
        "daybook-consolidation-dead-letters",
        "daybook-news-dead-letters",
        "daybook-schedule-dead-letters",
        "daybook-signals-dead-letters",
        "daybook-signals-late",
        "daybook-checkpoint-dead-letters",
        "daybook-checkpoint-schedule-dead-letters",
        "daybook-checkpoint-late",
        "daybook-checkpoint-failures",
        "daybook-queue-late",
        "daybook-news-late",
        "daybook-consolidation-late",
        "daybook-consolidation-failures",
        "daybook-api-server-errors",
        *(f"{name}-errors" for name in functions),
        *(f"{name}-throttles" for name in functions),
    }
    assert all(a["Properties"]["AlarmActions"] for a in alarms)
    assert prod.only("AWS::SNS::Subscription")["Endpoint"] == "ops@example.com"


def test_outputs(stage: Synthesized) -> None:
    """A person, or the local platform, finds in the outputs how to connect."""
    outputs = stage.template["Outputs"]
    assert {
        "ApiUrl",
        "ApiId",
        "QueueUrl",
        "DeadLetterQueueUrl",
        "ConsolidationDeadLetterQueueUrl",
        "SignalBus",
        "SignalsDeadLetterQueueUrl",
        "SignalsRouted",
        "CheckpointDeadLetterQueueUrl",
        "RollbackFunction",
        "CheckpointsKept",
        "PayloadBucket",
        "AgentRolePrefix",
        "Agents",
        "Fingerprint",
    } <= outputs.keys()
    assert outputs["Agents"]["Value"] == "btc-agent-001,risk@desk"

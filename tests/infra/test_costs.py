"""What the cost model knows of the deployment is what is deployed."""

from typing import Any

from daybook.costs import capacity, deployment
from daybook.costs.deployment import FUNCTIONS, PLANNED_EVERY, Fn
from daybook.costs.workload import Workload
from daybook.store.schema import TABLES
from tests.infra.conftest import Synthesized

PRICED = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::Scheduler::Schedule",
}
WITHOUT_A_PRICE = {
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    # the mail of alarms: the first thousand of a month are free
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


def properties(prod: Synthesized, kind: str) -> list[dict[str, Any]]:
    """Return what the resources of a type say."""
    return [dict(resource["Properties"]) for resource in prod.of_type(kind).values()]


def named(resource: dict[str, Any], attribute: str) -> str:
    """Return a resource's name without what the stage puts before it."""
    return str(resource[attribute]).removeprefix("daybook-")


def test_nothing_new_is_deployed(prod: Synthesized) -> None:
    """A kind of resource that the model has not heard of makes somebody ask what it costs."""
    kinds = {resource["Type"] for resource in prod.template["Resources"].values()}
    assert kinds - WITHOUT_A_PRICE == PRICED


def test_functions(prod: Synthesized) -> None:
    """Each with its memory, on the processor of the price, and traced."""
    found = {named(f, "FunctionName"): f for f in properties(prod, "AWS::Lambda::Function")}
    assert found.keys() == set(Fn)
    for name, function in FUNCTIONS.items():
        assert found[name]["MemorySize"] == function.memory_mb, name
        assert found[name]["Architectures"] == ["arm64"]
        assert found[name]["TracingConfig"] == {"Mode": "Active"}
        # more of the disk than everybody gets would be billed
        assert "EphemeralStorage" not in found[name]
    assert not any("ProvisionedConcurrencyConfig" in f for f in found.values())


def test_schedules(prod: Synthesized) -> None:
    """Each planner is called as often as the model says."""
    planners = {
        prod.of_type("AWS::Lambda::Function")[schedule["Target"]["Arn"]["Fn::GetAtt"][0]][
            "Properties"
        ]["FunctionName"]: schedule["ScheduleExpression"]
        for schedule in properties(prod, "AWS::Scheduler::Schedule")
    }
    assert planners == {
        f"daybook-{planner}": f"rate({minutes} minutes)" if minutes < 60 else "rate(1 hour)"
        for planner, minutes in PLANNED_EVERY.items()
    }


def test_what_lambda_polls(prod: Synthesized) -> None:
    """The queues, which cost by the poll; and the streams, which do not, with their windows."""
    queues = {name: q["Properties"] for name, q in prod.of_type("AWS::SQS::Queue").items()}
    polled, streams = [], []
    for mapping in properties(prod, "AWS::Lambda::EventSourceMapping"):
        source = mapping["EventSourceArn"]["Fn::GetAtt"]
        assert "ProvisionedPollerConfig" not in mapping
        if source[1] == "StreamArn":
            streams.append(mapping.get("MaximumBatchingWindowInSeconds", 0))
        else:
            polled.append(named(queues[source[0]], "QueueName"))
    assert sorted(polled) == sorted(deployment.POLLED_QUEUES)
    window = deployment.NEWS_WINDOW_SECONDS
    assert sorted(streams) == [0, *[window] * deployment.NEWS_STREAMS]


def test_alarms(prod: Synthesized) -> None:
    """As many as are priced, each of one metric, and none of high resolution."""
    alarms = properties(prod, "AWS::CloudWatch::Alarm")
    assert len(alarms) == deployment.ALARMS
    assert all("Metrics" not in alarm and alarm["Period"] >= 60 for alarm in alarms)
    used = {a["MetricName"] for a in alarms if a["Namespace"] == "Daybook"}
    assert used <= deployment.METRICS.keys()


def test_tables(prod: Synthesized) -> None:
    """On demand, backed up, and under a key whose requests are billed, not one of our own."""
    tables = properties(prod, "AWS::DynamoDB::Table")
    assert len(tables) == len(TABLES)
    for table in tables:
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"] == {"SSEEnabled": True}
        assert "TableClass" not in table


def test_logs_and_what_is_kept(prod: Synthesized) -> None:
    """How long logs, decisions and checkpoints stay."""
    groups = properties(prod, "AWS::Logs::LogGroup")
    assert {group["RetentionInDays"] for group in groups} == {deployment.LOG_RETENTION_DAYS}
    assert len(groups) == len(Fn) + 1
    assert prod.config.retention_days == Workload.model_fields["retention_days"].default
    assert prod.config.checkpoints_kept == capacity.CHECKPOINTS_KEPT

"""The functions and the two doors in front of them: the HTTP API and the queue."""

from typing import Any

import pytest

from tests.infra.conftest import Synthesized


def test_every_route_wants_a_signature(stage: Synthesized) -> None:
    """No route can be called unsigned."""
    routes = stage.of_type("AWS::ApiGatewayV2::Route")
    assert routes
    assert {r["Properties"]["AuthorizationType"] for r in routes.values()} == {"AWS_IAM"}


def test_api_is_throttled_and_logged(stage: Synthesized) -> None:
    """The API's stage limits its traffic and writes who called what, and why nothing answered."""
    properties = stage.only("AWS::ApiGatewayV2::Stage")
    assert properties["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert properties["DefaultRouteSettings"]["ThrottlingBurstLimit"] > 0
    assert "$context.identity.userArn" in properties["AccessLogSettings"]["Format"]
    assert "$context.integrationErrorMessage" in properties["AccessLogSettings"]["Format"]


FUNCTIONS = (
    "agent-api",
    "decision-queue",
    "news",
    "consolidation-planner",
    "consolidation-worker",
    "signal-router",
    "checkpoint-planner",
    "checkpoint-worker",
    "rollback",
)


LEARNING = ("agent-api", "consolidation-worker")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(stage: Synthesized, name: str) -> None:
    """A function has the stage's runtime, its handler, its layers and a log of its own."""
    (properties,) = (
        f["Properties"]
        for f in stage.of_type("AWS::Lambda::Function").values()
        if f["Properties"]["FunctionName"] == f"daybook-{name}"
    )
    target = stage.config.layer_target
    assert properties["Handler"] == f"lambdas.handlers.{name.replace('-', '_')}.handler"
    assert properties["Runtime"] == f"python{target.python}"
    assert properties["Architectures"] == [target.architecture]
    layers = stage.of_type("AWS::Lambda::LayerVersion")
    described = [
        layers[layer["Ref"]]["Properties"]["Description"] for layer in properties["Layers"]
    ]
    learning = ["What learning and the archive import"] if name in LEARNING else []
    assert described == ["What all of Daybook's functions import", *learning]
    assert "LoggingConfig" in properties
    assert (properties.get("TracingConfig") == {"Mode": "Active"}) is stage.config.tracing


@pytest.mark.parametrize("name", FUNCTIONS)
def test_environment(stage: Synthesized, name: str) -> None:
    """A function finds the tables, the bucket, and how roles are named, in its environment."""
    (properties,) = (
        f["Properties"]
        for f in stage.of_type("AWS::Lambda::Function").values()
        if f["Properties"]["FunctionName"] == f"daybook-{name}"
    )
    variables = properties["Environment"]["Variables"]
    assert variables.pop("DAYBOOK_PAYLOAD_BUCKET")
    assert (variables.pop("POWERTOOLS_TRACE_DISABLED", None) is None) is stage.config.tracing
    sends = name.startswith(("consolidation", "checkpoint"))
    assert bool(variables.pop("DAYBOOK_WORK_QUEUE_URL", None)) is sends
    assert bool(variables.pop("DAYBOOK_SIGNALS_ROUTED", None)) is (name == "agent-api")
    routes = name == "signal-router"
    for variable in ("DAYBOOK_SIGNAL_BUS", "DAYBOOK_SIGNAL_DEAD_LETTERS_URL"):
        assert bool(variables.pop(variable, None)) is routes
    assert variables == {
        "DAYBOOK_TABLE_PREFIX": "",
        "DAYBOOK_RETENTION_DAYS": "365",
        "DAYBOOK_AGENT_ROLE_PREFIX": "daybook-agent-",
        "DAYBOOK_CHECKPOINTS_KEPT": "50",
        "POWERTOOLS_SERVICE_NAME": "daybook",
        "POWERTOOLS_METRICS_NAMESPACE": "Daybook",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


QUEUES = (
    ("decisions", "decision-queue"),
    ("consolidation", "consolidation-worker"),
    ("checkpoint", "checkpoint-worker"),
)


@pytest.mark.parametrize(("queue", "function"), QUEUES)
def test_queue_leaves_time_for_its_function(prod: Synthesized, queue: str, function: str) -> None:
    """A message stays invisible for at least six times the function's timeout."""
    (found,) = (
        f["Properties"]
        for f in prod.of_type("AWS::Lambda::Function").values()
        if f["Properties"]["FunctionName"] == f"daybook-{function}"
    )
    assert queue_named(prod, f"daybook-{queue}")["VisibilityTimeout"] >= 6 * found["Timeout"]


@pytest.mark.parametrize(("queue", "_"), QUEUES)
def test_failed_messages_are_kept(stage: Synthesized, queue: str, _: str) -> None:
    """After five attempts a message goes to a queue that keeps it for two weeks.

    Until then the queue itself keeps it, however long the attempts take.
    """
    found = queue_named(stage, f"daybook-{queue}")
    assert found["RedrivePolicy"]["maxReceiveCount"] == 5
    assert found["MessageRetentionPeriod"] > 5 * found["VisibilityTimeout"]
    dead_letters = queue_named(stage, f"daybook-{queue}-dead-letters")
    assert dead_letters["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_queues_are_encrypted(stage: Synthesized) -> None:
    """At rest everywhere, and in transit wherever there is TLS."""
    for queue in stage.of_type("AWS::SQS::Queue").values():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True
    policies = str(stage.of_type("AWS::SQS::QueuePolicy"))
    assert ("aws:SecureTransport" in policies) is not stage.config.local


def test_batches_fail_in_part(stage: Synthesized) -> None:
    """One bad message does not repeat the batch it came in."""
    mappings = [
        mapping["Properties"]
        for mapping in stage.of_type("AWS::Lambda::EventSourceMapping").values()
        if "queue" in str(mapping["Properties"]["EventSourceArn"])
    ]
    assert len(mappings) == 3
    for mapping in mappings:
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def queue_named(stage: Synthesized, name: str) -> dict[str, Any]:
    """Return the properties of a queue."""
    (properties,) = (
        q["Properties"]
        for q in stage.of_type("AWS::SQS::Queue").values()
        if q["Properties"]["QueueName"] == name
    )
    return dict(properties)

"""What delivers signals: the stream's follower, the bus and the dead letters."""

import json

from daybook.models.signal_ids import SignalId
from daybook.store import keys
from tests.infra.conftest import Synthesized
from tests.infra.test_consolidation import mapping_of

OWN = SignalId("01a1fc24-67b6-78c1-a534-9749b8abc2fe", "scout")


def test_the_stream_of_signals_is_followed(stage: Synthesized) -> None:
    """From the oldest record, at once, and what came before a failed record is not repeated."""
    mapping = mapping_of(stage, "signalrouterfunction")
    assert "tablesagentsignals" in str(mapping["EventSourceArn"])
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRecordAgeInSeconds"] == 12 * 3600
    assert "deadletters" in str(mapping["DestinationConfig"]["OnFailure"]["Destination"])
    assert "MaximumBatchingWindowInSeconds" not in mapping


def test_only_signals_and_deaths_call_it(stage: Synthesized) -> None:
    """Claims, acknowledgements and heartbeats do not."""
    filters = mapping_of(stage, "signalrouterfunction")["FilterCriteria"]["Filters"]
    published, died = (json.loads(given["Pattern"]) for given in filters)
    (prefix,) = published["dynamodb"]["Keys"]["sk"]["S"]
    assert str(keys.signal(OWN)["sk"]).startswith(prefix["prefix"])
    assert not str(keys.delivery("risk", OWN)["sk"]).startswith(prefix["prefix"])
    assert not str(keys.registration("risk")["sk"]).startswith(prefix["prefix"])
    (prefix,) = died["dynamodb"]["Keys"]["sk"]["S"]
    assert str(keys.delivery("risk", OWN)["sk"]).startswith(prefix["prefix"])
    assert died["dynamodb"]["NewImage"] == {"status": {"S": ["dead"]}}
    assert "REMOVE" not in {*published["eventName"], *died["eventName"]}


def test_the_bus_has_a_name(stage: Synthesized) -> None:
    """So that rules of other stacks can be made for it."""
    bus = stage.only("AWS::Events::EventBus")
    assert bus["Name"] == "daybook-signals"
    assert stage.template["Outputs"]["SignalsRouted"]["Value"] == "true"

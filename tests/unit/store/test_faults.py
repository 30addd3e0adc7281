"""AWS's refusals come out as ours, with advice."""

from contextlib import nullcontext

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from daybook import AWSClientManager, errors
from daybook.settings import Settings
from daybook.store import DECISIONS
from daybook.store.faults import ConditionFailedError, ignoring, told_as_ours


def client_error(code: str) -> ClientError:
    """Make the error that boto3 raises for this code."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutItem")


@pytest.mark.parametrize(
    ("fault", "ours", "advice"),
    [
        (client_error("ResourceNotFoundException"), errors.TableMissingError, "create_all_tables"),
        (client_error("NoSuchBucket"), errors.TableMissingError, "DAYBOOK_PAYLOAD_BUCKET"),
        (client_error("NoSuchKey"), errors.BodyMissingError, "removed"),
        (client_error("AccessDeniedException"), errors.AccessDeniedError, "the role"),
        (client_error("ExpiredTokenException"), errors.AccessDeniedError, "log in again"),
        (client_error("ThrottlingException"), errors.ThrottledError, "later"),
        (client_error("InternalServerError"), errors.UnreachableError, "try again"),
        (client_error("ValidationException"), errors.RejectedError, "no"),
        (client_error("SomethingNew"), errors.StorageError, "no"),
        (NoCredentialsError(), errors.AccessDeniedError, "no AWS credentials"),
        (EndpointConnectionError(endpoint_url="x"), errors.UnreachableError, "Is the endpoint up"),
        (ConnectTimeoutError(endpoint_url="x"), errors.UnreachableError, "Is the endpoint up"),
        (ParamValidationError(report="r"), errors.StorageError, "r"),
    ],
)
def test_each_fault_has_its_error(
    fault: Exception, ours: type[errors.DaybookError], advice: str
) -> None:
    """The message says what was being done and what to do; the cause is kept."""
    with pytest.raises(ours, match=advice) as caught, told_as_ours("writing to t"):
        raise fault
    assert type(caught.value) is ours
    assert str(caught.value).startswith("writing to t failed")
    assert caught.value.__cause__ is fault


def run_into(fault: Exception) -> None:
    """Make a call that fails so."""
    with told_as_ours("writing"):
        raise fault


def test_a_failed_condition_is_an_answer() -> None:
    """It carries the item that stands, as DynamoDB told it."""
    refused = ClientError(
        {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": {"pk": {"S": "a"}}},  # type: ignore[typeddict-unknown-key]
        "PutItem",
    )
    with pytest.raises(ConditionFailedError) as caught:
        run_into(refused)
    assert caught.value.standing == {"pk": {"S": "a"}}


@pytest.mark.parametrize("code", ["ResourceInUseException", "ThrottlingException"])
def test_ignoring_is_narrow(code: str) -> None:
    """One code is taken for an answer; every other still is a fault."""
    expected = nullcontext() if code == "ResourceInUseException" else pytest.raises(ClientError)
    with expected, ignoring("ResourceInUseException"):
        raise client_error(code)


def test_nobody_listens() -> None:
    """A refused connection ends in a sentence, not in a stack of urllib3."""
    manager = AWSClientManager(endpoint_url="http://127.0.0.1:1", settings=Settings())
    with pytest.raises(errors.UnreachableError, match=r"127\.0\.0\.1:1"):
        manager.store.put_all(DECISIONS, [{"pk": "a", "sk": "b"}])

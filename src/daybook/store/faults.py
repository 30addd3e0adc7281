"""From AWS's error codes to Daybook's errors: one table, used around every call."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore import exceptions as aws

from daybook.errors import (
    AccessDeniedError,
    BodyMissingError,
    RejectedError,
    StorageError,
    TableMissingError,
    ThrottledError,
    UnreachableError,
)

CONDITION_FAILED = "ConditionalCheckFailedException"
TRANSACTION_CANCELLED = "TransactionCanceledException"

_DENIED = "check the credentials and that the role may do this"
_SLOWED = "AWS kept throttling after every retry: try again later, or spread the load"
_CONTENDED = "another write to the same item was under way each time: try again"
_ABSENT = "create it with create_all_tables(), or deploy the stack; check the prefix and region"

_BY_CODE: Mapping[str, tuple[type[StorageError], str]] = {
    "ResourceNotFoundException": (TableMissingError, _ABSENT),
    "NoSuchBucket": (TableMissingError, "deploy the stack, or correct DAYBOOK_PAYLOAD_BUCKET"),
    "NoSuchKey": (BodyMissingError, "the object was removed, or the bucket is another one"),
    "404": (BodyMissingError, "the object was removed, or the bucket is another one"),
    "AccessDenied": (AccessDeniedError, _DENIED),
    "AccessDeniedException": (AccessDeniedError, _DENIED),
    "ExpiredToken": (AccessDeniedError, "the session has expired: log in again"),
    "ExpiredTokenException": (AccessDeniedError, "the session has expired: log in again"),
    "IncompleteSignature": (AccessDeniedError, _DENIED),
    "InvalidAccessKeyId": (AccessDeniedError, _DENIED),
    "InvalidClientTokenId": (AccessDeniedError, _DENIED),
    "InvalidSignatureException": (AccessDeniedError, _DENIED),
    "MissingAuthenticationToken": (AccessDeniedError, _DENIED),
    "SignatureDoesNotMatch": (AccessDeniedError, _DENIED),
    "UnrecognizedClientException": (AccessDeniedError, _DENIED),
    "ProvisionedThroughputExceededException": (ThrottledError, _SLOWED),
    "RequestLimitExceeded": (ThrottledError, _SLOWED),
    "SlowDown": (ThrottledError, _SLOWED),
    "Throttling": (ThrottledError, _SLOWED),
    "ThrottlingException": (ThrottledError, _SLOWED),
    # what a transaction's reasons say, without "Exception"
    "ProvisionedThroughputExceeded": (ThrottledError, _SLOWED),
    "ThrottlingError": (ThrottledError, _SLOWED),
    "TransactionConflict": (ThrottledError, _CONTENDED),
    "TransactionConflictException": (ThrottledError, _CONTENDED),
    "TransactionInProgressException": (ThrottledError, _CONTENDED),
    "InternalServerError": (UnreachableError, "AWS had a fault of its own: try again"),
    "ServiceUnavailable": (UnreachableError, "AWS had a fault of its own: try again"),
}

_INVALID = {"ValidationException", "ItemCollectionSizeLimitExceededException"}

_NO_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
)
_NO_ANSWER = (aws.HTTPClientError, aws.ConnectionError)


@contextmanager
def ignoring(code: str) -> Iterator[None]:
    """Run a call to AWS and take this one error for an answer: it is already as it should be."""
    try:
        yield
    except aws.ClientError as fault:
        if fault.response.get("Error", {}).get("Code") != code:
            raise


class ConditionFailedError(Exception):
    """A condition did not hold; `standing` is the item in DynamoDB's notation, if it told."""

    def __init__(self, standing: Mapping[str, Any] | None) -> None:
        super().__init__("the condition did not hold")
        self.standing = standing


def _why_cancelled(response: Mapping[str, Any]) -> str:
    """Return the code of what cancelled a transaction: a condition before anything else."""
    codes = {reason.get("Code") for reason in response.get("CancellationReasons", ())}
    if CONDITION_FAILED.removesuffix("Exception") in codes:
        return CONDITION_FAILED
    return min((str(code) for code in codes - {None, "None"}), default=TRANSACTION_CANCELLED)


@contextmanager
def told_as_ours(action: str) -> Iterator[None]:
    """Run a call to AWS; whatever it raises comes out as a StorageError about `action`.

    A failed condition comes out as ConditionFailedError: it is an answer, not a fault.
    """
    try:
        yield
    except aws.ClientError as fault:
        error = fault.response.get("Error", {})
        code = error.get("Code", "unknown")
        if code == TRANSACTION_CANCELLED:
            code = _why_cancelled(fault.response)
        if code == CONDITION_FAILED:
            standing: Any = fault.response.get("Item")
            raise ConditionFailedError(standing) from fault
        unknown = RejectedError if code in _INVALID else StorageError
        kind, advice = _BY_CODE.get(code, (unknown, error.get("Message", "no message")))
        raise kind(f"{action} failed with {code}: {advice}") from fault
    except _NO_CREDENTIALS as fault:
        raise AccessDeniedError(
            f"{action} failed: no AWS credentials were found. Configure them, or for the local "
            "platform run `source .daybook/platform/env`"
        ) from fault
    except _NO_ANSWER as fault:
        raise UnreachableError(
            f"{action} failed: {fault}. Is the endpoint up? The "
            "local platform starts with `daybook up`"
        ) from fault
    except aws.BotoCoreError as fault:
        raise StorageError(f"{action} failed: {fault}") from fault

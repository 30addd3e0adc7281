"""Objects in S3: bodies too large for an item, checked both ways, and the archive's files."""

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from functools import partial
from typing import IO, TYPE_CHECKING

from daybook.errors import BodyCorruptError, BodyMissingError, BodyTooLargeError, StorageError
from daybook.store.batching import cut
from daybook.store.faults import ignoring, told_as_ours

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DELETE_LIMIT = 1000


def checksum(body: bytes) -> str:
    """Return the SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def check_bucket(bucket: str | None, size: int) -> str:
    """Return the bucket that takes a body of so many bytes, or raise BodyTooLargeError."""
    if bucket is None:
        raise BodyTooLargeError(
            f"the body takes {size:,} bytes, more than fits into a DynamoDB item. Deploy the "
            "stack and set DAYBOOK_PAYLOAD_BUCKET to its bucket, or write less: less context in a "
            "decision, less data in a state"
        )
    return bucket


def put_body(client: "S3Client", bucket: str | None, name: str, body: bytes) -> None:
    """Store a body. Raises BodyTooLargeError when no bucket is configured."""
    bucket = check_bucket(bucket, len(body))
    with told_as_ours(f"writing {name} to the bucket {bucket}"):
        client.put_object(Bucket=bucket, Key=name, Body=body, ChecksumAlgorithm="SHA256")


def get_body(client: "S3Client", bucket: str | None, name: str) -> bytes:
    """Read a body back. Raises BodyMissingError or BodyCorruptError.

    The name ends in the body's checksum, which was taken before it left the writer.
    """
    if bucket is None:
        raise _no_bucket(name)
    with told_as_ours(f"reading {name} from the bucket {bucket}"):
        body = client.get_object(Bucket=bucket, Key=name)["Body"].read()
    if checksum(body) != name.rpartition("/")[2]:
        raise BodyCorruptError(f"the object {name} in {bucket} does not match its checksum")
    return body


def list_bodies(client: "S3Client", bucket: str, folder: str) -> list[str]:
    """Return the names of all objects that start with this. One request for each thousand."""
    with told_as_ours(f"listing {folder} in the bucket {bucket}"):
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]


def delete_bodies(client: "S3Client", bucket: str, names: Sequence[str]) -> None:
    """Delete objects, a thousand to a request, whether or not they are there."""
    for run in cut(names, DELETE_LIMIT):
        with told_as_ours(f"deleting {len(run)} objects from the bucket {bucket}"):
            answer = client.delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": name} for name in run], "Quiet": True}
            )
        if refused := answer.get("Errors", []):
            first = refused[0]
            raise StorageError(
                f"{len(refused)} of {len(run)} objects were not deleted from {bucket}: "
                f"{first.get('Key')}: {first.get('Code')}: {first.get('Message')}"
            )


def put_archive(
    client: "S3Client", bucket: str, name: str, file: IO[bytes], standing: str | None
) -> bool:
    """Store a file of the archive in place of the one of this ETag; None: of none.

    Returns False when something else stands: perhaps this very file, written by a try whose
    answer was lost.
    """
    put = partial(
        client.put_object, Bucket=bucket, Key=name, Body=file, ChecksumAlgorithm="SHA256"
    )
    etag: str | None = None
    with (
        told_as_ours(f"writing {name} to the bucket {bucket}"),
        ignoring("PreconditionFailed"),
        # two writers at the very same moment, or one to a name that was just deleted
        ignoring("ConditionalRequestConflict"),
        ignoring("NoSuchKey"),
    ):
        answer = put(IfNoneMatch="*") if standing is None else put(IfMatch=standing)
        etag = answer["ETag"]
    return etag is not None


def get_archive(client: "S3Client", bucket: str | None, name: str) -> tuple[IO[bytes], str]:
    """Return a file of the archive and its ETag. Raises BodyMissingError.

    A role that may not list the bucket gets AccessDeniedError instead: S3 does not tell it
    what is missing.
    """
    if bucket is None:
        raise _no_bucket(name)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller's
    with told_as_ours(f"reading {name} from the bucket {bucket}"):
        answer = client.get_object(Bucket=bucket, Key=name)
        shutil.copyfileobj(answer["Body"], file)
    file.seek(0)
    return file, answer["ETag"]


def _no_bucket(name: str) -> BodyMissingError:
    return BodyMissingError(
        f"{name} is in S3, and no bucket is configured: "
        "set DAYBOOK_PAYLOAD_BUCKET to the stack's bucket"
    )

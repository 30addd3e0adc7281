"""Bodies too large for an item: objects in S3, checked on the way in and out."""

import hashlib
from typing import TYPE_CHECKING

from daybook.errors import BodyCorruptError, BodyTooLargeError, StorageError
from daybook.store.faults import told_as_ours

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def checksum(body: bytes) -> str:
    """Return the SHA-256 of a body, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def put_body(client: "S3Client", bucket: str | None, name: str, body: bytes) -> None:
    """Store a body. Raises BodyTooLargeError when no bucket is configured."""
    if bucket is None:
        raise BodyTooLargeError(
            f"the body takes {len(body):,} bytes, more than fits into a DynamoDB item. Deploy the "
            "stack and set DAYBOOK_PAYLOAD_BUCKET to its bucket, or log less context"
        )
    with told_as_ours(f"writing {name} to the bucket {bucket}"):
        client.put_object(Bucket=bucket, Key=name, Body=body, ChecksumAlgorithm="SHA256")


def get_body(client: "S3Client", bucket: str | None, name: str) -> bytes:
    """Read a body back. Raises BodyMissingError or BodyCorruptError.

    The name ends in the body's checksum, which was taken before it left the writer.
    """
    if bucket is None:
        raise StorageError(
            f"the body is in S3 as {name}, and no bucket is configured: "
            "set DAYBOOK_PAYLOAD_BUCKET to the stack's bucket"
        )
    with told_as_ours(f"reading {name} from the bucket {bucket}"):
        body = client.get_object(Bucket=bucket, Key=name)["Body"].read()
    if checksum(body) != name.rpartition("/")[2]:
        raise BodyCorruptError(f"the object {name} in {bucket} does not match its checksum")
    return body

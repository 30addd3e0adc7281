"""Stub, being written by somebody else."""

import json
from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer with what arrived."""
    if "Records" in event:
        print(json.dumps(event))
        return {"batchItemFailures": []}
    return {"statusCode": 200, "body": json.dumps(event["requestContext"])}

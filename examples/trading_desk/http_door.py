"""The HTTP API: an agent signs its requests with its role, and the role says who it is."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from daybook.models.drafts import DecisionDraft, OutcomeDraft
from examples.trading_desk.plan import DeskError

REFUSED = 400
SECONDS = 30.0
# decisions have ids of their own, so whatever is sent twice counts once
RETRIES = urllib3.Retry(
    total=4, backoff_factor=0.2, status_forcelist={429, 502, 503, 504}, allowed_methods=None
)


class HttpDoor:
    """`POST /decisions` and its neighbours, signed with AWS Signature Version 4."""

    name = "HTTP API, IAM"
    threads = 2

    def __init__(self, api_url: str, role_arn: str, session: boto3.Session, endpoint: str) -> None:
        self._api_url = api_url
        self._region = session.region_name
        self._credentials = _assume(role_arn, session, endpoint)
        self._pool = urllib3.PoolManager(maxsize=self.threads, retries=RETRIES, timeout=SECONDS)
        self.requests = 0

    def log_decision(self, draft: DecisionDraft) -> str:
        """Send a decision. Raises DeskError with what the API says."""
        answer = self._ask("POST", "/decisions", draft.model_dump(mode="json"))
        return str(answer["decision_id"])

    def log_outcome(self, draft: OutcomeDraft) -> None:
        """Send an outcome. Raises DeskError with what the API says."""
        path = f"/decisions/{quote(draft.decision_id, safe='')}/outcome"
        self._ask("POST", path, draft.model_dump(mode="json", exclude={"decision_id"}))

    def settle(self) -> None:
        """Do nothing: a request that was answered with 201 has been written."""

    def stats(self, time_window_hours: float) -> Mapping[str, Any]:
        """Ask for the statistics of the agent that signs."""
        answer: dict[str, Any] = self._ask("GET", f"/stats?time_window_hours={time_window_hours}")
        return answer

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else b""
        url = self._api_url + path
        request = AWSRequest(method, url, {"Content-Type": "application/json"}, data)
        SigV4Auth(self._credentials, "execute-api", self._region).add_auth(request)
        try:
            answer = self._pool.request(method, url, body=data, headers=dict(request.headers))
        except urllib3.exceptions.HTTPError as fault:
            raise DeskError(f"The HTTP API at {self._api_url} does not answer: {fault}.") from None
        self.requests += 1
        if answer.status >= REFUSED:
            raise DeskError(f"The HTTP API refused {method} {path}: {_reason(answer)}")
        return answer.json()


def _assume(role_arn: str, session: boto3.Session, endpoint: str) -> Credentials:
    """Become the agent: take its role's credentials, which last an hour."""
    sts = session.client("sts", endpoint_url=endpoint)
    given = sts.assume_role(RoleArn=role_arn, RoleSessionName="trading-desk")["Credentials"]
    return Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def _reason(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        refusal = answer.json()
        return f"{refusal['error']}: {refusal['message']}"
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status}, {answer.data[:200]!r}"

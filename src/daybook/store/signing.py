"""HTTP requests signed with AWS Signature Version 4, for a door that is not one of AWS's own."""

from collections.abc import Mapping
from dataclasses import dataclass

from boto3 import Session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import NoCredentialsError
from botocore.httpsession import URLLib3Session

from daybook.store.faults import told_as_ours
from daybook.store.forking import OwnConnections

SERVICE = "execute-api"

CONNECT_SECONDS = 2
READ_SECONDS = 30
"""API Gateway itself gives up after 30 seconds."""

POOL = 32


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """A status, headers by their names in lower case, and a body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class SignedHttp:
    """Sends requests that a session's credentials sign. Safe to use from several threads."""

    def __init__(self, session: Session, region: str) -> None:
        self._session = session
        self._region = region
        self._http = URLLib3Session(
            timeout=(CONNECT_SECONDS, READ_SECONDS),  # type: ignore[arg-type]  # takes both
            max_pool_connections=POOL,
        )
        self._part_at_fork = OwnConnections(self._http.close)

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Send one request and return what came back, whatever its status. No retries.

        Raises AccessDeniedError without credentials, and UnreachableError without an answer.
        """
        request = AWSRequest(method, url, dict(headers), body)
        with told_as_ours(f"{method} {url}"):
            credentials = self._session.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            frozen = credentials.get_frozen_credentials()
            SigV4Auth(frozen, SERVICE, self._region).add_auth(request)
            self._part_at_fork()
            answer = self._http.send(request.prepare())
            return HttpAnswer(
                status=answer.status_code,
                headers={name.lower(): value for name, value in answer.headers.items()},
                body=answer.content,
            )

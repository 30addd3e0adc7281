"""`MemoryManager`: an agent's handle, and the two doors that its verbs go through.

Each verb is a method, over a plain function of its room, in the `handle` module of that room.
The decorator says the HTTP request that stands for it: with `door="tables"` the method runs, with
`door="api"` the request is sent, and the function behind the API runs this same method.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from os import PathLike
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from daybook.analytics import StatisticsVerbs
from daybook.client import AWSClientManager, client_manager_or_usual
from daybook.decisions import DecisionVerbs
from daybook.decisions.spooling import ToApi, ToTables
from daybook.doors import Api, verb
from daybook.errors import InvalidInputError
from daybook.memory import Acquaintances, MemoryVerbs
from daybook.models import AgentState
from daybook.models.base import checked_kind
from daybook.models.identity import checked_agent_id
from daybook.models.state import StateReceipt
from daybook.sessions import SessionVerbs
from daybook.signals import SignalVerbs
from daybook.spool import Spool, SpoolConfig, acquire, release
from daybook.state import StateVerbs
from daybook.state.current import check_data
from daybook.state.state_items import new_token
from daybook.state_effects import acknowledge_with_state
from daybook.store import Store

PATIENCE_BEHIND_API = timedelta(seconds=10)
"""How long another consolidation is waited for where a request is answered in half a minute."""

Door = Literal["tables", "api"]


class MemoryManager(
    DecisionVerbs, StatisticsVerbs, MemoryVerbs, SessionVerbs, StateVerbs, SignalVerbs
):
    """An agent's handle: the verbs of every room.

    `door` is how it reaches them: `tables` goes straight to DynamoDB and S3, `api` through the
    deployed API at `api_url`, which takes the agent from the role that signs. The verbs and
    their errors are the same. Defaults come from the settings of the client manager, which is
    that of `get_client_manager()` unless another is given. With a `spool`, the path of a file on
    a local disk, what is logged is on the disk when the call returns, and is delivered in the
    background; all handles with the same path share it. Raises InvalidAgentIdError unless
    the id is 1 to 128 characters of `A-Z a-z 0-9 . _ : @ -`, and InvalidInputError for a door
    or a client manager that cannot be.
    """

    def __init__(
        self,
        agent_id: str,
        client_manager: AWSClientManager | None = None,
        *,
        door: Door | None = None,
        api_url: str | None = None,
        spool: str | PathLike[str] | SpoolConfig | None = None,
    ) -> None:
        self.agent_id = checked_agent_id(agent_id)
        self.client_manager = client_manager_or_usual(client_manager)
        self.clock = self.client_manager.clock
        self.api = self._opened(door, api_url)
        # now, so that a region or an endpoint that cannot be is told here
        self._store = None if self.api else self.client_manager.store
        self.signals_routed = self.client_manager.settings.signals_routed
        self.checkpoints_kept = self.client_manager.settings.checkpoints_kept
        self.spool = self._spool(spool)
        self._is_closed = False

    def _spool(self, given: str | PathLike[str] | SpoolConfig | None) -> Spool | None:
        if given is None:
            return None
        if self.api is None:
            return acquire(given, self.client_manager, ToTables(self.store))
        url = self.api.url

        @cache
        def handle_of(agent_id: str) -> MemoryManager:
            return MemoryManager(agent_id, self.client_manager, door="api", api_url=url)

        return acquire(given, (self.client_manager, url), ToApi(handle_of))

    def flush(self, timeout: float | None = None) -> bool:
        """Deliver what waits in the spool, now; True at once without one.

        False if some of what was logged before still waits after `timeout` seconds; None waits
        for as long as it takes.
        """
        return self.spool is None or self.spool.flush(timeout)

    def close(self, timeout: float | None = None) -> bool:
        """Let go of the spool; the last handle on it delivers what waits, and closes it.

        False if some entries still wait after `timeout` seconds (`SpoolConfig.drain_s`): they are
        kept, and delivered when the spool is opened again. Closing a handle twice does nothing.
        """
        if self.spool is None or self._is_closed:
            return True
        self._is_closed = True
        return release(self.spool, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, door: Door | None, api_url: str | None) -> Api | None:
        settings = self.client_manager.settings
        door = door or ("api" if api_url else settings.door)
        if door == "tables":
            if api_url:
                raise InvalidInputError("api_url is for door='api', and the door is 'tables'")
            return None
        if door != "api":
            raise InvalidInputError(f"there is no door {door!r:.40}: use 'tables' or 'api'")
        url = api_url or settings.api_url
        if not url or urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc:
            raise InvalidInputError(
                f"the door 'api' leads to {url!r:.200}, which is no URL: pass api_url, or set "
                "DAYBOOK_API_URL, to the stack's output ApiUrl"
            )
        return self.client_manager.api(url, self.agent_id)

    @classmethod
    def serving(
        cls, agent_id: str, client_manager: AWSClientManager, known: Acquaintances
    ) -> Self:
        """Return the handle with which the API acts for an agent.

        It reads the agent's own log only: whoever calls has no other right. `known` outlives
        the request.
        """
        handle = cls(agent_id, client_manager, door="tables")
        handle._acquaintances = known
        handle.patience = PATIENCE_BEHIND_API
        handle._reader = handle.agent_id
        return handle

    @property
    def store(self) -> Store:
        """The tables and the bucket. Raises InvalidInputError behind the door `api`."""
        if self._store is None:
            raise InvalidInputError(
                "this handle goes through the API and has no tables: use one with door='tables'"
            )
        return self._store

    def _ack_with_state(
        self, signal_id: str, fence: int, state: Mapping[str, Any], expected_version: int | None
    ) -> AgentState:
        check_data(self.agent_id, state)
        made = self._ack_and_save(signal_id, fence, state, expected_version, new_token())
        return made.state(self.agent_id, state)

    @verb("POST", "/signals/{signal_id}/ack-with-state")
    def _ack_and_save(
        self,
        signal_id: str,
        fence: int,
        state: Mapping[str, Any],
        expected_version: int | None = None,
        token: str | None = None,
    ) -> StateReceipt:
        made = acknowledge_with_state(
            self.store, self.agent_id, signal_id, fence, state, expected_version, token
        )
        return StateReceipt.of(made)


def checked_memory(given: MemoryManager) -> MemoryManager:
    """Return the handle given, or raise InvalidInputError if it is none."""
    return checked_kind(given, MemoryManager, "MemoryManager(agent_id)")

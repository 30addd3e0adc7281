"""From a running platform to the agents' doors and logs."""

from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.session import Session as CoreSession

from daybook import AWSClientManager, DecisionLogger, MemoryManager
from daybook.platform import Connection
from daybook.settings import Settings
from examples.trading_desk.agents import AGENTS, RISK, SCOUT, STRATEGIST
from examples.trading_desk.doors import DirectDoor, Door
from examples.trading_desk.http_door import HttpDoor
from examples.trading_desk.queue_door import QueueDoor


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """The three doors, and for each agent a logger to read with and its memory.

    `metered` is what the direct door writes through, and `remembering` what all agents recall
    through; reading goes another way, so that what is read for the report is not counted as
    the cost of logging or recalling.
    """

    scout_door: HttpDoor
    strategist_door: DirectDoor
    risk_door: QueueDoor
    metered: AWSClientManager
    remembering: AWSClientManager
    logs: dict[str, DecisionLogger]

    @property
    def doors(self) -> dict[str, Door]:
        """Which agent uses which door."""
        return {SCOUT: self.scout_door, STRATEGIST: self.strategist_door, RISK: self.risk_door}

    @property
    def memories(self) -> dict[str, MemoryManager]:
        """Each agent's memory."""
        return {agent: MemoryManager(agent, self.remembering) for agent in AGENTS}


def wire(connection: Connection) -> Wiring:
    """Open the doors. The scout assumes its role; the others use the account's own keys."""
    session = _session(connection)
    writer, reader, rememberer = (_client_manager(connection, session) for _ in range(3))
    return Wiring(
        scout_door=HttpDoor(
            SCOUT,
            api_url=connection.api_url,
            role_arn=connection.role_arn(SCOUT),
            session=session,
            endpoint=connection.endpoint_url,
        ),
        strategist_door=DirectDoor(STRATEGIST, writer),
        risk_door=QueueDoor(
            RISK,
            session=session,
            endpoint=connection.endpoint_url,
            queue_url=connection.queue_url,
            dead_letter_queue_url=connection.dead_letter_queue_url,
        ),
        metered=writer,
        remembering=rememberer,
        logs={agent: DecisionLogger(MemoryManager(agent, reader)) for agent in AGENTS},
    )


def _client_manager(connection: Connection, session: boto3.Session) -> AWSClientManager:
    return AWSClientManager(
        connection.region,
        connection.endpoint_url,
        session=session,
        settings=Settings(
            table_prefix=connection.table_prefix, payload_bucket=connection.payload_bucket
        ),
    )


def _session(connection: Connection) -> boto3.Session:
    core = CoreSession()
    # the platform is on this machine: no proxy of the environment leads to it
    core.set_default_client_config(Config(proxies={}))
    return boto3.Session(
        connection.access_key_id,
        connection.secret_access_key,
        region_name=connection.region,
        botocore_session=core,
    )

"""A program that logs by way of a spool until it is killed, again and again.

`python -m tests.faults.spooler URL SPOOL ACKNOWLEDGED KILLS SEED WHEN`. Each round is a child
with four threads, killed at a random moment. What was acknowledged is written down, in a file
that outlives the child, `after` the call; the control writes it `before`.
"""

import os
import random
import signal
import sys
import threading
import time
from itertools import count
from uuid import uuid4

from daybook import AWSClientManager, DecisionLogger, MemoryManager, new_decision_id
from daybook.settings import Settings
from daybook.store.clients import sealed_session

THREADS = 4
LONGEST_LIFE = 0.25
AT_ONCE = 5


def log_on(manager: AWSClientManager, spool: str, acknowledged: int, when: str) -> None:
    """Log decisions and their outcomes, by several threads, for ever."""

    def agent() -> None:
        memory = MemoryManager(f"agent-{uuid4().hex}", manager, spool=spool)
        log = DecisionLogger(memory)
        for number in count():
            # three in four get their id from the spool, one hands it in; one is of several
            own = new_decision_id(memory.agent_id) if number % 4 == 0 or when == "before" else None
            if when == "before":
                os.write(acknowledged, f"decision {own}\n".encode())
            said = {"decision_type": "risk_assessment", "confidence": 0.5, "decision_id": own}
            several = AT_ONCE if number % 4 == 1 and when == "after" else 1
            ids = log.log_decisions([said | {"context": {"n": number}}] * several)
            made = ids[0]
            if when == "after":
                os.write(acknowledged, "".join(f"decision {each}\n" for each in ids).encode())
            log.log_outcome(made, "risk_assessment", True)
            if when == "after":
                os.write(acknowledged, f"outcome {made}\n".encode())

    threads = [threading.Thread(target=agent) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    """Start and kill."""
    url, spool, file, kills, seed, when = sys.argv[1:]
    manager = AWSClientManager(
        endpoint_url=url, session=sealed_session("us-east-1"), settings=Settings()
    )
    _ = manager.store  # so that a child need not make it
    draw = random.Random(int(seed))  # noqa: S311 - no secret
    acknowledged = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for _ in range(int(kills)):
        child = os.fork()
        if child == 0:
            try:
                log_on(manager, spool, acknowledged, when)
            finally:
                os._exit(1)
        time.sleep(draw.uniform(0, LONGEST_LIFE))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit("the child ended by itself")


if __name__ == "__main__":
    main()

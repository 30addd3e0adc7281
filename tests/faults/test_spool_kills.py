"""Killed at any moment, a spool has all that it acknowledged, and the log has it once."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from daybook import AWSClientManager, MemoryManager
from daybook.models import DecisionId
from daybook.store import DECISIONS, keys

ROOT = Path(__file__).parent.parent.parent


def killed(
    database: AWSClientManager, folder: Path, kills: int, seed: int = 1, when: str = "after"
) -> tuple[Counter[str], Counter[str]]:
    """Kill a program so often and deliver what it left; return what was lost, and what was not."""
    spool, file = folder / "spool.db", folder / "acknowledged"
    arguments = [database.endpoint_url or "", spool, file, kills, seed, when]
    subprocess.run(
        [sys.executable, "-m", "tests.faults.spooler", *map(str, arguments)],
        check=True,
        cwd=ROOT,
        timeout=60 + kills,
    )
    with MemoryManager("heir", database, spool=spool) as memory:
        assert memory.flush(300)
        assert memory.spool
        status = memory.spool.status()
    assert (status.set_aside, status.quarantined) == (0, 0)
    said = [line.split() for line in file.read_text().splitlines()]
    wanted = {(kind, text): _key(kind, DecisionId.parse(text)) for kind, text in said}
    assert len(wanted) == len(said)
    found = {(item["pk"], item["sk"]) for item in database.store.fetch(DECISIONS, wanted.values())}
    lost = Counter(
        kind for (kind, _), key in wanted.items() if (key["pk"], key["sk"]) not in found
    )
    return lost, Counter(kind for kind, _ in said)


def _key(kind: str, decision_id: DecisionId) -> dict[str, str | int | bytes]:
    return keys.decision(decision_id) if kind == "decision" else keys.outcome(decision_id)


def test_kills(database: AWSClientManager, tmp_path: Path) -> None:
    """A sample of the campaign."""
    lost, kept = killed(database, tmp_path, 12)
    assert not lost
    assert min(kept["decision"], kept["outcome"]) > 30


def test_the_control_loses(database: AWSClientManager, tmp_path: Path) -> None:
    """What is written down before the call returns is not all kept."""
    lost, _ = killed(database, tmp_path, 12, when="before")
    assert lost


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_kills(database: AWSClientManager, tmp_path: Path, seed: int) -> None:
    """250 in each of four histories."""
    lost, kept = killed(database, tmp_path, 250, seed)
    assert not lost
    print(f"{kept['decision']:,} decisions, {kept['outcome']:,} outcomes")  # noqa: T201

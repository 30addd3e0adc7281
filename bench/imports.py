"""What imports cost: `import daybook` beside boto3 and pydantic, and each function's module.

`python -m bench.imports` starts a new Python for each, in turns, and prints medians in
milliseconds. Exits with 1 when `import daybook` adds more than `BAR` to boto3 and pydantic.
"""

import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from bench.machine import describe

ROOT = Path(__file__).parent.parent
HANDLERS = ROOT / "lambdas" / "handlers"
RUNS = 15
BAR = 0.15
BASE = "import boto3, pydantic"
WITH_DAYBOOK = f"{BASE}, daybook"
WITH_NAMES = f"{BASE}; from daybook import DecisionLogger, MemoryManager, get_client_manager"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    "POWERTOOLS_TRACE_DISABLED": "true",
}


def timed(statement: str) -> float:
    """Return how long a new Python takes for a statement, its own start included."""
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", statement], check=True, cwd=ROOT, env=os.environ | ENVIRONMENT
    )
    return (time.perf_counter() - began) * 1000


def main() -> int:
    """Print the table; 1 if the bar is not met."""
    modules = sorted(path.stem for path in HANDLERS.glob("[a-z]*.py"))
    functions = {name: f"import lambdas.handlers.{name}" for name in modules}
    statements = ["pass", BASE, WITH_DAYBOOK, WITH_NAMES, *functions.values()]
    taken: dict[str, list[float]] = defaultdict(list)
    for _ in range(RUNS):
        for statement in statements:
            taken[statement].append(timed(statement))
    start = statistics.median(taken["pass"])
    cost = {statement: statistics.median(taken[statement]) - start for statement in statements}
    # the difference of the same turn: other programs slow down both
    pairs = zip(taken[WITH_DAYBOOK], taken[BASE], strict=True)
    added = statistics.median(with_it - without for with_it, without in pairs)
    share = added / cost[BASE]
    print(describe())
    print(f"boto3 and pydantic               {cost[BASE]:>6.0f} ms")
    print(f"import daybook adds              {added:>6.0f} ms ({share:.0%})")
    print(f"the names that an agent takes    {cost[WITH_NAMES] - cost[BASE]:>6.0f} ms more")
    for name, statement in functions.items():
        print(f"{name:32} {cost[statement]:>6.0f} ms")
    print("the bar is met" if share <= BAR else f"the bar is {BAR:.0%}")
    return int(share > BAR)


if __name__ == "__main__":
    sys.exit(main())

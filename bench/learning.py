"""What learning finds: nothing in noise, what is planted, and what a policy gains by it.

`python -m bench.learning [--seeds 100]` prints a table and exits with 1 when a bar is missed.
Each log has 10,000 outcomes, 12 features, 4 choices. A pattern is right when choice, direction,
features, operators and categories are; its cuts are close when within a tenth of the range.
The cuts of pairs are reported beside those of an oracle which knows everything else.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from bench.learning_policy import flipped, followed
from bench.learning_trials import noise, planted
from bench.learning_worlds import Shape
from bench.machine import describe

BAR = 0.95
FOLLOWED = 0.85
SHAPES = {
    "mixed": Shape(),
    "numeric": Shape(categorical=0),
    "categorical": Shape(categorical=12),
    "lognormal": Shape(categorical=3, spread="lognormal"),
    "correlated": Shape(categorical=6, correlation=0.5),
    "rare success": Shape(base=0.1),
}
KINDS = ("c", "n", "cc", "cn", "nn")
"""One or two planted conditions: c is categorical, n numeric."""

POLICY = {
    "mixed": Shape(),
    "lognormal": Shape(spread="lognormal"),
    "correlated": Shape(correlation=0.5),
}
LOOKS = 20

Trials = Callable[[Callable[[int], Any]], list[Any]]


class Table:
    """Prints a line for each figure, and remembers what missed its bar."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def line(
        self, what: str, figure: float | np.floating[Any], bar: float | None = None, note: str = ""
    ) -> None:
        """Print one figure and the bar that it is held to."""
        held = "" if bar is None else f"bar {bar:.0%}"
        if bar is not None and figure < bar:
            self.missed.append(what)
            held += " MISSED"
        print(f"{what:58} {figure:7.1%}  {held:16} {note}", flush=True)


def measure_noise(table: Table, run: Trials) -> None:
    """Bar 1: seeds of pure noise without any pattern."""
    for name, shape in SHAPES.items():
        table.line(f"noise, {name}: no pattern", np.mean(run(partial(noise, shape=shape))), BAR)
    quiet = run(partial(noise, shape=Shape(), looks=LOOKS))
    table.line(f"noise, mixed: no pattern at any of {LOOKS} looks", np.mean(quiet), BAR)


def measure_planted(table: Table, run: Trials) -> None:
    """Bar 2: planted effects that are found; even seeds plant a better choice, odd a worse one.

    Two numeric conditions are held to it at a base rate of 0.3, or with 350 outcomes: at one half
    and with 300 it contradicts bar 1 (docs/adr/0006). Features that depend on each other leave
    less evidence, so those worlds are reported only.
    """
    _planted(table, run, "base 0.5", Shape(), KINDS, held=KINDS[:-1])
    _planted(table, run, "base 0.5, 350 outcomes", Shape(), ("nn",), support=350)
    _planted(table, run, "base 0.3", Shape(base=0.3), KINDS)
    _planted(table, run, "correlated", Shape(correlation=0.5), KINDS, held=())


def _planted(
    table: Table,
    run: Trials,
    name: str,
    shape: Shape,
    kinds: Sequence[str],
    *,
    held: Sequence[str] = KINDS,
    support: int = 300,
) -> None:
    """Report one world, and hold some of its kinds to the bar.

    Beside the share of close cuts stands that of an oracle which knows all but the cuts. With two
    conditions not even the oracle always places them within a tenth of the range in 95% of the
    worlds, so pairs are not held to that.
    """
    for kind in kinds:
        found = run(partial(planted, shape=shape, kinds=kind, support=support))
        what = f"planted {kind}, {name}"
        bar = BAR if kind in held else None
        extra = f"{np.mean([each.extra for each in found]):.2f} other patterns a seed"
        table.line(f"{what}: right", np.mean([each.right for each in found]), bar, extra)
        if "n" in kind:
            close = np.mean([each.close for each in found])
            oracle = f"oracle {np.mean([each.oracle for each in found]):.1%}"
            table.line(f"{what}: cuts close", close, bar if kind == "n" else None, oracle)


def measure_policy(table: Table, run: Trials) -> None:
    """Bars 3 and 4: a policy that follows recall, in a world that stays and one that flips."""
    for name, shape in POLICY.items():
        shares = run(partial(followed, shape=shape))
        lowest = f"lowest seed {min(shares):.0%}"
        table.line(f"policy, {name}: share of oracle's gain", np.mean(shares), FOLLOWED, lowest)
    lives = run(partial(flipped, shape=Shape()))
    days = sorted(life.days for life in lives)
    table.line("flip: share of oracle's gain before", np.mean([e.before for e in lives]))
    table.line("flip: worst day after", np.mean([e.lowest for e in lives]))
    note = f"85 % of before again after {days[len(days) // 2]} days (median), {days[-1]} (worst)"
    table.line(
        "flip: share in the last 5 of 30 days", np.mean([e.after for e in lives]), 0.8, note
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 when a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--only", choices=["noise", "planted", "policy"])
    options = parser.parse_args(arguments)
    print(f"{describe()}; {options.seeds} seeds\n")
    table, started = Table(), time.perf_counter()
    with ProcessPoolExecutor() as pool:

        def run(trial: Callable[[int], Any]) -> list[Any]:
            return list(pool.map(trial, range(options.seeds)))

        parts = {"noise": measure_noise, "planted": measure_planted, "policy": measure_policy}
        for name, part in parts.items():
            if options.only in {None, name}:
                part(table, run)
    print(f"\n{time.perf_counter() - started:.0f} seconds")
    if table.missed:
        print("missed: " + "; ".join(table.missed))
    return bool(table.missed)


if __name__ == "__main__":
    sys.exit(main())

"""Where the command line writes: results to stdout, all else to stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def complain(message: str) -> None:
    """Say what went wrong."""
    err.print("daybook:", style="bold red", end=" ")
    err.print(message, markup=False)


@contextmanager
def progress(first: str) -> Iterator[Callable[[str], None]]:
    """Show what is going on: a spinner on a terminal, a line for each new step elsewhere."""
    if not err.is_terminal:
        yield _print_steps()
        return
    with err.status(first) as spinner:
        yield spinner.update


def _print_steps() -> Callable[[str], None]:
    """Return a reporter that prints a step once, and not each resource of a deployment."""
    seen: set[str] = set()

    def report(step: str) -> None:
        kind = step.split(" ", maxsplit=1)[0]
        if not (kind == "Deploying" and kind in seen):
            err.print(step, markup=False)
        seen.add(kind)

    return report

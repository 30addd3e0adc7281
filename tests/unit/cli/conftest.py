"""Running `daybook` as a person does, in this process."""

import sys
from collections.abc import Callable

import pytest

from daybook.cli import app as cli_app

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def daybook(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a function that runs the command: its exit code, and what it wrote to both streams."""

    def ran(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["daybook", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli_app.run()
        written = capsys.readouterr()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), written.out, written.err

    return ran

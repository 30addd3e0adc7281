"""A checkout of nothing but names, for what needs no server."""

from pathlib import Path

import pytest

from daybook.platform import PlatformConfig


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a folder that looks like a checkout in which `make setup` has run."""
    for name in (
        "cdk.json",
        "app.py",
        "infra/stack.py",
        "lambdas/handlers/agent_api.py",
        "src/daybook/__init__.py",
        "src/daybook/cli/app.py",
        "requirements/lambda.txt",
        ".venv/bin/python",
        ".venv-platform/bin/python",
        "node_modules/.bin/cdk",
    ):
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path / "checkout"


@pytest.fixture
def config(checkout: Path) -> PlatformConfig:
    """Configure a platform in that checkout, on a port that is hardly in use."""
    made = PlatformConfig(root=checkout, port=4899)
    made.folder.mkdir(parents=True)
    return made

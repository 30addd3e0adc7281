"""Where a platform lives."""

from pathlib import Path

import pytest

from daybook.errors import InvalidInputError, PlatformError
from daybook.platform import PlatformConfig, find_checkout, up
from daybook.platform.config import check_tools


def test_checkout_is_found_from_below(checkout: Path) -> None:
    """Any folder of the checkout will do."""
    assert find_checkout(checkout / "src" / "daybook") == checkout


def test_outside_a_checkout(tmp_path: Path) -> None:
    """Elsewhere the error says what is missing and what to do."""
    with pytest.raises(PlatformError, match=r"not in one.*--root"):
        find_checkout(tmp_path)


@pytest.mark.parametrize(
    "tool", [".venv/bin/python", ".venv-platform/bin/python", "node_modules/.bin/cdk"]
)
def test_missing_tools_are_named(config: PlatformConfig, tool: str) -> None:
    """Without `make setup` the error names what is not there, and that command."""
    check_tools(config)
    (config.root / tool).unlink()
    with pytest.raises(PlatformError, match=f"needs {tool}.*make setup"):
        check_tools(config)


def test_two_homes_share_no_file(tmp_path: Path) -> None:
    """A second platform in another folder touches nothing of the first."""
    first = PlatformConfig(root=tmp_path)
    second = PlatformConfig(root=tmp_path, port=4567, home=tmp_path / "second")
    assert first.folder == tmp_path.resolve() / ".daybook" / "platform"
    assert second.folder == tmp_path.resolve() / "second"
    assert first.endpoint_url != second.endpoint_url


@pytest.mark.parametrize(
    ("agent", "says"),
    [("a:b", "cannot have a role"), ("a" * 64, "IAM allows 64"), ("a b", "is not an agent id")],
)
def test_agents_without_a_role_are_refused_at_once(
    config: PlatformConfig, agent: str, says: str
) -> None:
    """Before the server is started and anything is built."""
    with pytest.raises(InvalidInputError, match=says):
        up(config, agents=[agent])
    assert not config.lock_file.exists()


def test_things_are_named_as_in_infra() -> None:
    """The platform looks for the stack and the roles under the names that the app gives them."""
    from infra.config import stage_config  # noqa: PLC0415 - the package itself may not know it

    config = PlatformConfig(root=Path(), table_prefix="team_a-")
    given = {"stage": "local", "prefix": "team_a-"}
    assert config.stack_name == stage_config(given.get).stack_id
    assert config.agent_role_prefix == stage_config(given.get).agent_role_prefix

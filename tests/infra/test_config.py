"""The stages and their settings."""

from typing import Any

import pytest

from infra.config import STAGES, LayerTarget, stage_config


def given(**context: Any) -> Any:
    """Return what `-c name=value` gives to the app."""
    return context.get


def test_dev_is_the_default() -> None:
    """A deployment that names no stage does not reach production."""
    assert stage_config(given()).name == "dev"


def test_unknown_stage_is_refused() -> None:
    """A misspelt stage is an error that lists the stages there are."""
    with pytest.raises(ValueError, match=r"no stage 'staging'.*local, dev, prod"):
        stage_config(given(stage="staging"))


def test_only_production_is_protected() -> None:
    """Production keeps its data; the others can be thrown away."""
    assert [name for name, stage in STAGES.items() if stage.protected] == ["prod"]


def test_lambda_runs_python_313_on_arm() -> None:
    """Deployed stages run where the layer is built for."""
    assert {STAGES[s].layer_target for s in ("dev", "prod")} == {
        LayerTarget(python="3.13", architecture="arm64")
    }


@pytest.mark.parametrize("prefix", ["1a", "a#b", "a b", "-a", "a" * 33, "ä"])
def test_prefix_that_aws_refuses(prefix: str) -> None:
    """A prefix has to suit tables, roles, functions and queues."""
    with pytest.raises(ValueError, match="cannot start the names"):
        stage_config(given(prefix=prefix))


def test_prefix_is_part_of_every_name() -> None:
    """Two stacks with different prefixes share no name."""
    config = stage_config(given(stage="dev", prefix="team_a-"))
    assert config.stack_id == "team-a-daybook-dev"
    assert config.resource("decisions") == "team_a-daybook-decisions"
    assert config.agent_role_prefix == "team_a-daybook-agent-"


def test_agents_are_listed_once() -> None:
    """Blanks and repetitions in -c agents=… do not matter."""
    assert stage_config(given(agents=" a, b,a,, ")).agents == ("a", "b")


@pytest.mark.parametrize(
    ("agent", "why"), [("desk:btc", "role names hold"), ("a" * 60, "IAM allows 64")]
)
def test_agent_that_no_role_can_be_named_after(agent: str, why: str) -> None:
    """An agent whose id does not fit into a role's name is refused at synthesis."""
    with pytest.raises(ValueError, match=why):
        stage_config(given(agents=agent))


@pytest.mark.parametrize(("days", "kept"), [("30", 30), ("0", 0), (7, 7), (None, 365)])
def test_retention(days: Any, kept: int) -> None:
    """Retention is given in days, 0 being for ever."""
    assert stage_config(given(retention_days=days)).retention_days == kept


@pytest.mark.parametrize("days", ["-1", "a year", "1.5", "40000"])
def test_retention_that_is_no_number_of_days(days: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="retention_days"):
        stage_config(given(retention_days=days))


def test_checkpoints_kept() -> None:
    """How many stay is a setting of the stage, so that SDK and schedule agree."""
    assert stage_config(given()).checkpoints_kept == 50
    assert stage_config(given(checkpoints_kept="7")).checkpoints_kept == 7
    for number in ("-1", "many", "1000000"):
        with pytest.raises(ValueError, match="checkpoints_kept"):
            stage_config(given(checkpoints_kept=number))


def test_agents_that_share_a_role() -> None:
    """IAM's role names know no case, so two such agents would be one."""
    with pytest.raises(ValueError, match="differ only in upper and lower case"):
        stage_config(given(agents="scout,Scout"))

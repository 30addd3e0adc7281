"""The environment decides, and a mistake in it is named."""

from datetime import timedelta
from pathlib import Path

import boto3
import pytest

from daybook import (
    AWSClientManager,
    InvalidInputError,
    MemoryManager,
    MultiAgentCoordinator,
    get_client_manager,
)
from daybook.client import forget_client_managers
from daybook.settings import process_environment, read_settings, region


def test_defaults() -> None:
    """Without variables: no prefix, no bucket, a year of retention."""
    settings = read_settings()
    assert (settings.table_prefix, settings.payload_bucket) == ("", None)
    assert settings.retention == timedelta(days=365)


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its variable; 0 days keep decisions for ever, an empty text is not set."""
    monkeypatch.setenv("DAYBOOK_TABLE_PREFIX", "dev-")
    monkeypatch.setenv("DAYBOOK_PAYLOAD_BUCKET", "")
    monkeypatch.setenv("DAYBOOK_RETENTION_DAYS", "0")
    settings = read_settings()
    assert (settings.table_prefix, settings.payload_bucket) == ("dev-", None)
    assert settings.retention is None


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DAYBOOK_RETENTION_DAYS", "a year"),
        ("DAYBOOK_TABLE_PREFIX", "a#b"),
        ("DAYBOOK_CHECKPOINTS_KEPT", "-1"),
    ],
)
def test_mistakes_name_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """The error is about the variable that a person can mend."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidInputError, match=variable):
        read_settings()


def test_the_region_is_the_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda says where it runs."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert region() == "eu-central-1"


REGIONS = [
    ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-1"),
    ({"AWS_DEFAULT_REGION": "eu-west-2"}, "eu-west-2"),
    ({"AWS_PROFILE": "desk"}, "eu-west-3"),
    ({}, "us-east-1"),
]


@pytest.mark.parametrize(("variables", "found"), REGIONS)
def test_every_handle_finds_the_same_region(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str], found: str
) -> None:
    """What is given wins; then what AWS's variables say, the profile, and a default."""
    (tmp_path / "config").write_text("[profile desk]\nregion = eu-west-3\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    forget_client_managers()
    assert get_client_manager().region == found
    assert get_client_manager().dynamodb.meta.region_name == found
    assert MemoryManager("a").client_manager is get_client_manager()
    assert MultiAgentCoordinator().client_manager is get_client_manager()
    assert AWSClientManager().region == found
    assert AWSClientManager("eu-north-1").region == "eu-north-1"
    forget_client_managers()


def test_a_session_brings_its_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hands in a session has said where, unless a region is given beside it."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    session = boto3.Session(region_name="eu-central-1")
    assert AWSClientManager(session=session).dynamodb.meta.region_name == "eu-central-1"
    assert AWSClientManager("eu-north-1", session=session).region == "eu-north-1"
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert AWSClientManager(session=boto3.Session()).region == "eu-west-1"


def test_the_environment_is_copied() -> None:
    """Changing the copy changes nothing else."""
    process_environment()["DAYBOOK_TABLE_PREFIX"] = "x"
    assert read_settings().table_prefix == ""


def test_client_managers_are_cached() -> None:
    """One for each region and endpoint, until they are forgotten."""
    here = get_client_manager("us-east-1", "http://127.0.0.1:1")
    assert get_client_manager("us-east-1", "http://127.0.0.1:1") is here
    assert get_client_manager("eu-west-1", "http://127.0.0.1:1") is not here
    forget_client_managers()
    assert get_client_manager("us-east-1", "http://127.0.0.1:1") is not here

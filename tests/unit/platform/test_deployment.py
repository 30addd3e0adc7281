"""Deploying, without a CDK."""

from pathlib import Path

import pytest

from daybook.errors import PlatformError
from daybook.platform import PlatformConfig, deployment
from daybook.platform.stack import DeployedStack


@pytest.mark.parametrize(
    "changed",
    ["lambdas/handlers/agent_api.py", "infra/stack.py", "app.py", "requirements/lambda.txt"],
)
def test_fingerprint_follows_what_is_deployed(config: PlatformConfig, changed: str) -> None:
    """A change of what is deployed changes the fingerprint."""
    before = deployment.fingerprint(config, ())
    (config.root / changed).write_text("changed")
    assert deployment.fingerprint(config, ()) != before


@pytest.mark.parametrize(
    "changed", ["src/daybook/cli/app.py", "lambdas/__pycache__/x.pyc", "README.md"]
)
def test_fingerprint_ignores_the_rest(config: PlatformConfig, changed: str) -> None:
    """The command line, caches and documents are no reason to deploy."""
    before = deployment.fingerprint(config, ())
    path = config.root / changed
    path.parent.mkdir(exist_ok=True)
    path.write_text("changed")
    assert deployment.fingerprint(config, ()) == before


def test_fingerprint_knows_the_agents(config: PlatformConfig) -> None:
    """Another agent needs another role, their order does not matter."""
    both = deployment.fingerprint(config, ("a", "b"))
    assert both == deployment.fingerprint(config, ("b", "a"))
    assert both != deployment.fingerprint(config, ("a",))


def test_cdk_gets_the_platform_and_nobodys_profile(
    config: PlatformConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CDK cannot reach an account: address, credentials and profile are set for it."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("NO_PROXY", "example.com")
    environment = deployment.environment(config)
    assert "AWS_PROFILE" not in environment
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4899"
    assert environment["NO_PROXY"] == "example.com,127.0.0.1,localhost"


def test_failed_step_says_what_the_cdk_said(
    config: PlatformConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the CDK fails, its last words are in the error."""
    monkeypatch.setattr(deployment, "describe", lambda *_: DeployedStack(status="CREATE_COMPLETE"))
    script(config.cdk, "echo 'Resource limit exceeded'; exit 7")
    with pytest.raises(PlatformError, match=r"(?s)synthesize.*exit code 7.*limit exceeded"):
        deployment.deploy(config, agents=(), fingerprint="f", report=lambda _: None)


def test_steps_of_a_deployment(config: PlatformConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Synthesis comes first, then the deployment of what was synthesized, with its progress."""
    monkeypatch.setattr(deployment, "describe", lambda *_: DeployedStack(status="CREATE_COMPLETE"))
    line = "s |  3/38 | 3:33:42 AM | CREATE_COMPLETE | AWS::SQS::Queue | queued/queue (q)"
    script(config.cdk, f'echo "$1" >> "{config.folder}/steps"; echo "{line}"')
    reports: list[str] = []
    deployment.deploy(config, agents=("a",), fingerprint="f", report=reports.append)
    assert (config.folder / "steps").read_text().split() == ["synth", "deploy"]
    assert reports[-1] == "Deploying 3/38: AWS::SQS::Queue"


def test_what_is_synthesized_is_used_again(
    config: PlatformConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment that failed is tried again with what was synthesized from the same sources."""
    monkeypatch.setattr(deployment, "describe", lambda *_: DeployedStack(status="CREATE_COMPLETE"))
    script(config.cdk, f'echo "$1" >> "{config.folder}/steps"; [ "$1" = synth ]')

    def steps(fingerprint: str, *, anew: bool = False) -> list[str]:
        (config.folder / "steps").unlink(missing_ok=True)
        with pytest.raises(PlatformError, match="could not deploy"):
            deployment.deploy(
                config, agents=(), fingerprint=fingerprint, report=lambda _: None, anew=anew
            )
        return (config.folder / "steps").read_text().split()

    assert steps("f") == ["synth", "deploy"]
    assert steps("f") == ["deploy"]
    assert steps("f", anew=True) == ["synth", "deploy"]
    assert steps("g") == ["synth", "deploy"]
    script(config.cdk, "exit 7")
    with pytest.raises(PlatformError, match="could not synthesize"):
        deployment.deploy(config, agents=(), fingerprint="h", report=lambda _: None)
    script(config.cdk, f'echo "$1" >> "{config.folder}/steps"; [ "$1" = synth ]')
    assert steps("g") == ["synth", "deploy"], "what failed may have left half of it"


def test_first_deployment_prepares_the_account(
    config: PlatformConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is bootstrapped if it is not yet."""
    monkeypatch.setattr(deployment, "describe", lambda *_: None)
    script(config.cdk, f'echo "$1" >> "{config.folder}/steps"')
    deployment.deploy(config, agents=(), fingerprint="f", report=lambda _: None)
    steps = (config.folder / "steps").read_text().split()
    assert sorted(steps[:2]) == ["bootstrap", "synth"]
    assert steps[2:] == ["deploy"]


def script(path: Path, body: str) -> None:
    """Make a program."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)

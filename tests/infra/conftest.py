"""Each stage synthesized once, with empty folders for code: jsii is slow and pip slower."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from infra import nag
from infra.assets import Layers
from infra.config import StageConfig, stage_config
from infra.stack import DaybookStack

ROOT = Path(__file__).parent.parent.parent
FLAGS = json.loads((ROOT / "cdk.json").read_text())["context"]
AGENTS = "btc-agent-001,risk@desk"

Resources = Mapping[str, dict[str, Any]]
Find = Callable[[str], Resources]


class Synthesized:
    """A stage's template, and what cdk-nag found in it."""

    def __init__(self, config: StageConfig, template: dict[str, Any], report: str) -> None:
        self.config = config
        self.template = template
        self.findings = json.loads(report).get("pluginReports", [])

    def of_type(self, kind: str) -> Resources:
        """Return the resources of a type, by logical id."""
        return {
            name: resource
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def only(self, kind: str) -> dict[str, Any]:
        """Return the properties of the one resource of a type."""
        ((_, resource),) = self.of_type(kind).items()
        return dict(resource["Properties"])


Synthesize = Callable[..., Synthesized]


def context(**given: str) -> Callable[[str], str | None]:
    """Return what `-c name=value` gives to the app."""
    return given.get


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Return a function that synthesizes a stage, at most once."""
    sources = tmp_path_factory.mktemp("sources")
    for name in ("code", "dependencies", "learning"):
        (sources / name).mkdir()
        (sources / name / "marker.txt").write_text(name)

    @cache
    def synthesized(stage: str, **more: str) -> Synthesized:
        out = tmp_path_factory.mktemp(stage)
        app = cdk.App(context=FLAGS, outdir=str(out))
        given = {"stage": stage, "agents": AGENTS, "alarm_email": "ops@example.com"} | more
        config = stage_config(context(**given))
        stack = DaybookStack(
            app,
            config.stack_id,
            config=config,
            code=sources / "code",
            layers=Layers(dependencies=sources / "dependencies", learning=sources / "learning"),
        )
        nag.check(app)
        app.synth()
        template = dict(Template.from_stack(stack).to_json())
        return Synthesized(config, template, (out / "validation-report.json").read_text())

    return synthesized


@pytest.fixture(scope="session", params=["local", "dev", "prod"])
def stage(request: pytest.FixtureRequest, synthesize: Synthesize) -> Synthesized:
    """Synthesize every stage in turn."""
    return synthesize(request.param)


@pytest.fixture(scope="session")
def prod(synthesize: Synthesize) -> Synthesized:
    """Synthesize the production stage."""
    return synthesize("prod")

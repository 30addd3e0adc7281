"""cdk-nag: the AwsSolutions rules, and how a finding is acknowledged."""

import cdk_nag
from aws_cdk import Acknowledgment, App, Validations
from constructs import Construct

from infra.config import StageConfig


def check(app: App) -> None:
    """Check the app at synthesis; an unacknowledged finding fails it."""
    Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))


def acknowledge(construct: Construct, rule: str, reason: str) -> None:
    """Accept a rule's finding on a construct and what is below it, and say why."""
    Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def acknowledge_plain_http(construct: Construct, rule: str, *, config: StageConfig) -> None:
    """Accept that a resource of the local stage does not demand TLS."""
    if config.local:
        acknowledge(construct, rule, "The local platform speaks plain HTTP, on loopback only.")

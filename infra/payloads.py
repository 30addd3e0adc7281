"""The bucket: bodies that do not fit into an item, and the archive."""

from typing import cast

from aws_cdk import CfnElement, Duration, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from daybook.store import keys
from infra.config import StageConfig
from infra.nag import acknowledge, acknowledge_plain_http

GRACE_DAYS = 35
"""How long after its item a body stays: as far as point-in-time recovery reaches back."""


class Payloads(Construct):
    """A private, encrypted, versioned bucket.

    A body goes some time after its item has expired; the archive stays, for that is what it
    is for, and so do the bodies of states, which have no end. What was overwritten or deleted
    can be had back for 35 days.

    In a protected stage it survives the stack. Elsewhere the stack cannot be deleted while
    objects remain: emptying it would take a function of CDK's own, with more rights than
    anything else here.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: StageConfig) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(
            self,
            "bodies",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=not config.local,
            minimum_tls_version=None if config.local else 1.2,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN if config.protected else RemovalPolicy.DESTROY,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="incomplete-uploads",
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                ),
                s3.LifecycleRule(
                    id="earlier-versions",
                    noncurrent_version_expiration=Duration.days(GRACE_DAYS),
                ),
                *_expired_bodies(config),
            ],
        )
        acknowledge_plain_http(self.bucket, "AwsSolutions-S10", config=config)
        acknowledge(
            self.bucket,
            "AwsSolutions-S1",
            "Bodies are reached only through Daybook's roles; who reads what is recorded by "
            "CloudTrail data events, which name the caller, where server access logs would "
            "need a second bucket.",
        )

    def objects_as_reported(self, names: str) -> str:
        """Return how cdk-nag spells the ARN of these objects."""
        logical_id = Stack.of(self).get_logical_id(
            cast("CfnElement", self.bucket.node.default_child)
        )
        return f"<{logical_id}.Arn>/{names}"


def _expired_bodies(config: StageConfig) -> list[s3.LifecycleRule]:
    """Return the rule that removes bodies, unless the log is kept for ever."""
    if not config.retention_days:
        return []
    return [
        s3.LifecycleRule(
            id="expired-bodies",
            prefix=keys.BODIES,
            expiration=Duration.days(config.retention_days + GRACE_DAYS),
        )
    ]

"""The CDK app: `cdk deploy -c stage=dev`; see infra/config.py for what `-c` understands."""

from pathlib import Path

import aws_cdk as cdk

from infra import assets, nag
from infra.config import stage_config
from infra.stack import DaybookStack

ROOT = Path(__file__).parent


def main() -> None:
    """Synthesize one stage; an unknown stage or a bad setting ends with a sentence."""
    app = cdk.App()
    with assets.building(ROOT):
        try:
            config = stage_config(app.node.try_get_context)
            code = assets.function_code(ROOT)
            layers = assets.dependency_layers(ROOT, config.layer_target)
        except (ValueError, assets.LayerError) as problem:
            raise SystemExit(f"daybook: {problem}") from None
        DaybookStack(app, config.stack_id, config=config, code=code, layers=layers)
        nag.check(app)
        app.synth()


if __name__ == "__main__":
    main()

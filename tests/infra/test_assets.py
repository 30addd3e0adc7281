"""The folders that are uploaded."""

from pathlib import Path

import pytest

from infra import assets
from infra.config import HERE, LAMBDA


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a small checkout, with all that must not be deployed."""
    for name in (
        "lambdas/handlers/agent_api.py",
        "lambdas/handlers/__pycache__/agent_api.cpython-311.pyc",
        "src/daybook/__init__.py",
        "src/daybook/store/keys.py",
        "src/daybook/cli/app.py",
        "src/daybook/platform/server.py",
        "src/daybook/testing/fixtures.py",
        "requirements/lambda.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


def files(folder: Path) -> set[str]:
    """Return the files below a folder."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_code_holds_what_functions_run(checkout: Path) -> None:
    """Functions get the package and the handlers, without the doors they do not use."""
    assert files(assets.function_code(checkout)) == {
        "lambdas/handlers/agent_api.py",
        "daybook/__init__.py",
        "daybook/store/keys.py",
    }


def test_code_is_copied_anew(checkout: Path) -> None:
    """A deleted module does not linger in the asset."""
    assets.function_code(checkout)
    (checkout / "src/daybook/store/keys.py").unlink()
    assert "daybook/store/keys.py" not in files(assets.function_code(checkout))


def test_layer_depends_on_lock_and_target(checkout: Path) -> None:
    """A layer is built anew when the lock file or the target changes."""
    before = assets.fingerprint(checkout, LAMBDA)
    assert assets.fingerprint(checkout, HERE) != before
    (checkout / "requirements/lambda.txt").write_text("boto3==1\n")
    assert assets.fingerprint(checkout, LAMBDA) != before


def test_finished_layer_is_kept(checkout: Path) -> None:
    """Pip is not asked when a layer's stamp fits."""
    with assets.building(checkout):
        folder = checkout / "build" / f"layers-{LAMBDA.name}"
        folder.mkdir()
        (folder.parent / f"{folder.name}.stamp").write_text(assets.fingerprint(checkout, LAMBDA))
        layers = assets.dependency_layers(checkout, LAMBDA)
        assert (layers.dependencies.parent, layers.learning.parent) == (folder, folder)
        assert files(folder) == set()


def test_failed_layer_says_what_pip_said(checkout: Path) -> None:
    """A lock file that cannot be installed ends with pip's words and leaves no layer."""
    (checkout / "requirements/lambda.txt").write_text("no such requirement ==\n")
    with assets.building(checkout), pytest.raises(assets.LayerError, match="pip said"):
        assets.dependency_layers(checkout, HERE)
    assert not list((checkout / "build").glob("layers-*"))

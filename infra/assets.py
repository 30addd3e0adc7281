"""What is uploaded: the functions' code, and two layers of what it imports.

All are folders under `build/`, made without Docker. Their content, and so the asset's hash,
changes only when the code or the lock file does.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.config import LayerTarget

CODE = ("src/daybook", "lambdas")
NOT_DEPLOYED = ("__pycache__", "*.pyc", "cli", "platform", "testing")

LOCK = "requirements/lambda.txt"
BUILDER = "5"
"""Change it when the way a layer is built changes, so that old layers are built anew."""

GLIBC_MINORS = range(34, 16, -1)
"""Wheels name the glibc 2.x that they need, and pip takes only names that it is given. The
Python 3.12 and later runtimes are Amazon Linux 2023, which has 2.34; 2.17 is manylinux2014."""

SERVICES = frozenset(
    {
        "cloudwatch",
        "dynamodb",
        "dynamodbstreams",
        "events",
        "kms",
        "lambda",
        "logs",
        "s3",
        "sns",
        "sqs",
        "ssm",
        "sts",
        "xray",
    }
)
"""The services whose descriptions stay in botocore. The other 430 are 24 of its 28 MB, and a
client for one of them would fail with botocore's UnknownServiceError."""


LEARNING = ("arro3*", "numpy*")
"""What only learning and the archive import: twice as large as all else together."""


@dataclass(frozen=True, kw_only=True)
class Layers:
    """Folders of what the functions import: all of them, and those that learn besides."""

    dependencies: Path
    learning: Path


class LayerError(RuntimeError):
    """The dependency layer could not be built; the message holds what pip said."""


@contextmanager
def building(root: Path) -> Iterator[None]:
    """Keep other syntheses of this checkout waiting: they would rebuild what is being read."""
    (root / "build").mkdir(exist_ok=True)
    with (root / "build" / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def function_code(root: Path) -> Path:
    """Copy what the functions run to `build/code`, and return that folder."""
    target = root / "build" / "code"
    shutil.rmtree(target, ignore_errors=True)
    for source in CODE:
        shutil.copytree(
            root / source,
            target / Path(source).name,
            ignore=shutil.ignore_patterns(*NOT_DEPLOYED),
        )
    return target


def dependency_layers(root: Path, target: LayerTarget) -> Layers:
    """Return the folders of the layers for a target; build them if the lock file has changed.

    Both this and `function_code` belong inside `building`. LayerError if pip cannot install
    from the lock file.
    """
    folder = root / "build" / f"layers-{target.name}"
    layers = Layers(dependencies=folder / "dependencies", learning=folder / "learning")
    stamp = folder.with_name(f"{folder.name}.stamp")
    wanted = fingerprint(root, target)
    if folder.is_dir() and stamp.is_file() and stamp.read_text() == wanted:
        return layers
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}-") as scratch:
        built = Path(scratch) / "layers"
        packages = built / "dependencies" / "python"
        _install(root / LOCK, packages, target)
        _trim(packages)
        _move(packages, built / "learning" / "python")
        if target.native:
            _compile(built / "dependencies")
            _compile(built / "learning")
        stamp.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        built.rename(folder)
    stamp.write_text(wanted)
    return layers


def fingerprint(root: Path, target: LayerTarget) -> str:
    """Return a digest of all that the layers depend on."""
    digest = hashlib.sha256((root / LOCK).read_bytes())
    digest.update("\0".join((BUILDER, target.name, *LEARNING, *sorted(SERVICES))).encode())
    return digest.hexdigest()


def _install(lock: Path, into: Path, target: LayerTarget) -> None:
    """Install the lock file's packages into a folder, for the target rather than for here."""
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"),
        *("--disable-pip-version-check", "--require-hashes"),
        *("--requirement", str(lock), "--target", str(into)),
    ]
    if not target.native:
        machine = {"arm64": "aarch64"}.get(target.architecture, target.architecture)
        command += [
            *("--only-binary=:all:", "--implementation", "cp"),
            *("--python-version", target.python),
            *(f"--platform=manylinux_2_{minor}_{machine}" for minor in GLIBC_MINORS),
            f"--platform=manylinux2014_{machine}",
        ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        raise LayerError(
            f"The dependency layer for Python {target.python} on {target.architecture} could "
            f"not be installed from {LOCK}. pip said:\n{done.stderr.strip()}"
        )


def _trim(packages: Path) -> None:
    """Remove what no function needs: scripts, tests, caches, services never called."""
    shutil.rmtree(packages / "bin", ignore_errors=True)
    # zstandard's second engine, of 12 MB, for Pythons other than CPython
    for engine in (packages / "zstandard").glob("_cffi*"):
        engine.unlink()
    for name in ("__pycache__", "tests"):
        for folder in sorted(packages.rglob(name)):
            shutil.rmtree(folder, ignore_errors=True)
    for service in (packages / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)


def _move(packages: Path, learning: Path) -> None:
    """Move what only learning imports to a layer of its own."""
    learning.mkdir(parents=True)
    for name in LEARNING:
        for found in sorted(packages.glob(name)):
            found.rename(learning / found.name)


def _compile(layer: Path) -> None:
    """Compile the modules for this Python: a local function starts twice as fast with them.

    Without time stamps and folder names in them, so that the same layer stays the same. Lambda's
    Python is usually another than this one, and would ignore them.
    """
    subprocess.run(  # noqa: S603 - our own command
        [
            *(sys.executable, "-m", "compileall", "-q", "-j", "2"),
            *("--invalidation-mode", "unchecked-hash", "-s", str(layer), str(layer)),
        ],
        capture_output=True,
        check=False,  # a module that does not compile here is not imported here either
    )

"""Deploying the stack to the platform, with the CDK CLI as to any other account."""

import hashlib
import re
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from daybook.errors import PlatformError
from daybook.platform.config import ACCOUNT, REGION, PlatformConfig
from daybook.platform.stack import describe
from daybook.settings import process_environment

SOURCES = ("app.py", "cdk.json", "infra", "lambdas", "src/daybook", "requirements/lambda.txt")
NOT_DEPLOYED = frozenset({"cli", "platform", "testing", "__pycache__"})
BOOTSTRAP_STACK = "CDKToolkit"
PROGRESS = re.compile(r"\|\s*(\d+)/(\d+)\s*\|.*_COMPLETE\s*\|\s*(\S+)")
Report = Callable[[str], None]


def fingerprint(config: PlatformConfig, agents: Sequence[str]) -> str:
    """Return a digest of all that a deployment is made from."""
    digest = hashlib.sha256("\0".join((config.table_prefix, *sorted(agents))).encode())
    for path in _sources(config.root):
        digest.update(f"\0{path.relative_to(config.root)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def deploy(
    config: PlatformConfig,
    *,
    agents: Sequence[str],
    fingerprint: str,
    report: Report,
    anew: bool = False,
) -> None:
    """Synthesize the stack and deploy it; the first time also prepare the account for the CDK.

    What an earlier try synthesized from the same sources is taken as it is, unless `anew`.
    PlatformError, with the end of what the CDK said, if a step fails. Repeating it is safe.
    """
    out = config.folder / "cdk.out"
    synthesized_from = config.folder / "synthesized"
    # independent of the synthesis, and there is a second core
    bootstrap = None
    prepared = describe(config, BOOTSTRAP_STACK)
    if prepared is None or not prepared.complete:
        bootstrap = _start(config, "bootstrap", f"aws://{ACCOUNT}/{REGION}", cwd=config.folder)
    try:
        if anew or not _says(synthesized_from, fingerprint):
            synthesized_from.unlink(missing_ok=True)
            _synthesize(config, out, agents, fingerprint, report)
            synthesized_from.write_text(fingerprint)
    finally:
        if bootstrap:
            _finish(bootstrap, "prepare the local account")
    report("Deploying")
    _finish(
        _start(
            config,
            *("deploy", "--all", "--app", str(out), "--require-approval", "never"),
            *("--method", "direct", "--progress", "events"),
        ),
        "deploy the stack",
        report,
    )


def _synthesize(
    config: PlatformConfig, out: Path, agents: Sequence[str], fingerprint: str, report: Report
) -> None:
    report("Building the functions and synthesizing the stack: a minute, the first time two")
    _finish(
        _start(
            config,
            *("synth", "--quiet", "--output", str(out)),
            *("--context", "stage=local", "--context", f"prefix={config.table_prefix}"),
            *("--context", f"agents={','.join(agents)}"),
            *("--context", f"fingerprint={fingerprint}"),
        ),
        "synthesize the stack",
    )


def _says(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text() == text


def _start(
    config: PlatformConfig, *arguments: str, cwd: Path | None = None
) -> "subprocess.Popen[str]":
    """Start the CDK CLI; in the checkout, where it finds the app, unless told otherwise."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [str(config.cdk), *arguments, "--ci", "--no-notices", "--no-version-reporting"],
        cwd=cwd or config.root,
        env=environment(config),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )


def _finish(process: "subprocess.Popen[str]", purpose: str, report: Report | None = None) -> None:
    """Follow a step to its end. PlatformError if it failed."""
    lines: deque[str] = deque(maxlen=30)
    with process:
        try:
            for line in process.stdout or ():
                if line.strip() and not line.startswith("b'!!"):  # jsii about its Node version
                    lines.append(line.rstrip())
                if report and (step := PROGRESS.search(line)):
                    report(f"Deploying {step[1]}/{step[2]}: {step[3]}")
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        said = "\n".join(lines)
        raise PlatformError(
            f"The CDK could not {purpose} on the local platform (exit code {process.returncode}). "
            f"Mend what it says, and run `daybook up` again. It said:\n{said}"
        )


def environment(config: PlatformConfig) -> dict[str, str]:
    """Return the environment for the CDK: the platform's address, nobody's AWS profile."""
    outside = {
        name: value
        for name, value in process_environment().items()
        if not name.startswith(("AWS_", "CDK_", "DAYBOOK_"))
    }
    loopback = "127.0.0.1,localhost"
    return {
        **outside,
        "AWS_ENDPOINT_URL": config.endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20",
        "NO_PROXY": ",".join(filter(None, (outside.get("NO_PROXY"), loopback))),
        "no_proxy": ",".join(filter(None, (outside.get("no_proxy"), loopback))),
    }


def _sources(root: Path) -> Iterator[Path]:
    """Yield the files that decide what is deployed, always in the same order."""
    for source in SOURCES:
        path = root / source
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            inside = file.relative_to(path).parts[:-1] if file != path else ()
            if not NOT_DEPLOYED.intersection(inside):
                yield file

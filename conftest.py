"""Runs the Python in the README, in `docs/` and in the package's docstrings as tests."""

import os
from typing import Any

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser


def _without_account(_: dict[str, Any]) -> None:
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")  # noqa: S106


_documents = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
    setup=_without_account,
)
_docstrings = Sybil(parsers=[DocTestParser()], patterns=["src/daybook/**/*.py"])

pytest_collect_file = (_documents + _docstrings).pytest()

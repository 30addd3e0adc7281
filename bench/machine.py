"""The machine that a benchmark ran on."""

import os
import platform
from pathlib import Path


def describe() -> str:
    """Return one line about processor, memory and Python."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0].partition(":")[2].strip() if names else model
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    python = f"Python {platform.python_version()}"
    return (
        f"{model}, {os.cpu_count()} cores, {pages / 2**30:.0f} GB, {python}, {platform.system()}"
    )

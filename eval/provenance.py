"""What a figure was measured with: the commit of the code and the machine."""

import os
import platform
import shutil
import subprocess
from pathlib import Path


def find_commit(repository: Path) -> str:
    """Return the commit id, with "-dirty" if files differ from it, or "unknown" without git.

    Result files do not make it dirty; the run that writes one would soil the next.
    """
    git = shutil.which("git")
    if git is None:
        return "unknown"

    def ask(*words: str) -> str:
        done = subprocess.run(  # noqa: S603 (fixed words, no shell)
            [git, "-C", str(repository), *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return done.stdout.strip()

    try:
        commit = ask("rev-parse", "HEAD")
        changed = ask("status", "--porcelain", "--", ".", ":(exclude)eval/results")
    except (subprocess.SubprocessError, OSError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def describe_machine() -> str:
    """Return processor and number of cores, such as "AMD EPYC, 2 cores"."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {os.cpu_count()} cores"

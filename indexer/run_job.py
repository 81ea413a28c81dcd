"""An index run as a process of its own: a job as JSON on stdin, JSON lines on stdout.

`python -m indexer.run_job` is what the service starts, so that queries stay fast and a file that
crashes a parser takes nothing else down. The lines are `{"event": "progress", "stage", "done",
"total"}`, then one `{"event": "report", …}` or `{"event": "error", "code", "detail", "advice"}`;
the exit code is 0 after a report and 1 after an error.
"""

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from pydantic import BaseModel, ConfigDict

from corpus.errors import FootnoteError
from indexer.build import build_index
from indexer.encoders import load_encoder
from indexer.settings import IndexSettings

_SAY_EVERY_S = 0.2
_NICENESS = 10  # queries come first


class RunJob(BaseModel):
    """What the process is told on stdin."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: dict[str, Any]
    paths: list[Path]
    full: bool = False
    strict: bool = False


class JsonLines:
    """Progress as JSON lines, a few a second."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._stage, self._total, self._done, self._said = "", 0, 0, 0.0

    def begin(self, stage: str, total: int) -> None:
        """Say that a stage begins."""
        self._stage, self._total, self._done = stage, total, 0
        self._say()

    def advance(self, steps: int = 1) -> None:
        """Say how far the stage is, unless that was said just now."""
        self._done += steps
        if self._done >= self._total or time.monotonic() - self._said >= _SAY_EVERY_S:
            self._say()

    def _say(self) -> None:
        self._said = time.monotonic()
        write_line(
            self._out,
            {
                "event": "progress",
                "stage": self._stage,
                "done": self._done,
                "total": self._total,
            },
        )


def write_line(out: TextIO, event: dict[str, object]) -> None:
    """Write one event; it is there to be read at once."""
    out.write(json.dumps(event) + "\n")
    out.flush()


def run_job(job: RunJob, out: TextIO) -> int:
    """Carry out a job, tell of it on `out` and return the exit code."""
    try:
        settings = IndexSettings(**job.settings)
        encoder = load_encoder(
            settings.encoder, backend=settings.encoder_backend, threads=settings.encoder_threads
        )
        report = build_index(
            settings,
            encoder,
            paths=job.paths,
            progress=JsonLines(out),
            strict=job.strict,
            full=job.full,
        )
    except FootnoteError as error:
        write_line(
            out,
            {
                "event": "error",
                "code": error.code,
                "detail": str(error.args[0]),
                "advice": error.advice,
            },
        )
        return 1
    write_line(out, {"event": "report", **asdict(report)})
    return 0


def main() -> int:
    """Read a job, keep stdout for events alone, and run."""
    os.nice(_NICENESS)
    job = RunJob.model_validate_json(sys.stdin.buffer.read())
    # What a library prints goes to stderr, where it cannot be taken for an event.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        return run_job(job, out)


if __name__ == "__main__":
    sys.exit(main())

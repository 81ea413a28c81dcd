"""Telling a person how far a long run is."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

_LINE_EVERY_S = 5.0


class Progress(Protocol):
    """Follows a run through its stages."""

    def begin(self, stage: str, total: int) -> None:
        """A stage of `total` steps begins; the one before it has ended."""
        ...

    def advance(self, steps: int = 1) -> None:
        """Steps of the current stage are done."""
        ...


class Silent:
    """Says nothing."""

    def begin(self, stage: str, total: int) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1) -> None:
        """Do nothing."""


class PlainLines:
    """A line every five seconds, for logs and pipes; stages under two seconds stay silent."""

    def __init__(self) -> None:
        self._stage, self._total, self._done = "", 0, 0
        self._began = self._said = time.monotonic()

    def begin(self, stage: str, total: int) -> None:
        """Start counting a stage."""
        self._stage, self._total, self._done = stage, total, 0
        self._began = self._said = time.monotonic()

    def advance(self, steps: int = 1) -> None:
        """Count, and print a line when the last one is old."""
        self._done += steps
        now = time.monotonic()
        finished = self._done >= self._total and now - self._began > 2
        if finished or now - self._said >= _LINE_EVERY_S:
            self._said = now
            rate = self._done / max(now - self._began, 1e-9)
            left = (self._total - self._done) / max(rate, 1e-9)
            print(
                f"{self._stage}: {self._done}/{self._total}, {rate:.1f}/s, {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


class _TerminalBar:
    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=None, visible=False)

    def begin(self, stage: str, total: int) -> None:
        self._bar.reset(self._task, description=stage, total=total, visible=True)

    def advance(self, steps: int = 1) -> None:
        self._bar.advance(self._task, steps)


@contextmanager
def show_progress() -> Iterator[Progress]:
    """Yield a bar with rate and time left on a terminal, plain lines elsewhere (on stderr)."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PlainLines()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        yield _TerminalBar(bar)

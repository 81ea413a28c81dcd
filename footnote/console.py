"""How commands speak: results on stdout, all else on stderr, exit codes that mean something."""

import json
import sys
from collections.abc import Iterable
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING
from unicodedata import category

from corpus.errors import FootnoteError

if TYPE_CHECKING:
    from rich.console import Console


class ExitCode(IntEnum):
    """What a command's exit code says."""

    OK = 0
    PROBLEMS = 1
    USAGE = 2
    NO_INDEX = 3
    BUSY = 4


_PIPE_WIDTH = 10_000  # what goes into a file or another program is not wrapped

# By FootnoteError.code; what is not here is a problem met on the way.
_EXIT_CODES = {
    "bad_filter": ExitCode.USAGE,
    "bad_permalink": ExitCode.USAGE,
    "bad_query": ExitCode.USAGE,
    "bad_settings": ExitCode.USAGE,
    "invalid_request": ExitCode.USAGE,
    "question_too_long": ExitCode.USAGE,
    "source_not_found": ExitCode.USAGE,
    "encoder_unavailable": ExitCode.NO_INDEX,
    "index_damaged": ExitCode.NO_INDEX,
    "index_mismatch": ExitCode.NO_INDEX,
    "index_not_ready": ExitCode.NO_INDEX,
    "index_busy": ExitCode.BUSY,
    "port_busy": ExitCode.BUSY,
}


class PortBusy(FootnoteError):
    """Another process listens on the port."""

    code = "port_busy"


class MissingPart(FootnoteError):
    """A command needs a library that serving does without."""

    code = "missing_part"


def exit_code(error: FootnoteError) -> ExitCode:
    """Return the exit code that an error ends a command with."""
    return _EXIT_CODES.get(error.code, ExitCode.PROBLEMS)


def print_error(error: Exception | str) -> None:
    """Print one line on stderr."""
    print(f"error: {printable(' '.join(str(error).split()))}", file=sys.stderr)


def print_note(message: str) -> None:
    """Print a line on stderr, for people; it is no result."""
    print(printable(message), file=sys.stderr, flush=True)


def print_json(value: object) -> None:
    """Print a value as JSON on stdout; paths and other values without a JSON form as text."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines on stdout as they are."""
    for line in lines:
        print(printable(line))


def printable(text: str) -> str:
    """Return a text without control characters: what a report says must not drive a terminal.

    Odd spaces become plain ones; soft hyphens and marks of writing direction go.
    """
    return "".join(
        char if char in "\n\t" or char.isprintable() else "" if category(char) == "Cf" else " "
        for char in text
    )


@cache
def console() -> "Console":
    """Return the console for results: texts as they are, colour only on terminals."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    return Console(markup=False, highlight=False, emoji=False, width=width)

"""Pinpoints: a digest's own pointer, at the end of a block, to the place in the original."""

import re
from collections.abc import Sequence

_PAGE = re.compile(r"pp?\.\s*\w")
_CLOSERS = " .;,:!?\"'”’"
_COLUMNS = frozenset({"page", "pages", "record", "section", "source", "pinpoint"})
# A pointer is short; a longer bracket is part of the prose.
_LONGEST = 200


def find_pinpoint(text: str, kind: str) -> str | None:
    """Return the content of the bracket a block ends in, or None if it ends in no pinpoint.

    Args:
        text: The block's text.
        kind: The front matter's `pinpoints`. "pdf-page" or "page" takes only what begins with
            p. or pp.; any other kind takes any bracket.
    """
    text = text.rstrip(_CLOSERS)
    if not text.endswith(")"):
        return None
    depth = 0
    for index in range(len(text) - 1, max(-1, len(text) - _LONGEST), -1):
        depth += {")": 1, "(": -1}.get(text[index], 0)
        if depth == 0:
            content = text[index + 1 : -1].strip()
            return content if content and _accepts(content, kind) else None
    return None


def find_row_pinpoint(headers: Sequence[str], cells: Sequence[str]) -> str | None:
    """Return a row's last cell where the column is named Page, Record, Section or Source."""
    if not headers or len(cells) != len(headers):
        return None
    if headers[-1].strip().casefold() not in _COLUMNS:
        return None
    return cells[-1].strip() or None


def _accepts(content: str, kind: str) -> bool:
    return not kind.endswith("page") or _PAGE.match(content) is not None

"""Permalinks: `document_id@sha12:start-end` names a slice of one edition of a document's text."""

import re
from dataclasses import dataclass

from corpus.errors import BadPermalink

_PERMALINK = re.compile(r"([a-z0-9][a-z0-9._-]*)@([0-9a-f]{12}):(\d{1,12})-(\d{1,12})")


@dataclass(frozen=True, slots=True)
class Permalink:
    """A parsed permalink; `str()` gives it back."""

    document_id: str
    text_sha12: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.document_id}@{self.text_sha12}:{self.start}-{self.end}"


def parse_permalink(text: str) -> Permalink:
    """Parse `document_id@sha12:start-end`.

    Raises:
        BadPermalink: The text is not of that form, or start is not before end.
    """
    match = _PERMALINK.fullmatch(text)
    if match is None or int(match[3]) >= int(match[4]):
        raise BadPermalink(
            f"{text[:120]!r} is not a permalink",
            advice="it looks like nist-ai-rmf@0123456789ab:120-340, start before end",
        )
    return Permalink(match[1], match[2], int(match[3]), int(match[4]))

"""Which files are on a shelf, and what is known of each before it is opened."""

from dataclasses import dataclass
from pathlib import Path

from corpus.model import Metadata


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file on a shelf.

    Attributes:
        path: Where it is.
        source: Its path relative to the shelf, with forward slashes; what `metadata.source` holds.
        document_id: Readable slug, unique among the files discovered together.
        known: Its row of `shelf.csv`, without "file" and empty cells.
    """

    path: Path
    source: str
    document_id: str
    known: Metadata

"""What every reader takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from corpus.model import Block, Metadata, Page


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader got out of one file.

    Attributes:
        text: Canonical text.
        blocks: As in Document.
        pages: As in Document.
        metadata: What the file says of itself; "title", "authors" (list), "date" (ISO 8601, may
            be a year or a month), "language" and so on where it says them.
        notices: The source's own warnings.
        warnings: What could not be read, one line each, with the page.
    """

    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    metadata: Metadata = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Reader(Protocol):
    """Reads one kind of file."""

    def __call__(self, data: bytes) -> Reading:
        """Read the bytes of a file.

        Raises:
            ReadError: The bytes are not of this kind, are damaged, or hold no text.
        """
        ...


Readers = Mapping[str, Reader]

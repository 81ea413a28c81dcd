"""What a report is once it has been read: a text, its blocks, its pages, and slices of it.

Every offset counts characters (Unicode code points) of `Document.text`, start included, end
excluded, so that `document.text[start:end]` is the thing named.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

MetadataValue: TypeAlias = str | int | float | bool | list[str]
Metadata: TypeAlias = Mapping[str, MetadataValue]


class BlockKind(StrEnum):
    """What a reader of the page would call a block."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE = "table"  # one block per row, each cell after its column's name
    CODE = "code"
    CAPTION = "caption"
    FOOTNOTE = "footnote"
    CONTENTS = "contents"
    REFERENCE = "reference"
    BOILERPLATE = "boilerplate"


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list item, table row… of a report.

    Attributes:
        kind: What it is.
        start: First character in the document's text.
        end: One past the last character.
        level: 1–6 for headings, nesting depth from 0 for list items, else 0.
        page: Number of the page it begins on, from 1; None where the source has no pages.
        pinpoint: Where the source itself says this block comes from, such as "p. 34"
            (a digest's paragraph points to the page of the original); None if it doesn't say.
        metadata: What is known about this block alone, such as a catalogue record's code.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    page: int | None = None
    pinpoint: str | None = None
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the source: `number` counts from 1, `label` is what is printed on it ("xii")."""

    number: int
    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """A report as Footnote reads it.

    Attributes:
        document_id: Readable slug, unique on the shelf.
        title: The report's title.
        text: Canonical text: Unicode NFC, LF line ends, no running heads.
        source_sha256: Hex digest of the file's bytes.
        blocks: In reading order, non-overlapping; what lies between two blocks is white space.
        pages: In order, tiling the text; empty where the source has no pages.
        metadata: publisher, date, family…; always has "source".
        notices: The source's own warnings, such as "preliminary, do not cite".
        warnings: What the reader could not do, one line each.
    """

    document_id: str
    title: str
    text: str
    source_sha256: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    metadata: Metadata = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def text_sha256(self) -> str:
        """Hex digest of the UTF-8 bytes of `text`."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Passage:
    """What is retrieved: one slice of a document.

    Attributes:
        document_id: Whose slice it is.
        text_sha256: Which edition of the document's text.
        start: First character.
        end: One past the last character.
        section_path: Headings above it, outermost first, the document's title left out.
        passage_type: The kind of its main block.
        page_start: Number of its first page, or None without pages.
        page_end: Number of its last page, or None.
        page_label: Printed label of the first page ("" without pages).
        pinpoint: The source's own pointer to an original, or None.
        metadata: The document's metadata with that of its blocks laid over it.
    """

    document_id: str
    text_sha256: str
    start: int
    end: int
    section_path: tuple[str, ...]
    passage_type: BlockKind
    page_start: int | None
    page_end: int | None
    page_label: str
    pinpoint: str | None
    metadata: Metadata

    @property
    def passage_id(self) -> str:
        """The passage's permalink, which is also its id."""
        return f"{self.document_id}@{self.text_sha256[:12]}:{self.start}-{self.end}"

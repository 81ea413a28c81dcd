"""A PDF's blocks before they are written: how they go on over columns and pages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from corpus.builder import DocumentBuilder
from corpus.model import BlockKind
from corpus.readers.pdf_layout import LINE_HYPHEN, Line
from corpus.readers.pdf_words import Words, clean_signs, join_lines, keeps_hyphen

# "[12] …", "12. …", "86.* …": how an entry of a list of references begins.
REFERENCE_ENTRY = re.compile(r"(\[\d{1,4}\]|\d{1,4}\.\*?)\s+\S")
_ENDS_SENTENCE = re.compile(r"[.!?:;][\"'’”)\]]*\d{0,3}$")
_GOES_ON = re.compile(
    r"\b(a|an|and|as|at|by|for|from|in|of|on|or|that|the|their|to|which|with)$", re.IGNORECASE
)
_JOINABLE = {BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.REFERENCE}


class Style(NamedTuple):
    """What the level of a heading follows from: the larger and the less deep, the higher."""

    size: float
    depth: int


_NO_STYLE = Style(0.0, 0)


@dataclass(frozen=True, slots=True)
class Piece:
    """A block before it is written: its text page by page.

    Attributes:
        kind: Of the block.
        parts: (page number, text) in order; a text ends in LINE_HYPHEN where the next goes on
            its word.
        level: As in Block; for a heading set by `set_heading_levels`.
        style: Of a heading.
        first: Its first line, where that may tell whether it goes on another block.
        last: Its last line, for the same.
        full: Whether its last line reaches the right edge of the page's text.
    """

    kind: BlockKind
    parts: tuple[tuple[int, str], ...]
    level: int = 0
    style: Style = _NO_STYLE
    first: Line | None = None
    last: Line | None = None
    full: bool = False

    @property
    def page(self) -> int:
        """Number of the page it begins on."""
        return self.parts[0][0]

    @property
    def text(self) -> str:
        """The whole text."""
        return " ".join(text for _, text in self.parts)

    @property
    def ending(self) -> str:
        """Its last characters, enough to see how it ends."""
        return self.parts[-1][1][-40:]


def join_paragraph(lines: Sequence[Line], words: Words) -> str:
    """Return the text of a paragraph's lines; a word broken at its very end keeps the mark."""
    text = join_lines([line.text for line in lines], words)
    if lines[-1].text.rstrip().endswith(LINE_HYPHEN):
        return text.removesuffix("-") + LINE_HYPHEN
    return text


def goes_on(piece: Piece) -> bool:
    """Return whether a block stops in the middle of a sentence."""
    return piece.kind in _JOINABLE and not _ENDS_SENTENCE.search(piece.ending)


def continues(last: Piece, piece: Piece) -> bool:
    """Return whether a block goes on in the first of the next page."""
    if not goes_on(last) or piece.kind not in {BlockKind.PARAGRAPH, BlockKind.REFERENCE}:
        return False
    if last.kind is BlockKind.REFERENCE and REFERENCE_ENTRY.match(piece.text):
        return False
    if last.ending.endswith(LINE_HYPHEN):
        return True
    if piece.text[:1].islower() or _GOES_ON.search(last.ending):
        return True
    # A full line at the same indent, as "… and facilitate joint / AI research …".
    if not (last.full and last.last and piece.first):
        return False
    return abs(last.last.x0 - piece.first.x0) < 2 and last.last.size == piece.first.size


def join_pieces(last: Piece, piece: Piece, words: Words) -> Piece:
    """Return a block and the one it goes on in as one."""
    last = replace(last, last=piece.last, full=piece.full)
    *before, (page, text) = last.parts
    (next_page, next_text), *after = piece.parts
    if page == next_page:
        return replace(last, parts=(*before, (page, join_lines([text, next_text], words)), *after))
    if text.endswith(LINE_HYPHEN) or (text[-1:] == "-" and next_text[:1].islower()):
        left, right = text[:-1].rsplit(None, 1)[-1:], next_text.split(None, 1)[:1]
        kept = keeps_hyphen("".join(left), "".join(right), words)
        text = text[:-1] + ("-" if kept else "") + LINE_HYPHEN
    return replace(last, parts=(*before, (page, text), (next_page, next_text), *after))


def join_columns(pieces: Sequence[Piece], words: Words) -> list[Piece]:
    """Return a page's blocks, those that go on in lower case in the next one joined to it."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and piece.text[:1].islower() and continues(joined[-1], piece):
            joined[-1] = join_pieces(joined[-1], piece, words)
        else:
            joined.append(piece)
    return joined


def write_pieces(pieces: Sequence[Piece], labels: Sequence[str]) -> DocumentBuilder:
    """Write the pieces into a builder.

    Args:
        pieces: In order of their pages.
        labels: One for every page; pages without pieces are opened too.
    """
    builder = DocumentBuilder()
    opened = 0
    for piece in pieces:
        written, glued = False, False
        for page, text in piece.parts:
            for label in labels[opened:page]:
                builder.start_page(label)
            opened = max(opened, page)
            if written:
                builder.extend(clean_signs(text), joiner="" if glued else " ")
            else:
                written = builder.add(piece.kind, clean_signs(text), level=piece.level)
            glued = text.endswith(LINE_HYPHEN)
    for label in labels[opened:]:
        builder.start_page(label)
    return builder

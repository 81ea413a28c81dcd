"""Puts a document's text together block by block, so that every offset is right by construction."""

import re
import unicodedata
from dataclasses import replace

from corpus.model import Block, BlockKind, Metadata, Page

_SPACES = re.compile(r"[^\S\n]+")
# Control characters, soft hyphens, zero-width spaces, byte order marks, surrogates.
_DROPPED = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\ufeff\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n|[\r\x0c\x85\u2028\u2029]")
_TIGHT = frozenset({BlockKind.LIST_ITEM, BlockKind.TABLE, BlockKind.CONTENTS})


def clean_text(text: str, *, keep_lines: bool = False) -> str:
    """Return text as it goes into a canonical text.

    NFC, control characters (soft hyphens and zero-width spaces among them) dropped, runs of
    white space made one space; with `keep_lines`, line feeds and a line's indent stay.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = unicodedata.normalize("NFC", _DROPPED.sub("", text))
    if keep_lines:
        lines = (line.replace("\t", "    ").rstrip() for line in text.split("\n"))
        return "\n".join(lines).strip("\n")
    return _SPACES.sub(" ", text.replace("\n", " ")).strip()


class DocumentBuilder:
    """Collects blocks and pages; `text`, `blocks` and `pages` are what a Document takes.

    Call `start_page` before a page's blocks. Blocks are parted by an empty line, the items of a
    list and the rows of a table by a line feed.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[tuple[str, int]] = []

    def start_page(self, label: str) -> None:
        """Begin the next page; `label` is what is printed on it."""
        self._pages.append((label, -1))

    def add(
        self,
        kind: BlockKind,
        text: str,
        *,
        level: int = 0,
        pinpoint: str | None = None,
        metadata: Metadata | None = None,
    ) -> bool:
        """Append a block; return False, adding nothing, if its text is empty once cleaned."""
        text = clean_text(text, keep_lines=kind is BlockKind.CODE)
        if not text:
            return False
        if self._blocks:
            tight = kind in _TIGHT and self._blocks[-1].kind is kind
            self._append("\n" if tight else "\n\n")
        start = self._length
        self._open_pages(start)
        self._append(text)
        page = len(self._pages) or None
        self._blocks.append(
            Block(kind, start, self._length, level, page, pinpoint, dict(metadata or {}))
        )
        return True

    def extend(self, text: str, *, joiner: str = " ") -> None:
        """Continue the last block with more text, as when a paragraph goes on over a page break."""
        text = clean_text(text)
        if not text:
            return
        if not self._blocks:
            raise ValueError("there is no block to extend; call add() first")
        self._append(joiner)
        self._open_pages(self._length)
        self._append(text)
        self._blocks[-1] = replace(self._blocks[-1], end=self._length)

    @property
    def last(self) -> Block | None:
        """The block added last."""
        return self._blocks[-1] if self._blocks else None

    @property
    def text(self) -> str:
        """The canonical text so far."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks so far."""
        return tuple(self._blocks)

    @property
    def pages(self) -> tuple[Page, ...]:
        """The pages so far, tiling the text; a page without text is empty."""
        if not self._pages:
            return ()
        starts = [start for _, start in self._pages]
        following = self._length
        for index in range(len(starts) - 1, -1, -1):
            if starts[index] < 0:
                starts[index] = following
            following = starts[index]
        starts[0] = 0
        ends = [*starts[1:], self._length]
        return tuple(
            Page(number, label, start, end)
            for number, ((label, _), start, end) in enumerate(
                zip(self._pages, starts, ends, strict=True), start=1
            )
        )

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _open_pages(self, start: int) -> None:
        if self._pages and self._pages[-1][1] < 0:
            self._pages[-1] = (self._pages[-1][0], start)

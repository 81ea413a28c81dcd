"""Reads Markdown: a digest with front matter, lists and tables; one block per table row."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from corpus.builder import DocumentBuilder, clean_text
from corpus.decoding import decode_text
from corpus.errors import ReadError
from corpus.model import BlockKind
from corpus.notices import find_notices
from corpus.readers.base import Reading
from corpus.readers.front_matter import FrontMatter, split_front_matter
from corpus.readers.pinpoints import find_pinpoint, find_row_pinpoint
from corpus.readers.rows import row_text

_UNSEEN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.I)
_TAG = re.compile(r"</?[A-Za-z!?][^<>]*>")


def read_markdown(data: bytes) -> Reading:
    """Read CommonMark with tables and YAML front matter.

    Mark-up is reduced to its text and HTML to the text between its tags. Where the front matter
    has `pinpoints`, the bracket a block ends in becomes the block's pinpoint and stays in the
    text.

    Raises:
        ReadError: The bytes are not text, or there is none in them.
    """
    text, warnings = decode_text(data)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    front, body = split_front_matter(text)
    front = front or FrontMatter()
    pinpoints = str(front.metadata.get("pinpoints", ""))
    writer = _Writer(pinpoints=pinpoints)
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    writer.write(parser.parse(body))
    builder = writer.builder
    if not builder.blocks:
        raise ReadError("the Markdown holds no text", advice="check that the file is complete")
    canonical = builder.text
    notices = front.notices
    if not notices and not pinpoints:  # a digest speaks of its original's notices, not of its own
        notices = find_notices(canonical[block.start : block.end] for block in builder.blocks)
    return Reading(
        text=canonical,
        blocks=builder.blocks,
        metadata=front.metadata,
        notices=notices,
        warnings=warnings + front.warnings,
    )


@dataclass(slots=True)
class _Writer:
    """Walks markdown-it's flat token list and adds blocks."""

    pinpoints: str
    builder: DocumentBuilder = field(default_factory=DocumentBuilder)
    depth: int = 0
    number: str = ""

    def write(self, tokens: Sequence[Token]) -> None:
        stream = iter(tokens)
        for token in stream:
            match token.type:
                case "heading_open":
                    content = _inline_text(next(stream))
                    self.builder.add(BlockKind.HEADING, content, level=int(token.tag[1]))
                case "bullet_list_open" | "ordered_list_open":
                    self.depth += 1
                case "bullet_list_close" | "ordered_list_close":
                    self.depth -= 1
                    self.number = ""
                case "list_item_open":
                    self.number = f"{token.info}{token.markup} " if token.info else ""
                case "inline":
                    self._add_prose(_inline_text(token))
                case "fence" | "code_block":
                    self.builder.add(BlockKind.CODE, token.content)
                case "html_block":
                    for part in re.split(r"\n[ \t]*\n", _drop_tags(token.content)):
                        self._add_prose(part)
                case "table_open":
                    self._add_table(stream)

    def _add_prose(self, text: str) -> None:
        text = clean_text(text)
        if not text:
            return
        pinpoint = find_pinpoint(text, self.pinpoints) if self.pinpoints else None
        if not self.depth:
            self.builder.add(BlockKind.PARAGRAPH, text, pinpoint=pinpoint)
            return
        self.builder.add(
            BlockKind.LIST_ITEM, self.number + text, level=self.depth - 1, pinpoint=pinpoint
        )
        self.number = ""  # an item's second paragraph is not numbered again

    def _add_table(self, stream: Iterator[Token]) -> None:
        headers, rows = _table_cells(stream)
        if not rows:
            self.builder.add(BlockKind.TABLE, row_text((), headers))
        for cells in rows:
            pinpoint = None
            if self.pinpoints:
                pinpoint = find_row_pinpoint(headers, cells)
                pinpoint = pinpoint or find_pinpoint(cells[-1], self.pinpoints)
            self.builder.add(BlockKind.TABLE, row_text(headers, cells), pinpoint=pinpoint)


def _table_cells(stream: Iterator[Token]) -> tuple[list[str], list[list[str]]]:
    """Take a table's tokens off the stream; return its header and its body rows."""
    headers: list[str] = []
    rows: list[list[str]] = []
    in_head = False
    for token in stream:
        match token.type:
            case "table_close":
                break
            case "thead_open" | "thead_close":
                in_head = token.nesting == 1
            case "tr_open" if not in_head:
                rows.append([])
            case "inline":
                (headers if in_head else rows[-1]).append(clean_text(_inline_text(token)))
    return headers, [row for row in rows if any(row)]


def _inline_text(token: Token) -> str:
    """Return the text of an inline token; an image gives its description, a link its text."""
    parts = []
    for child in token.children or ():
        match child.type:
            case "text" | "code_inline" | "text_special":
                parts.append(child.content)
            case "softbreak" | "hardbreak":
                parts.append(" ")
            case "image":
                parts.append(_inline_text(child) if child.children else child.content)
            case "html_inline":
                parts.append(" " if child.content.startswith(("<br", "<BR")) else "")
    return "".join(parts)


def _drop_tags(source: str) -> str:
    return html.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", source)))

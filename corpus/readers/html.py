"""Reads a saved HTML page: its main part as headings, paragraphs, list items and table rows.

Nothing the page points to is fetched and no script in it is run.
"""

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from corpus.builder import DocumentBuilder, clean_text
from corpus.errors import ReadError
from corpus.model import BlockKind
from corpus.notices import find_notices
from corpus.readers.base import Reading
from corpus.readers.html_page import decode_html, find_main, read_metadata
from corpus.readers.rows import row_text

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_PARTING = re.compile(
    "address|article|blockquote|body|center|dd|details|div|dl|dt|fieldset|figure|footer|form|header"
    "|hgroup|hr|legend|main|ol|option|p|section|summary|tbody|td|tfoot|th|thead|tr|ul"
)
_MOST_COLUMNS = 50


def read_html(data: bytes) -> Reading:
    """Read a page's main content.

    Raises:
        ReadError: The bytes are not text, or there is no text in the page.
    """
    markup, warnings = decode_html(data)
    tree = LexborHTMLParser(markup)
    metadata = read_metadata(tree)
    writer = _Writer()
    writer.write(find_main(tree))
    builder = writer.builder
    if not builder.blocks:
        raise ReadError(
            "the page holds no text outside its navigation",
            advice="save the page with its content loaded, or as PDF",
        )
    text = builder.text
    return Reading(
        text=text,
        blocks=builder.blocks,
        metadata=metadata,
        notices=find_notices(text[block.start : block.end] for block in builder.blocks),
        warnings=warnings,
    )


@dataclass(slots=True)
class _Writer:
    """Walks the tree with a stack of its own, since a hostile page can nest without end."""

    builder: DocumentBuilder = field(default_factory=DocumentBuilder)
    inline: list[str] = field(default_factory=list)
    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    lists: list[int | None] = field(default_factory=list)  # the next number; None for bullets
    items: list[str] = field(default_factory=list)  # what an open item's text begins with

    def write(self, root: LexborNode) -> None:
        stack: list[tuple[LexborNode, bool]] = [(root, True)]
        while stack:
            node, entering = stack.pop()
            if not entering:
                self._leave(node)
            elif node.is_text_node:
                self.inline.append(node.text_content or "")
            elif node.is_element_node and self._enter(node):
                stack.append((node, False))
                children = list(node.iter(include_text=True))
                stack.extend((child, True) for child in reversed(children))
        self._flush()

    def _enter(self, node: LexborNode) -> bool:
        """Begin an element; return whether to go into it."""
        tag = node.tag or ""
        if tag == "br":
            self.inline.append(" ")
            return False
        if tag == "table" and _is_data_table(node):
            self._flush()
            self._add_table(node)
            return False
        if tag == "pre":
            self._flush()
            self.builder.add(BlockKind.CODE, node.text())
            return False
        if tag in _HEADINGS:
            self._flush()
            self.kind, self.level = BlockKind.HEADING, _HEADINGS[tag]
        elif tag in ("figcaption", "caption"):
            self._flush()
            self.kind = BlockKind.CAPTION
        elif tag in ("ul", "ol"):
            self._flush()
            self.lists.append(_first_number(node) if tag == "ol" else None)
        elif tag == "li":
            self._flush()
            self.items.append(self._number_item())
        elif _PARTING.fullmatch(tag):
            self._flush()
        return True

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in _HEADINGS or tag in ("figcaption", "caption"):
            self._flush()
            self.kind, self.level = BlockKind.PARAGRAPH, 0
        elif tag in ("ul", "ol"):
            self._flush()
            self.lists.pop()
        elif tag == "li":
            self._flush()
            self.items.pop()
        elif _PARTING.fullmatch(tag):
            self._flush()

    def _flush(self) -> None:
        text = clean_text("".join(self.inline))
        self.inline.clear()
        if not text:
            return
        if self.kind is BlockKind.PARAGRAPH and self.items:
            level = max(0, len(self.items) - 1)
            self.builder.add(BlockKind.LIST_ITEM, self.items[-1] + text, level=level)
            self.items[-1] = ""
        else:
            self.builder.add(self.kind, text, level=self.level)

    def _number_item(self) -> str:
        if not self.lists or (number := self.lists[-1]) is None:
            return ""
        self.lists[-1] = number + 1
        return f"{number}. "

    def _add_table(self, table: LexborNode) -> None:
        for caption in table.css("caption"):
            self.builder.add(BlockKind.CAPTION, _cell_text(caption))
        headers: list[str] = []
        for index, row in enumerate(table.css("tr")):
            cells = [node for node in row.iter() if node.tag in ("td", "th")]
            texts = [text for cell in cells for text in _spread(cell)]
            is_head = bool(cells) and all(cell.tag == "th" for cell in cells)
            if index == 0 and is_head:
                headers = texts
            else:
                self.builder.add(BlockKind.TABLE, row_text(headers, texts))
        if headers and len(table.css("tr")) == 1:
            self.builder.add(BlockKind.TABLE, row_text((), headers))


def _is_data_table(table: LexborNode) -> bool:
    """Whether a table holds data; one that lays out the page is read as if it weren't there."""
    if table.attributes.get("role") == "presentation":
        return False
    if table.css_first("table table, td h1, td h2, td h3, td p + p") is not None:
        return False
    return any(
        len([cell for cell in row.iter() if cell.tag in ("td", "th")]) > 1
        for row in table.css("tr")
    )


def _cell_text(cell: LexborNode) -> str:
    return clean_text(cell.text(separator=" "))


def _spread(cell: LexborNode) -> list[str]:
    """Return a cell's text, then "" for each further column that it spans."""
    try:
        span = int(cell.attributes.get("colspan") or 1)
    except ValueError:
        span = 1
    return [_cell_text(cell), *[""] * (min(max(span, 1), _MOST_COLUMNS) - 1)]


def _first_number(node: LexborNode) -> int:
    try:
        return int(node.attributes.get("start") or 1)
    except ValueError:
        return 1

"""Reads a scraped catalogue page, where records run together.

A record is its name, its description, and a code line whose category is glued to the next
record's name (`catalogue_codes` takes it apart). The last code line may be glued to the title of
the source the records come from, whose authors and year follow.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from corpus.builder import DocumentBuilder
from corpus.decoding import decode_text
from corpus.errors import ReadError
from corpus.model import BlockKind, Metadata, MetadataValue
from corpus.notices import find_notices
from corpus.readers.base import Reading
from corpus.readers.catalogue_codes import CodeLine, find_code, find_seams, take_apart

_AUTHORS = re.compile(r"(.{3,}?)\s*\((\d{4})[a-z]?\)\.?")
_NAVIGATION = re.compile(r"(?:also in|see also|back to|view all|show (?:more|less))\b", re.I)
_WORD = re.compile(r"[^\W\d_]+")
# Over three code lines, and a tenth of the page: numbered headings of a long report are neither
# glued nor so frequent.
_FEWEST_CODES = 3
_LEAST_SHARE = 0.1


def looks_like_catalogue(text: str) -> bool:
    """Whether a page is one of records run together: code lines, half of them glued to a name."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    codes = [found for line in lines if (found := find_code(line))]
    if len(codes) < max(_FEWEST_CODES, _LEAST_SHARE * len(lines)):
        return False
    words = _vocabulary(lines)
    glued = sum(bool(find_seams(label, words)) for _, label in codes)
    return 2 * glued >= len(codes)


def read_catalogue(data: bytes) -> Reading:
    """Read a scraped catalogue page; every block of a record carries what is known of it.

    A record's blocks (its heading, its description, its code and category) have the metadata
    record_name, parent, code and category; `A > B` is record B with parent A.

    Raises:
        ReadError: The bytes are not text, or there is none in them.
    """
    text, warnings = decode_text(data)
    lines = [
        stripped for line in text.replace("\r", "\n").split("\n") if (stripped := line.strip())
    ]
    coded = [(index, found) for index, line in enumerate(lines) if (found := find_code(line))]
    split = take_apart([found for _, found in coded], _vocabulary(lines))
    page = _Page()
    start, name = 0, ""
    for (index, _), code in zip(coded, split, strict=True):
        page.add_record(lines[start:index], name, code)
        start, name = index + 1, code.following
    rest = lines[start:]
    if rest and (match := _match_authors(rest[0])):
        page.add_source(name, match, rest[0])
        rest = rest[1:]
    elif name:
        rest = [name, *rest]
    page.add_plain(rest)
    if not page.builder.blocks:
        raise ReadError("the page holds no text", advice="check that the file is complete")
    return Reading(
        text=page.builder.text,
        blocks=page.builder.blocks,
        metadata=page.metadata,
        notices=find_notices(lines),
        warnings=warnings,
    )


@dataclass(slots=True)
class _Page:
    builder: DocumentBuilder = field(default_factory=DocumentBuilder)
    metadata: dict[str, MetadataValue] = field(default_factory=dict)

    def add_record(self, lines: Sequence[str], name: str, code: CodeLine) -> None:
        """Add the lines between two code lines; `name` was glued to the first, "" if none was."""
        if not name:
            at = _find_name(lines)
            self.add_plain(lines[:at])
            name, lines = (lines[at] if at < len(lines) else ""), lines[at + 1 :]
        parent, _, leaf = name.rpartition(" > ")
        about: Metadata = {
            "record_name": leaf.strip(),
            "parent": parent.strip(),
            "code": code.code,
            "category": code.category,
        }
        self.builder.add(BlockKind.HEADING, name, level=2, metadata=about)
        for line in lines:
            self.builder.add(BlockKind.PARAGRAPH, line, metadata=about)
        self.builder.add(BlockKind.PARAGRAPH, f"{code.code} {code.category}", metadata=about)

    def add_source(self, title: str, match: re.Match[str], line: str) -> None:
        """Add the source's title and its line of authors, and note them as metadata."""
        if title:
            self.metadata["title"] = title
            self.builder.add(BlockKind.HEADING, title, level=1)
        self.metadata["authors"] = [name.strip() for name in match[1].split(";") if name.strip()]
        self.metadata["year"] = int(match[2])
        self.metadata["date"] = match[2]
        self.builder.add(BlockKind.REFERENCE, line)

    def add_plain(self, lines: Sequence[str]) -> None:
        """Add lines that belong to no record: a label and its definition, or prose."""
        after_label = False
        for line, following in zip(lines, [*lines[1:], ""], strict=False):
            if _NAVIGATION.match(line) and _is_label(line):
                self.builder.add(BlockKind.BOILERPLATE, line)
                after_label = False
            elif not after_label and _is_label(line) and len(following) > len(line):
                self.builder.add(BlockKind.HEADING, line, level=2)
                after_label = True
            else:
                self.builder.add(BlockKind.PARAGRAPH, line)
                after_label = False


def _find_name(lines: Sequence[str]) -> int:
    """Return the index of the last line that can be a name with a description below it."""
    for index in range(len(lines) - 2, -1, -1):
        if _is_label(lines[index]) and not _NAVIGATION.match(lines[index]):
            return index
    return max(0, len(lines) - 1) if len(lines) == 1 and _is_label(lines[0]) else len(lines)


def _is_label(line: str) -> bool:
    return len(line) <= 120 and len(line.split()) <= 15 and line[-1] not in ".!?:;,"


def _match_authors(line: str) -> re.Match[str] | None:
    match = _AUTHORS.fullmatch(line)
    return match if match and "," in match[1] and "." not in match[1][-1:] else None


def _vocabulary(lines: Sequence[str]) -> set[str]:
    """Return the words of the lines that are not code lines."""
    return {word for line in lines if not find_code(line) for word in _WORD.findall(line)}

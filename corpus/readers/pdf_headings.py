"""Tells a PDF's headings from its text, and what level they have."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from corpus.model import BlockKind
from corpus.readers.pdf_layout import (
    DIVISION,
    DIVISIONS,
    LINE_HYPHEN,
    Line,
    Measures,
    Paragraph,
    rounded_size,
    strip_bullet,
)
from corpus.readers.pdf_pieces import Piece, Style
from corpus.readers.pdf_regions import CONTENTS

# 1.12: tables and notes make the body vary by up to 1.1 (11 beside 10); the smallest headings
# that differ by size alone are 1.17 (14 over 12).
LARGE = 1.12
_LETTER = re.compile(r"[^\W\d_]")
_DECIMAL = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+\S")
_LEADING_NUMBER = re.compile(r"^\d[\d.]*\s+")
_MAX_CHARS = 220  # The longest in 18 reports, a whole sentence, has 203.


def heading_key(text: str) -> str:
    """Return what a heading and its bookmark have in common: letters and digits."""
    return "".join(re.findall(r"\w+", text.lower()))


def find_bookmark(text: str, bookmarks: Mapping[str, int]) -> int | None:
    """Return the level of a heading's bookmark, from 0; bookmarks may leave out the number."""
    level = bookmarks.get(heading_key(text))
    return bookmarks.get(heading_key(_LEADING_NUMBER.sub("", text))) if level is None else level


def heading_style(
    paragraph: Paragraph, text: str, measures: Measures, bookmarks: Mapping[str, int]
) -> Style | None:
    """Return a heading's style, or None if this is no heading.

    The depth of the style is the place of its word among "Part, Title, … Article", or how many
    numbers it has, so that "1.2" lies below "1" in the same size; a heading without a number is
    the equal of one with one number.

    Args:
        paragraph: Its lines.
        text: Their text.
        measures: Of the document.
        bookmarks: Level by `heading_key`.
    """
    text = text.strip()
    if not _LETTER.search(text) or len(text) > _MAX_CHARS or len(paragraph.lines) > 4:
        return None
    if text.endswith(LINE_HYPHEN) or "://" in text or not paragraph.lines[0].upright:
        return None
    if any(_is_table_head(line) for line in paragraph.lines):
        return None
    if not _looks_like_heading(paragraph, text, measures, bookmarks):
        return None
    size = max(rounded_size(paragraph.size), measures.body_size)
    if division := DIVISION.match(text):
        place = DIVISIONS.index(division[1].lower()) - len(DIVISIONS)
        return Style(size, 5 * place + division[2].count("."))
    decimal = _DECIMAL.match(text)
    depth = decimal[1].count(".") + 1 if decimal else 1
    # In one size bold stands above capitals, and those above italics.
    return Style(size, depth + (0 if paragraph.bold else 20 if paragraph.italic else 10))


def _is_table_head(line: Line) -> bool:
    """Return whether a line's few words are spread out, as the heads of columns are.

    0.8 of the font size to a character: 99% of lines have 0.38 to 0.53, capitals up to 0.63.
    """
    text = line.text.strip()
    return " " in text and (line.x1 - line.x0) / len(text) > 0.8 * line.size


def _looks_like_heading(
    paragraph: Paragraph, text: str, measures: Measures, bookmarks: Mapping[str, int]
) -> bool:
    count = len(paragraph.lines)
    ratio = paragraph.size / measures.body_size
    bulleted = strip_bullet(text)[1]
    division = DIVISION.match(text)
    if division and (division.end() == len(text) or ratio > LARGE):
        return True
    if find_bookmark(text, bookmarks) is not None and ratio > 0.95 and not bulleted:
        return True
    sentence = text.endswith((".", ";", ",", "!")) and len(text.split()) > 6
    if bulleted or sentence:
        return False
    if ratio > LARGE:
        return True
    if ratio < 0.9 or text.endswith((";", ",")):
        return False
    if not (text[0].isupper() or text[0].isdigit() or text[0] in "“‘\"'("):
        return False
    if paragraph.bold and measures.bold_stands_out:
        return count <= 3 and len(text) < 160
    if text.isupper() and len(_LETTER.findall(text)) > 7 and count <= 2:
        return True
    italic = paragraph.italic and measures.italic_stands_out
    return italic and count == 1 and len(text) < 70 and text[-1].isalnum()


def join_titles(pieces: Sequence[Piece]) -> list[Piece]:
    """Put "Article 3" and the line "Definitions" below it into one heading."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and last.kind is BlockKind.HEADING and DIVISION.fullmatch(last.text):
            short = len(piece.text) < 160 and not piece.text.endswith((".", ";", ":", ","))
            is_title = piece.kind is BlockKind.HEADING and not DIVISION.match(piece.text)
            if is_title or (piece.kind is BlockKind.PARAGRAPH and short):
                joined[-1] = replace(last, parts=((last.page, f"{last.text} {piece.text}"),))
                continue
        joined.append(piece)
    return joined


def set_heading_levels(pieces: Sequence[Piece], bookmarks: Mapping[str, int]) -> list[Piece]:
    """Return the pieces with headings' levels, from 1 to 6.

    A bookmarked heading has its bookmark's level. Any other has its style's: styles are ranked by
    size, then depth, and one whose headings have bookmarks has the level of most of those, but
    none lies above a larger one.
    """
    pieces = _demote_labels(_raise_annexes(pieces))
    headings = [piece for piece in pieces if piece.kind is BlockKind.HEADING]
    levels = _style_levels(headings, bookmarks)
    result: list[Piece] = []
    for piece in pieces:
        if piece.kind is BlockKind.HEADING:
            bookmark = find_bookmark(piece.text, bookmarks)
            level = levels[piece.style] if bookmark is None else bookmark + 1
            piece = replace(piece, level=min(6, level))
        result.append(piece)
    return result


def _style_levels(headings: Sequence[Piece], bookmarks: Mapping[str, int]) -> dict[Style, int]:
    styles = {piece.style for piece in headings}
    marked: dict[Style, Counter[int]] = {style: Counter() for style in styles}
    for piece in headings:
        level = find_bookmark(piece.text, bookmarks)
        if level is not None:
            marked[piece.style][level + 1] += 1
    # A cover's styles occur nowhere else; they would push every real heading down.
    contents = [piece.page for piece in headings if CONTENTS.fullmatch(piece.text)]
    cover = max(2, min([page - 1 for page in contents if page < 9], default=0))
    inside = {piece.style for piece in headings if piece.page > cover} or styles
    levels: dict[Style, int] = {}
    previous = 0
    for style in sorted(styles, key=lambda style: (-style.size, style.depth)):
        if marked[style]:
            previous = max(previous, marked[style].most_common(1)[0][0])
        elif style in inside:
            previous += 1
        levels[style] = max(1, previous)
    return levels


def _raise_annexes(pieces: Sequence[Piece]) -> list[Piece]:
    """Give annexes the style of the chapters they follow, however small they are set."""
    chapters = [piece.style for piece in pieces if _is_division(piece, "part", "title", "chapter")]
    if not chapters:
        return list(pieces)
    top = max(chapters, key=lambda style: (style.size, -style.depth))
    return [
        replace(piece, style=top) if _is_division(piece, "annex") else piece for piece in pieces
    ]


def _is_division(piece: Piece, *words: str) -> bool:
    division = DIVISION.match(piece.text) if piece.kind is BlockKind.HEADING else None
    return division is not None and division[1].lower() in words


def _demote_labels(pieces: Sequence[Piece]) -> list[Piece]:
    """Make paragraphs of what looks like a heading but belongs to a table.

    A label that comes three times ("AI Actor Tasks: …" stands under 49 tables of the NIST
    profile), and words that follow a table's caption twice (the heads of its columns).
    """
    labels = Counter(_label(piece) for piece in pieces)
    heads = Counter(
        piece.text
        for index, piece in enumerate(pieces)
        if any(
            before.kind is BlockKind.CAPTION and before.text.lower().startswith("table")
            for before in pieces[max(0, index - 3) : index]
        )
    )
    result: list[Piece] = []
    for piece in pieces:
        label = _label(piece)
        if piece.kind is BlockKind.HEADING and (
            (label and labels[label] > 2) or heads[piece.text] > 1
        ):
            piece = replace(piece, kind=BlockKind.PARAGRAPH)
        result.append(piece)
    return result


def _label(piece: Piece) -> str:
    if piece.kind is not BlockKind.HEADING:
        return ""
    label, colon, rest = piece.text.partition(": ")
    # A division or a numbered question is a heading however often its like occurs.
    return label if colon and rest and not any(map(str.isdigit, label)) else ""

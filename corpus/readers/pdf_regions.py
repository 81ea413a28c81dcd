"""Finds the parts of a PDF's page that are no running text: its footnotes, its contents list."""

import re
from collections import Counter
from collections.abc import Sequence

from corpus.model import BlockKind
from corpus.readers.pdf_layout import Line, Measures, PageLines, rounded_size
from corpus.readers.pdf_pieces import Piece, join_paragraph
from corpus.readers.pdf_words import Words

# The heading of a contents list.
CONTENTS = re.compile(r"(table of )?contents|list of (tables|figures|boxes|charts)", re.IGNORECASE)
_LEADER = re.compile(r"(?:\.\s?){4,}\s*\S{0,8}\s*$|…{2,}\s*\S{0,8}\s*$|_{4,}\s*\d+\s*$")
_LEADERS = re.compile(r"(?:\.\s?){4,}|…{2,}|_{2,}")
_ENDS_IN_PAGE = re.compile(r"\S.*[\s.…](\d{1,4}|[ivxlc]{1,7})\s*$")
# U+F02A is the Symbol font's asterisk.
_NOTE_START = re.compile(r"\s*(\d{1,3}(?=[\s\"“‘A-Z])|[*†‡§\uf02a])\s*\S")
# A footnote's size: 0.73-0.91 of the body's in the reports measured, or 1 (the AI Act).
_SMALL = 0.93


def split_notes(page: PageLines, measures: Measures) -> tuple[list[Line], list[list[Line]]]:
    """Part a page's lines into its body, in the order given, and its footnotes, from the top.

    The footnotes are the lines at the foot of the page, from the first that begins with a number
    or a sign; in smaller type than the body, or, where type is no help, with that number raised
    and more than a line's room above it.
    """
    upright = sorted((line for line in page.lines if line.upright), key=lambda line: -line.y0)
    start = _notes_start(upright, page.height, measures)
    if start is None:
        return list(page.lines), []
    zone = upright[start:]
    in_zone = {id(line) for line in zone}
    notes: list[list[Line]] = []
    number = 0
    for line in zone:
        match = _NOTE_START.match(line.text)
        value = int(match[1]) if match and match[1].isdigit() else 0
        starts = match is not None and (line.raised or not value or value == number + 1)
        if starts or not notes:
            notes.append([])
            number = value or number
        notes[-1].append(line)
    return [line for line in page.lines if id(line) not in in_zone], notes


def _notes_start(lines: Sequence[Line], height: float, measures: Measures) -> int | None:
    """Return the index of the first footnote's line; `lines` are sorted from the top."""
    small = len(lines)
    while small and lines[small - 1].size <= _SMALL * measures.body_size:
        small -= 1
    for index in range(small, len(lines)):
        # A page all in small type holds references or a table, not notes.
        if small and _NOTE_START.match(lines[index].text):
            # What stands close above is the rest of a note begun on the page before.
            while index > small and lines[index - 1].y0 - lines[index].y0 < 1.5 * lines[index].size:
                index -= 1
            return index
    for index, line in enumerate(lines):
        if line.raised and line.y0 < 0.6 * height and _NOTE_START.match(line.text):
            room = lines[index - 1].y0 - line.y0 if index else height
            if room > 1.4 * measures.leading.get(rounded_size(line.size), 1.2 * line.size):
                return index
    return None


def find_contents(lines: Sequence[Line], *, after_contents: bool) -> set[int]:
    """Return the indexes of the lines that list the document's parts with their pages.

    Where half of a page's lines end in a page number, and it has dot leaders, is headed
    "Contents" or follows a contents page: every line but the headings. Elsewhere only lines with
    leaders, if there are three.
    """
    leaders = {index for index, line in enumerate(lines) if _LEADER.search(line.text[-60:])}
    numbered = {index for index, line in enumerate(lines) if _ENDS_IN_PAGE.match(line.text[-60:])}
    headed = any(CONTENTS.fullmatch(line.text.strip()) for line in lines)
    likely = leaders | numbered
    if len(likely) < 3 or not (headed or after_contents or len(leaders) > 2):
        return set()
    if 2 * len(likely) < len(lines):
        return leaders if len(leaders) > 2 else set()
    usual = Counter(rounded_size(lines[index].size) for index in likely).most_common(1)[0][0]
    return {
        index
        for index in range(min(likely), max(likely) + 1)
        if index in likely
        or not (CONTENTS.fullmatch(lines[index].text.strip()) or lines[index].size > 1.2 * usual)
    }


def contents_pieces(lines: Sequence[Line], page: int, words: Words) -> list[Piece]:
    """Return the entries of a contents list, each up to its page number."""
    entries: list[list[Line]] = [[]]
    for line in lines:
        entries[-1].append(line)
        if _ENDS_IN_PAGE.match(line.text[-60:]) or _LEADER.search(line.text[-60:]):
            entries.append([])
    return [
        Piece(BlockKind.CONTENTS, ((page, _LEADERS.sub(" … ", join_paragraph(entry, words))),))
        for entry in entries
        if entry
    ]

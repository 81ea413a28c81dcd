"""What the paragraphs of a plain text are: headings with their level, captions, list items."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from corpus.model import BlockKind
from corpus.readers.text_wrapping import ends_sentence

_CAPTION = re.compile(
    r"(?:figure|fig\.|table|box|chart|exhibit|graph|map)\s+[\dA-Z]{1,4}(?:[.\-–]\d{1,3})*\s*[:.|–—]",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(r"[†‡§]+\s*\S")
_NUMBERED = re.compile(r"(\d{1,2}(?:\.\d{1,3}){0,4})\.?\s+([^\W\d_].*)")
_NAMED = re.compile(
    r"(?P<what>part|chapter|section|annex|appendix|title|article)\s+"
    r"(?P<number>\d{1,3}(?:\.\d{1,3})*|[ivxlc]{1,6}|[a-z])\b[.:–—-]?\s*(?P<title>.*)",
    re.IGNORECASE,
)
_RANKS = {"section": 2, "article": 3}
_TOP = re.compile(
    r"(?:executive )?summary|abstract|forewords?|preface|introduction|conclusions?|references|"
    r"bibliography|glossary|acknowledge?ments|(?:table of )?contents|contributors|appendices",
    re.IGNORECASE,
)
_NOT_TITLE = re.compile(r"https?://|www\.|@|^(?:source|note)s?:|\([\d*, ]+\)$", re.IGNORECASE)
_LONG_WORD = re.compile(r"[^\W\d_]{3,}")
# The longest heading of the 220-page report read while this was written has 98 characters.
_LONGEST_HEADING = 120
_MOST_WORDS = 16
_MOST_LINES = 4
# Shorter than this is a label or a name, and what stands above it no heading.
_SHORTEST_PROSE = 60


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines that belong together, joined.

    Attributes:
        text: Their text.
        page: Index of their page.
        kind: What they are; PARAGRAPH until told otherwise.
        level: As in Block.
        lines: How many lines they were.
        continued: Whether they begin in the middle of a reference.
    """

    text: str
    page: int
    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    lines: int = 1
    continued: bool = False


def classify(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Find the captions, footnotes and headings among a document's chunks, in order.

    A heading's level is the depth of its number; one without a number is one below the last that
    has one. Where chapters or sections are named, a bare "1." heads something smaller. What looks
    like a title at the very top is one.
    """
    marked = _merge_named([_mark_plain(chunk) for chunk in chunks])
    has_named = any(_names_part(chunk) for chunk in marked)
    level_above = 1
    classified: list[Chunk] = []
    for index, chunk in enumerate(marked):
        if index == 0 and len(marked) > 1 and _is_title(chunk):
            chunk = replace(chunk, kind=BlockKind.HEADING, level=1)
        elif _is_heading(marked, index):
            level = _numbered_level(chunk, has_named=has_named)
            level_above = level or level_above
            chunk = replace(chunk, kind=BlockKind.HEADING, level=level or min(6, level_above + 1))
        classified.append(chunk)
    return classified


def _mark_plain(chunk: Chunk) -> Chunk:
    if chunk.kind is not BlockKind.PARAGRAPH:
        return chunk
    if _CAPTION.match(chunk.text):
        return replace(chunk, kind=BlockKind.CAPTION)
    if _FOOTNOTE.match(chunk.text):
        return replace(chunk, kind=BlockKind.FOOTNOTE)
    return chunk


def _merge_named(chunks: Sequence[Chunk]) -> list[Chunk]:
    """Join "Chapter 2" with the title that stands on a line of its own below it."""
    merged: list[Chunk] = []
    for chunk in chunks:
        above = merged[-1] if merged else None
        if above is not None and above.page == chunk.page and _is_title(chunk):
            named = _NAMED.fullmatch(above.text)
            if named is not None and not named["title"] and above.lines == 1:
                text = f"{above.text} {chunk.text}"
                merged[-1] = replace(above, text=text, lines=above.lines + chunk.lines)
                continue
        merged.append(chunk)
    return merged


def _is_heading(chunks: Sequence[Chunk], index: int) -> bool:
    chunk = chunks[index]
    if _named_level(chunk):
        return True
    if not _is_title(chunk) or not _leads_to_prose(chunks, index):
        return False
    numbered = _NUMBERED.fullmatch(chunk.text)
    if numbered is None:
        return True
    return numbered[2][0].isupper() and ("." in numbered[1] or not _is_listed(chunks, index))


def _named_level(chunk: Chunk) -> int:
    """Return the level of "Chapter 2" or "Section 2.1", with or without a title; else 0."""
    named = _NAMED.fullmatch(chunk.text) if len(chunk.text) <= _LONGEST_HEADING else None
    if named is None or not _is_title(chunk) or not (named["title"] or "A")[0].isupper():
        return 0
    dots = named["number"].count(".")
    return min(6, dots + (1 if dots else _RANKS.get(named["what"].casefold(), 1)))


def _names_part(chunk: Chunk) -> bool:
    """Whether a heading names one of the report's own parts, appendices left out."""
    return bool(_named_level(chunk)) and not chunk.text.casefold().startswith(("annex", "append"))


def _numbered_level(chunk: Chunk, *, has_named: bool) -> int:
    """Return the level that a heading's own words give it; 0 if they give none."""
    if _TOP.fullmatch(chunk.text):
        return 1
    if level := _named_level(chunk):
        return level
    numbered = _NUMBERED.fullmatch(chunk.text)
    if numbered is None or (has_named and "." not in numbered[1]):
        return 0
    return min(6, numbered[1].count(".") + 1)


def _is_title(chunk: Chunk) -> bool:
    text = chunk.text
    if chunk.kind not in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM):
        return False
    if len(text) > _LONGEST_HEADING or chunk.lines > _MOST_LINES:
        return False
    if text[-1] in ".,;:-–—" or len(text.split()) > _MOST_WORDS or _NOT_TITLE.search(text):
        return False
    if chunk.kind is BlockKind.LIST_ITEM and not _NUMBERED.fullmatch(text):
        return False
    starts_well = text[0].isupper() or text[0] in "‘“\"'" or _NUMBERED.fullmatch(text)
    figures = sum(char.isdigit() for char in text)
    if not starts_well or figures > 0.3 * len(text):
        return False
    return _LONG_WORD.search(text) is not None


def _is_listed(chunks: Sequence[Chunk], index: int) -> bool:
    """Whether an item's neighbour is numbered too, so that they are a list and no headings."""
    near = [chunks[at] for at in (index - 1, index + 1) if 0 <= at < len(chunks)]
    return any(_NUMBERED.fullmatch(chunk.text) is not None for chunk in near)


def _leads_to_prose(chunks: Sequence[Chunk], index: int) -> bool:
    """Whether prose, or a list, follows on the same page, after at most two further headings."""
    page = chunks[index].page
    numbered = _NUMBERED.fullmatch(chunks[index].text) is not None
    for at in range(index + 1, min(index + 4, len(chunks))):
        chunk = chunks[at]
        if chunk.page != page:
            return False
        if chunk.kind is BlockKind.CAPTION and numbered:
            continue  # above a caption, what has no number may be a figure's label
        if chunk.kind in (BlockKind.LIST_ITEM, BlockKind.REFERENCE, BlockKind.CONTENTS):
            return True
        if chunk.kind is BlockKind.PARAGRAPH and len(chunk.text) >= _SHORTEST_PROSE:
            if chunk.text[0].islower():
                return False
            runs_on = at + 1 < len(chunks) and chunks[at + 1].page != page
            if runs_on or ". " in chunk.text or ends_sentence(chunk.text):
                return True
        if not _is_title(chunk):
            return False
    return False

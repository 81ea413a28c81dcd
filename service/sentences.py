"""Sentences of a passage as slices of its document, never across a block's edge."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.model import Block, BlockKind

# A full stop after these ends no sentence.
_ABBREVIATIONS = frozenset(
    """al approx art arts cf ch dr e.g eg eq etc ed eds fig figs i.e ie inc ltd mr mrs ms no nos
    op p para paras pp prof rev sec st u.k u.s viz vol vols vs""".split()  # noqa: SIM905
)
# A reference or pinpoint in parentheses behind the full stop belongs to the sentence before it.
_END = re.compile(
    r"[.!?]+[\"'”’)\]]*"
    r"(?:\s*\((?:\d{1,4}(?:[,;–-]\s?\d{1,4})*\*?|pp?\.\s[^()]{1,40})\)\.?)?(?=\s)"
)
_OPENING = re.compile(r"[\"'“‘(\[]*[A-Z0-9À-ÞΑ-ΩА-Я•]")
_WHITE = re.compile(r"\s+")
_LAST_WORD = re.compile(r"([\w.]+)\.$")
# Quoted whole up to so many characters: a row, or an item that is not a paragraph in disguise
# (the AI Act's recitals are numbered items of a page each).
_WHOLE = {BlockKind.TABLE: 1200, BlockKind.LIST_ITEM: 300, BlockKind.CAPTION: 300}
# A digest's pinpoint stands after the full stop and belongs to the sentence before it.
_PINPOINT = re.compile(r"\s*\([^()]{1,80}\)\.?\s*$")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A quotable slice [start, end) of a document's text, and the kind of block it is from."""

    start: int
    end: int
    kind: BlockKind


def split_sentences(text: str, blocks: Sequence[Block], start: int, end: int) -> list[Sentence]:
    """Return the sentences of text[start:end] in order; headings give none.

    Args:
        text: The document's canonical text.
        blocks: The document's blocks.
        start: First character of the passage.
        end: One past its last.
    """
    sentences: list[Sentence] = []
    for block in blocks:
        if block.end <= start or block.start >= end or block.kind is BlockKind.HEADING:
            continue
        low, high = max(block.start, start), min(block.end, end)
        if high - low <= _WHOLE.get(block.kind, 0):
            spans: Iterator[tuple[int, int]] = iter([(low, high)])
        else:
            spans = _spans(text, low, high)
        sentences.extend(Sentence(first, last, block.kind) for first, last in spans)
    return sentences


def _spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the sentences of one block, white space between them left out."""
    pinpoint = _PINPOINT.search(text, start, end)
    stop = pinpoint.start() if pinpoint and pinpoint.start() > start else end
    first = start
    for match in _END.finditer(text, start, stop):
        cut = match.end()
        following = _WHITE.match(text, cut, stop)
        if following is None or following.end() >= stop:
            continue
        if not _OPENING.match(text, following.end(), stop) or _is_abbreviation(text, first, match):
            continue
        yield first, cut
        first = following.end()
    while first < end and text[first].isspace():
        first += 1
    if first < end:
        yield first, end


def _is_abbreviation(text: str, first: int, match: re.Match[str]) -> bool:
    if match.group() != ".":
        return False
    word = _LAST_WORD.search(text, max(first, match.start() - 20), match.end())
    if word is None:
        return False
    name = word[1].lower()
    return name in _ABBREVIATIONS or (len(name) == 1 and name.isalpha() and word[1].isupper())

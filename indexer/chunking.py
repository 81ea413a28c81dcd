"""Cuts a document into passages that follow its blocks."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from corpus.model import Block, BlockKind, Document, MetadataValue, Passage

# Contents, references and boilerplate get passages of their own, so that search can leave them out.
_APART = frozenset(
    {BlockKind.CONTENTS, BlockKind.REFERENCE, BlockKind.BOILERPLATE, BlockKind.FOOTNOTE}
)
_WHOLE = frozenset({BlockKind.LIST_ITEM, BlockKind.TABLE})
_SENTENCE_END = re.compile(r"(?<=[.!?;:])[\"'”’)\]]*\s+")
_WHITE = re.compile(r"\s+")
_LONGEST_WORD = 1024  # characters of one word that are looked through for a place to cut


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """How long a passage may be.

    Attributes:
        max_tokens: Most tokens by `count_tokens`.
        count_tokens: Counts tokens of a passage's text (tiktoken).
        fits: Whether the encoder reads a text (headings and passage) to its end.
    """

    max_tokens: int
    count_tokens: Callable[[str], int]
    fits: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A run of text that goes into a passage as one: a block, or a piece of a long one."""

    start: int
    end: int
    tokens: int
    block: Block


def with_headings(title: str, section_path: tuple[str, ...], text: str) -> str:
    """Return what the encoder reads for a passage: title and headings on a line, then its text."""
    path = " > ".join(part[:80] for part in (title, *section_path[-3:]) if part)
    return f"{path}\n{text}" if path else text


def chunk_document(document: Document, limits: ChunkLimits) -> list[Passage]:
    """Cut a document into passages.

    Passages are in order, do not overlap, and hold every character that is not white space. A
    passage never crosses a heading; a heading is the beginning of the passage after it, and of
    none where nothing but another heading follows. The rows of a table and the items of a list
    stay together where they fit. No passage exceeds `limits`: a long block is parted at
    sentences, then at words, then anywhere.
    """
    passages: list[Passage] = []
    digest = document.text_sha256  # hashed once, not for each passage
    for path, blocks in _sections(document):
        for run in _runs(blocks):
            units = [unit for block in run for unit in _units(document, block, path, limits)]
            groups = _pack(document, units, path, limits)
            passages.extend(_passage(document, digest, path, group) for group in groups)
    return passages


def _sections(document: Document) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """Yield each stretch of blocks under one heading, with the headings above it."""
    stack: list[tuple[int, str]] = []
    current: list[Block] = []
    title = _title_block(document)
    for block in document.blocks:
        if block.kind is BlockKind.HEADING:
            only_headings = all(one.kind is BlockKind.HEADING for one in current)
            deeper = not current or block.level > current[-1].level
            if current and not (only_headings and deeper):
                yield tuple(name for _, name in stack), current
                current = []
            while stack and stack[-1][0] >= block.level:
                stack.pop()
            if block is not title:
                stack.append((block.level, document.text[block.start : block.end]))
        current.append(block)
    if current:
        yield tuple(name for _, name in stack), current


def _title_block(document: Document) -> Block | None:
    """Return the heading that only says the report's title: the first, if alone on its level."""
    headings = [block for block in document.blocks if block.kind is BlockKind.HEADING]
    if not headings:
        return None
    first = headings[0]
    same = document.text[first.start : first.end].casefold() == document.title.casefold()
    alone = first is document.blocks[0] and all(one.level > first.level for one in headings[1:])
    return first if same or alone else None


def _runs(blocks: list[Block]) -> Iterator[list[Block]]:
    """Part a section where the kind of passage changes."""
    run: list[Block] = []
    for block in blocks:
        if run and _kind(run) is not block.kind and (block.kind in _APART or _kind(run) in _APART):
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _kind(blocks: list[Block]) -> BlockKind:
    for block in blocks:
        if block.kind is not BlockKind.HEADING:
            return block.kind
    return BlockKind.HEADING


def _units(
    document: Document, block: Block, path: tuple[str, ...], limits: ChunkLimits
) -> Iterator[_Unit]:
    """Yield a block whole where it fits into a passage, else in pieces that do."""

    def fits(start: int, end: int) -> bool:
        text = document.text[start:end]
        return limits.count_tokens(text) <= limits.max_tokens and limits.fits(
            with_headings(document.title, path, text)
        )

    # A block of a hundred thousand characters is not measured whole only to be found too long.
    whole = block.end - block.start <= limits.max_tokens * 12
    if whole and fits(block.start, block.end):
        yield _unit(document, block, block.start, block.end, limits)
        return
    start = block.start
    for end in _piece_ends(document.text, block.start, block.end, fits):
        yield _unit(document, block, start, end, limits)
        start = end
        while start < block.end and document.text[start].isspace():
            start += 1


def _unit(document: Document, block: Block, start: int, end: int, limits: ChunkLimits) -> _Unit:
    return _Unit(start, end, limits.count_tokens(document.text[start:end]), block)


def _piece_ends(text: str, start: int, end: int, fits: Callable[[int, int], bool]) -> Iterator[int]:
    """Yield the ends of pieces of text[start:end] that fit, the longest first ones possible."""
    cuts = [match.start() for match in _SENTENCE_END.finditer(text, start, end)] + [end]
    while start < end:
        cuts = [cut for cut in cuts if cut > start]
        best = _longest(start, cuts, fits)
        if best is None:
            words = [match.start() for match in _WHITE.finditer(text, start + 1, cuts[0])]
            best = _longest(start, words, fits) if words else None
        if best is None:
            characters = range(start + 1, min(end, start + _LONGEST_WORD) + 1)
            best = _longest(start, characters, fits) or start + 1
        yield best
        start = best
        while start < end and text[start].isspace():
            start += 1


def _longest(start: int, cuts: Sequence[int], fits: Callable[[int, int], bool]) -> int | None:
    """Return the last of ascending cuts up to which the text fits, by galloping; None if none."""
    if not cuts or not fits(start, cuts[0]):
        return None
    low, step = 0, 1
    while low + step < len(cuts) and fits(start, cuts[low + step]):
        low, step = low + step, step * 2
    while step > 1:
        step //= 2
        if low + step < len(cuts) and fits(start, cuts[low + step]):
            low += step
    return cuts[low]


def _pack(
    document: Document, units: list[_Unit], path: tuple[str, ...], limits: ChunkLimits
) -> list[list[_Unit]]:
    """Join units in order into passages as full as the limits and the blocks allow."""
    groups: list[list[_Unit]] = []
    for index, unit in enumerate(units):
        if groups and _joins(document, groups[-1], units, index, path, limits):
            groups[-1].append(unit)
        else:
            groups.append([unit])
    return groups


def _joins(
    document: Document,
    group: list[_Unit],
    units: list[_Unit],
    index: int,
    path: tuple[str, ...],
    limits: ChunkLimits,
) -> bool:
    """Tell whether units[index] goes into the passage that holds `group`."""
    unit = units[index]
    text = document.text[group[0].start : unit.end]
    # Tokens of parts don't add up to those of the whole, so the whole is counted.
    if limits.count_tokens(text) > limits.max_tokens or not limits.fits(
        with_headings(document.title, path, text)
    ):
        return False
    if unit.block.kind not in _WHOLE or unit.block.kind is group[-1].block.kind:
        return True
    # A list or table begins here. It joins what leads up to it if all of it fits, if it would
    # not fit into a passage of its own either, or if only headings come before.
    if all(one.block.kind is BlockKind.HEADING for one in group):
        return True
    rest = list(takewhile(lambda one: one.block.kind is unit.block.kind, units[index:]))
    alone = sum(one.tokens for one in rest)
    return (
        alone > limits.max_tokens or alone + sum(one.tokens for one in group) <= limits.max_tokens
    )


def _passage(document: Document, digest: str, path: tuple[str, ...], group: list[_Unit]) -> Passage:
    first = next((one for one in group if one.block.kind is not BlockKind.HEADING), group[0])
    metadata: dict[str, MetadataValue] = dict(document.metadata)
    for unit in group:
        metadata.update(unit.block.metadata)
    start, end = group[0].start, group[-1].end
    pages = [page for page in document.pages if page.start < end and page.end > start]
    pinpoints = [one.block.pinpoint for one in group if one.block.pinpoint]
    return Passage(
        document_id=document.document_id,
        text_sha256=digest,
        start=start,
        end=end,
        section_path=path,
        passage_type=first.block.kind,
        page_start=pages[0].number if pages else None,
        page_end=pages[-1].number if pages else None,
        page_label=pages[0].label if pages else "",
        pinpoint="; ".join(dict.fromkeys(pinpoints)) or None,
        metadata=metadata,
    )

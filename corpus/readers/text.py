"""Reads plain text: pages, paragraphs rebuilt from wrapped lines, headings, lists, references.

Plain text says nothing of its structure, so all of it is inferred: `text_pages` finds pages and
running heads, `text_roles` contents and references, `text_wrapping` undoes the line breaks and
`text_kinds` names what has come out.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from corpus.builder import DocumentBuilder
from corpus.decoding import decode_text
from corpus.errors import ReadError
from corpus.model import BlockKind
from corpus.notices import find_notices
from corpus.readers.base import Reading
from corpus.readers.text_kinds import Chunk, classify
from corpus.readers.text_pages import TextPage, split_pages, strip_running_lines
from corpus.readers.text_roles import Role, RoleFinder
from corpus.readers.text_wrapping import (
    Rejoiner,
    Wrapping,
    broken_word,
    ends_paragraph,
    ends_sentence,
    has_list_mark,
    measure_wrapping,
)

# A paragraph that goes on over the page has some length; a figure's last label has not.
_SHORTEST_CONTINUED = 40
# A figure's labels, one to a line, are joined to one paragraph.
_LONGEST_LABEL = 25
_FEWEST_LABELS = 3
_RULE = re.compile(r"\s*([-=_*~#+])(?:\s*\1){2,}\s*")
_LONGEST_RULE = 1000


def read_text(data: bytes) -> Reading:
    """Read plain text.

    A form feed or a line `[[page N]]` ends a page. Running heads and printed page numbers are
    taken out; the numbers become the pages' labels.

    Raises:
        ReadError: The bytes are not text, or there is none in them.
    """
    text, warnings = decode_text(data)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    pages = split_pages(text)
    paged = bool(pages)
    stripped, heads = strip_running_lines(pages)
    if not paged:
        stripped = [TextPage("", tuple(text.split("\n")))]
    stripped = [replace(page, lines=_drop_rules(page.lines)) for page in stripped]
    lines = [line for page in stripped for line in page.lines]
    rejoiner = Rejoiner(lines)
    chunks = classify(list(_cut(stripped, measure_wrapping(lines), rejoiner)))
    builder = _build(chunks, [page.label for page in stripped] if paged else [], rejoiner)
    if not builder.blocks:
        raise ReadError("the file holds no text", advice="check that the file is complete")
    canonical = builder.text
    first = [canonical[block.start : block.end] for block in builder.blocks[:30]]
    return Reading(
        text=canonical,
        blocks=builder.blocks,
        pages=builder.pages,
        notices=find_notices([*heads, *first]),
        warnings=warnings,
    )


def _build(chunks: Sequence[Chunk], labels: Sequence[str], rejoiner: Rejoiner) -> DocumentBuilder:
    """Add the chunks page by page; one that goes on over a page break extends the block before."""
    builder = DocumentBuilder()
    opened = 0
    joiner: str | None = None
    for chunk, following in zip(chunks, [*chunks[1:], None], strict=False):
        while opened < len(labels) and opened <= chunk.page:
            builder.start_page(labels[opened])
            opened += 1
        text, next_joiner = chunk.text, None
        if following is not None and following.page > chunk.page and _continues(chunk, following):
            keep, next_joiner = rejoiner.find_seam(text, following.text)
            text = text if keep else text[:-1]
        if joiner is None:
            builder.add(chunk.kind, text, level=chunk.level)
        else:
            builder.extend(text, joiner=joiner)
        joiner = next_joiner
    for label in labels[opened:]:
        builder.start_page(label)
    return builder


def _drop_rules(lines: Sequence[str]) -> tuple[str, ...]:
    """Empty the lines that are drawn: "-----" under a heading, "* * *" between sections."""
    return tuple(
        "" if len(line) < _LONGEST_RULE and _RULE.fullmatch(line) else line for line in lines
    )


def _cut(pages: Sequence[TextPage], wrapping: Wrapping, rejoiner: Rejoiner) -> Iterator[Chunk]:
    """Yield what belongs together on each page, joined."""
    finder = RoleFinder()
    for index, page in enumerate(pages):
        roles = finder.find_roles(page.lines)
        groups = _group_lines(page.lines, roles, wrapping)
        yield from _merge_labels(
            [_make_chunk(page.lines, roles, group, index, rejoiner) for group in groups]
        )


def _group_lines(
    lines: Sequence[str], roles: Sequence[Role], wrapping: Wrapping
) -> Iterator[list[int]]:
    """Yield the numbers of the lines of each paragraph, item, heading or entry."""
    group: list[int] = []
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        if group and _parts(lines, roles, group[-1], index, wrapping):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def _parts(
    lines: Sequence[str], roles: Sequence[Role], last: int, index: int, wrapping: Wrapping
) -> bool:
    role = roles[index]
    if role is Role.ENTRY_REST:
        return roles[last] not in (Role.ENTRY, Role.ENTRY_REST)
    if role is not Role.BODY or roles[last] is not Role.BODY:
        return True
    return ends_paragraph(lines, last, index, wrapping)


def _make_chunk(
    lines: Sequence[str], roles: Sequence[Role], group: Sequence[int], page: int, rejoiner: Rejoiner
) -> Chunk:
    kind = BlockKind.PARAGRAPH
    role = roles[group[0]]
    if role is Role.CONTENTS:
        kind = BlockKind.CONTENTS
    elif role is not Role.BODY:
        kind = BlockKind.REFERENCE
    elif has_list_mark(lines[group[0]]):
        kind = BlockKind.LIST_ITEM
    text = rejoiner.join([lines[number] for number in group])
    return Chunk(text, page, kind, lines=len(group), continued=role is Role.ENTRY_REST)


def _merge_labels(chunks: Sequence[Chunk]) -> Iterator[Chunk]:
    """Join runs of a page's tiny paragraphs, which are the labels of a figure."""
    for tiny, run in groupby(chunks, key=_is_label):
        members = list(run)
        if tiny and len(members) >= _FEWEST_LABELS:
            text = " ".join(chunk.text for chunk in members)
            yield Chunk(text, members[0].page, lines=sum(chunk.lines for chunk in members))
        else:
            yield from members


def _is_label(chunk: Chunk) -> bool:
    return (
        chunk.kind is BlockKind.PARAGRAPH
        and len(chunk.text) <= _LONGEST_LABEL
        and not ends_sentence(chunk.text)
    )


def _continues(chunk: Chunk, following: Chunk) -> bool:
    """Whether the next page's first chunk goes on with the paragraph or entry that ends this."""
    if BlockKind.REFERENCE in (chunk.kind, following.kind):
        return chunk.kind is following.kind and following.continued
    prose = chunk.kind in (BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.FOOTNOTE)
    return (
        prose
        and following.kind is BlockKind.PARAGRAPH
        and following.text[0].islower()
        and (len(chunk.text) >= _SHORTEST_CONTINUED or bool(broken_word(chunk.text)))
        and not ends_sentence(chunk.text)
    )

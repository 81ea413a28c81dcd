"""What must hold for every document, whichever reader made it."""

import unicodedata
from itertools import pairwise

from corpus.model import Block, Document, Page


def check_document(document: Document) -> list[str]:
    """Return what is wrong with a document, one line each; an empty list if nothing is.

    Blocks stand in order, do not overlap, are not empty and leave only white space between them;
    pages tile the text and are numbered from 1; a block begins on the page it says; the text is
    in Unicode's composed form, with line feeds only.
    """
    return [
        *_check_text(document.text),
        *_check_blocks(document.text, document.blocks),
        *_check_pages(document.text, document.pages),
        *_check_block_pages(document),
        *([] if document.metadata.get("source") else ["metadata has no source"]),
    ]


def _check_text(text: str) -> list[str]:
    wrong = []
    if not text.strip():
        wrong.append("the text is empty")
    if not unicodedata.is_normalized("NFC", text):
        wrong.append("the text is not in composed form (NFC)")
    if any(mark in text for mark in "\r\x00\x0c\ufeff"):
        wrong.append("the text holds a carriage return, NUL, form feed or byte order mark")
    return wrong


def _check_blocks(text: str, blocks: tuple[Block, ...]) -> list[str]:
    wrong = []
    last = 0
    for number, block in enumerate(blocks):
        name = f"block {number} ({block.start}-{block.end})"
        if not last <= block.start < block.end <= len(text):
            wrong.append(f"{name} is empty, out of order or outside the text of {len(text)}")
            continue
        if text[last : block.start].strip():
            wrong.append(f"there is text between {name} and the one before it")
        if not text[block.start : block.end].strip():
            wrong.append(f"{name} is only white space")
        if block.kind == "heading" and not 1 <= block.level <= 6:
            wrong.append(f"{name} is a heading of level {block.level}")
        last = block.end
    if text[last:].strip():
        wrong.append("there is text after the last block")
    return wrong


def _check_pages(text: str, pages: tuple[Page, ...]) -> list[str]:
    if not pages:
        return []
    wrong = [
        f"page {page.number} stands in place {place}"
        for place, page in enumerate(pages, start=1)
        if page.number != place
    ]
    if pages[0].start != 0 or pages[-1].end != len(text):
        wrong.append(f"the pages span {pages[0].start}-{pages[-1].end}, the text 0-{len(text)}")
    wrong.extend(
        f"page {page.number} ends at {page.end}, the next begins at {following.start}"
        for page, following in pairwise(pages)
        if page.end != following.start
    )
    wrong.extend(
        f"page {page.number} ends before it begins" for page in pages if page.end < page.start
    )
    return wrong


def _check_block_pages(document: Document) -> list[str]:
    wrong = []
    for number, block in enumerate(document.blocks):
        if (block.page is None) != (not document.pages):
            wrong.append(f"block {number} has page {block.page}, of {len(document.pages)} pages")
        elif block.page is not None:
            page = document.pages[block.page - 1]
            if not page.start <= block.start < page.end:
                wrong.append(f"block {number} begins outside its page {block.page}")
    return wrong

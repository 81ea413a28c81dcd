"""A report's table of contents, from its headings."""

from corpus.model import BlockKind
from corpus.permalinks import Permalink
from indexer.documents import DocumentRecord
from indexer.open_index import OpenIndex
from service.schemas import Section


def list_sections(index: OpenIndex, record: DocumentRecord) -> list[Section]:
    """Return a document's sections, nested as their headings are; none without headings.

    A section ends where the last block before the next heading of its level or above ends.
    """
    text = index.texts.get(record.text_sha256)
    blocks = index.documents.blocks(record)
    headings = [at for at, block in enumerate(blocks) if block.kind is BlockKind.HEADING]
    ends: dict[int, int] = {}
    open_headings: list[int] = []
    for at in headings:
        while open_headings and blocks[open_headings[-1]].level >= blocks[at].level:
            ends[open_headings.pop()] = blocks[at - 1].end
        open_headings.append(at)
    ends.update((at, blocks[-1].end) for at in open_headings)
    top: list[Section] = []
    path: list[Section] = []
    for at in headings:
        block = blocks[at]
        section = Section(
            title=" ".join(text[block.start : block.end].split()),
            level=block.level,
            page=block.page,
            start=block.start,
            end=ends[at],
            permalink=str(
                Permalink(record.document_id, record.text_sha256[:12], block.start, block.end)
            ),
            sections=[],
        )
        while path and path[-1].level >= block.level:
            path.pop()
        (path[-1].sections if path else top).append(section)
        path.append(section)
    return top

"""The documents of a generation on disk: one JSON line each, and their blocks as one array."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.model import Block, BlockKind, Document, Metadata, Page
from indexer.files import open_array
from indexer.texts import TextStore

_KINDS = list(BlockKind)


@dataclass(frozen=True, slots=True)
class FileStamp:
    """How a source file looked when it was read; equal stamps mean it need not be read again.

    Attributes:
        path: Absolute path.
        size_bytes: Its size.
        modified_ns: Its modification time in nanoseconds.
        sha256: Hex digest of its bytes.
    """

    path: str
    size_bytes: int
    modified_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document without its text and blocks, as a service keeps it in memory."""

    document_id: str
    title: str
    text_sha256: str
    characters: int
    pages: tuple[Page, ...]
    metadata: Metadata
    notices: tuple[str, ...]
    warnings: tuple[str, ...]
    stamp: FileStamp
    known: Metadata
    first_block: int
    last_block: int

    def page_label(self, number: int) -> str:
        """Return what is printed on a page, by its number from 1."""
        return self.pages[number - 1].label


class DocumentTable:
    """The documents of one generation, in order of their ids."""

    def __init__(
        self,
        records: Sequence[DocumentRecord],
        blocks: NDArray[np.int32],
        extras: dict[int, dict[str, object]],
    ) -> None:
        self.records = list(records)
        self._blocks = blocks
        self._extras = extras
        self._positions = {record.document_id: at for at, record in enumerate(self.records)}

    def position(self, document_id: str) -> int | None:
        """Return a document's place in `records`, or None."""
        return self._positions.get(document_id)

    def get(self, document_id: str) -> DocumentRecord | None:
        """Return a document's record, or None."""
        at = self._positions.get(document_id)
        return None if at is None else self.records[at]

    def blocks(
        self, record: DocumentRecord, *, start: int = 0, end: int | None = None
    ) -> tuple[Block, ...]:
        """Return a document's blocks, those that overlap text[start:end]."""
        first, last = record.first_block, record.last_block
        mine = self._blocks[first:last]
        low = first + int(np.searchsorted(mine[:, 2], start, side="right"))
        if end is not None:
            last = first + int(np.searchsorted(mine[:, 1], end, side="left"))
        return tuple(self._block(row) for row in range(low, last))

    def _block(self, row: int) -> Block:
        kind, start, end, level, page = (int(value) for value in self._blocks[row])
        extra = self._extras.get(row, {})
        pinpoint, metadata = extra.get("pinpoint"), extra.get("metadata", {})
        return Block(
            kind=_KINDS[kind],
            start=start,
            end=end,
            level=level,
            page=page or None,
            pinpoint=pinpoint if isinstance(pinpoint, str) else None,
            metadata=metadata if isinstance(metadata, dict) else {},
        )

    def document(self, record: DocumentRecord, texts: TextStore) -> Document:
        """Return the document as it was read."""
        return Document(
            document_id=record.document_id,
            title=record.title,
            text=texts.get(record.text_sha256),
            source_sha256=record.stamp.sha256,
            blocks=self.blocks(record),
            pages=record.pages,
            metadata=record.metadata,
            notices=record.notices,
            warnings=record.warnings,
        )

    @classmethod
    def load(cls, folder: Path) -> "DocumentTable":
        """Open what `save_documents` wrote."""
        records = []
        with (folder / "documents.jsonl").open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                row["pages"] = tuple(
                    Page(number, label, start, end)
                    for number, (label, start, end) in enumerate(row["pages"], start=1)
                )
                row["stamp"] = FileStamp(**row["stamp"])
                row["notices"], row["warnings"] = tuple(row["notices"]), tuple(row["warnings"])
                records.append(DocumentRecord(**row))
        extras = json.loads((folder / "block_extras.json").read_text(encoding="utf-8"))
        blocks = open_array(folder / "blocks.npy")
        return cls(records, blocks, {int(row): extra for row, extra in extras.items()})


def save_documents(folder: Path, documents: Sequence[tuple[Document, FileStamp, Metadata]]) -> None:
    """Write documents in the order given, each with its file's stamp and shelf.csv row."""
    rows: list[tuple[int, int, int, int, int]] = []
    extras: dict[int, dict[str, object]] = {}
    with (folder / "documents.jsonl").open("w", encoding="utf-8") as lines:
        for document, stamp, known in documents:
            first = len(rows)
            for block in document.blocks:
                if block.pinpoint or block.metadata:
                    extras[len(rows)] = {
                        "pinpoint": block.pinpoint,
                        "metadata": dict(block.metadata),
                    }
                kind = _KINDS.index(block.kind)
                rows.append((kind, block.start, block.end, block.level, block.page or 0))
            record = {
                "document_id": document.document_id,
                "title": document.title,
                "text_sha256": document.text_sha256,
                "characters": len(document.text),
                "pages": [[page.label, page.start, page.end] for page in document.pages],
                "metadata": dict(document.metadata),
                "notices": document.notices,
                "warnings": document.warnings,
                "stamp": {
                    "path": stamp.path,
                    "size_bytes": stamp.size_bytes,
                    "modified_ns": stamp.modified_ns,
                    "sha256": stamp.sha256,
                },
                "known": dict(known),
                "first_block": first,
                "last_block": len(rows),
            }
            lines.write(json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n")
    np.save(folder / "blocks.npy", np.array(rows, np.int32).reshape(-1, 5))
    (folder / "block_extras.json").write_text(
        json.dumps(extras, ensure_ascii=False, sort_keys=True), encoding="utf-8"
    )

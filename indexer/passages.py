"""The passages of a generation on disk: numbers in one array, words once each in JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corpus.model import BlockKind, Metadata, MetadataValue, Passage
from indexer.documents import DocumentRecord, DocumentTable
from indexer.files import open_array

_KINDS = list(BlockKind)
_COLUMNS = ("document", "start", "end", "kind", "page_start", "page_end", "section")


class PassageTable:
    """The passages of one generation in row order: by document id, then by place in the text.

    Attributes:
        numbers: (n, 7) int32: document position, start, end, kind, first and last page (0 for
            none), section path.
        hashes: (n,) S32 hex digests of what the encoder read, by which vectors are reused.
    """

    def __init__(
        self,
        numbers: NDArray[np.int32],
        hashes: NDArray[np.bytes_],
        sections: list[tuple[str, ...]],
        extras: dict[int, dict[str, object]],
        documents: DocumentTable,
    ) -> None:
        self.numbers = numbers
        self.hashes = hashes
        self._sections = sections
        self._extras = extras
        self._documents = documents

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def overlaid(self) -> list[int]:
        """Rows whose metadata differs from their document's."""
        return [row for row, extra in self._extras.items() if extra.get("metadata")]

    def kind(self, row: int) -> BlockKind:
        """Return a passage's type."""
        return _KINDS[int(self.numbers[row, 3])]

    def record(self, row: int) -> DocumentRecord:
        """Return the record of a passage's document."""
        return self._documents.records[int(self.numbers[row, 0])]

    def metadata(self, row: int) -> Metadata:
        """Return the document's metadata with the passage's own laid over it."""
        own = self._extras.get(row, {}).get("metadata")
        shared = self.record(row).metadata
        return {**shared, **own} if isinstance(own, dict) else shared

    def get(self, row: int) -> Passage:
        """Return a passage."""
        _, start, end, kind, first, last, section = (int(value) for value in self.numbers[row])
        record = self.record(row)
        pinpoint = self._extras.get(row, {}).get("pinpoint")
        return Passage(
            document_id=record.document_id,
            text_sha256=record.text_sha256,
            start=start,
            end=end,
            section_path=self._sections[section],
            passage_type=_KINDS[kind],
            page_start=first or None,
            page_end=last or None,
            page_label=record.page_label(first) if first else "",
            pinpoint=pinpoint if isinstance(pinpoint, str) else None,
            metadata=self.metadata(row),
        )

    def covering(self, position: int, start: int, end: int) -> int | None:
        """Return the row of the document at `position` that overlaps [start, end) most."""
        first, last = np.searchsorted(self.numbers[:, 0], [position, position + 1])
        mine = self.numbers[first:last]
        if not len(mine):
            return None
        overlap = np.minimum(mine[:, 2], end) - np.maximum(mine[:, 1], start)
        best = int(overlap.argmax())
        return int(first) + best if overlap[best] > 0 else None

    @classmethod
    def load(cls, folder: Path, documents: DocumentTable) -> "PassageTable":
        """Open what `save_passages` wrote."""
        words = json.loads((folder / "passages.json").read_text(encoding="utf-8"))
        return cls(
            open_array(folder / "passages.npy"),
            open_array(folder / "passage_hashes.npy"),
            [tuple(path) for path in words["sections"]],
            {int(row): extra for row, extra in words["extras"].items()},
            documents,
        )


def save_passages(
    folder: Path,
    passages: Sequence[Passage],
    hashes: Sequence[bytes],
    positions: dict[str, int],
    metadata: dict[str, Metadata],
) -> None:
    """Write passages in row order.

    Args:
        folder: The generation's folder.
        passages: The passages.
        hashes: Of each what `PassageTable.hashes` holds.
        positions: Each document id's place in the document table.
        metadata: Each document's own metadata, to keep only what differs.
    """
    sections: dict[tuple[str, ...], int] = {}
    extras: dict[int, dict[str, object]] = {}
    numbers = np.zeros((len(passages), len(_COLUMNS)), np.int32)
    for row, passage in enumerate(passages):
        numbers[row] = (
            positions[passage.document_id],
            passage.start,
            passage.end,
            _KINDS.index(passage.passage_type),
            passage.page_start or 0,
            passage.page_end or 0,
            sections.setdefault(passage.section_path, len(sections)),
        )
        own = _difference(passage.metadata, metadata[passage.document_id])
        if own or passage.pinpoint:
            extras[row] = {"metadata": own, "pinpoint": passage.pinpoint}
    np.save(folder / "passages.npy", numbers)
    np.save(folder / "passage_hashes.npy", np.array(hashes, "S32"))
    words = {"sections": list(sections), "extras": extras}
    (folder / "passages.json").write_text(
        json.dumps(words, ensure_ascii=False, sort_keys=True), encoding="utf-8"
    )


def _difference(own: Metadata, shared: Metadata) -> dict[str, MetadataValue]:
    return {key: value for key, value in own.items() if shared.get(key) != value}

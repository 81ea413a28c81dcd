"""What a permalink names: a slice of the edition that is indexed now, or of an older one."""

from dataclasses import dataclass

from corpus.permalinks import Permalink
from indexer.documents import DocumentRecord
from indexer.open_index import OpenIndex
from service.citations import Location, find_pinpoint, locate


@dataclass(frozen=True, slots=True)
class OpenedSlice:
    """A slice that a permalink names.

    Attributes:
        permalink: What was opened.
        text_sha256: Of the whole text it is cut from.
        text: The slice.
        record: The document as it is indexed now, in whatever edition; None if it isn't.
    """

    permalink: Permalink
    text_sha256: str
    text: str
    record: DocumentRecord | None

    @property
    def current(self) -> bool:
        """Whether its edition is the one indexed now."""
        return self.record is not None and self.record.text_sha256 == self.text_sha256


def open_slice(index: OpenIndex, permalink: Permalink) -> OpenedSlice | None:
    """Return what a permalink names; None where it was never made or its text is not kept.

    Raises:
        IndexDamaged: The text is kept but its bytes have changed.
    """
    found = index.resolve(permalink)
    if found is None:
        return None
    digest, text = found
    opened = OpenedSlice(permalink, digest, text, index.documents.get(permalink.document_id))
    if not opened.current and any(one.text_sha256 == digest for one in index.documents.records):
        return None  # The text is another document's, and this one was not cut from it.
    return opened


def locate_slice(index: OpenIndex, opened: OpenedSlice) -> Location | None:
    """Return where a slice of a current edition is; None for an older one."""
    record = opened.record
    if record is None or not opened.current:
        return None
    start, end = opened.permalink.start, opened.permalink.end
    row = find_row(index, opened)
    section_path = () if row is None else index.passages.get(row).section_path
    pinpoint = find_pinpoint(index, record, start, end)
    return locate(record, section_path, start, end, pinpoint=pinpoint)


def find_row(index: OpenIndex, opened: OpenedSlice) -> int | None:
    """Return the passage that covers most of a current slice, by its row."""
    position = index.documents.position(opened.permalink.document_id)
    if position is None or not opened.current:
        return None
    return index.passages.covering(position, opened.permalink.start, opened.permalink.end)


def find_in_current(index: OpenIndex, opened: OpenedSlice) -> Permalink | None:
    """Return where the edition indexed now has the same words; None unless exactly once."""
    record = opened.record
    if record is None:
        return None
    if opened.current:
        return opened.permalink
    text = index.texts.get(record.text_sha256)
    at = text.find(opened.text)
    if at < 0 or text.find(opened.text, at + 1) >= 0:
        return None
    return Permalink(record.document_id, record.text_sha256[:12], at, at + len(opened.text))

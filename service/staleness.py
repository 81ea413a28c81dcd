"""Which sources have changed since they were indexed."""

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from corpus.sources import discover_sources
from indexer.documents import DocumentRecord
from indexer.files import hash_file
from indexer.open_index import OpenIndex

_KEPT_S = 2.0


@dataclass(frozen=True, slots=True)
class Staleness:
    """What has happened to the shelves since a generation was made.

    Attributes:
        changed: Ids of documents whose file has other bytes now.
        missing: Ids of documents whose file is gone.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def document_ids(self) -> list[str]:
        """The ids of all documents that no longer are what the index says."""
        return sorted({*self.changed, *self.missing})


class StalenessCheck:
    """Compares source files with their stamps, at most every two seconds; safe in any thread.

    A file counts as changed when its bytes are other ones: where only its time differs (a copy, a
    checkout) it is hashed, once for each time it has.
    """

    def __init__(self, *, kept_s: float = _KEPT_S) -> None:
        self._kept_s = kept_s
        self._lock = Lock()
        self._known: tuple[str, float, Staleness] | None = None
        self._hashes: dict[str, tuple[int, str]] = {}

    def check(self, index: OpenIndex) -> Staleness:
        """Return what is known of a generation's files, looked up anew where that is old.

        While one thread looks, others get what was known before.
        """
        known = self._known
        fresh = known is not None and known[0] == index.name
        if known is not None and fresh and time.monotonic() - known[1] < self._kept_s:
            return known[2]
        if not self._lock.acquire(blocking=not fresh):
            return known[2] if known is not None else Staleness((), ())
        try:
            found = self._look(index)
            self._known = (index.name, time.monotonic(), found)
            return found
        finally:
            self._lock.release()

    def _look(self, index: OpenIndex) -> Staleness:
        changed, missing = [], []
        for record in index.documents.records:
            try:
                if self._has_changed(record):
                    changed.append(record.document_id)
            except OSError:
                missing.append(record.document_id)
        return Staleness(tuple(changed), tuple(missing))

    def _has_changed(self, record: DocumentRecord) -> bool:
        stamp = record.stamp
        path = Path(stamp.path)
        status = path.stat()
        if status.st_size != stamp.size_bytes:
            return True
        if status.st_mtime_ns == stamp.modified_ns:
            return False
        seen = self._hashes.get(stamp.path)
        if seen is None or seen[0] != status.st_mtime_ns:
            seen = self._hashes[stamp.path] = (status.st_mtime_ns, hash_file(path))
        return seen[1] != stamp.sha256


def find_new_sources(index: OpenIndex) -> list[str]:
    """Return the files on a generation's shelves that are not in it, relative to their shelf.

    They are new, or were refused by the run that made it.

    Raises:
        FootnoteError: A shelf is gone or its shelf.csv is malformed.
    """
    indexed = {record.stamp.path for record in index.documents.records}
    shelves = [Path(shelf) for shelf in index.manifest.shelves]
    return [
        source.source
        for source in discover_sources(shelves)
        if str(source.path.resolve()) not in indexed
    ]

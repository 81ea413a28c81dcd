"""Canonical texts by their hash: written once, compressed, checked on every read."""

import hashlib
import zlib
from functools import lru_cache, partial
from pathlib import Path

from indexer.errors import IndexDamaged
from indexer.files import write_atomically

_CACHED = 64
_REBUILD = "delete it and run 'footnote index --full'"


class TextStore:
    """A folder of zlib-compressed texts, each named by the sha256 of its UTF-8 bytes.

    `get(sha256)` returns a text and keeps the last ones in memory; it raises IndexDamaged where
    the text is missing or its bytes have changed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A search cuts ten slices of a few texts; unpacking a long report for each took 10 ms.
        self.get = lru_cache(maxsize=_CACHED)(partial(_read_text, folder))

    def put(self, text: str) -> str:
        """Keep a text and return its sha256; one that is there already costs nothing."""
        data = text.encode()
        digest = hashlib.sha256(data).hexdigest()
        file = self._folder / digest
        if not file.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(file, zlib.compress(data, 6))
        return digest

    def find(self, prefix: str) -> str | None:
        """Return the sha256 that begins with a prefix of at least 12 digits; None if none does."""
        found = sorted(self._folder.glob(f"{prefix}*")) if self._folder.is_dir() else []
        return found[0].name if found else None


def _read_text(folder: Path, digest: str) -> str:
    """Return the text with that sha256.

    Raises:
        IndexDamaged: It is missing or its bytes have changed.
    """
    file = folder / digest
    try:
        data = zlib.decompress(file.read_bytes())
    except FileNotFoundError as error:
        raise IndexDamaged(f"{file} is missing", advice=_REBUILD) from error
    except zlib.error as error:
        raise IndexDamaged(f"{file} is damaged: {error}", advice=_REBUILD) from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise IndexDamaged(f"{file} has been altered", advice=_REBUILD)
    return data.decode()

"""An open generation: everything a search reads, immutable, shared by all threads."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from corpus.model import Document, Passage
from corpus.permalinks import Permalink
from indexer.documents import DocumentRecord, DocumentTable
from indexer.errors import IndexDamaged, IndexMismatch, IndexNotFound
from indexer.generations import IndexFolder
from indexer.late_interaction import TokenVectors
from indexer.lexical import TantivyStore
from indexer.manifest import Manifest, check_files, load_manifest
from indexer.passages import PassageTable
from indexer.texts import TextStore
from indexer.vectors import FaissStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OpenIndex:
    """One generation, opened.

    Attributes:
        name: The generation's name, such as "000042".
        manifest: What it says of itself.
        documents: Its documents.
        passages: Its passages; a row of these is a row of the three stores below.
        vectors: Pooled vectors.
        tokens: Token vectors.
        lexical: Postings.
        texts: Canonical texts of this and all other generations.
        problems: Newer generations that were refused, one line each.
    """

    name: str
    manifest: Manifest
    documents: DocumentTable
    passages: PassageTable
    vectors: FaissStore
    tokens: TokenVectors
    lexical: TantivyStore
    texts: TextStore
    problems: tuple[str, ...] = ()

    def document(self, record: DocumentRecord) -> Document:
        """Return a document with its text and blocks."""
        return self.documents.document(record, self.texts)

    def passage_text(self, passage: Passage) -> str:
        """Return the slice a passage names."""
        return self.texts.get(passage.text_sha256)[passage.start : passage.end]

    def resolve(self, permalink: Permalink) -> tuple[str, str] | None:
        """Return the sha256 of the text a permalink names and its slice; None if unknown.

        A text of an older edition is found as long as it is kept. Whether the slice's document
        id is the text's own can be told only for current documents.
        """
        record = self.documents.get(permalink.document_id)
        if record is not None and record.text_sha256.startswith(permalink.text_sha12):
            digest: str | None = record.text_sha256  # no look through the folder of all texts
        else:
            digest = self.texts.find(permalink.text_sha12)
        if digest is None:
            return None
        text = self.texts.get(digest)
        return (
            (digest, text[permalink.start : permalink.end]) if permalink.end <= len(text) else None
        )


def open_generation(folder: IndexFolder, name: str, *, encoder: str | None = None) -> OpenIndex:
    """Open a generation after checking every file against its manifest.

    Args:
        folder: The index.
        name: The generation.
        encoder: Fingerprint of the encoder in use; None to accept any.

    Raises:
        IndexDamaged: A file is missing or altered; it is named.
        IndexMismatch: It was made with another encoder or format.
    """
    path = folder.folder(name)
    manifest = load_manifest(path)
    if encoder is not None and manifest.encoder != encoder:
        raise IndexMismatch(
            f"the index was built with encoder {manifest.encoder}, the service is set to {encoder}",
            advice="rebuild with 'footnote index' or set FOOTNOTE_ENCODER",
        )
    check_files(path, manifest)
    documents = DocumentTable.load(path)
    return OpenIndex(
        name=name,
        manifest=manifest,
        documents=documents,
        passages=PassageTable.load(path, documents),
        vectors=FaissStore.load(path / "vectors.faiss"),
        tokens=TokenVectors.load(path),
        lexical=TantivyStore(path / "lexical"),
        texts=TextStore(folder.texts),
    )


def open_current(root: Path, *, encoder: str | None = None) -> OpenIndex:
    """Open the current generation, or the newest older one where it is damaged.

    Raises:
        IndexNotFound: Nothing has been published.
        IndexMismatch: It was made with another encoder or format.
        IndexDamaged: No generation is whole; the message names the current one's bad file.
    """
    folder = IndexFolder(root)
    current = folder.current()
    older = [name for name in reversed(folder.names()) if name < current]
    problems: list[IndexDamaged] = []
    for name in [current, *older]:
        try:
            index = open_generation(folder, name, encoder=encoder)
        except IndexDamaged as error:
            _log.error("generation %s is refused: %s", name, error)
            problems.append(error)
        else:
            return replace(index, problems=tuple(str(problem) for problem in problems))
    if problems:
        raise problems[0]
    raise IndexNotFound(
        f"there is no generation {current} in {root}", advice="run 'footnote index'"
    )


def _with_problems(index: OpenIndex, problems: tuple[str, ...]) -> OpenIndex:
    from dataclasses import replace

    return replace(index, problems=problems) if problems else index

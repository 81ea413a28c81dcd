"""An index run: read what changed, encode what is new, publish a generation."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from corpus.errors import FootnoteError, ReadError
from corpus.model import Document, Metadata, Passage
from corpus.readers import READER_VERSION
from corpus.reading import read_document
from corpus.sources import SourceFile, discover_sources
from indexer.chunking import ChunkLimits, chunk_document, with_headings
from indexer.documents import DocumentRecord, FileStamp, save_documents
from indexer.encoders import Encoder, Floats
from indexer.errors import NothingIndexed
from indexer.files import hash_file
from indexer.generations import IndexFolder
from indexer.late_interaction import TOKEN_DIMS, TokenVectors, fit_projection, quantise_tokens
from indexer.lexical import build_lexical
from indexer.manifest import FORMAT_VERSION, MANIFEST, Manifest, list_files
from indexer.open_index import OpenIndex, open_generation
from indexer.passages import save_passages
from indexer.progress import Progress, Silent
from indexer.settings import IndexSettings
from indexer.texts import TextStore
from indexer.tokens import count_tokens
from indexer.vectors import FaissStore

Status = Literal["added", "changed", "unchanged", "removed", "failed"]
_SLICE = 128  # passages encoded between two reports of progress
_PROBES = Path(__file__).with_name("probe_texts.txt")


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file: its path on the shelf, the outcome, and why if it failed."""

    source: str
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a run did.

    Attributes:
        generation: The current generation's name afterwards.
        published: Whether this run made it.
        outcomes: One for each file, in shelf order, then the removed ones.
        documents: Documents in the generation.
        passages: Passages in it.
        encoded: Passages whose text was new to the encoder.
        elapsed_s: Wall time.
    """

    generation: str
    published: bool
    outcomes: tuple[FileOutcome, ...]
    documents: int
    passages: int
    encoded: int
    elapsed_s: float

    @property
    def failed(self) -> tuple[FileOutcome, ...]:
        """The files that are not in the index although they are on the shelf."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "failed")


@dataclass(slots=True)
class _Shelf:
    """What reading gives: documents with where each came from."""

    documents: list[tuple[Document, FileStamp, Metadata]] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    outcomes: list[FileOutcome] = field(default_factory=list)


def build_index(
    settings: IndexSettings,
    encoder: Encoder,
    *,
    paths: Sequence[Path] | None = None,
    progress: Progress | None = None,
    strict: bool = False,
    full: bool = False,
) -> IndexReport:
    """Bring the index in line with the files on its shelves.

    Args:
        settings: Where the index is and how passages are made.
        encoder: Makes the vectors.
        paths: Folders and files to index; None for the settings' shelves.
        progress: Told how far the run is.
        strict: Publish nothing if any file fails.
        full: Reuse nothing of the current generation.

    Raises:
        SourceNotFound: A path does not exist.
        IndexBusy: Another run is under way.
        NothingIndexed: No file could be read, or `strict` and one could not; nothing changed.
    """
    began = time.monotonic()
    progress = progress or Silent()
    folder = IndexFolder(settings.index_dir)
    shelves = [Path(path) for path in (paths or settings.shelves)]
    sources = discover_sources(shelves)
    with folder.writing():
        old = None if full else _previous(folder)
        shelf = _read_shelf(sources, old, settings, progress)
        bad = [outcome for outcome in shelf.outcomes if outcome.status == "failed"]
        if not shelf.documents or (strict and bad):
            named = "; ".join(f"{one.source}: {one.reason}" for one in bad) or "no files found"
            raise NothingIndexed(
                f"nothing was published ({named})",
                advice="mend or remove the files named" if bad else "name a folder with reports",
            )
        if old is not None and _is_current(old, shelf, shelves, settings, encoder):
            return _report(old.name, False, shelf, len(old.passages), 0, began)
        if old is not None and old.manifest.encoder != encoder.fingerprint:
            old = None
        new = folder.new_folder()
        passages, encoded, tokens = _write(new, folder, shelf, old, settings, encoder, progress)
        manifest = Manifest(
            format_version=FORMAT_VERSION,
            footnote_version=version("footnote"),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            shelves=[str(path.resolve()) for path in shelves],
            encoder=encoder.fingerprint,
            encoder_backend=encoder.backend,
            late_interaction=_late_interaction_name(encoder),
            reader_version=READER_VERSION,
            settings=_chunk_settings(settings),
            documents=len(shelf.documents),
            passages=passages,
            tokens=tokens,
            files=list_files(new),
        )
        (new / MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        name = folder.publish(new)
        folder.collect(keep=settings.keep_generations)
    return _report(name, True, shelf, passages, encoded, began)


def _previous(folder: IndexFolder) -> OpenIndex | None:
    """Open the current generation for reuse; one that can't be opened is simply not reused."""
    try:
        return open_generation(folder, folder.current())
    except FootnoteError:
        return None


def _read_shelf(
    sources: Sequence[SourceFile],
    old: OpenIndex | None,
    settings: IndexSettings,
    progress: Progress,
) -> _Shelf:
    """Read each file that is new or changed; take the others from the old generation."""
    shelf = _Shelf()
    seen: dict[str, str] = {}
    fresh_readers = old is not None and old.manifest.reader_version == READER_VERSION
    progress.begin("reading", len(sources))
    # Of two files with the same bytes the one that is indexed already keeps its place and its id.
    indexed = {record.document_id for record in old.documents.records} if old else set()
    for source in sorted(sources, key=lambda one: one.document_id not in indexed):
        record = old.documents.get(source.document_id) if old else None
        try:
            stamp = _stamp(source, record)
            twin = seen.get(stamp.sha256)
            if twin is not None:
                raise ReadError(f"has the same bytes as {twin}", advice="remove one of them")
            unchanged = record is not None and record.stamp.sha256 == stamp.sha256
            same = (
                unchanged
                and fresh_readers
                and record is not None
                and record.known == source.known
                and record.metadata.get("source") == source.source
            )
            if same and old is not None and record is not None:
                document = old.document(record)
                shelf.kept.add(source.document_id)
            else:
                document = read_document(source, max_bytes=settings.max_file_bytes)
        except (ReadError, OSError) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            shelf.outcomes.append(FileOutcome(source.source, "failed", reason))
        else:
            seen[stamp.sha256] = source.source
            status: Status = "unchanged" if same else "changed" if record else "added"
            shelf.outcomes.append(FileOutcome(source.source, status))
            shelf.documents.append((document, stamp, source.known))
        progress.advance()
    order = {source.source: at for at, source in enumerate(sources)}
    shelf.outcomes.sort(key=lambda outcome: order[outcome.source])
    shelf.documents.sort(key=lambda item: item[0].document_id)
    if old is not None:
        present = {document.document_id for document, _, _ in shelf.documents}
        shelf.outcomes.extend(
            FileOutcome(str(record.metadata["source"]), "removed")
            for record in old.documents.records
            if record.document_id not in present
            and record.metadata["source"] not in {one.source for one in shelf.outcomes}
        )
    return shelf


def _stamp(source: SourceFile, record: DocumentRecord | None) -> FileStamp:
    """Measure a file; its bytes are hashed only where size or time differ from what was seen."""
    status = source.path.stat()
    path = str(source.path.resolve())
    if record is not None:
        seen = record.stamp
        if (seen.path, seen.size_bytes, seen.modified_ns) == (
            path,
            status.st_size,
            status.st_mtime_ns,
        ):
            return seen
    return FileStamp(path, status.st_size, status.st_mtime_ns, hash_file(source.path))


def _is_current(
    old: OpenIndex,
    shelf: _Shelf,
    shelves: Sequence[Path],
    settings: IndexSettings,
    encoder: Encoder,
) -> bool:
    """Tell whether the old generation already is what this run would publish."""
    manifest = old.manifest
    present = [document.document_id for document, _, _ in shelf.documents]
    return (
        present == [record.document_id for record in old.documents.records]
        and all(outcome.status in ("unchanged", "failed") for outcome in shelf.outcomes)
        and manifest.encoder == encoder.fingerprint
        and manifest.late_interaction == _late_interaction_name(encoder)
        and manifest.settings == _chunk_settings(settings)
        and manifest.shelves == [str(path.resolve()) for path in shelves]
    )


def _write(
    new: Path,
    folder: IndexFolder,
    shelf: _Shelf,
    old: OpenIndex | None,
    settings: IndexSettings,
    encoder: Encoder,
    progress: Progress,
) -> tuple[int, int, int]:
    """Write a generation's files; return its passages, the encoded ones, and their tokens."""
    texts = TextStore(folder.texts)
    limits = ChunkLimits(
        max_tokens=settings.passage_tokens,
        count_tokens=count_tokens,
        fits=lambda text: encoder.count_tokens(text) <= encoder.max_tokens,
    )
    passages: list[Passage] = []
    headed: list[str] = []
    bare: list[str] = []
    progress.begin("cutting into passages", len(shelf.documents))
    for document, _, _ in shelf.documents:
        texts.put(document.text)
        mine = chunk_document(document, limits)
        passages.extend(mine)
        slices = [document.text[passage.start : passage.end] for passage in mine]
        bare.extend(slices)
        headed.extend(
            with_headings(document.title, passage.section_path, text)
            for passage, text in zip(mine, slices, strict=True)
        )
        progress.advance()
    hashes = [hashlib.sha256(text.encode()).hexdigest()[:32].encode() for text in headed]
    projection, vectors, tokens, encoded = _encode(headed, hashes, old, encoder, progress)
    progress.begin("writing", 1)
    save_documents(new, shelf.documents)
    positions = {document.document_id: at for at, (document, _, _) in enumerate(shelf.documents)}
    metadata = {document.document_id: document.metadata for document, _, _ in shelf.documents}
    save_passages(new, passages, hashes, positions, metadata)
    FaissStore.build(vectors).save(new / "vectors.faiss")
    TokenVectors.save(new, projection, tokens)
    lexical = new / "lexical"
    lexical.mkdir()
    build_lexical(lexical, zip(headed, bare, strict=True))
    progress.advance()
    return len(passages), encoded, sum(len(rows) for rows in tokens)


def _encode(
    texts: Sequence[str],
    hashes: Sequence[bytes],
    old: OpenIndex | None,
    encoder: Encoder,
    progress: Progress,
) -> tuple[Floats, Floats, list[NDArray[np.int8]], int]:
    """Return projection, vectors, token vectors, and how many texts had to be encoded."""
    name = _late_interaction_name(encoder)
    reusable = old if old is not None and old.manifest.late_interaction == name else None
    projection = reusable.tokens.projection if reusable else _projection(encoder)
    vectors = np.zeros((len(texts), encoder.dims), np.float32)
    tokens = [np.zeros((0, projection.shape[1]), np.int8)] * len(texts)
    known = (
        {bytes(digest): row for row, digest in enumerate(reusable.passages.hashes)}
        if reusable
        else {}
    )
    fresh: list[int] = []
    for row, digest in enumerate(hashes):
        source = known.get(digest)
        if source is None or reusable is None:
            fresh.append(row)
        else:
            vectors[row] = reusable.vectors.reconstruct(np.array([source]))[0]
            tokens[row] = np.array(reusable.tokens.of(source))
    fresh.sort(key=lambda row: (-len(texts[row]), row))
    progress.begin("encoding", len(fresh))
    for start in range(0, len(fresh), _SLICE):
        rows = fresh[start : start + _SLICE]
        result = encoder.encode([texts[row] for row in rows])
        vectors[rows] = result.pooled
        for row, found in zip(rows, result.tokens, strict=True):
            tokens[row] = quantise_tokens(found, projection)
        progress.advance(len(rows))
    return projection, vectors, tokens, len(fresh)


@cache
def _probe_texts() -> tuple[str, ...]:
    return tuple(_PROBES.read_text(encoding="utf-8").splitlines())


_projections: dict[str, Floats] = {}


def _projection(encoder: Encoder) -> Floats:
    """Fit the projection once a process; it depends on nothing but the encoder."""
    if encoder.fingerprint not in _projections:
        _projections[encoder.fingerprint] = fit_projection(encoder, _probe_texts())
    return _projections[encoder.fingerprint]


def _late_interaction_name(encoder: Encoder) -> str:
    """Name what token vectors depend on: encoder, probe texts, dimensions."""
    probes = hashlib.sha256("\n".join(_probe_texts()).encode()).hexdigest()[:12]
    return f"svd{TOKEN_DIMS}-int8/{probes}/{encoder.fingerprint}"


def _chunk_settings(settings: IndexSettings) -> dict[str, str | int | float | bool]:
    return {"passage_tokens": settings.passage_tokens}


def _report(
    name: str, published: bool, shelf: _Shelf, passages: int, encoded: int, began: float
) -> IndexReport:
    return IndexReport(
        generation=name,
        published=published,
        outcomes=tuple(shelf.outcomes),
        documents=len(shelf.documents),
        passages=passages,
        encoded=encoded,
        elapsed_s=time.monotonic() - began,
    )

"""Indexes a collection through the production path, once for each corpus, encoder and setting."""

import csv
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from eval.collections import Collection
from eval.errors import EvalError
from indexer.build import build_index
from indexer.encoders import Encoder
from indexer.open_index import OpenIndex, open_current
from indexer.progress import Progress
from indexer.settings import IndexSettings
from service.retriever import DEFAULT_TYPES

_SHELF = "docs"


@dataclass(frozen=True, slots=True)
class IndexedCollection:
    """A collection and its open index.

    Attributes:
        collection: The collection.
        index: Its index.
        targets: File name → document id; empty for pages.
        unsearchable: Documents that no search can find, because they have no text, or none but
            headings and the like. Where they are relevant they count as missed.
    """

    collection: Collection
    index: OpenIndex
    targets: Mapping[str, str]
    unsearchable: tuple[str, ...] = ()


def index_collection(
    collection: Collection,
    *,
    settings: IndexSettings,
    encoder: Encoder,
    cache: Path,
    progress: Progress | None = None,
) -> IndexedCollection:
    """Index a collection below `cache`, or bring the index that is there up to date.

    Raises:
        EvalError: A file could not be read, or a judged target is not in the index.
    """
    home = cache / f"{collection.name}-{collection.corpus_sha256[:12]}"
    targets = write_shelf(collection, home)
    made_with = json.dumps([encoder.fingerprint, settings.passage_tokens])
    key = hashlib.sha256(made_with.encode()).hexdigest()[:12]
    settings = settings.model_copy(
        update={"index_dir": home / f"index-{key}", "keep_generations": 1}
    )
    report = build_index(settings, encoder, paths=[home / _SHELF], progress=progress)
    if report.failed:
        named = "; ".join(f"{one.source}: {one.reason}" for one in report.failed[:3])
        raise EvalError(
            f"{len(report.failed)} files of {collection.name} could not be read ({named})",
            advice="figures over a part would mislead, so mend these files first",
        )
    index = open_current(settings.index_dir, encoder=encoder.fingerprint)
    return check_index(collection, index, targets)


def write_shelf(collection: Collection, home: Path) -> dict[str, str]:
    """Lay out a collection's files below `home`, with a shelf.csv; leave a complete one alone.

    Reports are copied, for a shelf does not follow links out of it and a file named by itself
    does not get what a shelf.csv above its folder knows of it.

    Returns:
        File name → document id; empty for pages.
    """
    done = home / "targets.json"
    if done.exists():
        written: dict[str, str] = json.loads(done.read_text(encoding="utf-8"))
        return written
    folder = home / _SHELF
    folder.mkdir(parents=True, exist_ok=True)
    targets = _write_documents(collection, folder) if collection.documents else {}
    if collection.files:
        _copy_files(collection, folder)
    done.write_text(json.dumps(targets, indent=0), encoding="utf-8")
    return targets


def _write_documents(collection: Collection, folder: Path) -> dict[str, str]:
    """Write rows as numbered text files; those without text get none.

    Plain text comes back from the reader word for word, as Markdown with its mark-up would not.
    """
    targets: dict[str, str] = {}
    twins: Counter[str] = Counter()
    with (folder / "shelf.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        # The family is what a query of policyqa is filtered by. Documents of a collection without
        # titles all get the same, for the number of the file would only be noise.
        writer.writerow(["file", "title", "family"])
        for document in collection.documents:
            text = document.text.strip()
            if not text:
                continue
            name = f"{len(targets) + 1:06d}.txt"
            # An index takes no two files of the same bytes; readers drop line feeds at the end.
            (folder / name).write_text(text + "\n" * (1 + twins[text]), encoding="utf-8")
            twins[text] += 1
            writer.writerow([name, document.title or collection.name, document.title])
            targets[name] = document.document_id
    return targets


def _copy_files(collection: Collection, folder: Path) -> None:
    """Copy files with their places below the root, and their rows of its shelf.csv."""
    names = {file.relative_to(collection.root).as_posix(): file for file in collection.files}
    for name, file in names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / name)
    known = collection.root / "shelf.csv"
    if known.exists():
        with known.open(encoding="utf-8-sig", newline="") as lines:
            header, *rows = csv.reader(lines)
        with (folder / "shelf.csv").open("w", encoding="utf-8", newline="") as copy:
            column = header.index("file")
            csv.writer(copy).writerows([header, *(row for row in rows if row[column] in names)])


def check_index(
    collection: Collection, index: OpenIndex, targets: Mapping[str, str]
) -> IndexedCollection:
    """Make sure that what is judged can be found in an index.

    Raises:
        EvalError: The index is empty, or a judged page or document is not in it.
    """
    found = list_targets(collection, index, targets)
    empty = {one.document_id for one in collection.documents if not one.text.strip()}
    judged = {target for query in collection.queries for target in query.judgements}
    missing = sorted(judged - found - empty)
    if missing or not len(index.passages):
        what = f"{len(missing)} judged targets, such as {missing[0]}" if missing else "any passage"
        raise EvalError(
            f"the index of {collection.name} does not have {what}",
            advice="check that the reports are those that the questions were written for",
        )
    seen = {
        targets[_file_name(index, row)]
        for row in range(len(index.passages) if targets else 0)
        if index.passages.kind(row) in DEFAULT_TYPES
    }
    unsearchable = sorted(empty | (found - seen if targets else set()))
    return IndexedCollection(collection, index, targets, tuple(unsearchable))


def list_targets(collection: Collection, index: OpenIndex, targets: Mapping[str, str]) -> set[str]:
    """Return the ids of all pages or documents in an index."""
    found: set[str] = set()
    for record in index.documents.records:
        file = PurePosixPath(str(record.metadata["source"])).name
        if collection.unit == "page":
            found.update(f"{file}#{page.number}" for page in record.pages)
        elif file in targets:
            found.add(targets[file])
    return found


def _file_name(index: OpenIndex, row: int) -> str:
    return PurePosixPath(str(index.passages.record(row).metadata["source"])).name

"""Test collections: files to index, questions to ask of them, and what is right for each."""

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from eval.errors import EvalError
from indexer.files import hash_file

Unit = Literal["page", "document"]

# Which reports each question file is asked over, as patterns below reports/. The one UK report
# that begins with "International" is an international one.
EVALSET: Mapping[str, tuple[str, ...]] = {
    "us-and-international": (
        "International-AI-Safety-Report-2026.txt",
        "pdf/UK__International-*.pdf",
        "pdf/USA__*.pdf",
    ),
    "eu-and-uk": ("pdf/EU__*.pdf", "pdf/UK__[!I]*.pdf"),
}
BENCH = ("cranfield", "med", "xquad-en", "clapnq-dev", "policyqa")


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query and what is relevant to it.

    Attributes:
        query_id: Its id.
        text: The question.
        kind: Its kind in evalset ("factoid", "why_how"…), "" in bench.
        judgements: Target id → grade, 1 or more; a target that is not named is not relevant.
        within: Only documents of this family are searched; "" for all. Questions of policyqa
            make sense only inside their own document.
    """

    query_id: str
    text: str
    kind: str
    judgements: Mapping[str, int]
    within: str = ""


@dataclass(frozen=True, slots=True)
class BenchDocument:
    """A row of a bench corpus."""

    document_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Documents, judged queries, and what counts as a result.

    Attributes:
        name: Its name, such as "eu-and-uk" or "cranfield".
        unit: "page": a target is `<file name>#<page>`, pages counted from 1. "document": a target
            is the id of a row of the corpus.
        queries: The judged ones; those without a relevant target are not here.
        corpus_sha256: Hex digest of what is indexed.
        root: The folder that `files` are in.
        files: Files to index, if they lie ready.
        documents: Rows to index, if they don't.
    """

    name: str
    unit: Unit
    queries: tuple[JudgedQuery, ...]
    corpus_sha256: str
    root: Path
    files: tuple[Path, ...] = ()
    documents: tuple[BenchDocument, ...] = field(default=(), repr=False)

    @property
    def qrels(self) -> dict[str, dict[str, int]]:
        """Query id → target id → grade, as ir_measures takes it."""
        return {query.query_id: dict(query.judgements) for query in self.queries}


def expand_names(names: Sequence[str]) -> list[str]:
    """Return collection names with "evalset" and "bench" replaced by theirs, each once.

    Raises:
        EvalError: A name is unknown.
    """
    groups = {"evalset": tuple(EVALSET), "bench": BENCH}
    known = {*EVALSET, *BENCH}
    expanded = [one for name in names for one in groups.get(name, (name,))]
    for name in expanded:
        if name not in known:
            raise EvalError(
                f"there is no collection {name!r}",
                advice=f"name one of {', '.join([*groups, *EVALSET, *BENCH])}",
            )
    return list(dict.fromkeys(expanded))


def load_collection(name: str, *, shared: Path) -> Collection:
    """Load a collection by name from the folder that holds reports/, evalset/ and bench/.

    Raises:
        EvalError: The name is unknown, a file is missing or malformed, or a judgement names
            something that is not in the collection.
    """
    [name] = expand_names([name])
    if name in EVALSET:
        return load_evalset(
            shared / "evalset" / f"{name}.jsonl",
            reports=shared / "reports",
            patterns=EVALSET[name],
        )
    return load_bench(shared / "bench" / name)


def load_evalset(path: Path, *, reports: Path, patterns: Sequence[str]) -> Collection:
    """Load a file of questions with gold pages.

    All gold pages of a question are relevant alike, each once however many quotes are on it;
    for a comparison these are the pages of both sides. Unanswerable questions are left out.

    Args:
        path: The question file.
        reports: The folder of the reports.
        patterns: Which of them the questions are asked over.

    Raises:
        EvalError: As in `load_collection`.
    """
    files = [file for pattern in patterns for file in sorted(reports.glob(pattern))]
    unmatched = [pattern for pattern in patterns if not any(reports.glob(pattern))]
    if unmatched:
        raise EvalError(
            f"{path.stem} is asked over reports that are not there: {', '.join(unmatched)}",
            advice=f"put them into {reports}",
        )
    names = {file.name for file in files}
    queries = []
    for row in _read_rows(path, ("id", "question", "kind")):
        golds = row.get("gold", ())
        judgements = {f"{gold['file']}#{gold['page']}": 1 for gold in golds}
        if strangers := {gold["file"] for gold in golds} - names:
            raise EvalError(
                f"{path.name}: question {row['id']} has gold in {', '.join(sorted(strangers))}, "
                f"which is not among the reports it is asked over",
                advice="correct EVALSET in eval/collections.py",
            )
        if judgements:
            queries.append(JudgedQuery(row["id"], row["question"], row["kind"], judgements))
        elif row["kind"] != "unanswerable":
            raise EvalError(f"{path.name}: question {row['id']} has no gold")
    shelf = reports / "shelf.csv"
    hashed = [*files, shelf] if shelf.exists() else files
    return Collection(
        name=path.stem,
        unit="page",
        queries=_checked(tuple(queries), path),
        corpus_sha256=_hash_lines(f"{file.name} {hash_file(file)}" for file in hashed),
        root=reports,
        files=tuple(files),
    )


def load_bench(folder: Path) -> Collection:
    """Load a folder of corpus.jsonl, queries.jsonl and qrels/test.tsv.

    Queries without a relevant document are left out.

    Raises:
        EvalError: As in `load_collection`.
    """
    corpus = folder / "corpus.jsonl"
    documents = tuple(
        BenchDocument(row["_id"], row["title"], row["text"])
        for row in _read_rows(corpus, ("_id", "title", "text"))
    )
    known = {document.document_id for document in documents}
    rows = {row["_id"]: row for row in _read_rows(folder / "queries.jsonl", ("_id", "text"))}
    judgements: dict[str, dict[str, int]] = {}
    qrels = folder / "qrels" / "test.tsv"
    for line in _read_qrels(qrels):
        query_id, document_id, grade = line
        if query_id not in rows or document_id not in known:
            stranger = f"document {document_id}" if query_id in rows else f"query {query_id}"
            raise EvalError(f"{qrels} judges {stranger}, which the collection does not have")
        if grade > 0:
            judgements.setdefault(query_id, {})[document_id] = grade
    queries = tuple(
        JudgedQuery(query_id, row["text"], "", judgements[query_id], str(row.get("doc", "")))
        for query_id, row in rows.items()
        if query_id in judgements
    )
    return Collection(
        name=folder.name,
        unit="document",
        queries=_checked(queries, qrels),
        corpus_sha256=hash_file(corpus),
        root=folder,
        documents=documents,
    )


def _checked(queries: tuple[JudgedQuery, ...], path: Path) -> tuple[JudgedQuery, ...]:
    if not queries:
        raise EvalError(f"{path} has no judged query")
    if len({query.query_id for query in queries}) < len(queries):
        raise EvalError(f"{path} has two questions of one id")
    return queries


def _read_rows(path: Path, wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Read JSON lines whose objects have the `wanted` keys."""
    rows = []
    for number, line in enumerate(_read(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise EvalError(f"{path} line {number} is not JSON: {error}") from error
        if not isinstance(row, dict) or (missing := [key for key in wanted if key not in row]):
            found = "no object" if not isinstance(row, dict) else f"no {', '.join(missing)}"
            raise EvalError(f"{path} line {number} has {found}")
        rows.append(row)
    return rows


def _read_qrels(path: Path) -> list[tuple[str, str, int]]:
    lines = csv.reader(_read(path).splitlines()[1:], delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        return [(query_id, target, int(grade)) for query_id, target, grade in lines]
    except ValueError as error:
        raise EvalError(
            f"{path} has a line that is not query-id, corpus-id, score: {error}"
        ) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise EvalError(
            f"{path}: {reason}", advice="set FOOTNOTE_SHARED to the folder with the collections"
        ) from error


def _hash_lines(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

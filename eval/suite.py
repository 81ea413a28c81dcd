"""Runs arms over collections and gathers figures with what they were measured on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from eval.collections import Collection, expand_names, load_collection
from eval.errors import EvalError
from eval.indexes import IndexedCollection, index_collection
from eval.metrics import MEASURES, mean_by_kind, mean_scores, score_queries
from eval.provenance import describe_machine, find_commit
from eval.results import ArmFigures, ResultFile, write_result, write_run
from eval.retrieval import ARMS, Run, run_collection, time_searches
from indexer.encoders import Encoder
from indexer.progress import Progress
from indexer.settings import IndexSettings
from service.retriever import Retriever
from service.settings import SearchWeights, ServiceSettings

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "eval" / "results"
CACHE = REPOSITORY / "eval" / "cache"
_SEARCH_FIELDS = set(SearchWeights.model_fields) - set(IndexSettings.model_fields)


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What was measured on one collection.

    Attributes:
        collection: The collection.
        runs: Arm name → its run.
        per_query: Arm name → query id → measure → value.
        file: The same and where it came from, as it was written.
    """

    collection: Collection
    runs: Mapping[str, Run]
    per_query: Mapping[str, Mapping[str, Mapping[str, float]]]
    file: ResultFile


def run_suite(
    names: Sequence[str],
    *,
    shared: Path,
    settings: ServiceSettings,
    encoder: Encoder,
    out: Path = RESULTS,
    arms: Sequence[str] = tuple(ARMS),
    progress: Progress | None = None,
    cache: Path = CACHE,
) -> list[SuiteResult]:
    """Evaluate retrieval over collections; figures are written as soon as they are known.

    Writes `<name>.json` into `out` and, since those of bench are large, `<name>.<arm>.run` in
    TREC's format into `cache`/runs.

    Args:
        names: Collections, or "evalset" or "bench" for all of either.
        shared: The folder that holds reports/, evalset/ and bench/.
        settings: Weights, candidates and passage length; its index and shelves are not used.
        encoder: Makes the vectors.
        out: Where results go.
        arms: Names from eval.retrieval.ARMS.
        progress: Told how far the run is.
        cache: Where indexes and run files go.

    Raises:
        EvalError: A name is unknown, or a collection is missing, malformed or not indexed whole.
    """
    if unknown := [arm for arm in arms if arm not in ARMS]:
        raise EvalError(f"there is no arm {unknown[0]!r}", advice=f"name some of {', '.join(ARMS)}")
    collections = [load_collection(name, shared=shared) for name in expand_names(names)]
    results = []
    for collection in collections:
        indexed = index_collection(
            collection, settings=settings, encoder=encoder, cache=cache, progress=progress
        )
        result = evaluate(indexed, settings=settings, encoder=encoder, arms=arms, progress=progress)
        write_result(result.file, out / f"{collection.name}.json")
        for arm, run in result.runs.items():
            write_run(run.ranked, cache / "runs" / f"{collection.name}.{arm}.run", tag=arm)
        results.append(result)
    return results


def evaluate(
    indexed: IndexedCollection,
    *,
    settings: SearchWeights,
    encoder: Encoder,
    arms: Sequence[str] = tuple(ARMS),
    progress: Progress | None = None,
) -> SuiteResult:
    """Run arms over one indexed collection."""
    collection = indexed.collection
    retriever = Retriever(indexed.index, encoder, settings)
    kinds = {query.query_id: query.kind for query in collection.queries if query.kind}
    runs, per_query, figures = {}, {}, {}
    for name in arms:
        run = run_collection(
            retriever, collection, arm=ARMS[name], targets=indexed.targets, progress=progress
        )
        scores = score_queries(collection.qrels, run.scores)
        latency = time_searches(retriever, collection, arm=ARMS[name])
        runs[name], per_query[name] = run, scores
        figures[name] = ArmFigures(
            label=ARMS[name].label,
            means=mean_scores(scores.values()),
            by_kind=mean_by_kind(kinds, scores),
            p50_ms=latency.p50_ms,
            p95_ms=latency.p95_ms,
        )
    manifest = indexed.index.manifest
    file = ResultFile(
        collection=collection.name,
        unit=collection.unit,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=find_commit(REPOSITORY),
        machine=describe_machine(),
        corpus_sha256=collection.corpus_sha256,
        encoder=encoder.fingerprint,
        encoder_backend=encoder.backend,
        reader_version=str(manifest.reader_version),
        settings={
            "passage_tokens": settings.passage_tokens,
            **settings.model_dump(include=_SEARCH_FIELDS),
        },
        documents=manifest.documents,
        passages=manifest.passages,
        unsearchable=list(indexed.unsearchable),
        queries=len(collection.queries),
        arms=figures,
        measures=list(MEASURES),
        per_query={
            arm: {query_id: [one[name] for name in MEASURES] for query_id, one in scores.items()}
            for arm, scores in per_query.items()
        },
    )
    return SuiteResult(collection, runs, per_query, file)

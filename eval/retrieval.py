"""Asks a retriever every query of a collection and ranks what is judged: pages or documents."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

import numpy as np

from eval.collections import Collection, JudgedQuery
from eval.errors import EvalError
from indexer.progress import Progress, Silent
from service.retriever import Hit, Mode, SearchQuery, SearchResult

# The least by which a score lies below the one above it: trec_eval sorts by score and settles
# ties by id, so pages of one passage must not have the same.
_STEP = 1e-6
_WARM_UP, _TIMED = 5, 100

Ranking = tuple[tuple[str, float], ...]


class Searcher(Protocol):
    """What is evaluated; service.retriever.Retriever is one."""

    def search(self, query: SearchQuery) -> SearchResult:
        """Find the passages that fit a query best."""
        ...


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to search: which arms find candidates, and whether late interaction ranks them."""

    name: str
    label: str
    mode: Mode
    rerank: bool | None


DEFAULT_ARM = "default"
ARMS: Mapping[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm("lexical", "lexical", "lexical", False),
        Arm("dense", "dense", "semantic", False),
        Arm("fused", "fused", "hybrid", False),
        Arm(DEFAULT_ARM, "fused + late interaction", "hybrid", None),
    )
}


@dataclass(frozen=True, slots=True)
class Run:
    """Ranked targets for each query of a collection.

    Attributes:
        arm: The arm's name.
        ranked: Query id → (target id, score) best first; no two scores of a query are equal.
    """

    arm: str
    ranked: Mapping[str, Ranking]

    @property
    def scores(self) -> dict[str, dict[str, float]]:
        """Query id → target id → score, as ir_measures takes it."""
        return {query_id: dict(ranking) for query_id, ranking in self.ranked.items()}


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds that a search takes in this process, at the given percentiles."""

    p50_ms: float
    p95_ms: float
    queries: int


def run_collection(
    retriever: Searcher,
    collection: Collection,
    *,
    arm: Arm = ARMS[DEFAULT_ARM],
    top_k: int = 100,
    targets: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Search for every query of a collection.

    A page collection is ranked from the first `top_k` passages, which may span more or fewer
    pages. For documents only the best passage of each is taken, so there are `top_k` of them if
    the candidates have that many.

    Args:
        retriever: What is evaluated.
        collection: The queries.
        arm: How to search.
        top_k: Passages to ask for. More than the service's `candidates` would make it search
            deeper than it does for a user.
        targets: File name → target id, for documents.
        progress: Told how far the run is.
    """
    progress = progress or Silent()
    progress.begin(f"{collection.name}: {arm.label}", len(collection.queries))
    ranked = {}
    for query in collection.queries:
        result = retriever.search(make_query(query, collection, arm=arm, top_k=top_k))
        ranked[query.query_id] = rank_targets(
            ((hit, hit.scores.fused) for hit in result.hits), collection, targets or {}
        )
        progress.advance()
    return Run(arm.name, ranked)


def make_query(query: JudgedQuery, collection: Collection, *, arm: Arm, top_k: int) -> SearchQuery:
    """Return the search a judged query stands for."""
    return SearchQuery(
        query.text,
        mode=arm.mode,
        rerank=arm.rerank,
        top_k=top_k,
        filters={"family": query.within} if query.within else {},
        max_passages_per_document=1 if collection.unit == "document" else None,
    )


def rank_targets(
    hits: Iterable[tuple[Hit, float]], collection: Collection, targets: Mapping[str, str]
) -> Ranking:
    """Turn passages, best first with their scores, into a ranking of what is judged.

    A passage counts for every page it spans, in page order; a page or document stands where its
    first passage stands, with that score, lowered as little as makes scores fall strictly.
    """
    ranking: dict[str, float] = {}
    lowest = float("inf")
    for hit, score in hits:
        for target in find_targets(hit, collection, targets):
            if target not in ranking:
                lowest = ranking[target] = min(score, lowest - _STEP)
    return tuple(ranking.items())


def find_targets(hit: Hit, collection: Collection, targets: Mapping[str, str]) -> Sequence[str]:
    """Return the ids of the pages a passage spans, or of its document.

    Raises:
        EvalError: It is from a file without pages, or from none of the collection's.
    """
    file = PurePosixPath(str(hit.passage.metadata["source"])).name
    if collection.unit == "document":
        if file not in targets:
            raise EvalError(f"{collection.name}: a passage of {file} was found, which it has not")
        return (targets[file],)
    first, last = hit.passage.page_start, hit.passage.page_end
    if first is None or last is None:
        raise EvalError(f"{collection.name} is judged by page, but {file} was read without pages")
    return tuple(f"{file}#{page}" for page in range(first, last + 1))


def time_searches(
    retriever: Searcher, collection: Collection, *, arm: Arm = ARMS[DEFAULT_ARM], top_k: int = 10
) -> Latency:
    """Time searches as a user makes them, for up to 100 queries spread over the collection.

    Each is timed alone, after a warm-up on five of them.
    """
    stride = max(1, len(collection.queries) // _TIMED)
    queries = [
        make_query(query, collection, arm=arm, top_k=top_k)
        for query in collection.queries[::stride][:_TIMED]
    ]
    for query in queries[:_WARM_UP]:
        retriever.search(query)
    times = []
    for query in queries:
        began = time.perf_counter()
        retriever.search(query)
        times.append((time.perf_counter() - began) * 1000)
    p50, p95 = np.percentile(times, [50, 95])
    return Latency(round(float(p50), 2), round(float(p95), 2), len(times))

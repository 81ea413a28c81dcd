"""Tries fusion weights: candidates are searched for once, then joined anew for every choice.

Weights are chosen on evalset, never on bench.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from eval.collections import Collection, expand_names, load_collection
from eval.indexes import IndexedCollection, index_collection
from eval.metrics import QueryScores, mean_scores, score_queries
from eval.retrieval import ARMS, DEFAULT_ARM, make_query, rank_targets
from eval.suite import CACHE
from indexer.encoders import Encoder, Floats
from indexer.progress import Progress, Silent
from indexer.vectors import Rows
from service.fusion import min_max, rank
from service.query import parse_query
from service.retriever import Hit, Retriever
from service.settings import SearchWeights, ServiceSettings

_TOP_K = 100


@dataclass(frozen=True, slots=True)
class Weights:
    """A choice of weights; they add up to 1."""

    dense: float
    lexical: float
    late_interaction: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """What both arms found for a query, by row.

    Attributes:
        hits: (n,) the passages.
        rows: (n,) their rows, ascending.
        dense: (n,) cosines.
        lexical: (n,) BM25, 0 where the lexical arm did not find it.
        late_interaction: (n,) MaxSim.
    """

    hits: tuple[Hit, ...]
    rows: Rows
    dense: Floats
    lexical: Floats
    late_interaction: Floats


@dataclass(frozen=True, slots=True)
class WeightFigures:
    """Means over a collection, or over several pooled, with one choice of weights."""

    weights: Weights
    means: Mapping[str, float]
    by_collection: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Captured:
    """A collection with the candidates of each of its queries."""

    collection: Collection
    candidates: Mapping[str, Candidates]
    targets: Mapping[str, str]


def sweep_weights(
    names: Sequence[str],
    *,
    shared: Path,
    settings: ServiceSettings,
    encoder: Encoder,
    step: float = 0.05,
    progress: Progress | None = None,
    cache: Path = CACHE,
) -> list[WeightFigures]:
    """Return figures for every choice of weights on a grid, best nDCG@10 first.

    Args:
        names: Collections, pooled query by query.
        shared: The folder that holds reports/ and evalset/.
        settings: Candidates and passage length; its weights are not used.
        encoder: Makes the vectors.
        step: Distance of two neighbours on the grid.
        progress: Told how far the run is.
        cache: Where indexes are.

    Raises:
        EvalError: As in `eval.suite.run_suite`.
    """
    captured = []
    for name in expand_names(names):
        collection = load_collection(name, shared=shared)
        indexed = index_collection(
            collection, settings=settings, encoder=encoder, cache=cache, progress=progress
        )
        captured.append(capture_candidates(indexed, encoder, settings, progress=progress))
    progress = progress or Silent()
    grid = weight_grid(step)
    progress.begin("weights", len(grid))
    figures = []
    for weights in grid:
        figures.append(score_weights(captured, weights))
        progress.advance()
    return sorted(figures, key=lambda one: -one.means["nDCG@10"])


def weight_grid(step: float) -> list[Weights]:
    """Return all triples of multiples of `step` that add up to 1."""
    parts = round(1 / step)
    return [
        Weights(dense / parts, lexical / parts, (parts - dense - lexical) / parts)
        for dense, lexical in product(range(parts + 1), repeat=2)
        if dense + lexical <= parts
    ]


def capture_candidates(
    indexed: IndexedCollection,
    encoder: Encoder,
    settings: SearchWeights,
    *,
    progress: Progress | None = None,
) -> Captured:
    """Search for each query's candidates and keep the arms' raw scores.

    One hybrid search returns at most as many passages as one arm puts forward, less than the two
    together; so each arm is asked alone, and what only the lexical one found gets its cosine here.
    """
    progress = progress or Silent()
    retriever = Retriever(indexed.index, encoder, settings)
    collection = indexed.collection
    progress.begin(f"{collection.name}: candidates", len(collection.queries))
    captured = {}
    for query in collection.queries:
        found: dict[int, Hit] = {}
        lexical: dict[int, float] = {}
        for mode in ("semantic", "lexical"):
            search = make_query(query, collection, arm=ARMS[DEFAULT_ARM], top_k=settings.candidates)
            search = replace(search, mode=mode, rerank=True, max_passages_per_document=None)
            for hit in retriever.search(search).hits:
                found[hit.row] = hit
                if hit.scores.lexical is not None:
                    lexical[hit.row] = hit.scores.lexical
        rows = np.array(sorted(found), np.int64)
        hits = tuple(found[int(row)] for row in rows)
        vector = encoder.encode([parse_query(query.text).text]).pooled[0]
        captured[query.query_id] = Candidates(
            hits=hits,
            rows=rows,
            dense=indexed.index.vectors.reconstruct(rows) @ vector,
            lexical=np.array([lexical.get(int(row), 0.0) for row in rows], np.float32),
            late_interaction=np.array([hit.scores.late_interaction for hit in hits], np.float32),
        )
        progress.advance()
    return Captured(collection, captured, indexed.targets)


def fuse(candidates: Candidates, weights: Weights) -> list[tuple[Hit, float]]:
    """Return the best hundred candidates with their fused scores, as the Retriever ranks them."""
    fused = (
        weights.dense * min_max(candidates.dense)
        + weights.lexical * min_max(candidates.lexical, floor=0.0)
        + weights.late_interaction * min_max(candidates.late_interaction)
    ).astype(np.float32)
    order = rank(candidates.rows, fused)[:_TOP_K]
    return [(candidates.hits[int(at)], float(fused[at])) for at in order]


def score_weights(captured: Sequence[Captured], weights: Weights) -> WeightFigures:
    """Return the figures of one choice of weights."""
    pooled: list[QueryScores] = []
    by_collection: dict[str, dict[str, float]] = {}
    for one in captured:
        run = {
            query_id: dict(rank_targets(fuse(found, weights), one.collection, one.targets))
            for query_id, found in one.candidates.items()
        }
        scores = score_queries(one.collection.qrels, run)
        by_collection[one.collection.name] = mean_scores(scores.values())
        pooled.extend(scores.values())
    return WeightFigures(weights, mean_scores(pooled), by_collection)


def print_sweep(
    figures: Sequence[WeightFigures],
    *,
    chosen: SearchWeights,
    best: int = 15,
    console: Console | None = None,
) -> None:
    """Print the best choices of weights and, last, the one on the grid nearest to the settings'."""
    total = chosen.weight_dense + chosen.weight_lexical + chosen.weight_late_interaction
    mine = np.array(
        [chosen.weight_dense, chosen.weight_lexical, chosen.weight_late_interaction]
    ) / (total or 1)

    def distance(one: WeightFigures) -> float:
        weights = one.weights
        at = np.array([weights.dense, weights.lexical, weights.late_interaction])
        return float(np.abs(at - mine).sum())

    names = list(figures[0].by_collection) if figures else []
    table = Table(title="Fusion weights, pooled", title_justify="left")
    for name in ("dense", "lexical", "late", "nDCG@10", "recall@10", *names):
        table.add_column(name if name not in names else f"{name} nDCG@10", justify="right")
    shown = [*figures[:best], *([min(figures, key=distance)] if figures else [])]
    for place, one in enumerate(shown):
        weights = one.weights
        table.add_row(
            *(f"{part:.2f}" for part in (weights.dense, weights.lexical, weights.late_interaction)),
            f"{one.means['nDCG@10']:.4f}",
            f"{one.means['recall@10']:.4f}",
            *(f"{one.by_collection[name]['nDCG@10']:.4f}" for name in names),
            end_section=place == len(shown) - 2,
        )
    (console or Console()).print(table)

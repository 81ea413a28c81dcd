"""Measures of a ranking, computed by ir_measures."""

from collections.abc import Iterable, Mapping

import ir_measures
from ir_measures import RR, R, nDCG

# nDCG has linear gains and log2 discounts, as in trec_eval. Recall counts every relevant target,
# so a question with eight gold pages needs all eight; MRR looks for the first only.
_MEASURES = {
    "nDCG@10": nDCG @ 10,
    "recall@10": R @ 10,
    "recall@100": R @ 100,
    "MRR@10": RR @ 10,
}
MEASURES = tuple(_MEASURES)
_NAMES = {str(measure): name for name, measure in _MEASURES.items()}

QueryScores = Mapping[str, float]


def score_queries(
    qrels: Mapping[str, Mapping[str, int]], run: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Return the measures of each judged query: query id → measure → value in [0, 1].

    A judged query that is missing from the run scores 0 throughout; one that is only in the run
    is left out. Scores within a query of the run must differ: which of two equals comes first is
    not the same in all measures.

    Args:
        qrels: Query id → target id → grade.
        run: Query id → target id → score, higher better.
    """
    scores = {query_id: dict.fromkeys(MEASURES, 0.0) for query_id in qrels}
    judged = {query_id: dict(run[query_id]) for query_id in qrels if query_id in run}
    if judged:
        wanted = {query_id: dict(grades) for query_id, grades in qrels.items()}
        for metric in ir_measures.iter_calc(list(_MEASURES.values()), wanted, judged):
            scores[metric.query_id][_NAMES[str(metric.measure)]] = float(metric.value)
    return scores


def mean_scores(per_query: Iterable[QueryScores]) -> dict[str, float]:
    """Return each measure's mean over queries; 0 for none."""
    rows = list(per_query)
    return {name: sum(row[name] for row in rows) / max(len(rows), 1) for name in MEASURES}


def mean_by_kind(
    kinds: Mapping[str, str], per_query: Mapping[str, QueryScores]
) -> dict[str, dict[str, float]]:
    """Return the means and "queries", their number, for each kind in alphabetical order.

    Args:
        kinds: Query id → kind; queries that are not in it are left out.
        per_query: Query id → measure → value.
    """
    groups: dict[str, list[QueryScores]] = {}
    for query_id, scores in per_query.items():
        if query_id in kinds:
            groups.setdefault(kinds[query_id], []).append(scores)
    return {
        kind: {"queries": float(len(rows)), **mean_scores(rows)}
        for kind, rows in sorted(groups.items())
    }

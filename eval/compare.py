"""Says whether a change moved a measure by more than chance, query by query."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eval.errors import EvalError
from eval.results import ResultFile
from eval.retrieval import DEFAULT_ARM

_FLIPS = 10_000
_SEED = 2026


@dataclass(frozen=True, slots=True)
class Difference:
    """How a measure differs between two runs over the same queries.

    Attributes:
        before: Mean before.
        after: Mean after.
        better: Queries that gained.
        worse: Queries that lost.
        p_value: How often flipping the signs of the differences at random gives a mean difference
            at least as large; two-sided.
    """

    before: float
    after: float
    better: int
    worse: int
    p_value: float


def compare_results(
    before: ResultFile, after: ResultFile, *, arm: str = DEFAULT_ARM
) -> dict[str, Difference]:
    """Return measure → difference between two results on one collection.

    Raises:
        EvalError: They are not about the same queries, or one lacks the arm.
    """
    if arm not in before.per_query or arm not in after.per_query:
        raise EvalError(f"one of the two results does not have the arm {arm!r}")
    one, two = before.per_query[arm], after.per_query[arm]
    if before.collection != after.collection or one.keys() != two.keys():
        raise EvalError(
            f"results on {before.collection} ({len(one)} queries) and on {after.collection} "
            f"({len(two)} queries) can't be compared query by query"
        )
    return {
        name: compare_scores(_scores_of(before, arm, name), _scores_of(after, arm, name))
        for name in before.measures
        if name in after.measures
    }


def compare_scores(before: Mapping[str, float], after: Mapping[str, float]) -> Difference:
    """Test a difference in means by paired randomisation (Smucker et al., CIKM 2007).

    Signs are flipped ten thousand times from a fixed seed, so the same scores always give the
    same p.

    Args:
        before: Query id → score.
        after: Query id → score; the same ids.
    """
    one = np.array([before[query_id] for query_id in before])
    two = np.array([after[query_id] for query_id in before])
    change = two - one
    moved = change[change != 0]
    flips = np.random.default_rng(_SEED).integers(0, 2, (_FLIPS, len(moved)), np.int8) * 2 - 1
    # The run itself counts as one of the flips, so that p is never 0.
    as_large = np.abs(flips @ moved) >= abs(moved.sum()) - 1e-9
    return Difference(
        before=float(one.mean()),
        after=float(two.mean()),
        better=int((change > 0).sum()),
        worse=int((change < 0).sum()),
        p_value=float((as_large.sum() + 1) / (_FLIPS + 1)),
    )


def _scores_of(result: ResultFile, arm: str, measure: str) -> dict[str, float]:
    at = result.measures.index(measure)
    return {query_id: values[at] for query_id, values in result.per_query[arm].items()}

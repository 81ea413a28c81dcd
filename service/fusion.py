"""Joining the scores of several arms into one ranking."""

import numpy as np

from indexer.encoders import Floats
from indexer.vectors import Rows

RRF_K = 60  # Cormack, Clarke and Büttcher, SIGIR 2009


def min_max(scores: Floats, *, floor: float | None = None) -> Floats:
    """Return scores stretched to [0, 1].

    Args:
        scores: (n,) scores of the candidates.
        floor: What counts as 0; None for the lowest score. Equal scores all become 0.
    """
    if not len(scores):
        return scores
    low = float(scores.min()) if floor is None else floor
    span = float(scores.max()) - low
    stretched: Floats = (scores - low) / span if span > 0 else np.zeros_like(scores)
    return stretched


def reciprocal_ranks(scores: Floats) -> Floats:
    """Return 1 / (60 + rank) of each score, ranks from 1; zero scores get nothing."""
    order = np.argsort(-scores, kind="stable")
    ranks = np.empty(len(scores), np.int64)
    ranks[order] = np.arange(1, len(scores) + 1)
    fused: Floats = np.where(scores > 0, 1.0 / (RRF_K + ranks), 0.0).astype(np.float32)
    return fused


def rank(rows: Rows, scores: Floats) -> Rows:
    """Return the positions that put scores best first, equal scores by row."""
    order: Rows = np.lexsort((rows, -scores))
    return order

"""Late interaction: for each token of a query the best token of a passage, averaged.

MaxSim of Khattab and Zaharia (ColBERT, 2020), over the token vectors of the same pass that gives
the pooled vector. They are reduced by a projection and kept as one byte a dimension.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.encoders import Encoder, Floats
from indexer.files import open_array
from indexer.vectors import Rows

TOKEN_DIMS = 128  # 384 → 128 cost .004 nDCG@10 on questions over reports, 64 cost .014
# A unit vector's components in 128 dimensions rarely pass 0.5; a step is then 0.004.
_SCALE = 254.0
_EPSILON = 1e-9


def fit_projection(encoder: Encoder, texts: Sequence[str]) -> Floats:
    """Return the (dims, TOKEN_DIMS) projection that keeps most of the texts' token vectors.

    An encoder of fewer dims than TOKEN_DIMS keeps them all. The columns are the leading
    right singular vectors of the unit token vectors. The texts are fixed and apart
    from any corpus, so a re-index and a rebuild from scratch project alike.
    """
    tokens = np.concatenate([_unit(rows) for rows in encoder.encode(texts).tokens])
    gram = tokens.T.astype(np.float64) @ tokens.astype(np.float64)
    _, vectors = np.linalg.eigh(gram)
    leading = vectors[:, ::-1][:, :TOKEN_DIMS]
    # An eigenvector's sign is arbitrary; fixed here so that two machines agree.
    signs = np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(leading.shape[1])])
    return np.ascontiguousarray(leading * signs, dtype=np.float32)


def project_query(tokens: Floats, projection: Floats) -> Floats:
    """Return the (length, TOKEN_DIMS) unit vectors of a query's tokens."""
    return _unit(tokens @ projection)


def quantise_tokens(tokens: Floats, projection: Floats) -> NDArray[np.int8]:
    """Return a passage's token vectors projected, made unit length and rounded to int8."""
    scaled = np.rint(_unit(tokens @ projection) * _SCALE)
    clipped: NDArray[np.int8] = np.clip(scaled, -127, 127).astype(np.int8)
    return clipped


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = vectors / np.maximum(lengths, _EPSILON)
    return unit


class TokenVectors:
    """The token vectors of all passages, read from disk only where asked for.

    Attributes:
        projection: (dims, TOKEN_DIMS) float32.
        offsets: (passages + 1,) int64; passage i owns vectors offsets[i]:offsets[i + 1].
        vectors: (tokens, TOKEN_DIMS) int8, memory-mapped.
    """

    def __init__(
        self, projection: Floats, offsets: NDArray[np.int64], vectors: NDArray[np.int8]
    ) -> None:
        self.projection = projection
        self.offsets = offsets
        self.vectors = vectors

    @classmethod
    def load(cls, folder: Path) -> "TokenVectors":
        """Open the three arrays that `save` wrote."""
        return cls(
            np.load(folder / "token_projection.npy", allow_pickle=False),
            np.load(folder / "token_offsets.npy", allow_pickle=False),
            open_array(folder / "token_vectors.npy"),
        )

    @staticmethod
    def save(folder: Path, projection: Floats, passages: Sequence[NDArray[np.int8]]) -> None:
        """Write the token vectors of passages, in row order."""
        offsets = np.zeros(len(passages) + 1, np.int64)
        np.cumsum([len(rows) for rows in passages], out=offsets[1:])
        np.save(folder / "token_projection.npy", projection)
        np.save(folder / "token_offsets.npy", offsets)
        vectors = np.lib.format.open_memmap(
            folder / "token_vectors.npy", "w+", np.int8, (int(offsets[-1]), projection.shape[1])
        )
        for row, rows in enumerate(passages):
            vectors[offsets[row] : offsets[row + 1]] = rows
        vectors.flush()

    def of(self, row: int) -> NDArray[np.int8]:
        """Return one passage's token vectors, (length, TOKEN_DIMS) int8."""
        return self.vectors[self.offsets[row] : self.offsets[row + 1]]

    def similarities(self, query: Floats, row: int) -> Floats:
        """Return (query tokens, passage tokens) cosines of a projected query and a passage."""
        similarity: Floats = (query @ self.of(row).T.astype(np.float32)) / np.float32(_SCALE)
        return similarity

    def max_sim(self, query: Floats, rows: Rows) -> Floats:
        """Return each passage's MaxSim with a projected query, in [-1, 1].

        Args:
            query: (length, TOKEN_DIMS) float32 unit vectors.
            rows: Passages; one without tokens, like a query without, scores 0.
        """
        scores = np.zeros(len(rows), np.float32)
        if not len(query):
            return scores
        lengths = self.offsets[rows + 1] - self.offsets[rows]
        filled = np.flatnonzero(lengths)
        if not len(filled):
            return scores
        stacked = np.concatenate([self.of(int(row)) for row in rows[filled]])
        similarity = stacked.astype(np.float32) @ query.T  # (tokens, length)
        starts = np.zeros(len(filled), np.int64)
        np.cumsum(lengths[filled][:-1], out=starts[1:])
        best = np.maximum.reduceat(similarity, starts, axis=0)
        scores[filled] = best.mean(axis=1) / np.float32(_SCALE)
        return scores

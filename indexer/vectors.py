"""Dense search with FAISS: exact inner product over half-precision vectors."""

from pathlib import Path
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from indexer.encoders import Floats
from indexer.errors import IndexDamaged

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

# FAISS trusts the sizes a file claims; this bounds what a damaged one can make it allocate.
_MOST_BYTES = 64 * 2**30
faiss.set_deserialization_vector_byte_limit(_MOST_BYTES)
# Requests come in parallel and each gets one thread: two threads each were slower under load, and
# a small product spread over two busy cores took 19 ms instead of 0.1.
threadpool_limits(limits=1, user_api="blas")


class VectorStore(Protocol):
    """Finds the passages nearest to a query vector."""

    def __len__(self) -> int:
        """Return how many vectors it holds."""
        ...

    def search(self, query: Floats, *, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Return rows and scores of the k best, best first, equal scores by row.

        Args:
            query: (dims,) unit vector.
            k: How many; fewer come back only where fewer exist.
            allowed: (rows,) true where a row may be found; None for all.
        """
        ...

    def reconstruct(self, rows: Rows) -> Floats:
        """Return the (n, dims) vectors of rows."""
        ...


class FaissStore:
    """A flat index of float16 inner products: half the bytes of float32, and exact."""

    def __init__(self, index: "faiss.Index") -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: Floats) -> "FaissStore":
        """Index (n, dims) unit vectors; row numbers are their positions."""
        index = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        index.train(vectors)
        if len(vectors):
            index.add(np.ascontiguousarray(vectors))
        return cls(index)

    @classmethod
    def load(cls, file: Path) -> "FaissStore":
        """Open a saved store.

        Raises:
            IndexDamaged: FAISS cannot read the file.
        """
        try:
            return cls(faiss.read_index(str(file)))
        except RuntimeError as error:
            raise IndexDamaged(f"{file} is not a FAISS index") from error

    def save(self, file: Path) -> None:
        """Write the store; FAISS reports no full disk, the manifest's hash check does."""
        faiss.write_index(self._index, str(file))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, query: Floats, *, k: int, allowed: Mask | None = None) -> tuple[Rows, Floats]:
        """Return rows and scores of the k best; see VectorStore."""
        k = min(k, len(self) if allowed is None else int(allowed.sum()))
        if k <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        # Counts for the calling thread alone, so it is said here and not once on import: a search
        # took 8 ms of processor time with both cores and 0.5 ms with one.
        faiss.omp_set_num_threads(1)
        parameters = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg,arg-type]
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        scores, rows = self._index.search(query[None, :], k, params=parameters)
        order = np.lexsort((rows[0], -scores[0]))
        return rows[0][order], scores[0][order]

    def reconstruct(self, rows: Rows) -> Floats:
        """Return the (n, dims) vectors of rows."""
        if not len(rows):
            return np.zeros((0, self._index.d), np.float32)
        vectors: Floats = self._index.reconstruct_batch(rows)
        return vectors

"""A small deterministic encoder for tests that are not about meaning.

Each word has a vector drawn from a generator seeded by the word; a text's vector is their sum.
"""

import re
import zlib
from collections.abc import Sequence
from functools import cache

import numpy as np

from indexer.encoders import Encoded

_WORD = re.compile(r"\S+")


@cache
def _vector(word: str, dims: int) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(word.lower().encode())).standard_normal(dims)


class FakeEncoder:
    def __init__(self, *, name: str = "fake", dims: int = 384) -> None:
        self.fingerprint = f"{name}/{dims}"
        self.backend = "test"
        self.dims = dims
        self.max_tokens = 256
        self.encoded = 0

    def count_tokens(self, text: str) -> int:
        return len(_WORD.findall(text)) + 2

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in _WORD.finditer(text)][:254]

    def encode(self, texts: Sequence[str]) -> Encoded:
        self.encoded += len(texts)
        pooled = np.zeros((len(texts), self.dims), np.float32)
        tokens = []
        for row, text in enumerate(texts):
            words = _WORD.findall(text)[:254]
            vectors = np.array([_vector(word, self.dims) for word in words], np.float32)
            tokens.append(vectors.reshape(-1, self.dims))
            pooled[row] = tokens[-1].sum(axis=0)
        return Encoded(pooled / np.maximum(np.linalg.norm(pooled, axis=1), 1e-9)[:, None], tokens)

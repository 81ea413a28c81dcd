"""What an encoder is: text in, one pooled vector and one vector a token out, in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoded:
    """What one pass over n texts gives.

    Attributes:
        pooled: (n, dims) float32, unit length.
        tokens: n arrays of (length, dims) float32, the special first and last token left out.
    """

    pooled: Floats
    tokens: list[Floats]


class Encoder(Protocol):
    """Turns texts into vectors. Safe to call from several threads at once."""

    @property
    def fingerprint(self) -> str:
        """Names weights, tokenizer, pooling, length and dims; equal means equal vectors."""
        ...

    @property
    def backend(self) -> str:
        """Names what runs it, such as "openvino-f32"."""
        ...

    @property
    def dims(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """The most of its own tokens it reads of a text, special ones included."""
        ...

    def count_tokens(self, text: str) -> int:
        """Return how many of its own tokens a text has, special ones included."""
        ...

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Return each token's [start, end) characters, row by row as in `Encoded.tokens`."""
        ...

    def encode(self, texts: Sequence[str]) -> Encoded:
        """Encode texts; what is past `max_tokens` is not read. No texts give empty arrays."""
        ...


def batches_by_length(lengths: Sequence[int], *, max_tokens: int) -> list[list[int]]:
    """Group the indices of texts of similar length, at most `max_tokens` padded tokens a batch.

    Padding is work thrown away, so texts are sorted by length first, longest leading.
    """
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    batches: list[list[int]] = []
    for index in order:
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= max_tokens:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches

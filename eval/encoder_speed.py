"""How much faster the built-in encoder is than sentence-transformers' default, on the same texts.

`python -m eval.encoder_speed [--texts N] [--rounds N]` encodes passages of the starter shelf with
both, in turn (A B A B …), and prints the median of the ratios and the lowest cosine.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median

import numpy as np

from corpus.reading import read_document
from corpus.sources import discover_sources
from indexer.chunking import ChunkLimits, chunk_document
from indexer.encoders import load_encoder
from indexer.settings import IndexSettings
from indexer.tokens import count_tokens


def measure_speed(texts: list[str], *, rounds: int) -> dict[str, object]:
    """Return passages per second of both, their ratio by pairs, and the lowest cosine."""
    fast = load_encoder("minilm", backend="openvino")
    reference = load_encoder("minilm", backend="sentence-transformers")
    model = reference._model  # type: ignore[attr-defined]
    # sentence-transformers' own call with its own defaults, pooled vectors alone.
    theirs = np.asarray(model.encode(texts, show_progress_bar=False))
    ours = fast.encode(texts).pooled
    cosines = (ours * theirs).sum(axis=1) / np.linalg.norm(theirs, axis=1)
    pairs: list[tuple[float, float]] = []
    for _ in range(rounds):
        began = time.perf_counter()
        fast.encode(texts)
        middle = time.perf_counter()
        model.encode(texts, show_progress_bar=False)
        pairs.append((middle - began, time.perf_counter() - middle))
    return {
        "texts": len(texts),
        "rounds": rounds,
        "backend": fast.backend,
        "fast_per_s": round(len(texts) / median(one for one, _ in pairs), 2),
        "reference_per_s": round(len(texts) / median(other for _, other in pairs), 2),
        "ratio_median": round(median(other / one for one, other in pairs), 3),
        "ratio_min": round(min(other / one for one, other in pairs), 3),
        "ratio_max": round(max(other / one for one, other in pairs), 3),
        "lowest_cosine": round(float(cosines.min()), 6),
    }


def starter_passages(shelf: Path, *, most: int) -> list[str]:
    """Return passages of a shelf as the index cuts them, evenly spread, `most` at the most."""
    limits = ChunkLimits(
        int(IndexSettings.model_fields["passage_tokens"].default), count_tokens, lambda _: True
    )
    texts: list[str] = []
    for source in discover_sources([shelf]):
        document = read_document(source)
        texts.extend(document.text[p.start : p.end] for p in chunk_document(document, limits))
    step = max(1, len(texts) // most)
    return texts[::step][:most]


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shelf", type=Path, default=Path("corpus/reports"))
    parser.add_argument("--texts", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    texts = starter_passages(chosen.shelf, most=chosen.texts)
    print(json.dumps(measure_speed(texts, rounds=chosen.rounds), indent=1))


if __name__ == "__main__":
    main()

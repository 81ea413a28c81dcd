"""The three stores against independent computations: numpy, bm25s, and sums by hand."""

from pathlib import Path

import bm25s
import numpy as np
import pytest

from indexer.encoders import Encoded
from indexer.errors import IndexDamaged
from indexer.late_interaction import (
    TOKEN_DIMS,
    TokenVectors,
    fit_projection,
    project_query,
    quantise_tokens,
)
from indexer.lexical import TantivyStore, build_lexical
from indexer.vectors import FaissStore

TEXTS = [
    "Risk management of general-purpose AI",
    "Managing the risks of frontier models, and risk tolerance",
    "Zürich café: models of care",
    "A table of compute thresholds",
    "The governance of artificial intelligence risk in the risk function",
]


def unit(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture
def lexical(tmp_path: Path) -> TantivyStore:
    build_lexical(tmp_path, [(text, text) for text in TEXTS])
    return TantivyStore(tmp_path)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 1.0])
def test_filtered_vector_search_equals_brute_force(share: float) -> None:
    vectors, query = unit((2000, 32)), unit((32,), 1)
    store = FaissStore.build(vectors)
    allowed = np.random.default_rng(2).random(2000) < share
    rows, scores = store.search(query, k=10, allowed=allowed)
    exact = np.where(allowed, vectors.astype(np.float16).astype(np.float32) @ query, -9)
    assert len(rows) == min(10, allowed.sum())
    assert allowed[rows].all()
    np.testing.assert_allclose(scores, np.sort(exact)[::-1][: len(rows)], atol=1e-5)


def test_vector_search_gives_every_row_where_fewer_exist_than_are_asked_for() -> None:
    store = FaissStore.build(unit((3, 8)))
    rows, _ = store.search(unit((8,)), k=10)
    assert sorted(rows) == [0, 1, 2]
    assert len(store.search(unit((8,)), k=5, allowed=np.zeros(3, bool))[0]) == 0


def test_equal_vectors_are_ranked_by_row() -> None:
    one = unit((1, 8))
    rows, _ = FaissStore.build(np.repeat(one, 6, axis=0)).search(one[0], k=6)
    assert rows.tolist() == [0, 1, 2, 3, 4, 5]


def test_vectors_come_back_the_same_after_saving_and_reusing(tmp_path: Path) -> None:
    store = FaissStore.build(unit((50, 16)))
    store.save(tmp_path / "v.faiss")
    again = FaissStore.load(tmp_path / "v.faiss")
    rows = np.arange(50)
    np.testing.assert_array_equal(store.reconstruct(rows), again.reconstruct(rows))
    rebuilt = FaissStore.build(again.reconstruct(rows))
    np.testing.assert_array_equal(rebuilt.reconstruct(rows), again.reconstruct(rows))


def test_a_file_that_is_no_faiss_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.faiss").write_bytes(b"not an index at all")
    with pytest.raises(IndexDamaged, match=r"v\.faiss"):
        FaissStore.load(tmp_path / "v.faiss")


def test_bm25_ranks_as_an_independent_implementation(lexical: TantivyStore) -> None:
    """Lucene's BM25 in bm25s over the same words; tantivy rounds lengths, hence the tolerance."""
    words = [lexical.words(text) for text in TEXTS]
    reference = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    reference.index(words, show_progress=False)
    for query in ("risk management", "models of risk", "compute thresholds governance"):
        expected = reference.get_scores(lexical.words(query))
        rows, scores = lexical.search(query, k=5)
        assert rows.tolist() == [row for row in np.argsort(-expected) if expected[row] > 0]
        # Lucene's formula leaves out the constant factor k1 + 1, tantivy keeps it.
        np.testing.assert_allclose(scores / 2.2, expected[rows], rtol=0.05)


def test_a_filter_changes_which_passages_are_found_but_not_their_scores(
    lexical: TantivyStore,
) -> None:
    everything = dict(zip(*lexical.search("risk models", k=5), strict=True))
    allowed = np.array([False, True, False, False, False])
    few = dict(zip(*lexical.search("risk models", k=5, allowed=allowed), strict=True))
    assert few == {1: everything[1]}
    most = np.array([True, False, True, True, True])
    assert dict(zip(*lexical.search("risk models", k=5, allowed=most), strict=True)) == {
        row: score for row, score in everything.items() if row != 1
    }


def test_a_phrase_matches_word_for_word_whatever_the_case_and_accents(
    lexical: TantivyStore,
) -> None:
    assert lexical.matching(["ZURICH cafe"], []).tolist() == [2]
    assert lexical.matching(["café Zürich"], []).tolist() == []
    assert lexical.matching(["of"], ["risk"]).tolist() == [2, 3]
    assert lexical.matching(["?!"], []).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "text", ["", "the of and", '?!* [TO] "x OR (', "a" * 1_000_000, "title:* AND NOT", "\x00"]
)
def test_no_text_is_a_syntax_error(lexical: TantivyStore, text: str) -> None:
    rows, scores = lexical.search(text, k=3)
    assert len(rows) == len(scores)


class Fake:
    """Deals out fixed token vectors."""

    fingerprint, backend, dims, max_tokens = "fake", "none", 384, 64

    def count_tokens(self, text: str) -> int:
        return len(text.split()) + 2

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return []

    def encode(self, texts: object) -> Encoded:
        return Encoded(unit((1, 384)), [unit((400, 384))])


def test_max_sim_is_the_mean_over_query_tokens_of_the_best_passage_token(tmp_path: Path) -> None:
    projection = fit_projection(Fake(), ["any"])
    assert projection.shape == (384, TOKEN_DIMS)
    np.testing.assert_allclose(projection.T @ projection, np.eye(TOKEN_DIMS), atol=1e-5)
    passages = [unit((length, 384), seed) for seed, length in enumerate((3, 7, 0, 1))]
    TokenVectors.save(
        tmp_path, projection, [quantise_tokens(tokens, projection) for tokens in passages]
    )
    store = TokenVectors.load(tmp_path)
    query = project_query(unit((5, 384), 99), projection)

    def by_hand(tokens: np.ndarray) -> float:
        if not len(tokens):
            return 0.0
        low = tokens @ projection
        low /= np.linalg.norm(low, axis=1, keepdims=True)
        return float((query @ low.T).max(axis=1).mean())

    found = store.max_sim(query, np.arange(4))
    np.testing.assert_allclose(found, [by_hand(tokens) for tokens in passages], atol=0.004)
    np.testing.assert_array_equal(store.max_sim(query[:0], np.arange(4)), np.zeros(4))

"""Search over a small real index with the real encoder."""

import numpy as np
import pytest

from corpus.model import BlockKind
from indexer.encoders import Encoder
from indexer.open_index import open_current
from service.errors import BadFilter, BadQuery
from service.retriever import Mode, Retriever, SearchQuery, SearchResult
from service.settings import ServiceSettings


@pytest.fixture(scope="module")
def retriever(small_index: ServiceSettings, encoder: Encoder) -> Retriever:
    return Retriever(open_current(small_index.index_dir), encoder, small_index)


def ids(result: SearchResult) -> list[str]:
    return [hit.passage.document_id for hit in result.hits]


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical"])
def test_every_mode_finds_the_passage_that_says_it(retriever: Retriever, mode: Mode) -> None:
    result = retriever.search(SearchQuery("How many hives were counted in the census?", mode=mode))
    assert ids(result)[0] == "bee-census"


def test_meaning_is_found_without_a_common_word(retriever: Retriever) -> None:
    result = retriever.search(SearchQuery("insects that died in the cold season"))
    assert "18 per cent of their colonies" in result.hits[0].text


def test_results_are_slices_best_first_and_the_same_every_time(retriever: Retriever) -> None:
    query = SearchQuery("lighthouse lamp", top_k=50)
    first, second = retriever.search(query), retriever.search(query)
    assert first.hits == second.hits
    scores = [hit.scores.fused for hit in first.hits]
    assert scores == sorted(scores, reverse=True)
    for hit in first.hits:
        text = retriever.index.texts.get(hit.passage.text_sha256)
        assert text[hit.passage.start : hit.passage.end] == hit.text


def test_a_longer_list_begins_with_the_shorter_one(retriever: Retriever) -> None:
    many = retriever.search(SearchQuery("trains", top_k=8)).hits
    assert retriever.search(SearchQuery("trains", top_k=3)).hits == many[:3]


def test_a_quoted_phrase_must_occur_and_an_excluded_word_must_not(retriever: Retriever) -> None:
    with_phrase = retriever.search(SearchQuery('the "reading room"', top_k=50))
    assert set(ids(with_phrase)) == {"reading-rooms"}
    assert all("reading room" in hit.text.lower() for hit in with_phrase.hits)
    without = retriever.search(SearchQuery("keeper -lighthouse", top_k=50))
    assert not any("lighthouse " in hit.text for hit in without.hits)


def test_phrase_mode_takes_the_whole_query_word_for_word(retriever: Retriever) -> None:
    found = retriever.search(SearchQuery("harbour mouth", mode="phrase"))
    assert ids(found) == ["harbour-safety"]
    assert retriever.search(SearchQuery("mouth harbour", mode="phrase")).hits == ()


def test_a_filtered_search_returns_all_that_pass_and_nothing_else(retriever: Retriever) -> None:
    query = SearchQuery("anything", top_k=50, filters={"publisher": "Bureau of Insects"})
    result = retriever.search(query)
    table = retriever.index.passages
    exist = [
        row
        for row in range(len(table))
        if table.record(row).document_id == "bee-census" and table.kind(row) != BlockKind.HEADING
    ]
    assert sorted(hit.row for hit in result.hits) == exist
    assert (result.searched_documents, result.searched_passages) == (1, len(exist))


def test_as_of_leaves_out_what_came_later_and_what_has_no_date(retriever: Retriever) -> None:
    def dated(as_of: str) -> set[str]:
        return set(ids(retriever.search(SearchQuery("report", top_k=50, as_of=as_of))))

    assert dated("2022-12-31") == {"reading-rooms", "sleeper-study"}
    assert dated("2024-05-30") == {"reading-rooms", "sleeper-study", "bee-census"}
    assert "harbour-safety" in dated("2024")


def test_no_more_passages_of_one_document_than_asked_for(retriever: Retriever) -> None:
    query = SearchQuery("harbour lighthouse", top_k=4, max_passages_per_document=1)
    found = ids(retriever.search(query))
    assert len(found) == len(set(found)) == 4


def test_the_fused_score_is_the_weighted_sum_of_the_arms(retriever: Retriever) -> None:
    result = retriever.search(SearchQuery("mites", top_k=200))
    dense = np.array([hit.scores.dense for hit in result.hits], float)
    lexical = np.array([hit.scores.lexical for hit in result.hits], float)
    late = np.array([hit.scores.late_interaction for hit in result.hits], float)

    def stretch(scores: np.ndarray, low: float) -> np.ndarray:
        return (scores - low) / (scores.max() - low)

    weights = retriever.weights
    parts = (
        weights.weight_dense * stretch(dense, dense.min())
        + weights.weight_lexical * stretch(lexical, 0)
        + weights.weight_late_interaction * stretch(late, late.min())
    )
    total = weights.weight_dense + weights.weight_lexical + weights.weight_late_interaction
    np.testing.assert_allclose([hit.scores.fused for hit in result.hits], parts / total, atol=1e-5)


def test_highlights_are_the_spans_of_the_query_s_words(retriever: Retriever) -> None:
    hit = retriever.search(SearchQuery("automated lighthouses")).hits[0]
    assert {hit.text[start:end].lower() for start, end in hit.highlights} >= {
        "lighthouses",
        "automated",
    }


@pytest.mark.parametrize("query", ["", "   ", "?!", "\x00", "🤖"])
def test_a_query_without_a_word_is_refused(retriever: Retriever, query: str) -> None:
    with pytest.raises(BadQuery, match="no word"):
        retriever.search(SearchQuery(query))


@pytest.mark.parametrize(
    "query",
    [
        "the of and",
        "a",
        "x" * 100_000,
        "word " * 10_000,
        '"unbalanced',
        "title:(x OR",
        "مرحبا",
        "-x",
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "lexical", "phrase"])
def test_any_other_query_is_answered(retriever: Retriever, query: str, mode: Mode) -> None:
    retriever.search(SearchQuery(query, mode=mode))


def test_a_bad_filter_is_refused(retriever: Retriever) -> None:
    with pytest.raises(BadFilter):
        retriever.search(SearchQuery("x", filters={"year": {"$near": 1}}))


def test_a_filter_on_a_field_that_nothing_has_is_refused_and_the_known_ones_named(
    retriever: Retriever,
) -> None:
    with pytest.raises(BadFilter, match="colour") as caught:
        retriever.search(SearchQuery("x", filters={"$or": [{"colour": "green"}]}))
    assert "publisher" in caught.value.advice

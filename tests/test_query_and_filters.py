"""What a person types and what a developer filters by."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import BadFilter
from service.filters import compile_filter
from service.fusion import min_max, rank, reciprocal_ranks
from service.query import parse_query

NIST = {"publisher": "NIST", "year": 2024, "authors": ["Ada", "Grace"], "draft": False}


@pytest.mark.parametrize(
    ("query", "text", "phrases", "excluded"),
    [
        ("plain words", "plain words", (), ()),
        ('what is "red teaming" for', "what is red teaming for", ("red teaming",), ()),
        ("risk -health", "risk", (), ("health",)),
        ('risk -"health care" now', "risk now", (), ("health care",)),
        ("state-of-the-art - not", "state-of-the-art - not", (), ()),
        ('an "open quote', 'an "open quote', (), ()),
        ("“curly quotes” too", "curly quotes too", ("curly quotes",), ()),
    ],
)
def test_quoted_phrases_and_exclusions_are_understood(
    query: str, text: str, phrases: tuple[str, ...], excluded: tuple[str, ...]
) -> None:
    parsed = parse_query(query)
    assert (parsed.text, parsed.phrases, parsed.excluded) == (text, phrases, excluded)


@given(st.text())
def test_any_string_is_a_query(query: str) -> None:
    parse_query(query)


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        ({}, True),
        ({"publisher": "NIST"}, True),
        ({"publisher": {"$ne": "NIST"}}, False),
        ({"year": {"$gte": 2024, "$lt": 2025}}, True),
        ({"year": {"$gt": 2024}}, False),
        ({"year": "2024"}, False),
        ({"year": {"$gt": "2000"}}, False),
        ({"year": True}, False),
        ({"draft": False}, True),
        ({"draft": 0}, False),
        ({"authors": "Grace"}, True),
        ({"authors": {"$in": ["Linus", "Ada"]}}, True),
        ({"authors": {"$nin": ["Ada"]}}, False),
        ({"missing": "x"}, False),
        ({"missing": {"$ne": "x"}}, True),
        ({"missing": {"$nin": ["x"]}}, True),
        ({"$or": [{"year": 1}, {"publisher": "NIST"}]}, True),
        ({"$and": [{"year": 2024}, {"$or": []}]}, False),
    ],
)
def test_filters_pass_what_they_say(filters: dict[str, object], passes: bool) -> None:
    assert compile_filter(filters)(NIST) is passes


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"year": {"$near": 3}}, r"\$near"),
        ({"$not": {}}, r"\$not"),
        ({"$and": {"year": 1}}, r"\$and"),
        ({"year": {"$in": 3}}, r"\$in"),
        ({"year": None}, "year"),
        ({"year": {"$gt": [1]}}, "year"),
        ({"$or": [{"x": index} for index in range(500)]}, "200"),
    ],
)
def test_a_bad_filter_is_refused_and_the_part_named(filters: dict[str, object], names: str) -> None:
    with pytest.raises(BadFilter, match=names):
        compile_filter(filters)


def test_a_filter_nested_without_end_is_refused() -> None:
    filters: dict[str, object] = {"year": 1}
    for _ in range(50):
        filters = {"$and": [filters]}
    with pytest.raises(BadFilter, match="deep"):
        compile_filter(filters)


def test_scores_are_stretched_between_the_floor_and_the_best() -> None:
    # (2 - 0) / (4 - 0) = 0.5 with a floor of 0; (2 - 1) / (4 - 1) = 1/3 without
    scores = np.array([1, 2, 4], np.float32)
    np.testing.assert_allclose(min_max(scores, floor=0.0), [0.25, 0.5, 1])
    np.testing.assert_allclose(min_max(scores), [0, 1 / 3, 1])
    np.testing.assert_array_equal(min_max(np.full(3, 7, np.float32)), [0, 0, 0])


def test_reciprocal_ranks_count_from_one_and_skip_what_was_not_found() -> None:
    found = reciprocal_ranks(np.array([0.5, 0, 0.9], np.float32))
    np.testing.assert_allclose(found, [1 / 62, 0, 1 / 61])


def test_equal_scores_are_ranked_by_row() -> None:
    assert rank(np.array([9, 3, 5]), np.array([1, 1, 2], np.float32)).tolist() == [2, 1, 0]

"""Passages: slices in order, tiling the text, never longer than the encoder reads."""

import string

from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.builder import DocumentBuilder
from corpus.model import BlockKind, Document
from indexer.chunking import ChunkLimits, chunk_document, with_headings
from indexer.tokens import count_tokens

H, P, LI, TB = BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.LIST_ITEM, BlockKind.TABLE


def build(*blocks: tuple[BlockKind, str, int], title: str = "Report") -> Document:
    builder = DocumentBuilder()
    for kind, text, level in blocks:
        builder.add(kind, text, level=level)
    return Document("report", title, builder.text, "0" * 64, builder.blocks)


def by_words(most: int) -> ChunkLimits:
    """Limits that count words, so that sums can be done by hand."""
    return ChunkLimits(most, lambda text: len(text.split()), lambda text: True)


def texts(document: Document, limits: ChunkLimits) -> list[str]:
    return [document.text[p.start : p.end] for p in chunk_document(document, limits)]


def test_small_sections_become_one_passage_each_with_their_heading() -> None:
    document = build((H, "One", 2), (P, "a b c.", 0), (P, "d e.", 0), (H, "Two", 2), (P, "f g.", 0))
    assert texts(document, by_words(50)) == ["One\n\na b c.\n\nd e.", "Two\n\nf g."]


def test_a_heading_followed_by_a_deeper_one_stays_with_it() -> None:
    document = build((P, "Lead.", 0), (H, "One", 1), (H, "Deeper", 2), (P, "a b.", 0))
    passages = chunk_document(document, by_words(50))
    assert [p.section_path for p in passages] == [(), ("One", "Deeper")]


def test_the_title_is_not_part_of_the_section_path() -> None:
    document = build((H, "The Report: full title", 1), (H, "One", 2), (P, "a b.", 0))
    (passage,) = chunk_document(document, by_words(50))
    assert passage.section_path == ("One",)


def test_a_table_that_fits_is_not_parted_from_its_rows() -> None:
    rows = [(TB, f"Claim: c{n} | Level: low", 0) for n in range(4)]  # 5 words a row
    document = build((P, " ".join(["w"] * 25) + ".", 0), *rows)
    found = texts(document, by_words(30))
    assert found == [" ".join(["w"] * 25) + ".", "\n".join(text for _, text, _ in rows)]


def test_a_long_paragraph_is_parted_at_sentences() -> None:
    sentences = [" ".join(["word"] * 9) + f" end{n}." for n in range(6)]
    document = build((P, " ".join(sentences), 0))
    assert texts(document, by_words(25)) == [
        " ".join(sentences[0:2]),
        " ".join(sentences[2:4]),
        " ".join(sentences[4:6]),
    ]


def test_a_word_of_a_million_characters_is_cut_and_nothing_is_lost() -> None:
    document = build((P, "x" * 100_000, 0))
    limits = ChunkLimits(64, count_tokens, lambda text: len(text) < 500)
    found = texts(document, limits)
    assert "".join(found) == document.text
    assert max(map(len, found)) < 500


def test_references_are_never_in_a_passage_with_the_body() -> None:
    document = build((P, "a b.", 0), (BlockKind.REFERENCE, "[1] Someone 2024.", 0), (P, "c d.", 0))
    kinds = [p.passage_type for p in chunk_document(document, by_words(50))]
    assert kinds == [P, BlockKind.REFERENCE, P]


def test_metadata_of_a_record_is_laid_over_that_of_its_document() -> None:
    builder = DocumentBuilder()
    builder.add(P, "Something about audits.", metadata={"code": "2.4.1"})
    document = Document(
        "d", "T", builder.text, "0" * 64, builder.blocks, metadata={"year": 2025, "code": ""}
    )
    (passage,) = chunk_document(document, by_words(50))
    assert passage.metadata == {"year": 2025, "code": "2.4.1"}


def test_pages_of_a_passage_are_those_it_spans() -> None:
    builder = DocumentBuilder()
    builder.start_page("i")
    builder.add(P, "It begins here and")
    builder.start_page("ii")
    builder.extend("goes on there.")
    document = Document("d", "T", builder.text, "0" * 64, builder.blocks, builder.pages)
    (passage,) = chunk_document(document, by_words(50))
    assert (passage.page_start, passage.page_end, passage.page_label) == (1, 2, "i")


blocks = st.lists(
    st.tuples(
        st.sampled_from(list(BlockKind)),
        st.text(string.ascii_letters + " .!?\n漢é•-(1)", min_size=1, max_size=400),
        st.integers(0, 4),
    ),
    max_size=25,
)


@given(blocks, st.integers(5, 60))
@settings(max_examples=150, deadline=None)
def test_passages_tile_any_document_within_the_limits(
    parts: list[tuple[BlockKind, str, int]], most: int
) -> None:
    document = build(*parts)
    limits = ChunkLimits(most, count_tokens, lambda text: len(text) <= 300)
    at = 0
    for passage in chunk_document(document, limits):
        assert not document.text[at : passage.start].strip()
        text = document.text[passage.start : passage.end]
        assert text and text == text.strip()
        headed = with_headings(document.title, passage.section_path, text)
        assert len(text) == 1 or (count_tokens(text) <= most and len(headed) <= 300)
        at = passage.end
    assert not document.text[at:].strip()

"""The builder: offsets are right by construction, pages tile the text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.builder import DocumentBuilder, clean_text
from corpus.model import BlockKind

KINDS = st.sampled_from([kind for kind in BlockKind if kind is not BlockKind.CODE])
# Letters, marks and the white space that files hold.
PLAIN = st.text(st.sampled_from("aZé9 .,-\t\n\r\x0c\u00a0\u2014e\u0301"), max_size=40)


def build(*texts: str) -> DocumentBuilder:
    builder = DocumentBuilder()
    for text in texts:
        builder.add(BlockKind.PARAGRAPH, text)
    return builder


def test_every_block_slices_out_its_cleaned_text() -> None:
    builder = build("First  one,\nwrapped.", "Second.")
    assert [builder.text[block.start : block.end] for block in builder.blocks] == [
        "First one, wrapped.",
        "Second.",
    ]


def test_paragraphs_are_parted_by_an_empty_line_and_items_and_rows_by_a_line_feed() -> None:
    builder = DocumentBuilder()
    builder.add(BlockKind.PARAGRAPH, "p")
    builder.add(BlockKind.LIST_ITEM, "a")
    builder.add(BlockKind.LIST_ITEM, "b")
    builder.add(BlockKind.TABLE, "x: 1")
    builder.add(BlockKind.TABLE, "x: 2")
    assert builder.text == "p\n\na\nb\n\nx: 1\nx: 2"


def test_empty_text_adds_no_block_and_says_so() -> None:
    builder = DocumentBuilder()
    assert builder.add(BlockKind.PARAGRAPH, " \u200b\n") is False
    assert builder.blocks == () and builder.text == ""


def test_code_keeps_its_lines_and_indent() -> None:
    builder = DocumentBuilder()
    builder.add(BlockKind.CODE, "if x:\n\ty = 1  \n")
    assert builder.text == "if x:\n    y = 1"


def test_a_block_extended_over_a_page_break_keeps_the_page_it_began_on() -> None:
    builder = DocumentBuilder()
    builder.start_page("i")
    builder.add(BlockKind.PARAGRAPH, "It goes")
    builder.start_page("ii")
    builder.extend("on here.")
    (block,) = builder.blocks
    assert builder.text[block.start : block.end] == "It goes on here."
    assert block.page == 1
    first, second = builder.pages
    assert builder.text[second.start : second.end] == "on here."
    assert (first.end, second.label) == (second.start, "ii")


def test_extending_nothing_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no block to extend"):
        DocumentBuilder().extend("more")


def test_a_page_without_text_is_empty_and_in_its_place() -> None:
    builder = DocumentBuilder()
    for label, text in (("1", ""), ("2", "two"), ("3", ""), ("4", "four")):
        builder.start_page(label)
        builder.add(BlockKind.PARAGRAPH, text)
    assert [builder.text[page.start : page.end].strip() for page in builder.pages] == [
        "",
        "two",
        "",
        "four",
    ]


def test_soft_hyphens_and_control_characters_go_and_accents_are_composed() -> None:
    assert clean_text("regu\u00adlation\x07 cafe\u0301") == "regulation caf\u00e9"


def test_a_text_without_pages_has_none() -> None:
    assert build("text").pages == ()


def test_an_accent_after_a_dropped_character_is_composed_too() -> None:
    assert clean_text("cafe\u200b\u0301") == "caf\u00e9"


def test_a_line_separator_parts_words() -> None:
    assert clean_text("one\u2028two") == "one two"


@given(st.lists(st.tuples(KINDS, PLAIN, st.booleans()), max_size=12))
def test_blocks_and_pages_tile_the_text(parts: list[tuple[BlockKind, str, bool]]) -> None:
    builder = DocumentBuilder()
    builder.start_page("1")
    for number, (kind, text, turns) in enumerate(parts, start=2):
        if turns:
            builder.start_page(str(number))
        builder.add(kind, text)
    text, last = builder.text, 0
    for block in builder.blocks:
        assert last <= block.start < block.end <= len(text)
        assert not text[last : block.start].strip()
        last = block.end
    assert last == len(text)
    assert unicodedata.is_normalized("NFC", text)
    starts = [page.start for page in builder.pages]
    assert starts == sorted(starts) and starts[0] == 0
    assert [page.end for page in builder.pages] == [*starts[1:], len(text)]
    for block in builder.blocks:
        assert block.page is not None
        page = builder.pages[block.page - 1]
        assert page.start <= block.start < page.end

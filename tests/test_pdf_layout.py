"""The steps between PDFium's lines and blocks, on lines written by hand."""

from collections import Counter

import pytest

from corpus.model import BlockKind
from corpus.readers.pdf_layout import (
    LINE_HYPHEN,
    Line,
    Measures,
    PageLines,
    measure,
    merge_fragments,
    split_paragraphs,
)
from corpus.readers.pdf_pieces import Piece, write_pieces
from corpus.readers.pdf_regions import find_contents, split_notes
from corpus.readers.pdf_running import drop_running_lines, page_labels
from corpus.readers.pdf_words import Words, clean_signs, join_lines, keeps_hyphen, learn_words


def line(text: str, y: float = 500, x: float = 50, **more: float | bool) -> Line:
    """A line in 10 points, every character 5 points wide."""
    size = float(more.pop("size", 10.0))
    return Line(text, x, y, x + 0.5 * size * len(text), y + size, size, **more)  # type: ignore[arg-type]


def page(number: int, *lines: Line) -> PageLines:
    return PageLines(number, "", 800, lines)


def test_headings_that_count_like_pages_do_not_run() -> None:
    # Articles 33 to 38 begin six pages in a row, as in the AI Act.
    pages = [page(n, line(f"Article {n + 30}", 780), line("Text.", 700)) for n in range(3, 9)]
    kept, labels = drop_running_lines(pages)
    assert kept == pages
    assert labels == {}


def test_same_heading_on_distant_pages_does_not_run() -> None:
    pages = [
        page(n, line("Section 2" if n in (10, 60, 70) else f"Text {n % 7} {n // 7}.", 780))
        for n in range(1, 81)
    ]
    kept, _ = drop_running_lines(pages)
    assert sum(p.lines[0].text == "Section 2" for p in kept if p.lines) == 3


def test_head_of_one_chapter_runs_on_its_pages() -> None:
    pages = [
        page(
            n,
            line("Risks" if 4 <= n <= 8 else f"Words of their own {chr(96 + n)}", 780),
            line("Body.", 400 + n),
        )
        for n in range(1, 20)
    ]
    kept, _ = drop_running_lines(pages)
    assert [len(p.lines) for p in kept] == [1 if 4 <= n <= 8 else 2 for n in range(1, 20)]


def test_even_and_odd_feet_with_page_numbers_run_and_give_labels() -> None:
    pages = [
        page(
            n,
            line("Body.", 400 + 3 * n),
            line(f"{n + 100} Federal Register" if n % 2 else f"Vol. 88 No. 210 {n + 100}", 30),
        )
        for n in range(1, 13)
    ]
    kept, printed = drop_running_lines(pages)
    assert all(len(p.lines) == 1 for p in kept)
    assert page_labels(pages, printed) == [str(n + 100) for n in range(1, 13)]


def test_roman_page_numbers_are_labels() -> None:
    numerals = ["i", "ii", "iii", "iv", "v", "vi"]
    pages = [page(n, line("Body.", 400 + 9 * n), line(numerals[n - 1], 30)) for n in range(1, 7)]
    kept, printed = drop_running_lines(pages)
    assert page_labels(kept, printed) == numerals


def test_page_without_a_number_takes_the_one_it_is_counted_as() -> None:
    pages = [page(n, line("Body.")) for n in range(1, 6)]
    assert page_labels(pages, {3: "1", 5: "3"}) == ["1", "2", "3", "4", "5"]  # Too few to trust.
    assert page_labels(pages, {3: "1", 4: "2", 5: "3"}) == ["[1]", "[2]", "1", "2", "3"]


def test_pages_that_all_say_the_same_keep_their_text() -> None:
    pages = [page(n, line("Potato", 780)) for n in range(1, 5)]
    assert drop_running_lines(pages) == (pages, {})


def test_word_and_the_comma_after_its_note_are_one_line() -> None:
    first = line("29 December 20211", x=50)
    merged = merge_fragments([first, line(", and later", x=first.x1 + 0.5)])
    assert [each.text for each in merged] == ["29 December 20211, and later"]


def test_cells_of_a_table_stay_apart() -> None:
    assert len(merge_fragments([line("Cell", x=50), line("Other cell", x=200)])) == 2


def test_indent_begins_a_paragraph_and_hanging_lines_go_on() -> None:
    indented = [
        line("The first paragraph of the text has a full line and goes on", 500),
        line("with a second line that is just as long as the one above it", 488),
        line("Then an indent begins the next one, which is long as well", 476, x=60),
    ]
    assert [len(p.lines) for p in split_paragraphs(indented, Measures(10))] == [2, 1]
    hanging = [
        line("(1) The first item is long enough for one more line below it,", 500),
        line("which hangs under its text and is about as long as it is;", 488, x=70),
        line("(2) the second item.", 476),
    ]
    assert [len(p.lines) for p in split_paragraphs(hanging, Measures(10))] == [2, 1]


def test_dash_at_the_head_of_a_line_does_not_end_a_sentence() -> None:
    lines = [
        line("We think this approach offers critical adaptability", 500),
        line("– especially while we are still establishing it – but we", 488),
    ]
    assert len(split_paragraphs(lines, Measures(10))) == 1


def test_raised_number_at_the_foot_is_a_note_even_in_the_size_of_the_text() -> None:
    lines = [line(f"Body line number {n}", 700 - 12 * n) for n in range(5)]
    note = line("7 Regulation (EC) No 765/2008", 90, raised=True)
    rest = line("setting out the requirements", 78)
    body, notes = split_notes(page(1, *lines, note, rest), measure([page(1, *lines)]))
    assert body == lines
    assert notes == [[note, rest]]


def test_page_of_references_in_small_type_is_not_all_notes() -> None:
    lines = [line(f"{n} A. Author, Title, 20{n}.", 700 - 12 * n, size=8) for n in range(10, 40)]
    assert split_notes(page(1, *lines), Measures(10))[1] == []


def test_sentences_that_end_in_years_are_no_contents() -> None:
    lines = [line(f"It was published in 20{n}", 700 - 12 * n) for n in range(10, 30)]
    assert find_contents(lines, after_contents=False) == set()
    assert find_contents([line("Contents", 700), *lines], after_contents=False) == set(range(1, 21))


@pytest.mark.parametrize(
    ("left", "right", "kept"),
    [
        ("compa", "red,", False),  # Known as one word.
        ("high", "risk", True),  # Known as a compound.
        ("risk-mitiga", "tion", False),  # Its last part is known.
        ("AI", "predicted", True),
        ("human-in-the", "loop", True),
        ("self", "determination", True),
        ("tech", "nological", False),
        ("rights", "respecting", True),  # Two words of the document.
        ("https://example.org/a", "b", True),
    ],
)
def test_hyphen_at_the_end_of_a_line(left: str, right: str, kept: bool) -> None:
    known = "compared high-risk mitigation rights respecting"
    words = Words(Counter(known.split()), Counter(high=1), breaks_words=True)
    assert keeps_hyphen(left, right, words) is kept


def test_document_that_breaks_no_words_keeps_every_unknown_hyphen() -> None:
    lines = [
        line("a long" + LINE_HYPHEN),
        line("term plan, which is long-term, and a human" + LINE_HYPHEN),
        line("centric one"),
    ]
    words = learn_words(lines)
    assert not words.breaks_words
    joined = join_lines([each.text for each in lines], words)
    assert joined == "a long-term plan, which is long-term, and a human-centric one"


def test_private_signs_and_ligatures_are_cleaned() -> None:
    assert clean_signs("\uf0b7 e\ufb03cient \U000f0000\ufb02ow\x02") == " efficient flow"


def test_piece_that_is_empty_once_cleaned_does_not_lengthen_the_one_before() -> None:
    pieces = [
        Piece(BlockKind.PARAGRAPH, ((1, "First."),)),
        Piece(BlockKind.PARAGRAPH, ((1, "\u200b"), (2, "second."))),
    ]
    builder = write_pieces(pieces, ["1", "2", "3"])
    assert builder.text == "First.\n\nsecond."
    assert [p.label for p in builder.pages] == ["1", "2", "3"]

"""The PDF reader against small PDFs written by hand, and against 1,083 pages of real reports."""

import json
import random
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from corpus.errors import ReadError
from corpus.model import BlockKind, Page
from corpus.readers.base import Reading
from corpus.readers.pdf import read_pdf
from make_pdfs import FIXTURES, all_fixtures

# No mark of PDFium's and no private-use sign may be left in a canonical text.
STRAY = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ue000-\uf8ff\ufb00-\ufb06\ufffe\uffff]")


def read(name: str) -> Reading:
    return read_pdf((FIXTURES / name).read_bytes())


def blocks_of(reading: Reading, kind: BlockKind) -> list[str]:
    return [reading.text[b.start : b.end] for b in reading.blocks if b.kind is kind]


def slice_of(reading: Reading, page: Page, margin: int = 0) -> str:
    return reading.text[max(0, page.start - margin) : page.end + margin]


def assert_well_formed(reading: Reading) -> None:
    """Blocks in order with white space between, pages tiling the text."""
    end = 0
    for block in reading.blocks:
        assert not reading.text[end : block.start].strip()
        assert end <= block.start < block.end
        end = block.end
    assert end == len(reading.text)
    assert [page.start for page in reading.pages] == [
        0,
        *[page.end for page in reading.pages[:-1]],
    ]
    assert reading.pages[-1].end == len(reading.text)


# --- a report written for the purpose --------------------------------------------------------


@pytest.fixture(scope="module")
def report() -> Reading:
    return read("report.pdf")


def test_fixtures_are_what_the_script_writes() -> None:
    for name, data in all_fixtures().items():
        assert (FIXTURES / name).read_bytes() == data, f"{name}: run python tests/make_pdfs.py"


def test_blocks_and_pages_tile_the_text(report: Reading) -> None:
    assert_well_formed(report)
    assert report.warnings == ()


def test_headings_have_the_level_of_their_bookmark_or_of_their_style(report: Reading) -> None:
    headings = [
        (b.level, report.text[b.start : b.end])
        for b in report.blocks
        if b.kind is BlockKind.HEADING
    ]
    assert headings == [
        (1, "Testing Automated Systems"),
        (1, "Contents"),
        (1, "1 Findings"),
        (2, "1.1 Method"),
        (3, "Costs"),  # Bold in the size of the text, so below what is larger.
        (1, "References"),
    ]


def test_running_head_and_page_numbers_are_left_out(report: Reading) -> None:
    assert "Institute of Tests" not in report.text
    assert "Page" not in report.text


def test_printed_page_numbers_are_the_labels(report: Reading) -> None:
    assert [p.label for p in report.pages] == ["[1]", "1", "2", "3", "4"]


def test_broken_words_are_joined_and_compounds_keep_their_hyphen(report: Reading) -> None:
    assert "results were compared with those" in report.text
    assert "wrote their know-how down" in report.text
    assert "before and after training.1" in report.text


def test_ligatures_are_spelled_out_and_odd_signs_are_gone(report: Reading) -> None:
    assert "The final rate is the mean of both." in report.text
    assert not STRAY.search(report.text)


def test_bullets_of_symbol_fonts_become_list_items_without_the_glyph(report: Reading) -> None:
    assert blocks_of(report, BlockKind.LIST_ITEM) == [
        "the first item of a list, which is long enough to go on in a line.",
        "the second item;",
        "(a) a lettered item, which is long enough to go on in a line.",
    ]


def test_sentence_goes_on_over_the_page_break_past_a_footnote(report: Reading) -> None:
    sentence = "so that they could not be compared and were left out of the mean."
    start = report.text.index(sentence)
    block = next(b for b in report.blocks if b.start <= start < b.end)
    third, fourth = report.pages[2:4]
    assert block.page == 3
    assert start < fourth.start < start + len(sentence)
    assert slice_of(report, fourth).startswith("pared and were left out")
    assert blocks_of(report, BlockKind.FOOTNOTE) == ["1 Training lasted four weeks."]
    assert "1 Training lasted four weeks." in slice_of(report, third)


def test_contents_captions_and_references_are_told_apart(report: Reading) -> None:
    assert blocks_of(report, BlockKind.CONTENTS) == [
        "1 Findings … 1",
        "1.1 Method … 1",
        "References … 3",
    ]
    assert blocks_of(report, BlockKind.CAPTION) == ["Figure 1. Error rate by laboratory"]
    assert [text[:12] for text in blocks_of(report, BlockKind.REFERENCE)] == [
        "1. A. Author",
        "2. B. Writer",
    ]


def test_metadata_holds_title_authors_and_the_date_the_file_was_made(report: Reading) -> None:
    assert report.metadata == {
        "title": "Testing Automated Systems",
        "authors": ["Ada Author", "Institute of Tests"],
        "pdf_created": "2025-03-01",
    }


def test_labels_in_the_file_come_before_anything_printed() -> None:
    assert [p.label for p in read("labels.pdf").pages] == ["i", "1", "2"]


def test_sentence_goes_on_in_the_next_column() -> None:
    text = read("columns.pdf").text
    assert "a sentence that goes on at the head of the right one, where it ends." in text


def test_title_is_the_largest_heading_where_the_file_names_none() -> None:
    assert read("columns.pdf").metadata["title"] == "Two columns"


def test_turned_page_reads_as_its_reader_sees_it() -> None:
    text = read("rotated.pdf").text
    assert text == "A Turned Page\n\nThe first line of a paragraph that is two lines long."


# --- what cannot be read ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("encrypted.pdf", "encrypted and needs a password"),
        ("scan.pdf", "no text layer on any page: a scan; needs OCR"),
        ("blank.pdf", "every page is blank"),
        ("no-pages.pdf", "damaged: the PDF has no pages"),
    ],
)
def test_unreadable_file_is_refused_in_one_line_that_says_why(name: str, reason: str) -> None:
    with pytest.raises(ReadError, match=reason) as caught:
        read(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"Not a PDF at all.", b"\x00" * 1000])
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(ReadError):
        read_pdf(data)


def test_bad_page_is_named_and_the_others_are_read() -> None:
    reading = read("broken-page.pdf")
    assert len(reading.pages) == 3
    assert [w for w in reading.warnings if w.startswith("page 2 could not be read")]
    assert "page one" in reading.text
    assert "page three" in reading.text
    assert slice_of(reading, reading.pages[1]) == ""


def test_pages_that_are_only_pictures_are_named() -> None:
    reading = read("partly-scan.pdf")
    assert reading.warnings == ("only pictures, no text, on 1 of 2 pages: 2",)


def test_pages_over_the_limit_are_left_out_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.readers.pdf.MAX_PAGES", 2)
    reading = read("report.pdf")
    assert len(reading.pages) == 2
    assert reading.warnings[0].startswith("pages after 2 of 5 were left out")


def test_damaged_bytes_give_a_reading_or_a_read_error_and_nothing_else() -> None:
    # 150 seeded damages; 6,300 of them over all of badfiles/ raised nothing else either.
    chance = random.Random(7)  # noqa: S311
    original = (FIXTURES / "report.pdf").read_bytes()
    outcomes: Counter[bool] = Counter()
    for _ in range(150):
        data = bytearray(original)
        for _ in range(chance.choice([1, 10, 100])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            assert_well_formed(read_pdf(bytes(data)))
            outcomes[True] += 1
        except ReadError:
            outcomes[False] += 1
    assert min(outcomes[True], outcomes[False]) > 10


# --- real reports --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reports(shared: Path) -> dict[str, Reading]:
    """All 18 reports, by file name; 15 to 35 seconds on the two slow cores this was written on."""
    folder = shared / "reports" / "pdf"
    return {path.name: read_pdf(path.read_bytes()) for path in sorted(folder.glob("*.pdf"))}


def headings_of(reading: Reading) -> list[tuple[int, str]]:
    return [
        (b.level, reading.text[b.start : b.end])
        for b in reading.blocks
        if b.kind is BlockKind.HEADING
    ]


@pytest.mark.shared
@pytest.mark.slow
def test_every_report_is_well_formed_and_clean(reports: dict[str, Reading]) -> None:
    assert len(reports) == 18
    for name, reading in reports.items():
        assert_well_formed(reading)
        assert not STRAY.search(reading.text), name
        assert reading.warnings == (), name


@pytest.mark.shared
@pytest.mark.slow
def test_gold_quotes_stand_on_their_pages(reports: dict[str, Reading], shared: Path) -> None:
    found = total = 0
    for path in sorted((shared / "evalset").glob("*.jsonl")):
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
            for gold in row.get("gold") or []:
                if gold["file"] not in reports:
                    continue
                reading = reports[gold["file"]]
                # 300: a paragraph that goes on overleaf may carry the quote over the edge.
                around = slice_of(reading, reading.pages[gold["page"] - 1], margin=300)
                total += 1
                found += " ".join(gold["quote"].split()) in " ".join(around.split())
    assert total > 100
    assert found / total >= 0.98  # Measured: 118 of 118.


@pytest.mark.shared
@pytest.mark.slow
def test_running_lines_are_gone_from_real_reports(reports: dict[str, Reading]) -> None:
    running = {
        "UK__International": "International Scientific Report on the Safety of Advanced AI: Int",
        "UK__Pro-Innovation": "A pro-innovation approach to AI regulation: government response",
        "USA__NIST-AI-RMF": "NIST AI 100-1 AI RMF 1.0",
        "USA__EO-14110": "Federal Register / Vol. 88",
        "USA__EO": "VerDate Sep",
    }
    pages = left = 0
    for name, reading in reports.items():
        for each in reading.pages:
            text = slice_of(reading, each)
            lines = [part for part in text.split("\n") if part.strip()]
            pages += 1
            numbered = lines and re.fullmatch(r"\W*(Page )?\d{1,5}\W*", lines[-1])
            heads = [head for start, head in running.items() if name.startswith(start)]
            left += bool(numbered) or any(head in text for head in heads)
    assert left / pages < 0.01  # Measured: 3 of 1,083, a title page and a citation among them.


@pytest.mark.shared
@pytest.mark.slow
def test_ai_act_has_all_its_articles_under_their_chapters(reports: dict[str, Reading]) -> None:
    headings = headings_of(reports["EU__EU-AI-Act-Regulation-2024-1689.pdf"])
    articles = [h for h in headings if re.match(r"Article \d+ \w", h[1])]
    assert [int(text.split()[1]) for _, text in articles] == list(range(1, 114))
    assert len({level for level, _ in articles}) == 1
    chapters = [h for h in headings if h[1].startswith("CHAPTER")]
    assert len(chapters) == 13
    assert {level for level, _ in chapters} == {1}
    assert sum(text.startswith("ANNEX") for _, text in headings) == 13
    assert (2, "Section 2 Obligations for providers of general-purpose AI models") in headings
    assert "Article 5 Prohibited AI Practices" in [text for _, text in headings]


@pytest.mark.shared
@pytest.mark.slow
def test_nist_framework_has_the_outline_of_its_bookmarks(reports: dict[str, Reading]) -> None:
    headings = headings_of(reports["USA__NIST-AI-RMF-1.0-Jan-2023.pdf"])
    for expected in (
        (1, "Executive Summary"),
        (1, "Part 1: Foundational Information"),
        (2, "1.2 Challenges for AI Risk Management"),
        (3, "1.2.2 Risk Tolerance"),
        (2, "3.7 Fair – with Harmful Bias Managed"),
        (1, "Appendix D: Attributes of the AI RMF"),
    ):
        assert expected in headings
    assert reports["USA__NIST-AI-RMF-1.0-Jan-2023.pdf"].pages[11].label == "7"


@pytest.mark.shared
@pytest.mark.slow
def test_code_of_practice_has_ten_commitments_over_their_measures(
    reports: dict[str, Reading],
) -> None:
    headings = headings_of(reports["EU__GPAI-Code-of-Practice-Safety-Security-Jul-2025.pdf"])
    assert [level for level, text in headings if text.startswith("Commitment")] == [1] * 10
    measures = [text for level, text in headings if level == 2 and text.startswith("Measure")]
    assert measures[0] == "Measure 1.1 Creating the Framework"
    assert len(measures) == 32


@pytest.mark.shared
@pytest.mark.slow
def test_executive_order_has_run_in_headings_and_its_own_page_numbers(
    reports: dict[str, Reading],
) -> None:
    order = reports["USA__EO-14110-AI-Safe-Secure-Trustworthy-Oct-2023.pdf"]
    headings = headings_of(order)
    sections = [text for level, text in headings if level == 1 and re.match(r"Sec", text)]
    assert len(sections) == 13
    assert (2, "4.2. Ensuring Safe and Reliable AI.") in headings
    assert order.pages[5].label == "75196"


@pytest.mark.shared
@pytest.mark.slow
def test_numbered_references_are_one_block_each(reports: dict[str, Reading]) -> None:
    name = "UK__International-Scientific-Report-Safety-Advanced-AI-May-2024.pdf"
    numbers = [
        int(match[1])
        for text in blocks_of(reports[name], BlockKind.REFERENCE)
        if (match := re.match(r"(\d+)\.", text))
    ]
    assert len(set(numbers) & set(range(1, 847))) > 840  # The report has 846.


@pytest.mark.shared
@pytest.mark.slow
def test_every_bad_file_gives_a_reading_or_a_read_error_in_time(shared: Path) -> None:
    paths = sorted((shared / "badfiles" / "pdf").glob("*.pdf"))
    assert len(paths) > 50
    readable = 0
    for path in paths:
        start = time.monotonic()
        try:
            assert_well_formed(read_pdf(path.read_bytes()))
            readable += 1
        except ReadError as error:
            assert "\n" not in str(error), path.name
        assert time.monotonic() - start < 20, path.name  # Measured: 0.4 s at most.
    assert readable > 30

"""The readers of Markdown, catalogue pages, plain text and HTML, and reading a file whatever it is.

Every fixture here is invented; what is real is marked `shared`.
"""

import csv
import json
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import REPOSITORY
from corpus.checks import check_document
from corpus.decoding import decode_text
from corpus.errors import ReadError
from corpus.model import Block, BlockKind, Document
from corpus.notices import find_notices
from corpus.readers.base import Reader, Reading
from corpus.readers.catalogue import looks_like_catalogue, read_catalogue
from corpus.readers.html import read_html
from corpus.readers.markdown import read_markdown
from corpus.readers.text import read_text
from corpus.reading import read_document
from corpus.sources import SourceFile, discover_sources


def texts(reading: Reading | Document, kind: BlockKind | None = None) -> list[str]:
    """The text of each block, or of those of one kind."""
    return [
        reading.text[block.start : block.end]
        for block in reading.blocks
        if kind is None or block.kind is kind
    ]


def find(reading: Reading | Document, beginning: str) -> Block:
    """The one block that begins so."""
    (block,) = [b for b in reading.blocks if reading.text[b.start : b.end].startswith(beginning)]
    return block


def as_document(reading: Reading) -> Document:
    return Document(
        document_id="d",
        title="t",
        text=reading.text,
        source_sha256="0" * 64,
        blocks=reading.blocks,
        pages=reading.pages,
        metadata={**reading.metadata, "source": "d.md"},
    )


def markdown(text: str) -> Reading:
    return read_markdown(text.encode())


def plain(text: str) -> Reading:
    return read_text(text.encode())


# Markdown


def test_markup_is_reduced_to_its_text() -> None:
    reading = markdown(
        "A *bold* [link](https://x.org) and `code`, <b>raw</b> ![seen](a.png) ~~x~~."
    )
    assert reading.text == "A bold link and code, raw seen x."


def test_headings_have_levels_and_a_title_stays_a_heading() -> None:
    reading = markdown("---\ntitle: Wells\n---\n# Wells\n\nText.\n\nDepth\n-----\n")
    assert [(b.kind, b.level) for b in reading.blocks] == [
        (BlockKind.HEADING, 1),
        (BlockKind.PARAGRAPH, 0),
        (BlockKind.HEADING, 2),
    ]
    assert reading.metadata == {"title": "Wells"}


def test_list_items_nest_and_numbered_ones_keep_their_numbers() -> None:
    reading = markdown("3. three\n4. four\n   - inner\n\n     more of inner\n")
    assert [(texts(reading)[i], b.level) for i, b in enumerate(reading.blocks)] == [
        ("3. three", 0),
        ("4. four", 0),
        ("inner", 1),
        ("more of inner", 1),
    ]


def test_each_table_row_is_a_block_that_stands_alone() -> None:
    reading = markdown("| Claim | Level |\n|---|---|\n| It rains \\| pours | Low |\n| Dry | |\n")
    assert texts(reading, BlockKind.TABLE) == ["Claim: It rains | pours | Level: Low", "Claim: Dry"]


def test_a_table_without_rows_keeps_its_header_as_text() -> None:
    assert texts(markdown("| A | B |\n|---|---|\n")) == ["A | B"]


def test_code_keeps_its_lines() -> None:
    reading = markdown("```\na\n  b\n```\n")
    assert texts(reading, BlockKind.CODE) == ["a\n  b"]


def test_html_in_markdown_gives_its_text_and_no_script() -> None:
    reading = markdown("<div>Kept &amp; plain</div>\n\n<script>\nalert(1)\n</script>\n\nEnd.\n")
    assert texts(reading) == ["Kept & plain", "End."]


def test_front_matter_becomes_metadata_with_dates_as_text_and_identifiers_untouched() -> None:
    reading = markdown(
        "---\ntitle: 2025\ndate: 2025-01-29\nissued: 2024-02-03\narxiv_id: 2501.10010\n"
        "pages: 12\nlanguage: no\ntags: [a, 2]\nempty: ''\nnothing:\nlist: []\n"
        "nested: {a: 1}\nauthor: A. Smith; B. Jones\n---\nText.\n"
    )
    assert reading.metadata == {
        "title": "2025",
        "date": "2025-01-29",
        "issued": "2024-02-03",
        "arxiv_id": "2501.10010",
        "pages": 12,
        "language": "no",
        "tags": ["a", "2"],
        "authors": ["A. Smith", "B. Jones"],
    }
    assert len(reading.warnings) == 1 and "nested" in reading.warnings[0]


def test_malformed_front_matter_is_a_warning_and_the_text_is_still_read() -> None:
    reading = markdown("---\ntitle: Wells: a survey\ntags: [a\n---\n# Wells\n\nText.\n")
    assert texts(reading) == ["Wells", "Text."]
    assert reading.metadata == {"title": "Wells: a survey"}
    assert "not valid YAML" in reading.warnings[0]


@pytest.mark.parametrize(
    "front",
    [
        "a: &a [x]\nb: *a",
        "d: 2025-99-99",
        "n: .nan",
        's: "\\ud800"',
        "x: !!python/object:os.system 1",
    ],
)
def test_strange_front_matter_gives_metadata_that_can_be_written(front: str) -> None:
    reading = markdown(f"---\n{front}\n---\nText.\n")
    json.dumps(dict(reading.metadata), allow_nan=False).encode()
    assert texts(reading) == ["Text."]


def test_a_rule_above_prose_is_no_front_matter() -> None:
    reading = markdown("---\nJust prose: with a colon: or two\n---\nMore.\n")
    assert "Just prose: with a colon: or two" in reading.text
    assert reading.metadata == {}


def test_a_digests_blocks_carry_the_pinpoints_they_end_in() -> None:
    reading = markdown(
        "---\npinpoints: pdf-page\n---\n"
        "One. (pp. 34–35)\n\nTwo (p. 7).\n\n- three (p. 8)\n\nNone (sadly).\n\n"
        "| What | Page |\n|---|---|\n| Four | p. 9 |\n"
    )
    assert [block.pinpoint for block in reading.blocks] == [
        "pp. 34–35",
        "p. 7",
        "p. 8",
        None,
        "p. 9",
    ]
    assert texts(reading)[1] == "Two (p. 7)."


def test_other_kinds_of_pinpoint_take_any_closing_bracket_and_no_pinpoints_take_none() -> None:
    body = "One (record 2.4.1, Wells (old)).\n\nTwo (abstract)\n"
    reading = markdown(f"---\npinpoints: record\n---\n{body}")
    assert [b.pinpoint for b in reading.blocks] == ["record 2.4.1, Wells (old)", "abstract"]
    assert [b.pinpoint for b in markdown(body).blocks] == [None, None]


def test_markdown_notices_come_from_front_matter_or_from_the_top_but_not_of_a_digest() -> None:
    assert markdown("---\nnotices: [Draft.]\n---\nText.").notices == ("Draft.",)
    assert markdown("> Working draft, do not cite.\n\nText.").notices == (
        "Working draft, do not cite.",
    )
    assert (
        markdown("---\npinpoints: page\n---\nThe draft is not for citation (p. 1).").notices == ()
    )


def test_markdown_without_text_is_refused() -> None:
    with pytest.raises(ReadError, match="no text"):
        markdown("---\ntitle: T\n---\n\n***\n")


# Catalogue pages

CATALOGUE = """\
This page is still being polished.
Figures are preliminary and may change. Please do not share or cite them.
Ways of keeping bees, from hive to honey, as one survey lists them.
Also in Farming
Swarm watching
Watching for swarms early lets a keeper divide a colony before it leaves (Ash, Birch-A).
2.4.1 Field & ForestQueen rearing
Rearing queens gives a keeper stock to choose from. DeepHive does so too.
It takes a month.
1.2.9 OtherDeepHive monitoring of hives
Sensors inside the hive report its weight and its warmth every hour of the day.
2.4.1 Field & ForestHive Health
Hive health is a matter of mites, of food, and of damp (Cedar).
2.2.1 Hive HealthHive Health > Mite counts
Counting mites on a board tells how many there are.
3.1 MethodsHive Health > varroa treatment
Treatment follows the count.
3.1 MethodsThe Keepers' Survey of Practices
Ash, Anna; Birch, Bo; Ó Cedar, Cara (2024)
This is the abstract of another survey, which counts keepers and not bees at all.
Keeper
One who keeps bees
"""


def catalogue() -> Reading:
    return read_catalogue(CATALOGUE.encode())


def records(reading: Reading) -> list[tuple[str, ...]]:
    return [
        tuple(str(b.metadata[key]) for key in ("record_name", "parent", "code", "category"))
        for b in reading.blocks
        if b.kind is BlockKind.HEADING and b.metadata
    ]


def test_glued_records_are_parted_with_their_codes_and_categories() -> None:
    assert records(catalogue()) == [
        ("Swarm watching", "", "2.4.1", "Field & Forest"),
        ("Queen rearing", "", "1.2.9", "Other"),
        ("DeepHive monitoring of hives", "", "2.4.1", "Field & Forest"),
        ("Hive Health", "", "2.2.1", "Hive Health"),
        ("Mite counts", "Hive Health", "3.1", "Methods"),
        ("varroa treatment", "Hive Health", "3.1", "Methods"),
    ]


def test_every_block_of_a_record_carries_its_metadata_and_the_text_its_code() -> None:
    reading = catalogue()
    mine = [b for b in reading.blocks if b.metadata.get("record_name") == "Queen rearing"]
    assert [reading.text[b.start : b.end] for b in mine] == [
        "Queen rearing",
        "Rearing queens gives a keeper stock to choose from. DeepHive does so too.",
        "It takes a month.",
        "1.2.9 Other",
    ]
    assert all(b.metadata["code"] == "1.2.9" for b in mine)


def test_the_catalogues_source_and_notices_become_the_documents() -> None:
    reading = catalogue()
    assert reading.metadata == {
        "title": "The Keepers' Survey of Practices",
        "authors": ["Ash, Anna", "Birch, Bo", "Ó Cedar, Cara"],
        "year": 2024,
        "date": "2024",
    }
    assert reading.notices == tuple(CATALOGUE.splitlines()[:2])


def test_what_belongs_to_no_record_is_kept_under_its_labels_without_metadata() -> None:
    reading = catalogue()
    assert find(reading, "This is the abstract").metadata == {}
    assert find(reading, "Keeper").kind is BlockKind.HEADING
    assert find(reading, "One who keeps bees").kind is BlockKind.PARAGRAPH
    assert find(reading, "Ways of keeping bees").metadata == {}


def test_no_line_of_a_catalogue_is_lost() -> None:
    letters = {line: "".join(line.split()) for line in CATALOGUE.splitlines()}
    kept = "".join(catalogue().text.split())
    assert [line for line in letters if letters[line] not in kept] == []


def test_catalogues_are_told_from_numbered_reports() -> None:
    assert looks_like_catalogue(CATALOGUE)
    report = "2.4.1 Field work\nIt was done.\n2.4.2 Forest work\nSo was this.\n2.5.1 End\nDone.\n"
    assert not looks_like_catalogue(report)
    assert not looks_like_catalogue("")


@pytest.mark.parametrize("text", ["2.4.1 Field", "2.4.1 FieldA\n2.4.1 FieldB\n", "name\n2.1.1 X"])
def test_a_catalogue_of_codes_alone_is_read(text: str) -> None:
    reading = read_catalogue(text.encode())
    assert "".join(reading.text.split()) == "".join(text.split())


# Plain text


def test_wrapped_lines_become_paragraphs_and_headings_keep_their_numbers() -> None:
    reading = plain(
        "The Wells of the Valley\n\n"
        "1. Introduction\n\n"
        "The wells have been measured since 1950, and what was found there\n"
        "was written down. Nobody has read it since that time.\n\n"
        "1.1 Scope\n\n"
        "This covers only those wells that can be reached by road in winter.\n"
    )
    kinds = [(b.kind, b.level, texts(reading)[i][:14]) for i, b in enumerate(reading.blocks)]
    assert kinds == [
        (BlockKind.HEADING, 1, "The Wells of t"),
        (BlockKind.HEADING, 1, "1. Introductio"),
        (BlockKind.PARAGRAPH, 0, "The wells have"),
        (BlockKind.HEADING, 2, "1.1 Scope"),
        (BlockKind.PARAGRAPH, 0, "This covers on"),
    ]
    assert "found there was written" in reading.text


def test_a_hyphen_at_a_line_end_goes_unless_the_word_has_one() -> None:
    reading = plain(
        "The regul-\natory body read a well-\nknown book. It is inter-\nnational and multi-\n"
        "party. A well-known multi-agent international regulatory one, said the self-\n"
        "appointed self. It was appointed; AI-\nassisted too."
    )
    assert reading.text == (
        "The regulatory body read a well-known book. It is international and multi-party. "
        "A well-known multi-agent international regulatory one, said the self-appointed self. "
        "It was appointed; AI-assisted too."
    )


def test_a_hyphen_stays_in_ranges_and_addresses() -> None:
    reading = plain("See pages 34–\n56 of\nhttps://x.org/a-\nb/c for what was said about wells.")
    assert "34–56" in reading.text
    assert "https://x.org/a-b/c for" in reading.text


def test_a_space_before_a_full_stop_is_the_sources_own() -> None:
    assert plain("It is often impractical .").text == "It is often impractical ."


def test_list_items_are_blocks_and_a_dash_within_a_sentence_is_none() -> None:
    reading = plain(
        "The plan has parts:\n"
        "• the first, which goes on for\n  more than one line\n"
        "– The second\n"
        "(a) the third\n\n"
        "It was made by those – one hears – who knew the wells, and by others\n"
        "– who knew nothing – in a hurry.\n"
    )
    assert texts(reading, BlockKind.LIST_ITEM) == [
        "• the first, which goes on for more than one line",
        "– The second",
        "(a) the third",
    ]
    assert "others – who knew nothing" in reading.text


def test_lines_that_end_in_spaces_are_wrapped_and_the_others_end_paragraphs() -> None:
    # As PDFium gives it: no empty lines, a space where a line was wrapped.
    reading = plain(
        "Wells are running dry \nin the north\n"
        "The wells of the north have been running dry \nfor years, and the rains did not fill \n"
        "them again.\n"
        "Nobody knows whether the wells of the south \nwill follow. They are deeper and older.\n"
    )
    assert texts(reading) == [
        "Wells are running dry in the north",
        "The wells of the north have been running dry for years, and the rains did not fill"
        " them again.",
        "Nobody knows whether the wells of the south will follow. They are deeper and older.",
    ]
    assert reading.blocks[0].kind is BlockKind.HEADING


def test_a_form_feed_ends_a_page_and_pages_count_from_one() -> None:
    reading = plain("First page.\fSecond page.\f\fFourth page.\f\n")
    assert [p.number for p in reading.pages] == [1, 2, 3, 4]
    assert [b.page for b in reading.blocks] == [1, 2, 4]
    assert [p.label for p in reading.pages] == ["1", "2", "3", "4"]


def test_a_page_mark_ends_a_page_and_gives_its_label() -> None:
    reading = plain("Preface here.\n[[page xii]]\nBody here.\n[[page 1]]\nMore.\n")
    assert [(p.number, p.label) for p in reading.pages] == [(1, "xii"), (2, "1"), (3, "2")]
    assert "[[" not in reading.text


def test_text_without_page_marks_has_no_pages() -> None:
    reading = plain("Only a line of text.\n")
    assert reading.pages == () and reading.blocks[0].page is None


def paged(bodies: list[str], *, first: int, head: str = "Wells of the Valley") -> str:
    return "\f".join(f"{number}\n{head}\n{body}" for number, body in enumerate(bodies, start=first))


BODIES = [
    "The wells are old. Some were dug before the church was built.",
    "The rain filled them each spring, or so it is written in the parish book.",
    "Then the dam was built. After that the wells fell dry, one by one.",
    "Nobody digs wells now. The water comes from the dam in pipes of iron.",
]


def test_running_heads_and_page_numbers_go_and_the_numbers_become_labels() -> None:
    reading = plain(paged(BODIES, first=17))
    assert [p.label for p in reading.pages] == ["17", "18", "19", "20"]
    assert texts(reading, BlockKind.PARAGRAPH) == BODIES
    assert reading.text.count("Wells of the Valley") == 1  # once: it may be the title


def test_a_figures_number_at_the_foot_of_a_page_is_no_page_number() -> None:
    reading = plain(paged([*BODIES[:3], f"{BODIES[3]}\n2025"], first=1))
    assert reading.text.endswith("2025")


def test_a_paragraph_that_runs_over_a_page_is_one_block_on_its_first_page() -> None:
    reading = plain(
        paged(
            ["The wells were dug by hand, and the water that was drawn from them went to the",
             "village below. It was sweet.", *BODIES[2:]],
            first=1,
        )
    )  # fmt: skip
    block = find(reading, "The wells were dug")
    assert reading.text[block.start : block.end].endswith(
        "went to the village below. It was sweet."
    )
    assert block.page == 1
    second = reading.pages[1]
    assert reading.text[second.start : second.end].startswith("village below")


def test_a_word_broken_over_a_page_is_whole() -> None:
    reading = plain("The parish book tells of the regul-\fation of wells.\fThird page here.")
    assert "the regulation of wells." in reading.text


def test_a_page_that_begins_a_sentence_begins_a_block() -> None:
    reading = plain(f"{BODIES[0]}\f{BODIES[1]}\fThe end.")
    assert texts(reading) == [BODIES[0], BODIES[1], "The end."]


def test_contents_lines_are_contents() -> None:
    reading = plain(
        "Contents\n1 Introduction ......... 1\n2 Wells . . . . . . . . 12\nAnnex ............ iv\n"
        "\n1 Introduction\n\nThe wells of the valley are many, and the valley is long and narrow.\n"
    )
    assert len(texts(reading, BlockKind.CONTENTS)) == 3
    assert texts(reading, BlockKind.HEADING)[-1] == "1 Introduction"


def test_references_are_one_block_an_entry_also_over_a_page() -> None:
    reading = plain(
        "The wells are old [1].\n\nReferences\n"
        "[1] A. Ash, Wells of the north, Journal of Wells\n12 (2001), 34-56.\n"
        "[2] B. Birch, Deep water (1999).\n[3] C. Cedar, Rain and\f"
        "its uses (2010). doi:10.1/x\n[4] D. Doe, Dams (2011).\f"
        "Printed in the valley by hand."
    )
    assert texts(reading, BlockKind.REFERENCE) == [
        "[1] A. Ash, Wells of the north, Journal of Wells 12 (2001), 34-56.",
        "[2] B. Birch, Deep water (1999).",
        "[3] C. Cedar, Rain and its uses (2010). doi:10.1/x",
        "[4] D. Doe, Dams (2011).",
    ]
    assert find(reading, "Printed in").kind is BlockKind.PARAGRAPH


def test_captions_and_footnotes_are_named() -> None:
    reading = plain(
        "The wells of the valley are shown below, with their depths and their names.\n\n"
        "Figure 2.1: Depth of wells by year of digging.\n\n† Measured in winter.\n"
    )
    kinds = [block.kind for block in reading.blocks]
    assert kinds == [BlockKind.PARAGRAPH, BlockKind.CAPTION, BlockKind.FOOTNOTE]


def test_a_notice_in_the_running_head_is_a_notice() -> None:
    reading = plain(paged(BODIES, first=1, head="DRAFT – do not cite"))
    assert reading.notices == ("DRAFT – do not cite",)


def test_text_without_letters_in_it_is_refused_only_when_empty() -> None:
    with pytest.raises(ReadError, match="no text"):
        plain("\n\f \n")
    assert plain("42").text == "42"


# HTML

PAGE = """\
<!doctype html><html lang="en-GB"><head><title>Wells &amp; water</title>
<meta name="author" content="A. Ash"><meta name="date" content="2025-01-03T10:00Z">
<link rel="canonical" href="https://x.org/wells"></head><body>
<header><h1>Site name</h1></header><nav>Menu</nav>
<main><header><h1>Wells of the <em>val</em>ley</h1></header>
<p>First<br>line with <b>bo</b>ld &lt;b&gt;.</p>loose text
<ul><li>One<ul><li>Inner</li></ul></li></ul><ol start="3"><li><p>Three</p></li></ol>
<table><caption>Depths</caption><tr><th>Well</th><th>Depth</th></tr>
<tr><td>Old</td><td>12 m</td></tr></table>
<p hidden>no</p><p style="display: none">no</p><script>no()</script><aside>no</aside>
<pre>a
  b</pre></main><footer>Foot</footer></body></html>"""


def test_a_page_is_read_as_blocks_without_its_frame() -> None:
    reading = read_html(PAGE.encode())
    blocks = zip(reading.blocks, texts(reading), strict=True)
    assert [(block.kind.value, block.level, text) for block, text in blocks] == [
        ("heading", 1, "Wells of the valley"),
        ("paragraph", 0, "First line with bold <b>."),
        ("paragraph", 0, "loose text"),
        ("list_item", 0, "One"),
        ("list_item", 1, "Inner"),
        ("list_item", 0, "3. Three"),
        ("caption", 0, "Depths"),
        ("table", 0, "Well: Old | Depth: 12 m"),
        ("code", 0, "a\n  b"),
    ]
    assert reading.metadata == {
        "title": "Wells & water",
        "authors": ["A. Ash"],
        "date": "2025-01-03",
        "language": "en-GB",
        "source_url": "https://x.org/wells",
    }


def test_a_table_that_lays_out_the_page_is_read_as_prose() -> None:
    reading = read_html(b"<table><tr><td><h2>Wells</h2><p>One.</p><p>Two.</p></td></tr></table>")
    assert [b.kind.value for b in reading.blocks] == ["heading", "paragraph", "paragraph"]


def test_a_form_around_the_whole_page_is_kept_and_a_search_form_is_not() -> None:
    assert read_html(b"<form><p>All of the page is in here.</p></form>").text
    page = b"<p>The page stands here, at some length.</p><form><p>Search</p></form>"
    assert "Search" not in read_html(page).text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("<p>Größe</p>".encode(), "Größe"),
        ("<p>Größe</p>".encode("utf-16"), "Größe"),
        ('<meta charset="koi8-r"><p>Вода</p>'.encode("koi8-r"), "Вода"),
        ("<p>Größe “x”</p>".encode("cp1252"), "Größe “x”"),
        ('<meta charset="iso-8859-1"><p>“x”</p>'.encode("cp1252"), "“x”"),
        ('<meta charset="rot13"><p>café</p>'.encode("cp1252"), "café"),
        ('<meta charset="koi8-r"><p>Größe</p>'.encode(), "Größe"),
    ],
)
def test_the_encoding_is_found(data: bytes, expected: str) -> None:
    assert read_html(data).text == expected


def test_what_is_hidden_inside_what_is_hidden_goes_once() -> None:
    page = b"<nav><p hidden>a<i style='display:none'>b</i></p></nav><div hidden><nav>c</nav></div>d"
    assert read_html(page * 50).text == " ".join(["d"] * 50)


def test_a_page_of_navigation_alone_is_refused() -> None:
    with pytest.raises(ReadError, match="no text"):
        read_html(b"<nav>Menu</nav><script>x</script>")


# Notices and encodings


@pytest.mark.parametrize(
    "line",
    [
        "Data on this page is preliminary and may change.",
        "Please do not share or cite these figures publicly.",
        "This page is still being polished.",
        "Not for citation or distribution.",
        "Consultation draft",
        "This version is subject to change.",
        "This draft has not been reviewed.",
    ],
)
def test_warnings_of_a_source_about_itself_are_notices(line: str) -> None:
    assert find_notices(["Title", line, line]) == (line,)


@pytest.mark.parametrize(
    "line",
    [
        "Preliminary evidence suggests that wells fall dry.",
        "Developers may not share weights with everyone; this is a choice." + " More." * 60,
        "The draft was written in May.",
        "Models are subject to many risks.",
    ],
)
def test_findings_that_sound_like_warnings_are_none(line: str) -> None:
    assert find_notices([line]) == ()


def test_notices_stand_at_the_top() -> None:
    assert find_notices(["text"] * 40 + ["Do not cite."]) == ()


def test_text_that_is_not_utf_8_is_read_as_windows_1252_with_a_warning() -> None:
    assert decode_text("caf\u00e9 “x”".encode("cp1252"))[0] == "café “x”"
    assert decode_text("caf\u00e9".encode("cp1252"))[1] != ()
    assert decode_text("\ufeffcafé".encode()) == ("café", ())
    assert decode_text("café".encode("utf-16")) == ("café", ())


@pytest.mark.parametrize("data", [b"a\x00b", b"\xff\xfea", b"caf\xe9 \x81\x8d"])
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(ReadError, match="save"):
        decode_text(data)


# Reading a file whatever it is


def read(folder: Path, name: str, data: bytes | str, **known: str) -> Document:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    (source,) = discover_sources([path])
    return read_document(SourceFile(source.path, source.source, source.document_id, known))


@pytest.mark.parametrize(
    ("name", "data", "file_type"),
    [
        ("a.md", "# T\n\nText.", "markdown"),
        ("a.txt", "---\ntitle: T\n---\nText.", "markdown"),
        ("a.txt", "Text.", "text"),
        ("a.txt", CATALOGUE, "catalogue"),
        ("a.TXT", "<!DOCTYPE html><p>Text.</p>", "html"),
        ("a.htm", "<p>Text.</p>", "html"),
    ],
)
def test_the_content_decides_what_a_file_is(
    tmp_path: Path, name: str, data: str, file_type: str
) -> None:
    document = read(tmp_path, name, data)
    assert document.metadata["file_type"] == file_type
    assert check_document(document) == []


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"a\x00b", "binary"),
        ("a.md", b"PK\x03\x04rest", "zip"),
        ("a.docx", b"PK\x03\x04rest", "zip"),
        ("a.csv", b"a,b\n", r"Markdown.*HTML.*PDF"),
        ("a", b"text", "suffix"),
        ("a.md", b" \n", "empty"),
        ("a.html", b"<script>x</script>", "no text"),
        ("a.pdf", b"<html>404 not found</html>", "no PDF header"),
    ],
)
def test_a_file_that_cannot_be_read_says_why_on_one_line(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    with pytest.raises(ReadError, match=reason) as caught:
        read(tmp_path, name, data)
    assert "\n" not in str(caught.value) and caught.value.advice


def test_a_text_about_pdf_is_no_pdf(tmp_path: Path) -> None:
    assert read(tmp_path, "a.md", "A PDF begins with %PDF-1.7.").metadata["file_type"] == "markdown"


def test_a_file_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Text that is long.", encoding="utf-8")
    (source,) = discover_sources([tmp_path])
    with pytest.raises(ReadError, match="18 bytes"):
        read_document(source, max_bytes=17)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for name in ("gone.md", ""):
        source = SourceFile(tmp_path / name, name or tmp_path.name, "d", {})
        with pytest.raises(ReadError):
            read_document(source)


def test_a_link_out_of_the_shelf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("Secret.", encoding="utf-8")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "link.md").symlink_to(tmp_path / "secret.md")
    (source,) = discover_sources([shelf])
    with pytest.raises(ReadError, match="leads out of its shelf"):
        read_document(source)


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.md").symlink_to(tmp_path / "a.md")
    (source,) = discover_sources([tmp_path])
    with pytest.raises(ReadError, match="cannot be opened"):
        read_document(source)


def test_the_shelf_outranks_the_file_and_the_file_its_name(tmp_path: Path) -> None:
    front = "---\ntitle: Own\npublisher: Self\ndate: 2023-05\n---\n# Heading\n\nText."
    document = read(tmp_path, "my_long-report.md", front, title="Shelf", authors="A; B")
    assert document.title == document.metadata["title"] == "Shelf"
    assert document.metadata["publisher"] == "Self"
    assert document.metadata["authors"] == ["A", "B"]
    assert document.metadata["year"] == 2023
    assert document.metadata["source"] == "my_long-report.md"
    assert read(tmp_path, "my_long-report.md", front).title == "Own"
    assert read(tmp_path, "my_long-report.md", "# Heading\n\nText.").title == "Heading"
    assert read(tmp_path, "my_long-report.md", "Text.").title == "my long report"


def test_the_year_follows_the_date_that_won(tmp_path: Path) -> None:
    front = "---\ndate: 2023-05\n---\nText."
    assert read(tmp_path, "a.md", front, date="2024-01").metadata["year"] == 2024
    assert "year" not in read(tmp_path, "a.md", "Text.").metadata


# What holds for every reader

WORDS = st.text(st.sampled_from("abcXYZ019é.,:-–()[]|#*>_`~&<\"'•"), min_size=1, max_size=9)
LINES = st.lists(WORDS, max_size=12).map(" ".join)
MARKS = st.sampled_from(
    ["", "# ", "- ", "  1. ", "> ", "| a | b |\n|---|---|\n| ", "```\n", "\f", "[[page 4]]\n",
     "---\n", "References\n", "Contents\n", "2.4.1 OneTwo", "<p>", "<ul><li>", "<table><tr><td>",
     "<!--", "Figure 1: ", "• ", "1 ", "12\n", "    "]
)  # fmt: skip
DOCUMENTS = st.lists(
    st.tuples(MARKS, LINES, st.sampled_from(["\n", " \n", "\n\n", "-\n"])).map("".join),
    min_size=1,
    max_size=25,
).map("".join)


@pytest.mark.parametrize("reader", [read_markdown, read_text, read_catalogue, read_html])
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=DOCUMENTS)
def test_blocks_and_pages_tile_the_text_of_any_document(reader: Reader, text: str) -> None:
    try:
        reading = reader(text.encode())
    except ReadError:
        return
    assert check_document(as_document(reading)) == []


@settings(max_examples=120, deadline=None)
@given(text=DOCUMENTS)
def test_plain_text_keeps_every_letter_but_those_of_running_heads_and_rules(text: str) -> None:
    without_pages = text.replace("\f", "\n").replace("[[page 4]]\n", "\n")
    try:
        reading = plain(without_pages)
    except ReadError:
        assert not any(char.isalnum() for char in without_pages)
        return
    before = [char for char in without_pages if char.isalnum()]
    assert [char for char in reading.text if char.isalnum()] == before


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_give_a_document_or_a_read_error(data: bytes) -> None:
    for reader in (read_markdown, read_text, read_catalogue, read_html):
        try:
            reading = reader(data)
        except ReadError:
            continue
        assert reading.blocks


# The project's own digests


def test_the_digests_say_where_their_claims_come_from() -> None:
    pointed, claims = 0, 0
    files = sorted((REPOSITORY / "corpus" / "reports").glob("*.md"))
    for path in files:
        reading = read_markdown(path.read_bytes())
        assert reading.warnings == (), path.name
        for block in reading.blocks:
            if block.kind is BlockKind.HEADING:
                continue
            claims += 1
            pointed += block.pinpoint is not None
            if block.pinpoint is None:  # only the line that leads into a list has none
                assert reading.text[block.start : block.end].endswith(":"), path.name
    assert len(files) >= 20
    assert pointed >= 0.95 * claims


# Real input


@pytest.mark.shared
def test_the_digest_of_the_seeds_is_read(shared: Path) -> None:
    (source,) = discover_sources([shared / "seeds" / "000_16ef2ef94f4fc9f5.txt"])
    document = read_document(source)
    assert check_document(document) == []
    assert document.title == "International AI Safety Report"
    assert document.metadata["file_type"] == "markdown"
    assert document.metadata["arxiv_id"] == "2501.17805"
    assert "core_contribution" not in document.metadata
    assert "arXiv ID: 2501.17805" in texts(document, BlockKind.LIST_ITEM)
    assert texts(document, BlockKind.TABLE)[0] == (
        "Claim: Major uncertainties and limitations identified in the analysis"
        " | Confidence Level: Low"
    )
    assert texts(document, BlockKind.LIST_ITEM)[-1].startswith("3. Perform citation analysis")


@pytest.mark.shared
def test_the_catalogue_of_the_seeds_is_parted_into_its_eleven_records(shared: Path) -> None:
    (source,) = discover_sources([shared / "seeds" / "002_ec41dc0853ff7672.txt"])
    document = read_document(source)
    assert check_document(document) == []
    assert document.metadata["file_type"] == "catalogue"
    headings = [b for b in document.blocks if b.kind is BlockKind.HEADING and b.metadata]
    assert [
        (document.text[b.start : b.end], b.metadata["code"], b.metadata["category"])
        for b in headings
    ] == [
        ("Mechanistic interpretability", "2.4.1", "Research & Foundations"),
        ("Explainability", "1.2.9", "Other"),
        ("LLM chain-of-thought faithfulness and legibility", "1.1.2", "Learning Objectives"),
        ("Attributing model behaviours to training data", "1.1.1", "Training Data"),
        ("Studying goals in systems", "2.4.1", "Research & Foundations"),
        ("Risk Assessment", "2.2.1", "Risk Assessment"),
        ("Risk Assessment > Audit techniques and benchmarks", "3.2.1", "Benchmarks & Evaluation"),
        ("Risk Assessment > Downstream impact assessment and forecasting", "2.2.1",
         "Risk Assessment"),
        ("Risk Assessment > Secure evaluation infrastructure", "3.2.2", "Technical Standards"),
        ("Risk Assessment > System safety assessment", "2.2.1", "Risk Assessment"),
        ("Risk Assessment > Metrology for AI risk assessment", "3.2.1", "Benchmarks & Evaluation"),
    ]  # fmt: skip
    assert [b.metadata["parent"] for b in headings] == [""] * 6 + ["Risk Assessment"] * 5
    assert headings[-1].metadata["record_name"] == "Metrology for AI risk assessment"
    assert document.title == "The Singapore Consensus on Global AI Safety Research Priorities"
    authors = document.metadata["authors"]
    assert isinstance(authors, list)
    assert authors[0] == "Bengio, Yoshua" and authors[-1] == "Žikelić, Djordje"
    assert document.metadata["year"] == 2025
    assert len(document.notices) == 2
    assert find(document, "This is the first International AI Safety Report").metadata == {}
    assert find(document, "Developer").kind is BlockKind.HEADING


@pytest.fixture(scope="module")
def safety_report(shared: Path) -> Document:
    (source,) = discover_sources([shared / "reports" / "International-AI-Safety-Report-2026.txt"])
    return read_document(source)


@pytest.mark.shared
def test_a_real_report_of_220_pages_is_read_in_order(safety_report: Document) -> None:
    assert check_document(safety_report) == []
    assert len(safety_report.pages) == 220
    assert [page.label for page in safety_report.pages] == [str(n) for n in range(1, 221)]
    assert len(texts(safety_report, BlockKind.REFERENCE)) == 1451
    headings = texts(safety_report, BlockKind.HEADING)
    assert "Section 2.1 Risks from malicious use" in headings
    assert find(safety_report, "2.1.3. Cyberattacks").level == 3
    assert safety_report.title == "International AI Safety Report 2026"


@pytest.mark.shared
def test_gold_quotes_stand_on_their_pages(safety_report: Document, shared: Path) -> None:
    found, asked = 0, 0
    with (shared / "evalset" / "us-and-international.jsonl").open(encoding="utf-8") as rows:
        golds = [gold for row in rows for gold in json.loads(row).get("gold", ())]
    for gold in golds:
        if gold["file"] == "International-AI-Safety-Report-2026.txt":
            asked += 1
            page = safety_report.pages[gold["page"] - 1]
            around = safety_report.text[max(0, page.start - 200) : page.end + 200]
            found += " ".join(gold["quote"].split()) in " ".join(around.split())
    assert asked >= 30
    assert found >= 0.97 * asked


@pytest.mark.shared
def test_a_text_of_800_kilobytes_is_read_in_two_seconds(shared: Path) -> None:
    data = (shared / "reports" / "International-AI-Safety-Report-2026.txt").read_bytes()
    start = time.process_time()
    read_text(data)
    assert time.process_time() - start < 2


@pytest.mark.shared
def test_bad_files_give_a_document_or_a_read_error(shared: Path) -> None:
    outcomes = {}
    for folder in ("md", "html", "txt", "other", "docx"):
        for source in discover_sources([shared / "badfiles" / folder]):
            try:
                document = read_document(source)
            except ReadError as error:
                outcomes[f"{folder}/{source.source}"] = str(error)
            else:
                assert check_document(document) == [], source.source
                outcomes[f"{folder}/{source.source}"] = "read"
    assert len(outcomes) >= 25
    assert outcomes["md/markdown_it_py__commonmark_spec.md"] == "read"
    assert outcomes["txt/blns__blns.txt"] == "read"
    assert "zip" in outcomes["other/tika__droste.zip"]
    assert all("\n" not in outcome for outcome in outcomes.values())


@pytest.mark.shared
def test_bad_files_do_not_break_the_reader_of_another_kind(shared: Path) -> None:
    with (shared / "badfiles" / "MANIFEST.tsv").open(encoding="utf-8") as rows:
        names = [row["file"] for row in csv.DictReader(rows, delimiter="\t")]
    for name in names:
        if name.startswith("pdf/"):
            continue
        data = (shared / "badfiles" / name).read_bytes()
        for reader in (read_markdown, read_text, read_catalogue, read_html):
            try:
                reading = reader(data)
            except ReadError:
                continue
            assert check_document(as_document(reading)) == [], (name, reader)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Dodos.\n[[page 12]]\nKiwis.\n[[page 13]]\n", {"Dodos.": "12", "Kiwis.": "13"}),
        ("Dodos.\n[[page 12]]\nKiwis.\n", {"Dodos.": "12", "Kiwis.": "13"}),
        ("[[page 12]]\nDodos.\n[[page 13]]\nKiwis.\n", {"Dodos.": "12", "Kiwis.": "13"}),
    ],
)
def test_page_marks_may_stand_at_the_foot_or_at_the_head_of_pages(
    text: str, labels: dict[str, str]
) -> None:
    reading = read_text(text.encode())
    assert {reading.text[p.start : p.end].strip(): p.label for p in reading.pages} == labels

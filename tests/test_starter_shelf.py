"""The digests of the starter shelf: in our own words, and every figure on the page it cites."""

import re
from functools import cache
from pathlib import Path

import pytest

from corpus.model import BlockKind, Document
from corpus.reading import read_document
from corpus.sources import discover_sources

SHELF = Path(__file__).resolve().parent.parent / "corpus" / "reports"
DIGESTS = [read_document(source) for source in discover_sources([SHELF])]
OF_PAGES = [one for one in DIGESTS if one.metadata.get("pinpoints") == "pdf-page"]
PAGES = re.compile(r"(?:pp?\. )([\d, –-]+)")
COPIED_WORDS = 8
# Made from what seeds/ say about them, not from the reports themselves.
FROM_SEEDS = {
    "international-ai-safety-report-2025": ["000_16ef2ef94f4fc9f5.txt", "002_ec41dc0853ff7672.txt"],
    "singapore-consensus-assessment-practices": ["002_ec41dc0853ff7672.txt"],
}


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower().replace("’", "").replace("'", ""))


def runs(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[at : at + COPIED_WORDS]) for at in range(len(found) - COPIED_WORDS + 1)}


def squash(text: str) -> str:
    return re.sub(r"\s+", "", text).replace(",", "").replace("^", "")


def statements(document: Document) -> list[tuple[str, str]]:
    """Return the text and pinpoint of each block that says something about the original."""
    return [
        (document.text[block.start : block.end], block.pinpoint or "")
        for block in document.blocks
        if block.kind is not BlockKind.HEADING
        and not document.text[block.start : block.end].endswith(":")
    ]


def cited_pages(pinpoint: str) -> list[int]:
    pages: list[int] = []
    for spec in PAGES.findall(pinpoint):
        for part in spec.replace("-", "–").split(","):
            first, _, last = part.strip().partition("–")
            if first:
                pages.extend(range(int(first), int(last or first) + 1))
    return pages


@cache
def original_pages(file: Path) -> dict[int, str]:
    (source,) = discover_sources([file])
    document = read_document(source)
    return {page.number: document.text[page.start : page.end] for page in document.pages}


def original(shared: Path, document: Document) -> dict[int, str]:
    name = str(document.metadata["source_file"])
    folder = shared / "reports"
    return original_pages(folder / "pdf" / name if name.endswith(".pdf") else folder / name)


@pytest.mark.parametrize("document", DIGESTS, ids=lambda one: one.document_id)
def test_a_digest_says_what_it_is_of_and_where_each_statement_comes_from(
    document: Document,
) -> None:
    known = document.metadata
    for field in ("title", "publisher", "date", "family", "digest_of", "licence", "language"):
        assert known.get(field), field
    assert known["document_type"] == "digest"
    assert [text for text, pinpoint in statements(document) if not pinpoint] == []
    assert 600 <= len(words(document.text)) <= 1600


def test_the_shelf_has_the_reports_it_promises() -> None:
    families = {str(one.metadata["family"]) for one in DIGESTS}
    assert len(DIGESTS) >= 18
    assert families >= {
        "international-ai-safety-report",
        "singapore-consensus",
        "nist-ai-rmf",
        "nist-ai-600-1",
        "eo-14110",
        "americas-ai-action-plan",
        "eu-ai-act",
        "gpai-code-copyright",
        "gpai-code-safety-security",
        "gpai-code-transparency",
        "ethics-guidelines",
        "uk-ai-opportunities",
    }
    editions = {
        str(one.metadata.get("edition"))
        for one in DIGESTS
        if one.metadata["family"] == "international-ai-safety-report"
    }
    assert editions == {"interim", "first", "second"}


@pytest.mark.shared
@pytest.mark.parametrize("document", OF_PAGES, ids=lambda one: one.document_id)
def test_every_figure_of_a_digest_is_on_the_page_it_cites(document: Document, shared: Path) -> None:
    pages = original(shared, document)
    name = f"{document.title} {document.metadata['digest_of']}"  # "AI RMF 1.0" is no figure
    missing: list[tuple[str, str, str]] = []
    for text, pinpoint in statements(document):
        numbers = cited_pages(pinpoint)
        assert numbers, text
        assert set(numbers) <= set(pages), (pinpoint, text)
        found = squash(" ".join(pages[number] for number in numbers))
        body = text.replace(pinpoint, "")
        body = re.sub(r"\(pp?\. [\d, –-]+\)", "", body)
        figures = re.findall(r"\d[\d,.]*\d|\d", body.split("| Page:")[0])
        missing.extend(
            (figure, pinpoint, text[:80])
            for figure in figures
            if squash(figure) not in found and figure not in name
        )
    assert missing == []


@pytest.mark.shared
@pytest.mark.parametrize("document", DIGESTS, ids=lambda one: one.document_id)
def test_no_sentence_of_a_digest_is_copied(document: Document, shared: Path) -> None:
    if document.document_id in FROM_SEEDS:
        names = FROM_SEEDS[document.document_id]
        text = " ".join((shared / "seeds" / name).read_text() for name in names)
    else:
        text = " ".join(original(shared, document).values())
    copied = runs(text)
    body = "\n".join(
        document.text[block.start : block.end]
        for block in document.blocks
        if block.kind is not BlockKind.HEADING
    )
    assert [" ".join(run) for run in runs(body) & copied] == []

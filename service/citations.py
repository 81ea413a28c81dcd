"""Citations: numbered slices of reports, with all that is needed to print and to check them."""

import re
from dataclasses import dataclass

from corpus.model import Metadata, Passage
from corpus.permalinks import Permalink
from indexer.documents import DocumentRecord
from indexer.open_index import OpenIndex

_CONTEXT_CHARS = 32
_PAGES = re.compile(r"pp?\. (.+)")


@dataclass(frozen=True, slots=True)
class Location:
    """Where a slice is in its report.

    Attributes:
        page_start: PDF page it begins on, from 1; None where the source has no pages.
        page_end: PDF page it ends on.
        page_label: What is printed on the first page, such as "xii".
        pinpoint: Where a digest's paragraph points to in the original, such as "p. 34".
        section_path: Headings above it, outermost first.
        start_char: First character in the canonical text.
        end_char: One past the last.
    """

    page_start: int | None
    page_end: int | None
    page_label: str
    pinpoint: str | None
    section_path: tuple[str, ...]
    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class Citation:
    """One footnote.

    Attributes:
        id: Its number in the answer, from 1.
        document_id: The report.
        document_title: Its title.
        document_sha256: sha256 of the canonical text that the slice is of.
        passage_id: The passage it was found in.
        permalink: Names the slice itself.
        cited_text: The slice, character for character.
        location: Where it is.
        selectors: W3C TextQuoteSelector and TextPositionSelector.
        verified: Whether cited_text was compared with the text it names and found equal.
        notices: The report's own warnings.
        csl: The report as a CSL-JSON item, with the locator of this slice.
        metadata: What is known of the source.
    """

    id: int
    document_id: str
    document_title: str
    document_sha256: str
    passage_id: str
    permalink: str
    cited_text: str
    location: Location
    selectors: tuple[dict[str, str | int], ...]
    verified: bool
    notices: tuple[str, ...]
    csl: dict[str, object]
    metadata: Metadata


def locate(
    record: DocumentRecord,
    section_path: tuple[str, ...],
    start: int,
    end: int,
    *,
    pinpoint: str | None,
) -> Location:
    """Return where text[start:end] of a document is, under the headings it stands under."""
    pages = [page for page in record.pages if page.start < end and page.end > start]
    return Location(
        page_start=pages[0].number if pages else None,
        page_end=pages[-1].number if pages else None,
        page_label=pages[0].label if pages else "",
        pinpoint=pinpoint,
        section_path=section_path,
        start_char=start,
        end_char=end,
    )


def find_pinpoint(index: OpenIndex, record: DocumentRecord, start: int, end: int) -> str | None:
    """Return what the blocks of text[start:end] say they come from; None if they don't say."""
    blocks = index.documents.blocks(record, start=start, end=end)
    return next((block.pinpoint for block in blocks if block.pinpoint), None)


def cite(
    index: OpenIndex,
    number: int,
    passage: Passage,
    start: int,
    end: int,
) -> Citation:
    """Make the footnote for text[start:end] of a passage's document.

    Args:
        index: The generation.
        number: The footnote's number.
        passage: The passage it was found in.
        start: First character in the document's text.
        end: One past the last.
    """
    record = index.documents.get(passage.document_id)
    if record is None:
        raise KeyError(passage.document_id)
    text = index.texts.get(passage.text_sha256)
    quote = text[start:end]
    pinpoint = find_pinpoint(index, record, start, end)
    location = locate(record, passage.section_path, start, end, pinpoint=pinpoint)
    permalink = Permalink(record.document_id, passage.text_sha256[:12], start, end)
    selectors: tuple[dict[str, str | int], ...] = (
        {
            "type": "TextQuoteSelector",
            "exact": quote,
            "prefix": text[max(0, start - _CONTEXT_CHARS) : start],
            "suffix": text[end : end + _CONTEXT_CHARS],
        },
        {"type": "TextPositionSelector", "start": start, "end": end},
    )
    return Citation(
        id=number,
        document_id=record.document_id,
        document_title=record.title,
        document_sha256=record.text_sha256,
        passage_id=passage.passage_id,
        permalink=str(permalink),
        cited_text=quote,
        location=location,
        selectors=selectors,
        verified=index.resolve(permalink) == (record.text_sha256, quote),
        notices=record.notices,
        csl=csl_item(record, location),
        metadata=passage.metadata,
    )


def csl_item(record: DocumentRecord, location: Location) -> dict[str, object]:
    """Return a report as a CSL-JSON item (citeproc schema 1.0.2), with a slice's locator."""
    known = record.metadata
    item: dict[str, object] = {"id": record.document_id, "type": "report", "title": record.title}
    authors = known.get("authors")
    digest_of = known.get("digest_of")
    if digest_of:
        # The words are the digest's, not the original's, and so must be whoever is credited.
        item["author"] = [{"literal": "Footnote"}]
        item["note"] = (
            f"Digest in Footnote's own words of: {digest_of} ({known.get('publisher', '')}). "
            "Quote the original itself; page numbers are those of its PDF."
        )
        item["original-title"] = str(digest_of)
    elif isinstance(authors, list) and authors:
        item["author"] = [_csl_name(name) for name in authors]
    elif isinstance(known.get("publisher"), str):
        item["author"] = [{"literal": known["publisher"]}]
    for field, name in (
        ("publisher", "publisher"),
        ("edition", "edition"),
        ("source_url", "URL"),
        ("language", "language"),
    ):
        if known.get(field):
            item[name] = str(known[field])
    date = str(known.get("date") or known.get("year") or "")
    if date[:4].isdigit():
        parts = [int(part) for part in date.split("-")[:3] if part.isdigit()]
        item["issued"] = {"date-parts": [parts]}
    if location.page_label:
        item["locator"], item["label"] = location.page_label, "page"
    elif location.pinpoint:
        pages = _PAGES.fullmatch(location.pinpoint)
        item["locator"] = pages[1] if pages else location.pinpoint
        if pages:
            item["label"] = "page"
    return item


def _csl_name(name: str) -> dict[str, str]:
    family, comma, given = name.partition(",")
    if comma:
        return {"family": family.strip(), "given": given.strip()}
    return {"literal": name}

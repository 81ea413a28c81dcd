"""Makes blocks of a PDF's paragraphs: headings, list items, footnotes, references and the rest."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from corpus.model import BlockKind
from corpus.readers.pdf_headings import LARGE, heading_style, join_titles, set_heading_levels
from corpus.readers.pdf_layout import (
    DIVISION,
    NUMBERED,
    Line,
    Measures,
    PageLines,
    Paragraph,
    split_paragraphs,
    strip_bullet,
)
from corpus.readers.pdf_pieces import (
    REFERENCE_ENTRY,
    Piece,
    Style,
    continues,
    goes_on,
    join_columns,
    join_paragraph,
    join_pieces,
)
from corpus.readers.pdf_regions import contents_pieces, find_contents, split_notes
from corpus.readers.pdf_words import Words, clean_signs

# "Sec. 4. Ensuring Safety. 4.1. Developing Guidelines. (a) Within 270 days …": an American
# order's headings run into its text.
_SECTION_RUN_IN = re.compile(r"(?:Sec\.|Section)\s+\d+\.\s+[A-Z][^.;:]{3,150}\.(?=\s|$)")
_DECIMAL_RUN_IN = re.compile(r"\d+\.\d+\.?\s+[A-Z][^.;:]{3,150}\.(?=\s|$)")
_CAPTION = re.compile(
    r"(figure|fig\.|table|chart|exhibit|graph)\s*[A-Z]?\d+(\.\d+)?\s*([.:|–—-]|$)",
    re.IGNORECASE,
)
_MAX_CAPTION_CHARS = 400
_REFERENCES = re.compile(
    r"([\dIVX]+\.?\s+|(annex|appendix)\s+\S{1,3}[.:]?\s+)?"
    r"(references|bibliography|endnotes|notes|works cited|literature)( and notes)?",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(19|20)\d\d[a-z]?\b")


def find_pieces(
    pages: Sequence[PageLines], measures: Measures, words: Words, bookmarks: Mapping[str, int]
) -> list[Piece]:
    """Return the blocks of a document in the order they will be written.

    Args:
        pages: Without running lines, fragments merged.
        measures: Of the same pages.
        words: Of the document, for broken words.
        bookmarks: Level from 0 by `heading_key` of the title.
    """
    classifier = _Classifier(measures, words, bookmarks)
    pieces: list[Piece] = []
    for page in pages:
        body, notes = split_notes(page, measures)
        on_page = join_titles(classifier.read_body(body, page.number))
        joined = bool(pieces and on_page and continues(pieces[-1], on_page[0]))
        if joined:
            pieces[-1] = join_pieces(pieces[-1], on_page.pop(0), words)
        on_page = join_columns(on_page, words)
        note_pieces = [
            Piece(BlockKind.FOOTNOTE, ((page.number, join_paragraph(note, words)),))
            for note in notes
        ]
        # Notes stand before the page's last paragraph if it may go on overleaf: a sentence is
        # worth more whole than notes in their place.
        if on_page and goes_on(on_page[-1]):
            pieces += [*on_page[:-1], *note_pieces, on_page[-1]]
        else:
            pieces += [*on_page, *note_pieces]
    return set_heading_levels(pieces, bookmarks)


@dataclass(slots=True)
class _Classifier:
    """Tells what each paragraph is; what it remembers goes from page to page."""

    measures: Measures
    words: Words
    bookmarks: Mapping[str, int]
    in_contents: bool = False
    run_ins: bool = False  # Whether headings run into the text.
    references: Style | None = None  # Style of the heading that references stand under.
    indents: list[float] = field(default_factory=list)  # Left edges of the lists we are in.

    def read_body(self, lines: Sequence[Line], page: int) -> list[Piece]:
        """Return the blocks of a page's lines, footnotes left out."""
        pieces: list[Piece] = []
        edge = max((line.x1 for line in lines), default=0.0)
        contents = find_contents(lines, after_contents=self.in_contents)
        self.in_contents = bool(contents)
        above: Line | None = None
        for is_contents, run in _split_runs(lines, contents):
            if is_contents:
                pieces += contents_pieces(run, page, self.words)
                continue
            for paragraph in split_paragraphs(run, self.measures):
                text = join_paragraph(paragraph.lines, self.words)
                if clean_signs(text).strip():
                    *run_ins, last = self._classify(paragraph, text, page, above)
                    first_line, last_line = paragraph.lines[0], paragraph.lines[-1]
                    full = last_line.x1 > edge - 0.15 * (edge - last_line.x0)
                    last = replace(last, first=first_line, last=last_line, full=full)
                    pieces += [*run_ins, last]
                above = paragraph.lines[-1]
        return pieces

    def _classify(
        self, paragraph: Paragraph, text: str, page: int, above: Line | None
    ) -> list[Piece]:
        """Return a paragraph's piece, after those of headings that run into it."""
        pieces: list[Piece] = []
        while match := _SECTION_RUN_IN.match(text) or (
            self.run_ins and _DECIMAL_RUN_IN.match(text)
        ):
            self.run_ins, self.references, self.indents = True, None, []
            style = Style(self.measures.body_size, -50 + (match.re is _DECIMAL_RUN_IN))
            pieces.append(Piece(BlockKind.HEADING, ((page, match.group()),), style=style))
            text = text[match.end() :].lstrip()
        if text:
            pieces.append(self._classify_rest(paragraph, text, page, above))
        return pieces

    def _classify_rest(
        self, paragraph: Paragraph, text: str, page: int, above: Line | None
    ) -> Piece:
        parts = ((page, text),)
        if _CAPTION.match(text) and len(text) < _MAX_CAPTION_CHARS:
            return Piece(BlockKind.CAPTION, parts)
        style = heading_style(paragraph, text, self.measures, self.bookmarks)
        if style and self._is_heading_here(style, paragraph, text, above):
            self.references = style if _REFERENCES.fullmatch(text.strip(" :.")) else None
            self.indents = []
            return Piece(BlockKind.HEADING, parts, style=style)
        if self.references or (
            REFERENCE_ENTRY.match(text) and _YEAR.search(text) and "://" in text
        ):
            return Piece(BlockKind.REFERENCE, parts)
        item, bulleted = strip_bullet(text)
        if self.indents and text.startswith("o "):  # Word's second bullet, a plain letter.
            item, bulleted = text[2:], True
        if bulleted or _is_numbered_item(paragraph, text):
            # An item more than 60 points further right stands in another column.
            outer = [x for x in self.indents if paragraph.x0 - 60 < x < paragraph.x0 - 4]
            self.indents = [*outer, paragraph.x0]
            return Piece(BlockKind.LIST_ITEM, ((page, item),), level=len(outer))
        if self.indents and paragraph.x0 <= self.indents[0] + 4:
            self.indents = []
        return Piece(BlockKind.PARAGRAPH, parts)

    def _is_heading_here(
        self, style: Style, paragraph: Paragraph, text: str, above: Line | None
    ) -> bool:
        """Return whether what is styled as a heading can be one in this place."""
        first = paragraph.lines[0]
        if above is not None and paragraph.size < LARGE * self.measures.body_size:
            # Above the line before it and over the same width: a table's cell, out of order.
            overlaps = first.x0 < above.x1 and above.x0 < first.x1
            if overlaps and first.y0 > above.y0 + first.size:
                return False
        if self.references is None:
            return True
        # References end at a heading as large as theirs; in an entry, bold means little.
        large = style.size >= 0.97 * self.references.size or DIVISION.match(text) is not None
        return large and not REFERENCE_ENTRY.match(text)


def _split_runs(lines: Sequence[Line], marked: set[int]) -> list[tuple[bool, list[Line]]]:
    """Return the lines in runs of marked and unmarked ones."""
    runs: list[tuple[bool, list[Line]]] = []
    for index, line in enumerate(lines):
        if not runs or runs[-1][0] != (index in marked):
            runs.append((index in marked, []))
        runs[-1][1].append(line)
    return runs


def _is_numbered_item(paragraph: Paragraph, text: str) -> bool:
    """Return whether this is a numbered list's item: "(a) …" always, "12. …" if its lines hang.

    A report's numbered paragraphs ("12. …" over the full measure) are paragraphs.
    """
    if not NUMBERED.match(text):
        return False
    if text.startswith("("):
        return True
    lines = paragraph.lines
    return len(lines) == 1 or lines[1].x0 > lines[0].x0 + 0.5 * paragraph.size

"""Reads PDFs through PDFium; the only module that knows it."""

import ctypes
import math
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pypdfium2  # type: ignore[import-untyped]
import pypdfium2.raw as pdfium  # type: ignore[import-untyped]

from corpus.builder import clean_text
from corpus.errors import ReadError
from corpus.model import BlockKind, MetadataValue
from corpus.readers.base import Reading
from corpus.readers.pdf_blocks import find_pieces
from corpus.readers.pdf_headings import heading_key
from corpus.readers.pdf_layout import LINE_HYPHEN, Line, PageLines, measure, merge_fragments
from corpus.readers.pdf_pieces import Piece, write_pieces
from corpus.readers.pdf_running import drop_running_lines, page_labels
from corpus.readers.pdf_words import clean_signs, learn_words

# The longest report at hand has 459 pages and 0.6 million characters.
MAX_PAGES = 5_000
MAX_CHARACTERS = 50_000_000
# Some writers make a bookmark of every paragraph (7,296 on 132 pages); a real list of headings
# had at most 3 to a page.
_MAX_BOOKMARKS_PER_PAGE = 8
_LINE_BREAK = re.compile(r"[\r\n]+|(?<=[\x02\ufffe])")
_BOLD_NAME = re.compile(r"bold|black|heavy|semibd", re.IGNORECASE)
_ITALIC_NAME = re.compile(r"ital|obliq", re.IGNORECASE)
# Bits of a font's flags, PDF 1.7 table 123.
_ITALIC_FLAG, _FORCE_BOLD_FLAG = 1 << 6, 1 << 18
_BOLD_WEIGHT = 600
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)(\d\d)")
_NO_TITLE = re.compile(
    r"untitled.*|microsoft word.*|document\d*|.*\.(docx?|pdf|indd|tex)|\W*", re.I
)
# PDFium keeps state shared by all documents and is not thread-safe.
_PDFIUM = threading.Lock()


def read_pdf(data: bytes) -> Reading:
    """Read the bytes of a PDF.

    Raises:
        ReadError: It is no PDF, is damaged beyond repair, needs a password, or has no text.
    """
    with _PDFIUM, _open(data) as document:
        pages, warnings = _read_pages(document)
        bookmarks = _read_bookmarks(document, len(pages))
        metadata = _read_metadata(document)
    kept, printed = drop_running_lines(pages)
    kept = [
        PageLines(page.number, page.label, page.height, tuple(merge_fragments(page.lines)))
        for page in kept
    ]
    words = learn_words(line for page in kept for line in page.lines)
    measures = measure(kept)
    pieces = find_pieces(kept, measures, words, bookmarks)
    if "title" not in metadata and (title := _printed_title(pieces)):
        metadata["title"] = title
    builder = write_pieces(pieces, page_labels(kept, printed))
    return Reading(builder.text, builder.blocks, builder.pages, metadata, warnings=tuple(warnings))


def _open(data: bytes) -> pypdfium2.PdfDocument:
    if not data:
        raise ReadError("the file is empty", advice="fetch it again")
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        reason, advice = _explain_failure(data)
        raise ReadError(reason, advice=advice) from error


def _explain_failure(data: bytes) -> tuple[str, str]:
    """Return why a PDF could not be opened, and what to do.

    PDFium's error code is that of the last failure. A file without pages is none to PDFium,
    though it is to pypdfium2, which then passes on the code of some file before.
    """
    handle = pdfium.FPDF_LoadMemDocument64(data, len(data), None)
    if handle:
        pdfium.FPDF_CloseDocument(handle)
        return "damaged: the PDF has no pages", "fetch it again"
    if pdfium.FPDF_GetLastError() in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
        return "the PDF is encrypted and needs a password", "save it without one"
    return "not a PDF, or damaged beyond repair", "fetch it again"


# --- metadata and bookmarks ------------------------------------------------------------------


def _read_metadata(document: pypdfium2.PdfDocument) -> dict[str, MetadataValue]:
    found = {key: _read_value(document, key) for key in ("Title", "Author", "CreationDate")}
    metadata: dict[str, MetadataValue] = {}
    title = found["Title"]
    if len(title) > 3 and not _NO_TITLE.fullmatch(title):
        metadata["title"] = title
    authors = [name.strip() for name in found["Author"].split(";")]
    authors = [name for name in authors if name and "@" not in name]
    if authors:
        metadata["authors"] = authors
    created = _DATE.match(found["CreationDate"])
    if created and "01" <= created[2] <= "12" and "01" <= created[3] <= "31":
        metadata["pdf_created"] = "-".join(created.groups())
    return metadata


def _read_value(document: pypdfium2.PdfDocument, key: str) -> str:
    try:
        return clean_text(clean_signs(document.get_metadata_value(key)))
    except UnicodeDecodeError:
        return ""


def _printed_title(pieces: list[Piece]) -> str:
    """Return the first page's title, for PDFs that name none: its largest headings.

    Of several runs of headings that size, the one with most words: "European Commission" stands
    above many titles.
    """
    first_page = [piece for piece in pieces if piece.page == 1]
    sizes = [piece.style.size for piece in first_page if piece.kind is BlockKind.HEADING]
    runs: list[list[str]] = [[]]
    for piece in first_page:
        large = piece.kind is BlockKind.HEADING and piece.style.size > 0.95 * max(sizes)
        if large and not (runs[-1] and piece.text[:1].isdigit()):
            runs[-1].append(piece.text)
        elif runs[-1]:
            runs.append([])
    return clean_signs(max(map(" ".join, runs), key=len))[:300]


def _read_bookmarks(document: pypdfium2.PdfDocument, page_count: int) -> dict[str, int]:
    """Return the level of each bookmark, from 0, by its title's `heading_key`."""
    limit = _MAX_BOOKMARKS_PER_PAGE * page_count + 1
    marks = list(islice(document.get_toc(max_depth=64), limit))
    if len(marks) == limit:
        return {}
    levels: dict[str, int] = {}
    for mark in marks:
        try:
            key = heading_key(mark.get_title())
        except UnicodeDecodeError:
            continue
        if len(key) > 2:
            levels.setdefault(key, mark.level)
    return levels


# --- pages and lines -------------------------------------------------------------------------


def _read_pages(document: pypdfium2.PdfDocument) -> tuple[list[PageLines], list[str]]:
    """Return the pages and a warning for each thing that could not be read.

    Raises:
        ReadError: There is no text on any page.
    """
    pages: list[PageLines] = []
    warnings: list[str] = []
    pictures: list[int] = []
    characters, count = 0, len(document)
    for index in range(min(count, MAX_PAGES)):
        number = index + 1
        try:
            page, is_picture = _read_page(document, index)
        except pypdfium2.PdfiumError as error:
            warnings.append(f"page {number} could not be read: {error}")
            page, is_picture = PageLines(number, "", 0.0, ()), False
        pages.append(page)
        pictures += [number] * is_picture
        characters += sum(len(line.text) for line in page.lines)
        if characters > MAX_CHARACTERS:
            break
    if not characters:
        if len(warnings) == len(pages):
            raise ReadError(f"damaged: none of its {count} pages could be read")
        if pictures:
            raise ReadError(
                "no text layer on any page: a scan; needs OCR", advice="run ocrmypdf over it first"
            )
        raise ReadError("every page is blank")
    if len(pages) < count:
        warnings.append(
            f"pages after {len(pages)} of {count} were left out: "
            f"the limit is {MAX_PAGES} pages and {MAX_CHARACTERS} characters"
        )
    if pictures:
        listed = ", ".join(map(str, pictures[:20])) + (", …" if len(pictures) > 20 else "")
        warnings.append(f"only pictures, no text, on {len(pictures)} of {count} pages: {listed}")
    return pages, warnings


def _read_page(document: pypdfium2.PdfDocument, index: int) -> tuple[PageLines, bool]:
    """Return a page's lines, and whether it has none though something is drawn on it."""
    page = document[index]
    try:
        textpage = page.get_textpage()
        try:
            view = _View(textpage, page.get_rotation(), page.get_bbox())
            lines = tuple(_read_lines(view))
            is_picture = not lines and pdfium.FPDFPage_CountObjects(page) > 0
        finally:
            textpage.close()
    finally:
        page.close()
    return PageLines(index + 1, _read_label(document, index), view.height, lines), is_picture


def _read_label(document: pypdfium2.PdfDocument, index: int) -> str:
    try:
        label = document.get_page_label(index)
    except UnicodeDecodeError:
        return ""
    return "".join(character for character in label if character.isprintable()).strip()[:20]


@dataclass(frozen=True, slots=True)
class _View:
    """A page's text and how the page is turned to be read.

    `box` is the visible part of the page before it is turned: left, bottom, right, top.
    """

    textpage: pypdfium2.PdfTextPage
    rotation: int
    box: tuple[float, float, float, float]

    @property
    def height(self) -> float:
        """Height of the page as its reader sees it."""
        left, bottom, right, top = self.box
        return right - left if self.rotation in (90, 270) else top - bottom

    def turn(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the page as its reader sees it, from the lower left corner."""
        left, bottom, right, top = self.box
        if self.rotation == 90:
            return y - bottom, right - x
        if self.rotation == 180:
            return right - x, top - y
        if self.rotation == 270:
            return top - y, x - left
        return x - left, y - bottom


@dataclass(frozen=True, slots=True)
class _Glyph:
    """What PDFium knows of one character, as the reader sees the page."""

    left: float
    right: float
    baseline: float
    size: float
    bold: bool
    italic: bool
    upright: bool


def _read_lines(view: _View) -> Iterator[Line]:
    """Yield the page's lines; a word broken by a hyphen ends one, as PDFium's own do not.

    PDFium is asked about three glyphs of a line only, the first, the middle and the last: asking
    about every one took five to eight times as long.
    """
    text = _page_text(view.textpage)
    start = 0
    for match in (*_LINE_BREAK.finditer(text), None):
        end = match.start() if match else len(text)
        yield from _read_part(view, text[start:end], start)
        start = match.end() if match else end


def _read_part(view: _View, part: str, start: int) -> Iterator[Line]:
    """Yield what PDFium gives as one line; as several where its words stand on several.

    It runs short lines of small type together, mostly footnotes: 50 times in 18 reports.
    """
    inked = [index for index, character in enumerate(part) if character > " "]
    if not inked:
        return
    # The mark of a line hyphen is no glyph.
    last = inked[-2] if part[inked[-1]] in "\x02\ufffe" and len(inked) > 1 else inked[-1]
    places = (inked[0], inked[len(inked) // 2], last)
    first, middle, last_glyph = (_read_glyph(view, start + index) for index in places)
    bottom, baseline, top = sorted((first.baseline, middle.baseline, last_glyph.baseline))
    if top - bottom > 0.8 * max(first.size, middle.size) and middle.upright:
        words = list(re.finditer(r"\S+", part))
        baselines = [_read_glyph(view, start + word.start()).baseline for word in words]
        for index in range(1, len(words)):
            if abs(baselines[index] - baselines[index - 1]) > 0.8 * middle.size:
                cut = words[index].start()
                yield from _read_part(view, part[:cut], start)
                yield from _read_part(view, part[cut:], start + cut)
                return
    yield _make_line(part, first, middle, last_glyph, baseline)


def _page_text(textpage: pypdfium2.PdfTextPage) -> str:
    """Return the page's text, one character for each of PDFium's text indexes."""
    count = textpage.count_chars()
    if count == 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(textpage, 0, count, buffer)
    return "".join(map(chr, buffer[: max(0, written - 1)]))


def _make_line(part: str, first: _Glyph, middle: _Glyph, last: _Glyph, baseline: float) -> Line:
    sizes = sorted((first.size, middle.size, last.size))
    # In small capitals the first letter has the font's size.
    size = sizes[2] if part.isupper() else sizes[1]
    text = part.replace("\ufffe", LINE_HYPHEN).encode("utf-16-le", "surrogatepass")
    return Line(
        text=text.decode("utf-16-le", "replace"),
        x0=min(first.left, last.left),
        y0=baseline,
        x1=max(first.right, last.right),
        y1=baseline + size,
        size=size,
        bold=first.bold and middle.bold and last.bold,
        italic=first.italic and middle.italic and last.italic,
        raised=first.size < 0.8 * size or first.baseline > baseline + 0.15 * size,
        upright=middle.upright,
    )


def _read_glyph(view: _View, text_index: int) -> _Glyph:
    textpage = view.textpage
    index = pdfium.FPDFText_GetCharIndexFromTextIndex(textpage, text_index)
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    pdfium.FPDFText_GetCharBox(textpage, index, left, right, bottom, top)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(textpage, index, x, y)
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(textpage, index, matrix)
    size = pdfium.FPDFText_GetFontSize(textpage, index) * math.hypot(matrix.c, matrix.d)
    # What a hostile matrix makes of it is neither a size nor a place.
    size = min(max(size, 1.0), 1000.0) if math.isfinite(size) else 1.0
    bold, italic = _read_font(textpage, index)
    x0, _ = view.turn(_finite(left), _finite(bottom))
    x1, _ = view.turn(_finite(right), _finite(top))
    _, baseline = view.turn(_finite(x), _finite(y))
    angle = pdfium.FPDFText_GetCharAngle(textpage, index) + math.radians(view.rotation)
    angle = angle if math.isfinite(angle) else 0.0
    # 0.2 radians: slanted scans are upright, sidebars and watermarks aren't.
    upright = abs(math.remainder(angle, 2 * math.pi)) < 0.2
    return _Glyph(min(x0, x1), max(x0, x1), baseline, size, bold, italic, upright)


def _finite(value: ctypes.c_double) -> float:
    return value.value if abs(value.value) < 1e6 else 0.0


def _read_font(textpage: pypdfium2.PdfTextPage, index: int) -> tuple[bool, bool]:
    """Return whether a character is bold, and whether it is italic."""
    flags = ctypes.c_int()
    buffer = ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(textpage, index, buffer, len(buffer), flags)
    name = buffer.value.decode("utf-8", "replace")
    weight = pdfium.FPDFText_GetFontWeight(textpage, index)
    bold = weight >= _BOLD_WEIGHT or bool(flags.value & _FORCE_BOLD_FLAG)
    italic = bool(flags.value & _ITALIC_FLAG)
    return bold or bool(_BOLD_NAME.search(name)), italic or bool(_ITALIC_NAME.search(name))

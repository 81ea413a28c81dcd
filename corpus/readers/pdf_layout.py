"""Joins the lines of a PDF's pages into paragraphs.

Everything here works on plain values, so it can be tested without a PDF. Lengths are points
(1/72 inch), y grows upwards.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

# PDFium's mark for a hyphen at the end of a line. The word goes on in the next line.
LINE_HYPHEN = "\x02"
BULLETS = "•●○◦▪■□▫‣⁃∙·➢➔►✓✔❖◆◇"
# "(a) …", "12. …", "iv) …", "B. …", "(ee) …"; a year, a decimal number or "p. 62" is none.
NUMBERED = re.compile(r"(?!p\.)\(?(\d{1,3}|[ivxl]{1,6}|([a-zA-Z])\2?)[.)]\)?\s+(?=\S)", re.ASCII)
# Words that number the parts of a law or a report, outermost first.
DIVISIONS = ("part", "title", "annex", "appendix", "chapter", "section", "article")
DIVISION = re.compile(
    rf"({'|'.join(DIVISIONS)})\s+([IVXLC]+|\d+(?:\.\d+)*|[A-Z])(?:[.:]|(?=\s)|$)", re.IGNORECASE
)
_BULLET = re.compile(rf"[{BULLETS}\ue000-\uf8ff](?=\s|\w|$)|o\s+(?=[A-Z])")
_DASH = re.compile(r"[–—-]\s+")
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text as it stands on a page.

    Attributes:
        text: Its characters; ends in LINE_HYPHEN where a word was broken.
        x0: Left edge of the first glyph.
        y0: The baseline.
        x1: Right edge of the last glyph.
        y1: One font size above the baseline.
        size: Font size as shown.
        bold: Whether its first, middle and last glyph are bold.
        italic: The same for italics.
        raised: Whether it begins with a smaller or lifted sign, as a note does.
        upright: False for text that runs up, down or slantwise on the page.
    """

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    bold: bool = False
    italic: bool = False
    raised: bool = False
    upright: bool = True


@dataclass(frozen=True, slots=True)
class PageLines:
    """The lines of one page, in the order the PDF gives them.

    Attributes:
        number: From 1.
        label: What the PDF calls the page; "" if it doesn't say.
        height: Of the page.
        lines: Its lines.
    """

    number: int
    label: str
    height: float
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Measures:
    """What is ordinary in a document, which everything else is compared with.

    Attributes:
        body_size: The font size most characters have.
        bold_stands_out: Whether bold is rare enough in text of that size to mean a heading.
        italic_stands_out: The same for italics.
        leading: Most common distance of two lines, by rounded font size.
    """

    body_size: float
    bold_stands_out: bool = True
    italic_stands_out: bool = True
    leading: dict[float, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that belong together, on one page."""

    lines: tuple[Line, ...]

    @property
    def x0(self) -> float:
        """Left edge of the first line."""
        return self.lines[0].x0

    @property
    def size(self) -> float:
        """Font size of the longest line."""
        return max(self.lines, key=lambda line: len(line.text)).size

    @property
    def bold(self) -> bool:
        """Whether every line is bold."""
        return all(line.bold for line in self.lines)

    @property
    def italic(self) -> bool:
        """Whether every line is italic."""
        return all(line.italic for line in self.lines)


def rounded_size(size: float) -> float:
    """Return a font size to the half point: 11.04 and 10.98 are one size to a reader."""
    return round(size * 2) / 2


def is_marked(text: str) -> bool:
    """Return whether a line begins with a bullet sign or a list number."""
    text = text.lstrip()
    return bool(_BULLET.match(text) or NUMBERED.match(text))


def strip_bullet(text: str) -> tuple[str, bool]:
    """Return a list item without its bullet sign, and whether there was one."""
    text = text.lstrip()
    match = _BULLET.match(text) or _DASH.match(text)
    return (text[match.end() :].lstrip(), True) if match else (text, False)


# --- lines that PDFium took apart ----------------------------------------------------------


def merge_fragments(lines: Sequence[Line]) -> list[Line]:
    """Put together neighbours that stand on one baseline, such as a word and its comma.

    PDFium begins a new line after a superscript. A gap of more than one font size is left alone:
    there a table's next cell begins; after a bare bullet, number or note sign it may be four.
    """
    merged: list[Line] = []
    for line in lines:
        last = merged[-1] if merged else None
        if last is None or not _is_same_row(last, line):
            merged.append(line)
            continue
        spaced = last.text[-1:].isspace() or line.text[:1].isspace()
        gap = line.x0 - last.x1
        joiner = "" if spaced or gap < 0.12 * last.size else " "
        longer = max(last, line, key=lambda each: len(each.text))
        merged[-1] = replace(
            longer,
            text=last.text + joiner + line.text,
            x0=min(last.x0, line.x0),
            x1=max(last.x1, line.x1),
            bold=last.bold and line.bold,
            italic=last.italic and line.italic,
            raised=last.raised or (last.size < 0.8 * line.size and len(last.text.strip()) < 4),
        )
    return merged


def _is_same_row(last: Line, line: Line) -> bool:
    if not (last.upright and line.upright) or last.text.endswith(LINE_HYPHEN):
        return False
    size = max(last.size, line.size)
    text = last.text.strip()
    note_sign = last.size < 0.8 * line.size and text.isdigit()
    bare_marker = (len(text) < 6 and is_marked(text + " a")) or (
        len(text) < 4 and not _PRIVATE.sub("", text)
    )
    reach = 4 * size if bare_marker or note_sign else size
    level = abs(last.y0 - line.y0) < (0.7 if note_sign else 0.4) * size
    return level and -0.3 * size <= line.x0 - last.x1 <= reach


# --- what is ordinary ----------------------------------------------------------------------


def measure(pages: Sequence[PageLines]) -> Measures:
    """Return what is ordinary in these pages; without lines the body size is 0."""
    characters: Counter[float] = Counter()
    for page in pages:
        # Lines of running text are wide; the cells of a long table, often smaller, are not.
        wide = 0.6 * max((line.x1 - line.x0 for line in page.lines), default=0.0)
        for line in page.lines:
            if line.x1 - line.x0 >= wide:
                characters[rounded_size(line.size)] += len(line.text)
    if not characters:
        return Measures(0.0)
    body = characters.most_common(1)[0][0]
    body_lines = [line for page in pages for line in page.lines if rounded_size(line.size) == body]
    total = sum(len(line.text) for line in body_lines)
    bold = sum(len(line.text) for line in body_lines if line.bold)
    italic = sum(len(line.text) for line in body_lines if line.italic)
    leading: dict[float, Counter[float]] = defaultdict(Counter)
    for page in pages:
        for size, counts in _count_distances(page.lines).items():
            leading[size].update(counts)
    # 0.2: bold is 0-5% of the body text in 17 of the 18 reports measured, and 56% in the AI Act,
    # whose amendments are set in bold italics.
    return Measures(
        body,
        bold_stands_out=bold < 0.2 * total,
        italic_stands_out=italic < 0.2 * total,
        leading={size: counts.most_common(1)[0][0] for size, counts in leading.items()},
    )


def _count_distances(lines: Sequence[Line]) -> dict[float, Counter[float]]:
    """Count, by font size, how far below the line before it a line stands."""
    distances: dict[float, Counter[float]] = defaultdict(Counter)
    for above, below in _neighbours(lines):
        distances[rounded_size(below.size)][rounded_size(above.y0 - below.y0)] += 1
    return distances


def _local_leading(lines: Sequence[Line]) -> dict[float, float]:
    """Return the usual distance of a paragraph's lines by font size, where these lines tell.

    The smallest common one, as on a page of one-line items; three pairs, and a quarter of all,
    keep out chance ones.
    """
    usual: dict[float, float] = {}
    for size, counts in _count_distances(lines).items():
        common = [d for d, number in counts.items() if number >= max(3, counts.total() / 4)]
        if common:
            usual[size] = min(common)
    return usual


def _neighbours(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    for above, below in pairwise(lines):
        distance = above.y0 - below.y0
        same_size = rounded_size(above.size) == rounded_size(below.size)
        if same_size and 0.8 * below.size <= distance <= 2.5 * below.size:
            yield above, below


# --- paragraphs ----------------------------------------------------------------------------


def split_paragraphs(lines: Sequence[Line], measures: Measures) -> list[Paragraph]:
    """Join lines of one page, in the order given, into paragraphs."""
    leading = measures.leading | _local_leading(lines)
    paragraphs: list[list[Line]] = []
    for index, line in enumerate(lines):
        if paragraphs and not _starts_paragraph(paragraphs[-1], lines, index, measures, leading):
            paragraphs[-1].append(line)
        else:
            paragraphs.append([line])
    return [Paragraph(tuple(each)) for each in paragraphs]


def _starts_paragraph(
    current: Sequence[Line],
    lines: Sequence[Line],
    index: int,
    measures: Measures,
    leading: Mapping[float, float],
) -> bool:
    """Return whether line `index` begins a paragraph, after those of the current one."""
    line = lines[index]
    last = current[-1]
    size = max(last.size, line.size)
    distance = last.y0 - line.y0
    # A word broken by a hyphen goes on, unless its other half stands elsewhere on the page.
    if last.text.endswith(LINE_HYPHEN) and 0 < distance < 2 * size:
        return False
    if distance < 0.5 * size or last.upright != line.upright:
        return True
    if abs(last.size - line.size) > 0.08 * size:
        return True
    usual = leading.get(rounded_size(line.size), 1.25 * line.size)
    if line.size > 1.12 * measures.body_size and last.bold == line.bold:
        # Lines of a heading: often centred, each shorter than the measure.
        return distance > max(1.2 * usual, 1.45 * line.size) or bool(NUMBERED.match(line.text))
    # 1.2: paragraphs are parted by 1.25 (Federal Register) to 2 usual distances.
    if distance > 1.2 * usual:
        return True
    if _BULLET.match(line.text.lstrip()):
        return True
    slack = _right_edge(lines, index) - last.x1
    early = slack > _first_word_width(line) + 0.5 * size
    outdented = line.x0 < last.x0 - 0.5 * size
    if _DASH.match(line.text):  # Or a dash in the middle of a sentence.
        return outdented or (bool(_DASH.match(current[0].text)) and _level(current[0], line))
    if is_marked(line.text):
        return early or outdented or (is_marked(current[0].text) and _level(current[0], line))
    if last.bold != line.bold and measures.bold_stands_out and early:
        return True
    if line.x0 > last.x0 + 0.8 * size:
        # Deeper: the hanging lines of an item, or the indent of a new paragraph.
        return len(current) > 1 or (not is_marked(current[0].text) and early)
    if outdented and len(current) > 1:
        return True
    # A line that leaves room for three letters more than the next word ends its paragraph; with
    # less room a ragged margin, or words kept together ("In 2023"), explain it as well.
    return early and slack > _first_word_width(line) + 3 * size and not line.text[:1].islower()


def _level(first: Line, line: Line) -> bool:
    return abs(first.x0 - line.x0) < 0.5 * line.size


def _right_edge(lines: Sequence[Line], index: int) -> float:
    """Return how far right the column of line `index` reaches, judged by its neighbours."""
    line = lines[index]
    near = lines[max(0, index - 7) : index + 7]
    return max(
        (each.x1 for each in near if each.x0 < line.x1 and each.x1 > line.x0 and each.upright),
        default=line.x1,
    )


def _first_word_width(line: Line) -> float:
    text = line.text.strip()
    word = text.split(" ", 1)[0]
    return (line.x1 - line.x0) * (len(word) + 1) / max(1, len(text))

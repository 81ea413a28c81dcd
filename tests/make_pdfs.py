"""Writes the small PDFs that test_pdf_reader reads: `python tests/make_pdfs.py [folder]`.

The files are written by hand, object by object, so that no library decides what is in them and
the same script always writes the same bytes.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"
# What the fourth font shows for the letters a-c: a bullet of Word's Symbol font, the ligature
# fi, and U+0007.
_TO_UNICODE = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
1 begincodespacerange <00> <FF> endcodespacerange
3 beginbfchar <61> <F0B7> <62> <FB01> <63> <0007> endbfchar endcmap end end"""


@dataclass
class Text:
    """A line of text: left edge and baseline in points, font size, font F1-F4."""

    x: float
    y: float
    text: str
    size: float = 10
    font: str = "F1"  # F1 Helvetica, F2 bold, F3 italic, F4 the one with odd signs.
    matrix: str = "1 0 0 1"


@dataclass
class Pdf:
    """A PDF in the making: numbered objects, of which the last are the pages."""

    pages: list[list[Text]]
    info: dict[str, str] = field(default_factory=dict)
    catalog: str = ""
    trailer: str = ""
    rotation: int = 0
    extra: list[str] = field(default_factory=list)  # Objects 9, 10…: outlines.
    broken_pages: tuple[int, ...] = ()

    def to_bytes(self) -> bytes:
        """Return the file."""
        first_page = 9 + len(self.extra)
        kids = [first_page + 2 * index for index in range(len(self.pages))]
        kids_text = " ".join(f"{kid} 0 R" for kid in kids)
        fonts = " ".join(f"/F{n} {n + 2} 0 R" for n in range(1, 5))
        info = " ".join(f"/{key} ({value})" for key, value in self.info.items())
        objects = [
            f"<< /Type /Catalog /Pages 2 0 R {self.catalog} >>",
            f"<< /Type /Pages /Kids [{kids_text}] /Count {len(kids)} >>",
            _font("Helvetica"),
            _font("Helvetica-Bold"),
            _font("Helvetica-Oblique"),
            _font("Helvetica", "/ToUnicode 8 0 R"),
            f"<< {info} >>",
            _stream(_TO_UNICODE),
            *self.extra,
        ]
        for number, (kid, texts) in enumerate(zip(kids, self.pages, strict=True), start=1):
            page = (
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 600] /Rotate {self.rotation} "
                f"/Resources << /Font << {fonts} >> >> /Contents {kid + 1} 0 R >>"
            )
            objects.append("(no page)" if number in self.broken_pages else page)
            objects.append(_stream("\n".join(map(_show, texts))))
        return _file(objects, self.trailer)


def _font(name: str, more: str = "") -> str:
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding {more} >>"


def _stream(content: str) -> str:
    return f"<< /Length {len(content.encode('cp1252'))} >> stream\n{content}\nendstream"


def _show(line: Text) -> str:
    if line.font == "image":  # A grey square where the scan of a page would be.
        return "0.5 g 50 50 300 500 re f"
    text = line.text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT /{line.font} {line.size} Tf {line.matrix} {line.x} {line.y} Tm ({text}) Tj ET"


def _file(objects: list[str], trailer: str) -> bytes:
    data = bytearray(b"%PDF-1.7\n")
    offsets: list[int] = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(data))
        data += f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252")
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    data += "".join(f"{offset:010} 00000 n \n" for offset in offsets).encode()
    size = f"/Size {len(objects) + 1} /Root 1 0 R /Info 7 0 R"
    data += f"trailer << {size} {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(data)


def paragraph(x: float, y: float, *lines: str, size: float = 10, hang: float = 0) -> list[Text]:
    """Return lines set 1.2 font sizes apart, those after the first `hang` points further right."""
    return [
        Text(x + (hang if index else 0), y - index * 1.2 * size, line, size)
        for index, line in enumerate(lines)
    ]


def report() -> Pdf:
    """A report of five pages with everything the reader knows to tell apart."""
    contents = [
        Text(50, 540, "Contents", 18, "F2"),
        Text(50, 510, "1 Findings ........................................ 1"),
        Text(50, 495, "1.1 Method ........................................ 1"),
        Text(50, 480, "References ........................................ 3"),
    ]
    first = [
        Text(50, 540, "1 Findings", 18, "F2"),
        *paragraph(
            50,
            510,
            "Automated systems were tested in nine laboratories, and the results were compa-",
            "red with those of human experts. In every laboratory the staff wrote their know-",
            "how down. The experts were compared with one another as well.",
        ),
        Text(50, 460, "1.1 Method", 14, "F2"),
        *paragraph(
            50,
            435,
            "Each laboratory measured the error rate of its systems before and after train-",
            "ing.1 Both were noted, and the know-how gained in between was noted too. The",
        ),
        Text(50, 411, "b", 10, "F4"),
        Text(55.6, 411, "nal rate is the mean of both."),
        Text(200, 411, "c", 10, "F4"),
        Text(50, 395, "a", 10, "F4"),
        *paragraph(
            62, 395, "the first item of a list, which is long enough to go on in a", "line."
        ),
        Text(50, 368, "a", 10, "F4"),
        Text(62, 368, "the second item;"),
        *paragraph(
            50, 344, "(a) a lettered item, which is long enough to go on in a", "line.", hang=12
        ),
        Text(50, 300, "Figure 1. Error rate by laboratory", 9),
        *paragraph(
            50,
            270,
            "The rate fell in all laboratories but one. Where it rose, the systems had been",
            "changed between the two measurements, so that they could not be com-",
        ),
        Text(50, 80, "1", 6),
        Text(54, 76, "Training lasted four weeks.", 8),
    ]
    second = [
        *paragraph(
            50, 540, "pared and were left out of the mean. This happened in one laboratory only."
        ),
        *paragraph(
            50,
            505,
            "The laboratories agreed on a common protocol, and all of them will use it in",
            "the years to come.",
        ),
        Text(50, 460, "Costs", 10, "F2"),
        *paragraph(
            50,
            440,
            "Testing cost less than expected; the figures are given in the annex, together",
            "with a budget.",
        ),
    ]
    third = [
        Text(50, 540, "References", 18, "F2"),
        *paragraph(50, 510, "1. A. Author, On testing, Journal of Tests 3, 1-20 (2021).", size=8),
        *paragraph(
            50,
            495,
            "2. B. Writer, More on testing, Journal of Tests 4, 21-40 (2022), a title that",
            "needs a line more.",
            size=8,
        ),
    ]
    pages = [[Text(50, 400, "Testing Automated Systems", 24, "F2")], contents, first, second, third]
    for number, lines in enumerate(pages):
        lines.append(Text(50, 580, "Institute of Tests | Report 7", 8))
        if number:
            lines.append(Text(195, 20, f"Page {number}", 8))
    outlines = [
        "<< /Type /Outlines /First 10 0 R /Last 12 0 R /Count 3 >>",
        "<< /Title (Findings) /Parent 9 0 R /Next 12 0 R /First 11 0 R /Last 11 0 R /Count 1 >>",
        "<< /Title (1.1 Method) /Parent 10 0 R >>",
        "<< /Title (References) /Parent 9 0 R /Prev 10 0 R >>",
    ]
    return Pdf(
        pages,
        info={
            "Title": "Testing Automated Systems",
            "Author": "Ada Author; Institute of Tests; mail@example.org",
            "CreationDate": "D:20250301120000Z",
        },
        catalog="/Outlines 9 0 R",
        extra=outlines,
    )


def roman_labels() -> Pdf:
    """Three pages labelled i, 1 and 2 in the file itself."""
    pages = [[Text(50, 300, f"Text of leaf {number}.")] for number in (1, 2, 3)]
    return Pdf(pages, catalog="/PageLabels << /Nums [0 << /S /r >> 1 << /S /D >>] >>")


def columns() -> Pdf:
    """A page of two columns, a sentence going on from the foot of one to the head of the other."""
    left = paragraph(30, 540, "The left column ends in the", "middle of a sentence that", "goes on")
    right = paragraph(220, 540, "at the head of the right one,", "where it ends.")
    return Pdf([[Text(30, 570, "Two columns", 16, "F2"), *left, *right]])


def all_fixtures() -> dict[str, bytes]:
    """Return each fixture's bytes by its file name."""
    plain = [
        paragraph(50, 540, f"This is what page {word} says.") for word in ("one", "two", "three")
    ]
    # Set upwards on a page that is shown turned clockwise, and so read from left to right.
    turned = [
        Text(60, 50, "A Turned Page", 18, "F2", "0 1 -1 0"),
        Text(100, 50, "The first line of a paragraph that is", 10, "F1", "0 1 -1 0"),
        Text(112, 50, "two lines long.", 10, "F1", "0 1 -1 0"),
    ]
    key = "<" + "5a" * 32 + ">"
    encrypted = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O {key} /U {key} /P -4 >> /ID [<00><00>]"
    return {
        "report.pdf": report().to_bytes(),
        "labels.pdf": roman_labels().to_bytes(),
        "columns.pdf": columns().to_bytes(),
        "rotated.pdf": Pdf([turned], rotation=90).to_bytes(),
        "encrypted.pdf": Pdf(plain, trailer=encrypted).to_bytes(),
        "scan.pdf": Pdf([[Text(0, 0, "", font="image")]]).to_bytes(),
        "partly-scan.pdf": Pdf([plain[0], [Text(0, 0, "", font="image")]]).to_bytes(),
        "blank.pdf": Pdf([[]]).to_bytes(),
        "no-pages.pdf": Pdf([]).to_bytes(),
        "broken-page.pdf": Pdf(plain, broken_pages=(2,)).to_bytes(),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES
    folder.mkdir(exist_ok=True)
    for name, data in all_fixtures().items():
        (folder / name).write_bytes(data)

"""Takes away what runs along the edges of a PDF's pages: heads, feet, page numbers."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from corpus.readers.pdf_layout import DIVISION, Line, PageLines

_NUMBER = re.compile(r"\d+")
_ROMAN = re.compile(r"[ivxlc]{1,7}", re.IGNORECASE)
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
# "12", "Page 12", "- 12 -", "12/459", "Page 12 of 30", "12 | Page".
_PAGE_NUMBER = re.compile(
    r"\W*(page|p\.|seite)?\W*(\d{1,4}|[ivxlc]{1,7})\W*((of|/|von)\W*\d{1,4}|page)?\W*",
    re.IGNORECASE,
)


def drop_running_lines(pages: Sequence[PageLines]) -> tuple[list[PageLines], dict[int, str]]:
    """Take away what is repeated along the edges of the pages.

    Only the outermost row of each page is looked at, again and again until nothing more goes.
    `_is_running` says what counts as repeated.

    Returns:
        The pages without those lines, and the printed page number by page number where found.
    """
    kept = {page.number: list(page.lines) for page in pages}
    heights = {page.number: page.height for page in pages}
    printed: dict[int, list[tuple[int, str]]] = defaultdict(list)
    # Six rounds: the most rows seen along one edge of a report were two.
    for _ in range(6):
        keys_by_line = {
            (number, index): _running_keys(line, number)
            for number, lines in kept.items()
            for index, line in _edge_lines(lines, heights[number]).items()
        }
        pages_by_key: dict[str, set[int]] = defaultdict(set)
        for (number, _), keys in keys_by_line.items():
            for key, _ in keys:
                pages_by_key[key].add(number)
        dropped: dict[int, set[int]] = defaultdict(set)
        for (number, index), keys in keys_by_line.items():
            for key, label in keys:
                if _is_running(key, number, pages_by_key[key], len(pages)):
                    dropped[number].add(index)
                    if label:
                        printed[number].append((len(pages_by_key[key]), label))
        if not dropped:
            break
        for number, indexes in dropped.items():
            kept[number] = [line for index, line in enumerate(kept[number]) if index not in indexes]
    if not any(kept.values()):
        return list(pages), {}  # Every page says the same and nothing else.
    labels = {number: max(found)[1] for number, found in printed.items()}
    return [replace(page, lines=tuple(kept[page.number])) for page in pages], labels


def _is_running(key: str, number: int, found_on: set[int], page_count: int) -> bool:
    """Return whether what stands on these pages is a running line on page `number`.

    The same text must stand on three of the nine pages around it (a chapter's head runs on few
    pages, a heading "Section 2" that happens to begin pages 290, 340 and 347 is none); a text
    with a number that counts the pages on a fifth of all pages and at least three, or on five of
    thirteen (in the AI Act, three pages in a row begin with Article 33, 34 and 35).
    """
    if page_count < 3:
        return len(found_on) == 2
    if "<" in key:
        near = sum(abs(other - number) <= 6 for other in found_on)
        return near >= 5 or len(found_on) >= max(3, page_count / 5)
    return sum(abs(other - number) <= 4 for other in found_on) >= 3


def _edge_lines(lines: Sequence[Line], height: float) -> dict[int, Line]:
    """Return the lines of the top and of the bottom row, and all that aren't upright.

    A row counts if it lies in the top or bottom sixth of the page: heads and feet stood in the
    outer tenth in the reports measured.
    """
    edge = {index: line for index, line in enumerate(lines) if not line.upright}
    upright = [line.y0 for line in lines if line.upright]
    if not upright:
        return edge
    # 3 points: what stands on one row may differ that much in its baseline.
    top = max(max(upright) - 3, height * 5 / 6)
    bottom = min(min(upright) + 3, height / 6)
    return edge | {
        index: line
        for index, line in enumerate(lines)
        if line.upright and not bottom < line.y0 < top
    }


def _running_keys(line: Line, number: int) -> list[tuple[str, str]]:
    """Return what a line is counted under, with the page number it prints if that is why.

    The text as it is; the text with one number replaced by its distance from the page's own; and
    for a bare page number just that. Each at a height, rounded in two ways so that two lines less
    than three points apart share at least one key.
    """
    text = " ".join(line.text.replace("<", "‹").split())
    variants = [(text, "")]
    # "Article 103" is no page number, even where six pages in a row begin with the next article.
    numbers = [
        (match.start(), match.end(), int(match.group()))
        for match in _NUMBER.finditer(text)
        if not DIVISION.fullmatch(text)
    ]
    if _ROMAN.fullmatch(text):
        numbers = [(0, len(text), _roman_value(text))]
    for start, end, value in numbers[:12]:
        at_edge = not (start and end < len(text)) and not text[start:end].startswith("0")
        label = text[start:end] if at_edge and len(text[start:end]) < 7 else ""
        variants.append((f"{text[:start]}<{value - number}>{text[end:]}", label))
    if len(text) < 30 and _PAGE_NUMBER.fullmatch(text):
        variants.append(("<page>", ""))
    heights = (f"{round(line.y0 / 6)}", f"{round((line.y0 + 3) / 6)}'")
    return [(f"{height} {variant}", label) for variant, label in variants for height in heights]


def _roman_value(text: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in text.lower()]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def page_labels(pages: Sequence[PageLines], printed: dict[int, str]) -> list[str]:
    """Return each page's label: the PDF's own, else the number printed on it, else its number.

    Where most pages print a number, one that prints none has the number it is counted as, judged
    by the nearest that does; and what comes before page 1 is given in brackets: "[2]".
    """
    if any(page.label for page in pages):
        return [page.label or f"[{page.number}]" for page in pages]
    if 2 * len(printed) < len(pages):
        return [str(page.number) for page in pages]
    counted = sorted(number for number, label in printed.items() if label.isdecimal())
    labels: list[str] = []
    for page in pages:
        label = printed.get(page.number)
        if label is None and counted:
            nearest = min(counted, key=lambda number: abs(number - page.number))
            implied = int(printed[nearest]) + page.number - nearest
            label = str(implied) if implied > 0 else None
        labels.append(label or f"[{page.number}]")
    return labels

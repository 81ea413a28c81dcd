"""The pages of a plain text: where they end, what is printed on them, their running heads."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

_PAGE_END = re.compile(
    r"^[ \t]*\[\[page[ \t]+([^\]\n]{1,12}?)[ \t]*\]\][ \t]*(?:\n[ \t\n]*\x0c|\n|\x0c|\Z)|\x0c",
    re.MULTILINE | re.IGNORECASE,
)
# How many lines at the top and at the foot of a page can be running heads and page numbers.
_TOP, _FOOT = 4, 3
_LONGEST_HEAD = 100
# A running head stands on three pages or more, and on a third of those between its first and its
# last: "Source: own figures." stands at the foot of pages too, but far apart.
_FEWEST_PAGES = 3
_DENSITY = 0.33
_NUMBER = re.compile(r"(?:page\s+)?[-–—|\s]*(\d{1,4})[-–—|\s]*(?:(?:of|/)\s*\d{1,4})?", re.I)
_LEADING = re.compile(r"(\d{1,4})(?=\D)")
_TRAILING = re.compile(r"(?<=\D)(\d{1,4})$")
_ROMAN = re.compile(r"[ivxl]{1,7}", re.IGNORECASE)
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10, "l": 50}


@dataclass(frozen=True, slots=True)
class TextPage:
    """A page: its printed label ("" if none is seen) and its lines, ends of lines as they came."""

    label: str
    lines: tuple[str, ...]


def split_pages(text: str) -> tuple[TextPage, ...]:
    """Split a text at form feeds and at lines `[[page N]]`, each of which ends a page.

    A text that begins with a line `[[page N]]` has them at the head of its pages instead. A last
    page without a mark of its own follows the one before it.

    Returns:
        No pages if the text has no such mark. White space after the last mark is no page.
    """
    marks = list(_PAGE_END.finditer(text))
    if not marks:
        return ()
    labels = [mark[1] or "" for mark in marks]
    cuts = [(mark.start(), mark.end()) for mark in marks]
    if labels[0] and not text[: cuts[0][0]].strip():
        begins = [end for _, end in cuts]
        ends = [*(start for start, _ in cuts[1:]), len(text)]
    else:
        begins = [0, *(end for _, end in cuts)]
        ends = [*(start for start, _ in cuts), len(text)]
        labels.append(str(int(labels[-1]) + 1) if labels[-1].isdecimal() else "")
    pages = [
        TextPage(label, tuple(text[begin:end].split("\n")))
        for label, begin, end in zip(labels, begins, ends, strict=True)
    ]
    if not text[begins[-1] :].strip():
        pages.pop()
    return tuple(pages)


def strip_running_lines(pages: Sequence[TextPage]) -> tuple[list[TextPage], tuple[str, ...]]:
    """Take running heads and page numbers off the pages, and label each with its number.

    A head is kept where it first stands if the text says it nowhere else; it may be the title.

    Returns:
        The pages, and each running head as it first stands.
    """
    offset = _find_offset(pages, _printed_numbers, share=0.2)
    roman_offset = _find_offset(pages, _roman_numbers, share=0)
    heads = _find_heads(pages)
    first_seen: dict[str, str] = {}
    stripped = []
    for index, page in enumerate(pages):
        numbers = [None if by is None else index + by for by in (offset, roman_offset)]
        dropped, label = _find_dropped(page.lines, (numbers[0], numbers[1]), heads)
        body = " ".join(" ".join(page.lines).split()).casefold()
        kept = []
        for number, line in enumerate(page.lines):
            if number not in dropped:
                kept.append(line)
            elif _is_worded(line) and (key := _key(line)) not in first_seen:
                head = " ".join(_without_number(line, label).split())
                first_seen[key] = head
                if heads.get(key, 0) >= _FEWEST_PAGES and body.count(head.casefold()) < 2:
                    kept.append(head)
        kept = _drop_repeated_title(kept) if dropped else kept
        stripped.append(TextPage(page.label or label, tuple(kept)))
    return _fill_labels(stripped, offset), tuple(first_seen.values())


def _key(line: str) -> str:
    """Return what a running head's line has in common with itself on other pages."""
    if len(line) > 2 * _LONGEST_HEAD:
        return ""
    key = re.sub(r"\d+", "#", " ".join(line.split()).casefold()).strip("# |·•–—-")
    return key if len(key) <= _LONGEST_HEAD and any(char.isalpha() for char in key) else ""


def _edges(lines: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the numbers of the top and foot lines, each from the edge of the page inwards."""
    filled = [number for number, line in enumerate(lines) if line.strip()]
    return filled[:_TOP], [
        number for number in filled[: -_FOOT - 1 : -1] if number not in filled[:1]
    ]


def _find_heads(pages: Sequence[TextPage]) -> dict[str, int]:
    """Return the lines that run along the edges of pages, with the number of their pages."""
    seen: dict[str, list[int]] = {}
    for index, page in enumerate(pages):
        top, foot = _edges(page.lines)
        for key in {_key(page.lines[number]) for number in (*top, *foot)} - {""}:
            seen.setdefault(key, []).append(index)
    return {
        key: len(found)
        for key, found in seen.items()
        if len(found) > 1 and len(found) / (found[-1] - found[0] + 1) >= _DENSITY
    }


def _printed_numbers(line: str) -> Iterator[int]:
    """Yield the numbers that may be a page's, from a line at its edge."""
    line = line.strip()
    if len(line) > _LONGEST_HEAD:
        return
    if match := _NUMBER.fullmatch(line):
        yield int(match[1])
    else:
        ends = (_LEADING.match(line), _TRAILING.search(line))
        yield from (int(match[1]) for match in ends if match)


def _roman_numbers(line: str) -> Iterator[int]:
    """Yield the value of a line that is a Roman numeral."""
    if not _ROMAN.fullmatch(line.strip()):
        return
    values = [_ROMAN_VALUES[char] for char in line.strip().casefold()]
    pairs = zip(values, [*values[1:], 0], strict=True)
    yield sum(-value if value < following else value for value, following in pairs)


def _find_offset(
    pages: Sequence[TextPage], read: Callable[[str], Iterator[int]], *, share: float
) -> int | None:
    """Return the printed number less the page's index that the pages agree on.

    None if fewer than three pages agree, or less than `share` of all.
    """
    votes: Counter[int] = Counter()
    for index, page in enumerate(pages):
        top, foot = _edges(page.lines)
        votes.update({n - index for at in (*top, *foot) for n in read(page.lines[at])})
    offset, count = max(votes.items(), key=lambda vote: (vote[1], -vote[0]), default=(0, 0))
    return offset if count >= max(_FEWEST_PAGES, share * len(pages)) else None


def _find_dropped(
    lines: Sequence[str], numbers: tuple[int | None, int | None], heads: dict[str, int]
) -> tuple[set[int], str]:
    """Return which of a page's lines go, and the page number found among them.

    Args:
        lines: The page's lines.
        numbers: The page's number if it is printed in figures, and if it is in Roman numerals.
        heads: The running heads.
    """
    figures, roman = numbers
    dropped: set[int] = set()
    label = ""
    for edge in _edges(lines):
        run: list[int] = []
        used: set[str] = set()
        sure = False
        for number in edge:
            line = lines[number]
            key = _key(line)
            has_figures = figures is not None and figures in _printed_numbers(line)
            has_roman = roman is not None and roman in _roman_numbers(line)
            is_number = has_roman or (has_figures and not _is_worded(line))
            if key in used or not (is_number or key in heads):
                break
            used.add(key)
            run.append(number)
            sure = sure or is_number or heads.get(key, 0) >= _FEWEST_PAGES
            if not label and (has_figures or has_roman):
                label = line.strip() if has_roman else str(figures)
        if sure:
            dropped.update(run)
    return dropped, label


def _is_worded(line: str) -> bool:
    return bool(_key(line)) and not _NUMBER.fullmatch(line.strip())


def _without_number(line: str, label: str) -> str:
    """Return a running head without the page number that it holds."""
    if not label:
        return line
    number = re.escape(label)
    return re.sub(rf"^\W*{number}(?!\d)\W*|\W*(?<!\d){number}\W*$", "", line)


def _drop_repeated_title(lines: list[str]) -> list[str]:
    """Drop a section's running head that stands on one page only, just above the same heading."""
    filled = [number for number, line in enumerate(lines) if line.strip()][:5]
    if len(filled) < 2 or not _key(lines[filled[0]]):
        return lines
    head = " ".join(lines[filled[0]].split())
    below = " ".join(" ".join(lines[number] for number in filled[1:]).split())
    if not below.startswith(head):
        return lines
    return lines[: filled[0]] + lines[filled[0] + 1 :]


def _fill_labels(pages: Sequence[TextPage], offset: int | None) -> list[TextPage]:
    """Label the unnumbered pages between numbered ones, and the others by their place."""
    labelled = [index for index, page in enumerate(pages) if page.label]
    filled = []
    for index, page in enumerate(pages):
        number = index + 1
        if offset is not None and labelled[0] < index < labelled[-1] and index + offset > 0:
            number = index + offset
        filled.append(replace(page, label=page.label or str(number)))
    return filled

"""Code lines of a scraped catalogue: `2.4.1 Research & FoundationsExplainability` taken apart.

A page that showed each record's code and category in a box loses the line break after it when it
is scraped, so the category runs into the next record's name. Nothing in the line says where; the
evidence is the change of case inside a word, and how the same code is labelled elsewhere on the
page. What cannot be seen this way: a name that begins in lower case or with a digit, unless its
code occurs elsewhere with the same category.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

_CODE_LINE = re.compile(r"(\d{1,3}(?:\.\d{1,3}){1,3})\s+([^\W\d_].*)")
_WORD = re.compile(r"[^\W\d_]+")
# A label is a few words; a longer line that begins with a number is prose.
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A code line taken apart: "2.4.1", "Research & Foundations", "Explainability" or ""."""

    code: str
    category: str
    following: str


def find_code(line: str) -> tuple[str, str] | None:
    """Return a code line's code and all that follows it, or None for any other line."""
    match = _CODE_LINE.fullmatch(line.strip()) if len(line) < _LONGEST else None
    return (match[1], match[2]) if match else None


def find_seams(label: str, words: Collection[str]) -> list[int]:
    """Return where a category may end and a name begin, by the change of case inside a word.

    Args:
        label: What follows the code.
        words: Words of the page's prose; a change of case inside one of them ("OpenAI") is no
            seam.
    """
    strong, weak = [], []
    for index in range(1, len(label)):
        before, here = label[index - 1], label[index]
        if not here.isupper() or before.isspace():
            continue
        if before.islower() or before.isdigit() or before in ")]”’":
            strong.append(index)
        elif before.isupper() and label[index + 1 : index + 2].islower():
            weak.append(index)  # "AIExplainability": an acronym, then a name
    seams = strong or weak
    edges = [0, *seams, len(label)]
    return [seam for seam in seams if not _is_inside_word(label, seam, edges, words)]


def take_apart(lines: Sequence[tuple[str, str]], words: Collection[str]) -> list[CodeLine]:
    """Split each (code, label) of a page into code, category and the next record's name.

    A label with one seam is certain, and its category then known for the page. Other labels take
    the longest known category of their code, else the longest known one that a seam allows, else
    their first seam, else the longest known one that begins them, else they are all category.
    """
    seams = [find_seams(label, words) for _, label in lines]
    by_code: dict[str, set[str]] = {}
    for (code, label), places in zip(lines, seams, strict=True):
        if len(places) == 1:
            by_code.setdefault(code, set()).add(label[: places[0]])
    everywhere = {category for known in by_code.values() for category in known}
    split = []
    for (code, label), places in zip(lines, seams, strict=True):
        end = (
            _longest_prefix(label, by_code.get(code, ()))
            or _longest_prefix(label, {label[:place] for place in places} & everywhere)
            or (places[0] if places else 0)
            or _longest_prefix(label, everywhere)
            or len(label)
        )
        split.append(CodeLine(code, label[:end].strip(), label[end:].strip()))
    return split


def _is_inside_word(label: str, seam: int, edges: Sequence[int], words: Collection[str]) -> bool:
    for match in _WORD.finditer(label):
        if not match.start() < seam < match.end():
            continue
        starts = [match.start(), *(edge for edge in edges if match.start() < edge < seam)]
        ends = [match.end(), *(edge for edge in edges if seam < edge < match.end())]
        return any(label[start:end] in words for start in starts for end in ends)
    return False


def _longest_prefix(label: str, categories: Collection[str]) -> int:
    """Return the length of the longest category that is glued to the front of a label, or 0."""
    fitting = (
        len(category)
        for category in categories
        if label.startswith(category) and not label[len(category) :].startswith(" ")
    )
    return max(fitting, default=0)

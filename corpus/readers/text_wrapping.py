"""How a plain text breaks its lines: which line ends are only wrapping, and how to undo it."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]\d*†‡]*$")
_BULLET = re.compile(r"\s*(?:[•●○▪■◦‣∙\uf0a7\uf0b7]\s*|[*·]\s+)(?=\S)")
_ITEM_NUMBER = re.compile(r"\s*\(?(?:\d{1,2}|[a-z]|[ivx]{1,5})[.)]\s+(?=\S)")
_DASH = re.compile(r"(\s*)[-–—](\s+)(?=\S)")
_HYPHENS = "-\u2010\u2011\u00ad"
_WORD_START = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)*")
_ADDRESS = re.compile(r"https?://|www\.")
# Lines longer than this are whole paragraphs, not wrapped ones.
_UNWRAPPED_LENGTH = 200
# How much of a line's end is looked at, so that a line of a million letters costs no more.
_TAIL = 200
_SENTENCE_TAIL = 20


@dataclass(frozen=True, slots=True)
class Wrapping:
    """How a whole text is wrapped.

    Attributes:
        marked: Wrapped lines end in a space and the last line of a paragraph does not, as in text
            copied out of a PDF.
        unwrapped: Each line is a paragraph.
        double_spaced: Empty lines stand between all lines and mean nothing.
        width: Characters that three lines in four do not exceed.
    """

    marked: bool
    unwrapped: bool
    double_spaced: bool
    width: int = 0


def measure_wrapping(lines: Iterable[str]) -> Wrapping:
    """Find out how the lines of a text are wrapped; a short text has no habits to go by."""
    every = list(lines)
    filled = [line for line in every if line.strip()]
    if len(filled) < 4:
        return Wrapping(marked=False, unwrapped=False, double_spaced=False)
    spaced = sum(line[-1].isspace() for line in filled) / len(filled)
    lengths = sorted(len(line.strip()) for line in filled)
    parted = sum(
        bool(line.strip()) and not following.strip() for line, following in pairwise(every)
    )
    ended = sum(ends_sentence(line) for line in filled if len(line) > 40)
    long_lines = sum(len(line) > 40 for line in filled)
    return Wrapping(
        marked=0.3 <= spaced <= 0.97,
        unwrapped=lengths[len(lengths) * 9 // 10] > _UNWRAPPED_LENGTH,
        width=lengths[len(lengths) * 3 // 4],
        double_spaced=parted > 0.9 * len(filled) and long_lines > 3 and ended < 0.5 * long_lines,
    )


def ends_sentence(text: str) -> bool:
    """Whether a text ends in a full stop or the like, a bracket or a note's sign after it."""
    return _SENTENCE_END.search(text[-_SENTENCE_TAIL:].rstrip()) is not None


def has_list_mark(line: str) -> bool:
    """Whether a line begins with a bullet or an item's number."""
    return any(mark.match(line) for mark in (_BULLET, _DASH, _ITEM_NUMBER))


def ends_paragraph(lines: Sequence[str], index: int, following: int, wrapping: Wrapping) -> bool:
    """Whether a paragraph, item or heading ends with a line.

    Args:
        lines: The lines of a page.
        index: The line's number.
        following: The number of the next line that is not empty.
        wrapping: How the text is wrapped.
    """
    line, after = lines[index], lines[following]
    if following > index + 1 and not wrapping.double_spaced:
        return True
    if wrapping.unwrapped or _starts_item(line, after):
        return True
    text = line.strip()
    if broken_word(text) or text.endswith(("–", "—")):
        return False
    if wrapping.marked and not line[-1].isspace():
        return not _in_address(text)
    return _breaks_early(lines, index, after, wrapping)


def _starts_item(line: str, after: str) -> bool:
    if _BULLET.match(after):
        return True
    dash, number = _DASH.match(after), _ITEM_NUMBER.match(after)
    if dash is None and number is None:
        return False
    # A sentence may also go on with a dash ("– documents that describe") or a number in brackets.
    if dash is not None and (dash[1] or len(dash[2]) > 1):
        return True
    begins = after[number.end()] if number is not None else after.lstrip()[1:].lstrip()[0]
    return begins.isupper() or ends_sentence(line)


def _breaks_early(lines: Sequence[str], index: int, after: str, wrapping: Wrapping) -> bool:
    """Whether a line was broken though the next line's first word would have fitted on it."""
    starts_anew = not after.lstrip()[0].islower()
    if wrapping.marked and not starts_anew:
        return False
    text = lines[index].strip()
    needed = len(text) + 1 + len(after.split(maxsplit=1)[0])
    width = _column_width(lines, index)
    if not wrapping.marked:  # a marked text came from a PDF and may have columns of any width
        width = max(width, 0.8 * wrapping.width)
    if not starts_anew or text.endswith(","):
        # A list of short words, one to a line.
        return not wrapping.marked and needed < 0.5 * max(width, 40)
    # Half-empty lines end headings too; a line nearly full must end a sentence as well.
    if needed < 0.6 * width:
        return True
    return not wrapping.marked and needed < 0.85 * width and ends_sentence(text)


def _column_width(lines: Sequence[str], index: int) -> float:
    """Return the length of a full line here, the narrower of what stands above and below."""
    above = max((len(line.strip()) for line in lines[max(0, index - 3) : index]), default=0)
    below = max((len(line.strip()) for line in lines[index + 1 : index + 6]), default=0)
    return min(above, below) if above and below else max(above, below)


def broken_word(text: str) -> str:
    """Return the letters before a hyphen that a line ends in; "" if it ends in none."""
    if not text or text[-1] not in _HYPHENS:
        return ""
    start = end = len(text) - 1
    while start > max(0, end - _TAIL) and text[start - 1].isalpha():
        start -= 1
    return text[start:end]


def _in_address(text: str) -> bool:
    """Whether a line ends inside a web address."""
    return _ADDRESS.search(text, max(text.rfind(" "), len(text) - _TAIL, 0)) is not None


class Rejoiner:
    """Joins wrapped lines, deciding by the whole text's words whether a hyphen at an end stays."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._words: Counter[str] = Counter()
        broken = False
        for line in lines:
            words = [word.casefold() for word in _WORD.findall(line)]
            # The two halves of a word broken between lines are no evidence for anything.
            words = words[1:] if broken else words
            broken = bool(broken_word(line.rstrip()))
            self._words.update(words[:-1] if broken else words)
        self._prefixes = {word.split("-")[0] for word in self._words if "-" in word}

    def join(self, lines: Sequence[str]) -> str:
        """Return wrapped lines as one."""
        parts: list[str] = []
        tail = ""
        for line in lines:
            line = line.strip()
            if parts:
                keep, joiner = self.find_seam(tail, line)
                if not keep:
                    parts[-1] = parts[-1][:-1]
                    tail = tail[:-1]
                line = joiner + line
            parts.append(line)
            tail = (tail + line)[-_TAIL:]
        return "".join(parts)

    def find_seam(self, text: str, line: str) -> tuple[bool, str]:
        """Return how a text goes on with a line: whether its last character stays, and what joins.

        A hyphen goes where the word without it occurs in the text, or where it does not occur
        with it and its parts are not words of the text either.
        """
        if text.endswith("\u00ad"):
            return False, ""
        before = broken_word(text)
        word = _WORD_START.match(line)
        if before and (word is not None or line[:1].isdigit()):
            acronym = len(before) > 1 and before.isupper()
            if acronym or word is None or not word[0][0].islower() or _in_address(text):
                return True, ""
            return self._keeps_hyphen(before.casefold(), word[0].casefold()), ""
        between_digits = text[-1:] in "–-" and text[-2:-1].isdigit() and line[:1].isdigit()
        in_address = text[-1] in "/_=&%-." and line[:1].isalnum() and _in_address(text)
        return True, "" if between_digits or in_address else " "

    def _keeps_hyphen(self, before: str, after: str) -> bool:
        whole, hyphenated = self._words[before + after], self._words[f"{before}-{after}"]
        if whole or hyphenated:
            return hyphenated >= whole
        both_words = before in self._words and after in self._words
        return len(before) < 2 or before in self._prefixes or both_words

"""Puts the words of a PDF's lines back together: hyphens, ligatures, private signs."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from corpus.readers.pdf_layout import LINE_HYPHEN, Line

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?(?:-[^\W\d_]+)*")
# NFC leaves ligatures alone (only NFKC takes them apart), so they are spelled out here.
_LIGATURES = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
}
# Private-use signs have no meaning outside their font; U+FFFE and U+FFFF are no characters.
_SIGNS = re.compile("[\x02\ue000-\uf8ff\ufffe\uffff\U000f0000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Words:
    """What a document's own words say about those broken at the end of a line.

    Attributes:
        counts: How often each word and hyphenated compound occurs, in lower case.
        first_parts: In how many different compounds each word is the first part.
        breaks_words: Whether lines break inside words; if not, a hyphen at a line's end is one
            that the author wrote.
    """

    counts: Counter[str] = field(default_factory=Counter)
    first_parts: Counter[str] = field(default_factory=Counter)
    breaks_words: bool = True


def clean_signs(text: str) -> str:
    """Return text with ligatures spelled out, private-use signs and PDFium's marks removed."""
    return _SIGNS.sub("", text.translate(_LIGATURES))


def learn_words(lines: Iterable[Line]) -> Words:
    """Return the words of a document's lines; the halves of broken words don't count."""
    counts: Counter[str] = Counter()
    broken: list[tuple[str, str]] = []
    left = ""
    for line in lines:
        tokens = line.text.translate(_LIGATURES).split()
        if left and tokens:
            broken.append((left, tokens.pop(0)))
        left = tokens.pop()[:-1] if tokens and tokens[-1].endswith((LINE_HYPHEN, "-")) else ""
        counts.update(word.lower() for word in _WORD.findall(" ".join(tokens)))
    first_parts = Counter(word.split("-")[0] for word in counts if "-" in word)
    known = [evidence for pair in broken if any(evidence := _count_spellings(*pair, counts))]
    whole = sum(compound < joined for compound, joined in known)
    # 0.25: of the broken words that occur elsewhere, 0-4% occur as one word in the 16 reports set
    # without hyphenation, and 98% in the two set with it.
    return Words(counts, first_parts, breaks_words=whole > 0.25 * len(known))


def join_lines(texts: Sequence[str], words: Words) -> str:
    """Return the texts of a paragraph's lines as one line of text.

    Args:
        texts: As PDFium gives them, a broken word ending in LINE_HYPHEN.
        words: The document's words, which decide whether a broken word keeps its hyphen.
    """
    parts: list[str] = []
    for text in texts:
        after = text.strip()
        before = parts[-1] if parts else ""
        if before.endswith(LINE_HYPHEN) or (before[-1:] == "-" and after[:1].islower()):
            left, right = before[:-1].rsplit(None, 1)[-1:], after.split(None, 1)[:1]
            kept = keeps_hyphen("".join(left), "".join(right), words)
            parts[-1] = before[:-1] + ("-" if kept else "")
            parts.append(after)
        else:
            parts += [" ", after]
    return " ".join("".join(parts).replace(LINE_HYPHEN, "-").split())


def keeps_hyphen(left: str, right: str, words: Words) -> bool:
    """Return whether the hyphen between two halves belongs to the word.

    The document's other spellings decide; where it has none, what is likely.

    Args:
        left: What stands before the line's end, as "know" or "data".
        right: What the next line begins with, as "ledge," or "driven".
        words: Of the document.
    """
    if "/" in left or "@" in left or "www." in left:
        return True  # An address is kept as it stands.
    first, second = _halves(left, right)
    if not first or not second or not left[-1].isalpha() or not right[0].isalpha():
        return True
    compound, whole = _count_spellings(left, right, words.counts)
    if compound or whole:
        return compound >= whole
    if right[0].isupper() or left[-1].isupper() or "-" in first or "-" in second:
        return True  # "GAI-led", "human-in-the-loop".
    if first == "self" or not words.breaks_words:
        return True
    # Two words that stand by themselves elsewhere make a compound ("rights-respecting"), and so
    # do a word and a prefix that other compounds have; a syllable of three letters hardly does.
    is_part = (words.counts[first] > 0 and len(first) > 2) or words.first_parts[first] > 1
    return is_part and words.counts[second] > 0 and len(second) > 2


def _halves(left: str, right: str) -> tuple[str, str]:
    """Return the last word of one line and the first of the next, in lower case."""
    before, after = _WORD.findall(left), _WORD.findall(right)
    return (before[-1].lower() if before else "", after[0].lower() if after else "")


def _count_spellings(left: str, right: str, counts: Counter[str]) -> tuple[int, int]:
    """Return how often the halves occur as a compound, and as one word.

    Of "risk-mitiga" and "tion" the last part, "mitiga", is tried as well.
    """
    first, second = _halves(left, right)
    if not first or not second:
        return 0, 0
    last, next_ = first.rsplit("-", 1)[-1], second.split("-", 1)[0]
    compound = counts[f"{first}-{second}"] or counts[f"{last}-{next_}"]
    return compound, counts[first + second] or counts[last + next_]

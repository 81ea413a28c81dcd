"""How sure it is that the reports answer a question.

Two things are read off the best passages, both from the similarity of each of the question's
tokens to its best token in the passage: their mean, which says whether the passage is about the
same thing at all, and the mean of their lowest quarter, which falls where one part of the
question has no counterpart. A question about something else is told apart by this (AUROC .98
against questions of another collection); a near miss hardly (.58, cross-validated). The
third is plain: a name or a year that the question asks about and none of the passages has.
"""

import re
from collections.abc import Sequence
from math import exp

import numpy as np

from indexer.encoders import Floats

# Logistic regression on the answerable questions of evalset's first file against its near misses
# and 120 questions of SQuAD's training set, both kinds weighted alike.
_MEAN, _LOWEST, _CONSTANT = 6.9, 5.4, -6.7
# A name is missing in 12 of evalset's 47 near misses and in 3 of its 81 answerable questions:
# the logarithm of that ratio. Read off the questions it is reported on, so optimistic there.
_MISSING_NAME = -1.9
_QUARTER = 4
_WORD = re.compile(r"\w+(?:[-'’]\w+)*")


def find_names(question: str) -> list[str]:
    """Return the capitalised words of a question, but for its first, and those with a digit.

    A question mostly in capitals is a matter of style and has none.
    """
    words = [(match.start(), match.group()) for match in _WORD.finditer(question)]
    capitalised = sum(word[0].isupper() for _, word in words)
    if 2 * capitalised > len(words):
        return []
    return [
        word
        for start, word in words
        if (word[0].isupper() and start > 0) or any(letter.isdigit() for letter in word)
    ]


def estimate_confidence(passages: Sequence[Floats], *, missing_name: bool) -> float:
    """Return a number in [0, 1]; no passages or an empty question give 0.

    Args:
        passages: For each of the best passages the (question tokens,) best similarities.
        missing_name: Whether a name in the question is in none of the passages.
    """
    filled = [best for best in passages if len(best)]
    if not filled:
        return 0.0
    mean = max(float(best.mean()) for best in filled)
    lowest = max(float(np.sort(best)[: max(1, len(best) // _QUARTER)].mean()) for best in filled)
    evidence = _MEAN * mean + _LOWEST * lowest + _CONSTANT + _MISSING_NAME * missing_name
    return 1 / (1 + exp(-evidence))

"""How sure it is that the reports answer a question.

Two things are read off the best passages, both from the similarity of each of the question's
tokens to its best token in the passage: their mean, which says whether the passage is about the
same thing at all, and the mean of their lowest quarter, which falls where one part of the
question has no counterpart. A question about something else is told apart by this (AUROC .99
against questions from another collection); a near miss hardly (.58), which no similarity does.
"""

from collections.abc import Sequence
from math import exp

import numpy as np

from indexer.encoders import Floats

# Logistic regression on the answerable questions of evalset against its near misses and 120
# questions of SQuAD's training set, both kinds weighted alike; see eval/results/README.md.
_MEAN, _LOWEST, _CONSTANT = 6.9, 5.4, -6.7
_QUARTER = 4


def estimate_confidence(passages: Sequence[Floats]) -> float:
    """Return a number in [0, 1]; no passages or an empty question give 0.

    Args:
        passages: For each of the best passages the (question tokens,) best similarities.
    """
    filled = [best for best in passages if len(best)]
    if not filled:
        return 0.0
    mean = max(float(best.mean()) for best in filled)
    lowest = max(float(np.sort(best)[: max(1, len(best) // _QUARTER)].mean()) for best in filled)
    return 1 / (1 + exp(-(_MEAN * mean + _LOWEST * lowest + _CONSTANT)))

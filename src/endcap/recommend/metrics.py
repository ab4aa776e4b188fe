"""
How good lists are against what was bought, and how sure that is. Pure: lists and sets in, figures out.

    hit     1 if anything wanted is among the first ten
    mrr     one over the place of the first wanted item, 0 if there is none
    ndcg    the wanted items in the list, each counting 1 / log2(place + 1), over the best that ten places allow

Relevance is yes or no; the definitions are those of Järvelin and Kekäläinen (ACM TOIS 20, 2002) for ndcg and of the
TREC-8 question answering track for mrr. Questions that come from one order are alike, so errors are of orders drawn
anew, never of questions.
"""

from collections.abc import Collection, Sequence
from math import log2

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

TOP = 10
RESAMPLES = 400  # of orders; the error of a standard error is then some 4 %
_GAINS = tuple(1 / log2(place + 1) for place in range(1, TOP + 1))

Values = NDArray[np.float64]


class Figure(Struct, frozen=True):
    """A mean and its standard error."""

    value: float
    error: float


def judged(shown: Sequence[str], wanted: Collection[str]) -> tuple[float, float, float]:
    """Hit, mrr and ndcg of one list, best first. Nothing wanted is never met."""
    places = [place for place, item in enumerate(shown[:TOP]) if item in wanted]
    if not places:
        return 0.0, 0.0, 0.0
    best = sum(_GAINS[: len(wanted)])
    return 1.0, 1 / (places[0] + 1), sum(_GAINS[place] for place in places) / best


def figures(values: Values, groups: Sequence[int], *, seed: int) -> Sequence[Figure]:
    """
    The mean of each column, and its standard error by drawing groups of rows anew with replacement (bootstrap).

    `values` has a row for each question, `groups` says which order each came from.
    """
    _, group = np.unique(np.asarray(groups, dtype=np.int64), return_inverse=True)
    sizes = np.bincount(group).astype(np.float64)
    sums = np.stack([np.bincount(group, column) for column in values.T], axis=1)
    count = len(sizes)
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    means = (draws @ sums) / (draws @ sizes)[:, np.newaxis]
    errors = means.std(axis=0, ddof=1)
    return [
        Figure(float(value), float(error))
        for value, error in zip(values.mean(axis=0), errors, strict=True)
    ]

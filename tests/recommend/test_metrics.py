"""
Metrics: examples by hand, bounds for any list, and errors that an exact formula knows.
"""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.recommend.metrics import TOP, figures, judged


@pytest.mark.parametrize(
    ("shown", "wanted", "hit", "mrr", "ndcg"),
    [
        ("abc", "a", 1, 1, 1),
        ("abc", "b", 1, 1 / 2, 1 / log2(3)),
        ("abc", "c", 1, 1 / 3, 0.5),
        ("abc", "x", 0, 0, 0),
        ("abc", "ab", 1, 1, 1),
        ("abc", "ax", 1, 1, 1 / (1 + 1 / log2(3))),
        ("abc", "bc", 1, 1 / 2, (1 / log2(3) + 1 / log2(4)) / (1 + 1 / log2(3))),
        ("abcdefghijk", "j", 1, 1 / 10, 1 / log2(11)),
        ("abcdefghijk", "k", 0, 0, 0),
        ("abcdefghij", "abcdefghijklm", 1, 1, 1),
        ("", "a", 0, 0, 0),
        ("abc", "", 0, 0, 0),
    ],
)
def test_one_list_is_judged(shown: str, wanted: str, hit: float, mrr: float, ndcg: float) -> None:
    """By the definitions at the head of the module, with pencil and paper."""
    assert judged([*shown], {*wanted}) == pytest.approx((hit, mrr, ndcg))


@given(
    shown=st.lists(st.integers(0, 30).map(str), unique=True, max_size=20),
    wanted=st.sets(st.integers(0, 30).map(str), max_size=20),
)
def test_judgements_are_shares(shown: list[str], wanted: set[str]) -> None:
    """From nothing to 1; all three are nothing together; the best list there is gets 1."""
    hit, mrr, ndcg = judged(shown, wanted)

    assert 0 <= ndcg <= 1.0000001
    assert 0 <= mrr <= hit <= 1
    assert (hit == 0) == (mrr == 0) == (ndcg == 0)
    if wanted:
        assert judged(sorted(wanted), wanted) == pytest.approx((1, 1, 1))


def test_the_error_is_that_of_a_mean() -> None:
    """With one question an order, drawing anew finds what the textbook says: s / sqrt(n)."""
    values = np.random.default_rng(7).random((900, 1))

    (figure,) = figures(values, range(900), seed=1)

    assert figure.value == pytest.approx(values.mean())
    assert figure.error == pytest.approx(values.std(ddof=1) / 30, rel=0.15)


def test_questions_of_one_order_are_one_chance() -> None:
    """Each question asked four times over makes nothing surer."""
    values = np.random.default_rng(7).random((300, 2))
    once = figures(values, range(300), seed=1)
    again = figures(np.repeat(values, 4, axis=0), np.repeat(np.arange(300), 4).tolist(), seed=1)

    assert [each.value for each in again] == pytest.approx([each.value for each in once])
    assert [each.error for each in again] == pytest.approx([each.error for each in once])


def test_what_never_varies_is_certain() -> None:
    """Also with a single order, of which nothing else can be drawn."""
    (figure,) = figures(np.ones((TOP, 1)), [3] * TOP, seed=1)

    assert (figure.value, figure.error) == (1.0, 0.0)

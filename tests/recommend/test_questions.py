"""
Questions: whose orders are asked about, what is shown and what is wanted.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.recommend.questions import (
    CART_MAX,
    DRAWS,
    Order,
    Question,
    Task,
    draw,
    last_order,
    orders_since,
)
from tests.recommend.shelf import DAY, NOW, write_orders

orders_of = st.lists(
    st.builds(
        Order,
        user=st.sampled_from(["ann", "bob", None]),
        first=st.booleans(),
        items=st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, min_size=1, max_size=14),
    ),
    max_size=12,
)


def drawn(task: Task, orders: Sequence[Order], **others: int) -> Sequence[Question]:
    """Of a shop that knew every item but p, and of its users ann."""
    return draw(
        task,
        orders,
        known=lambda item: item != "p",
        returning=lambda user: user == "ann",
        **{"questions_max": 1_000, "seed": 1, **others},
    )


@given(orders=orders_of, seed=st.integers(0, 9))
def test_a_basket_hides_one_item(orders: list[Order], seed: int) -> None:
    """One to eight items are in the cart, one other is wanted; all of one order, all known."""
    questions = drawn("basket", orders, seed=seed)

    known = [set(order.items) - {"p"} for order in orders]
    assert len(questions) == DRAWS * sum(len(items) >= 2 for items in known)
    for question in questions:
        items = known[question.order]
        (wanted,) = question.wanted
        assert wanted in items - set(question.items)
        assert set(question.items) <= items
        assert 1 <= len(set(question.items)) == len(question.items) <= CART_MAX


@given(orders=orders_of, seed=st.integers(0, 9))
def test_a_page_wants_the_rest_of_the_order(orders: list[Order], seed: int) -> None:
    """One item and the others make up all that was known of the order."""
    for question in drawn("page", orders, seed=seed):
        (item,) = question.items
        assert {item} | set(question.wanted) == set(orders[question.order].items) - {"p"}
        assert item not in question.wanted


def test_a_user_is_asked_about_once() -> None:
    """Of those who ordered before the split, the first order since; strangers are no question."""
    orders = [
        Order("ann", True, ["a", "p"]),
        Order("ann", False, ["b"]),
        Order("bob", True, ["c"]),
        Order(None, False, ["d"]),
    ]

    assert drawn("user", orders) == [Question(0, (), "ann", frozenset("a"))]


def test_a_minimum_of_items_can_be_asked_for() -> None:
    """Longer orders only, as the literature does."""
    orders = [Order(None, False, ["a", "b"]), Order(None, False, ["c", "d", "e"])]

    assert {each.order for each in drawn("page", orders, items_min=3)} == {1}


def test_the_same_seed_draws_the_same() -> None:
    """And another seed, or task, another."""
    orders = [Order(None, False, [*"abcdefgh"]) for _ in range(20)]

    assert drawn("basket", orders, seed=3) == drawn("basket", orders, seed=3)
    assert drawn("basket", orders, seed=3) != drawn("basket", orders, seed=4)


def test_of_many_questions_some_are_asked() -> None:
    """As many as were allowed, in the order of time."""
    orders = [Order(None, False, ["a", "b", "c"]) for _ in range(50)]

    questions = drawn("page", orders, questions_max=40)

    assert len(questions) == 40
    assert [each.order for each in questions] == sorted(each.order for each in questions)


def test_orders_begin_with_their_first_line(tmp_path: Path) -> None:
    """An order that was begun before the split is none of those since; the others come by time, lines once."""
    lines = [
        ("old", "a", "ann", 5.0),
        ("old", "b", "ann", 1.0),
        ("late", "c", "ann", 0.5),
        ("early", "d", "ann", 2.0),
        ("early", "d", "ann", 2.0),
        ("early", "a", None, 2.0),
        ("nobody", "a", None, 1.5),
        ("end", "z", "bob", 0.0),
    ]
    write_orders(tmp_path / "orders" / "1.parquet", lines)

    found = orders_since(
        tmp_path / "orders", tmp_path, since=Micros(NOW - 3 * DAY), until=Micros(NOW - DAY // 4)
    )

    assert found == [
        Order("ann", True, ["a", "d"]),
        Order(None, False, ["a"]),
        Order("ann", False, ["c"]),
    ]
    assert last_order(tmp_path / "orders", tmp_path) == NOW


def test_a_shop_without_orders_is_told_what_to_do(tmp_path: Path) -> None:
    """Nothing to ask about, nothing to learn from."""
    (tmp_path / "orders").mkdir()

    with pytest.raises(UsageFault, match="import transactions first"):
        last_order(tmp_path / "orders", tmp_path)

"""
What the orders of a time ask of recommenders that were built before it.

Three tasks, each with its questions:

    basket   one to eight items of an order are in the cart; one other item of it is wanted
    page     one item of an order is looked at; all others of it are wanted
    user     a user of whom there were orders before; the items of their first order since are wanted

Items that nobody had ordered before are no part of a question: no model that learns from orders can know them. Their
share is told. Up to three questions are drawn from an order. The same orders and seed give the same questions.
"""

import random
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Literal, assert_never

from msgspec import Struct

from endcap.domain import Micros
from endcap.recommend.build import statement_of
from endcap.recommend.database import database, literally
from endcap.recommend.orders import order_files

Task = Literal["basket", "page", "user"]
TASKS: Sequence[Task] = ("basket", "page", "user")
CART_MAX = 8
DRAWS = 3  # questions of an order; more would say little more
ORDERS_MAX = 20_000  # asked about; with these errors are below half a percent
ORDER_ITEMS_MIN = 2  # one to show and one to want


class Order(Struct, frozen=True):
    """One order of the time that is asked about. `first`: the user has none before it since the split."""

    user: str | None
    first: bool
    items: Sequence[str]


class Question(Struct, frozen=True):
    """`order` tells which questions are alike: those of one order."""

    order: int
    items: Sequence[str]
    user: str | None
    wanted: Collection[str]


def last_order(orders: Path, scratch: Path) -> Micros:
    """When the last line was ordered. Raises UsageFault if there is none to read."""
    with database(scratch, f"The orders in {orders} cannot be read") as connection:
        files = [literally(file) for file in order_files(orders)]
        found = connection.execute(
            "SELECT max(epoch_us(created_at)) FROM read_parquet($1, union_by_name = true)", [files]
        )
        ((latest,),) = found.fetchall()
    return Micros(latest or 0)


def orders_since(
    orders: Path, scratch: Path, *, since: Micros, until: Micros | None = None
) -> Sequence[Order]:
    """The orders from an instant on, earliest first; of very many a sample. Raises UsageFault if none can be read."""
    with database(scratch, f"The orders in {orders} cannot be read") as connection:
        files = [literally(file) for file in order_files(orders)]
        variables = {"files": files, "since": since, "until": until, "orders_max": ORDERS_MAX}
        for name, value in variables.items():
            connection.execute(f"SET VARIABLE {name} = $1", [value])
        rows = connection.execute(statement_of("purchases_later")).fetchall()
    return [Order(user, first and user is not None, items) for user, first, items in rows]


def draw(
    task: Task,
    orders: Sequence[Order],
    *,
    known: Callable[[str], bool],
    returning: Callable[[str], bool],
    questions_max: int,
    seed: int,
    items_min: int = ORDER_ITEMS_MIN,
) -> Sequence[Question]:
    """
    The questions of a task, at most so many. `known` tells the items, `returning` the users, that were there before.
    """
    chance = random.Random(f"{task} {seed}")
    found: list[Question] = []
    for number, order in enumerate(orders):
        items = [item for item in order.items if known(item)]
        found.extend(_questions(task, number, order, items, returning, chance, items_min))
    if len(found) <= questions_max:
        return found
    return [found[at] for at in sorted(chance.sample(range(len(found)), questions_max))]


def _questions(
    task: Task,
    number: int,
    order: Order,
    items: Sequence[str],
    returning: Callable[[str], bool],
    chance: random.Random,
    items_min: int,
) -> Iterator[Question]:
    match task:
        case "user":
            if items and order.first and order.user is not None and returning(order.user):
                yield Question(number, (), order.user, frozenset(items))
        case "basket" | "page":
            if len(items) < items_min:
                return
            for _ in range(DRAWS):
                drawn = chance.sample(items, len(items))
                if task == "page":
                    yield Question(number, drawn[:1], None, frozenset(drawn[1:]))
                else:
                    size = chance.randint(1, min(CART_MAX, len(drawn) - 1))
                    yield Question(number, drawn[1 : 1 + size], None, frozenset(drawn[:1]))
        case _:
            assert_never(task)

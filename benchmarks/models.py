"""
The model part of a recommendation: what each reference model takes to rank, and to hand over ten items of its answer.

One process, no request around it, and time on the processor: ranking waits for nothing, and what else a crowded machine
does between two of its instructions is not the model's. Two shops. One is real, where its data are: a gift shop's 4,744
items and a million order lines, with titles and prices, without categories and brands. The other is made: 20,000 items
with titles, brands, categories and prices, as the shop of the other measurements has them, and 60,000 orders, in which
items of one group go together. Every model is asked in turn for other items and other users, so that half the questions
are new to it and half were asked before, as pages are; both are told apart. Every user is known: to have viewed,
clicked and ordered, and to have agreed to it.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import chain, islice
from pathlib import Path

import duckdb
import numpy as np
from msgspec import Struct

from benchmarks import retail
from benchmarks.report import Cell, Findings, Row, Table, at_most, step
from benchmarks.world import items
from endcap.domain import CatalogObject, ItemId, Micros
from endcap.engine.catalog import Catalog
from endcap.recommend.artifact import Artifact
from endcap.recommend.build import build
from endcap.recommend.models import REFERENCE
from endcap.recommend.recommenders import Recommender, Recommenders
from endcap.recommend.shoppers import Act, Kind, Shopper, Shoppers
from endcap.recommend.strategies import Query
from endcap.wire.catalog import object_from

ITEMS, ORDERS, USERS = 20_000, 60_000, 5_000
GROUP = 20  # items that go together
GROUPS = ITEMS // GROUP
QUESTIONS = 1_500
SHOWN = 10
DAY = 86_400_000_000
NOW = Micros(1_750_000_000_000_000)
INPUTS = {"basket": 3, "basket_popup": 1}


class World(Struct, frozen=True):
    """
    What is asked: the recommenders of one catalog, who asks, and with which inputs: carts, of which a page shows one
    item, and other objects that models take.
    """

    catalog: Catalog
    recommenders: Recommenders
    shoppers: Sequence[tuple[str, Shopper]]
    carts: Sequence[Sequence[int]]
    articles: Sequence[int]
    now: Micros


def run() -> Findings:
    rows: list[Row] = []
    lines: list[list[Cell]] = []
    for shop, make in SHOPS.items():
        with tempfile.TemporaryDirectory() as held:
            step(f"models in {shop}")
            world = make(Path(held))
            if world is None:
                step("its data are not here; ENDCAP_SHARED_DATA names their folder")
                continue
            found = [_line(shop, world, name) for name in REFERENCE]
        slowest = max(found, key=lambda line: float(line[2]))
        rows.append(
            at_most(
                f"ranking of the slowest model in {shop}",
                float(slowest[2]),
                100,
                str(slowest[1]),
                unit="µs",
            )
        )
        lines += found
    return Findings(rows, [Table(COLUMNS, lines)])


COLUMNS = [
    "shop",
    "model",
    "median µs",
    "new: median µs",
    "new: p95 µs",
    "again: median µs",
    "its own",
]


def _line(shop: str, world: World, name: str) -> list[Cell]:
    recommender = world.recommenders.find(name)
    assert recommender is not None
    first, again, own = _measured(world, recommender)
    return [
        shop,
        name,
        round(statistics.median([*first, *again]), 1),
        round(statistics.median(first), 1),
        round(statistics.quantiles(first, n=20)[-1], 1),
        round(statistics.median(again), 1),
        f"{own:.0%}",
    ]


def real(folder: Path) -> World | None:
    """The gift shop; None where its data are not."""
    data = retail.data()
    if data is None:
        return None
    catalog, artifact = retail.learned(folder, data)
    known, customers = retail.shoppers(data)
    return World(
        catalog,
        Recommenders.of(catalog, artifact).warm(),
        [(customer, known.of(customer)) for customer in customers],
        retail.baskets(data, catalog),
        [],
        retail.NOW,
    )


def made(folder: Path) -> World:
    """The shop, what its orders taught, and its shoppers."""
    chance = random.Random(1)
    artifact = _learned(folder, chance)
    catalog = Catalog.of([*items(ITEMS), *_others()], artifact.scores)
    return World(
        catalog,
        Recommenders.of(catalog, artifact).warm(),
        _shoppers(chance),
        [[_item(chance) for _ in range(INPUTS["basket"])] for _ in range(USERS)],
        range(ITEMS + 50, ITEMS + 250),
        NOW,
    )


SHOPS: dict[str, Callable[[Path], World | None]] = {"the gift shop": real, "a made shop": made}


def _item(chance: random.Random) -> int:
    return chance.randrange(GROUP) * GROUPS + _group(chance)


def _others() -> list[CatalogObject]:
    """The categories as objects, and some articles."""
    made = [("category", f"category-{n}") for n in range(50)]
    made += [("article", f"How to choose product {n} of usual length") for n in range(200)]
    held: list[CatalogObject] = []
    for kind, title in made:
        identity = f"/{kind}/{title}"
        each = object_from({"identity": identity, "type": kind, "fields": {"title": title}})
        assert isinstance(each, CatalogObject)
        held.append(each)
    return held


def _learned(folder: Path, chance: random.Random) -> Artifact:
    """Orders of one to five items, each of one group; the first groups sell best."""
    orders, users, found, ages = [], [], [], []
    for order in range(ORDERS):
        group = _group(chance)
        age = chance.random() * 200
        for _ in range(chance.randint(1, 5)):
            number = chance.randrange(GROUP) * GROUPS + group
            orders.append(order)
            users.append(order % USERS)
            found.append(number)
            ages.append(age)
    file = folder / "orders.parquet"
    columns = {"o": np.array(orders), "u": np.array(users), "i": np.array(found)}
    columns["made"] = NOW - (np.array(ages) * DAY).astype(np.int64)
    with duckdb.connect(":memory:") as connection:
        connection.register("line", columns)
        connection.execute(
            "COPY (SELECT 'o' || o AS order_id, '/p/' || i AS identity, 'u' || u AS user_id, "
            "make_timestamp(made) AS created_at, 1.0 AS quantity, NULL::DOUBLE AS unit_price "
            "FROM line) TO $1 (FORMAT parquet)",
            [str(file)],
        )
    return build(file, folder / "artifacts", now=NOW)


def _group(chance: random.Random) -> int:
    return int(chance.random() ** 2 * GROUPS)


def _shoppers(chance: random.Random) -> Sequence[tuple[str, Shopper]]:
    shoppers = Shoppers()
    kinds: tuple[Kind, ...] = ("view", "view", "click", "order")
    for user in range(USERS):
        group = _group(chance)
        shoppers.note(
            Act(
                f"u{user}",
                kind,
                ItemId(f"/p/{chance.randrange(GROUP) * GROUPS + group}"),
                Micros(NOW - chance.randrange(14 * DAY)),
                consent=True,
            )
            for kind in kinds
            for _ in range(8)
        )
    return [(f"u{user}", shoppers.of(f"u{user}")) for user in range(USERS)]


def _measured(world: World, recommender: Recommender) -> tuple[list[float], list[float], float]:
    """Microseconds of questions asked for the first time and again, and the share of own items shown."""
    chance = random.Random(2)
    asked = [_question(world, recommender.name, chance) for _ in range(QUESTIONS)]
    first: list[float] = []
    again: list[float] = []
    own = 0
    for held in (first, again):
        for query in asked:
            began = time.thread_time_ns()
            ranking = recommender.rank(query)
            shown = list(islice(chain(ranking.primary, ranking.fallback), SHOWN))
            held.append((time.thread_time_ns() - began) / 1e3)
            own += min(len(ranking.primary), len(shown)) if held is first else 0
    return first, again, own / (QUESTIONS * SHOWN)


def _question(world: World, model: str, chance: random.Random) -> Query:
    if model in ("article_items", "article_articles") and world.articles:
        inputs = [chance.choice(world.articles)]
    else:
        cart = chance.choice(world.carts)
        inputs = chance.sample(cart, min(len(cart), INPUTS.get(model, 1)))
    user, shopper = chance.choice(world.shoppers)
    return Query(
        catalog=world.catalog,
        items=inputs,
        user=user,
        shopper=shopper,
        personal=True,
        count=SHOWN,
        now=world.now,
        seed=chance,
    )

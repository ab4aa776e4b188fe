"""
The model part of a recommendation: what each reference model takes to rank, and to hand over ten items of its answer.

One process, no request around it. A catalog of 20,000 items with titles, brands, categories and prices, as the shop of
the other measurements has them, and 60,000 orders of it, in which items of one group go together. Every model is asked
in turn for other items and other users, so that half the questions are new to it and half were asked before, as pages
are; both are told apart. Every user is known: to have viewed, clicked and ordered, and to have agreed to it.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path

import duckdb
import numpy as np
from msgspec import Struct

from benchmarks.report import Cell, Findings, Table, at_most
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
    """What is asked: the recommenders of one catalog, and who asks."""

    catalog: Catalog
    recommenders: Recommenders
    shoppers: Sequence[Shopper]


def run() -> Findings:
    with tempfile.TemporaryDirectory() as held:
        world = prepared(Path(held))
        lines: list[list[Cell]] = []
        for name in REFERENCE:
            recommender = world.recommenders.find(name)
            assert recommender is not None
            first, again, own = _measured(world, recommender)
            lines.append(
                [
                    name,
                    round(statistics.median([*first, *again]), 1),
                    round(statistics.median(first), 1),
                    round(statistics.quantiles(first, n=20)[-1], 1),
                    round(statistics.median(again), 1),
                    f"{own:.0%}",
                ]
            )
    slowest = max(lines, key=lambda line: float(line[1]))
    columns = ["model", "median µs", "new: median µs", "new: p95 µs", "again: median µs", "its own"]
    goal = at_most(
        "ranking of the slowest model", float(slowest[1]), 100, str(slowest[0]), unit="µs"
    )
    return Findings([goal], [Table(columns, lines)])


def prepared(folder: Path) -> World:
    """The shop, what its orders taught, and its shoppers."""
    chance = random.Random(1)
    artifact = _learned(folder, chance)
    catalog = Catalog.of([*items(ITEMS), *_others()], artifact.scores)
    return World(catalog, Recommenders.of(catalog, artifact).warm(), _shoppers(chance))


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


def _shoppers(chance: random.Random) -> Sequence[Shopper]:
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
    return [shoppers.of(f"u{user}") for user in range(USERS)]


def _measured(world: World, recommender: Recommender) -> tuple[list[float], list[float], float]:
    """Microseconds of questions asked for the first time and again, and the share of own items shown."""
    chance = random.Random(2)
    asked = [_question(world, recommender.name, chance) for _ in range(QUESTIONS)]
    first: list[float] = []
    again: list[float] = []
    own = 0
    for held in (first, again):
        for query in asked:
            began = time.perf_counter()
            ranking = recommender.rank(query)
            shown = list(islice(chain(ranking.primary, ranking.fallback), SHOWN))
            held.append((time.perf_counter() - began) * 1e6)
            own += min(len(ranking.primary), len(shown)) if held is first else 0
    return first, again, own / (QUESTIONS * SHOWN)


def _question(world: World, model: str, chance: random.Random) -> Query:
    count = INPUTS.get(model, 1)
    if model in ("article_items", "article_articles"):
        inputs = [chance.randrange(ITEMS + 50, ITEMS + 250)]
    else:
        inputs = [chance.randrange(GROUP) * GROUPS + _group(chance) for _ in range(count)]
    user = chance.randrange(USERS)
    return Query(
        catalog=world.catalog,
        items=inputs,
        user=f"u{user}",
        shopper=world.shoppers[user],
        personal=True,
        count=SHOWN,
        now=NOW,
        seed=chance,
    )

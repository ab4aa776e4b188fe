"""
Real files, from import to recommendation: nineteen thousand products, a million order lines, in one call each.

What it took is recorded with the test's result, and only bounded where an operator would wait.
"""

import gzip
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from endcap.domain import ItemId, Micros, TrackerId
from endcap.engine.catalog import Catalog
from endcap.engine.place import Eligibility, Scene, place
from endcap.errors import FaultyRows
from endcap.recommend.artifact import Artifact, artifacts_directory, load_artifact
from endcap.recommend.build import build
from endcap.recommend.models import REFERENCE
from endcap.recommend.orders import orders_directory
from endcap.recommend.recommenders import Recommenders
from endcap.recommend.strategies import Query
from endcap.store import open_store
from endcap.store.port import Store
from endcap.store.writes import CreateTracker
from endcap.transfer.catalog import import_catalog
from endcap.transfer.fields import FieldMap
from endcap.transfer.transactions import TransactionsReport, import_transactions

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

PRODUCTS, GIFTS = TrackerId("1234-5678"), TrackerId("8765-4321")
NOW = Micros(1_763_000_000_000_000)
PRODUCT_MAP = FieldMap.of(
    [
        "identity=id",
        "title=title",
        "brand=brand",
        "category=categories",
        "price_amount=price",
        "image_link=image_url",
        "introduced_at=released",
        "description=description",
        "colour=attributes.printing_colours",
    ]
)
GIFT_MAP = FieldMap.of(
    [
        "identity=item_id",
        "title=title",
        "price_amount=price",
        "introduced_at=first_seen",
    ]
)
LINE_MAP = FieldMap.of(
    [
        "order_id=order_id",
        "identity=item_id",
        "user_id=customer_id",
        "created_at=ts",
    ]
)
ITEM_MODELS = [name for name in REFERENCE if name not in ("top_categories", "article_articles")]
"""Those that rank items; these shops have no objects of categories, nor articles."""
HEART, TEACUP = "85123A", "22699"
"""The commonest item, a hanging heart, and the one with roses of a family of teacups."""
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real")


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{folder / 'endcap.db'}")
    store.migrate()
    trackers = (PRODUCTS, GIFTS)
    store.commit([CreateTracker(each, "shop", b"sealed", "test", NOW) for each in trackers])
    yield store
    store.close()


@pytest.fixture(scope="module")
def lines(folder: Path, shared_data: Path) -> tuple[TransactionsReport, float]:
    """The order lines, imported; and how many seconds it took."""
    began = time.perf_counter()
    report = import_transactions(
        folder,
        GIFTS,
        shared_data / "online_retail_lines.parquet",
        fields=LINE_MAP,
        now=NOW,
        new_id=lambda: "lines",
    )
    return report, time.perf_counter() - began


@pytest.fixture(scope="module")
def built(folder: Path, lines: object) -> tuple[Artifact, float]:
    began = time.perf_counter()
    out = artifacts_directory(folder, GIFTS)
    artifact = build(orders_directory(folder, GIFTS), out, now=NOW)
    return artifact, time.perf_counter() - began


@pytest.fixture(scope="module")
def gifts(store: Store, shared_data: Path, built: tuple[Artifact, float]) -> Catalog:
    """The gift shop's catalog, in its order of popularity."""
    import_catalog(
        store,
        GIFTS,
        shared_data / "online_retail_items.jsonl.gz",
        fields=GIFT_MAP,
        actor="test",
        now=NOW,
    )
    with store.load(GIFTS) as load:
        return Catalog.of(load.objects(), built[0].scores)


def query(catalog: Catalog, *items: str, **others: Any) -> Query:
    numbers = [number for each in items if (number := catalog.number(each)) is not None]
    settings = {"count": 10, "now": NOW, "seed": random.Random(1), **others}
    return Query(catalog=catalog, items=numbers, **settings)


def titles(catalog: Catalog, recommenders: Recommenders, model: str, *items: str) -> list[str]:
    recommender = recommenders.find(model)
    assert recommender is not None
    ranking = recommender.rank(query(catalog, *items))
    return [str(catalog.attributes(number)["title"]) for number in ranking.primary[:10]]


def test_the_products_are_imported(
    store: Store, shared_data: Path, record_property: Record
) -> None:
    """19,406 products with a category path, so that every model has something to say."""
    began = time.perf_counter()

    report = import_catalog(
        store,
        PRODUCTS,
        shared_data / "icecat_catalog.jsonl.gz",
        fields=PRODUCT_MAP,
        actor="test",
        now=NOW,
    )

    record_property("import_seconds", round(time.perf_counter() - began, 2))
    assert (report.objects, report.untitled, report.warnings) == (19_406, 0, ())
    with store.load(PRODUCTS) as load:
        catalog = Catalog.of(load.objects())
    number = catalog.number("1399")
    assert number is not None
    attributes = catalog.attributes(number)
    assert attributes["category_lvl_1"] == ["Printer supplies"]
    assert attributes["category_lvl_2"] == ["Ink cartridges"]
    assert attributes["colour"] == "Cyan"

    recommenders = Recommenders.of(catalog)
    for model in ITEM_MODELS:
        recommender = recommenders.find(model)
        assert recommender is not None
        ranking = recommender.rank(query(catalog, "1399", count=50))
        eligible = Eligibility(catalog, now=NOW, inputs=[ItemId("1399")])
        shown = place(catalog, Scene((), ranking, eligible, 50, NOW)).shown
        assert len(shown) == 50, model

    alternatives = recommenders.find("item_detail_alternatives")
    assert alternatives is not None
    for number in alternatives.rank(query(catalog, "1399")).primary[:10]:
        found = catalog.attributes(number)
        assert found["category_lvl_2"] == ["Ink cartridges"]
        assert 100 < found["price_amount"] < 180  # its own is 125.95


def test_the_gifts_are_imported(store: Store, shared_data: Path, gifts: Catalog) -> None:
    """4,744 items, 33 of them without a title, which show their identity."""
    report = import_catalog(
        store,
        GIFTS,
        shared_data / "online_retail_items.jsonl.gz",
        fields=GIFT_MAP,
        actor="test",
        now=NOW,
        dry_run=True,
    )

    assert (report.objects, report.untitled) == (4_744, 33)
    assert len(gifts) == 4_744


def test_a_million_lines_are_imported(
    lines: tuple[TransactionsReport, float], record_property: Record
) -> None:
    """1,033,120 lines; returns are left out and counted."""
    report, seconds = lines

    record_property("import_seconds", round(seconds, 2))
    assert (report.lines, report.stored, report.returns) == (1_033_120, 1_015_146, 17_974)
    assert (report.orders, report.items, report.users) == (39_516, 4_730, 5_852)
    assert seconds < 60


def test_a_quarter_is_imported_from_csv(folder: Path, shared_data: Path) -> None:
    """The file that needs no map: its columns have usual names."""
    report = import_transactions(
        folder,
        PRODUCTS,
        shared_data / "online_retail_2011q4.csv.gz",
        now=NOW,
        new_id=lambda: "q4",
    )

    assert (report.lines, report.stored) == (167_193, 167_193)


def test_recommenders_are_built(
    folder: Path, built: tuple[Artifact, float], record_property: Record
) -> None:
    """In seconds, for nearly every item, and again to the same bytes."""
    artifact, seconds = built

    again = build(orders_directory(folder, GIFTS), folder / "again", now=NOW, threads=1)

    record_property("build_seconds", round(seconds, 2))
    covered = float((artifact.learned.neighbours[:, 9] >= 0).mean())
    record_property("items_with_ten_neighbours", round(covered, 3))
    assert seconds < 60
    assert covered > 0.85
    assert again.name == artifact.name
    assert load_artifact(artifacts_directory(folder, GIFTS) / artifact.name).counts == {
        "items": 4_730,
        "users": 5_852,
        "lines": 992_111,
        "neighbours": artifact.counts["neighbours"],
        "viewed": 0,
    }


def test_what_goes_together_is_of_a_family(gifts: Catalog, built: tuple[Artifact, float]) -> None:
    """Teacups go with the other teacups of the set, and bestsellers are not the answer to everything."""
    recommenders = Recommenders.of(gifts, built[0])

    teacups = titles(gifts, recommenders, "item_detail_complements", TEACUP)
    assert sum("TEACUP" in title or "TEA" in title for title in teacups[:5]) >= 3, teacups
    assert "GREEN REGENCY TEACUP AND SAUCER" in teacups[:3]
    hearts = titles(gifts, recommenders, "basket", HEART)
    assert sum("HEART" in title for title in hearts) >= 2, hearts
    assert hearts != titles(gifts, recommenders, "bestsellers")


@pytest.mark.parametrize("with_artifact", [True, False])
def test_every_model_answers_every_item(
    gifts: Catalog, built: tuple[Artifact, float], *, with_artifact: bool
) -> None:
    """Whatever is asked with, an answer of 50 is full, distinct, and without the input."""
    recommenders = Recommenders.of(gifts, built[0] if with_artifact else None)
    chance = random.Random(3)
    for model in ITEM_MODELS:
        recommender = recommenders.find(model)
        assert recommender is not None
        for _ in range(20):
            items = [
                gifts.identity(chance.randrange(len(gifts))) for _ in range(chance.randrange(10))
            ]
            user = chance.choice([None, "17850", "13085", "nobody"])
            ranking = recommender.rank(query(gifts, *items, count=50, user=user))
            eligible = Eligibility(gifts, now=NOW, inputs=items)
            shown = place(gifts, Scene((), ranking, eligible, 50, NOW)).shown

            assert len({each.number for each in shown}) == 50
            assert not {gifts.identity(each.number) for each in shown} & set(items)


def test_a_ranking_takes_microseconds(
    gifts: Catalog, built: tuple[Artifact, float], record_property: Record
) -> None:
    """The median of each model is recorded; what would show in a request is refused."""
    recommenders = Recommenders.of(gifts, built[0]).warm()
    chance = random.Random(3)
    for model in ITEM_MODELS:
        recommender = recommenders.find(model)
        assert recommender is not None
        took = []
        for _ in range(300):
            items = [gifts.identity(chance.randrange(len(gifts))) for _ in range(3)]
            asked = query(gifts, *items, user="17850")
            began = time.perf_counter()
            recommender.rank(asked)
            took.append(time.perf_counter() - began)
        median = sorted(took)[150]
        record_property(f"{model}_us", round(median * 1e6, 1))
        assert median < 0.002, model


def test_a_real_file_with_one_faulty_line_is_refused(
    folder: Path, store: Store, shared_data: Path
) -> None:
    """The line is found among nineteen thousand, and the catalog stays as it was."""
    with gzip.open(shared_data / "icecat_catalog.jsonl.gz", "rt") as file:
        records = file.read().splitlines()
    records[12_345] = json.dumps({"title": "no identity"})
    path = folder / "faulty"
    path.write_text("\n".join(records))
    before = store.revisions()

    with pytest.raises(FaultyRows, match="line 12346"):
        import_catalog(store, PRODUCTS, path, fields=PRODUCT_MAP, actor="test", now=NOW)

    assert store.revisions() == before

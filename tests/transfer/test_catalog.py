"""
Catalog files: objects as the API takes them, flat records through a map, all or nothing.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from endcap.domain import ItemId, Micros, TrackerId
from endcap.errors import CatalogFaults, FaultyRows, TrackerNotFound, UsageFault
from endcap.store import open_store
from endcap.store.port import Store
from endcap.store.writes import CreateTracker, PutObjects
from endcap.transfer.catalog import CatalogReport, import_catalog
from endcap.transfer.fields import FieldMap
from endcap.wire import catalog as wire
from tests.transfer.files import FORMATS, write

SHOP = TrackerId("1234-5678")
NOW = Micros(1_737_000_000_000_000)
FLAT = [
    {"sku": "g1", "name": "Stratocaster", "maker": "Fender", "price": 900.0, "spare": "x"},
    {"sku": "g2", "name": "Les Paul", "maker": "Gibson", "price": 2000.5, "spare": "y"},
]
MAP = FieldMap.of(["identity=sku", "title=name", "brand=maker", "price_amount=price"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'endcap.db'}")
    store.migrate()
    store.commit([CreateTracker(SHOP, "shop", b"sealed", "test", NOW)])
    yield store
    store.close()


def stored(store: Store) -> dict[str, dict[str, Any]]:
    """The catalog's documents by identity."""
    with store.load(SHOP) as load:
        return {held.identity: msgspec.json.decode(held.document) for held in load.objects()}


def run(store: Store, path: Path, *pairs: str, **options: Any) -> CatalogReport:
    fields = FieldMap.of(pairs)
    return import_catalog(store, SHOP, path, fields=fields, actor="test", now=NOW, **options)


def lines(tmp_path: Path, *records: Any) -> Path:
    path = tmp_path / "file"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_makes_the_same_items(store: Store, tmp_path: Path, format: str) -> None:
    """A map gives columns their places; prices are numbers also where a file has texts only."""
    report = import_catalog(
        store, SHOP, write(tmp_path, format, FLAT), fields=MAP, actor="test", now=NOW
    )

    assert (report.lines, report.objects, report.types) == (2, 2, {"item": 2})
    assert report.warnings == ()
    assert stored(store)["g2"] == {
        "identity": "g2",
        "type": "item",
        "fields": {"title": "Les Paul", "brand": "Gibson", "price_amount": 2000.5},
    }


def test_one_import_is_one_revision(store: Store, tmp_path: Path) -> None:
    """Readers see all of a file or nothing."""
    before = store.revisions()[SHOP]

    report = run(store, lines(tmp_path, *FLAT), "title=name")

    assert report.revision == store.revisions()[SHOP] == before + 1


def test_without_a_map_flat_records_keep_all_columns(store: Store, tmp_path: Path) -> None:
    """The identity is found by its usual names; everything else is a field."""
    run(store, lines(tmp_path, {"id": 7, "title": "Pick", "attributes": {"colour": "red"}, "n": 1}))

    assert stored(store) == {
        "7": {
            "identity": "7",
            "type": "item",
            "fields": {"title": "Pick", "attributes": {"colour": "red"}, "n": 1},
        }
    }


def test_a_star_brings_the_other_columns_too(store: Store, tmp_path: Path) -> None:
    """Columns that the map names come under the map's names only."""
    run(store, lines(tmp_path, *FLAT), "identity=sku", "title=name", "*")

    assert stored(store)["g1"]["fields"] == {
        "title": "Stratocaster",
        "maker": "Fender",
        "price": 900.0,
        "spare": "x",
    }


def test_objects_are_taken_as_they_are(store: Store, tmp_path: Path) -> None:
    """Records shaped like the API's objects need no map, and nothing of them is lost."""
    wired = {
        "identity": "/p/1",
        "type": "product",
        "generation": "7",
        "active_from": "2025-01-01",
        "fields": {"title": "A", "_margin": 5},
        "nested": [{"type": "category", "identity": "c", "fields": {"title": "C"}}],
    }

    report = run(store, lines(tmp_path, wired))

    held = stored(store)
    assert held["/p/1"] == wired
    assert held["c"]["generation"] == "7"  # what is nested is an object, too
    assert report.types == {"product": 1}


def test_fields_are_of_the_type_of_their_first_value(store: Store, tmp_path: Path) -> None:
    """In the file, or stored before it: each row that clashes is named, and nothing is stored."""
    run(store, lines(tmp_path, {"id": "0", "title": "x", "weight": 5}))
    clashing = [
        {"id": "1", "title": "x", "weight": "heavy", "size": "XL"},
        {"id": "2", "title": "x", "size": "M"},
        {"id": "3", "title": "x", "size": 5},
    ]

    for dry_run in (True, False):
        with pytest.raises(FaultyRows) as refusal:
            run(store, lines(tmp_path, *clashing), dry_run=dry_run)
        assert refusal.value.faults == {
            1: "weight: must be a number: the first value is, in 0",
            3: "size: must be a text: the first value is, in 2",
        }
    assert list(stored(store)) == ["0"]
    assert [each.name for each in store.fields(SHOP)] == ["weight"]


def test_a_clash_that_comes_up_meanwhile_refuses_the_whole_file(store: Store) -> None:
    """Another writer may fix a field between the check and the commit."""
    objects = [
        wire.object_from({"identity": name, "type": "item", "fields": {"title": name, "a": value}})
        for name, value in (("1", 1), ("2", "x"))
    ]

    with pytest.raises(CatalogFaults) as refusal:
        store.commit([PutObjects(SHOP, objects, "cli", NOW, whole=True)])  # type: ignore[arg-type]

    assert list(refusal.value.faults) == ["2"]
    assert stored(store) == {}
    assert store.fields(SHOP) == []


def test_lines_that_clash_with_what_came_meanwhile_are_named(store: Store, tmp_path: Path) -> None:
    """Another writer fixes a field when all rows are found sound, just before they are stored."""
    path = lines(tmp_path, {"id": "1", "title": "x"}, {"id": "2", "title": "x", "size": 5})
    other = wire.object_from(
        {"identity": "0", "type": "item", "fields": {"title": "x", "size": "M"}}
    )

    def meanwhile(step: str, done: int, total: int) -> None:
        if (step, done) == ("storing", 0):
            store.commit([PutObjects(SHOP, [other], "other", NOW)])  # type: ignore[list-item]

    with pytest.raises(FaultyRows) as refusal:
        run(store, path, progress=meanwhile)

    assert refusal.value.faults == {2: "size: must be a text: the first value is, in 0"}
    assert list(stored(store)) == ["0"]


def test_an_export_of_the_api_is_a_catalog(store: Store, tmp_path: Path) -> None:
    """Pages of `content_export` spell identity and fields in their own way; a list of one text is that text."""
    page = {
        "total": 1,
        "objects": [
            {
                "url": "/p/1",
                "type": "item",
                "attributes": {"title": "A", "brand": ["Fender"]},
                "nested": [],
                "exact": True,
            }
        ],
        "links": [],
    }

    run(store, lines(tmp_path, page))

    held = stored(store)["/p/1"]
    assert held["type"] == "item"
    assert held["fields"] == {"title": "A", "brand": "Fender"}


@pytest.mark.parametrize(
    ("value", "levels"),
    [
        (["Guitars", "Strings", "Bass"], [["Guitars"], ["Strings"], ["Bass"]]),
        ("Guitars > Strings > Bass", [["Guitars"], ["Strings"], ["Bass"]]),
        ("Guitars", [["Guitars"]]),
        (["Guitars > Strings", "Sale"], [["Guitars", "Sale"], ["Strings"]]),
        ([["Guitars", "Strings"], ["Sale"]], [["Guitars", "Sale"], ["Strings"]]),
    ],
)
def test_categories_become_paths(
    store: Store, tmp_path: Path, value: Any, levels: list[list[str]]
) -> None:
    """A list or a text with `>` is a path from the top, so that rules can name every level."""
    run(store, lines(tmp_path, {"id": "1", "title": "x", "kind": value}), "category=kind")

    with store.load(SHOP) as load:
        (held,) = (each for each in load.objects() if each.type == "item")
    attributes = wire.attributes(held.document)
    found = [attributes[f"category_lvl_{n}"] for n in range(1, len(levels) + 1)]
    assert found == levels
    assert f"category_lvl_{len(levels) + 1}" not in attributes


def test_a_dotted_source_reaches_into_records(store: Store, tmp_path: Path) -> None:
    """`attributes.colour` is the colour inside; a column of just that name comes first."""
    path = lines(
        tmp_path,
        {"id": "1", "title": "x", "attributes": {"colour": "red"}},
        {"id": "2", "title": "x", "attributes.colour": "blue"},
        {"id": "3", "title": "x", "attributes": None},
    )

    run(store, path, "colour=attributes.colour")

    colours = [held["fields"].get("colour") for held in stored(store).values()]
    assert colours == ["red", "blue", None]


def test_an_item_without_a_title_shows_its_identity(store: Store, tmp_path: Path) -> None:
    """Real catalogs have some; they are counted and imported."""
    path = lines(tmp_path, {"id": "1", "title": ""}, {"id": "2"}, {"id": "3", "title": 1984})

    report = run(store, path)

    titles = {name: held["fields"]["title"] for name, held in stored(store).items()}
    assert titles == {"1": "1", "2": "2", "3": "1984"}
    assert report.untitled == 2
    assert report.warnings == ("2 without a title: the identity is shown instead",)


def test_of_two_lines_with_one_identity_the_last_counts(store: Store, tmp_path: Path) -> None:
    """And the report says that there were two."""
    report = run(store, lines(tmp_path, {"id": "1", "title": "a"}, {"id": "1", "title": "b"}))

    assert stored(store)["1"]["fields"]["title"] == "b"
    assert (report.objects, report.repeated) == (1, 1)


@pytest.mark.parametrize("format", FORMATS)
def test_one_faulty_row_refuses_the_file(store: Store, tmp_path: Path, format: str) -> None:
    """Every faulty row is named with its line, and nothing is stored."""
    records = [
        {"identity": "1", "title": "good", "active_from": "2025-01-01"},
        {"identity": "2", "title": "bad", "active_from": "tomorrow"},
        {"identity": "x" * 2_001, "title": "long", "active_from": "2025-01-01"},
    ]
    before = store.revisions()

    with pytest.raises(FaultyRows) as refused:
        run(store, write(tmp_path, format, records))

    first = 1 if "csv" not in format and format != "semicolons" else 2
    assert list(refused.value.faults) == [first + 1, first + 2]
    assert "active_from" in refused.value.faults[first + 1]
    assert "identity" in refused.value.faults[first + 2]
    assert store.revisions() == before
    assert stored(store) == {}


def test_a_row_without_identity_is_named(store: Store, tmp_path: Path) -> None:
    """What no column identifies cannot be stored."""
    with pytest.raises(FaultyRows, match=r"line 2.*identity"):
        run(store, lines(tmp_path, {"id": "1", "title": "a"}, {"title": "b"}))


def test_twenty_faults_are_named_and_all_are_counted(store: Store, tmp_path: Path) -> None:
    """A file that is wrong throughout does not fill the screen."""
    with pytest.raises(FaultyRows) as refused:
        run(store, lines(tmp_path, *({"title": "x"} for _ in range(50))))

    assert list(refused.value.faults) == list(range(1, 21))
    assert refused.value.total == 50


def test_a_dry_run_stores_nothing(store: Store, tmp_path: Path) -> None:
    """It reports and refuses as the import would."""
    before = store.revisions()

    report = run(store, lines(tmp_path, *FLAT), "title=name", dry_run=True)

    assert (report.objects, report.revision) == (2, None)
    assert store.revisions() == before


def test_a_map_of_a_missing_column_is_refused(store: Store, tmp_path: Path) -> None:
    """A slip in the map is said, not imported as a catalog without titles."""
    with pytest.raises(UsageFault, match="title=nmae: no row has a value there"):
        run(store, lines(tmp_path, *FLAT), "identity=sku", "title=nmae")
    assert stored(store) == {}


@pytest.mark.parametrize("pairs", [["title"], ["=name"], ["title="], ["a=b", "a=c"]])
def test_a_map_that_is_none_is_refused(pairs: list[str]) -> None:
    """Each must be target=source, and each target once."""
    with pytest.raises(UsageFault, match="--map"):
        FieldMap.of(pairs)


def test_an_unknown_tracker_is_refused(store: Store, tmp_path: Path) -> None:
    """The store's own refusal comes through."""
    with pytest.raises(TrackerNotFound):
        import_catalog(
            store, TrackerId("9"), lines(tmp_path, *FLAT), fields=MAP, actor="test", now=NOW
        )


def test_items_that_were_there_stay(store: Store, tmp_path: Path) -> None:
    """An import replaces what it names and leaves the rest."""
    run(store, lines(tmp_path, {"id": "1", "title": "a"}, {"id": "2", "title": "b"}))
    run(store, lines(tmp_path, {"id": "2", "title": "c"}))

    titles = {ItemId(name): held["fields"]["title"] for name, held in stored(store).items()}
    assert titles == {"1": "a", "2": "c"}

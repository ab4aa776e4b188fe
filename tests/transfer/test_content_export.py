"""
Content exports as files: pages in any arrangement, and what exported objects were before.
"""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.domain import CatalogObject
from endcap.errors import FaultyRows, UsageFault
from endcap.transfer.content_export import exported_members
from endcap.transfer.formats import CatalogFormat
from endcap.wire.catalog import attributes, object_from
from endcap.wire.catalog_export import exported_json
from tests.transfer.shop import Catalog

Json = Any


def exported(identity: str, **others: Json) -> Json:
    attributes = {"title": identity, "brand": ["Fender"], "price": "9,90 €", "price_amount": 9.9}
    return {
        "url": identity,
        "type": "item",
        "attributes": {**attributes, **others},
        "nested": [],
        "exact": True,
    }


def page(*objects: Json, total: int = 4, more: bool = False) -> Json:
    href = "https://live.example.com/v1/content_export?cursor=23937182663"
    links = [{"rel": "next", "href": href}] if more else []
    return {"total": total, "objects": list(objects), "links": links}


PAGES = [page(exported("/1"), exported("/2"), more=True), page(exported("/3"), exported("/4"))]
OBJECTS = [each for one in PAGES for each in one["objects"]]


def lines(values: Json) -> str:
    return "".join(json.dumps(each) + "\n" for each in values)


def folder(path: Path) -> None:
    path.mkdir()
    (path / "page-1.json").write_text(json.dumps(PAGES[0], indent=2))
    (path / "page-2.json.gz").write_bytes(gzip.compress(json.dumps(PAGES[1]).encode()))
    (path / ".hidden.json").write_text("{broken")
    (path / "notes.txt").write_text("not a page")


ARRANGEMENTS: dict[str, Callable[[Path], object]] = {
    "one page": lambda path: path.write_text(json.dumps(page(*OBJECTS))),
    "one page, pretty": lambda path: path.write_text(json.dumps(page(*OBJECTS), indent=2)),
    "a list of pages": lambda path: path.write_text(json.dumps(PAGES)),
    "a list of pages, pretty": lambda path: path.write_text(json.dumps(PAGES, indent=2)),
    "a page a line": lambda path: path.write_text(lines(PAGES)),
    "an object a line": lambda path: path.write_text(lines(OBJECTS)),
    "a list of objects": lambda path: path.write_text(json.dumps(OBJECTS)),
    "gzipped": lambda path: path.write_bytes(gzip.compress(lines(PAGES).encode())),
    "a folder": folder,
}


@pytest.mark.parametrize("arrange", ARRANGEMENTS.values(), ids=ARRANGEMENTS.keys())
@pytest.mark.parametrize("format", [None, CatalogFormat.CONTENT_EXPORT])
def test_pages_in_any_arrangement(
    catalog: Catalog,
    tmp_path: Path,
    arrange: Callable[[Path], object],
    format: CatalogFormat | None,
) -> None:
    """Told by the content, or said."""
    path = tmp_path / "export"
    arrange(path)

    report = catalog.run(path, format=format)

    assert report.format is CatalogFormat.CONTENT_EXPORT
    assert (report.objects, report.warnings) == (4, ())
    assert catalog.stored()["/4"] == {
        "identity": "/4",
        "type": "item",
        "fields": {"title": "/4", "brand": "Fender", "price": "9,90 €"},
    }


def test_an_export_that_is_not_whole(catalog: Catalog, tmp_path: Path) -> None:
    """It is imported, and what is missing is told."""
    path = tmp_path / "export"

    path.write_text(json.dumps(PAGES[0]))
    cut = catalog.run(path)
    path.write_text(json.dumps(page(exported("/1"), total=14_256)))
    short = catalog.run(path)

    assert cut.warnings == (
        "the last page links to another one, which is not here: the export is not whole",
    )
    assert short.warnings == ("the export speaks of 14256 objects, but 1 are here",)


def test_faulty_objects_are_named_by_place(catalog: Catalog, tmp_path: Path) -> None:
    """File, page and object; nothing is stored."""
    path = tmp_path / "export"
    path.mkdir()
    (path / "a.json").write_text(json.dumps(PAGES[0]))
    faulty = [{"title": "flat"}, {**exported("/9"), "type": ""}, 7]
    (path / "b.jsonl").write_text(lines([page(*faulty), exported("/8")]) + "{broken\n")

    with pytest.raises(FaultyRows) as refusal:
        catalog.run(path)

    assert refusal.value.total == 4
    assert {place: text.partition(": ")[0] for place, text in refusal.value.faults.items()} == {
        3: "b.jsonl, page 1, object 1",
        4: "b.jsonl, page 1, object 2",
        5: "b.jsonl, page 1, object 3",
        7: "b.jsonl, must be a JSON object",
    }
    assert set(refusal.value.details) == {"object 3", "object 4", "object 5", "object 7"}
    assert catalog.stored() == {}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.mkdir(), "has no files with pages"),
        (lambda path: path.write_text("id,title\n1,x\n"), "is CSV; a content export is JSON"),
        (lambda path: path.write_text("<rss/>"), "is CSV; a content export is JSON"),
        (lambda path: path.write_text(""), "is empty"),
    ],
)
def test_what_is_no_export(
    catalog: Catalog, tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    """Said to be one, it is refused as a whole."""
    path = tmp_path / "export"
    make(path)

    with pytest.raises(UsageFault, match=said):
        catalog.run(path, format=CatalogFormat.CONTENT_EXPORT)


def test_formats_that_a_file_cannot_have(catalog: Catalog, tmp_path: Path) -> None:
    """The refusal says which it may be."""
    path = tmp_path / "export"
    folder(path)
    feed = tmp_path / "feed"
    feed.write_text("<rss><item><g:id>1</g:id></item></rss>")

    with pytest.raises(UsageFault, match="only pages of a content export may be in"):
        catalog.run(path, format=CatalogFormat.MERCHANT)
    with pytest.raises(UsageFault, match="--format merchant"):
        catalog.run(feed, format=CatalogFormat.RECORDS)
    with pytest.raises(UsageFault, match="says itself what its fields are"):
        catalog.run(path, "identity=id")


# What exported objects were


def derived_kept(sent: Json, nested: Json = ()) -> Json:
    """The fields of an object that was exported with these attributes."""
    return exported_members(
        {"url": "/1", "type": "item", "attributes": sent, "nested": list(nested)}
    )["fields"]


GUITARS = {
    "url": "/c/1",
    "type": "category",
    "attributes": {"title": ["Electric"], "ancestors": [{"title": "Guitars"}]},
    "nested": [],
}


@pytest.mark.parametrize(
    ("sent", "nested", "fields"),
    [
        ({"brand": ["Fender"], "colors": ["a", "b"]}, [], {"brand": "Fender", "colors": ["a", "b"]}),
        ({"price": "9 €", "price_amount": 9}, [], {"price": "9 €"}),
        ({"price": ["9 €"], "price_amount": 9.0}, [], {"price": "9 €"}),
        ({"price": "9 €", "price_amount": 8}, [], {"price": "9 €", "price_amount": 8}),
        ({"price_amount": 8}, [], {"price_amount": 8}),
        ({"price_old": ["12 €"], "price_old_amount": 12}, [], {"price_old": "12 €"}),
        ({"category": ["Electric"], "category_lvl_1": ["Guitars"], "category_lvl_2": ["Electric"]}, [GUITARS], {}),
        ({"category": ["Sale", "Electric"], "category_lvl_1": ["Guitars"]}, [GUITARS], {"category": "Sale"}),
        ({"category": ["A"], "category_lvl_1": ["B"]}, [], {"category": "A", "category_lvl_1": "B"}),
        ({"introduced_at": ["2025-01-01"], "nil": None, "no": []}, [], {"introduced_at": "2025-01-01", "no": []}),
    ],
)  # fmt: skip
def test_what_follows_from_the_rest_is_left_out(sent: Json, nested: Json, fields: Json) -> None:
    """A list of one text is that text, and a value of the shop's own stays."""
    assert derived_kept(sent, nested) == fields


def test_nested_objects_become_what_they_were() -> None:
    """Ancestors stay a list, also where there is one."""
    flat_ancestors = {**GUITARS, "attributes": {"title": "Electric", "ancestors": ["Guitars"]}}

    (first,) = exported_members({**exported("/1"), "nested": [GUITARS]})["nested"]
    (second,) = exported_members({**exported("/1"), "nested": [flat_ancestors]})["nested"]

    assert first == {
        "identity": "/c/1",
        "type": "category",
        "fields": {"title": "Electric", "ancestors": [{"title": "Guitars"}]},
    }
    assert second["fields"]["ancestors"] == ["Guitars"]


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=5)
names = st.sampled_from(
    [
        "brand",
        "price",
        "price_old",
        "price_eur",
        "price_amount",
        "price_eur_amount",
        "category",
        "category_lvl_1",
        "x",
        "identity",
    ]
)
values = st.one_of(
    texts, st.integers(-9, 9), st.booleans(), st.lists(texts, max_size=3), st.just("1 299,00 €")
)
categories = st.builds(
    lambda title, above: {
        "identity": f"/c/{title}",
        "type": "category",
        "fields": {"title": title, "ancestors": [{"title": each} for each in above]},
    },
    texts,
    st.lists(texts, max_size=3),
)
brands = st.builds(
    lambda title: {"identity": f"/b/{title}", "type": "brand", "fields": {"title": title}}, texts
)


@given(
    fields=st.dictionaries(names, values),
    nested=st.lists(categories | brands, max_size=3),
    generation=st.none() | texts,
)
def test_an_object_that_leaves_and_comes_back(
    fields: Json, nested: Json, generation: str | None
) -> None:
    """Criteria see the same, a list of one text aside; who comes back twice is the same to the byte."""
    sound = {name: each for name, each in fields.items() if not _is_odd_price(name, each)}
    members = {"identity": "/1", "type": "item", "fields": {"title": "T", **sound}}
    if nested:
        members["nested"] = nested
    if generation is not None:
        members["generation"] = generation
    before = object_from(members)
    assert isinstance(before, CatalogObject)

    out = exported_json(before)
    after = object_from(exported_members(msgspec.json.decode(out)))

    assert isinstance(after, CatalogObject)
    assert as_lists(attributes(after.document)) == as_lists(attributes(before.document))
    again = exported_json(after)
    assert as_lists(msgspec.json.decode(again)) == as_lists(msgspec.json.decode(out))
    once_more = object_from(exported_members(msgspec.json.decode(again)))
    assert once_more == after


def _is_odd_price(name: str, value: Json) -> bool:
    """No price, and refused as one; or a list of one, which has no amount and comes back as a text, which has."""
    if name.endswith("_amount"):
        return isinstance(value, bool) or not isinstance(value, int)
    return name.startswith("price") and isinstance(value, bool | list)


def as_lists(value: Json) -> Json:
    """Texts as lists of one; categories and brands in any order, and each once, for criteria see no more of them."""
    if isinstance(value, dict):
        shown = {key: as_lists(each) for key, each in value.items()}
        return {
            key: [one for _, one in sorted({str(one): one for one in each}.items())]
            if key.startswith(("category", "brand")) and isinstance(each, list)
            else each
            for key, each in shown.items()
        }
    return [value] if isinstance(value, str) else value

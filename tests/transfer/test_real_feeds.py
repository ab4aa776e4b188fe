"""
A real catalog of 19,406 products as feeds for Google, and out and in again by the content export.
"""

import csv
import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from endcap.domain import ItemId
from endcap.transfer.formats import CatalogFormat
from endcap.wire.catalog import attributes
from endcap.wire.catalog_export import content_page_json, exported_json
from tests.transfer.shop import SHOP, Catalog, catalog_in

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

PRODUCTS = 19_406
PAGE = 500
MAP = (
    *("identity=id", "title=title", "brand=brand", "description=description"),
    *("category=categories", "price_amount=price", "introduced_at=released", "specs=attributes"),
)
Json = Any


@pytest.fixture(scope="module")
def products(shared_data: Path) -> Sequence[Json]:
    with gzip.open(shared_data / "icecat_catalog.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def merchant(product: Json) -> Mapping[str, str]:
    """A product in Google's words."""
    said = {
        "id": product["id"],
        "title": product["title"],
        "description": product.get("description"),
        "link": f"https://shop.example.com/p/{product['id']}",
        "image_link": product.get("image_url"),
        "price": None if product.get("price") is None else f"{product['price']:.2f} EUR",
        "brand": product.get("brand"),
        "product_type": " > ".join(product.get("categories") or ()),
        "availability": "in_stock" if int(product["id"]) % 5 else "out_of_stock",
        "condition": "new",
        "color": product.get("attributes", {}).get("printing_colours"),
    }
    return {name: str(value) for name, value in said.items() if value not in (None, "")}


def as_xml(path: Path, products: Sequence[Json]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n')
        for product in products:
            told = "".join(f"<g:{k}>{escape(v)}</g:{k}>" for k, v in merchant(product).items())
            file.write(f"<item>{told}</item>\n")
        file.write("</channel></rss>")


def as_tsv(path: Path, products: Sequence[Json]) -> None:
    rows = list(map(merchant, products))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, dialect="excel-tab")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("write", [as_xml, as_tsv])
def test_a_feed_for_google_is_the_catalog(
    catalog: Catalog,
    products: Sequence[Json],
    tmp_path: Path,
    write: Callable[[Path, Sequence[Json]], None],
    record_property: Callable[[str, object], None],
) -> None:
    """Every product, with its categories from the top and its price as a number."""
    path = tmp_path / "feed"
    write(path, products)
    began = time.perf_counter()

    report = catalog.run(path)

    record_property("import_seconds", round(time.perf_counter() - began, 2))
    assert report.format is CatalogFormat.MERCHANT
    assert (report.objects, report.types, report.untitled) == (PRODUCTS, {"item": PRODUCTS}, 0)
    found = catalog.attributes()
    for product in products:
        made = found[str(product["id"])]
        path_of = [title.strip() for title in product.get("categories") or ()]
        levels = [made.get(f"category_lvl_{n}") for n in range(1, len(path_of) + 1)]
        assert levels == [[title] for title in path_of]
        price = product.get("price")
        assert made.get("price_amount") == (None if price is None else round(price, 2))
        assert made["title"] == product["title"].strip()
        assert made["availability"] == (1 if int(product["id"]) % 5 else 0)
        assert made["web_url"] == f"https://shop.example.com/p/{product['id']}"


def pages(catalog: Catalog) -> Iterator[bytes]:
    """The content export, a page at a time."""
    total = catalog.store.count_objects(SHOP)
    after: ItemId | None = None
    for number in count():
        page = catalog.store.objects_after(SHOP, after, limit=PAGE)
        after = page[-1].identity
        more = (number + 1) * PAGE < total
        link = "https://shop.example.com/v1/content_export?cursor=x" if more else None
        yield content_page_json(total, list(map(exported_json, page)), next_href=link)
        if not more:
            return


def test_out_and_in_again(catalog: Catalog, shared_data: Path, tmp_path: Path) -> None:
    """A folder of pages is the catalog again: criteria see the same of every product."""
    catalog.run(shared_data / "icecat_catalog.jsonl.gz", *MAP)
    folder = tmp_path / "pages"
    folder.mkdir()
    for number, page in enumerate(pages(catalog)):
        (folder / f"page-{number:03}.json").write_bytes(page)
    (tmp_path / "other").mkdir()

    with catalog_in(tmp_path / "other") as other:
        report = other.run(folder)
        moved = other.attributes()
        with catalog.store.load(SHOP) as load:
            before = {each.identity: each for each in load.objects()}

    assert (report.objects, report.warnings) == (len(before), ())
    assert report.types["item"] == PRODUCTS
    assert moved.keys() == before.keys()
    for identity, each in before.items():
        assert as_lists(moved[identity]) == as_lists(attributes(each.document))


def as_lists(value: Json) -> Json:
    """Texts as lists of one: on the wire they are the same."""
    if isinstance(value, dict):
        return {key: as_lists(each) for key, each in value.items()}
    return [value] if isinstance(value, str) else value

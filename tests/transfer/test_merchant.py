"""
Google Merchant feeds: what each attribute becomes, in XML and in a table.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from endcap.errors import FaultyRows, UsageFault
from endcap.transfer.formats import CatalogFormat
from tests.transfer.shop import Catalog

Product = Mapping[str, Any]
GUITAR: Product = {
    "id": "g1",
    "title": "Telecaster",
    "description": "Solid & loud",
    "link": "https://shop/g1",
    "image_link": "https://shop/g1.jpg",
    "price": "1299.00 EUR",
    "availability": "in_stock",
    "brand": "Fender",
    "product_type": "Guitars > Electric > T-Style",
    "google_product_category": "5362",
    "gtin": "0717669000011",
    "mpn": "T-1",
    "condition": "new",
    "item_group_id": "tele",
    "custom_label_0": "spring",
    "custom_label_4": "hero",
    "gender": "unisex",
    "age_group": "adult",
    "size": "full",
    "pattern": "sunburst",
}


def xml(folder: Path, *products: Product) -> Path:
    """An RSS feed; a list is a repeated element."""
    path = folder / "feed.xml"
    items = "\n".join(
        f"<item>{''.join(_element(*each) for each in p.items())}</item>" for p in products
    )
    path.write_text(
        f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n{items}\n</channel></rss>'
    )
    return path


def _element(name: str, value: Any) -> str:
    values = value if isinstance(value, list) else [value]
    return "".join(f"<g:{name}>{escape(str(each))}</g:{name}>" for each in values)


def tsv(folder: Path, *products: Product) -> Path:
    """A table, tabs between; a list has commas between."""
    path = folder / "feed.txt"
    columns = list(dict.fromkeys(name for product in products for name in product))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    for product in products:
        writer.writerow({k: ",".join(v) if isinstance(v, list) else v for k, v in product.items()})
    path.write_text(text.getvalue())
    return path


FILES = {"xml": xml, "tsv": tsv}


@pytest.mark.parametrize("kind", FILES)
def test_a_product_in_full(catalog: Catalog, tmp_path: Path, kind: str) -> None:
    """Known by its content; every attribute is where rules and pages look for it."""
    report = catalog.run(FILES[kind](tmp_path, GUITAR))

    assert report.format is CatalogFormat.MERCHANT
    assert (report.objects, report.types, report.warnings) == (1, {"item": 1}, ())
    assert catalog.attributes()["g1"] == {
        "identity": "g1",
        "type": "item",
        "title": "Telecaster",
        "description": "Solid & loud",
        "web_url": "https://shop/g1",
        "image_link": "https://shop/g1.jpg",
        "price": "1299.00 EUR",
        "price_amount": 1299.0,
        "availability": 1,
        "availability_rank_text": "in stock",
        "brand": "Fender",
        "category": ["T-Style"],
        "category_lvl_1": ["Guitars"],
        "category_lvl_2": ["Electric"],
        "category_lvl_3": ["T-Style"],
        "google_product_category": "5362",
        "gtin": "0717669000011",
        "mpn": "T-1",
        "condition": "new",
        "item_group_id": "tele",
        "custom_label_0": "spring",
        "custom_label_4": "hero",
        "gender": "unisex",
        "age_group": "adult",
        "size": "full",
        "pattern": "sunburst",
    }


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize(
    ("sent", "became"),
    [
        ({"price": "12.50 EUR"}, {"price": "12.50 EUR", "price_amount": 12.5}),
        ({"price": "1,250.00 USD"}, {"price": "1,250.00 USD", "price_amount": 1250.0}),
        (
            {"sale_price": "9.99 EUR"},
            {"price_amount": 9.99, "price_old": "1299.00 EUR", "price_old_amount": 1299.0, "sale_price": None},
        ),
        (
            {"sale_price": "9 EUR", "sale_price_effective_date": "2025-01-20T12:00+0000/2025-02-01T00:00+0000"},
            {"price": "9 EUR", "price_old": "1299.00 EUR"},
        ),
        (
            {"sale_price": "9 EUR", "sale_price_effective_date": "2025-01-21T00:00+01:00 / 2025-02-01T00:00+01:00"},
            {"price": "1299.00 EUR", "price_old": None, "sale_price": "9 EUR"},
        ),
        (
            {"sale_price": "9 EUR", "sale_price_effective_date": "2025-01-01/2025-01-20T12:00Z"},
            {"price": "1299.00 EUR", "price_old": None},
        ),
        ({"availability": "out of stock"}, {"availability": 0, "availability_rank": None}),
        ({"availability": "Out_Of_Stock"}, {"availability": 0}),
        ({"availability": "preorder"}, {"availability": 1, "availability_rank": 10}),
        ({"availability": "back-order"}, {"availability": 1, "availability_rank": 8}),
        ({"color": "Black/Red / Black"}, {"color": ["Black", "Red"]}),
        ({"color": "Black"}, {"color": "Black"}),
        ({"material": "alder/maple"}, {"material": ["alder", "maple"]}),
        (
            {"additional_image_link": ["https://x/w_1,h_2/a.jpg", "https://x/b.jpg"]},
            {"additional_image_link": ["https://x/w_1,h_2/a.jpg", "https://x/b.jpg"]},
        ),
        ({"cost_of_goods_sold": "3 EUR"}, {"_cost_of_goods_sold": "3 EUR", "cost_of_goods_sold": None}),
        ({"product_type": "Guitars>Electric"}, {"category_lvl_1": ["Guitars"], "category": ["Electric"]}),
        (
            {"product_type": "", "google_product_category": "Media > Books"},
            {"category_lvl_1": ["Media"], "category": ["Books"], "google_product_category": "Media > Books"},
        ),
        ({"product_type": "", "google_product_category": "784"}, {"category": None}),
        ({"pick_colour": "red"}, {"pick_colour": "red"}),
    ],
)  # fmt: skip
def test_an_attribute(
    catalog: Catalog, tmp_path: Path, kind: str, sent: Product, became: Mapping[str, Any]
) -> None:
    """What it becomes; None: nothing of that name. It is 20 January 2025, noon."""
    catalog.run(FILES[kind](tmp_path, {**GUITAR, **sent}))

    attributes = catalog.attributes()["g1"]
    assert {name: attributes.get(name) for name in became} == dict(became)


def test_several_paths_of_categories(catalog: Catalog, tmp_path: Path) -> None:
    """Each with its ancestors."""
    product = {**GUITAR, "product_type": ["Guitars > Electric", "Stage > Rental > Guitars"]}
    catalog.run(xml(tmp_path, product))

    assert catalog.stored()["g1"]["nested"] == [
        {
            "type": "category",
            "identity": "Guitars > Electric",
            "fields": {
                "title": "Electric",
                "ancestors": [{"type": "category", "identity": "Guitars", "title": "Guitars"}],
            },
        },
        {
            "type": "category",
            "identity": "Stage > Rental > Guitars",
            "fields": {
                "title": "Guitars",
                "ancestors": [
                    {"type": "category", "identity": "Stage", "title": "Stage"},
                    {"type": "category", "identity": "Stage > Rental", "title": "Rental"},
                ],
            },
        },
    ]


def test_an_end_of_the_offer(catalog: Catalog, tmp_path: Path) -> None:
    """The item is not shown from then on."""
    catalog.run(xml(tmp_path, {**GUITAR, "expiration_date": "2025-03-01T11:07+0100"}))

    assert catalog.stored()["g1"]["active_to"] == "2025-03-01T11:07+0100"
    assert "expiration_date" not in catalog.stored()["g1"]["fields"]


def test_groups_stay_records(catalog: Catalog, tmp_path: Path) -> None:
    """Nothing of a feed is lost."""
    path = tmp_path / "feed"
    path.write_text(
        "<rss><item><g:id>1</g:id><g:title>x</g:title><g:shipping><g:country>DE</g:country>"
        "</g:shipping><c:shelf>7</c:shelf></item></rss>"
    )
    catalog.run(path)

    assert catalog.stored()["1"]["fields"] == {
        "title": "x",
        "shipping": {"country": "DE"},
        "shelf": "7",
    }


def test_texts_marked_as_generated(catalog: Catalog, tmp_path: Path) -> None:
    """They stand in for what an item lacks, without the mark."""
    path = tmp_path / "feed"
    path.write_text(
        "<rss><item><g:id>1</g:id><g:structured_title><g:digital_source_type>ai"
        "</g:digital_source_type><g:content>Pick</g:content></g:structured_title></item></rss>"
    )
    catalog.run(path)

    assert catalog.stored()["1"]["fields"] == {"title": "Pick"}


def test_headings_as_spreadsheets_have_them(catalog: Catalog, tmp_path: Path) -> None:
    """With spaces, capitals or a prefix."""
    path = tmp_path / "feed.tsv"
    path.write_text(
        "ID\tTitle\tLink\tImage Link\tg:price\tg:gtin\tProduct Type\n"
        '7\t"Pick, ""thin"""\thttps://shop/7\thttps://shop/7.jpg\t0.50 EUR\t00123\tParts > Picks\n'
    )

    report = catalog.run(path)

    assert report.format is CatalogFormat.MERCHANT
    attributes = catalog.attributes()["7"]
    assert attributes["title"] == 'Pick, "thin"'
    assert attributes["image_link"] == "https://shop/7.jpg"
    assert (attributes["gtin"], attributes["price_amount"]) == ("00123", 0.5)
    assert attributes["category_lvl_1"] == ["Parts"]


def test_a_table_of_ones_own_is_none_for_google(catalog: Catalog, tmp_path: Path) -> None:
    """Id, title, link and picture are in any shop's file: it is read as before, unless the format is said."""
    path = tsv(tmp_path, {key: GUITAR[key] for key in ("id", "title", "link", "image_link")})

    assert catalog.run(path).format is CatalogFormat.RECORDS
    assert catalog.stored()["g1"]["fields"]["link"] == "https://shop/g1"
    assert catalog.run(path, format=CatalogFormat.MERCHANT).format is CatalogFormat.MERCHANT
    assert catalog.stored()["g1"]["fields"]["web_url"] == "https://shop/g1"


def test_a_map_takes_precedence(catalog: Catalog, tmp_path: Path) -> None:
    """What it names it takes from the table of attributes; the rest stays as it is there."""
    path = xml(tmp_path, {**GUITAR, "shelf": "7"})

    catalog.run(path, "identity=link", "web_url=link", "_label=custom_label_0", "sku=id")

    fields = catalog.stored()["https://shop/g1"]["fields"]
    assert (fields["web_url"], fields["_label"], fields["sku"]) == (
        "https://shop/g1",
        "spring",
        "g1",
    )
    assert "custom_label_0" not in fields
    assert (fields["brand"], fields["shelf"]) == ("Fender", "7")


def test_with_a_map_a_table_is_records(catalog: Catalog, tmp_path: Path) -> None:
    """A map is exact there, as for any table; said to be for Google it is a map of attributes."""
    path = tsv(tmp_path, GUITAR)

    catalog.run(path, "identity=id", "title=title")
    assert catalog.stored()["g1"]["fields"] == {"title": "Telecaster"}

    catalog.run(path, "label=custom_label_0", format=CatalogFormat.MERCHANT)
    assert catalog.stored()["g1"]["fields"]["label"] == "spring"
    assert catalog.stored()["g1"]["fields"]["brand"] == "Fender"


def test_a_slip_in_the_map(catalog: Catalog, tmp_path: Path) -> None:
    """It is told."""
    with pytest.raises(UsageFault, match="label=custom_label_7: no row has a value there"):
        catalog.run(xml(tmp_path, GUITAR), "label=custom_label_7")


@pytest.mark.parametrize("kind", FILES)
def test_faulty_products_are_named_by_line(catalog: Catalog, tmp_path: Path, kind: str) -> None:
    """All of them, and nothing is stored."""
    products = [
        GUITAR,
        {**GUITAR, "availability": "maybe"},
        {**GUITAR, "id": ""},
        {**GUITAR, "sale_price": "9 EUR", "sale_price_effective_date": "in spring"},
        {**GUITAR, "expiration_date": "soon"},
    ]

    with pytest.raises(FaultyRows) as refusal:
        catalog.run(FILES[kind](tmp_path, *products))

    assert refusal.value.total == 4
    assert refusal.value.faults == {
        3: "availability: must be in_stock, out_of_stock, preorder or backorder, not 'maybe'",
        4: "identity: is missing",
        5: "sale_price_effective_date: must be two ISO 8601 moments with a slash between",
        6: "active_to: Must be an ISO 8601 date-time, e.g. 2025-02-01T00:00:00Z",
    }
    assert catalog.stored() == {}


def test_what_is_odd_but_no_fault_is_noted(catalog: Catalog, tmp_path: Path) -> None:
    """Products without a title, and with a price that is none."""
    report = catalog.run(xml(tmp_path, {**GUITAR, "title": "", "price": "on request"}))

    assert report.warnings == (
        "1 without a title: the identity is shown instead",
        "1 with a price that has no number in it: it has no price_amount",
    )
    assert "price_amount" not in catalog.attributes()["g1"]


def test_a_dry_run_stores_nothing(catalog: Catalog, tmp_path: Path) -> None:
    """And reports the same."""
    report = catalog.run(xml(tmp_path, GUITAR), dry_run=True)

    assert (report.objects, report.revision) == (1, None)
    assert catalog.stored() == {}

"""
Google Merchant products as columns of ours: what each attribute becomes.

The attributes and their forms are those of the product data specification
(https://support.google.com/merchants/answer/7052112). What the table does not name stays a field of its own name, so
that nothing of a feed is lost and rules can name what the shop's own people call it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from endcap.domain import Micros, Window
from endcap.transfer.rows import Record
from endcap.wire.reading import instant

RENAMED: Mapping[str, str] = {
    "id": "identity",
    "link": "web_url",
    "expiration_date": "active_to",
    "cost_of_goods_sold": "_cost_of_goods_sold",
    "auto_pricing_min_price": "_auto_pricing_min_price",
}
"""Attribute → column. What shoppers must not see gets the `_` that hides it."""
INSTEAD: Mapping[str, Sequence[str]] = {
    "title": ("structured_title",),
    "description": ("structured_description", "summary", "content"),
}
"""Where to look for what an item lacks: texts marked as generated, and what Atom calls them."""
AVAILABILITIES: Mapping[str, tuple[int, int | None]] = {
    "in stock": (1, None),
    "available": (1, None),
    "available for order": (1, None),
    "limited availability": (1, None),
    "backorder": (1, 8),
    "preorder": (1, 10),
    "out of stock": (0, None),
    "discontinued": (0, None),
    "1": (1, None),
    "true": (1, None),
    "yes": (1, None),
    "0": (0, None),
    "false": (0, None),
    "no": (0, None),
}
"""
What a feed says → availability, and its rank where that is neither the best nor the worst: what is sent later ranks
behind what is there.
"""
SEVERAL: Mapping[str, re.Pattern[str]] = {
    "color": re.compile("/"),
    "material": re.compile("/"),
    "additional_image_link": re.compile(r",\s*(?=https?://)"),  # addresses have commas of their own
}
"""Attributes that hold several texts, and what stands between them."""
MARKS = frozenset(
    {
        "link",
        "image_link",
        "additional_image_link",
        "google_product_category",
        "product_type",
        "gtin",
        "mpn",
        "condition",
        "availability",
        "item_group_id",
        "identifier_exists",
    }
)
"""Columns by which a table is known for a Merchant feed."""
MARKS_MIN = 4
ODD_PRICE = "with a price that has no number in it: it has no price_amount"
_PATH = re.compile(r"\s*>\s*")


class Unmapped(ValueError):
    """A value that no column of ours can take; the text says which and why."""


def is_merchant_table(columns: Sequence[str]) -> bool:
    """Whether columns are those of a Merchant feed; a catalog with an id, a title and a link is not one yet."""
    names = set(map(merchant_name, columns))
    return {"id", "title", "link"} <= names and len(MARKS & names) >= MARKS_MIN


def merchant_name(column: str) -> str:
    """An attribute's name however a table spells it: `g:id`, `Image Link`, `image_link`."""
    name = column.strip().lower().removeprefix("g:").strip()
    return re.sub(r"[\s-]+", "_", name)


def merchant_columns(sent: Record, *, now: Micros) -> tuple[Record, tuple[str, ...]]:
    """
    A product's columns as a flat record has them, and what is odd about it. `now` decides whether a sale price is in
    force.

    Raises Unmapped.
    """
    found = dict(sent)
    for name, others in INSTEAD.items():
        if name not in found and (other := next((each for each in others if each in found), None)):
            value = found.pop(other)
            found[name] = value.get("content") if isinstance(value, dict) else value
    columns: Record = {}
    columns.update(_prices(found, now))
    columns.update(_availability(found.pop("availability", None)))
    if paths := _categories(found):
        columns["category"] = paths
    for name, value in found.items():
        columns[RENAMED.get(name, name)] = (
            _several(value, SEVERAL[name]) if name in SEVERAL else value
        )
    price = columns.get("price")
    is_odd = isinstance(price, str) and not any(each.isdigit() for each in price)
    return columns, (ODD_PRICE,) if is_odd else ()


def _prices(found: Record, now: Micros) -> Record:
    """
    What is asked for today, and what was before: a sale price counts in its window, and always without one. Both are
    texts, from which `price_amount` and `price_old_amount` are derived.
    """
    price, sale = found.pop("price", None), found.get("sale_price")
    if sale is None:
        return {} if price is None else {"price": price}
    if price is not None and not _window(found.get("sale_price_effective_date")).contains(now):
        return {"price": price}
    del found["sale_price"]
    return {"price": sale} if price is None else {"price": sale, "price_old": price}


def _window(text: Any) -> Window:
    """`2025-02-24T13:00-0800/2025-02-29T15:30-0800`. Raises Unmapped."""
    if text is None:
        return Window()
    opens, slash, closes = text.partition("/") if isinstance(text, str) else ("", "", "")
    first, last = instant(opens.strip()), instant(closes.strip())
    if not slash or first is None or last is None:
        raise Unmapped(
            "sale_price_effective_date: must be two ISO 8601 moments with a slash between"
        )
    return Window(first, last)


def _availability(sent: Any) -> Record:
    if sent is None:
        return {}
    text = re.sub(r"[\s_-]+", " ", str(sent)).strip().lower().replace("pre order", "preorder")
    known = AVAILABILITIES.get(text.replace("back order", "backorder"))
    if known is None:
        raise Unmapped(
            f"availability: must be in_stock, out_of_stock, preorder or backorder, not {str(sent)[:40]!r}"
        )
    available, rank = known
    told = {"availability": available, "availability_rank_text": text}
    return told if rank is None else {**told, "availability_rank": rank}


def _categories(found: Record) -> list[list[str]]:
    """The shop's own paths; Google's, where it is spelled out, for a product without any."""
    own = found.pop("product_type", None)
    google = found.get("google_product_category")
    for sent in (own, google):
        texts = sent if isinstance(sent, list) else [sent]
        paths = [
            path
            for text in texts
            if isinstance(text, str)
            and not text.strip().isdigit()
            and (path := [part for part in _PATH.split(text.strip()) if part])
        ]
        if paths:
            return paths
    return []


def _several(value: Any, separator: re.Pattern[str]) -> Any:
    """A text where there is one, else a list of texts, none of them twice."""
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        return value
    parts = [part.strip() for text in texts for part in separator.split(text)]
    distinct = [part for part in dict.fromkeys(parts) if part]
    return distinct[0] if len(distinct) == 1 else distinct

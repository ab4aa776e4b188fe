"""
What stands on the sample shop's shelves: a guitar shop of some three hundred products.

Knows shelves, products and what they cost. Knows nothing of the wire, of pictures beyond the name of a look, or of
shoppers. The price list (`shelves`) is read once, at import; nothing here is random.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from enum import Enum
from typing import Final
from zlib import crc32

from msgspec import Struct

from endcap.sample.shelves import SHELVES, Shelf

OPENED: Final = date(2019, 3, 1)
"""The shop's first day: what says nothing else was introduced between then and five years later."""
OPENING_DAYS: Final = 5 * 365


class Stock(Enum):
    HERE = ""
    TO_ORDER = "?"
    SOLD_OUT = "!"


class Product(Struct, frozen=True):
    identity: str
    family: str
    categories: tuple[str, ...]
    title: str
    brand: str
    colour: str
    look: str
    price: float
    price_before: float | None
    stock: Stock
    introduced: date
    margin: float | None
    facts: dict[str, str]
    description: str


def products() -> Iterator[Product]:
    """Every product, shelf by shelf."""
    for shelf in SHELVES:
        lines = [line for line in shelf.rows.splitlines() if line]
        number = shelf.first
        for row, description in zip(lines[::2], lines[1::2], strict=True):
            for product in row_products(shelf, row, description.strip(), number=number):
                yield product
                number += 1


def row_products(shelf: Shelf, row: str, description: str, *, number: int) -> Iterator[Product]:
    """A row's products, one for each colour; the title names the colour where there are several."""
    brand, model, price, colours, *rest = (cell.strip() for cell in row.split("|"))
    now, _, before = price.partition(" < ")
    facts = dict(fact.strip().split("=", 1) for fact in "".join(rest).split(",") if fact)
    look, introduced = facts.pop("look", shelf.look), facts.pop("introduced", "")
    choices = colours.split(", ")
    for step, choice in enumerate(choices):
        colour = choice.rstrip("!?")
        identity = f"/p/{number + step}"
        yield Product(
            identity=identity,
            family=shelf.family,
            categories=shelf.categories,
            title=f"{brand} {model}" + (f" {colour.title()}" if len(choices) > 1 else ""),
            brand=brand,
            colour=colour,
            look=look,
            price=float(now),
            price_before=float(before) if before else None,
            stock=Stock(choice.removeprefix(colour)),
            introduced=date.fromisoformat(introduced) if introduced else early_day(identity),
            margin=shelf.margin,
            facts=facts,
            description=description,
        )


def early_day(identity: str) -> date:
    """A day that looks like any other: the identity's checksum spreads products over the first years."""
    return OPENED + timedelta(days=crc32(identity.encode()) % OPENING_DAYS)


PRODUCTS: Final = tuple(products())

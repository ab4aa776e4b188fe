"""
Opens the sample shop: its catalog as the wire wants it, and a year and a half of orders to learn from.

Knows how products are written down for `POST /v1/content`, and how shoppers behave: they play one instrument, like a
few brands, have a purse of some depth, come back for strings, and put into a basket what goes with what they came for.
Knows nothing of HTTP, stores or recommenders. One seed gives one history; `until` moves the whole shop through time.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Final

from msgspec import Struct

from endcap.sample.pictures import picture
from endcap.sample.products import PRODUCTS, Product, Stock

UNTIL: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""The day for which the price list was written. Seen from another day, every introduction moves along."""
HISTORY_DAYS: Final = 548
SEED: Final = 7
SHOPPERS: Final = 1_500


class OrderLine(Struct, frozen=True):
    """One product of one order."""

    order_id: str
    identity: str
    user_id: str
    created_at: datetime
    quantity: int
    unit_price: float


# --- catalog --------------------------------------------------------------------------------------------------------

STOCK_FIELDS: Final[Mapping[Stock, Mapping[str, object]]] = {
    Stock.HERE: {"availability": 1},
    Stock.TO_ORDER: {
        "availability": 1,
        "availability_rank": 8,
        "availability_rank_text": "Within two weeks",
    },
    Stock.SOLD_OUT: {
        "availability": 0,
        "availability_rank": 15,
        "availability_rank_text": "Sold out",
    },
}


def catalog(*, until: datetime = UNTIL) -> list[dict[str, object]]:
    """Every product as an object for `POST /v1/content`."""
    return [content(product, until=until) for product in PRODUCTS]


def content(product: Product, *, until: datetime) -> dict[str, object]:
    fields: dict[str, object] = {
        "title": product.title,
        "brand": product.brand,
        "price": euros(product.price),
        "price_amount": product.price,
        "color": product.colour,
        "image_link": picture(product.look, colour=product.colour),
        "web_url": product.identity,
        "description": product.description,
        "introduced_at": introduced(product, until=until).date().isoformat(),
        **STOCK_FIELDS[product.stock],
        **product.facts,
    }
    if product.price_before is not None:
        fields["price_old"] = euros(product.price_before)
        fields["price_old_amount"] = product.price_before
    if product.margin is not None:
        fields["_margin"] = product.margin
    return {
        "identity": product.identity,
        "type": "item",
        "fields": fields,
        "nested": [category(product.categories)],
    }


def category(path: Sequence[str]) -> dict[str, object]:
    """The innermost category, with those around it from the top."""
    *around, title = path
    ancestors = [
        {"type": "category", "identity": category_identity(name), "title": name} for name in around
    ]
    return {
        "type": "category",
        "identity": category_identity(title),
        "fields": {"title": title, "ancestors": ancestors},
    }


def category_identity(title: str) -> str:
    return "/c/" + title.lower().replace(" ", "-")


def euros(amount: float) -> str:
    return f"{amount:.2f} EUR".replace(".00", "")


def introduced(product: Product, *, until: datetime) -> datetime:
    return datetime(*product.introduced.timetuple()[:3], tzinfo=UTC) + (until - UNTIL)


# --- what shoppers do -----------------------------------------------------------------------------------------------

Chances = tuple[tuple[str, float], ...]

PLAYERS: Final[Chances] = (
    ("electric", 0.48),
    ("acoustic", 0.28),
    ("bass", 0.17),
    ("classical", 0.07),
)

STRINGS: Final = {
    "electric": "strings-electric",
    "acoustic": "strings-acoustic",
    "classical": "strings-nylon",
    "bass": "strings-bass",
}

# What a player comes for, by weight. The first visit is often for the instrument itself.
WANTS: Final[Mapping[str, Chances]] = {
    "electric": (
        ("pedal", 3.2), ("electric", 2.0), ("strings-electric", 1.4), ("amp", 1.2), ("strap", 0.6),
        ("cable", 0.5), ("picks", 0.5), ("tuner", 0.4), ("stand", 0.4), ("case-electric", 0.4),
        ("power", 0.4), ("care", 0.4), ("capo", 0.2),
    ),
    "acoustic": (
        ("acoustic", 2.0), ("strings-acoustic", 1.6), ("capo", 1.2), ("tuner", 0.7), ("picks", 0.6),
        ("case-acoustic", 0.6), ("stand", 0.5), ("strap", 0.5), ("care", 0.5), ("acoustic-amp", 0.4),
    ),
    "classical": (
        ("classical", 2.0), ("strings-nylon", 1.6), ("tuner", 0.6), ("case-acoustic", 0.5),
        ("stand", 0.4), ("capo", 0.3), ("care", 0.3),
    ),
    "bass": (
        ("bass", 2.0), ("strings-bass", 1.2), ("bass-amp", 1.0), ("pedal-bass", 0.9), ("strap", 0.6),
        ("cable", 0.5), ("case-bass", 0.4), ("tuner", 0.4), ("stand", 0.3), ("pedal", 0.3),
    ),
}  # fmt: skip

# What else goes into the basket, each with its own probability.
GOES_WITH: Final[Mapping[str, Chances]] = {
    "electric": (
        ("strap", 0.48), ("cable", 0.42), ("picks", 0.42), ("strings-electric", 0.3), ("tuner", 0.22),
        ("case-electric", 0.32), ("amp", 0.2), ("stand", 0.2), ("care", 0.06),
    ),
    "acoustic": (
        ("case-acoustic", 0.36), ("capo", 0.36), ("picks", 0.36), ("strap", 0.3),
        ("strings-acoustic", 0.32), ("tuner", 0.32), ("stand", 0.18), ("care", 0.08),
    ),
    "classical": (
        ("case-acoustic", 0.4), ("strings-nylon", 0.3), ("tuner", 0.35), ("stand", 0.15), ("strap", 0.1),
    ),
    "bass": (
        ("strap", 0.5), ("cable", 0.45), ("strings-bass", 0.25), ("case-bass", 0.35),
        ("bass-amp", 0.3), ("tuner", 0.22), ("stand", 0.2),
    ),
    "amp": (("cable", 0.5), ("pedal", 0.15)),
    "bass-amp": (("cable", 0.5), ("pedal-bass", 0.12)),
    "acoustic-amp": (("cable", 0.5),),
    "pedal": (("patch", 0.32), ("pedal", 0.24), ("power", 0.2), ("cable", 0.08)),
    "pedal-bass": (("patch", 0.3), ("power", 0.25)),
    "power": (("patch", 0.5), ("pedal", 0.2)),
    "strings-electric": (("picks", 0.26), ("care", 0.14), ("strings-electric", 0.12)),
    "strings-acoustic": (("picks", 0.2), ("care", 0.16), ("strings-acoustic", 0.1), ("capo", 0.05)),
    "strings-nylon": (("care", 0.1), ("strings-nylon", 0.15)),
    "strings-bass": (("care", 0.15),),
    "strap": (("strap", 0.15), ("picks", 0.15)),
    "capo": (("picks", 0.2), ("tuner", 0.1)),
    "case-acoustic": (("care", 0.1),),
}  # fmt: skip

# Orders by month, January first: presents in December, bargains before, beaches in July.
MONTHS: Final = (1.0, 0.9, 0.95, 0.9, 0.85, 0.8, 0.75, 0.85, 1.05, 1.05, 1.45, 1.7)
WEEKDAYS: Final = (1.0, 0.95, 0.95, 0.95, 1.0, 1.2, 1.35)

FIRST_IS_INSTRUMENT: Final = 0.62
COMES_BACK: Final = 0.52
"""The chance of one more visit after each visit."""
RESTRINGS: Final = 0.34
"""The share of shoppers who keep buying one set of strings."""
SEVERAL_AT_ONCE: Final = ("strings-", "picks", "patch")

HOUSES: Final = {
    "Squier": "Fender",
    "Epiphone": "Gibson",
    "MXR": "Dunlop",
    "Sterling by Music Man": "Ernie Ball",
}
"""Brands of one house: who owns the one likes the other."""
FAVOURITES: Final = tuple(sorted({HOUSES.get(p.brand, p.brand) for p in PRODUCTS}))

TREND_DAYS: Final = 400
SALE_DAYS: Final = 45
"""Reduced prices began so long before the end; sold-out products were last sold then."""
PERIOD_DAYS: Final = 30
"""Popularity is looked at once in so many days."""


class Shopper(Struct, frozen=True):
    user_id: str
    plays: str
    houses: frozenset[str]
    purse: float


class Ware(Struct, frozen=True):
    """A product as a shopper weighs it."""

    product: Product
    house: str
    pull: float
    """How well it sells by its place: 1 for the first row of a family's first shelf."""
    dearness: float
    """0 for the cheapest of its family, 1 for the dearest."""
    meant_for: str | None
    """The instrument that its title names, for a strap or a capo that fits no other."""


class Market(Struct, frozen=True):
    """What is for sale, and how much each thing draws in each period."""

    start: datetime
    until: datetime
    wares: dict[str, list[Ware]]
    draws: dict[str, list[list[float]]]
    days: list[float]
    """How busy the days are, cumulated."""


class Basket(Struct, frozen=True):
    at: datetime
    user_id: str
    contents: list[tuple[Product, int]]


def orders(
    *, seed: int = SEED, shoppers: int = SHOPPERS, until: datetime = UNTIL
) -> Iterator[OrderLine]:
    """Eighteen months of order lines before `until`, oldest first."""
    rng, until = random.Random(seed), until.astimezone(UTC)
    market = open_market(rng, until)
    baskets = [
        basket
        for number in range(shoppers)
        for basket in visits(rng, market, shopper(rng, number))
        if basket.at < until
    ]
    baskets.sort(key=lambda basket: (basket.at, basket.user_id))
    sale_from = until - timedelta(days=SALE_DAYS)
    for number, basket in enumerate(baskets, start=100_001):
        for product, quantity in basket.contents:
            before = product.price_before if basket.at < sale_from else None
            yield OrderLine(
                order_id=f"O-{number}",
                identity=product.identity,
                user_id=basket.user_id,
                created_at=basket.at,
                quantity=quantity,
                unit_price=product.price if before is None else before,
            )


def shopper(rng: random.Random, number: int) -> Shopper:
    return Shopper(
        user_id=f"shopper-{number + 1:04}",
        plays=chosen(rng, PLAYERS),
        houses=frozenset(rng.choices(FAVOURITES, k=3))
        | {rng.choice(("Fender", "Gibson", "Ibanez"))},
        purse=rng.betavariate(1.8, 1.8),
    )


def chosen(rng: random.Random, chances: Chances) -> str:
    return rng.choices([name for name, _ in chances], [weight for _, weight in chances])[0]


def visits(rng: random.Random, market: Market, who: Shopper) -> Iterator[Basket]:
    times = 1
    while rng.random() < COMES_BACK:
        times += 1
    days = sorted(rng.choices(range(HISTORY_DAYS), cum_weights=market.days, k=times))
    for number, day in enumerate(days):
        first = number == 0 and rng.random() < FIRST_IS_INSTRUMENT
        yield visit(
            rng, market, who, who.plays if first else chosen(rng, WANTS[who.plays]), day=day
        )
    if rng.random() < RESTRINGS:
        yield from restringing(rng, market, who, since=days[0])


def visit(
    rng: random.Random,
    market: Market,
    who: Shopper,
    family: str,
    *,
    day: int,
    usual: Product | None = None,
) -> Basket:
    """One order: what the shopper came for (`usual`, if there is one), then what goes with it."""
    lead = usual or pick(rng, market, who, family, day=day)
    wanted = {lead.identity: lead}
    for other, chance in GOES_WITH.get(family, ()):
        if rng.random() < chance:
            product = pick(rng, market, who, other, day=day, lead=lead)
            wanted.setdefault(product.identity, product)
    midnight = (market.start + timedelta(days=day)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return Basket(
        at=midnight + timedelta(seconds=int(rng.triangular(7 * 3600, 86_399, 19 * 3600))),
        user_id=who.user_id,
        contents=[(product, quantity(rng, product)) for product in wanted.values()],
    )


def restringing(
    rng: random.Random, market: Market, who: Shopper, *, since: int
) -> Iterator[Basket]:
    """The same set every few months; now and then another is tried, and sometimes kept."""
    family, every = STRINGS[who.plays], rng.uniform(55, 150)
    day = since + every * rng.uniform(0.3, 1.1)
    usual = pick(rng, market, who, family, day=since)
    while day < HISTORY_DAYS:
        if rng.random() < 0.1 or not sold(usual, market, day=int(day)):
            usual = pick(rng, market, who, family, day=int(day))
        yield visit(rng, market, who, family, day=int(day), usual=usual)
        day += every * rng.uniform(0.7, 1.3)


def quantity(rng: random.Random, product: Product) -> int:
    several = product.family.startswith(SEVERAL_AT_ONCE)
    return rng.choices((1, 2, 3), (70, 20, 10))[0] if several else 1


def pick(
    rng: random.Random,
    market: Market,
    who: Shopper,
    family: str,
    *,
    day: int,
    lead: Product | None = None,
) -> Product:
    wares, draws = market.wares[family], market.draws[family][day // PERIOD_DAYS]
    weights = [
        pull and pull * liking(ware, who, lead) for ware, pull in zip(wares, draws, strict=True)
    ]
    return rng.choices(wares, weights)[0].product


def liking(ware: Ware, who: Shopper, lead: Product | None) -> float:
    """How well a ware suits the shopper, and what is in the basket already. Only ratios matter."""
    weight = math.exp(-(((ware.dearness - who.purse) / 0.4) ** 2))
    if ware.house in who.houses:
        weight *= 2.5
    if ware.meant_for is not None:
        weight *= 5 if ware.meant_for == who.plays else 0.02
    if lead is not None:
        if house(lead) == ware.house:
            weight *= 2.5
        strings = ware.product.facts.get("strings")
        if strings is not None and lead.facts.get("strings", strings) != strings:
            weight *= 0.02
    return weight


# --- the market -----------------------------------------------------------------------------------------------------


def open_market(rng: random.Random, until: datetime) -> Market:
    start = until - timedelta(days=HISTORY_DAYS)
    market = Market(start=start, until=until, wares=shelve(), draws={}, days=busyness(start))
    for family, wares in market.wares.items():
        luck = [(rng.lognormvariate(0, 0.35), rng.random()) for _ in wares]
        market.draws[family] = [
            [
                draw(ware, charm, phase, day=day) if sold(ware.product, market, day=day) else 0.0
                for ware, (charm, phase) in zip(wares, luck, strict=True)
            ]
            for day in range(0, HISTORY_DAYS, PERIOD_DAYS)
        ]
    return market


def shelve() -> dict[str, list[Ware]]:
    """The families' wares. Zipf's law holds along the rows of a shelf; later shelves sell less."""
    prices: dict[str, list[float]] = {}
    for product in sorted(PRODUCTS, key=lambda product: product.price):
        prices.setdefault(product.family, []).append(product.price)
    wares: dict[str, list[Ware]] = {family: [] for family in prices}
    rows: dict[str, Counter[tuple[str, ...]]] = {family: Counter() for family in prices}
    for product in PRODUCTS:
        around, shelves = prices[product.family], rows[product.family]
        shelves[product.categories] += 1
        ware = Ware(
            product=product,
            house=house(product),
            pull=1 / (shelves[product.categories] * math.sqrt(len(shelves))),
            dearness=around.index(product.price) / (len(around) - 1),
            meant_for=meant_for(product),
        )
        wares[product.family].append(ware)
    return wares


def house(product: Product) -> str:
    return HOUSES.get(product.brand, product.brand)


def meant_for(product: Product) -> str | None:
    if product.categories[0] != "Accessories" or product.family in STRINGS.values():
        return None
    return next((kind for kind in ("classical", "bass") if kind.title() in product.title), None)


def busyness(start: datetime) -> list[float]:
    dates = (start + timedelta(days=day) for day in range(HISTORY_DAYS))
    return list(accumulate(MONTHS[date.month - 1] * WEEKDAYS[date.weekday()] for date in dates))


def draw(ware: Ware, charm: float, phase: float, *, day: int) -> float:
    """Its place, some luck, and a slow wave of fashion."""
    fashion = 1 + 0.5 * math.sin(math.tau * (day / TREND_DAYS + phase))
    return ware.pull * charm * fashion


def sold(product: Product, market: Market, *, day: int) -> bool:
    at = market.start + timedelta(days=day)
    gone = product.stock is Stock.SOLD_OUT and day >= HISTORY_DAYS - SALE_DAYS
    return introduced(product, until=market.until) <= at and not gone

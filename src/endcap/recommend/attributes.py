"""
What one catalog's attributes tell, laid out for ranking: who is new, who is reduced, whose titles are alike, who
belongs to what.

Knows nothing of orders. Everything is derived when first asked for and then kept; `followed` passes on what a change of
the catalog left true.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from endcap.criteria import AnyOf, Rule, Some
from endcap.domain import Micros
from endcap.engine.catalog import Catalog
from endcap.engine.columns import Column
from endcap.recommend.order import Floats, Numbers, Order, numbers_of
from endcap.recommend.titles import Titles
from endcap.wire.catalog import CATEGORY_LEVELS

PRICE, OLD_PRICE = "price_amount", "price_old_amount"
MEMO_FRESHNESS_MAX = 8  # settings of freshness whose order is kept, 4 bytes an item each
LEVELS = tuple(f"category_lvl_{level}" for level in range(CATEGORY_LEVELS, 0, -1))
CATEGORIES = ("category", *LEVELS)
_DAY = 86_400_000_000

Columns = tuple[Column, ...]
Instants = npt.NDArray[np.int64]


class Dates:
    """
    Objects of any type with a date of introduction, the latest first, then by popularity. Making it takes some 2 µs an
    object, most of it to look at them one by one; following a catalog costs what changed, and copies of flat arrays.
    """

    def __init__(self, catalog: Catalog, numbers: Numbers, introduced: Instants) -> None:
        """`numbers` are in order, `introduced` is theirs."""
        self.catalog = catalog
        self.numbers = numbers
        self.introduced = introduced
        self.order = Order(numbers, catalog.numbers_given)
        self.kept: dict[tuple[float, float], tuple[object, Order]] = {}

    @classmethod
    def of(cls, catalog: Catalog) -> "Dates":
        numbers = numbers_of(catalog.all_items)  # of any type: an object may become an item
        introduced = np.fromiter(  # from a generator, so that other threads get their turn
            (catalog.item(number).introduced_at for number in numbers.tolist()),
            np.int64,
            len(numbers),
        )
        return cls._sorted(catalog, numbers[introduced != 0], introduced[introduced != 0])

    @classmethod
    def _sorted(cls, catalog: Catalog, numbers: Numbers, introduced: Instants) -> "Dates":
        newest = np.lexsort((numbers, catalog.places[numbers], -introduced))
        return cls(catalog, numbers[newest], introduced[newest])

    def followed(self, catalog: Catalog) -> "Dates":
        """The same of a successor of the catalog; equal to a fresh one."""
        moved = [n for n in catalog.differing(self.catalog) if self._has_moved(n, catalog)]
        numbers, introduced = self.numbers, self.introduced
        if moved:
            is_moved = np.zeros(catalog.numbers_given, dtype=np.bool_)
            is_moved[moved] = True
            stays = ~is_moved[numbers]
            numbers, introduced = numbers[stays], introduced[stays]
        keys = {n: _date_key(catalog, n) for n in moved}
        come = sorted((*key, n) for n, key in keys.items() if key is not None)
        numbers_come = np.array([n for _, _, n in come], dtype=np.int32)
        introduced_come = np.array([-age for age, _, _ in come], dtype=np.int64)
        if not catalog.is_ranked_as(self.catalog):
            numbers = np.concatenate((numbers, numbers_come))
            return Dates._sorted(catalog, numbers, np.concatenate((introduced, introduced_come)))
        if not moved:
            followed = Dates(catalog, numbers, introduced)
            followed.kept = self.kept
            return followed
        ages, places = -introduced, catalog.places
        at = []
        for age, *behind in come:
            low, high = int(ages.searchsorted(age, "left")), int(ages.searchsorted(age, "right"))
            alike = numbers[low:high]
            at.append(low + bisect_left(alike, behind, key=lambda n: [places[n], n]))
        return Dates(
            catalog,
            np.insert(numbers, at, numbers_come),
            np.insert(introduced, at, introduced_come),
        )

    def _has_moved(self, number: int, catalog: Catalog) -> bool:
        return _date_key(catalog, number) != _date_key(self.catalog, number)


class Attributes:
    """One catalog's."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._dates: Dates | None = None
        self._discounted: tuple[Columns, Order, Floats] | None = None
        self._titles: Titles | None = None
        self._labels: dict[str, tuple[Column, Numbers]] = {}
        self._categories: dict[str, list[int]] | None = None
        self._others: dict[str, Sequence[int]] = {}

    def followed(self, catalog: Catalog) -> "Attributes":
        """The same of a successor (`changed` or `ranked_by`) of the catalog."""
        successor = Attributes(catalog)
        successor._dates, successor._discounted = self._dates, self._discounted
        successor._labels = dict(self._labels)
        if self._titles is not None:
            successor._titles = self._titles.followed(catalog)
        return successor

    def warm(self) -> None:
        """Derives now what the first requests would otherwise wait for."""
        _ = self.newest, self.discounted, self.titles
        self.labels("category")
        self.labels("brand")

    def numbers(self, attribute: str) -> Floats:
        """An attribute that is a number, by item number; NaN where it is missing."""
        return self.catalog.column(attribute).dense(self.catalog.numbers_given)

    @property
    def dates(self) -> Dates:
        dates, catalog = self._dates, self.catalog
        if dates is None:
            dates = self._dates = Dates.of(catalog)
        elif dates.catalog is not catalog:
            dates = self._dates = dates.followed(catalog)
        return dates

    @property
    def newest(self) -> Order:
        """Items with a date of introduction, the latest first, then by popularity."""
        return self.dates.order

    def freshest(self, half_life_days: float, popularity: float, known: Floats) -> Order:
        """
        The same, where popularity makes up for age: by 0.5 ^ (age / half-life) * (1 + popularity * p), `known` being p
        by number, 0 to 1. Since all grow older alike, the order does not depend on the day.
        """
        dates = self.dates
        if not popularity:
            return dates.order
        key = (half_life_days, popularity)
        kept = dates.kept.get(key)
        if kept is None or kept[0] is not known:
            if len(dates.kept) >= MEMO_FRESHNESS_MAX:
                dates.kept.clear()
            score = dates.introduced / (_DAY * half_life_days)
            score = score + np.log2(1 + popularity * known[dates.numbers])
            best = np.lexsort((self.catalog.places[dates.numbers], -score))
            kept = known, Order(dates.numbers[best], self.catalog.numbers_given)
            dates.kept[key] = kept
        return kept[1]

    def introduced_since(self, since: Micros) -> Numbers:
        """Who was introduced at an instant or later, the latest first."""
        dates = self.dates
        earlier = int(np.searchsorted(dates.introduced[::-1], since, "left"))
        return dates.numbers[: len(dates.numbers) - earlier]

    @property
    def discounted(self) -> Order:
        """Items with a price below their old price, the largest share off first, then by popularity."""
        return self._reduced()[1]

    def share_off(self, number: int) -> float:
        """The share off the old price of one of those."""
        return float(self._reduced()[2][number])

    def _reduced(self) -> tuple[Columns, Order, Floats]:
        catalog = self.catalog
        basis = (catalog.column(PRICE), catalog.column(OLD_PRICE))
        if self._discounted is None or self._discounted[0] != basis:
            price, old = self.numbers(PRICE), self.numbers(OLD_PRICE)
            with np.errstate(invalid="ignore", divide="ignore"):
                share = np.where((price > 0) & (old > price), 1 - price / old, 0)
            numbers = np.flatnonzero(share > 0).astype(np.int32)
            best = np.lexsort((catalog.places[numbers], -np.round(share[numbers], 4)))
            self._discounted = basis, Order(numbers[best], catalog.numbers_given), share
        return self._discounted

    @property
    def titles(self) -> Titles:
        """Whose titles are alike."""
        if self._titles is None:
            self._titles = Titles.of(self.catalog)
        return self._titles

    def labels(self, attribute: str) -> Numbers:
        """By number: the same number for objects that share an attribute's (first) text, -1 without one."""
        column, length = self.catalog.column(attribute), self.catalog.numbers_given
        known = self._labels.get(attribute)
        if known is None or known[0] is not column or len(known[1]) < length:
            known = self._labels[attribute] = column, column.labels(length)
        return known[1]

    def categories(self, title: str) -> Sequence[int]:
        """The category objects with a title."""
        if self._categories is None:
            found: dict[str, list[int]] = {}
            catalog = self.catalog
            for number in catalog.all_items - catalog.typed:
                if catalog.item(number).type == "category":
                    own = catalog.attributes(number).get("title")
                    if isinstance(own, str):
                        found.setdefault(own, []).append(number)
            self._categories = found
        return self._categories.get(title, ())

    def others(self, type: str) -> Sequence[int]:
        """
        All objects of a type that is not items': categories by how popular their most popular items are together,
        anything else the latest introduced first.
        """
        found = self._others.get(type)
        if found is None:
            catalog = self.catalog
            numbers = [n for n in catalog.all_items - catalog.typed if catalog.item(n).type == type]
            if type == "category":
                found = sorted(numbers, key=self._category_key)
            else:
                found = sorted(numbers, key=self._age_key)
            self._others[type] = found
        return found

    def _category_key(self, number: int) -> tuple[float, int, str]:
        catalog = self.catalog
        title = catalog.attributes(number).get("title")
        matches = catalog.matches(in_category(title if isinstance(title, str) else ""))
        sold = sum(map(catalog.score, matches.leaders))
        return (-sold, -len(matches), catalog.identity(number))

    def _age_key(self, number: int) -> tuple[int, str]:
        return (-self.catalog.item(number).introduced_at, self.catalog.identity(number))


def in_category(title: str) -> Rule:
    """That an item belongs to a category of a title, on whatever level."""
    return Some(tuple(AnyOf(attribute, (("text", title),)) for attribute in CATEGORIES))


def texts(value: Any) -> list[str]:
    """An attribute's texts, whether it has one, several or none."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _date_key(catalog: Catalog, number: int) -> tuple[int, float] | None:
    """What an object is sorted by among those with a date; None without one."""
    if number not in catalog.all_items:
        return None
    introduced = catalog.item(number).introduced_at
    return (-introduced, float(catalog.places[number])) if introduced else None

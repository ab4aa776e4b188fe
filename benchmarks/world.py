"""
Data to measure with: items, customizations of which a known few speak, a data directory that holds them.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from msgspec.json import encode

from benchmarks.report import step
from benchmarks.servers import KEY, TRACKER
from endcap.api.app import Parts, build
from endcap.clock import random_id, system_clock
from endcap.config import load
from endcap.domain import CatalogObject, Filter, TrackerId
from endcap.errors import CatalogFault, Problem
from endcap.store.writes import CreateCustomization, CreateTracker, PutObjects, Write
from endcap.wire.catalog import object_from
from endcap.wire.customizations import read_definition

MODEL = "trends"
GROUP = 10_000  # of one commit
PROGRESS_SECONDS = 10.0
T = TypeVar("T")
SPEAKING = 10
"""Customizations that speak in one request: 7 of its item, 2 by criteria, 1 for all."""


def items(count: int) -> Iterator[CatalogObject]:
    """Items with a brand of 200, a category of 50, prices, titles and pictures; identities /p/0, /p/1, …"""
    for number in range(count):
        held = object_from(
            {
                "identity": f"/p/{number}",
                "type": "item",
                "fields": {
                    "title": f"Product {number} with a title of usual length",
                    "brand": f"brand-{number * number % 200}",
                    "category": f"category-{number * 7 % 50}",
                    "color": ["red", "green", "blue", "black"][number % 4],
                    "price": f"{number % 500 + 5} EUR",
                    "image_link": f"https://shop.example/pictures/{number}.jpg",
                    "web_url": f"https://shop.example/products/{number}",
                    "introduced_at": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}",
                },
            }
        )
        assert not isinstance(held, CatalogFault)
        yield held


def bodies(count: int, items_count: int) -> Iterator[dict[str, object]]:
    """
    Bodies of customizations. The first 10 speak in a request of `MODEL` for item /p/1; of the rest, seven in ten
    target other items, the others criteria that /p/1 does not meet; a few models share them.
    """
    for number in range(count):
        pin = {
            "position": number % 10 + 1,
            "pin_type": "item",
            "pin_identity": f"/p/{number * 31 % items_count + 2}",
        }
        body: dict[str, object] = {"model": MODEL, "pin_definitions": [pin]}
        if number < SPEAKING:
            body |= _speaking(number)
        elif number % 10 < 7:
            body |= {
                "target_type": "item",
                "target_identity": f"/p/{number % (items_count - 2) + 2}",
            }
        else:
            criteria = {
                "brand": f"brand-{number % 199 + 2}",
                "color": ["red", "blue", "black"][number % 3],
            }
            body |= {"target_type": "criteria", "target_criteria": criteria}
        yield body


def _speaking(number: int) -> dict[str, object]:
    if number < 7:
        return {"target_type": "item", "target_identity": "/p/1"}
    if number < 9:
        return {"target_type": "criteria", "target_criteria": {"brand": "brand-1"}}
    return {"target_type": "all"}


def prepare(data_dir: Path, *, items_count: int, customizations: int, url: str = "") -> Parts:
    """A migrated store with one tracker, its items and customizations."""
    return fill(data_dir, items(items_count), bodies(customizations, items_count), url=url)


def fill(
    data_dir: Path,
    objects: Iterable[CatalogObject],
    customizations: Iterable[Mapping[str, object]],
    *,
    url: str = "",
) -> Parts:
    """The same with any items and any customizations, written through the store group by group, with progress."""
    settings = load({}, {"data_dir": str(data_dir), "database_url": url or None})
    parts = build(settings)
    parts.migrate()
    tracker = TrackerId(TRACKER)
    now = system_clock()
    made = CreateTracker(tracker, "benchmark", parts.vault.seal(KEY), "benchmark", now)
    _commit(parts, [made])
    progress = Progress("items")
    for group in _groups(objects):
        _commit(parts, [PutObjects(tracker, tuple(group), "benchmark", now)])
        progress.add(len(group))
    progress = Progress("customizations")
    for bodies_ in _groups(customizations):
        _commit(
            parts,
            [
                CreateCustomization(
                    tracker, random_id(), read_definition(encode(body)), "benchmark", now
                )
                for body in bodies_
            ],
        )
        progress.add(len(bodies_))
    return parts


def catalog_objects(sent: Iterable[dict[str, object]]) -> Iterator[CatalogObject]:
    """Objects in the wire's words, understood."""
    for each in sent:
        held = object_from(each)
        assert not isinstance(held, CatalogFault)
        yield held


def _commit(parts: Parts, writes: Sequence[Write]) -> None:
    for outcome in parts.store.commit(writes):
        if isinstance(outcome, Problem):
            raise outcome


def _groups(each: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(each)
    while group := list(islice(rest, GROUP)):
        yield group


class Progress:
    """A line now and then while something long goes on."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._count = 0
        self._started = self._told = time.monotonic()

    def add(self, count: int) -> None:
        self._count += count
        now = time.monotonic()
        if now - self._told >= PROGRESS_SECONDS:
            self._told = now
            pace = self._count / (now - self._started)
            step(f"{self._count:,} {self._noun} written, {pace:,.0f} a second")


def ids(parts: Parts, count: int) -> list[str]:
    """Ids of stored customizations."""
    page = parts.store.page(TrackerId(TRACKER), Filter(), limit=count, offset=0)
    return [record.id for record in page.records]

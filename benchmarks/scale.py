"""
A million: loading, memory, changes, rules and pins where there is very much of everything.

Items are made up after a real product catalog (19,406 products of Open Icecat): the same number and kinds of
attributes, brands and categories as skewed, documents of about 750 bytes. `ENDCAP_BENCH_SHARE=0.1` measures a tenth of
everything; memory is told by the process itself, so each measurement that tells it has a process of its own.
"""

import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks import placement
from benchmarks.report import Row
from benchmarks.servers import KEY, TRACKER
from endcap import criteria
from endcap.api.app import build
from endcap.clock import system_clock
from endcap.config import load
from endcap.domain import (
    AllTarget,
    CatalogObject,
    CriteriaTarget,
    Customization,
    CustomizationId,
    ItemId,
    ItemTarget,
    Micros,
    Pin,
    Slot,
    Target,
    TrackerId,
)
from endcap.engine.catalog import Catalog
from endcap.engine.place import Eligibility, Ranking, Scene, place
from endcap.engine.rules import Rules
from endcap.engine.snapshot import Snapshot
from endcap.errors import CatalogFault
from endcap.store.writes import CreateCustomization, CreateTracker, PutObjects
from endcap.wire.catalog import object_from
from endcap.wire.customizations import read_definition

SHARE = float(os.environ.get("ENDCAP_BENCH_SHARE", "1"))
ITEMS = round(1_000_000 * SHARE)
CUSTOMIZATIONS = round(100_000 * SHARE)
RULES = (1, 10_000, 100_000, round(1_000_000 * SHARE))
CATALOGS = (20_000, 200_000)
OTHER = TrackerId("8765-4321")
SPEAK_A_MODEL = 200  # customizations of a model, of which ten are for everything
BATCH = 100
NOW = Micros(1_750_000_000_000_000)
_PAGE = os.sysconf("SC_PAGE_SIZE")

PINNED = {"color": "red", "price_amount": {"values": ["10|400"]}}
BRANDS = 4_000
CATEGORIES = [(f"Department {number % 20}", f"Category {number}") for number in range(500)]
WORDS = (
    *("Original", "Cyan", "Magenta", "Black", "cable", "adapter", "notebook", "sleeve", "wireless"),
    *("keyboard", "monitor", "stand", "charger", "cartridge", "compact", "premium", "series"),
    *("edition", "pack", "metre", "high", "speed", "universal", "business"),
)


def products(count: int) -> Iterator[CatalogObject]:
    """Products as an electronics shop has them; the first ones are the same whatever the count."""
    chance = random.Random(5)
    for number in range(count):
        held = object_from(_product(number, chance))
        assert not isinstance(held, CatalogFault)
        yield held


def _product(number: int, chance: random.Random) -> dict[str, object]:
    brand = int(BRANDS * chance.random() ** 3)
    department, category = CATEGORIES[int(len(CATEGORIES) * chance.random() ** 2)]
    price = round(chance.lognormvariate(4, 1.2), 2)
    fields: dict[str, object] = {
        "title": " ".join(chance.choices(WORDS, k=6)) + f" {number}",
        "description": " ".join(chance.choices(WORDS, k=10)),
        "brand": f"Brand {brand}",
        "color": chance.choice(["red", "green", "blue", "black"]),
        "model": f"M{chance.randrange(10**6)}",
        "ean": f"{chance.randrange(10**12):013}",
        "price": f"{price:.2f} USD",
        "price_amount": price,
        "image_link": f"https://shop.example/img/gallery_mediums/{number}_{chance.randrange(10**9)}.jpg",
        "introduced_at": f"20{chance.randrange(10, 25)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
    }
    for attribute in chance.sample(range(80), 12):
        fields[f"attribute_{attribute}"] = (
            float(chance.randrange(1_000))
            if attribute % 2
            else f"value {chance.randrange(1 + attribute)}"
        )
    nested = {
        "type": "category",
        "fields": {"title": category, "ancestors": [{"title": department}]},
    }
    return {"identity": f"/p/{number}", "type": "item", "fields": fields, "nested": [nested]}


def customizations(count: int, items: int) -> Iterator[Customization]:
    """
    Seven in ten for an item, one in four by one to four predicates, one in twenty for everything; of as many models as
    let ten of them be for everything in each.
    """
    chance = random.Random(6)
    models = max(1, count // SPEAK_A_MODEL)
    for number in range(count):
        yield Customization(
            CustomizationId(f"{chance.getrandbits(128):032x}"),
            sys.intern(f"model {chance.randrange(models)}"),
            _target(number, chance, items),
            (Pin(Slot(number % 10 + 1), ItemId(f"/p/{chance.randrange(items)}")),),
            Micros(number),
            number,
        )


def _target(number: int, chance: random.Random, items: int) -> Target:
    drawn = number % 20
    if drawn < 14:
        return ItemTarget(ItemId(f"/p/{chance.randrange(items)}"))
    if drawn == 19:
        return AllTarget()
    return CriteriaTarget(criteria.read(_criteria(chance)))


def _criteria(chance: random.Random) -> dict[str, object]:
    low = chance.randrange(500)
    predicates: list[tuple[str, object]] = [
        ("brand", f"Brand {chance.randrange(BRANDS)}"),
        ("category", f"Category {chance.randrange(len(CATEGORIES))}"),
        ("color", chance.choice(["red", "green", "blue", "black"])),
        ("price_amount", {"values": [f"{low}|{low + chance.randrange(1, 20)}"]}),
    ]
    return dict(predicates[:1] + chance.sample(predicates[1:], chance.randrange(4)))


def body_of(customization: Customization, criteria_sent: dict[str, object]) -> dict[str, object]:
    """A customization as it is sent."""
    (pin,) = customization.pins
    assert isinstance(pin.place, Slot)
    body: dict[str, object] = {
        "model": customization.model,
        "pin_definitions": [
            {"position": pin.place.position, "pin_type": "item", "pin_identity": pin.item}
        ],
    }
    match customization.target:
        case ItemTarget(identity):
            return body | {"target_type": "item", "target_identity": identity}
        case AllTarget():
            return body | {"target_type": "all"}
        case CriteriaTarget():
            return body | {"target_type": "criteria", "target_criteria": criteria_sent}


# The rows


def rows() -> list[Row]:
    """All of it, over SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        _apart("fill", folder, "")
        return _apart("loaded", folder, "") + _apart("rules", folder, "")


def load_rows(url: str) -> list[Row]:
    """The load alone, over PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        _apart("fill", folder, url)
        return _apart("loaded", folder, url)


def _apart(step: str, folder: str, url: str) -> list[Row]:
    """One step, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", step, folder, url]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Row])


def _fill(folder: str, url: str) -> list[Row]:
    """A store with two trackers: one has the items, the other the customizations; so each tells its memory."""
    parts = build(load({}, {"data_dir": folder, "database_url": url or None}))
    parts.migrate()
    now, tracker = system_clock(), TrackerId(TRACKER)
    for each in (tracker, OTHER):
        parts.store.commit([CreateTracker(each, "scale", parts.vault.seal(KEY), "benchmark", now)])
    goods = products(ITEMS)
    while some := tuple(itertools.islice(goods, 20_000)):
        parts.store.commit([PutObjects(tracker, some, "benchmark", now)])
    chance = random.Random(8)
    rules = (
        CreateCustomization(
            OTHER,
            each.id,
            read_definition(json.dumps(body_of(each, _criteria(chance))).encode()),
            "benchmark",
            now,
        )
        for each in customizations(CUSTOMIZATIONS, ITEMS)
    )
    while batch := list(itertools.islice(rules, 10_000)):
        parts.store.commit(batch)
    parts.close()
    return []


def _loaded(folder: str, url: str) -> list[Row]:
    """Loads, and measures what is there then."""
    settings = {"data_dir": folder, "database_url": url or None, "log_level": "warning"}
    parts = build(load({}, settings))
    before, began = _resident(), time.perf_counter()
    parts.mirror.load(only=TrackerId(TRACKER))
    items, middle = _resident() - before, _resident()
    parts.mirror.load(only=OTHER)
    rules, seconds = _resident() - middle, time.perf_counter() - began
    shop = parts.mirror.shop(TRACKER)
    assert shop is not None
    store = "PostgreSQL" if url else "SQLite"
    what = f"{ITEMS:,} items, {CUSTOMIZATIONS:,} customizations"
    found = [
        _row(f"load, {store}", seconds, 60, "s", what),
        _row("memory of an item", items / ITEMS, 1_500, "bytes", "resident, in one worker"),
        _row("memory of a customization", rules / CUSTOMIZATIONS, 2_000, "bytes", "likewise"),
    ]
    if url:
        return found
    snapshot = shop.snapshot

    def follow() -> None:
        changed = snapshot.changed(1, {}, _batch(snapshot.catalog))
        shop.recommenders.with_catalog(changed.catalog).warm()

    name = f"a batch of {BATCH} objects on {ITEMS:,} items"
    found.append(_row(name, _median_ms(follow, 7), 1_000, "ms", "made and ready to serve"))
    found += _pins(snapshot.catalog)
    found += _disturbed(snapshot)
    return found


def _batch(catalog: Catalog) -> dict[ItemId, CatalogObject]:
    """Other prices, as feeds have them, and a few new products."""
    chance = random.Random()
    batch: dict[ItemId, CatalogObject] = {}
    for number in range(BATCH):
        product = _product(chance.randrange(ITEMS), chance)
        if number % 10 == 0:
            product["identity"] = f"/new/{chance.random()}"
        held = object_from(product)
        assert not isinstance(held, CatalogFault)
        batch[held.identity] = held
    return batch


def _pins(largest: Catalog) -> list[Row]:
    """Criteria pins against item pins, by number of items."""
    found = []
    catalogs: Iterator[Catalog] = (Catalog.of(products(count)) for count in CATALOGS)
    for catalog in itertools.chain(catalogs, [largest]):
        candidates = list(itertools.islice(catalog.popular(), 5_000, 5_100))
        item = placement.microseconds(
            catalog, candidates, lambda slot: {"pin_type": "item", "pin_identity": f"/p/{slot * 7}"}
        )
        by_criteria = placement.microseconds(
            catalog, candidates, lambda slot: {"pin_type": "criteria", "pin_criteria": PINNED}
        )
        figures = f"{by_criteria:.0f} µs : {item:.0f} µs"
        name = f"criteria pins : item pins, {len(catalog):,} items"
        found.append(Row(name, by_criteria / item, "≤ 2", by_criteria <= 2 * item, figures))
    return found


def _disturbed(snapshot: Snapshot) -> list[Row]:
    """What placements notice of another thread that makes successors: ten customizations a second."""
    rules = Rules.of(customizations(RULES[-1], ITEMS))
    held = [msgspec.structs.replace(snapshot, rules=rules)]
    quiet = _tail_ms(held)
    stopping = threading.Event()

    def follow() -> None:
        for number, each in enumerate(itertools.cycle(customizations(1_000, ITEMS))):
            if stopping.wait(0.1):
                return
            held[0] = held[0].changed(number, {each.id: each}, {})

    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.001)  # as the mirror has it
    thread = threading.Thread(target=follow)
    thread.start()
    disturbed = _tail_ms(held)
    stopping.set()
    thread.join()
    sys.setswitchinterval(interval)
    return [
        Row(
            "p99.9 of a placement during updates : quiet",
            disturbed / quiet,
            "≤ 2",
            disturbed <= 2 * quiet,
            f"{disturbed:.2f} ms : {quiet:.2f} ms, {len(rules):,} customizations",
        )
    ]


def _tail_ms(held: Sequence[Snapshot], seconds: float = 8.0) -> float:
    """The 99.9th percentile of finding who speaks and placing, over all items."""
    chance = random.Random(9)
    took: list[float] = []
    ends = time.perf_counter() + seconds
    candidates = list(itertools.islice(held[0].catalog.popular(), 100))
    models = max(1, RULES[-1] // SPEAK_A_MODEL)
    while (began := time.perf_counter()) < ends:
        snapshot = held[0]
        claims = snapshot.claims(
            f"model {chance.randrange(models)}", (ItemId(f"/p/{chance.randrange(1_000)}"),)
        )
        eligible = Eligibility(snapshot.catalog, now=NOW)
        place(snapshot.catalog, Scene(claims, Ranking(candidates), eligible, 10, NOW))
        took.append(time.perf_counter() - began)
    took.sort()
    return took[int(len(took) * 0.999)] * 1_000


def _rules(folder: str, url: str) -> list[Row]:
    """Who speaks, by number of customizations; and one change among the most."""
    items = 20_000
    catalog = Catalog.of(products(items))
    medians: list[float] = []
    rules = Rules()
    found: list[Row] = []
    for count in RULES:
        held = list(customizations(count, items))
        before, began = _resident(), time.perf_counter()
        rules = Rules.of(held)
        seconds, index = time.perf_counter() - began, (_resident() - before) / count
        del held
        p50, p99, speak = _speaking_us(catalog, rules, models=max(1, count // SPEAK_A_MODEL))
        medians.append(p50)
        base = medians[min(1, len(medians) - 1)]  # with one customization there is nothing to rank
        found.append(
            Row(
                f"who speaks of {count:,} customizations : of {RULES[1]:,}",
                p50 / base,
                "≤ 1.3",
                p50 <= 1.3 * base,
                f"p50 {p50:.0f} µs, p99 {p99:.0f} µs, {speak:.1f} speak; "
                f"index {seconds:.1f} s, {index:.0f} bytes each",
            )
        )
    fresh = iter(customizations(300, items))

    def change() -> None:
        each = next(fresh)
        rules.changed({each.id: each})

    name = f"one change among {RULES[-1]:,} customizations"
    found.append(_row(name, _median_ms(change, 200), 5, "ms", "the successor made"))
    return found


def _speaking_us(catalog: Catalog, rules: Rules, *, models: int) -> tuple[float, float, float]:
    """p50 and p99 in microseconds, and how many speak on average; items that were asked for before."""
    chance = random.Random(4)
    asked = [f"/p/{chance.randrange(20_000)}" for _ in range(2_000)]
    took: list[float] = []
    speak = 0
    for turn in range(3):
        for item in asked:
            model = f"model {chance.randrange(models)}"
            began = time.perf_counter()
            found = rules.speaking(catalog, model=model, items=[item])
            if turn:
                took.append(time.perf_counter() - began)
                speak += len(found)
    took.sort()
    return took[len(took) // 2] * 1e6, took[int(len(took) * 0.99)] * 1e6, speak / len(took)


def _median_ms(once: Callable[[], None], times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        once()
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1_000


def _row(name: str, value: float, goal: float, unit: str, figures: str) -> Row:
    return Row(name, value, f"≤ {goal:,.0f} {unit}", value <= goal, figures)


def _resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


STEPS = {"fill": _fill, "loaded": _loaded, "rules": _rules}

if __name__ == "__main__":
    step, folder, url = sys.argv[1:]
    found = STEPS[step](folder, url)
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(found) + b"\n")

"""
Placement alone: 10 item pins over 100 candidates of a catalog of 20,000, and the same with criteria pins.
"""

import json
import timeit
from collections.abc import Callable

from benchmarks.report import Row
from benchmarks.world import items
from endcap.domain import Customization, CustomizationId, Micros
from endcap.engine.catalog import Catalog
from endcap.engine.place import Eligibility, Ranking, Scene, claims_of, place
from endcap.wire.customizations import read_definition

CALLS, REPEATS = 2_000, 9
NOW = Micros(1_750_000_000_000_000)


def rows() -> list[Row]:
    catalog = Catalog.of(items(20_000))
    candidates = list(range(5_000, 5_100))
    item_us = microseconds(
        catalog, candidates, lambda slot: {"pin_type": "item", "pin_identity": f"/p/{slot * 7}"}
    )
    criteria_us = microseconds(
        catalog,
        candidates,
        lambda slot: {
            "pin_type": "criteria",
            "pin_criteria": {"color": "red", "price_amount": {"values": ["10|400"]}},
        },
    )
    ratio = criteria_us / item_us
    return [
        Row(
            "placement, 10 item pins, 100 candidates",
            item_us,
            "≤ 60 µs",
            item_us <= 60,
            "µs, median",
        ),
        Row("criteria pins : item pins", ratio, "≤ 2", ratio <= 2, f"{criteria_us:.0f} µs"),
    ]


def microseconds(
    catalog: Catalog, candidates: list[int], pick: Callable[[int], dict[str, object]]
) -> float:
    pins = [{"position": slot, **pick(slot)} for slot in range(1, 11)]
    body = {"model": "m", "target_type": "all", "pin_definitions": pins}
    definition = read_definition(json.dumps(body).encode())
    speaking = [
        Customization(CustomizationId("a"), "m", definition.target, definition.pins, NOW, 1)
    ]
    ranking = Ranking(candidates)

    def once() -> None:
        place(
            catalog,
            Scene(claims_of(catalog, speaking), ranking, Eligibility(catalog, now=NOW), 10, NOW),
        )

    once()
    held = sorted(timeit.repeat(once, number=CALLS, repeat=REPEATS))
    return held[len(held) // 2] / CALLS * 1e6

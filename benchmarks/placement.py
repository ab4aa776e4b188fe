"""
Placement alone: 10 item pins over 100 candidates of a catalog of 20,000, and the same with criteria pins.
"""

import json
import timeit
from collections.abc import Callable

from benchmarks.report import Findings, Table, at_most
from benchmarks.world import items
from endcap.domain import Customization, CustomizationId, Micros
from endcap.engine.catalog import Catalog
from endcap.engine.place import Eligibility, Ranking, Scene, claims_of, place
from endcap.wire.customizations import read_definition

CALLS, REPEATS = 2_000, 9
NOW = Micros(1_750_000_000_000_000)


def run() -> Findings:
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
    return Findings(
        [
            at_most("placement of 10 item pins over 100 candidates", item_us, 60, "", unit="µs"),
            at_most("criteria pins : item pins", criteria_us / item_us, 2, ""),
        ],
        [Table(["10 pins", "µs"], [["item pins", item_us], ["criteria pins", criteria_us]])],
    )


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

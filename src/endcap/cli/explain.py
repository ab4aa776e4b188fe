"""
`endcap explain`: one recommendation at any moment, slot by slot and pin by pin.
"""

import click
from rich.table import Table

from endcap.api.app import Parts
from endcap.cli.support import console, json_option, parts, print_json, tracker_id, tracker_option
from endcap.domain import INPUT_ITEMS_MAX, ItemId, Micros
from endcap.errors import UsageFault
from endcap.mirror import Shop
from endcap.wire.reading import instant
from endcap.wire.recommending import SIZE_MAX, Explanation, Request


@click.command()
@tracker_option
@click.option("--model", required=True, help="The recommender, e.g. basket.")
@click.option(
    "--item", "items", multiple=True, metavar="ID", help="An input item; repeat for more."
)
@click.option("--widget", help="The widget (recommender_client_identifier).")
@click.option("--size", type=click.IntRange(1, SIZE_MAX), default=10, show_default=True)
@click.option(
    "--at", metavar="TIME", help="ISO 8601 moment, e.g. 2025-11-28T09:00:00Z; default: now."
)
@json_option
@click.pass_context
def explain(
    ctx: click.Context,
    /,
    tracker: str,
    model: str,
    items: tuple[str, ...],
    widget: str | None,
    size: int,
    at: str | None,
    *,
    as_json: bool,
) -> None:
    """
    Say why each slot holds what it holds, and what became of every pin.

    \b
    Example, the Black Friday home page of next week:
      endcap explain --tracker 1234-5678 --model trends --widget home --at 2026-11-27T08:00:00Z
    """
    with parts(ctx) as built:
        built.mirror.load(only=tracker_id(built, tracker))
        shop = built.service.shop(tracker)
        request = Request(
            model, widget, None, tuple(map(ItemId, items[:INPUT_ITEMS_MAX])), size=size
        )
        explained = built.service.explain(shop, request, now=_moment(built, at))
        if as_json:
            print_json(explained)
        else:
            print_explanation(shop, explained)


def print_explanation(shop: Shop, explained: Explanation) -> None:
    """Two tables: the slots, and the pins."""
    slots = Table("slot", "item", "title", "because", title="What is shown")
    for each in explained.items:
        because = (
            f"pin {each.pin} of {each.customization_id}" if each.from_ == "pin" else each.from_
        )
        if each.place is not None:
            because += f", place {each.place}"
        slots.add_row(str(each.slot), each.url, _title(shop, each.url), because)
    console.print(slots)
    if not explained.pins:
        console.print("No customization speaks here.")
        return
    pins = Table(
        "customization",
        "pin",
        "target",
        "position",
        "item",
        "verdict",
        "slot",
        "because",
        title="Pins met",
    )
    for pin in explained.pins:
        pins.add_row(
            pin.customization_id,
            str(pin.pin),
            pin.target_type,
            str(pin.position),
            pin.item or "(criteria)",
            pin.verdict,
            str(pin.slot or ""),
            pin.because,
        )
    console.print(pins)


def _title(shop: Shop, identity: str) -> str:
    catalog = shop.snapshot.catalog
    number = catalog.number(identity)
    return "" if number is None else str(catalog.attributes(number).get("title", ""))


def _moment(built: Parts, at: str | None) -> Micros:
    if at is None:
        return built.service.clock()
    moment = instant(at)
    if moment is None:
        raise UsageFault(f"--at must be an ISO 8601 moment, e.g. 2025-11-28T09:00:00Z, not {at}")
    return moment

"""
`endcap explain`: one recommendation at any moment, slot by slot and pin by pin.
"""

from collections.abc import Mapping
from string import ascii_uppercase

import click

from endcap.api.app import Parts
from endcap.cli.support import (
    console,
    errors,
    json_option,
    parts,
    print_json,
    table,
    tracker_id,
    tracker_option,
)
from endcap.domain import INPUT_ITEMS_MAX, ItemId, Micros
from endcap.errors import RecommenderNotFound, UsageFault
from endcap.recommend.models import REFERENCE
from endcap.shops import Shop
from endcap.verdicts import meaning, position
from endcap.wire.reading import instant
from endcap.wire.recommending import SIZE_MAX, Explanation, ItemShown, Request


@click.command()
@tracker_option
@click.option("--model", required=True, help="The recommender, e.g. basket.")
@click.option(
    "--item", "items", multiple=True, metavar="ID", help="An input item; repeat for more."
)
@click.option("--user", metavar="ID", help="The user asked for (user_id); default: nobody known.")
@click.option("--widget", help="The widget (recommender_client_identifier).")
@click.option(
    "--size",
    type=click.IntRange(1, SIZE_MAX),
    default=10,
    show_default=True,
    help="How many slots.",
)
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
    user: str | None,
    widget: str | None,
    size: int,
    at: str | None,
    *,
    as_json: bool,
) -> None:
    """
    Say why each slot holds what it holds, and what became of every pin.

    \b
    A basket now, and the home page on Black Friday:
      endcap explain --tracker 1234-5678 --model basket --item /p/1 --item /p/5
      endcap explain --tracker 1234-5678 --model trends --widget home \\
        --at 2026-11-27T08:00:00Z
    """
    with parts(ctx) as built:
        built.mirror.load(only=tracker_id(built, tracker))
        shop = built.service.shop(tracker)
        if shop.recommenders.find(model) is None:
            names = ", ".join(sorted({*REFERENCE, *shop.models}))
            known = f"{model} is not known; there are: {names}"
            raise RecommenderNotFound(details={"model": [known]})
        request = Request(
            model, widget, user, tuple(map(ItemId, items[:INPUT_ITEMS_MAX])), size=size
        )
        explained = built.recommending.explain(shop, request, now=_moment(built, at))
        if as_json:
            print_json(explained)
        else:
            print_explanation(shop, explained)


def print_explanation(shop: Shop, explained: Explanation) -> None:
    """The slots, the pins, and whose the pins are, by letters: ids of 36 characters would crowd out the rest."""
    letters = _letters(explained)
    slots = table("slot", "item", "title", "because", title="What is shown")
    for each in explained.items:
        slots.add_row(str(each.slot), each.url, _title(shop, each.url), _because_of(each, letters))
    console.print(slots)
    if not explained.items:
        errors.print(_why_empty(shop), soft_wrap=True)
    if not explained.pins:
        console.print("No customization speaks here.")
        return
    pins = table(
        "pin", "position", "item", "verdict", "slot", "because", title="Every pin and its verdict"
    )
    for pin in explained.pins:
        pins.add_row(
            f"{pin.pin} of {letters[pin.customization_id]}",
            position(pin.position),
            pin.item or "(criteria)",
            pin.verdict,
            str(pin.slot or ""),
            _lettered(meaning(pin.verdict, pin.because), letters),
        )
    console.print(pins)
    owners = table("customization", "id", "target")
    targets = {pin.customization_id: pin.target_type for pin in explained.pins}
    for customization, letter in letters.items():
        owners.add_row(letter, customization, targets[customization])
    console.print(owners)


def _letters(explained: Explanation) -> Mapping[str, str]:
    """A letter for each customization, in the order in which they are met."""
    met = dict.fromkeys(pin.customization_id for pin in explained.pins)
    return {
        customization: ascii_uppercase[number % 26] + str(number // 26 or "")
        for number, customization in enumerate(met)
    }


def _because_of(shown: ItemShown, letters: Mapping[str, str]) -> str:
    if shown.customization_id is not None:
        return f"pin {shown.pin} of {letters[shown.customization_id]}"
    place = "" if shown.place is None else f", place {shown.place}"
    return f"{shown.from_}{place} ({shown.stage})"


def _lettered(sentence: str, letters: Mapping[str, str]) -> str:
    for customization, letter in letters.items():
        sentence = sentence.replace(f"customization {customization}", letter)
    return sentence


def _why_empty(shop: Shop) -> str:
    if len(shop.snapshot.catalog) == 0:
        return f"The catalog is empty. Next: endcap import catalog FILE --tracker {shop.tracker}"
    return "No item of the catalog may be shown: see their availability and dates."


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

"""
How many products criteria of a form select while they are typed, with a few of them.
"""

from collections.abc import Sequence

from msgspec import Struct

from endcap.criteria import attributes_named
from endcap.engine.catalog import Catalog
from endcap.web import words
from endcap.web.sheets import Criteria, Sheet
from endcap.web.shown import Gallery, Thing
from endcap.web.writing import criteria_of
from endcap.wire.customizations import selective_rule

SAMPLES = 3


class Count(Struct, frozen=True):
    """What the criteria with this prefix select; `said` is empty where they are not whole yet."""

    prefix: str
    said: str = ""
    count: int = 0
    samples: Sequence[Thing] = ()


def counted(sheet: Sheet, catalog: Catalog, gallery: Gallery) -> list[Count]:
    """Of the target and of all pins that go by criteria."""
    typed = [("t-", sheet.criteria)] if sheet.target == "criteria" else []
    typed += [
        (f"p{number}-", pin.criteria)
        for number, pin in enumerate(sheet.pins)
        if pin.what == "criteria"
    ]
    return [_count(prefix, each, catalog, gallery) for prefix, each in typed]


def _count(prefix: str, typed: Criteria, catalog: Catalog, gallery: Gallery) -> Count:
    raw, _ = criteria_of(typed, prefix)
    if raw is None:
        return Count(prefix)
    rule = selective_rule(raw)
    for name in attributes_named(rule):
        catalog.column(name)  # prose gets a column once, and it stays
    matches = catalog.apart().matches(rule)
    samples = [gallery.item(catalog.identity(each)) for each in matches.leaders[:SAMPLES]]
    return Count(prefix, words.rule_text(rule), len(matches.items & catalog.typed), samples)

"""
Random catalogs and histories of them, and a plain description to compare two catalogs by.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from endcap import criteria
from endcap.criteria import Rule
from endcap.domain import CatalogObject, ItemId
from endcap.engine.catalog import Catalog
from endcap.wire import catalog as wire
from tests.choices import combined
from tests.engine import scenes
from tests.language import shapes

Changes = Mapping[ItemId, CatalogObject | None]

IDENTITIES = ("A", "B", "C", "D", "E", "F", "G", "H")
KINDS: Sequence[Mapping[str, Any]] = (
    *[{"type": "item"}] * 4,
    {"type": "product"},
    {"type": "category"},
    {"type": "item", "active_from": "2025-01-01"},
)
STATES: Sequence[Mapping[str, Any]] = (
    *[{}] * 3,
    {"availability": 0},
    {"availability_rank": 4},
    {"availability": 1, "availability_rank": 15},
    {"introduced_at": "2025-01-01"},
    {"introduced_at": "2025-01-02", "availability": True},
    {"availability": "0"},
)


def _object(identity: str, shell: Mapping[str, Any], own: Mapping[str, Any]) -> CatalogObject:
    title = own.get("title") or "no title"
    fields = {**shell["state"], **own, "title": title}
    return scenes.object_of({"identity": identity, **shell["kind"], "fields": fields})


named_objects = st.builds(
    _object,
    st.sampled_from(IDENTITIES),
    combined(kind=KINDS, state=STATES),
    shapes.attributes,
)
objects = st.lists(named_objects, max_size=8, unique_by=lambda held: held.identity)

_put = named_objects.map(lambda held: (held.identity, held))
_removed = st.sampled_from(IDENTITIES).map(lambda name: (ItemId(name), None))
changes: st.SearchStrategy[Changes] = st.lists(st.one_of(_put, _put, _removed), max_size=3).map(
    dict
)
histories = st.lists(changes, max_size=4)
"""What happens to a catalog, step by step."""

scores = st.dictionaries(st.sampled_from(IDENTITIES), st.sampled_from([0.5, 1.0, 2.0]), max_size=4)


def after(start: Iterable[CatalogObject], history: Iterable[Changes]) -> list[CatalogObject]:
    """The objects that a history leaves."""
    held = {each.identity: each for each in start}
    for step in history:
        for identity, changed in step.items():
            if changed is None:
                held.pop(identity, None)
            else:
                held[identity] = changed
    return list(held.values())


def selected(catalog: Catalog, rule: Rule) -> set[str]:
    return {catalog.identity(number) for number in catalog.select(rule)}


def selected_plainly(held: Iterable[CatalogObject], rule: Rule) -> set[str]:
    """The meaning of a rule: asked of each object by itself."""
    return {
        each.identity for each in held if criteria.matches(rule, wire.attributes(each.document))
    }


def described(catalog: Catalog, rules: Iterable[Rule] = ()) -> dict[str, object]:
    """All that a catalog answers, in identities, so that two with other numbers compare."""

    def names(numbers: Iterable[int]) -> list[str]:
        return sorted(catalog.identity(number) for number in numbers)

    return {
        "count": len(catalog),
        "all": names(catalog.all_items),
        "offered": names(catalog.offered),
        "typed": names(catalog.typed),
        "windowed": {catalog.identity(number): at for number, at in catalog.windowed.items()},
        "popular": [catalog.identity(number) for number in catalog.popular()],
        "known": [name for name in IDENTITIES if catalog.number(name) is not None],
        "documents": {
            catalog.identity(number): catalog.item(number).document for number in catalog.all_items
        },
        "attributes": {
            catalog.identity(number): repr(catalog.attributes(number))
            for number in catalog.all_items
        },
        "available by a": names(catalog.available_by("a")),
        "selected": [sorted(selected(catalog, rule)) for rule in rules],
        "matched": [
            [catalog.identity(number) for number in catalog.matches(rule).in_order()]
            for rule in rules
        ],
        "texts": {name: dict(catalog.column(name).texts()) for name in shapes.ATTRIBUTES},
    }

"""
Which customizations speak: found by look-ups, compared with asking each one.
"""

from collections.abc import Iterable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap import criteria
from endcap.domain import (
    AllTarget,
    CatalogObject,
    CriteriaTarget,
    Customization,
    CustomizationId,
    ItemId,
    ItemTarget,
    Micros,
    Target,
)
from endcap.engine.catalog import Catalog
from endcap.engine.rules import Rules, access
from endcap.wire import catalog as wire
from tests.engine import catalogs
from tests.engine.strategies import EXAMPLES
from tests.language import shapes

usual = settings(max_examples=EXAMPLES)

MODELS = ("one", "other")
IDS = tuple(CustomizationId(name) for name in "abcdefgh")

targets: st.SearchStrategy[Target] = st.one_of(
    st.just(AllTarget()),
    st.sampled_from(catalogs.IDENTITIES).map(lambda name: ItemTarget(ItemId(name))),
    *[shapes.shapes.map(lambda shape: CriteriaTarget(criteria.read(shape)))] * 4,
)


def _customization(name: CustomizationId, model: str, target: Target, age: int) -> Customization:
    return Customization(name, model, target, (), Micros(age), 1)


customizations = st.builds(
    _customization, st.sampled_from(IDS), st.sampled_from(MODELS), targets, st.integers(0, 2)
)
rule_sets = st.lists(customizations, max_size=len(IDS), unique_by=lambda each: each.id)
changes = st.lists(
    st.one_of(
        customizations.map(lambda each: (each.id, each)),
        customizations.map(lambda each: (each.id, each)),
        st.sampled_from(IDS).map(lambda name: (name, None)),
    ),
    max_size=4,
).map(dict)

calls = st.lists(st.sampled_from([*catalogs.IDENTITIES, "unknown"]), max_size=3)


def speaking_plainly(
    customizations: Iterable[Customization],
    objects: Iterable[CatalogObject],
    model: str,
    items: Sequence[str],
) -> list[Customization]:
    """Section 1 of the law, asked of each customization, in order of rank."""
    inputs = [wire.attributes(each.document) for each in objects if each.identity in items]

    def speaks(each: Customization) -> bool:
        match each.target:
            case ItemTarget(identity):
                return identity in items
            case CriteriaTarget(rule):
                return any(criteria.matches(rule, attributes) for attributes in inputs)
            case AllTarget():
                return True

    return sorted(
        (each for each in customizations if each.model == model and speaks(each)),
        key=lambda each: (-each.priority, -each.created_at, each.id),
    )


@settings(max_examples=EXAMPLES * 2)
@given(rule_sets, catalogs.objects, calls)
def test_those_speak_whose_target_is_met(
    held: list[Customization], objects: list[CatalogObject], items: list[str]
) -> None:
    """In order of rank, each once, for inputs in the catalog and others, of either model."""
    rules, catalog = Rules.of(held), Catalog.of(objects)

    for model in MODELS:
        found = rules.speaking(catalog, model=model, items=items)

        assert found == speaking_plainly(held, objects, model, items)


def described(rules: Rules, catalog: Catalog, called: Sequence[str]) -> dict[str, object]:
    """All that rules answer."""
    return {
        "count": len(rules),
        "all": sorted(rules.all(), key=lambda each: each.id),
        "each": [rules.customization(name) for name in IDS],
        "speaking": [rules.speaking(catalog, model=model, items=called) for model in MODELS],
    }


@usual
@given(rule_sets, st.lists(changes, max_size=4), catalogs.objects, calls)
def test_changed_rules_equal_rules_made_anew(
    start: list[Customization],
    history: Sequence[Mapping[CustomizationId, Customization | None]],
    objects: list[CatalogObject],
    items: list[str],
) -> None:
    """After any history; and each version goes on answering as it did."""
    catalog = Catalog.of(objects)
    held = {each.id: each for each in start}
    rules = Rules.of(start)
    versions = [(rules, list(held.values()))]

    for step in history:
        rules = rules.changed(step)
        for name, changed in step.items():
            held.pop(name, None)
            if changed is not None:
                held[name] = changed
        versions.append((rules, list(held.values())))

    for version, customizations in versions:
        anew = Rules.of(customizations)
        assert described(version, catalog, items) == described(anew, catalog, items)


@settings(max_examples=EXAMPLES * 2)
@given(shapes.shapes.map(criteria.read), shapes.attributes)
def test_a_rule_that_holds_meets_a_term_of_its_access(
    rule: criteria.Rule, attributes: dict[str, object]
) -> None:
    """Otherwise a request would pass a customization by without a look."""
    terms = access(rule)

    if terms is not None and criteria.matches(rule, attributes):
        met = {(name, term) for name in attributes for term in criteria.terms_of(attributes[name])}
        assert met & set(terms)


@pytest.mark.parametrize(
    ("shape", "attributes"),
    [
        ({"brand": "Fender"}, {"brand"}),
        ({"brand": {"values": ["Fender", "Gibson"]}, "price": {"values": ["10|20"]}}, {"brand"}),
        ({"brand": {"values": ["Fender", "Gibson"]}, "color": "red"}, {"color"}),
        ({"tags": {"values": ["a", "b"], "operator": "and"}}, {"tags"}),
        ({"or": [{"brand": "Fender"}, {"color": "red"}]}, {"brand", "color"}),
        ({"or": [{"brand": "Fender"}, {"price": {"values": ["10|"]}}]}, None),
        ({"price": {"values": ["10|20"]}}, None),
        ({"brand": {"values": ["Fender"], "operator": "not"}}, None),
        ([{"field": "brand", "operator": "contains", "value": "F"}], None),
        ([{"field": "brand", "operator": "exists"}], None),
        ({"brand": {"values": [str(number) for number in range(80)]}}, None),
    ],
)
def test_a_rule_is_filed_under_its_fewest_terms(shape: object, attributes: set[str] | None) -> None:
    """Ranges and negations have none; a rule over very many values is not filed in as many places."""
    terms = access(criteria.read(shape))

    assert (None if terms is None else {name for name, _ in terms}) == attributes

"""
Which customizations speak: found by look-ups, compared with asking each one.
"""

import random
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
    Pin,
    Slot,
    Target,
)
from endcap.engine.catalog import Catalog
from endcap.engine.predicates import Atom, Facts, Index, Lies, demands
from endcap.engine.rules import Rules
from endcap.wire import catalog as wire
from tests.engine import catalogs, scenes
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


def _customization(
    name: CustomizationId, model: str, target: Target, age: int, silence: str
) -> Customization:
    pin = Pin(Slot(1), item=ItemId(catalogs.IDENTITIES[age]))
    return Customization(
        name,
        model,
        target,
        (pin,),
        Micros(age),
        1,
        disabled=silence == "disabled",
        unreadable=silence == "unreadable",
    )


customizations = st.builds(
    _customization,
    st.sampled_from(IDS),
    st.sampled_from(MODELS),
    targets,
    st.integers(0, 2),
    st.sampled_from(["", "", "disabled", "unreadable"]),
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
        if each.disabled or each.unreadable:
            return False
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


@usual
@given(rule_sets, st.lists(customizations, max_size=3))
def test_those_that_are_alike(held: list[Customization], some: list[Customization]) -> None:
    """All that speak and have a model and target of some, be those there or not; each once."""
    wanted = {(each.model, each.target) for each in some}

    found = Rules.of(held).alike(some)

    alike = {e.id for e in held if not e.is_silent and (e.model, e.target) in wanted}
    assert {each.id for each in found} == alike
    assert len(found) == len(alike)


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
def test_a_rule_that_holds_meets_each_of_its_demands(
    rule: criteria.Rule, attributes: dict[str, object]
) -> None:
    """Otherwise a request would pass a customization by without a look."""
    if not criteria.matches(rule, attributes):
        return
    facts = Facts(attributes)

    for demand in demands(rule):
        assert any(is_met(atom, facts) for atom in demand)


@settings(max_examples=EXAMPLES * 2)
@given(st.lists(shapes.shapes.map(criteria.read), min_size=1, max_size=4), shapes.attributes)
def test_facts_say_of_each_rule_what_the_attributes_say(
    rules: list[criteria.Rule], attributes: dict[str, object]
) -> None:
    """Also of a later rule, which finds terms and elements that were worked out for an earlier one."""
    facts = Facts(attributes)

    for rule in rules:
        assert facts.holds(rule) == criteria.matches(rule, attributes)


def is_met(atom: Atom, facts: Facts) -> bool:
    """What an index looks up for an item finds the atom."""
    if isinstance(atom, Lies):
        numbers = facts.numbers(atom.attribute, is_text=atom.is_text)
        return any(atom.low <= number <= atom.high for number in numbers)
    return atom.key in facts.keys(atom.attribute) + facts.letters(atom.attribute)


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        ({"brand": "Fender"}, 1),
        ({"brand": {"values": ["Fender", "Gibson"]}, "price": {"values": ["10|20"]}}, 2),
        ({"tags": {"values": ["a", "b"], "operator": "and"}}, 2),
        ({"or": [{"brand": "Fender"}, {"price": {"values": ["10|"]}}]}, 1),
        ({"or": [{"brand": "Fender"}, {"not": {"color": "red"}}]}, 0),
        ({"price": {"values": ["10|20"]}}, 1),
        ({"brand": {"values": ["Fender"], "operator": "not"}}, 0),
        ([{"field": "brand", "operator": "contains", "value": "Fender"}], 1),
        ([{"field": "brand", "operator": "exists"}], 1),
        ({"brand": {"values": [f"b{number}" for number in range(80)]}}, 0),
    ],
)
def test_what_a_rule_demands(shape: object, count: int) -> None:
    """Negations demand nothing; a rule over very many values is not filed in as many places."""
    assert len(demands(criteria.read(shape))) == count


def crowded(chance: random.Random, count: int) -> list[Customization]:
    """Customizations that have much in common, so that places get crowded: conjunctions, bounds, texts, negations."""

    def predicate() -> object:
        low = chance.choice([1, 10, 100.5, 512])
        return chance.choice(
            [
                {"brand": f"b{chance.randrange(4)}"},
                {"color": {"values": chance.sample(["red", "green", "blue"], 2)}},
                {"price": {"values": [f"{low}|{low + chance.choice([0, 5, 500])}"]}},
                {"price": {"values": ["1|2", "|1.5", f"{low}|"]}},
                {"tags": {"values": ["t1", f"t{chance.randrange(3)}"], "operator": "and"}},
                {"not": {"brand": f"b{chance.randrange(4)}"}},
                {"field": "title", "operator": "contains", "value": chance.choice(["ite", "A"])},
                {"field": "day", "operator": ">", "value": f"2024-0{chance.randrange(1, 9)}-01"},
                {"or": [{"brand": "b1"}, {"price": {"values": ["500|"]}}]},
            ]
        )

    return [
        Customization(
            CustomizationId(f"{chance.randrange(count):05}"),
            chance.choice(MODELS),
            CriteriaTarget(
                criteria.read({"and": [predicate() for _ in range(chance.randrange(1, 5))]})
            ),
            (),
            Micros(chance.randrange(3)),
            chance.randrange(100),
        )
        for _ in range(count)
    ]


def assorted(chance: random.Random, count: int) -> list[CatalogObject]:
    return [
        scenes.object_of(
            {
                "identity": f"/p/{number}",
                "type": "item",
                "fields": {
                    "title": chance.choice(["A title", "Nothing", "WhitE"]),
                    "brand": f"b{chance.randrange(4)}",
                    "color": chance.choice(["red", "green", ["red", "blue"], None]),
                    "price": chance.choice([1, 1.5, 2, 10, "12", 100.5, 512, 612.5, -3, [1, 600]]),
                    "tags": chance.sample(["t0", "t1", "t2"], 2),
                    "day": f"2024-0{chance.randrange(1, 9)}-01",
                },
            }
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_in_a_crowd_those_speak_whose_target_is_met(seed: int) -> None:
    """Hundreds of rules with the same few predicates, through changes that put, move and remove hundreds at once."""
    chance = random.Random(seed)
    objects = assorted(chance, 25)
    catalog = Catalog.of(objects)
    held: dict[CustomizationId, Customization] = {}
    rules = Rules.of(())

    for count in (600, 1, 30, 600, 0):
        step: dict[CustomizationId, Customization | None] = {
            each.id: each for each in crowded(chance, count)
        }
        step |= dict.fromkeys(chance.sample(sorted(held), len(held) // 3))
        rules = rules.changed(step)
        held = {name: each for name, each in (held | step).items() if each is not None}

        for each in objects[::4]:
            for model in MODELS:
                found = rules.speaking(catalog, model=model, items=[each.identity])
                assert found == speaking_plainly(held.values(), objects, model, [each.identity])

    emptied = rules.changed(dict.fromkeys(held))
    assert len(emptied) == 0
    assert emptied.speaking(catalog, model="one", items=["/p/1"]) == []


def test_a_rule_is_found_by_its_rarest_part() -> None:
    """Of ten thousand rules that share a colour, a request asks few besides those that speak, however they are put."""
    held = [
        Customization(
            CustomizationId(f"{number:05}"),
            "one",
            CriteriaTarget(
                criteria.read(
                    {"color": "red", "brand": f"b{number % 100}", "size": f"s{number % 99}"}
                    if number % 2
                    else {"color": "red", "price": {"values": [f"{number}|{number + 3}"]}}
                )
            ),
            (),
            Micros(0),
            1,
        )
        for number in range(10_000)
    ]
    index = Index().changed((), held)
    attributes = {"color": "red", "brand": "b7", "size": "s7", "price": 5_000}

    candidates = list(index.candidates(Facts(attributes)))

    speaking = [
        each
        for each in held
        if isinstance(each.target, CriteriaTarget)
        and criteria.matches(each.target.rule, attributes)
    ]
    assert {each.id for each in speaking} <= {each.id for each in candidates}
    assert len(speaking) >= 2
    assert len(candidates) <= 50

"""
A snapshot that followed changes equals one built from the same state.
"""

from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from endcap import criteria
from endcap.domain import (
    AllTarget,
    CatalogObject,
    Customization,
    CustomizationId,
    ItemId,
    Micros,
    Pin,
    Slot,
)
from endcap.engine.snapshot import Snapshot
from tests.engine import catalogs, test_rules
from tests.engine.catalogs import Changes
from tests.engine.strategies import EXAMPLES
from tests.language import shapes

Step = tuple[Mapping[CustomizationId, Customization | None], Changes]


@settings(max_examples=EXAMPLES)
@given(
    test_rules.rule_sets,
    catalogs.objects,
    catalogs.scores,
    st.lists(st.tuples(test_rules.changes, catalogs.changes), max_size=4),
    shapes.shapes.map(criteria.read),
    test_rules.calls,
)
def test_following_changes_equals_building_anew(
    customizations: list[Customization],
    objects: list[CatalogObject],
    scores: dict[str, float],
    history: Sequence[Step],
    rule: criteria.Rule,
    items: list[str],
) -> None:
    """For rules and catalog together, at every step, with the scores that it was built with."""
    snapshot = Snapshot.build(1, customizations, objects, scores)
    held = {each.id: each for each in customizations}

    for revision, (rules, goods) in enumerate(history, 2):
        snapshot = snapshot.changed(revision, rules, goods)

        for name, changed in rules.items():
            held.pop(name, None)
            if changed is not None:
                held[name] = changed
        objects = catalogs.after(objects, [goods])
        built = Snapshot.build(revision, held.values(), objects, scores)
        assert described(snapshot, rule, items) == described(built, rule, items)


def described(snapshot: Snapshot, rule: criteria.Rule, items: Sequence[str]) -> dict[str, object]:
    return {
        "revision": snapshot.revision,
        "rules": test_rules.described(snapshot.rules, snapshot.catalog, items),
        "catalog": catalogs.described(snapshot.catalog, [rule]),
        "claims": {model: claimed(snapshot, model, items) for model in test_rules.MODELS},
    }


def claimed(snapshot: Snapshot, model: str, items: Sequence[str]) -> list[tuple[object, ...]]:
    """Asked at every step, so that a later snapshot could hand on what is no longer true."""
    claims = snapshot.claims(model, tuple(map(ItemId, items)))
    named = [
        None if claim.number is None else snapshot.catalog.identity(claim.number)
        for claim in claims
    ]
    return [
        (claim.customization, claim.pin, name) for claim, name in zip(claims, named, strict=True)
    ]


def test_claims_are_remembered_until_their_model_changes() -> None:
    """Or the catalog: a merchandiser at work on one recommender does not slow the others."""
    pages = [("one", (ItemId("/p/1"),)), ("other", ())]
    held = [_pinning("a", criteria.ALWAYS_TRUE), _pinning("b", criteria.ALWAYS_TRUE, "other")]
    snapshot = Snapshot.build(1, held, [])
    before = [snapshot.claims(*page) for page in pages]

    changed = snapshot.changed(2, {CustomizationId("b"): None}, {})
    moved = snapshot.changed(
        2, {CustomizationId("a"): _pinning("a", criteria.ALWAYS_TRUE, "other")}, {}
    )
    emptied = snapshot.changed(2, {}, {ItemId("/p/1"): None})

    assert [len(each) for each in before] == [1, 1]
    assert changed.claims(*pages[0]) is before[0]
    assert changed.claims(*pages[1]) == ()
    assert [len(moved.claims(*page)) for page in pages] == [0, 2]
    assert emptied.claims(*pages[0]) is not before[0]


def test_what_did_not_change_is_shared() -> None:
    """A change of rules keeps the catalog, with all that it has derived, and the other way round."""
    snapshot = Snapshot.build(1, [], [])

    assert snapshot.changed(2, {}, {}).rules is snapshot.rules
    assert snapshot.changed(2, {}, {}).catalog is snapshot.catalog


def test_the_criteria_of_pins_are_answered_before_they_are_asked() -> None:
    """Whether they were there at first or came later: a shopper's request finds the matches ready."""
    rule, other = (
        criteria.read({"brand": "x"}),
        criteria.read([{"field": "brand", "value": "y", "operator": "="}]),
    )
    snapshot = Snapshot.build(1, [_pinning("a", rule)], [])
    changed = snapshot.changed(2, {CustomizationId("b"): _pinning("b", other)}, {})

    assert rule in snapshot.catalog.answered
    assert set(changed.catalog.answered) == {rule, other}


def _pinning(name: str, rule: criteria.Rule, model: str = "one") -> Customization:
    pins = (Pin(Slot(1), rule=rule),)
    return Customization(CustomizationId(name), model, AllTarget(), pins, Micros(0), 1)


@settings(max_examples=EXAMPLES)
@given(
    test_rules.rule_sets, catalogs.objects, test_rules.rule_sets, shapes.shapes, test_rules.calls
)
def test_a_candidate_changes_what_saving_it_would(
    customizations: list[Customization],
    objects: list[CatalogObject],
    candidates: list[Customization],
    shape: object,
    items: list[str],
) -> None:
    """Claims and matches are those of the snapshot after the write; the one that is asked stays as it was."""
    snapshot, rule = Snapshot.build(1, customizations, objects), criteria.read(shape)
    for candidate in candidates:
        before = {model: claimed(snapshot, model, items) for model in test_rules.MODELS}
        ready = set(snapshot.catalog.answered)

        tried = snapshot.with_candidate(candidate)
        saved = snapshot.changed(2, {candidate.id: candidate}, {})

        for model in test_rules.MODELS:
            assert claimed(tried, model, items) == claimed(saved, model, items)
            assert claimed(snapshot, model, items) == before[model]
        assert tried.catalog.matches(rule).items == saved.catalog.matches(rule).items
        assert tried.catalog is not snapshot.catalog
        assert ready <= set(snapshot.catalog.answered)

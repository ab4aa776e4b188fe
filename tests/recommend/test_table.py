"""
The table of models as documents: what is understood, what is refused and how that is said, what is kept.
"""

from typing import Any

import msgspec
import pytest

from endcap.errors import FaultyFields
from endcap.recommend.models import REFERENCE, Model
from endcap.recommend.rerank import Personal, Variety
from endcap.recommend.strategies import BoughtTogether, Newest, Popular, TopCategories
from endcap.recommend.table import (
    FALLBACKS_MAX,
    KINDS,
    described,
    kept,
    name_faults,
    read_model,
    shown,
    stored,
)


@pytest.mark.parametrize(
    ("document", "model"),
    [
        ("popular", Model(Popular())),
        ({"strategy": "popular"}, Model(Popular())),
        ({"strategy": {"kind": "popular", "span": "recent"}}, Model(Popular("recent"))),
        (
            {
                "strategy": {"kind": "bought_together", "cheaper": 0},
                "fallback": ["popular", {"kind": "newest", "half_life_days": 7}],
                "variety": {"by": "brand", "most": 2},
                "personal": {"brand": 2},
            },
            Model(
                BoughtTogether(cheaper=0.0),
                (Popular(), Newest(half_life_days=7.0)),
                Variety("brand", most=2),
                Personal(brand=2.0),
            ),
        ),
        ({"strategy": "popular", "personal": False}, Model(Popular(), personal=None)),
        ({"strategy": "popular", "personal": None}, Model(Popular(), personal=None)),
        ({"strategy": "popular", "variety": True}, Model(Popular(), variety=Variety())),
        (
            {"strategy": "top_categories", "fallback": [{"kind": "top_categories", "fading": 1}]},
            Model(TopCategories(), (TopCategories(fading=1.0),)),
        ),
    ],
)
def test_documents_are_understood(document: Any, model: Model) -> None:
    """In the short spelling and the long one; whole numbers are numbers."""
    assert read_model(document) == model


@pytest.mark.parametrize("name", sorted(REFERENCE))
def test_reference_models_are_documents_too(name: str) -> None:
    """What is shown of each is a document of it, and so is what would be kept."""
    model = REFERENCE[name]

    assert read_model(shown(model)) == model
    assert stored(kept(model)) == model


def test_what_is_at_its_default_is_not_kept() -> None:
    """A later version's better default reaches shops that did not choose."""
    document = shown(REFERENCE["trends"])

    assert kept(read_model(document)) == b'{"strategy":{"kind":"popular","span":"recent"}}'


@pytest.mark.parametrize(
    ("document", "faults"),
    [
        ({}, {"strategy": ["Missing required field: strategy"]}),
        (7, {"body": ["Must be an object with a strategy, or a kind of strategy"]}),
        ({"strategy": "best"}, {"strategy.kind": [f"Must be one of: {', '.join(KINDS)}"]}),
        (
            {"strategy": ["popular"]},
            {"strategy": ["Must be an object with a kind, or a kind alone"]},
        ),
        (
            {"strategy": {"kind": "popular", "window": 7}},
            {
                "strategy.window": [
                    "Unknown setting; there are: span (one of: decayed, recent, rise)"
                ]
            },
        ),
        (
            {"strategy": {"kind": "bought_before", "x": 1}},
            {"strategy.x": ["Unknown setting; this strategy has none"]},
        ),
        (
            {"strategy": {"kind": "newest", "half_life_days": 0}},
            {"strategy.half_life_days": ["Must be a number from 0.1 to 3650"]},
        ),
        (
            {"strategy": {"kind": "newest", "popularity": float("nan")}},
            {"strategy.popularity": ["Must be a number from 0 to 10"]},
        ),
        (
            {"strategy": {"kind": "seen", "exclude_bought": 1}},
            {"strategy.exclude_bought": ["Must be true or false"]},
        ),
        ({"strategy": "labelled"}, {"strategy.label": ["Missing required setting: label"]}),
        (
            {"strategy": {"kind": "random", "introduced_days": [30, "60"]}},
            {
                "strategy.introduced_days": [
                    "Must be a list of at most 10, each a whole number from 1 to 3650"
                ]
            },
        ),
        (
            {"strategy": "popular", "fallback": "newest"},
            {"fallback": [f"Must be a list of at most {FALLBACKS_MAX} strategies"]},
        ),
        (
            {"strategy": "popular", "fallback": ["newest"] * (FALLBACKS_MAX + 1)},
            {"fallback": [f"Must be a list of at most {FALLBACKS_MAX} strategies"]},
        ),
        (
            {"strategy": "top_categories", "fallback": ["popular"]},
            {"fallback.0": ["Must return objects of the model's own type"]},
        ),
        (
            {"strategy": "popular", "variety": {"most": 0}, "personal": "yes", "spread": 1},
            {
                "spread": ["Unknown field; a model has: strategy, fallback, variety, personal"],
                "variety.most": ["Must be a whole number from 1 to 50 or null"],
                "personal": ["Must be an object, true or false"],
            },
        ),
    ],
)
def test_every_fault_is_told_with_what_would_be_right(document: Any, faults: Any) -> None:
    """By the path to it, all at once."""
    with pytest.raises(FaultyFields) as refused:
        read_model(document)

    assert refused.value.reason == "Invalid model provided"
    assert refused.value.details == faults


@pytest.mark.parametrize("document", [b"{", b"[]", b'{"strategy":{"kind":"of_tomorrow"}}'])
def test_what_another_version_kept_is_refused_not_guessed(document: bytes) -> None:
    """The mirror says so in the log and leaves the name what it was."""
    with pytest.raises(FaultyFields):
        stored(document)


@pytest.mark.parametrize("name", ["basket", "košík", "my basket (2)", "a" * 100])
def test_names_people_give(name: str) -> None:
    """Any text that a path and a person can carry."""
    assert list(name_faults(name)) == []


@pytest.mark.parametrize("name", ["", "a" * 101, "a/b", " a", "a\n", "a\u0000b"])
def test_names_nobody_can_type(name: str) -> None:
    """Refused with the reason."""
    assert list(name_faults(name))


@pytest.mark.parametrize("kind", [*KINDS.values(), Variety, Personal], ids=lambda k: k.__name__)
def test_every_setting_tells_what_it_takes_and_does(kind: type[msgspec.Struct]) -> None:
    """Nothing is to be set that nobody explains; numbers have bounds."""
    told = described(kind)

    assert told.does
    for setting in told.settings:
        assert setting.does.endswith("."), setting
        if "number" in setting.takes:
            assert " from " in setting.takes

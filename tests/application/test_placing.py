"""
What must always hold of a caller's ranking: it goes the way that every recommendation goes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.api.app import build
from endcap.config import Settings
from endcap.domain import TrackerId
from endcap.engine.snapshot import Snapshot
from endcap.placing import OwnRanking, Placing
from endcap.recommend.recommenders import Recommenders
from endcap.recommending import Recommending
from endcap.shops import Shop
from endcap.store.states import TrackerRow
from endcap.wire.placing import RankedRequest
from endcap.wire.recommending import read_requests
from tests.engine import oracle, scenes
from tests.engine.strategies import (
    EXAMPLES,
    MODEL,
    NOW,
    NOW_MICROS,
    Situation,
    micros,
    situations,
)

MODELS = (MODEL, "news", "discount", "item_detail_alternatives", "brand_2", "basket")
CHANCES = ("recommendation_id", "generated_at", "not_in_catalog")


@pytest.fixture(scope="module")
def recommending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recommending]:
    """One that is asked about shops made by hand; its store is never opened to them."""
    parts = build(Settings(data_dir=tmp_path_factory.mktemp("placing")), clock=lambda: NOW_MICROS)
    yield parts.recommending
    parts.store.close()


def shop_of(situation: Situation, model: str) -> Shop:
    rules = [
        scenes.customization_of(made.id, micros(made.created_at), {**made.body, "model": model})
        for made in situation.customizations
    ]
    snapshot: Snapshot = scenes.snapshot_of(situation.objects, rules, situation.scores)
    tracker = TrackerId("1")
    row = TrackerRow(tracker, "1", 1, (), None, NOW_MICROS)
    return Shop(tracker, row, (), snapshot, Recommenders.of(snapshot.catalog))


def answers(body: bytes) -> list[dict[str, Any]]:
    """What was answered, without what differs from call to call, and which strategy a ranking is from."""
    found = [
        {name: value for name, value in each.items() if name not in CHANCES}
        for each in msgspec.json.decode(body)
    ]
    for each in found:
        for entry in each["explanation"]["items"]:
            if entry["from"] == "ranking":
                entry.pop("stage", None)
    return found


def placed_and_pinned(answered: Sequence[dict[str, Any]]) -> list[tuple[Any, Any]]:
    """Hits and verdicts; of how many items a block pin kept out there are more in a longer ranking."""
    return [
        (
            each["hits"],
            [
                (pin["customization_id"], pin["pin"], pin["verdict"], pin["item"], pin["slot"])
                for pin in each["explanation"]["pins"]
            ],
        )
        for each in answered
    ]


@settings(max_examples=EXAMPLES)
@given(situation=situations(), model=st.sampled_from(MODELS))
def test_the_servers_own_ranking_gives_the_servers_own_answer(
    recommending: Recommending, situation: Situation, model: str
) -> None:
    """Brought by a caller: whole, or its beginning with the rest filled in."""
    shop = shop_of(situation, model)
    sent = [{**each, "recommendation_type": model} for each in situation.requests]
    requests = read_requests(msgspec.json.encode(sent))
    recommender = shop.recommenders.standing_in(model)
    rankings = [recommending.rank(shop, each, recommender, NOW_MICROS) for each in requests]
    name = shop.snapshot.catalog.identity
    begun = [
        RankedRequest(request, tuple(map(name, ranking.primary)), fill=True)
        for request, ranking in zip(requests, rankings, strict=True)
    ]
    whole = [
        RankedRequest(request, tuple(map(name, [*ranking.primary, *ranking.fallback])))
        for request, ranking in zip(requests, rankings, strict=True)
    ]

    recommended = answers(recommending.recommend(shop, requests, explain=True))

    told = answers(Placing(recommending).place(shop, begun))
    assert [{**each, "recommender": recommender.name} for each in told] == recommended
    told = answers(Placing(recommending).place(shop, whole))
    assert placed_and_pinned(told) == placed_and_pinned(recommended)


@settings(max_examples=EXAMPLES)
@given(situation=situations(), data=st.data())
def test_any_ranking_is_placed_as_the_law_says(
    recommending: Recommending, situation: Situation, data: st.DataObject
) -> None:
    """By the second implementation, for lists with items that are unknown and items that are named again."""
    shop = shop_of(situation, MODEL)
    requests = read_requests(msgspec.json.encode(situation.requests))
    lists = [tuple(data.draw(st.lists(st.sampled_from("ABCDEFZ"), max_size=9))) for _ in requests]
    known = {each["identity"] for each in situation.objects}
    world = oracle.World(
        {each["identity"]: each for each in situation.objects},
        [
            oracle.Customization(made.id, made.created_at, made.body)
            for made in situation.customizations
        ],
        NOW,
        situation.scores,
    )

    wishes = [RankedRequest(request, own) for request, own in zip(requests, lists, strict=True)]
    told = msgspec.json.decode(Placing(recommending).place(shop, wishes))

    lawful = oracle.page(
        world,
        situation.requests,
        [oracle.Ranking([each for each in dict.fromkeys(own) if each in known]) for own in lists],
    )
    for each, own, expected in zip(told, lists, lawful, strict=True):
        assert [hit["url"] for hit in each["hits"]] == expected.items
        assert each["not_in_catalog"] == [
            identity for identity in dict.fromkeys(own) if identity not in known
        ]
        for entry in each["explanation"]["items"]:
            if entry["from"] == "ranking":
                assert own.index(entry["url"]) == entry["place"] - 1


def test_a_list_as_a_catalog_knows_it() -> None:
    """Numbers with the places that the list gives them, and what is missing."""
    catalog = scenes.catalog_of(
        {"identity": each, "type": "item", "fields": {"title": each}} for each in "AB"
    )

    own = OwnRanking.of(catalog, ["Z", "B", "B", "Y", "A", "Z"])

    assert [catalog.identity(number) for number in own.numbers] == ["B", "A"]
    assert own.places == [2, 5]
    assert own.missing == ["Z", "Y"]
    assert OwnRanking.of(catalog, ["B", "A"]).places is None

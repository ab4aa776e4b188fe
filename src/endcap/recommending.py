"""
Recommending: the way of every answer, from what was asked to the bytes that are sent.

A recommender ranks, customizations are laid over, the objects of a call are placed as one page, hits are written. The
steps are methods, because who brings a ranking of their own along (`placing`) goes the same way from there. All of it
is made from one shop, without I/O or a lock; nothing is kept but encoded hits, with the items that they are of.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from endcap.clock import Clock, passing_id, system_clock
from endcap.config import Settings
from endcap.domain import PRIORITIES, Customization, Micros, Priority, TrackerId
from endcap.engine.place import (
    Eligibility,
    Placement,
    Ranking,
    Scene,
    Shown,
    Source,
    place_page,
)
from endcap.errors import RecommenderNotFound
from endcap.recommend.recommenders import Recommender
from endcap.recommend.shoppers import UNKNOWN, Shopper, Shoppers
from endcap.recommend.strategies import SPARE, External, Query
from endcap.shops import Shop
from endcap.wire import recommending as wire
from endcap.wire.catalog import hit_json
from endcap.wire.customizations import position_of
from endcap.wire.recommending import Explanation, ItemShown, PinShown, Request

HIT_SPELLINGS_MAX = 8  # sets of hit_fields kept encoded per item
_NOTHING: Mapping[int, Sequence[str]] = {}
_encode = msgspec.json.encode
_TARGET_TYPES: Mapping[Priority, str] = {
    priority: str(kind.__struct_config__.tag) for kind, priority in PRIORITIES.items()
}


class Recommending:
    """One a process; every argument is what a test may want to decide."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = system_clock,
        chance: random.Random | None = None,
        shoppers: Callable[[TrackerId], Shoppers] | None = None,
    ) -> None:
        """`shoppers` gives what is known of a tracker's shoppers; without it nobody is known."""
        self.clock = clock
        self._chance = chance or random.Random()
        nobody = Shoppers()
        self._shoppers = shoppers or (lambda _: nobody)
        self._scalars = frozenset(settings.scalar_attributes)

    def recommend(
        self,
        shop: Shop,
        requests: Sequence[Request],
        *,
        explain: bool = False,
        brought: Mapping[int, Sequence[str]] = _NOTHING,
    ) -> bytes:
        """
        The whole answer of one call; `brought` is, by the index of an object, what a recommender elsewhere answered.
        No I/O. Raises RecommenderNotFound.
        """
        now = self.clock()
        found = [self._recommender(shop, request) for request in requests]
        sizes = sum([request.size for request in requests])
        rankings = [
            self.rank(
                shop,
                request,
                recommender,
                now,
                others=sizes - request.size,
                brought=brought.get(index, ()),
            )
            for index, (request, recommender) in enumerate(zip(requests, found, strict=True))
        ]
        scenes = [
            self.scene(shop, request, ranking, now)
            for request, ranking in zip(requests, rankings, strict=True)
        ]
        placements = place_page(shop.snapshot.catalog, scenes)
        return wire.answers_json(
            [
                self.answer(
                    shop,
                    request,
                    recommender.name,
                    placement,
                    now,
                    explained=explanation(shop, placement, partial(recommender.stage, ranking))
                    if explain
                    else None,
                )
                for request, recommender, ranking, placement in zip(
                    requests, found, rankings, placements, strict=True
                )
            ]
        )

    def explain(
        self,
        shop: Shop,
        request: Request,
        *,
        now: Micros,
        candidate: Customization | None = None,
        chance: random.Random | None = None,
    ) -> Explanation:
        """
        One object's placement at any moment, explained; nothing is written. `candidate`: as if that was saved already.
        With the same `chance` recommenders that draw lots answer the same again.
        """
        recommender = self._recommender(shop, request)
        ranking = self.rank(shop, request, recommender, now, chance=chance)
        if candidate is not None:
            shop = replace(shop, snapshot=shop.snapshot.with_candidate(candidate))
        scene = self.scene(shop, request, ranking, now)
        (placement,) = place_page(shop.snapshot.catalog, [scene])
        return explanation(shop, placement, partial(recommender.stage, ranking))

    def _recommender(self, shop: Shop, request: Request) -> Recommender:
        recommender = shop.recommenders.find(request.model)
        if recommender is None:
            unknown = {"recommendation_type": [f"Unknown recommender: {request.model}"]}
            raise RecommenderNotFound(details=unknown)
        return recommender

    def rank(
        self,
        shop: Shop,
        request: Request,
        recommender: Recommender,
        now: Micros,
        *,
        others: int = 0,
        brought: Sequence[str] = (),
        chance: random.Random | None = None,
    ) -> Ranking:
        """
        The recommender's answer to one object of a call, before rules. `others` is how many items the rest of the page
        may take away, `brought` what a recommender elsewhere answered, `chance` what lots are drawn with.
        """
        catalog = shop.snapshot.catalog
        field = request.availability_field
        numbers = [number for each in request.items if (number := catalog.number(each)) is not None]
        user, shopper, personal = self._user(shop, request)
        return recommender.rank(
            Query(
                catalog=catalog,
                items=numbers,
                user=user,
                shopper=shopper,
                personal=personal,
                context=request.context,
                count=_count(request, others),
                now=now,
                seed=chance or self._chance,
                available=None if field is None else catalog.available_by(field),
                brought=brought,
            )
        )

    def _user(self, shop: Shop, request: Request) -> tuple[str | None, Shopper, bool]:
        """Who asks, what they did lately, and whether the ranking may be fitted to that."""
        if request.user is None:
            return None, UNKNOWN, False
        shopper = self._shoppers(shop.tracker).of(request.user)
        consent = shopper.consent if request.consent is None else request.consent
        if consent is False:  # who refused is a stranger
            return None, UNKNOWN, False
        return request.user, shopper, consent is True

    def asked_elsewhere(
        self, shop: Shop, requests: Sequence[Request]
    ) -> Sequence[tuple[int, Request, External]]:
        """The objects of a call whose models ask a service, with their index; who refused to be known is not named."""
        return [
            (index, replace(request, user=self._user(shop, request)[0]), external)
            for index, request in enumerate(requests)
            if (external := shop.recommenders.external(request.model)) is not None
        ]

    def scene(self, shop: Shop, request: Request, ranking: Ranking, now: Micros) -> Scene:
        """What placement needs to know of one object of a call."""
        catalog = shop.snapshot.catalog
        return Scene(
            shop.snapshot.claims(request.model, request.items),
            ranking,
            Eligibility(
                catalog,
                now=now,
                inputs=request.items,
                blacklist=request.blacklist,
                context=request.context,
                availability_field=request.availability_field,
                type=ranking.type,
            ),
            request.size,
            now,
            request.widget,
        )

    def answer(
        self,
        shop: Shop,
        request: Request,
        recommender: str,
        placement: Placement,
        now: Micros,
        *,
        explained: Explanation | None,
    ) -> bytes:
        """One object of an answer; `recommender` is the name of who made the ranking."""
        hits = self._hits(shop, placement, request.hit_fields)
        if request.mark_fallback:
            hits = [
                wire.marked(hit, fallback=each.source is Source.FALLBACK)
                for hit, each in zip(hits, placement.shown, strict=True)
            ]
        return wire.answer_json(
            request,
            hits,
            now=now,
            recommendation_id=passing_id(),
            recommender=recommender,
            model_version=shop.recommenders.model_version,
            recommender_version=shop.recommenders.version,
            explanation=None if explained is None else _encode(explained),
        )

    def _hits(self, shop: Shop, placement: Placement, fields: frozenset[str] | None) -> list[bytes]:
        """Encoded hits, made once per set of fields that shops ask for."""
        known = shop.snapshot.catalog.hits(fields)
        hits: list[bytes] = []
        for each in placement.shown:
            hit = known.get(each.number)
            if hit is None:
                hit = known[each.number] = self._hit(shop, each.number, fields)
            hits.append(hit)
        return hits

    def _hit(self, shop: Shop, number: int, fields: frozenset[str] | None) -> bytes:
        item = shop.snapshot.catalog.item(number)
        hit = item.hits.get(fields)
        if hit is None:
            hit = hit_json(item.document, fields=fields, scalars=self._scalars)
            if len(item.hits) < HIT_SPELLINGS_MAX:
                item.hits[fields] = hit
        return hit


def explanation(
    shop: Shop,
    placement: Placement,
    stage: Callable[[Shown], str | None],
    *,
    places: Sequence[int] | None = None,
) -> Explanation:
    """
    The engine's judgements in the wire's words; `stage` tells which strategy gave an item. `places` are the places to
    tell of what the ranking holds, where they are not simply 1, 2, 3, ….
    """
    catalog = shop.snapshot.catalog
    pins = [
        PinShown(
            each.claim.customization.id,
            each.claim.index,
            _TARGET_TYPES[each.claim.customization.priority],
            position_of(each.claim.pin.place),
            each.verdict.value,
            each.item,
            each.slot,
            each.because,
        )
        for each in placement.judgements
    ]
    items = [
        ItemShown(
            slot,
            catalog.identity(each.number),
            each.source.value,
            each.claim.index if each.claim else None,
            each.claim.customization.id if each.claim else None,
            each.place if places is None or each.place is None else places[each.place - 1],
            stage(each),
        )
        for slot, each in enumerate(placement.shown, 1)
    ]
    return Explanation(pins, items)


def _count(request: Request, others: int) -> int:
    """
    How many candidates to ask for: so many that what the request and the rest of the page take away leaves enough. What
    strategies give beside the count covers the usual; beyond that it is rounded up, since rankings are kept by it.
    """
    taken = len(request.blacklist) + others
    return request.size if taken <= SPARE // 2 else request.size + (1 << taken.bit_length())

"""
A caller's own ranking with the customizations laid over: Endcap as the merchandising layer alone.

The ranking takes the place of a recommender's, and all that follows is the way that every recommendation goes. No
recommender needs to have the model's name, for customizations go by it alone. Places that are told are those of the
caller's list, whatever of it the catalog lacks.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from endcap.domain import Micros
from endcap.engine.catalog import Catalog
from endcap.engine.place import Placement, Ranking, Shown, Source, place_page
from endcap.recommend.recommenders import Recommender
from endcap.recommending import Recommending, explanation
from endcap.shops import Shop
from endcap.wire import recommending as wire
from endcap.wire.placing import RankedRequest
from endcap.wire.recommending import Request


class OwnRanking(Struct, frozen=True):
    """
    A list of identities as a catalog knows it: item numbers, best first, and for each its 1-based place in the list;
    None where that is simply 1, 2, 3, …. Of one that is named again the first place counts. `missing` are those that
    the catalog lacks.
    """

    numbers: Sequence[int]
    places: Sequence[int] | None = None
    missing: Sequence[str] = ()

    @classmethod
    def of(cls, catalog: Catalog, identities: Sequence[str]) -> "OwnRanking":
        numbers = catalog.numbers_of(identities)
        if None not in numbers and len(set(numbers)) == len(numbers):
            return cls(cast(list[int], numbers))
        places: dict[int, int] = {}
        for place, number in enumerate(numbers, 1):
            if number is not None:
                places.setdefault(number, place)
        unknown = (each for each, number in zip(identities, numbers, strict=True) if number is None)
        return cls(list(places), list(places.values()), list(dict.fromkeys(unknown)))


class Placing:
    """The verb, over the steps of recommending."""

    def __init__(self, recommending: Recommending) -> None:
        self._recommending = recommending

    def place(self, shop: Shop, wishes: Sequence[RankedRequest], *, explain: bool = True) -> bytes:
        """The whole answer of one call: nothing is shown twice in it. No I/O."""
        now = self._recommending.clock()
        catalog = shop.snapshot.catalog
        owns = [OwnRanking.of(catalog, wish.ranking) for wish in wishes]
        sizes = sum([_fillable(wish.request) for wish in wishes])
        rankings = [
            self._ranking(shop, wish, own, now, others=sizes - _fillable(wish.request))
            for wish, own in zip(wishes, owns, strict=True)
        ]
        scenes = [
            self._recommending.scene(shop, wish.request, ranking, now)
            for wish, ranking in zip(wishes, rankings, strict=True)
        ]
        placements = place_page(catalog, scenes)
        return wire.answers_json(
            self._answer(shop, wish, own, ranking, placement, now, explain=explain)
            for wish, own, ranking, placement in zip(
                wishes, owns, rankings, placements, strict=True
            )
        )

    def _ranking(
        self, shop: Shop, wish: RankedRequest, own: OwnRanking, now: Micros, *, others: int
    ) -> Ranking:
        recommender = shop.recommenders.standing_in(wish.request.model)
        if not wish.fill:
            return Ranking(own.numbers, (), recommender.returned_type)
        request = replace(wish.request, size=_fillable(wish.request))

        def rank() -> Ranking:
            return self._recommending.rank(shop, request, recommender, now, others=others)

        return Ranking(own.numbers, _Filling(recommender, rank), recommender.returned_type)

    def _answer(
        self,
        shop: Shop,
        wish: RankedRequest,
        own: OwnRanking,
        ranking: Ranking,
        placement: Placement,
        now: Micros,
        *,
        explain: bool,
    ) -> bytes:
        explained = None
        if explain:
            explained = explanation(shop, placement, _stage_of(ranking), places=own.places)
        answer = self._recommending.answer(
            shop, wish.request, wish.request.model, placement, now, explained=explained
        )
        return wire.with_missing(answer, own.missing)


def _fillable(request: Request) -> int:
    """How many items a recommender is asked for; the rest of a longer page is filled by popularity."""
    return min(request.size, wire.SIZE_MAX)


def _stage_of(ranking: Ranking) -> Callable[[Shown], str | None]:
    """The kind of strategy that an item was filled from; None of what the caller ranked or a pin placed."""

    def stage(shown: Shown) -> str | None:
        if shown.source is Source.FALLBACK and isinstance(ranking.fallback, _Filling):
            return ranking.fallback.stage(shown)
        return None

    return stage


class _Filling:
    """What the server would recommend, ranked when it is first needed, then what that goes on with."""

    __slots__ = ("_rank", "_ranked", "_recommender")

    def __init__(self, recommender: Recommender, rank: Callable[[], Ranking]) -> None:
        self._recommender = recommender
        self._rank = rank
        self._ranked: Ranking | None = None

    def __iter__(self) -> Iterator[int]:
        ranking = self._ranked = self._rank()
        yield from ranking.primary
        ahead = set(ranking.primary)
        yield from (number for number in ranking.fallback if number not in ahead)

    def stage(self, shown: Shown) -> str | None:
        if self._ranked is None:
            return None
        source = Source.RANKING if shown.number in self._ranked.primary else Source.FALLBACK
        return self._recommender.stage(self._ranked, Shown(shown.number, source))

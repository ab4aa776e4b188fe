"""
Strategies that rest on what orders held together.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct
from pyroaring import BitMap

from endcap.recommend.artifact import TableName
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.strategies.common import SPARE, Query, Share, allowed_in
from endcap.recommend.strategies.similar import Similar

Power = Annotated[float, Meta(ge=-2, le=2)]


class BoughtTogether(
    Struct, frozen=True, tag="bought_together", tag_field="kind", omit_defaults=True
):
    """What orders with the input items also held: the items' affinities added up, cheaper ones slightly preferred."""

    cheaper: Annotated[
        Power,
        Meta(
            description="By which power of its price an item's affinity falls; below 0 dearer ones gain."
        ),
    ] = 0.05
    table: Annotated[
        TableName,
        Meta(
            description="Which neighbours: `cart`, to be summed up over several items; `page`, for one item's own; "
            "`viewed`, looked at on the same day."
        ),
    ] = "cart"

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        if not query.items:
            return ()
        found = bought_with(
            query.items,
            allowed_in(query, knowledge),
            knowledge,
            cheaper=self.cheaper,
            table=self.table,
        )
        return found[: query.count + SPARE]


class BoughtWithSimilar(
    Struct, frozen=True, tag="bought_with_similar", tag_field="kind", omit_defaults=True
):
    """
    What orders with items *like* the inputs held: for an item that nobody ordered yet, which borrows the neighbours of
    the most alike by title, category, brand and price. The more alike one is, the more its neighbours count.
    """

    lenders: Annotated[
        Annotated[int, Meta(ge=1, le=50)],
        Meta(description="How many items alike are asked, of each input."),
    ] = 10
    cheaper: Annotated[Power, Meta(description="As in `bought_together`.")] = 0.05
    fading: Annotated[Share, Meta(description="What each next one counts of the one before.")] = 0.8

    def rank(self, query: Query, knowledge: Knowledge) -> Sequence[int]:
        inputs, count = tuple(query.items), query.count + SPARE

        def borrowed() -> list[int]:
            found = self._borrowed(inputs, allowed_in(query, knowledge), knowledge)
            return found[:count]

        if not inputs:
            return ()
        if query.available is not None:
            return borrowed()
        return knowledge.kept((self, inputs, query.context, count), borrowed)

    def _borrowed(self, inputs: Sequence[int], allowed: BitMap, knowledge: Knowledge) -> list[int]:
        weighed: dict[int, float] = {}
        for item in inputs:
            weight = 1.0
            for lender in self._lenders(item, knowledge):
                weighed[lender] = weighed.get(lender, 0.0) + weight
                weight *= self.fading
        sums = _sums(weighed.items(), knowledge, self.cheaper)
        for item in inputs:
            sums.pop(item, None)
        found = sorted(sums, key=lambda number: (-sums[number], number))
        return [number for number in found if number in allowed]

    def _lenders(self, item: int, knowledge: Knowledge) -> list[int]:
        return knowledge.kept(
            (self.lenders, item),
            lambda: _LIKE.like([item], knowledge.ordered, self.lenders, knowledge),
        )


_LIKE = Similar()


def bought_with(
    items: Sequence[int],
    allowed: BitMap,
    knowledge: Knowledge,
    *,
    cheaper: float = 0.0,
    fading: float = 1.0,
    table: TableName = "page",
) -> list[int]:
    """
    Neighbours of items, their affinities added up, best first. Plain Python: NumPy takes as long for the first twenty
    numbers as a dict does for five hundred.
    """
    if len(items) == 1:
        found: Sequence[int] = knowledge.neighbours(items[0], cheaper, table)[0]
    else:
        weights = [fading**place for place in range(len(items))]
        sums = _sums(zip(items, weights, strict=True), knowledge, cheaper, table)
        for item in items:
            sums.pop(item, None)
        found = sorted(sums, key=sums.__getitem__, reverse=True)
    return [number for number in found if number in allowed]


def _sums(
    weighed: Iterable[tuple[int, float]],
    knowledge: Knowledge,
    cheaper: float,
    table: TableName = "page",
) -> dict[int, float]:
    sums: dict[int, float] = {}
    known = sums.get
    for item, weight in weighed:
        for number, affinity in zip(*knowledge.neighbours(item, cheaper, table), strict=True):
            sums[number] = known(number, 0.0) + weight * affinity
    return sums

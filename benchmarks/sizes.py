"""
How much is measured: the same code for a look of minutes and for the figures that are published.
"""

from msgspec import Struct
from msgspec.structs import replace


class Case(Struct, frozen=True):
    """One case of visibility: a store, so many workers over so many customizations."""

    workers: int
    customizations: int
    postgres: bool = False


class Size(Struct, frozen=True):
    """What `--size` chooses."""

    rounds: int
    seconds: float
    """Of one round of load."""
    rules: tuple[int, ...]
    rules_items: int
    items: tuple[int, ...]
    items_customizations: int
    peer_rules: tuple[int, ...]
    peer_products: int
    visible: tuple[Case, ...]
    visible_items: int
    visible_seconds: float
    """Of updates in one round, and as long without any."""
    batches: tuple[Case, ...]
    batches_items: int
    batches_seconds: float
    """Of batches in one round."""
    kills: int
    events_kept: int
    """In the store that events are added to."""
    console_customizations: int
    """In the list that the console shows."""
    build_multiples: tuple[float, ...]
    """Of the real orders: a million lines."""
    build_spark_max: float
    """The largest of them that Spark builds too."""


def _cases(customizations: int) -> tuple[Case, ...]:
    return tuple(
        Case(workers, customizations, postgres)
        for postgres in (False, True)
        for workers in (1, 2, 4)
    )


def _stores(customizations: int) -> tuple[Case, ...]:
    return tuple(
        Case(workers, customizations, postgres) for postgres in (False, True) for workers in (1, 2)
    )


SIZES = {
    "quick": Size(
        rounds=3,
        seconds=1.0,
        rules=(1, 10, 10_000),
        rules_items=20_000,
        items=(20_000,),
        items_customizations=1_000,
        peer_rules=(1, 1_000),
        peer_products=10_000,
        visible=_cases(1_000),
        visible_items=1_000,
        visible_seconds=2.0,
        batches=_stores(1_000),
        batches_items=20_000,
        batches_seconds=2.0,
        kills=2,
        events_kept=100_000,
        console_customizations=10_000,
        build_multiples=(0.25, 1),
        build_spark_max=0.25,
    ),
    "full": Size(
        rounds=5,
        seconds=3.0,
        rules=(1, 10, 10_000, 100_000, 1_000_000),
        rules_items=20_000,
        items=(20_000, 200_000, 1_000_000),
        items_customizations=10_000,
        peer_rules=(1, 1_000, 10_000),
        peer_products=10_000,
        visible=(*_cases(10_000), Case(2, 1_000_000)),
        visible_items=20_000,
        visible_seconds=8.0,
        batches=_stores(100_000),
        batches_items=1_000_000,
        batches_seconds=20.0,
        kills=20,
        events_kept=1_000_000,
        console_customizations=100_000,
        build_multiples=(0.25, 1, 4, 16),
        build_spark_max=1,
    ),
}


def without_more(size: Size, most: int) -> Size:
    """The size without the larger of its worlds."""
    return replace(
        size,
        rules=tuple(count for count in size.rules if count <= most),
        items=tuple(count for count in size.items if count <= most),
        peer_rules=tuple(count for count in size.peer_rules if count <= most),
        visible=tuple(case for case in size.visible if case.customizations <= most),
        batches=tuple(
            replace(case, customizations=min(case.customizations, most)) for case in size.batches
        ),
        batches_items=min(size.batches_items, most),
    )

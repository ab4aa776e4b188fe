"""
Random shops, rules and calls, small and full of collisions: few items, few slots, few instants.

All in the wire's words, so that the engine (through the wire) and the oracle (directly) are told the same.
"""

import itertools
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from endcap.domain import Micros
from tests.choices import combined, merged, rarely
from tests.engine.scenes import Ranked

EXAMPLES = int(os.environ.get("ENDCAP_EXAMPLES", "150"))
"""How many random examples a property gets; ENDCAP_EXAMPLES=20000 makes a thorough night of it."""

NOW = datetime(2025, 1, 20, 12, tzinfo=UTC)
NOW_MICROS = Micros(int(NOW.timestamp()) * 1_000_000)
ITEMS = tuple("ABCDEF")
UNKNOWN = "Z"
MODEL = "test_reco"
WIDGETS = ("top", "side")

Wire = dict[str, Any]


class Made(Struct, frozen=True):
    """A customization as it is sent, and what the server adds."""

    id: str
    created_at: datetime
    body: Wire


class Situation(Struct, frozen=True):
    """A shop and one call at NOW, with the recommender's answer to each object of the call."""

    objects: Sequence[Wire]
    customizations: Sequence[Made]
    requests: Sequence[Wire]
    rankings: Sequence[Ranked]
    scores: Mapping[str, float]


def micros(at: datetime) -> Micros:
    return Micros((at - NOW) // timedelta(microseconds=1) + NOW_MICROS)


WINDOWS: tuple[Wire, ...] = (
    {"active_from": "2025-01-20T12:00:00Z"},
    {"active_to": "2025-01-20T12:00:00Z"},
    {"active_from": "2025-01-20T12:00:00.000001"},
    {"active_to": "2025-01-20T13:00:00.000001+01:00"},
)

_KINDS = combined(type=("item",) * 6 + ("product", "category"), window=rarely(*WINDOWS, one_in=6))
_FIELDS = combined(
    title=("an item",),
    brand=("x", "y", ["x", "y"], None),
    price_amount=(10, 20, 30, None),
    availability=rarely(0, 1, one_in=4),
    availability_rank=rarely(1, 3, 15, one_in=8),
    in_shop=rarely(0, 1, one_in=3),
    introduced_at=("2025-01-01", "2025-01-02", None),
)


def _object(identity: str, kind: Wire, fields: Wire) -> Wire:
    return merged({"identity": identity, **kind, "fields": fields}, "window")


OBJECTS = st.lists(
    st.builds(_object, st.sampled_from(ITEMS), _KINDS, _FIELDS),
    min_size=2,
    unique_by=lambda held: held["identity"],
)

PLAIN_CRITERIA: tuple[Wire, ...] = (
    {"brand": "x"},
    {"brand": {"values": ["y"]}},
    {"brand": {"values": ["x", "y"], "operator": "or"}},
    {"price_amount": {"values": ["15|"]}},
    {"price_amount": {"values": ["10|20"]}, "brand": "x"},
    {"brand": "nobody's"},
)
CRITERIA: tuple[Wire, ...] = (*PLAIN_CRITERIA, {"brand": {"values": ["x"], "operator": "not"}})

POSITIONS = (1, 1, 2, 2, 3, 4, 7, -1, -1, 0)
SLOTS = tuple(position for position in POSITIONS if position != -1)


def pins(
    *, positions: Sequence[int] = POSITIONS, criteria: Sequence[Wire] = CRITERIA
) -> st.SearchStrategy[Wire]:
    """One pin definition."""
    named = [{"pin_type": "item", "pin_identity": each} for each in (*ITEMS, *ITEMS, UNKNOWN)]
    matching = [{"pin_type": "criteria", "pin_criteria": each} for each in criteria]
    return combined(
        position=positions,
        wish=named + matching,
        window=rarely(*WINDOWS, one_in=6),
        widget_id=rarely(*WIDGETS, one_in=6),
        is_block_pin=rarely(False, True, one_in=6),
        is_bundle_pin=rarely(True, one_in=4),
    ).map(lambda drawn: merged(drawn, "wish", "window"))


TARGETS: tuple[Wire, ...] = (
    *[{"target_type": "all"}] * 10,
    *({"target_type": "item", "target_identity": each} for each in (*ITEMS, UNKNOWN)),
    *({"target_type": "criteria", "target_criteria": each} for each in CRITERIA),
)


def _made(drawn: Wire, model: str, pin_definitions: list[Wire]) -> Made:
    return Made(
        drawn["id"],
        NOW - timedelta(days=1) + timedelta(microseconds=drawn["created"]),
        {"model": model, **drawn["target"], "pin_definitions": pin_definitions},
    )


def customizations(
    pin: st.SearchStrategy[Wire] | None = None, *, model: str = MODEL, ids: str = "abcd"
) -> st.SearchStrategy[list[Made]]:
    """A few customizations of one model; some share their instant of creation."""
    return st.lists(
        st.builds(
            _made,
            combined(id=ids, created=range(3), target=TARGETS),
            st.just(model),
            st.lists(pin if pin is not None else pins(), max_size=5),
        ),
        max_size=len(ids),
        unique_by=lambda made: made.id,
    )


_SUBSETS = [
    [*each] for each in ("A", "B", "C", "D", "E", "F", "AB", "CD", "EF", "ZC", "BEA", "FAC")
]

REQUESTS = combined(
    recommendation_type=(MODEL,),
    size=range(1, 7),
    recommender_client_identifier=rarely(*WIDGETS, one_in=2),
    item_ids=rarely(*_SUBSETS, one_in=2),
    blacklisted_item_ids=rarely(*_SUBSETS[:9], one_in=3),
    recommendation_context=rarely(*CRITERIA, one_in=5),
    settings_override=rarely({"availability_field": "in_shop"}, one_in=6),
)

_ORDERS = tuple(itertools.permutations(ITEMS))


def _ranked(primary: Sequence[str], count: int, fallback: Sequence[str]) -> Ranked:
    return Ranked(primary[:count], fallback)


RANKINGS = st.builds(
    _ranked, st.sampled_from(_ORDERS), st.integers(0, 6), st.sampled_from([ITEMS, (), *_ORDERS])
)


def _known(ranked: Ranked, objects: Sequence[Wire]) -> Ranked:
    """Without the items that this shop does not have."""
    known = {each["identity"] for each in objects}
    return Ranked(
        [item for item in ranked.primary or () if item in known],
        [item for item in ranked.fallback if item in known],
    )


@st.composite
def situations(
    draw: st.DrawFn,
    pin: st.SearchStrategy[Wire] | None = None,
    *,
    requests_max: int = 3,
    request: st.SearchStrategy[Wire] = REQUESTS,
) -> Situation:
    """A shop and a call of one to three objects."""
    objects = draw(OBJECTS)
    call = draw(st.lists(st.tuples(request, RANKINGS), min_size=1, max_size=requests_max))
    return Situation(
        objects,
        draw(customizations(pin)),
        [request for request, _ in call],
        [_known(ranked, objects) for _, ranked in call],
        draw(st.sampled_from(SCORES)),
    )


SCORES: tuple[dict[str, float], ...] = ({}, {"F": 1}, {"E": 2, "B": 1}, {"C": 3, "D": 3, "A": 1})


CROWD = tuple("ABCDEFGHIJKL")


@st.composite
def crowds(draw: st.DrawFn) -> Situation:
    """Nothing but plain items and awake pins for the first slots, half of them in bundles: who gets which slot?"""
    pin = combined(
        position=(1, 2, 3, 4, 5, 8),
        wish=[{"pin_type": "item", "pin_identity": each} for each in CROWD]
        + [{"pin_type": "criteria", "pin_criteria": {"brand": each}} for each in ("x", "y")],
        is_bundle_pin=(None, True),
    ).map(lambda drawn: merged(drawn, "wish"))
    target = {"target_type": "all"}
    made = draw(
        st.lists(
            st.builds(
                lambda created, pins: (created, pins),
                st.integers(0, 2),
                st.lists(pin, min_size=1, max_size=4),
            ),
            min_size=2,
            max_size=4,
        )
    )
    return Situation(
        [
            {"identity": each, "type": "item", "fields": {"title": each} | brand}
            for each, brand in zip(CROWD, [{"brand": "x"}, {}, {"brand": "y"}] * 4, strict=True)
        ],
        [
            _made({"id": own_id, "created": created, "target": target}, MODEL, pins)
            for own_id, (created, pins) in zip("abcd", made, strict=False)
        ],
        [{"recommendation_type": MODEL, "size": 10}],
        [Ranked(CROWD)],
        {},
    )

"""
What must always hold of placement: the engine agrees with the oracle, and each promise of the law on its own.

Every promise has a test although the oracle would find its breach too: a promise speaks for itself, and the two
implementations might share a mistake.
"""

from collections.abc import Sequence
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.engine.place import Placement, Source, Verdict
from endcap.engine.snapshot import Snapshot
from tests.engine import oracle, scenes
from tests.engine.scenes import Ranked
from tests.engine.strategies import (
    EXAMPLES,
    MODEL,
    NOW,
    NOW_MICROS,
    PLAIN_CRITERIA,
    SLOTS,
    Made,
    Situation,
    Wire,
    crowds,
    customizations,
    micros,
    pins,
    situations,
)

thorough = settings(max_examples=EXAMPLES * 3)
usual = settings(max_examples=EXAMPLES)

IN_FORCE = {"placed", "moved", "beyond_size"}


def snapshot_of(situation: Situation) -> Snapshot:
    rules = [
        scenes.customization_of(made.id, micros(made.created_at), made.body)
        for made in situation.customizations
    ]
    return scenes.snapshot_of(situation.objects, rules, situation.scores)


def answer(situation: Situation, snapshot: Snapshot | None = None) -> Sequence[Placement]:
    return scenes.answer(
        snapshot or snapshot_of(situation),
        scenes.requests_of(situation.requests),
        now=NOW_MICROS,
        rankings=situation.rankings,
    )


def items(situation: Situation) -> list[list[str]]:
    """The answer's identities alone, object by object."""
    snapshot = snapshot_of(situation)
    return [
        list(map(str, scenes.items_of(snapshot.catalog, each)))
        for each in answer(situation, snapshot)
    ]


def told(situation: Situation) -> list[tuple[list[str], object]]:
    """Items and what became of every pin, object by object."""
    snapshot = snapshot_of(situation)
    return [
        (list(map(str, scenes.items_of(snapshot.catalog, each))), scenes.outcomes_of(each))
        for each in answer(situation, snapshot)
    ]


def with_requests(situation: Situation, **members: object) -> Situation:
    changed = [{**request, **members} for request in situation.requests]
    return msgspec.structs.replace(situation, requests=changed)


def with_customizations(situation: Situation, made: Sequence[Made]) -> Situation:
    return msgspec.structs.replace(situation, customizations=made)


def world_of(situation: Situation) -> oracle.World:
    return oracle.World(
        {each["identity"]: each for each in situation.objects},
        [
            oracle.Customization(made.id, made.created_at, made.body)
            for made in situation.customizations
        ],
        NOW,
        situation.scores,
    )


def engine_entries(snapshot: Snapshot, placement: Placement) -> list[oracle.Entry]:
    return [
        oracle.Entry(
            snapshot.catalog.identity(each.number),
            str(each.source),
            (each.claim.customization.id, each.claim.index) if each.claim else None,
            each.place,
        )
        for each in placement.shown
    ]


def engine_outcomes(placement: Placement) -> list[oracle.Outcome]:
    """With the count that a block pin's sentence tells."""
    return [
        oracle.Outcome(
            told.customization,
            told.pin,
            told.verdict,
            told.item,
            told.slot,
            int(judged.because.split()[1]) if judged.verdict is Verdict.BLOCKS else None,
        )
        for told, judged in zip(scenes.outcomes_of(placement), placement.judgements, strict=True)
    ]


@thorough
@given(situations())
def test_engine_and_oracle_agree(situation: Situation) -> None:
    """On every item with its origin, and on every verdict with item, slot and count."""
    snapshot = snapshot_of(situation)

    placements = answer(situation, snapshot)

    expected = oracle.page(
        world_of(situation),
        situation.requests,
        [oracle.Ranking(each.primary or (), each.fallback) for each in situation.rankings],
    )
    for placement, wanted in zip(placements, expected, strict=True):
        assert engine_entries(snapshot, placement) == wanted.entries
        assert engine_outcomes(placement) == wanted.outcomes


@thorough
@given(crowds())
def test_engine_and_oracle_agree_on_crowded_slots(situation: Situation) -> None:
    """The same where nothing happens but pins and bundles that want the same slots, which chance alone makes rare."""
    snapshot = snapshot_of(situation)

    [placement] = answer(situation, snapshot)

    [expected] = oracle.page(
        world_of(situation),
        situation.requests,
        [oracle.Ranking(situation.rankings[0].primary or ())],
    )
    assert engine_entries(snapshot, placement) == expected.entries
    assert engine_outcomes(placement) == expected.outcomes


@usual
@given(situations())
def test_no_item_appears_twice_on_a_page(situation: Situation) -> None:
    """Neither in one answer nor in two answers of one call; and no answer is longer than asked for."""
    answers = items(situation)

    shown = [item for answer in answers for item in answer]
    assert len(shown) == len(set(shown))
    for request, answer in zip(situation.requests, answers, strict=True):
        assert len(answer) <= request["size"]


@usual
@given(situations())
def test_nothing_ineligible_or_blocked_is_shown(situation: Situation) -> None:
    """Request and catalog beat pins; blocks beat all but item pins of higher priority."""
    world = world_of(situation)

    answers = items(situation)

    for request, answer in zip(situation.requests, answers, strict=True):
        desk = oracle.Desk(world, request, oracle.Ranking(()))
        assert [item for item in answer if not desk.may_show(item, elsewhere=())] == []


@usual
@given(situations(), st.randoms(use_true_random=False))
def test_order_of_storage_does_not_matter(situation: Situation, chance: Random) -> None:
    """Shuffled customizations and objects give the same items and verdicts."""
    objects, made = list(situation.objects), list(situation.customizations)
    chance.shuffle(objects)
    chance.shuffle(made)
    shuffled = msgspec.structs.replace(situation, objects=objects, customizations=made)

    assert told(shuffled) == told(situation)


@usual
@given(situations(pins(positions=SLOTS), requests_max=1), st.integers(1, 7))
def test_a_shorter_answer_is_the_beginning_of_a_longer_one(situation: Situation, size: int) -> None:
    """Whenever no global pin is awake."""
    [longer] = items(with_requests(situation, size=8))

    [shorter] = items(with_requests(situation, size=size))

    assert shorter == longer[:size]


ASLEEP: Wire = {"active_from": "2025-01-20T12:00:00.000001Z"}
ELSEWHERE: Wire = {"widget_id": "a widget of another page"}
SLEEPING_PINS = st.builds(
    lambda pin, state: {**pin, "active_to": None, **state},
    pins(),
    st.sampled_from([ASLEEP, ELSEWHERE]),
)


@usual
@given(situations(), customizations(SLEEPING_PINS, ids="wxyz"))
def test_customizations_whose_pins_sleep_change_nothing(
    situation: Situation, sleeping: list[Made]
) -> None:
    """Blocks and bundles included: the same items, and the same verdicts for the others."""
    more = with_customizations(situation, [*situation.customizations, *sleeping])

    answers = told(more)

    names = {made.id for made in sleeping}
    for (shown, outcomes), (wanted, others) in zip(answers, told(situation), strict=True):
        assert shown == wanted
        assert isinstance(outcomes, list)
        assert [each for each in outcomes if each.customization not in names] == others
        assert all(
            each.verdict in ("asleep", "other_widget")
            for each in outcomes
            if each.customization in names
        )


def silent(made: Made) -> Made:
    """The same for an item that is never an input."""
    target = {"target_type": "item", "target_identity": "nobody's input"}
    return msgspec.structs.replace(made, body={**made.body, **target})


@usual
@given(
    situations(),
    st.one_of(
        customizations(ids="wxyz", model="another_model"),
        customizations(ids="wxyz").map(lambda made: list(map(silent, made))),
    ),
)
def test_customizations_that_do_not_speak_change_nothing(
    situation: Situation, silent: list[Made]
) -> None:
    """Of another model, or of another item: the same items and verdicts, and none of their own."""
    more = with_customizations(situation, [*situation.customizations, *silent])

    assert told(more) == told(situation)


FILLERS = [
    {"identity": f"filler {number}", "type": "item", "fields": {"title": "a filler"}}
    for number in range(12)
]
UNRESTRICTED = st.builds(
    lambda size: {"recommendation_type": MODEL, "size": size}, st.integers(4, 8)
)


@usual
@given(situations(pins(criteria=PLAIN_CRITERIA), requests_max=1, request=UNRESTRICTED))
def test_a_pin_alone_in_its_slot_sits_exactly_there(situation: Situation) -> None:
    """An item pin that survives, claimed by nobody else, with enough items to fill what comes before it."""
    names = [str(each["identity"]) for each in FILLERS]
    [ranked] = situation.rankings
    filled = msgspec.structs.replace(
        situation,
        objects=[*situation.objects, *FILLERS],
        rankings=[Ranked(ranked.primary, [*ranked.fallback, *names])],
    )
    desk = oracle.Desk(world_of(filled), filled.requests[0], oracle.Ranking(()))
    desk.step_1(elsewhere=())
    claimed = [pin.position for pin in desk.survivors if pin.position is not None]
    alone = [
        pin
        for pin in desk.survivors
        if pin.item is not None
        and pin.position is not None
        and claimed.count(pin.position) == 1
        and pin.wish.get("is_bundle_pin") is not True
        and pin.position <= desk.size
    ]

    [shown] = items(filled)

    assert [(pin.item, pin.position) for pin in alone] == [
        (shown[pin.position - 1], pin.position) for pin in alone if pin.position is not None
    ]


@usual
@given(situations())
def test_every_pin_met_has_one_verdict_and_it_is_true(situation: Situation) -> None:
    """`placed` and `moved` name the slot where the item is, the one exactly as asked for; the others name no slot."""
    snapshot = snapshot_of(situation)
    requests = scenes.requests_of(situation.requests)

    placements = answer(situation, snapshot)

    for request, placement in zip(requests, placements, strict=True):
        met = [
            (each.id, index)
            for each in snapshot.rules.speaking(
                snapshot.catalog, model=request.model, items=request.items
            )
            for index in range(len(each.pins))
        ]
        outcomes = scenes.outcomes_of(placement)
        assert [(each.customization, each.pin) for each in outcomes] == met
        shown = scenes.items_of(snapshot.catalog, placement)
        bodies = {made.id: made.body for made in situation.customizations}
        for each in outcomes:
            position = bodies[each.customization]["pin_definitions"][each.pin]["position"]
            if each.verdict in ("placed", "moved"):
                assert each.slot is not None
                assert shown[each.slot - 1] == each.item
                assert (each.verdict == "placed") == (position in (-1, each.slot))
            else:
                assert each.slot is None


@usual
@given(situations())
def test_every_shown_pin_has_a_verdict_that_says_so(situation: Situation) -> None:
    """And what is not from a pin is from the ranking, at the place that it says, or from its fallback."""
    snapshot = snapshot_of(situation)

    placements = answer(situation, snapshot)

    for ranked, placement in zip(situation.rankings, placements, strict=True):
        in_force = [
            each.claim for each in placement.judgements if each.verdict in ("placed", "moved")
        ]
        by_pins = [each.claim for each in placement.shown if each.source is Source.PIN]
        assert set(map(id, in_force)) == set(map(id, by_pins))
        assert ranked.primary is not None
        for each in placement.shown:
            identity = snapshot.catalog.identity(each.number)
            if each.source is Source.RANKING:
                assert each.place is not None
                assert ranked.primary[each.place - 1] == identity
            if each.source is Source.FALLBACK:
                assert identity in ranked.fallback
                assert identity not in ranked.primary


@usual
@given(situations(SLEEPING_PINS))
def test_without_awake_pins_the_answer_is_the_ranking_less_the_ineligible(
    situation: Situation,
) -> None:
    """Object after object of the page, each leaving out what an earlier one shows."""
    world = world_of(situation)
    shown: list[str] = []

    answers = items(situation)

    for request, ranked, got in zip(situation.requests, situation.rankings, answers, strict=True):
        ranking = dict.fromkeys([*(ranked.primary or ()), *ranked.fallback])
        eligible = [
            item for item in ranking if oracle.objection(world, request, item, shown) is None
        ]
        assert got == eligible[: request["size"]]
        shown += got


NOBODYS: Wire = {"pin_type": "item", "pin_identity": "not in the catalog"}
DROPPED_PINS = st.lists(pins().map(lambda pin: {**pin, **NOBODYS}), min_size=1, max_size=3)


@usual
@given(situations(), DROPPED_PINS)
def test_pins_that_drop_out_leave_no_trace(situation: Situation, dropped: list[Wire]) -> None:
    """They claim no slot, make no company for a bundle, and duplicate nothing."""
    more = [
        msgspec.structs.replace(
            made,
            body={
                **made.body,
                "pin_definitions": [*made.body["pin_definitions"], *dropped],
            },
        )
        for made in situation.customizations
    ]

    assert items(with_customizations(situation, more)) == items(situation)

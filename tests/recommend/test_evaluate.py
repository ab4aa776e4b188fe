"""
Evaluation: oracles that know the answers, chance that knows nothing, and days that must not be known.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.domain import CatalogObject, Micros
from endcap.errors import RecommenderNotFound, UsageFault
from endcap.recommend.evaluate import POPULARITY, Evaluation, Score, answered, evaluate
from endcap.recommend.questions import Question
from tests.recommend.shelf import DAY, NOW, Line, thing, write_orders

SPLIT = Micros(NOW - 10 * DAY)
ITEMS = [f"i{n:02}" for n in range(40)]


def orders(seed: int = 1, count: int = 400) -> list[Line]:
    """Items are bought in fours that belong together (00 to 03, 04 to 07, …), by thirty users who stay with theirs."""
    chance = random.Random(seed)
    lines: list[Line] = []
    for number in range(count):
        user = chance.randrange(30)
        begin = 4 * (user % 10)
        age = chance.uniform(0, 60)
        lines += [(f"o{number}", item, f"u{user}", age) for item in ITEMS[begin : begin + 4]]
    return lines


def evaluated(
    folder: Path, lines: Sequence[Line], *objects: CatalogObject, **others: Any
) -> Evaluation:
    write_orders(folder / "orders" / "1.parquet", lines)
    return evaluate(folder / "orders", objects, scratch=folder, **{"split": SPLIT, **others})


def scores(found: Evaluation, task: str) -> dict[str, Score]:
    """By every name that has one."""
    return {
        name: each
        for each in found.scores
        if each.task == task
        for name in (each.model, *each.also)
    }


def test_who_knows_the_answer_is_perfect() -> None:
    """And who always knows better scores nothing: the measure itself adds and loses nothing."""
    chance = random.Random(1)
    questions = [
        Question(n, ("x",), None, frozenset(chance.sample(ITEMS, chance.randint(1, 20))))
        for n in range(200)
    ]

    right, shown = answered(lambda question: sorted(question.wanted), questions)
    wrong, _ = answered(
        lambda question: [item for item in ITEMS if item not in question.wanted], questions
    )

    assert right.min() == pytest.approx(1.0)
    assert wrong.max() == 0.0
    assert len(shown) > len(ITEMS) / 2


def test_chance_is_chance(tmp_path: Path) -> None:
    """Of 40 items one is hidden and ten of the other 39 − n are shown: so often it is among them, within its error."""
    found = scores(evaluated(tmp_path, orders(), split=Micros(NOW - 40 * DAY)), "basket")

    chance = found["random"]
    assert chance.questions > 500
    expected = 10 / (40 - 2)  # the cart holds one to three
    assert abs(chance.hit_rate.value - expected) < 4 * chance.hit_rate.error
    assert chance.coverage == 1.0


def test_a_model_that_knows_beats_popularity(tmp_path: Path) -> None:
    """Where items are bought in fours, the rest of a four is found; where users stay with theirs, so is theirs."""
    found = evaluated(tmp_path, orders())

    assert scores(found, "basket")["basket"].hit_rate.value > 0.99
    assert scores(found, "page")["item_detail_complements"].ndcg.value > 0.99
    assert scores(found, "user")["favorites"].hit_rate.value > 0.99
    for task, model in (("basket", "basket"), ("page", "item_detail_complements")):
        assert scores(found, task)[model].verdict == "earns"
        assert scores(found, task)[POPULARITY].verdict == "baseline"
        assert scores(found, task)["random"].verdict in {"unclear", "loses"}


def test_orders_of_strangers_taste_teach_nothing(tmp_path: Path) -> None:
    """Where everything is bought at random no model earns a place: the comparison does not flatter."""
    chance = random.Random(5)
    lines: list[Line] = [
        (f"o{n}", item, f"u{n % 50}", age)
        for n in range(900)
        for age in [chance.uniform(0, 60)]
        for item in chance.sample(ITEMS, 4)
    ]

    found = evaluated(tmp_path, lines, names=("basket", "item_detail_complements"))

    for task in ("basket", "page"):
        for score in scores(found, task).values():
            assert (
                abs(score.ahead.value) < 4 * max(score.ahead.error, 1e-9) or score.ahead.value == 0
            )
            assert score.ndcg.value < 0.5


def test_the_same_seed_gives_the_same_figures(tmp_path: Path) -> None:
    """All of them, chance's too; another seed asks other questions."""
    lines = orders()
    first = evaluated(tmp_path / "1", lines)
    second = evaluated(tmp_path / "2", lines)
    third = evaluated(tmp_path / "3", lines, seed=2)

    assert first == second
    assert first.scores != third.scores


@settings(max_examples=5)
@given(
    later=st.lists(
        st.tuples(st.sampled_from(ITEMS), st.sampled_from(["u1", "u2", None]), st.floats(0, 9.5)),
        min_size=3,
        max_size=40,
    )
)
def test_what_comes_later_is_not_known(
    tmp_path_factory: pytest.TempPathFactory, later: list[tuple[str, str | None, float]]
) -> None:
    """Whatever is ordered after the split, the answers to the same questions stay as they were."""
    folder = tmp_path_factory.mktemp("later")
    known = [line for line in orders(count=150) if line[3] > 10.5]
    asked: list[Line] = [("q", "i00", "u0", 9.9), ("q", "i01", "u0", 9.9), ("q", "i02", "u0", 9.9)]
    more: list[Line] = [(f"x{n}", item, user, age) for n, (item, user, age) in enumerate(later)]
    until = Micros(NOW - int(9.8 * DAY))

    alone = evaluated(folder / "alone", [*known, *asked], until=until)
    among = evaluated(folder / "among", [*known, *asked, *more], until=until)

    assert alone == among


def test_what_is_served_is_not_touched(tmp_path: Path) -> None:
    """Nothing is left in the folder that it may work in, also when it fails."""
    evaluated(tmp_path, orders())
    with pytest.raises(UsageFault, match="no order lines"):
        evaluated(tmp_path, orders(), split=Micros(NOW - 90 * DAY))

    assert [path.name for path in tmp_path.iterdir()] == ["orders"]


def test_the_catalog_is_that_of_the_split(tmp_path: Path) -> None:
    """What is sold out by now could be bought then; what came since could not be shown; what went is there."""
    objects = [
        thing("i00", availability=0),
        thing("i01", availability_rank=15),
        thing("new", introduced_at="2026-10-30"),
        thing("shelved"),
    ]
    found = evaluated(tmp_path, orders(), *objects, names=("basket", "news"))

    assert found.items == 40
    assert scores(found, "basket")["basket"].hit_rate.value > 0.99
    news = scores(found, "basket")[
        "news"
    ]  # of which there is nothing left: it goes on with popularity
    assert (news.ahead.value, news.ahead.error) == (0.0, 0.0)


def test_few_questions_are_no_verdict(tmp_path: Path) -> None:
    """Four orders are an anecdote, however well they are met."""
    lines = orders(count=200)
    lines = [line for line in lines if line[3] > 10.5]
    lines += [(f"q{n}", f"i0{m}", "u0", 1.0) for n in range(4) for m in range(3)]

    found = evaluated(tmp_path, lines)

    assert found.questions["basket"] == 12
    assert {each.verdict for each in found.scores} == {"too_few"}


def test_a_task_without_a_question_is_left_out(tmp_path: Path) -> None:
    """A shop whose customers are all strangers; the count says so."""
    lines = [(order, item, None, age) for order, item, _, age in orders()]

    found = evaluated(tmp_path, lines)

    assert found.questions["user"] == 0
    assert {each.task for each in found.scores} == {"basket", "page"}


def test_new_items_are_counted_and_not_asked_for(tmp_path: Path) -> None:
    """No model can know them."""
    lines = orders()
    lines += [(f"n{n}", item, None, 1.0) for n in range(50) for item in ("unheard", "i00")]

    found = evaluated(tmp_path, lines)

    plain = evaluated(tmp_path / "plain", orders())
    assert found.questions == plain.questions
    assert found.unknown_share > plain.unknown_share == 0.0


def test_models_of_one_meaning_are_asked_once(tmp_path: Path) -> None:
    """`basket` and its numbered sister give one line with both names, beside popularity."""
    found = evaluated(tmp_path, orders(), names=("basket", "basket_2"))

    assert [(each.model, each.also) for each in found.scores] == [
        (POPULARITY, ()),
        ("basket", ("basket_2",)),
    ]


def test_an_unknown_model_is_refused(tmp_path: Path) -> None:
    """Before anything is built."""
    with pytest.raises(RecommenderNotFound, match="baskets: no model"):
        evaluated(tmp_path, orders(), names=("baskets",))


def test_a_split_after_the_last_order_is_refused(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(UsageFault, match="choose an earlier day"):
        evaluated(tmp_path, orders(), split=Micros(NOW + DAY))

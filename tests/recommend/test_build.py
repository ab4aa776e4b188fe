"""
Building: what orders teach, checked against a plain count in Python.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.recommend.artifact import VIEWED_MAX, Artifact, TableName
from endcap.recommend.build import STEPS, build
from tests.recommend.shelf import DAY, NOW, Line, View, write_orders, write_views


def built(folder: Path, *files: Sequence[Line]) -> Artifact:
    for number, lines in enumerate(files):
        write_orders(folder / "orders" / f"{number}.parquet", lines)
    return build(folder / "orders", folder / "artifacts", now=NOW)


def neighbours(artifact: Artifact, identity: str, table: TableName = "page") -> dict[str, float]:
    """An item's neighbours, best first."""
    found = artifact.learned.table(table)
    at = artifact.indexes[identity]
    return {
        artifact.learned.identities[index]: float(affinity)
        for index, affinity in zip(found.neighbours[at], found.affinities[at], strict=True)
        if index >= 0
    }


lines_of = st.lists(
    st.tuples(
        st.sampled_from("123456"),
        st.sampled_from("abcde"),
        st.none() | st.sampled_from(["ann", "bob"]),
        st.integers(0, 400),
    ),
    min_size=1,
    max_size=40,
)
later_lines = st.lists(
    st.tuples(
        st.sampled_from([f"later{n}" for n in range(6)]),
        st.sampled_from("abcdefxyz"),
        st.sampled_from(["ann", "bob", None]),
        st.integers(-60, -1),
    ),
    max_size=20,
)


def test_recent_orders_make_popular(tmp_path: Path) -> None:
    """Two orders today outweigh three a month ago; of equally old ones more is more."""
    lines: list[Line] = [(f"o{n}", "old", None, 30) for n in range(3)]
    lines += [(f"n{n}", "new", None, 0) for n in range(2)]
    lines += [("m", "middle", None, 7)]

    scores = built(tmp_path, lines).scores

    assert sorted(scores, key=lambda each: -scores[each]) == ["new", "middle", "old"]
    assert scores["new"] == pytest.approx(2, abs=1e-6)
    assert scores["middle"] == pytest.approx(0.5, abs=1e-6)


def test_where_nothing_is_recent_all_time_decides(tmp_path: Path) -> None:
    """Orders of years ago weigh nothing alone, but still more of them are more."""
    lines: list[Line] = [("today", "x", None, 0)]
    lines += [(f"a{n}", "often", None, 900) for n in range(5)]
    lines += [("b", "once", None, 700)]

    scores = built(tmp_path, lines).scores

    assert scores["often"] > scores["once"] > 0


def test_neighbours_are_what_was_bought_together(tmp_path: Path) -> None:
    """Strings go with guitars; what met only once by chance does not count."""
    lines: list[Line] = []
    for n in range(4):
        lines += [(f"o{n}", "guitar", None, n), (f"o{n}", "strings", None, n)]
    lines += [("chance", "guitar", None, 1), ("chance", "drum", None, 1)]

    artifact = built(tmp_path, lines)

    assert list(neighbours(artifact, "guitar")) == ["strings"]
    assert list(neighbours(artifact, "strings")) == ["guitar"]
    assert neighbours(artifact, "drum") == {}


def test_what_everybody_buys_is_damped(tmp_path: Path) -> None:
    """Met equally often, the rarer neighbour says more of a cart; on a page what sells is as welcome."""
    lines: list[Line] = []
    for n in range(4):
        lines += [(f"o{n}", item, None, 0) for item in ("guitar", "strap", "bag")]
    lines += [(f"p{n}", "bag", None, 0) for n in range(40)]

    artifact = built(tmp_path, lines)

    assert list(neighbours(artifact, "guitar", "cart")) == ["strap", "bag"]
    assert list(neighbours(artifact, "guitar", "page")) == ["bag", "strap"]


def test_huge_orders_teach_no_neighbours(tmp_path: Path) -> None:
    """An order of 101 items is a wholesaler's; one of 100 counts."""
    huge: list[Line] = [(f"h{n}", f"i{item}", None, 0) for n in range(3) for item in range(101)]
    large: list[Line] = [(f"l{n}", f"j{item}", None, 0) for n in range(3) for item in range(100)]

    artifact = built(tmp_path, huge + large)

    assert neighbours(artifact, "i7") == {}
    assert len(neighbours(artifact, "j7")) == 50
    assert artifact.learned.orders[artifact.indexes["i7"]] == 3


def test_what_rises_comes_first_on_a_page(tmp_path: Path) -> None:
    """Two neighbours met as often and at the same times: the one that sells more than its due lately is ahead."""
    lines: list[Line] = []
    for n in range(4):
        lines += [(f"o{n}", item, None, 90) for item in ("guitar", "strap", "bag")]
    lines += [(f"s{n}", "strap", None, 80) for n in range(10)]
    lines += [(f"b{n}", "bag", None, 1) for n in range(7)]

    artifact = built(tmp_path, lines)

    assert list(neighbours(artifact, "guitar", "page")) == ["bag", "strap"]


def test_popularity_is_told_over_several_spans(tmp_path: Path) -> None:
    """Orders of two weeks, and how far the last one stands out of the four before, by hand."""
    lines: list[Line] = [("now", "calm", None, 0)]
    lines += [(f"r{n}", "rising", None, 3) for n in range(6)]
    lines += [(f"f{n}", "falling", None, 10 + n) for n in range(8)]
    lines += [(f"e{n}", "falling", None, 40) for n in range(5)]

    artifact = built(tmp_path, lines)

    learned = artifact.learned
    recent = dict(zip(learned.identities, learned.recent.tolist(), strict=True))
    rise = dict(zip(learned.identities, learned.rise.tolist(), strict=True))
    assert recent == {"calm": 1, "rising": 6, "falling": 4}
    assert rise == pytest.approx({"calm": 1, "rising": 6, "falling": -2 / 3**0.5})


def test_an_item_of_an_order_counts_once_across_files(tmp_path: Path) -> None:
    """Exports overlap: the same lines in two files, or twice in one, are the same orders."""
    lines: list[Line] = [("1", "a", "ann", 1), ("1", "b", "ann", 1), ("2", "a", None, 0)]
    once = built(tmp_path / "once", lines)
    again = built(tmp_path / "again", lines, [*lines, *lines])

    assert once.name == again.name
    assert once.counts["lines"] == 3


def test_views_tell_what_is_looked_at_together(tmp_path: Path) -> None:
    """What users look at on one day is kept in a table of its own, also for items that nobody ordered."""
    orders = write_orders(tmp_path / "orders" / "1.parquet", [("1", "amp", "ann", 1)])
    views = [
        View(user, "click" if item == "tele" else "view", item, age)
        for user, age in (("ann", 0.1), ("bob", 0.2), ("carl", 3.1))
        for item in ("strat", "tele")
    ]
    views += [View("ann", "view", "drum", 20), View("ann", "conversion", "amp", 0.1)]
    write_views(tmp_path / "views.parquet", views)

    artifact = build(orders, tmp_path / "out", now=NOW, views=tmp_path / "views.parquet")

    assert artifact.learned.identities == ["amp", "drum", "strat", "tele"]
    assert list(neighbours(artifact, "strat", "viewed")) == ["tele"]
    assert list(neighbours(artifact, "tele", "viewed")) == ["strat"]
    assert neighbours(artifact, "drum", "viewed") == neighbours(artifact, "strat", "page") == {}
    assert artifact.counts["viewed"] == 2
    assert artifact.scores["strat"] == 0.0


def test_without_views_nothing_is_looked_at_together(tmp_path: Path) -> None:
    """The table takes no room then, and asking it is no fault."""
    artifact = built(tmp_path, [("1", "a", None, 0), ("1", "b", None, 0)])

    assert artifact.learned.viewed_neighbours.shape == (0, VIEWED_MAX)


@settings(max_examples=15)
@given(lines=lines_of, later=later_lines)
def test_what_comes_later_is_not_learned(lines: list[Line], later: list[Line]) -> None:
    """Orders, and views, from an instant on never change what is built of those before: the same bytes."""
    split = Micros(NOW + 1)
    seen = [View(user or "eve", "view", item, age) for _, item, user, age in lines]
    unseen = [View(user or "eve", "view", item, age) for _, item, user, age in later]
    with TemporaryDirectory() as name:
        one, other = Path(name) / "one", Path(name) / "other"
        first = build(
            write_orders(one / "lines.parquet", lines),
            one / "artifacts",
            now=split,
            views=write_views(one / "views.parquet", seen),
        )
        second = build(
            write_orders(other / "lines.parquet", [*lines, *later]),
            other / "artifacts",
            now=split,
            before=split,
            views=write_views(other / "views.parquet", [*seen, *unseen]),
        )

        assert first.name == second.name


def test_an_order_is_not_torn_apart(tmp_path: Path) -> None:
    """An order came when its first line did: a line that was added later belongs to it."""
    lines: list[Line] = [("1", "a", None, 5), ("1", "b", None, 3), ("2", "c", None, 3)]
    write_orders(tmp_path / "1.parquet", lines)

    artifact = build(tmp_path / "1.parquet", tmp_path / "out", now=NOW, before=ago(4))

    assert artifact.learned.identities == ["a", "b"]


def test_nothing_before_is_told(tmp_path: Path) -> None:
    """With no order before the instant there is nothing to learn, and the message says since when."""
    write_orders(tmp_path / "1.parquet", [("1", "a", None, 5)])

    with pytest.raises(UsageFault, match="before 2026-10-22"):
        build(tmp_path / "1.parquet", tmp_path / "out", now=NOW, before=ago(10))


def ago(days: float) -> Micros:
    return Micros(NOW - int(days * DAY))


def test_histories_are_newest_first(tmp_path: Path) -> None:
    """A user's items by their latest order, each with how often it was ordered; at most 20."""
    lines: list[Line] = [
        ("1", "strings", "ann", 9),
        ("2", "guitar", "ann", 5),
        ("3", "strings", "ann", 1),
        ("4", "drum", "bob", 2),
        ("5", "drum", None, 2),
    ]
    lines += [(f"c{n}", f"i{n}", "carl", n) for n in range(30)]

    artifact = built(tmp_path, lines)

    def history(user: str) -> list[tuple[str, int]]:
        indexes, times = artifact.history(user)
        identities = [artifact.learned.identities[index] for index in indexes]
        return list(zip(identities, times, strict=True))

    assert history("ann") == [("strings", 2), ("guitar", 1)]
    assert history("bob") == [("drum", 1)]
    assert history("carl") == [(f"i{n}", 1) for n in range(20)]
    assert history("nobody") == []


def test_a_slip_into_the_future_does_not_age_the_rest(tmp_path: Path) -> None:
    """An order dated after now counts as made now."""
    lines: list[Line] = [("1", "a", None, -3_650), ("2", "b", None, 0), ("3", "b", None, 0)]

    scores = built(tmp_path, lines).scores

    assert scores["a"] == pytest.approx(1, abs=1e-6)
    assert scores["b"] == pytest.approx(2, abs=1e-6)


def test_an_old_log_is_read_from_its_end(tmp_path: Path) -> None:
    """Ages count from the last order: a log that ended years ago still tells recent from old."""
    lines: list[Line] = [("1", "old", None, 4_100), ("2", "late", None, 4_000)]

    scores = built(tmp_path, lines).scores

    assert scores["late"] == pytest.approx(1, abs=1e-6)
    assert scores["old"] < 0.001


def test_without_orders_there_is_nothing_to_build(tmp_path: Path) -> None:
    """No folder, an empty folder and an empty file say so, and leave nothing behind."""
    for orders in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageFault, match="import transactions first"):
            build(orders, tmp_path / "artifacts", now=NOW)
    write_orders(tmp_path / "orders" / "0.parquet", [])
    with pytest.raises(UsageFault, match="no order lines"):
        build(tmp_path / "orders", tmp_path / "artifacts", now=NOW)

    assert list((tmp_path / "artifacts").iterdir()) == []


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    """What is no Parquet file stops the build and says which file it is."""
    orders = tmp_path / "orders"
    orders.mkdir()
    (orders / "broken.parquet").write_bytes(b"PAR1 and then nothing")

    with pytest.raises(UsageFault, match=r"broken\.parquet"):
        build(orders, tmp_path / "artifacts", now=NOW)


def test_progress_is_told_step_by_step(tmp_path: Path) -> None:
    """Each step is announced as it begins, and the end is."""
    write_orders(tmp_path / "0.parquet", [("1", "a", None, 0)])
    told: list[tuple[str, int, int]] = []

    build(tmp_path, tmp_path / "out", now=NOW, progress=lambda *step: told.append(step))

    assert told == [(step, n, len(STEPS)) for n, step in enumerate((*STEPS, "done"))]


@settings(max_examples=15)
@given(lines=lines_of, chance=st.randoms())
def test_the_order_of_lines_does_not_matter(lines: list[Line], chance: object) -> None:
    """The same lines in another order, in other files, with other threads: the same bytes."""
    shuffled = list(lines)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    half = len(shuffled) // 2
    with TemporaryDirectory() as name:
        one, other = Path(name) / "one", Path(name) / "other"
        first = built(one, lines)
        for number, part in enumerate((shuffled[:half], shuffled[half:])):
            write_orders(other / "orders" / f"{number}.parquet", part)
        second = build(other / "orders", other / "artifacts", now=NOW, threads=1)

        assert first.name == second.name


@settings(max_examples=15)
@given(lines=lines_of)
def test_affinities_are_the_formulas(lines: list[Line]) -> None:
    """Both tables hold what the head of `neighbours.sql` says, as nested loops count it."""
    shop = Counted(lines)
    with TemporaryDirectory() as name:
        artifact = built(Path(name), lines)

        for one in shop.weight:
            met = [other for other in shop.weight if shop.met[one, other] >= 2]
            for table, formula in (("page", shop.page), ("cart", shop.cart)):
                found = neighbours(artifact, one, cast(TableName, table))
                expected = {other: formula(one, other) for other in met}
                assert found == pytest.approx(expected, rel=1e-3)
                assert list(found.values()) == sorted(found.values(), reverse=True)
        assert np.array_equal(
            artifact.learned.orders,
            [sum(one in held for held in shop.items.values()) for one in sorted(shop.weight)],
        )


class Counted:
    """What the formulas speak of, counted order by order."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.items: dict[str, set[str]] = defaultdict(set)
        days: dict[str, float] = {}
        for order, item, _, age in lines:
            self.items[order].add(item)
            days[order] = max(days.get(order, 0), age)  # an order is as old as its first line
        newest = min(days.values())
        self.weight: dict[str, float] = defaultdict(float)
        self.lately: dict[str, float] = defaultdict(float)
        self.together: dict[tuple[str, str], float] = defaultdict(float)
        self.met: Counter[tuple[str, str]] = Counter()
        self.all = self.all_lately = 0.0
        for order, held in self.items.items():
            age, share = days[order] - newest, max(1, len(held) - 1) ** -0.5
            weight, lately = 60 / (60 + age) * share, 0.5 ** (age / 7) * share
            self.all += weight
            self.all_lately += lately
            for one in held:
                self.weight[one] += weight
                self.lately[one] += lately
                for other in held - {one}:
                    self.together[one, other] += weight
                    self.met[one, other] += 1

    def page(self, one: str, other: str) -> float:
        due = self.weight[other] * self.all_lately / self.all
        rise = ((self.lately[other] + 0.3) / (due + 0.3)) ** 0.3
        smoothed = self.together[one, other] + self.lately[other] / self.all_lately
        damped: float = (self.weight[one] + 1) * self.weight[other] ** 0.1
        return smoothed / damped * float(rise)

    def cart(self, one: str, other: str) -> float:
        damped = self.weight[one] ** 0.75 * self.weight[other] ** 0.25
        return float((self.together[one, other] / damped) ** 1.5)

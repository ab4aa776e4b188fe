"""
Building: what orders teach, checked against a plain count in Python.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.errors import UsageFault
from endcap.recommend.artifact import Artifact
from endcap.recommend.build import STEPS, build
from tests.recommend.shelf import NOW, Line, write_orders


def built(folder: Path, *files: Sequence[Line]) -> Artifact:
    for number, lines in enumerate(files):
        write_orders(folder / "orders" / f"{number}.parquet", lines)
    return build(folder / "orders", folder / "artifacts", now=NOW)


def neighbours(artifact: Artifact, identity: str) -> dict[str, float]:
    """An item's neighbours, best first."""
    learned = artifact.learned
    at = artifact.indexes[identity]
    return {
        learned.identities[index]: float(affinity)
        for index, affinity in zip(learned.neighbours[at], learned.affinities[at], strict=True)
        if index >= 0
    }


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
    """Met equally often, the rarer neighbour is the better one."""
    lines: list[Line] = []
    for n in range(4):
        lines += [(f"o{n}", item, None, 0) for item in ("guitar", "strap", "bag")]
    lines += [(f"p{n}", "bag", None, 0) for n in range(40)]

    assert list(neighbours(built(tmp_path, lines), "guitar")) == ["strap", "bag"]


def test_huge_orders_teach_no_neighbours(tmp_path: Path) -> None:
    """An order of 101 items is a wholesaler's; one of 100 counts."""
    huge: list[Line] = [(f"h{n}", f"i{item}", None, 0) for n in range(3) for item in range(101)]
    large: list[Line] = [(f"l{n}", f"j{item}", None, 0) for n in range(3) for item in range(100)]

    artifact = built(tmp_path, huge + large)

    assert neighbours(artifact, "i7") == {}
    assert len(neighbours(artifact, "j7")) == 50
    assert artifact.learned.orders[artifact.indexes["i7"]] == 3


def test_an_item_of_an_order_counts_once_across_files(tmp_path: Path) -> None:
    """Exports overlap: the same lines in two files, or twice in one, are the same orders."""
    lines: list[Line] = [("1", "a", "ann", 1), ("1", "b", "ann", 1), ("2", "a", None, 0)]
    once = built(tmp_path / "once", lines)
    again = built(tmp_path / "again", lines, [*lines, *lines])

    assert once.name == again.name
    assert once.counts["lines"] == 3


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
def test_affinities_are_the_formula(lines: list[Line]) -> None:
    """P(j given i) over the popularity of j to the power 0.2, as three nested loops count it."""
    items: dict[str, set[str]] = defaultdict(set)
    age: dict[str, float] = {}
    for order, item, _, days in lines:
        items[order].add(item)
        age[order] = max(age.get(order, 0), days)  # an order is as old as its first line
    newest = min(age.values())
    weight = {order: 0.5 ** ((days - newest) / 120) for order, days in age.items()}
    alone: Counter[str] = Counter()
    together: dict[tuple[str, str], float] = defaultdict(float)
    met: Counter[tuple[str, str]] = Counter()
    for order, held in items.items():
        for one in held:
            alone[one] += weight[order]
            for other in held - {one}:
                together[one, other] += weight[order]
                met[one, other] += 1
    with TemporaryDirectory() as name:
        artifact = built(Path(name), lines)

        for one in alone:
            expected = {
                other: together[one, other] / alone[one] / alone[other] ** 0.2
                for other in alone
                if met[one, other] >= 2
            }
            found = neighbours(artifact, one)
            assert found == pytest.approx(expected, rel=1e-4)
            assert list(found.values()) == sorted(found.values(), reverse=True)
        assert np.array_equal(
            artifact.learned.orders,
            [sum(one in held for held in items.values()) for one in sorted(alone)],
        )

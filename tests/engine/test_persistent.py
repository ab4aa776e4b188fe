"""
The persistent containers against a dict and a list.
"""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endcap.engine.persistent import PersistentList, PersistentMap
from tests.engine.strategies import EXAMPLES

usual = settings(max_examples=EXAMPLES)

keys = st.integers(0, 12).map(
    lambda number: number * 128
)  # two shards of the 256, so that they fill
changes = st.dictionaries(keys, st.one_of(st.integers(0, 3), st.none()), max_size=5)


def entries(persistent: PersistentMap[int, int]) -> dict[int, int | None]:
    return {key: persistent.get(key) for key in persistent}


@usual
@given(st.dictionaries(keys, st.integers(0, 3)), st.lists(changes, max_size=4))
def test_a_map_changes_like_a_dict(
    start: dict[int, int], history: list[Mapping[int, int | None]]
) -> None:
    """Look-ups, length, keys and values; None removes; each version stays as it was."""
    persistent = PersistentMap(start)
    plain = dict(start)
    versions = [(persistent, dict(plain))]

    for step in history:
        persistent = persistent.changed(step)
        plain |= {key: value for key, value in step.items() if value is not None}
        plain = {key: value for key, value in plain.items() if step.get(key, value) is not None}
        versions.append((persistent, dict(plain)))

    for version, expected in versions:
        assert entries(version) == expected
        assert len(version) == len(expected)
        assert sorted(version.values()) == sorted(expected.values())
        assert version.get(-1) is None


def test_a_map_of_texts_spreads_over_its_shards() -> None:
    """Whatever the hash of texts is in this process."""
    plain = {f"key {number}": number for number in range(2_000)}

    persistent = PersistentMap(plain).changed({"key 7": None, "new": 1})

    expected = {**plain, "new": 1}
    del expected["key 7"]
    assert {key: persistent.get(key) for key in persistent} == expected
    assert len(persistent) == len(expected)


@pytest.mark.parametrize("length", [0, 1, 1_023, 1_024, 1_025, 2_048, 2_500])
def test_a_list_changes_like_a_list(length: int) -> None:
    """At the edges of its chunks: set by index, appended, read by index and in order; the version before stays."""
    start = list(range(length))
    persistent: PersistentList[object] = PersistentList(start)
    at = {index: -index for index in (0, 1_022, 1_023, 1_024, length - 1) if 0 <= index < length}

    changed = persistent.changed(at, appended=["a", "b", "c"])

    expected = [at.get(index, index) for index in start] + ["a", "b", "c"]
    assert list(changed) == [changed[index] for index in range(len(changed))] == expected
    assert len(changed) == length + 3
    assert list(persistent) == start


@usual
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.integers(0, 2_999), st.integers(0, 9), max_size=3),
            st.integers(0, 700),
        ),
        max_size=5,
    )
)
def test_a_list_grows_like_a_list(history: list[tuple[dict[int, int], int]]) -> None:
    """Through any number of versions."""
    persistent: PersistentList[int] = PersistentList()
    plain: list[int] = []
    versions = [(persistent, list(plain))]

    for changes, count in history:
        known = {index: value for index, value in changes.items() if index < len(plain)}
        persistent = persistent.changed(known, range(count))
        for index, value in known.items():
            plain[index] = value
        plain += range(count)
        versions.append((persistent, list(plain)))

    assert [(list(version), len(version)) for version, _ in versions] == [
        (expected, len(expected)) for _, expected in versions
    ]

"""
A user's way out of what was built: out of the arrays, and out of every artifact on disk.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.recommend import erasing
from endcap.recommend.artifact import Artifact, load_artifact, user_digest, write_artifact
from tests.recommend.shelf import NOW, artifact

USERS = {
    "ann": {"c": 1, "a": 3},
    "bob": {"b": 2},
    "eve": {"a": 1, "b": 1, "c": 4},
}
BUILT = artifact({"a": {"b": 0.5}, "b": {"a": 0.5}}, {"a": 3.0, "c": 1.0}, USERS)


def known(found: Artifact, user: str) -> list[tuple[float, ...]]:
    """Everything that is kept of a user, item by item."""
    learned = found.learned
    begin, end = found.history_of(user)
    columns = (learned.bought, learned.times, learned.ages, learned.spans)
    return list(zip(*(column[begin:end].tolist() for column in columns), strict=True))


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two artifacts that know Ann, and one that does not."""
    write_artifact(BUILT.learned, tmp_path, now=NOW, lines=9)
    write_artifact(BUILT.learned, tmp_path, now=Micros(NOW - 86_400_000_000), lines=9)
    others = artifact({}, {"a": 1.0}, {"bob": {"a": 1}})
    write_artifact(others.learned, tmp_path, now=Micros(NOW + 86_400_000_000))
    return tmp_path


@pytest.mark.parametrize("user", sorted(USERS))
def test_one_goes_and_the_others_stay(user: str) -> None:
    """Wherever among the digests the user is: every other history is what it was."""
    left = Artifact(erasing.without(BUILT, user), None)

    assert known(left, user) == []
    assert np.uint64(user_digest(user)) not in left.learned.users
    for other in set(USERS) - {user}:
        assert known(left, other) == known(BUILT, other) != []
    assert left.learned.histories[-1] == len(left.learned.bought) == 6 - len(USERS[user])


def test_what_names_nobody_stays(folder: Path) -> None:
    """Popularity and neighbours, the time of building and the number of lines."""
    before = {each.name: load_artifact(each) for each in folder.iterdir()}

    written = erasing.successors(folder, "ann")

    assert len(written) == 2
    for name, successor in written.items():
        after = load_artifact(folder / successor)
        assert after.built_at == before[name].built_at
        assert after.counts == {**before[name].counts, "users": 2}
        for field in ("popularity", "orders", "neighbours", "affinities"):
            assert np.array_equal(getattr(after.learned, field), getattr(BUILT.learned, field))


def test_a_successor_was_left_when_its_predecessor_was(folder: Path) -> None:
    """So that what is pruned first stays the same."""
    for each in folder.iterdir():
        os.utime(each, (1_000_000, 1_000_000))

    written = erasing.successors(folder, "ann")

    assert {(folder / name).stat().st_mtime for name in written.values()} == {1_000_000}


def test_every_artifact_on_disk_forgets(folder: Path) -> None:
    """Also those that were kept to go back to; what never knew the user is not touched."""
    untouched = [
        each for each in names(folder) if not load_artifact(folder / each).history_of("ann")[1]
    ]
    written = erasing.successors(folder, "ann")

    erasing.remove(folder, "ann", served=None)

    assert names(folder) == sorted([*untouched, *written.values()])
    assert list(erasing.knowing(folder, "ann")) == []
    assert erasing.successors(folder, "ann") == {}


def test_a_stranger_changes_nothing(folder: Path) -> None:
    """Nothing is written, nothing deleted."""
    before = names(folder)

    assert erasing.successors(folder, "stranger") == {}
    erasing.remove(folder, "stranger", served=None)

    assert names(folder) == before


def test_nothing_was_ever_built(tmp_path: Path) -> None:
    """There is no folder yet."""
    assert erasing.successors(tmp_path / "none", "ann") == {}


def test_what_cannot_be_read_goes_unless_it_is_served(folder: Path) -> None:
    """Nobody can tell whether it knows the user. The one that is served is left, and said."""
    broken = folder / names(folder)[0]
    (broken / "bought.npy").write_bytes(b"?")

    with pytest.raises(UsageFault, match="build anew, then repeat this"):
        erasing.remove(folder, "stranger", served=broken.name)
    assert broken.is_dir()

    erasing.remove(folder, "stranger", served=None)
    assert not broken.exists()

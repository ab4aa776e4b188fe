"""
The artifacts on disk: which are whole, which may go, what a killed build leaves.
"""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.recommend import archive
from endcap.recommend.artifact import Learned, load_artifact, write_artifact
from tests.recommend.shelf import DAY, NOW, artifact

LEARNED = artifact({"a": {"b": 0.5}, "b": {"a": 0.5}}, {"a": 3.0, "b": 2.0}).learned
OTHER = replace(LEARNED, popularity=LEARNED.popularity * 2)
MINUTE = 60
LONG_AGO = 1_600_000_000  # when those of a test were left: before the test, whatever this machine's clock says


def written(folder: Path, *, days: int, learned: Learned = LEARNED) -> str:
    """An artifact built so many days after another, left as many seconds after it."""
    name = write_artifact(learned, folder, now=Micros(NOW + days * DAY)).name
    left(folder, name, days)
    return name


def left(folder: Path, name: str, seconds: float) -> None:
    at = LONG_AGO + seconds
    os.utime(folder / name, (at, at))


def test_the_newest_comes_first(tmp_path: Path) -> None:
    """With what its manifest says and how large it is; what is no artifact is not listed."""
    names = [written(tmp_path, days=days) for days in (2, 0, 1)]
    (tmp_path / "notes").mkdir()
    (tmp_path / ".draft-x").mkdir()

    found = archive.archived(tmp_path)

    assert [each.name for each in found] == sorted(names, reverse=True)
    for each in found:
        assert each.manifest is not None
        assert each.manifest.version == each.name
        assert each.bytes == sum(file.stat().st_size for file in each.path.iterdir())
    assert archive.archived(tmp_path / "nowhere") == []


def test_one_without_a_manifest_is_listed_as_what_it_is(tmp_path: Path) -> None:
    """A person may want to see it, and to delete it."""
    name = written(tmp_path, days=0)
    (tmp_path / name / "manifest.json").unlink()

    (found,) = archive.archived(tmp_path)

    assert found.manifest is None
    assert archive.fault_of(found.path) is not None


def test_an_artifact_is_found_by_its_name_alone(tmp_path: Path) -> None:
    """No name leads out of the folder, and who asks for another is told which there are."""
    name = written(tmp_path, days=0)

    assert archive.find(tmp_path, name) == tmp_path / name
    for wrong in ("", "..", "../x", "20200101T000000Z-00000000"):
        with pytest.raises(UsageFault, match=name):
            archive.find(tmp_path, wrong)


def test_the_last_good_one_is_the_newest_before_that_is_whole(tmp_path: Path) -> None:
    """Broken ones are passed over, and newer ones: somebody went back from them."""
    oldest, good, broken, current, newer = (written(tmp_path, days=days) for days in range(5))
    (tmp_path / broken / "orders.npy").unlink()

    found = archive.last_good(tmp_path, before=current)

    assert found is not None
    assert found.name == good
    assert archive.last_good(tmp_path, before=oldest) is None
    assert newer > current


def test_artifacts_of_one_second_are_told_apart(tmp_path: Path) -> None:
    """Their names differ by a digest, which knows no order; the manifest tells when each was built."""
    names = [
        write_artifact(
            replace(LEARNED, popularity=LEARNED.popularity * (1 + at)),
            tmp_path,
            now=Micros(NOW + at),
        ).name
        for at in range(8)
    ]
    assert len({name[:16] for name in names}) == 1
    assert names != sorted(names)

    assert [each.name for each in archive.archived(tmp_path)] == names[::-1]
    for at in range(1, 8):
        found = archive.last_good(tmp_path, before=names[at])
        assert found is not None
        assert found.name == names[at - 1]
    assert archive.last_good(tmp_path, before=names[0]) is None


@pytest.mark.parametrize("how", ["flip", "truncate", "extend", "unlink"])
@pytest.mark.parametrize("name", ["items.json", "neighbours.npy", "manifest.json"])
def test_a_fault_is_found_wherever_it_is(tmp_path: Path, name: str, how: str) -> None:
    """A byte that flipped, an end that is missing, one too many, a file that is gone."""
    path = tmp_path / written(tmp_path, days=0)
    assert archive.fault_of(path) is None
    content = (path / name).read_bytes()
    middle = len(content) // 2
    match how:
        case "flip":
            flipped = content[:middle] + bytes([content[middle] ^ 0x80]) + content[middle + 1 :]
            (path / name).write_bytes(flipped)
        case "truncate":
            (path / name).write_bytes(content[:middle])
        case "extend":
            (path / name).write_bytes(content + b"{")
        case _:
            (path / name).unlink()

    assert str(path) in (archive.fault_of(path) or "")


def superfluous(folder: Path, *, served: str | None, keep: int, seconds: float = 3_600) -> set[str]:
    """What may go so many seconds later."""
    found = archive.superfluous(
        folder,
        served=served,
        keep=keep,
        now=Micros(round((LONG_AGO + seconds) * 1e6)),
        left_seconds_min=10 * MINUTE,
    )
    return {each.name for each in found}


def test_those_left_last_are_kept(tmp_path: Path) -> None:
    """Beside the one that is served, which stays however old it is."""
    names = [written(tmp_path, days=days) for days in range(5)]

    assert superfluous(tmp_path, served=names[4], keep=2) == {names[0], names[1]}
    assert superfluous(tmp_path, served=names[0], keep=2) == {names[1], names[2]}
    assert superfluous(tmp_path, served=None, keep=2) == set(names[:3])
    assert superfluous(tmp_path, served=names[4], keep=9) == set()


def test_an_old_one_that_was_served_lately_is_kept(tmp_path: Path) -> None:
    """Who went back to it may want it again, though it was built before the others."""
    names = [written(tmp_path, days=days) for days in range(4)]
    archive.leave(tmp_path, names[0])

    assert superfluous(tmp_path, served=names[3], keep=1) == {names[1], names[2]}
    archive.leave(tmp_path, "20200101T000000Z-00000000")
    archive.leave(tmp_path, None)


def test_one_left_a_moment_ago_is_kept_however_many_there_are(tmp_path: Path) -> None:
    """Workers, perhaps of other hosts, may still read it."""
    names = [written(tmp_path, days=days) for days in range(4)]
    left(tmp_path, names[1], 3_600 - 599)

    assert superfluous(tmp_path, served=names[3], keep=0) == {names[0], names[2]}
    assert superfluous(tmp_path, served=names[3], keep=0, seconds=3_601) == set(names[:3])


def test_a_deleted_artifact_goes_on_for_who_has_it(tmp_path: Path) -> None:
    """Its files are mapped; nobody finds it any more."""
    many = artifact({f"i{n}": {f"i{n + 1}": 0.5} for n in range(500)}).learned
    name = written(tmp_path, days=0, learned=many)
    mapped = load_artifact(tmp_path / name)

    archive.delete(tmp_path / name)

    assert list(tmp_path.iterdir()) == []
    assert mapped.learned.affinities[:400, 0].sum() == 200
    with pytest.raises(UsageFault):
        load_artifact(tmp_path / name)


def test_leftovers_are_swept_and_artifacts_are_not(tmp_path: Path) -> None:
    """Drafts, what was spilled, and what was being deleted."""
    name = written(tmp_path, days=0)
    for leftover in (".draft-1", ".spill-1", f".gone-{name}"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "half.npy").write_bytes(b"half")

    assert archive.leftovers(tmp_path) == [".draft-1", f".gone-{name}", ".spill-1"]
    archive.sweep(tmp_path)

    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert archive.fault_of(tmp_path / name) is None

"""
Artifacts: written whole, checked when loaded, never changed.
"""

from pathlib import Path

import numpy as np
import pytest

from endcap.domain import TrackerId
from endcap.errors import UsageFault
from endcap.recommend.artifact import (
    FORMAT,
    NOTHING_BUILT,
    Artifact,
    Learned,
    artifacts_directory,
    folder_name,
    load_artifact,
    write_artifact,
)
from tests.recommend.shelf import NOW, artifact

LEARNED = artifact(
    {"a": {"b": 0.5, "c": 0.25}, "b": {"a": 0.5}},
    {"a": 3.0, "b": 2.0, "ü": 1.0},
    {"ann": {"c": 1, "a": 3}, "bob": {"b": 2}},
).learned


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / write_artifact(LEARNED, tmp_path, now=NOW).name


def test_what_is_loaded_is_what_was_written(written: Path) -> None:
    """Every array comes back as it was, with the version that the wire shows."""
    loaded = load_artifact(written)

    assert loaded.learned.identities == ["a", "b", "c", "ü"]
    for field in Learned.__struct_fields__[1:]:
        assert np.array_equal(getattr(loaded.learned, field), getattr(LEARNED, field)), field
    assert loaded.name == written.name
    assert loaded.name.startswith("20261101T000000Z-")
    assert loaded.version == "b" + written.name[-8:]
    assert loaded.model_version == NOW // 1_000_000


def test_scores_are_by_identity(written: Path) -> None:
    """Popularity answers like a mapping, and knows nothing of who was never ordered."""
    scores = load_artifact(written).scores

    assert scores["a"] == 3.0
    assert scores.get("nobody", 0.0) == 0.0
    assert dict(scores) == {"a": 3.0, "b": 2.0, "c": 0.0, "ü": 1.0}


def test_histories_are_found_by_user(written: Path) -> None:
    """A user's items come newest first with their counts; a stranger has none."""
    loaded = load_artifact(written)

    assert loaded.history("ann") == ([2, 0], [1, 3])
    assert loaded.history("bob") == ([1], [2])
    assert loaded.history("eve") == ([], [])


def test_user_ids_are_not_kept(written: Path) -> None:
    """No file of an artifact has a user's id in it."""
    assert not any(b"ann" in path.read_bytes() for path in written.iterdir())


@pytest.mark.parametrize(
    "name", ["items.json", "popularity.npy", "neighbours.npy", "users.npy", "bought.npy"]
)
def test_a_changed_file_is_refused(written: Path, name: str) -> None:
    """One flipped bit anywhere, and the artifact is not used."""
    content = bytearray((written / name).read_bytes())
    content[-1] ^= 1
    (written / name).write_bytes(content)

    with pytest.raises(UsageFault, match=f"checksum of {name}"):
        load_artifact(written)


def test_a_missing_file_is_refused(written: Path) -> None:
    """A directory that is not whole is not an artifact."""
    (written / "times.npy").unlink()

    with pytest.raises(UsageFault, match="cannot be read"):
        load_artifact(written)


@pytest.mark.parametrize("manifest", [b"", b"{}", b'{"format": 1', b"[]"])
def test_an_unreadable_manifest_is_refused(written: Path, manifest: bytes) -> None:
    """Without a manifest nothing vouches for the files."""
    (written / "manifest.json").write_bytes(manifest)

    with pytest.raises(UsageFault, match="is broken"):
        load_artifact(written)


@pytest.mark.parametrize("format", [FORMAT - 1, FORMAT + 1])
def test_another_format_is_refused(written: Path, format: int) -> None:
    """An older or newer program's artifact is not guessed at; building again is what helps, and is said."""
    path = written / "manifest.json"
    others = path.read_text().replace(f'"format": {FORMAT}', f'"format": {format}')
    path.write_text(others)

    with pytest.raises(UsageFault, match=f"format is {format}.*endcap build"):
        load_artifact(written)


def test_no_artifact_is_refused(tmp_path: Path) -> None:
    """A pointer to nowhere says so."""
    with pytest.raises(UsageFault, match="nowhere"):
        load_artifact(tmp_path / "nowhere")


def test_nothing_is_left_of_a_write_that_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk leaves neither an artifact nor a draft."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)

    with pytest.raises(OSError, match="No space"):
        write_artifact(LEARNED, tmp_path, now=NOW)

    assert list(tmp_path.iterdir()) == []


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    """The name is a digest of the content, so the same content has the same place."""
    first = write_artifact(LEARNED, tmp_path, now=NOW)
    second = write_artifact(LEARNED, tmp_path, now=NOW)

    assert first.name == second.name
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_the_empty_artifact_knows_nothing() -> None:
    """Before anything was built there are still answers to give, with a version that says so."""
    empty = Artifact.empty()

    assert empty.name == ""
    assert empty.version == NOTHING_BUILT
    assert empty.model_version is None
    assert len(empty.scores) == 0
    assert empty.history("ann") == ([], [])


@pytest.mark.parametrize("tracker", ["", ".", "..", "a/b", "../b", "a\\b", "a\0b"])
def test_a_tracker_cannot_lead_out_of_its_folder(tmp_path: Path, tracker: str) -> None:
    """Tracker ids become folder names, so those that are paths are refused."""
    with pytest.raises(UsageFault, match="cannot name a folder"):
        artifacts_directory(tmp_path, TrackerId(tracker))
    assert folder_name(TrackerId("1234-5678")) == "1234-5678"

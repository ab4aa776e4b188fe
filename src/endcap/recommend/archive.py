"""
The artifacts of one tracker on disk: which there are, whether they are whole, which may go.

An artifact's files never change. The time of its folder does: it is set when the tracker ceases to point to it, so that
the artifacts that were left last are the ones that are kept. A folder is renamed before it is deleted: no half of one
is ever found under its name. Workers that still map its files keep them until they let go, as far as the disk is
their own; what other hosts map over a network they have had time to leave, `LEFT_SECONDS_MIN`.

`.draft-…` is an artifact being written, `.spill-…` and `.events-…` what a build keeps on disk meanwhile, `.gone-…` what
is being deleted. Where nobody builds, all of these are what a killed process left behind.
"""

import math
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.recommend.artifact import MANIFEST, Artifact, Manifest, load_artifact

LEFT_SECONDS_MIN = 600
_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_LEFTOVERS = (".draft-*", ".spill-*", ".events-*", ".gone-*")


class Archived(Struct, frozen=True):
    """An artifact as its folder shows it; its files are not read."""

    name: str
    path: Path
    bytes: int
    """What its files take on disk."""
    left_at: float
    """Seconds since the epoch: when a tracker pointed to it last, or when it was built if none did."""
    manifest: Manifest | None
    """None: it cannot be read, so this is no artifact any more."""


def archived(folder: Path) -> Sequence[Archived]:
    """The artifacts of a tracker, newest first."""
    return [found for path in _newest_first(folder) if (found := _look_at(path)) is not None]


def find(folder: Path, name: str) -> Path:
    """Where an artifact is. Raises UsageFault with those that there are."""
    known = [path.name for path in _newest_first(folder)]
    if name not in known:
        listed = ", ".join(known) or "none yet: endcap build"
        raise UsageFault(f"There is no artifact {name!r}; there are: {listed}")
    return folder / name


def fault_of(path: Path) -> str | None:
    """What is wrong with an artifact, after a look at every byte; None: nothing."""
    try:
        load_artifact(path)
    except UsageFault as fault:
        return fault.reason
    return None


def last_good(folder: Path, *, before: str) -> Artifact | None:
    """The newest artifact, of those built before another one, that is whole."""
    for path in built_before(folder, before):
        try:
            return load_artifact(path)
        except UsageFault:
            continue
    return None


def built_before(folder: Path, name: str | None) -> Sequence[Path]:
    """The artifacts that are older than one, whether or not that is there, newest first; None: all."""
    found = _newest_first(folder)
    if name is None:
        return found
    built = _built(folder / name)
    return [path for path in found if path.name != name and _built(path) < built]


def leave(folder: Path, name: str | None) -> None:
    """Notes that a tracker pointed to this artifact until now."""
    if name is not None and (folder / name).is_dir():
        os.utime(folder / name)


def superfluous(
    folder: Path, *, served: str | None, keep: int, now: Micros, left_seconds_min: int
) -> Sequence[Archived]:
    """
    What may be deleted: all but the one that is served, those left within the last seconds, and beside them the
    `keep` that were left last.
    """
    others = [each for each in archived(folder) if each.name != served]
    others.sort(key=lambda each: (each.left_at, each.name), reverse=True)
    return [each for each in others[keep:] if now / 1e6 - each.left_at >= left_seconds_min]


def delete(path: Path) -> None:
    """Takes an artifact away, at once and whole."""
    gone = path.with_name(f".gone-{path.name}")
    path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def leftovers(folder: Path) -> Sequence[str]:
    """What is there of builds and deletions under way, or of killed ones."""
    return sorted(each.name for pattern in _LEFTOVERS for each in folder.glob(pattern))


def sweep(folder: Path) -> None:
    """Deletes all that; call it only where nobody else builds."""
    for name in leftovers(folder):
        shutil.rmtree(folder / name, ignore_errors=True)


def _newest_first(folder: Path) -> Sequence[Path]:
    if not folder.is_dir():
        return []
    found = (each for each in folder.iterdir() if _NAME.fullmatch(each.name) and each.is_dir())
    return sorted(found, key=_built, reverse=True)


def _built(path: Path) -> tuple[str, float, str]:
    """
    When an artifact was built, to be compared: its name tells the second, its manifest the microsecond. One without a
    manifest counts as the last of its second.
    """
    manifest = _manifest(path)
    return path.name[:16], manifest.built_at if manifest else math.inf, path.name


def _manifest(path: Path) -> Manifest | None:
    try:
        return msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None


def _look_at(path: Path) -> Archived | None:
    """None: somebody is deleting it."""
    try:
        left_at = path.stat().st_mtime
        sizes = [each.stat().st_size for each in path.iterdir()]
    except FileNotFoundError:
        return None
    return Archived(path.name, path, sum(sizes), left_at, _manifest(path))

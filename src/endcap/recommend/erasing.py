"""
A user's way out of what was learned: out of the arrays, and out of the folders they are kept in.

An artifact never changes. One that knows the user gets a successor that does not, of the same time of building, and
goes; whoever has it mapped keeps what they mapped until they take the successor over.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from endcap.errors import UsageFault
from endcap.recommend.artifact import (
    MANIFEST,
    Artifact,
    Learned,
    load_artifact,
    user_digest,
    write_artifact,
)

_BY_PURCHASE = ("bought", "times", "ages", "spans")


def without(artifact: Artifact, user: str) -> Learned:
    """What an artifact knows, but of this user; what was bought with what stays, which names nobody."""
    learned = artifact.learned
    begin, end = artifact.history_of(user)
    at = int(learned.users.searchsorted(np.uint64(user_digest(user))))
    histories = np.delete(learned.histories, at)
    histories[at:] -= end - begin
    gone = slice(begin, end)
    bought = {name: np.delete(getattr(learned, name), gone) for name in _BY_PURCHASE}
    return replace(learned, users=np.delete(learned.users, at), histories=histories, **bought)


def knowing(folder: Path, user: str) -> Iterator[tuple[Path, Artifact | None]]:
    """The artifacts in a folder that know a user, and with None those that cannot be read and may."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (path / MANIFEST).is_file():
            try:
                artifact = load_artifact(path)
            except UsageFault:
                yield path, None
                continue
            begin, end = artifact.history_of(user)
            if begin < end:
                yield path, artifact


def successors(folder: Path, user: str) -> Mapping[str, str]:
    """Writes those that do not know the user any more: the name of each by that of whose place it takes."""
    written: dict[str, str] = {}
    for path, artifact in knowing(folder, user):
        if artifact is not None and artifact.built_at is not None:
            lines = artifact.counts.get("lines", 0)
            successor = write_artifact(
                without(artifact, user), folder, now=artifact.built_at, lines=lines
            )
            left = path.stat().st_mtime_ns  # see `recommend.archive`: what was left last is kept
            os.utime(folder / successor.name, ns=(left, left))
            written[path.name] = successor.name
    return written


def remove(folder: Path, user: str, *, served: str | None) -> None:
    """
    Deletes those that know the user, and those of which nobody can tell.

    Raises UsageFault where the one that is served is among them.
    """
    for path, _ in knowing(folder, user):
        if path.name == served:
            raise UsageFault(
                f"The artifact {path} cannot be read and may know the shopper: build anew, then repeat this"
            )
        shutil.rmtree(path)

"""
Neighbour lists of a data directory: where they are, and how a file becomes one.

    neighbours/TRACKER/NAME.parquet         what another pipeline writes (or .csv, .csv.gz, a folder of Parquet files)
    neighbours/TRACKER/NAME/VERSION/…       the same as this server reads it: never changed, the last two are kept
    neighbours/TRACKER/NAME/current         the name of the version that is ranked by
    neighbours/TRACKER/NAME/refused.json    the state of the file that could not be read, and why

A file that cannot be read leaves the last good version where it is. Hosts with directories of their own read files of
their own, so there is no pointer in the store: it could not say that the file is there.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from endcap.clock import system_clock
from endcap.domain import Micros, TrackerId
from endcap.errors import FaultyRows, Problem, UsageFault
from endcap.recommend.artifact import folder_name, user_digest
from endcap.recommend.files import sync_directory, write_durably
from endcap.recommend.neighbour_list import (
    Kind,
    Manifest,
    Rows,
    load_list,
    manifest_of,
    without_key,
    write_list,
)
from endcap.transfer.neighbours import read_neighbours
from endcap.transfer.rows import Progress, quietly

KEPT = 2  # versions: the one that is served, and the one that some worker may still map
ENDINGS = (".parquet", ".csv", ".csv.gz")
BY_COMMAND = "command"
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
CURRENT, REFUSED, LOCK = "current", "refused.json", ".lock"
EXIT_BUSY = 3


class ListReport(Struct, frozen=True):
    """What reading a file gave, or would give: `version` is None for a dry run."""

    kind: Kind
    keys: int
    items: int
    pairs: int
    version: str | None


class Refused(Struct, frozen=True):
    """What a file's state was when it could not be read."""

    state: str
    reason: str


class Held(Struct, frozen=True):
    """One list of a tracker. `file` is the one that it follows, if any; `refused` why that cannot be read."""

    name: str
    version: str | None
    kind: Kind | None
    counts: Mapping[str, int]
    read: str | None
    file: str | None
    refused: str | None


def lists_directory(data_dir: Path, tracker: TrackerId) -> Path:
    """Where a tracker's lists are, and files that others write."""
    return data_dir / "neighbours" / folder_name(tracker)


def file_of(lists: Path, name: str) -> Path | None:
    """The file of somebody else's that a list follows."""
    return next((path for ending in ENDINGS if (path := lists / f"{name}{ending}").exists()), None)


def state_of(path: Path, columns: Mapping[str, str]) -> str:
    """Names what is in a file without reading it: another state, another name. Raises OSError."""
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    found = [(each.name, each.stat()) for each in files]
    seen = [(name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in found]
    told = json.dumps([path.name, seen, sorted(columns.items())])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def check_list(
    data_dir: Path,
    tracker: TrackerId,
    path: Path,
    *,
    columns: Mapping[str, str],
    progress: Progress = quietly,
) -> ListReport:
    """What importing a file would give. Raises FaultyRows, UsageFault."""
    rows = _rows(lists_directory(data_dir, tracker), path, columns, progress)
    return ListReport(rows.kind, len(rows.keys), len(rows.identities), len(rows.scores), None)


def import_list(
    data_dir: Path,
    tracker: TrackerId,
    name: str,
    path: Path,
    *,
    columns: Mapping[str, str],
    now: Micros,
    progress: Progress = quietly,
) -> ListReport:
    """Reads a file into a list and ranks by it from then on. Raises FaultyRows, with nothing changed; UsageFault."""
    lists = lists_directory(data_dir, tracker)
    if not NAME.fullmatch(name):
        raise UsageFault(
            f"A list's name has letters, digits, - and _, at most 100: {name!r} is none"
        )
    if (file := file_of(lists, name)) is not None:
        raise UsageFault(
            f"The list {name} follows the file {file}: replace that, or take another name"
        )
    with _alone(lists / name) as alone:
        if not alone:
            raise UsageFault(
                f"The list {name} is being read by somebody else: try again when that is done"
            )
        return _imported(lists, name, path, columns, BY_COMMAND, now, progress)


def _imported(
    lists: Path,
    name: str,
    path: Path,
    columns: Mapping[str, str],
    source: str,
    now: Micros,
    progress: Progress,
) -> ListReport:
    rows = _rows(lists, path, columns, progress)
    written = write_list(rows, lists / name, source=source, now=now)
    _point(lists / name, written.version)
    _prune(lists / name, written.version)
    progress("writing", 3, 3)
    counts = written.manifest.counts
    return ListReport(
        written.kind, counts["keys"], counts["items"], counts["pairs"], written.version
    )


def _rows(lists: Path, path: Path, columns: Mapping[str, str], progress: Progress) -> Rows:
    lists.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".reading-", dir=lists) as scratch:
        return read_neighbours(path, Path(scratch), columns=columns, progress=progress)


def _point(folder: Path, version: str) -> None:
    """Makes a version the current one, durably."""
    draft = folder / f".{CURRENT}-{os.getpid()}"
    write_durably(draft, version.encode())
    draft.replace(folder / CURRENT)
    (folder / REFUSED).unlink(missing_ok=True)
    sync_directory(folder)


def _prune(folder: Path, version: str) -> None:
    """Lets go of versions before the last two."""
    for old in versions_of(folder)[:-KEPT]:
        if old != version:
            shutil.rmtree(folder / old, ignore_errors=True)


def versions_of(folder: Path) -> Sequence[str]:
    """The oldest first."""
    return sorted(each.parent.name for each in folder.glob("[0-9]*/manifest.json"))


def current_version(folder: Path) -> str | None:
    try:
        return (folder / CURRENT).read_text()
    except OSError:
        return None


def current_source(folder: Path) -> str | None:
    """The state of the file that the current version was read from."""
    version = current_version(folder)
    manifest = None if version is None else _manifest(folder / version)
    return None if manifest is None else manifest.source


def _manifest(path: Path) -> Manifest | None:
    try:
        return manifest_of(path)
    except (OSError, ValueError):
        return None


def refusal_of(folder: Path) -> Refused | None:
    try:
        return msgspec.json.decode((folder / REFUSED).read_bytes(), type=Refused)
    except (OSError, ValueError):
        return None


def held_lists(data_dir: Path, tracker: TrackerId) -> Sequence[Held]:
    """Every list of a tracker, and every file that is to be one."""
    lists = lists_directory(data_dir, tracker)
    names = {each.name for each in lists.glob("*") if each.is_dir() and not each.suffix}
    for path in lists.glob("*"):
        names.update(path.name.removesuffix(end) for end in ENDINGS if path.name.endswith(end))
    return [_held(lists, name) for name in sorted(names) if not name.startswith(".")]


def _held(lists: Path, name: str) -> Held:
    folder, file = lists / name, file_of(lists, name)
    version, refused = current_version(folder), refusal_of(folder)
    manifest = None if version is None else _manifest(folder / version)
    return Held(
        name,
        version,
        None if manifest is None else manifest.kind,
        {} if manifest is None else manifest.counts,
        None if manifest is None else manifest.read,
        None if file is None else file.name,
        None if refused is None else refused.reason,
    )


def forget_user(data_dir: Path, tracker: TrackerId, user: str, *, dry_run: bool) -> int:
    """
    Leaves a user out of the lists by user; of how many. Who writes their files leaves them out there, for the next
    one that names the user brings them back. Raises UsageFault while a list is being read by somebody else.
    """
    lists, key, count = lists_directory(data_dir, tracker), user_digest(user), 0
    for folder in sorted(each for each in lists.glob("[!.]*") if (each / CURRENT).is_file()):
        with _alone(folder) as alone:
            if not alone:
                raise UsageFault(
                    f"The list {folder.name} is being read: try again when that is done"
                )
            knowing = [each for each in versions_of(folder) if _knows(folder / each, key)]
            count += bool(knowing)
            if not dry_run:
                for each in knowing:
                    _replaced(folder, each, key)
    return count


def _knows(path: Path, key: int) -> bool:
    """Of one that cannot be read nobody knows: it goes with the next version."""
    try:
        listed = load_list(path)
    except UsageFault:
        return False
    return listed.kind == "users" and listed.of(key) is not None


def _replaced(folder: Path, version: str, key: int) -> None:
    successor = without_key(load_list(folder / version), key, folder)
    if current_version(folder) == version:
        _point(folder, successor.version)
    shutil.rmtree(folder / version, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else reads this list now; if so nobody does until the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True


def main(arguments: Sequence[str]) -> int:
    """The process that reads one file: `python -m endcap.neighbour_lists DATA_DIR TRACKER NAME FILE STATE COLUMNS`."""
    data_dir, tracker, name, path, state, columns = arguments
    folder = lists_directory(Path(data_dir), TrackerId(tracker)) / name
    os.nice(10)
    with _alone(folder) as alone:
        if not alone:
            return EXIT_BUSY
        if current_source(folder) == state:
            return 0
        try:
            _imported(
                folder.parent,
                name,
                Path(path),
                json.loads(columns),
                state,
                system_clock(),
                quietly,
            )
        except (Problem, OSError) as problem:
            reason = _reason(problem)
            write_durably(folder / REFUSED, msgspec.json.encode(Refused(state, reason)))
            return 1
    return 0


def _reason(problem: Problem | OSError) -> str:
    if isinstance(problem, FaultyRows):
        line, fault = next(iter(problem.faults.items()))
        return f"{problem.total} faulty rows, the first in line {line}: {fault}"
    return str(problem)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

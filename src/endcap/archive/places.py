"""
Where archived events lie: a folder, or an object storage that speaks S3's protocol (or Google's, or Azure's).

Knows files by name and nothing of what is in them. `put` returns when the file is durable and was read back as it was
sent; a name that is there already is replaced at once, so that readers see the one or the other.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from endcap.config import Settings
from endcap.domain import TrackerId
from endcap.errors import StoreUnavailable, UsageFault
from endcap.recommend.artifact import folder_name
from endcap.recommend.files import sync_directory

if TYPE_CHECKING:
    from obstore.store import ObjectStore

CHUNK_BYTES = 1 << 20
RETRIES_MAX = 3
_SCHEMES = ("s3", "gs", "az")
_DRAFT = ".draft-"


class Part(Struct, frozen=True, order=True):
    """A file of one tracker's events of one day."""

    day: date
    name: str
    """Under the place: `tracker=…/date=…/part-….parquet`."""


class Place(Protocol):
    """Raises StoreUnavailable where it cannot be reached."""

    def parts(self, tracker: TrackerId) -> Sequence[Part]:
        """Ordered by day, then by name, which begins with the number of the first event."""

    def put(self, draft: Path, name: str) -> None:
        """Stores a file under a name, durably and verified."""

    def fetched(self, name: str, scratch: Path) -> Any:
        """A context manager that gives the file as one on this machine; None where it is gone meanwhile."""

    def remove(self, name: str) -> None:
        """Nothing happens if it is gone already."""


def open_place(settings: Settings) -> Place:
    """The archive that the settings name. Raises UsageFault."""
    url = settings.events_url
    if not url:
        return Folder(settings.data_dir / "events")
    scheme = urlsplit(url).scheme
    if scheme not in _SCHEMES:
        raise UsageFault(
            "The setting events_url (ENDCAP_EVENTS_URL) cannot be used: it must be like s3://bucket/prefix, "
            "or empty for the data directory"
        )
    return Bucket(url)


def name_of(tracker: TrackerId, day: str, part: str) -> str:
    """`tracker=` and `date=` are how engines call partitions."""
    return f"tracker={folder_name(tracker)}/date={day}/{part}"


class Folder:
    """On this machine's disk, or one that hosts share."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def parts(self, tracker: TrackerId) -> Sequence[Part]:
        folder = self._root / f"tracker={folder_name(tracker)}"
        found = folder.glob("date=*/part-*.parquet")
        return _parts(each.relative_to(self._root).as_posix() for each in found)

    def put(self, draft: Path, name: str) -> None:
        path = self._root / name
        made = [each for each in (path.parent, *path.parent.parents) if not each.exists()]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f"{_DRAFT}{path.name}")
            for left in path.parent.glob(
                f"{_DRAFT}*"
            ):  # by one that was killed: there is one writer at a time
                left.unlink(missing_ok=True)
            try:
                digest = _copied(draft, beside)
                if _digest(_chunks(beside)) != digest:
                    raise StoreUnavailable(f"{path} was not written as it should be")
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)
            for folder in (path.parent, *(each.parent for each in made)):
                sync_directory(folder)
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error

    @contextmanager
    def fetched(self, name: str, scratch: Path) -> Iterator[Path | None]:
        path = self._root / name
        yield path if path.exists() else None

    def remove(self, name: str) -> None:
        path = self._root / name
        try:
            path.unlink(missing_ok=True)
            sync_directory(path.parent)
            if not any(path.parent.iterdir()):
                path.parent.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be removed: {error.strerror}") from error


class Bucket:
    """On an object storage. Credentials and the like are where its own tools look: AWS_ACCESS_KEY_ID, AWS_REGION, …"""

    def __init__(self, url: str) -> None:
        from obstore.store import from_url  # noqa: PLC0415 - only where one is used

        self._url = url
        with _translated(url):
            self._store: ObjectStore = from_url(url, retry_config={"max_retries": RETRIES_MAX})

    def parts(self, tracker: TrackerId) -> Sequence[Part]:
        import obstore  # noqa: PLC0415

        with _translated(self._url):
            listed = obstore.list(self._store, prefix=f"tracker={folder_name(tracker)}")
            return _parts(each["path"] for batch in listed for each in batch)

    def put(self, draft: Path, name: str) -> None:
        import obstore  # noqa: PLC0415

        with _translated(self._url):
            obstore.put(self._store, name, draft)
            sent, kept = _digest(_chunks(draft)), _digest(self._stream(name))
        if sent != kept:
            raise StoreUnavailable(f"{self._url}/{name} was not kept as it was sent")

    @contextmanager
    def fetched(self, name: str, scratch: Path) -> Iterator[Path | None]:
        with tempfile.NamedTemporaryFile(dir=scratch, suffix=".parquet") as file:
            try:
                with _translated(self._url):
                    for chunk in self._stream(name):
                        file.write(chunk)
            except FileNotFoundError:
                yield None
                return
            file.flush()
            yield Path(file.name)

    def remove(self, name: str) -> None:
        import obstore  # noqa: PLC0415

        try:
            with _translated(self._url):
                obstore.delete(self._store, name)
        except FileNotFoundError:
            return

    def _stream(self, name: str) -> Iterator[bytes]:
        import obstore  # noqa: PLC0415

        for chunk in obstore.get(self._store, name).stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)


def _parts(names: Iterable[str]) -> Sequence[Part]:
    """Those of our own making: other files may lie beside them."""
    found: list[Part] = []
    for name in names:
        *_, day, file = name.split("/")
        if file.startswith("part-") and file.endswith(".parquet") and day.startswith("date="):
            try:
                found.append(Part(date.fromisoformat(day.removeprefix("date=")), name))
            except ValueError:
                continue
    return sorted(found)


def _copied(source: Path, target: Path) -> bytes:
    """Copies a file and makes the copy durable; the digest of what was read."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for chunk in _chunks(source):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.digest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _digest(chunks: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """The one place that turns the library's errors into ours. What is not there stays FileNotFoundError."""
    from obstore.exceptions import BaseError  # noqa: PLC0415

    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise StoreUnavailable(f"The archive at {url} cannot be used; try again shortly") from error

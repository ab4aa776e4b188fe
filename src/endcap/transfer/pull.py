"""
Pulls a tracker's catalog and customizations from another host into the store.

The catalog comes in pages, each of which is one commit, so that a pull that ends early leaves whole objects behind; a
file beside the database keeps the link to the next page, and the pull goes on from there. Customizations are settled
together or not at all, since half of them would place other items than all of them. Both are compared by content with
what is here, so that a second pull writes only what has changed there; where the two differ the other host is right.

Knows what a peer answers; how it is asked, signed and waited for is the caller's `Peer`.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from endcap.domain import (
    CatalogObject,
    CustomizationId,
    Filter,
    ItemId,
    Micros,
    TrackerId,
)
from endcap.errors import PeerUnavailable, Problem, UsageFault
from endcap.store.port import Store
from endcap.store.writes import Committed, CreateCustomization, PutObjects, ReplaceCustomization
from endcap.transfer.catalog import object_of_record
from endcap.transfer.customizations import CustomizationRow, read_customizations
from endcap.transfer.rows import FAULTS_NAMED_MAX, Progress, Record, quietly
from endcap.wire.reading import UNREADABLE

ACTOR = "pull"
RESTARTS_MAX = 3  # of one run: links that keep expiring would never lead to the end
Part = Literal["catalog", "customizations"]
PARTS: Sequence[Part] = ("catalog", "customizations")
_encode = msgspec.json.encode


class LinkExpired(Exception):
    """The peer does not know the link to the next page any more."""


class PeerPage(Struct, frozen=True):
    """A page of the peer's catalog, its objects as they are spelled."""

    total: int
    objects: Sequence[Raw]
    next_link: str | None


class Peer(Protocol):
    """A host that speaks this wire. Raises the Problem that it answers with, PeerUnavailable when it does not."""

    def catalog_page(self, link: str | None) -> PeerPage:
        """The first page, or that of a link. Raises LinkExpired."""

    def save_customizations(self, path: Path, progress: Progress) -> None:
        """Writes all of them to a file: a JSON array, or one a line; nothing where there is none."""


class Refusals(Struct):
    """What was not taken: the first by name, with the reason, and how many in all."""

    first: dict[str, str] = {}
    total: int = 0

    def add(self, name: str, reason: str) -> None:
        self.total += 1
        if len(self.first) < FAULTS_NAMED_MAX:
            self.first[name] = reason


class CatalogPulled(Struct, kw_only=True):
    """
    What came of the catalog. `total` is what the peer says it has, `objects` what it sent; of these `new` and `changed`
    ones were written, and for `untitled` ones the identity stands in. `restarts` counts links that had expired.
    """

    total: int = 0
    objects: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    untitled: int = 0
    restarts: int = 0
    refused: Refusals = msgspec.field(default_factory=Refusals)


class CustomizationsPulled(Struct, kw_only=True):
    """
    What came of the customizations. Where one is refused none is stored, and the others count as what they would be.
    """

    customizations: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    stored: bool = False
    refused: Refusals = msgspec.field(default_factory=Refusals)


class PullReport(Struct, frozen=True, kw_only=True):
    """What a pull did, or would do. None for what was not asked for."""

    source: str
    tracker: str
    to_tracker: str
    dry_run: bool
    resumed: bool
    catalog: CatalogPulled | None
    customizations: CustomizationsPulled | None

    @property
    def refused(self) -> int:
        parts = (self.catalog, self.customizations)
        return sum(part.refused.total for part in parts if part is not None)


class PullState(Struct, kw_only=True):
    """How far a pull is: all that it needs to go on, and no key."""

    source: str
    tracker: str
    parts: tuple[Part, ...]
    link: str | None = None
    catalog_done: bool = False
    catalog: CatalogPulled = msgspec.field(default_factory=CatalogPulled)


_states = msgspec.json.Decoder(PullState)


class Pull:
    """One pull into a tracker. `say` is told what people should know while it runs."""

    def __init__(
        self,
        store: Store,
        peer: Peer,
        *,
        source: str,
        tracker: str,
        to_tracker: TrackerId,
        data_dir: Path,
        parts: Sequence[Part] = PARTS,
        creator: str,
        clock: Callable[[], Micros],
        dry_run: bool = False,
        progress: Progress = quietly,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`creator` is whose customizations are where the peer does not say it."""
        self._store = store
        self._peer = peer
        self._to_tracker = to_tracker
        self._folder = data_dir / "pulls"
        self._file = self._folder / f"tracker={to_tracker}.json"
        self._creator = creator
        self._clock = clock
        self._dry_run = dry_run
        self._progress = progress
        self._say = say
        self._state = PullState(source=source, tracker=tracker, parts=tuple(parts))

    def run(self, *, resume: bool = False) -> PullReport:
        """
        Raises UsageFault for a pull that cannot be resumed, or while another one goes into the tracker; what the peer
        and the store raise, with everything up to then stored.
        """
        with self._alone():
            resumed = self._resume() if resume else self._begin()
            state = self._state
            if "catalog" in state.parts and not state.catalog_done:
                self._pull_catalog()
            customizations = None
            if "customizations" in state.parts:
                customizations = self._pull_customizations()
            if not self._dry_run:
                self._file.unlink(missing_ok=True)
        return PullReport(
            source=state.source,
            tracker=state.tracker,
            to_tracker=self._to_tracker,
            dry_run=self._dry_run,
            resumed=resumed,
            catalog=state.catalog if "catalog" in state.parts else None,
            customizations=customizations,
        )

    # Catalog

    def _pull_catalog(self) -> None:
        state, counts = self._state, self._state.catalog
        while True:
            try:
                page = self._peer.catalog_page(state.link)
            except LinkExpired as expired:
                self._restart(expired)
                continue
            counts.total = page.total
            self._take(page.objects)
            counts.unchanged = counts.objects - counts.new - counts.changed - counts.refused.total
            state.link = page.next_link
            state.catalog_done = page.next_link is None
            self._keep()
            self._progress("catalog", counts.objects, max(page.total, counts.objects))
            if state.catalog_done:
                return

    def _restart(self, expired: LinkExpired) -> None:
        """From the first page on; what is here already will be found unchanged."""
        counts = self._state.catalog
        if self._state.link is None or counts.restarts >= RESTARTS_MAX:
            raise PeerUnavailable("The links between pages keep expiring; try again later") from (
                expired.__cause__ or expired
            )
        counts.restarts += 1
        counts.objects = counts.untitled = 0
        counts.refused = Refusals()
        self._state.link = None
        self._say("The link to the next page has expired: the catalog is read from its beginning.")

    def _take(self, objects: Sequence[Raw]) -> None:
        """One page, in one commit."""
        counts = self._state.catalog
        found: dict[ItemId, CatalogObject] = {}
        for raw in objects:
            counts.objects += 1
            record = _record(raw)
            row = object_of_record(counts.objects, record)
            counts.untitled += row.untitled
            if row.object is None:
                counts.refused.add(_name_of(record, counts.objects), row.fault)
            else:
                found[row.object.identity] = row.object
        known = self._store.objects_named(self._to_tracker, list(found))
        wanted = {name: each for name, each in found.items() if not each.is_as(known.get(name))}
        for name, reason in self._put(list(wanted.values())).items():
            counts.refused.add(name, reason)
            del wanted[ItemId(name)]
        changed = len(wanted.keys() & known.keys())
        counts.changed += changed
        counts.new += len(wanted) - changed

    def _put(self, objects: Sequence[CatalogObject]) -> Mapping[str, str]:
        """Stores objects; the reasons why some were not, by identity."""
        if self._dry_run or not objects:
            return {}
        write = PutObjects(self._to_tracker, tuple(objects), ACTOR, self._clock())
        (outcome,) = self._store.commit([write])
        if not isinstance(outcome, Committed):
            raise outcome
        return {identity: str(fault) for identity, fault in outcome.faults.items()}

    # Customizations

    def _pull_customizations(self) -> CustomizationsPulled:
        report = CustomizationsPulled()
        with self._spool() as path:
            self._peer.save_customizations(path, self._progress)
            rows = list(read_customizations(path)) if _has_content(path) else []
        report.customizations = len(rows)
        wanted: dict[CustomizationId, CustomizationRow] = {}
        for row in rows:
            fault = row.fault or _fault_of_id(row.id)
            if fault:
                report.refused.add(row.id or f"customization #{row.line}", fault)
            else:
                wanted[CustomizationId(str(row.id).lower())] = row
        writes = self._writes(wanted, report)
        if not report.refused.total and not self._dry_run:
            self._settle(writes, report)
        return report

    def _writes(
        self, wanted: Mapping[CustomizationId, CustomizationRow], report: CustomizationsPulled
    ) -> Sequence[CreateCustomization | ReplaceCustomization]:
        known = {
            record.id: _content(record.document, record.metadata)
            for record in self._store.records(self._to_tracker, Filter())
            if record.id in wanted
        }
        now = self._clock()
        writes: list[CreateCustomization | ReplaceCustomization] = []
        made = _moments([row.created_at for row in wanted.values()], now)
        for (id, row), created_at in zip(wanted.items(), made, strict=True):  # noqa: A001 - the wire's word
            definition = row.definition
            assert definition is not None
            if id not in known:
                report.new += 1
                writes.append(
                    CreateCustomization(
                        self._to_tracker,
                        id,
                        definition,
                        row.creator or self._creator,
                        now,
                        created_at=created_at,
                        actor=ACTOR,
                    )
                )
            elif known[id] == _content(definition.document, definition.metadata):
                report.unchanged += 1
            else:
                report.changed += 1
                writes.append(ReplaceCustomization(self._to_tracker, id, definition, ACTOR, now))
        return writes

    def _settle(
        self,
        writes: Sequence[CreateCustomization | ReplaceCustomization],
        report: CustomizationsPulled,
    ) -> None:
        self._progress("storing", 0, len(writes))
        outcomes = self._store.commit(writes) if writes else ()
        for write, outcome in zip(writes, outcomes, strict=True):
            if isinstance(outcome, Problem):  # made or deleted here at this very moment
                report.refused.add(write.id, str(outcome))
        report.stored = True
        self._progress("storing", len(writes), len(writes))

    # What is kept between runs

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While it lasts no other pull goes into the tracker. The lock ends with the process, however that ends."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UsageFault(
                    f"Another pull into {self._to_tracker} is under way: wait for its end"
                ) from error
            yield

    def _resume(self) -> bool:
        try:
            kept = _states.decode(self._file.read_bytes())
        except FileNotFoundError:
            self._say("There is no unfinished pull: it begins at the beginning.")
            return False
        except UNREADABLE as error:
            raise UsageFault(
                f"{self._file} cannot be read: begin again without --resume"
            ) from error
        own = self._state
        if (kept.source, kept.tracker, kept.parts) != (own.source, own.tracker, own.parts):
            raise UsageFault(
                f"The unfinished pull is of {' and '.join(kept.parts)} of {kept.tracker} from {kept.source}: "
                "resume that one, or begin anew without --resume"
            )
        self._state = kept
        kept.catalog.restarts = 0
        self._say(f"Going on behind {kept.catalog.objects} objects.")
        return True

    def _begin(self) -> bool:
        if self._file.exists() and not self._dry_run:
            self._say("An unfinished pull is given up: with --resume it would have gone on.")
        self._keep()
        return False

    def _keep(self) -> None:
        """Durably, and whole or not at all."""
        if self._dry_run:
            return
        draft = self._file.with_suffix(".part")
        with draft.open("wb") as file:
            file.write(_encode(self._state))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)

    @contextmanager
    def _spool(self) -> Iterator[Path]:
        handle, name = tempfile.mkstemp(prefix=".customizations-", dir=self._folder)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            with suppress(FileNotFoundError):
                Path(name).unlink()


def _record(raw: Raw) -> Record:
    try:
        return msgspec.json.decode(raw, type=Record)
    except UNREADABLE:
        return {}  # it has no identity, which is what will be said of it


def _name_of(record: Record, number: int) -> str:
    name = record.get("url", record.get("identity"))
    return name if isinstance(name, str) and name else f"object #{number}"


def _has_content(path: Path) -> bool:
    with path.open("rb") as file:
        return bool(file.read(64).strip())


def _fault_of_id(text: str | None) -> str:
    """Customizations keep their ids, so that clients that have noted them go on."""
    try:
        if text is not None and str(UUID(text)) == text.lower():
            return ""
    except ValueError:
        pass
    return "id: must be a UUID"


def _content(document: bytes, metadata: bytes | None) -> bytes:
    """What a customization says, however it is spelled."""
    said = [msgspec.json.decode(each) if each else None for each in (document, metadata)]
    return hashlib.sha256(_encode(said, order="sorted")).digest()


def _moments(told: Sequence[Micros | None], now: Micros) -> Sequence[Micros]:
    """
    When each customization was made. The wire tells whole seconds, and the newer wins between equals: those of one
    second stay in the order in which they came, a microsecond apart. Those that tell nothing are the newest.
    """
    moments: list[Micros] = []
    met: dict[Micros, int] = {}
    for each in told:
        at = now if each is None else each
        moments.append(Micros(at + met.get(at, 0)))
        met[at] = met.get(at, 0) + 1
    return moments

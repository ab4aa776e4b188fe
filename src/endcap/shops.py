"""
A shop: all that requests need of one tracker at one revision, and how it is made of what the store holds.

Knows no thread: who makes a shop when, and shows it, is the mirror's.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from endcap.domain import Customization, CustomizationId, Definition, Record, TrackerId
from endcap.engine.snapshot import Snapshot
from endcap.errors import (
    Problem,
    UsageFault,
)
from endcap.loading import LOG_SECONDS, Progress
from endcap.recommend.archive import last_good
from endcap.recommend.artifact import Artifact, artifacts_directory, load_artifact
from endcap.recommend.models import REFERENCE, Model, Models
from endcap.recommend.recommenders import Recommenders
from endcap.recommend.table import known_models, stored
from endcap.signing import Key
from endcap.store.port import Changes, Store
from endcap.store.states import ModelRow, TrackerRow
from endcap.store.writes import (
    Committed,
    CreateCustomization,
    DeleteCustomization,
    DiscardDraft,
    HoldDraft,
    PublishDraft,
    ReplaceCustomization,
    RestoreCustomization,
    SaveDraft,
    ScheduleDraft,
    Unpublish,
    Write,
)
from endcap.telemetry import log
from endcap.vault import Vault
from endcap.wire.customizations import definition_of, title_of


class Shop(Struct, frozen=True):
    """One tracker at one revision."""

    tracker: TrackerId
    row: TrackerRow
    keys: tuple[Key, ...]
    snapshot: Snapshot
    recommenders: Recommenders
    models: Mapping[str, ModelRow] = {}
    """The tracker's own table of models, by name."""

    @property
    def revision(self) -> int:
        return self.snapshot.revision

    @property
    def lacks_artifact(self) -> bool:
        """Whether the one that the tracker points to could not be read when it was published."""
        return self.row.artifact not in (None, self.recommenders.artifact.name)


class ShopMaker:
    """Makes shops from a store and the folder of artifacts."""

    def __init__(
        self, store: Store, vault: Vault, data_dir: Path, *, log_seconds: float = LOG_SECONDS
    ) -> None:
        self._store = store
        self._vault = vault
        self._data_dir = data_dir
        self._log_seconds = log_seconds

    def loaded(self, tracker: TrackerId, before: Shop | None, stopping: threading.Event) -> Shop:
        """
        All of a tracker, read anew; `before` tells the lists, which others wrote. Raises TrackerNotFound, and
        StoreUnavailable, also when it is to stop.
        """
        with self._store.load(tracker) as load:
            artifact = self._artifact(load.tracker, None)
            progress = Progress(load, stopping, log_seconds=self._log_seconds)
            snapshot = Snapshot.build(
                load.tracker.revision,
                self._understood(progress.count("customizations", load.records())),
                progress.count("objects", load.objects()),
                artifact.scores,
            )
            models = {row.name: row for row in load.models()}
            known = self._known_models(models)
            shop = Shop(
                tracker,
                load.tracker,
                self._keys(load.tracker),
                snapshot,
                Recommenders.of(snapshot.catalog, artifact, known)
                .with_lists({} if before is None else before.recommenders.lists)
                .warm(),
                models,
            )
            progress.end()
            return shop

    def followed(self, shop: Shop) -> Shop:
        """The shop at the store's revision. Raises StoreUnavailable."""
        changes = self._store.changes(shop.tracker, since=shop.revision)
        return shop if changes.tracker.revision == shop.revision else self._advanced(shop, changes)

    def _advanced(self, shop: Shop, changes: Changes) -> Shop:
        customizations: dict[CustomizationId, Customization | None] = {
            key: None for key, record in changes.records.items() if record is None
        }
        present = (record for record in changes.records.values() if record is not None)
        customizations.update({each.id: each for each in self._understood(present)})
        snapshot = shop.snapshot.changed(changes.tracker.revision, customizations, changes.objects)
        keys = shop.keys
        if changes.tracker.sealed_keys != shop.row.sealed_keys:
            keys = self._keys(changes.tracker)
        recommenders, models = shop.recommenders, shop.models
        if changes.models:
            changed = {**models, **changes.models}
            models = {name: row for name, row in changed.items() if row is not None}
            recommenders = recommenders.with_models(self._known_models(models))
        if changes.tracker.artifact != shop.row.artifact:
            artifact = self._artifact(changes.tracker, recommenders.artifact)
            return _with_artifact(
                Shop(shop.tracker, changes.tracker, keys, snapshot, recommenders, models), artifact
            )
        if changes.objects:
            recommenders = recommenders.with_catalog(snapshot.catalog).warm()
        return Shop(shop.tracker, changes.tracker, keys, snapshot, recommenders, models)

    def with_its_artifact(self, shop: Shop) -> Shop:
        """The same by the artifact that the tracker points to, once that can be read."""
        artifact = self._artifact(shop.row, shop.recommenders.artifact)
        return _with_artifact(shop, artifact) if artifact.name == shop.row.artifact else shop

    def _known_models(self, rows: Mapping[str, ModelRow]) -> Models:
        """What names mean. A row that a newer version of the program wrote means here what it meant before."""
        own: dict[str, Model] = {}
        for row in rows.values():
            try:
                own[row.name] = stored(row.document)
            except Problem as problem:
                log.error("model cannot be read", model=row.name, reason=str(problem))
        return known_models(own, REFERENCE)

    def _understood(self, records: Iterable[Record]) -> Iterable[Customization]:
        """A record that cannot be read any more is ours to fix; the others must not wait for that."""
        for record in records:
            try:
                yield _known(record, definition_of(record))
            except Problem as problem:
                log.error("customization cannot be read", id=record.id, exc_info=problem)
                yield Customization.unread(record)

    def _keys(self, row: TrackerRow) -> tuple[Key, ...]:
        """Those that open. With another master key none does: nobody can sign, but shoppers see what they saw."""
        return tuple(self._opened(row))

    def _opened(self, row: TrackerRow) -> Iterable[Key]:
        for sealed in row.sealed_keys:
            try:
                yield Key(self._vault.open(sealed))
            except UsageFault as fault:
                log.error("private key cannot be opened", tracker=row.id, reason=fault.reason)

    def _artifact(self, row: TrackerRow, known: Artifact | None) -> Artifact:
        """
        The artifact that the tracker points to. Where it cannot be read here: the known one, or else the newest that
        was built before it and can be read, or none.
        """
        if row.artifact is None:
            return known or Artifact.empty()
        folder = artifacts_directory(self._data_dir, row.id)
        try:
            return load_artifact(folder / row.artifact)
        except UsageFault as fault:
            if known is None or not known.name:
                known = last_good(folder, before=row.artifact)
            used = known or Artifact.empty()
            log.error(
                "artifact cannot be read",
                tracker=row.id,
                artifact=row.artifact,
                reason=fault.reason,
                used=used.name or None,
            )
            return used


def _known(record: Record, definition: Definition) -> Customization:
    return Customization.of(record, definition, title=title_of(record.metadata))


def own_changes(
    committed: Sequence[tuple[Write, Committed]],
) -> Mapping[CustomizationId, Customization | None] | None:
    """What writes of customizations changed; None if there are others among them."""
    changes: dict[CustomizationId, Customization | None] = {}
    for write, outcome in committed:
        match write:
            case CreateCustomization() | ReplaceCustomization() | RestoreCustomization() if (
                outcome.record is not None
            ):
                changes[write.id] = _known(outcome.record, write.definition)
            case PublishDraft() if outcome.record is not None:
                changes[write.id] = _known(outcome.record, write.definition)
            case DeleteCustomization() | Unpublish():
                changes[write.id] = None
            case SaveDraft() | DiscardDraft() | ScheduleDraft() | HoldDraft():
                pass
            case _:
                return None
    return changes


def _with_artifact(shop: Shop, artifact: Artifact) -> Shop:
    """The shop with its catalog ranked, and its recommenders made, by what was learned."""
    catalog = shop.snapshot.catalog.ranked_by(artifact.scores)
    return msgspec.structs.replace(
        shop,
        snapshot=Snapshot(shop.revision, shop.snapshot.rules, catalog),
        recommenders=shop.recommenders.with_artifact(catalog, artifact).warm(),
    )

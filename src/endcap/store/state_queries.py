"""
Reads of what there is, over named queries, the same for every adapter but for how a query is asked; and the builds,
which are written outside the feed.

Reads that requests make one by one are not here: an adapter has its own shortest way to them.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from endcap.domain import (
    CatalogObject,
    CustomizationId,
    Field,
    ItemId,
    Micros,
    Record,
    TrackerId,
)
from endcap.store import rows
from endcap.store.port import Changes
from endcap.store.rows import Row
from endcap.store.states import Build, BuildRecord, Job, ModelRow, TrackerRow
from endcap.store.transaction import Names, Present, Transaction


class StateQueries:
    """A part of `port.Store`. An adapter brings how one query is asked, or told, and how present rows are found."""

    @abstractmethod
    def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]: ...

    @abstractmethod
    def _written(self, query: str, values: Mapping[str, object]) -> list[Row]:
        """A write outside the feed: one statement, durable when it returns."""

    @abstractmethod
    def _present(self, names: Names) -> Present:
        """In one state."""

    def trackers(self) -> Sequence[TrackerRow]:
        return [rows.read_tracker(row) for row in self._rows("fetch_trackers", {})]

    def tracker(self, tracker: TrackerId) -> TrackerRow | None:
        found = self._rows("fetch_tracker", {"tracker": tracker})
        return rows.read_tracker(found[0]) if found else None

    def customizations(
        self, tracker: TrackerId, ids: Sequence[CustomizationId]
    ) -> Mapping[CustomizationId, Record]:
        present = self._present(Names(records=[(tracker, each) for each in ids], objects=()))
        return {id_: record for (_, id_), record in present.records.items()}

    def models(self, tracker: TrackerId) -> Sequence[ModelRow]:
        return [ModelRow(*row) for row in self._rows("fetch_models", {"tracker": tracker})]

    def objects_named(
        self, tracker: TrackerId, identities: Sequence[ItemId]
    ) -> Mapping[ItemId, CatalogObject]:
        keys = [(tracker, each) for each in dict.fromkeys(identities)]
        present = self._present(Names(records=(), objects=keys))
        return {identity: each for (_, identity), each in present.objects.items()}

    def fields(self, tracker: TrackerId) -> Sequence[Field]:
        return [Field(*row) for row in self._rows("fetch_fields", {"tracker": tracker})]

    def job(self, tracker: TrackerId, id: int) -> Job | None:
        found = self._rows("fetch_job", {"tracker": tracker, "id": id})
        return rows.read_job(found[0][0]) if found else None

    def open_jobs(self) -> Sequence[tuple[TrackerId, Job]]:
        found = self._rows("fetch_open_jobs", {})
        return [(tracker, rows.read_job(state)) for tracker, state in found]

    def count_open_jobs(self, tracker: TrackerId) -> int:
        ((count,),) = self._rows("count_open_jobs", {"tracker": tracker})
        return int(count)

    def behind(self, tracker: TrackerId, *, since: int, at_most: int) -> int:
        values = {"tracker": tracker, "since": since, "at_most": at_most}
        ((count,),) = self._rows("count_changes", values)
        return int(count)

    # Builds

    def claim_build(
        self, tracker: TrackerId, holder: str, *, now: Micros, until: Micros
    ) -> Build | None:
        found = self._written("claim_build", rows.build_claim(tracker, holder, now, until))
        return rows.read_build(found[0]) if found else None

    def keep_build(
        self, tracker: TrackerId, holder: str, record: BuildRecord, *, until: Micros | None
    ) -> bool:
        return bool(self._written("keep_build", rows.build_kept(tracker, holder, record, until)))

    def pause_build(self, tracker: TrackerId, *, paused: bool) -> None:
        self._written("pause_build", rows.build_paused(tracker, paused=paused))

    def builds(self) -> Mapping[TrackerId, Build]:
        found = map(rows.read_build, self._rows("fetch_builds", {}))
        return {each.tracker: each for each in found}


def changes_of(
    row: TrackerRow, subjects: Iterable[tuple[str, str]], transaction: Transaction
) -> Changes:
    """What is there now of the kinds and subjects that the log names."""
    tracker, named = row.id, list(subjects)
    customizations = [CustomizationId(s) for kind, s in named if kind == "customization"]
    identities = [ItemId(s) for kind, s in named if kind == "object"]
    models = [s for kind, s in named if kind == "model"]
    present = transaction.fetch_present(
        Names(
            records=[(tracker, each) for each in customizations],
            objects=[(tracker, each) for each in identities],
            tables=[tracker] if models else (),
        )
    )
    return Changes(
        row,
        {each: present.records.get((tracker, each)) for each in customizations},
        {each: present.objects.get((tracker, each)) for each in identities},
        {each: present.models.get((tracker, each)) for each in models},
    )

"""
What a transaction writes, over named queries, the same for every adapter but for how a query is told its rows.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

from endcap.domain import ItemId
from endcap.store import rows
from endcap.store.rows import Row
from endcap.store.transaction import Effects, ObjectKey
from endcap.store.writes import CommitGeneration


class Answer(Protocol):
    def fetchall(self) -> list[Row]: ...


class TransactionQueries:
    """A part of `transaction.Transaction`. An adapter brings how it writes rows, and how it finds an object."""

    _object_row = staticmethod(rows.catalog_object)

    @abstractmethod
    def _write(self, query: str, values: Sequence[Row]) -> object:
        """The query for these rows, if there are any."""

    @abstractmethod
    def _execute(self, query: str, values: Mapping[str, object]) -> Answer: ...

    def _object_keys(self, keys: Sequence[ObjectKey]) -> Sequence[Row]:
        return keys

    def write(self, effects: Effects) -> None:
        write = self._write
        write("save_customizations", [rows.saved(*each) for each in effects.saved])
        write("rewrite_customizations", [rows.rewritten(*each) for each in effects.rewritten])
        write("delete_customizations", effects.deleted)
        write("delete_tags", effects.untagged)
        write("save_tags", effects.tagged)
        write("save_objects", [self._object_row(*each) for each in effects.objects])
        if effects.removed:
            write("delete_objects", self._object_keys(effects.removed))
        write("save_drafts", [rows.draft(*each) for each in effects.drafts])
        write("delete_drafts", effects.drafts_deleted)
        write("save_replays", [rows.replay(*each) for each in effects.replays])
        write("save_models", [rows.model(*each) for each in effects.models])
        write("delete_models", effects.unset)
        write("save_changes", [rows.change(*each) for each in effects.changes])
        write("save_fields", [rows.field(*each) for each in effects.fixed])
        write("delete_fields", effects.forgotten)
        write("save_jobs", [rows.job(*each) for each in effects.jobs])
        for tracker, before in effects.outdated.items():
            self._execute("purge_replays", {"tracker": tracker, "before": before})
        for tracker, before in effects.outdated_jobs.items():
            self._execute("purge_jobs", {"tracker": tracker, "before": before})

    def count_generation(self, write: CommitGeneration) -> int:
        ((count,),) = self._execute("count_generation", _swept(write)).fetchall()
        return int(count)

    def sweep(self, write: CommitGeneration, *, limit: int) -> Sequence[ItemId]:
        found = self._execute("sweep", _swept(write) | {"limit": limit}).fetchall()
        return [identity for (identity,) in found]


def _swept(write: CommitGeneration) -> dict[str, object]:
    return {"tracker": write.tracker, "type": write.type, "generation": write.generation}

"""
What becomes of a tracker's table of models in a commit: one row a name, each changed by whoever has read it last.

Knows rows and writes, as `decide` does, and nothing of what a document means.
"""

from collections.abc import Sequence

from endcap.domain import TrackerId
from endcap.errors import FaultyFields, RecommenderNotFound, RevisionConflict
from endcap.store.journal import Journal
from endcap.store.ledger import Ledger, Overlay
from endcap.store.states import ModelRow, TrackerRow
from endcap.store.transaction import ModelKey
from endcap.store.writes import MODELS_MAX, Committed, ModelWrite, Outcome, PutModel, RemoveModel


class ModelDecision:
    """The models of one batch under way."""

    def __init__(self, ledger: Ledger, log: Journal, models: Overlay[ModelKey, ModelRow]) -> None:
        self._ledger = ledger
        self._log = log
        self._models = models

    def take(self, index: int, write: ModelWrite, tracker: TrackerRow) -> Outcome:
        before = self._models.get((write.tracker, write.name))
        if before is None and isinstance(write, RemoveModel):
            return RecommenderNotFound(details={"model": [f"Not in the table: {write.name}"]})
        present = 0 if before is None else before.revision
        if write.expected is not None and present not in write.expected:
            return RevisionConflict("The model was changed by someone else since you read it")
        if isinstance(write, RemoveModel):
            return self._remove(index, write, tracker, before)
        return self._put(index, write, tracker, before)

    def _remove(
        self, index: int, write: RemoveModel, tracker: TrackerRow, before: ModelRow | None
    ) -> Outcome:
        assert before is not None
        revision = self._ledger.spend(index, tracker)
        self._models.drop((write.tracker, write.name))
        self._log(write, revision, "model", write.name, "delete", old=before.document)
        return Committed(revision)

    def _put(
        self, index: int, write: PutModel, tracker: TrackerRow, before: ModelRow | None
    ) -> Outcome:
        if before is not None and before.document == write.document:
            return Committed(tracker.revision, model=before)
        if before is None and len(self._names(write.tracker)) >= MODELS_MAX:
            full = f"The table is full: it holds {MODELS_MAX} models at most"
            return FaultyFields("Invalid model provided", {"name": [full]})
        revision = self._ledger.spend(index, tracker)
        row = ModelRow(write.name, write.document, write.now, revision)
        self._models.put((write.tracker, write.name), row)
        if before is None:
            self._log(write, revision, "model", write.name, "create", new=write.document)
        else:
            old = before.document
            self._log(write, revision, "model", write.name, "replace", old=old, new=write.document)
        return Committed(revision, model=row)

    def _names(self, tracker: TrackerId) -> Sequence[str]:
        keys = self._models.present.keys() | self._models.written.keys()
        return [key[1] for key in keys if key[0] == tracker and self._models.get(key) is not None]

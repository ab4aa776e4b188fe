"""
The whole of a commit but for its beginning and its end, which are the adapter's.

An adapter opens a transaction and hands it over. It queues for the trackers' rows, and then goes through the commit
batch by batch: the present rows of all that a batch names are read, `decide` says what becomes of them, and the answer
is written, a set a table. How many statements that takes does not depend on how much is written, up to a batch; larger
commits are more batches of one transaction.
"""

from collections.abc import Sequence

from endcap.domain import TrackerId
from endcap.errors import (
    CatalogFault,
    CatalogFaults,
    Problem,
    RefusedTogether,
    RevisionConflict,
    TrackerNotFound,
)
from endcap.store.batches import batches, names_of, slices_of
from endcap.store.decide import decide
from endcap.store.decide_drafts import conflict, overtaken
from endcap.store.decide_trackers import new_tracker
from endcap.store.journal import Journal
from endcap.store.ledger import Ledger, Overlay
from endcap.store.transaction import BATCH_NAMES_MAX, Effects, Transaction
from endcap.store.writes import (
    CommitGeneration,
    Committed,
    CreateTracker,
    Outcome,
    ReviseCustomizations,
    Write,
)

SWEEP_ROWS_MAX = (
    10_000  # rows that one statement of a sweep removes: bounds its time, not the transaction
)


def carry_out(
    writes: Sequence[Write], transaction: Transaction, *, names_max: int = BATCH_NAMES_MAX
) -> Sequence[Outcome]:
    """One outcome a write, in order."""
    new = [new_tracker(write) for write in _trackers_made(writes)]
    claimed = transaction.claim_trackers(new) if new else ()
    rows = transaction.lock_trackers(_trackers_named(writes))
    ledger = Ledger({row.id: row for row in rows if row.id not in claimed}, size=len(writes))
    refused: set[int] = set()
    for batch in batches(writes, names_max=names_max):
        (first, *_) = batch
        if isinstance(first.write, CommitGeneration):
            ledger.settle(first.index, _sweep(first.index, first.write, transaction, ledger))
            continue
        if first.whole is not None and ledger.trackers.get(first.write.tracker) is not None:
            objection = _objection_to(first.whole, transaction, names_max)
            if objection is not None:
                ledger.settle(first.index, objection)
                refused.add(first.index)
        if first.index in refused:  # slices of one that is all or nothing have their own batches
            continue
        present = transaction.fetch_present(names_of(batch))
        transaction.write(decide(batch, present, ledger))
    transaction.save_trackers(ledger.changed_trackers)
    return ledger.outcomes


def carry_out_together(writes: Sequence[Write], transaction: Transaction) -> Sequence[Committed]:
    """
    The same for all or none. Raises RefusedTogether, which an adapter answers by undoing the transaction.
    """
    outcomes = carry_out(writes, transaction)
    refusals = {
        index: outcome for index, outcome in enumerate(outcomes) if isinstance(outcome, Problem)
    }
    if refusals:
        raise RefusedTogether(refusals)
    return [outcome for outcome in outcomes if isinstance(outcome, Committed)]


def _trackers_named(writes: Sequence[Write]) -> Sequence[TrackerId]:
    """In the order in which to queue for their rows: the same in every process, so that none waits in a circle."""
    return sorted({write.tracker for write in writes})


def _trackers_made(writes: Sequence[Write]) -> Sequence[CreateTracker]:
    """The first attempt to create each tracker, in the same order."""
    made: dict[TrackerId, CreateTracker] = {}
    for write in writes:
        if isinstance(write, CreateTracker):
            made.setdefault(write.tracker, write)
    return [made[tracker] for tracker in sorted(made)]


def _objection_to(
    write: ReviseCustomizations, transaction: Transaction, names_max: int
) -> RevisionConflict | None:
    """Why nothing of one that is larger than a batch can be done, after all that was written before it."""
    count = 0
    for part, _ in slices_of(0, write, names_max=names_max):
        slice_ = part.write
        assert isinstance(slice_, ReviseCustomizations)
        present = transaction.fetch_present(names_of([part]))
        count += overtaken(slice_, Overlay(present.records), Overlay(present.drafts))
    return conflict(count) if count else None


def _sweep(
    index: int, write: CommitGeneration, transaction: Transaction, ledger: Ledger
) -> Outcome:
    """Removes by statement what nobody could name: there may be a million."""
    tracker = ledger.trackers.get(write.tracker)
    if tracker is None:
        return TrackerNotFound()
    kept = transaction.count_generation(write)
    if not kept:
        return _generation_empty(write)
    removed = 0
    while gone := transaction.sweep(write, limit=SWEEP_ROWS_MAX):
        removed += len(gone)
        revision, journal = ledger.spend(index, tracker), Journal(ledger)
        for each in gone:
            journal(write, revision, "object", each, "delete")
        transaction.write(Effects(changes=journal.lines))
    return Committed(ledger.revision(tracker), kept=kept, removed=removed)


def _generation_empty(write: CommitGeneration) -> CatalogFaults:
    reason = f"No {write.type} is of the generation {write.generation}: nothing was removed"
    caused_by = {"generation": ["has no objects of this type"]}
    return CatalogFaults(0, {"generation": CatalogFault("not_found", reason, caused_by)})

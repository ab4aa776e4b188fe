"""
The lines that writes leave in the log.
"""

from endcap.domain import TrackerId
from endcap.store.ledger import Ledger
from endcap.store.states import ChangeAction, ChangeKind, ChangeRow
from endcap.store.writes import (
    CatalogWrite,
    CreateCustomization,
    CustomizationWrite,
    DraftWrite,
    ModelWrite,
    ObjectWrite,
    ReviseCustomizations,
    StepJob,
    TrackerWrite,
)

LoggedWrite = (
    CustomizationWrite
    | DraftWrite
    | ReviseCustomizations
    | ObjectWrite
    | ModelWrite
    | CatalogWrite
    | StepJob
    | TrackerWrite
)


class Journal:
    """
    The lines of one batch, in order. Apart from the decision, so that those who write them do not hold the decision
    that holds them: a batch is let go when it is written, and not when cycles are looked for.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.lines: list[tuple[TrackerId, int, ChangeRow]] = []
        """See `Effects.changes`."""

    def __call__(
        self,
        write: LoggedWrite,
        revision: int,
        kind: ChangeKind,
        subject: str,
        action: ChangeAction,
        *,
        old: bytes | None = None,
        new: bytes | None = None,
    ) -> None:
        actor = write.actor
        if actor is None:  # of a customization that its own creator makes
            assert isinstance(write, CreateCustomization)
            actor = write.creator
        line = ChangeRow(revision, kind, subject, action, actor, write.now, old, new)
        self.lines.append((write.tracker, self._ledger.next_ordinal(), line))

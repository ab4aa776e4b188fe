"""
Drafts that are published at a time: a thread in every worker that looks what is due, and publishes it.

The time is in the store, so it survives whoever was told it; what came due while everything was down is published at
the first look. Publishing takes the draft away in the very transaction that changes what is published, so of many
workers on many hosts one does it, and the others find nothing left to do. What cannot be published is held: its time is
taken away, and it says why.
"""

from endcap.clock import Clock, system_clock
from endcap.committer import Committer
from endcap.drafts import Drafts, holding
from endcap.errors import (
    DraftConflict,
    DraftNotFound,
    Problem,
    PublishConflict,
    StoreUnavailable,
    TrackerNotFound,
)
from endcap.lookout import Lookout
from endcap.store.port import Due, Store
from endcap.telemetry import log

LOOK_SECONDS = 1.0  # how late one may be; a look is one question to an index of what is scheduled
AT_ONCE_MAX = 500
_ELSEWHERE = (DraftNotFound, DraftConflict, TrackerNotFound)
"""Another worker, or an editor, was faster: what is there now is not what was due."""


class Scheduled:
    """One a worker. Start it when the store is migrated; stop it before the store is closed."""

    def __init__(
        self,
        store: Store,
        committer: Committer,
        drafts: Drafts,
        *,
        clock: Clock = system_clock,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._store = store
        self._committer = committer
        self._drafts = drafts
        self._clock = clock
        self._lookout = Lookout(
            self.look,
            look_seconds,
            name="scheduled",
            failed=lambda error: log.error("schedule of drafts failed", exc_info=error),
        )

    def start(self) -> None:
        self._lookout.start()

    def stop(self) -> None:
        self._lookout.stop()

    def look(self) -> int:
        """Once: publishes what is due, and returns how much that was. Raises StoreUnavailable."""
        published = 0
        while due := self._store.due(self._clock(), limit=AT_ONCE_MAX):
            published += sum(map(self._publish, due))
            if self._lookout.stopping.is_set() or len(due) < AT_ONCE_MAX:
                break
        return published

    def _publish(self, due: Due) -> bool:
        draft, tracker = due.draft, due.tracker
        try:
            write = self._drafts.publishing(
                tracker,
                draft.id,
                actor=draft.publisher or draft.author,
                now=self._clock(),
                expected=draft.revision,
            )
            (outcome,) = self._committer.commit_now([write])
            if isinstance(outcome, Problem):
                raise outcome
        except StoreUnavailable:
            raise
        except _ELSEWHERE:
            return False
        except PublishConflict as problem:
            self._hold(due, problem.reason)
            return False
        except Problem as problem:
            self._hold(due, str(problem))
            return False
        log.info(
            "draft published",
            tracker=tracker,
            id=draft.id,
            user=draft.publisher,
            revision=outcome.revision,
        )
        return True

    def _hold(self, due: Due, reason: str) -> None:
        self._committer.commit_now([holding(due.tracker, due.draft, reason, now=self._clock())])
        log.warning("draft held", tracker=due.tracker, id=due.draft.id, reason=reason)

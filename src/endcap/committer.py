"""
Group commit: writes that arrive together share one transaction and one sync to disk.

A write is answered when its group is durable and this worker's mirror shows it.
"""

from collections.abc import Coroutine, Sequence
from typing import Any

from endcap.errors import CatalogFaults
from endcap.grouping import GROUP_MAX, PENDING_MAX, Grouped
from endcap.mirror import Mirror
from endcap.store.port import Store
from endcap.store.writes import Committed, Outcome, Write


class Committer:
    """One thread that commits for everybody in this process."""

    def __init__(
        self,
        store: Store,
        mirror: Mirror,
        *,
        group_max: int = GROUP_MAX,
        pending_max: int = PENDING_MAX,
    ) -> None:
        self._store = store
        self._mirror = mirror
        self._grouped: Grouped[Write, Committed] = Grouped(
            self._outcomes,
            name="committer",
            group_max=group_max,
            pending_max=pending_max,
        )
        self.start = self._grouped.start
        self.stop = self._grouped.stop

    def commit(self, write: Write) -> Coroutine[Any, Any, Committed]:
        """Durable and visible here when it returns; raises the write's Problem."""
        return self._grouped.done(write)

    def commit_now(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """The same from a thread that may block (commands, tests): one group of its own."""
        outcomes = self._store.commit(writes)
        self._mirror.absorb(writes, outcomes)
        return outcomes

    def commit_together_now(self, writes: Sequence[Write]) -> Sequence[Committed]:
        """All or none, from a thread that may block. Raises RefusedTogether."""
        outcomes = self._store.commit_together(writes)
        self._mirror.absorb(writes, outcomes)
        return outcomes

    def _outcomes(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        try:
            return self.commit_now(writes)
        except CatalogFaults as problem:  # of a write that is done whole or not at all
            if len(writes) > 1:
                raise  # each is then tried alone
            return [problem]

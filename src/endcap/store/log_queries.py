"""
Reads of the log and of drafts over named queries, the same for every adapter but for how a query is asked.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

from endcap.domain import CustomizationId, Draft, Micros, TrackerId
from endcap.store import rows
from endcap.store.port import Due, LogFilter, Place
from endcap.store.rows import Row, json_text
from endcap.store.states import ChangeRow

_END = 2**62  # no revision is as high
_NAMES_MAX = 1_000
_DISORDER_MICROS = 600 * 1_000_000  # by which instants may fall while revisions rise


class LogQueries:
    """A part of `port.Store`. An adapter brings `_rows`, which asks one query."""

    @abstractmethod
    def _rows(self, query: str, values: Mapping[str, object]) -> list[Row]: ...

    def lines(
        self,
        tracker: TrackerId,
        filter: LogFilter,
        *,
        before: Place | None = None,
        limit: int,
    ) -> Sequence[tuple[Place, ChangeRow]]:
        end = Place(_END, 0) if before is None else before
        after = 0
        if filter.since is not None:
            after = self.revision_at(tracker, Micros(filter.since - _DISORDER_MICROS))
        if filter.until is not None:
            last = self.revision_at(tracker, Micros(filter.until + _DISORDER_MICROS))
            end = min(end, Place(last + 1, 0), key=lambda place: (place.revision, place.ordinal))
        values = {
            "tracker": tracker,
            "after": after,
            "revision": end.revision,
            "ordinal": end.ordinal,
            "kinds": _listed(filter.kinds),
            "actors": _listed(filter.actors),
            "actions": _listed(filter.actions),
            "subject": filter.subject,
            "since": filter.since,
            "until": filter.until,
            "limit": limit,
        }
        return [
            (Place(revision, ordinal), ChangeRow(revision, *rest))
            for revision, ordinal, *rest in self._rows("fetch_lines", values)
        ]

    def revision_at(self, tracker: TrackerId, at: Micros) -> int:
        """The log is gapless but for revisions that it does not tell of, so halving asks for the next line told."""
        low, high = 0, self._last(tracker)
        while low < high:
            middle = (low + high + 1) // 2
            found = self._rows("fetch_instant", {"tracker": tracker, "revision": middle})
            if found and found[0][1] <= at:
                low = int(found[0][0])
            else:
                high = middle - 1
        return low

    def draft(self, tracker: TrackerId, id: CustomizationId) -> Draft | None:
        found = self._rows("fetch_draft", {"tracker": tracker, "id": id})
        return rows.read_draft(found[0]) if found else None

    def drafts(self, tracker: TrackerId, *, limit: int, offset: int = 0) -> Sequence[Draft]:
        values = {"tracker": tracker, "limit": limit, "offset": offset}
        return [rows.read_draft(row) for row in self._rows("fetch_drafts", values)]

    def count_drafts(self, tracker: TrackerId) -> int:
        ((count,),) = self._rows("count_drafts", {"tracker": tracker})
        return int(count)

    def drafts_named(
        self, tracker: TrackerId, ids: Sequence[CustomizationId]
    ) -> Mapping[CustomizationId, Draft]:
        found: dict[CustomizationId, Draft] = {}
        for start in range(0, len(ids), _NAMES_MAX):
            some = json_text(ids[start : start + _NAMES_MAX])
            for row in self._rows("fetch_drafts_named", {"tracker": tracker, "ids": some}):
                draft = rows.read_draft(row)
                found[draft.id] = draft
        return found

    def due(self, now: Micros, *, limit: int) -> Sequence[Due]:
        found = self._rows("fetch_due", {"now": now, "limit": limit})
        return [Due(row[0], rows.read_draft(row[1:])) for row in found]

    def _last(self, tracker: TrackerId) -> int:
        found = self._rows("fetch_last_line", {"tracker": tracker})
        return int(found[0][0]) if found else 0


def _listed(values: Sequence[str]) -> str | None:
    """None where everything is wanted: a list in a query is a JSON text."""
    return json_text(values) if values else None

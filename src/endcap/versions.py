"""
What customizations were, and having it back: one version, an action undone, a whole tracker as it was at a moment.

The log holds every version, so nothing is kept beside it. An **action** is all that one actor did at one instant, be
it one write or thousands: whoever changes many at once gives all of it one instant. What would be done is worked out
first, as a `Reversal`, which can be shown; then it is written at once, under one revision, or not at all. It is in the
log like any other action, and can be undone like one.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypeVar

from msgspec import Struct

from endcap.committer import Committer
from endcap.domain import CustomizationId, Draft, Micros, Record, TrackerId
from endcap.errors import (
    CustomizationNotFound,
    FaultyFields,
    NothingToUndo,
    Problem,
    RevisionConflict,
    VersionNotFound,
)
from endcap.store.port import LogFilter, Place, Store
from endcap.store.states import ChangeRow
from endcap.store.writes import (
    Committed,
    ReplaceCustomization,
    RestoreCustomization,
    ReviseCustomizations,
    Revised,
    RevisedDraft,
    Version,
    Write,
)
from endcap.wire.versions import (
    Origin,
    origin_of,
    read_draft,
    read_version,
    version_of,
    without_origin,
)

LINES_MAX = (
    250_000  # of one action, or of a tracker: what is worked out is held in memory, some 3 kB each
)
HISTORY_MAX = 1_000
LINES_LOOKED_AT = 2_000
LINES_TOLD_MAX = 5
ACTION_KINDS = ("customization", "draft")

T = TypeVar("T")
Became = Literal["created", "changed", "deleted"]


class Action(Struct, frozen=True):
    """What one actor did at one instant; `lines` are in the order of the log."""

    actor: str
    at: Micros
    lines: Sequence[ChangeRow]

    @property
    def first(self) -> int:
        return self.lines[0].revision

    @property
    def last(self) -> int:
        return self.lines[-1].revision


class Deed(Struct, frozen=True):
    """An action in brief. `counts` are lines by kind and by what they did."""

    actor: str
    at: Micros
    revision: int
    """The last that it wrote."""
    counts: Mapping[tuple[str, str], int]
    lines: Sequence[ChangeRow]
    """The newest first, at most LINES_TOLD_MAX."""
    is_cut: bool
    """Whether it did more than was looked at."""

    @property
    def count(self) -> int:
        """Customizations; or drafts, where it changed nothing else."""
        published = sum(n for (kind, _), n in self.counts.items() if kind == "customization")
        return published or sum(self.counts.values())


class Step(Struct, frozen=True):
    """One customization, or draft, and what would become of it. Versions as the log keeps them."""

    id: CustomizationId
    kind: Literal["customization", "draft"]
    now: bytes | None
    then: bytes | None
    write: Revised | RevisedDraft

    @property
    def became(self) -> Became:
        if self.now is None:
            return "created"
        return "deleted" if self.then is None else "changed"


class Reversal(Struct, frozen=True):
    """What would be done; `skipped` are those that are left alone, and why."""

    steps: Sequence[Step]
    skipped: Mapping[CustomizationId, str]
    told: Sequence[Step]
    """Of customizations, or of drafts where nothing else would change."""
    counts: Mapping[Became, int]
    """Of `told`."""
    fingerprint: str
    """The same for the same work: who was shown one and confirms it does not do another."""

    def count(self, became: Became) -> int:
        return self.counts.get(became, 0)

    def write(self, tracker: TrackerId, *, actor: str, now: Micros) -> ReviseCustomizations:
        """All of it, as one write."""
        return ReviseCustomizations(
            tracker,
            [step.write for step in self.steps if isinstance(step.write, Revised)],
            actor,
            now,
            [step.write for step in self.steps if isinstance(step.write, RevisedDraft)],
        )


class Restored(Struct, frozen=True):
    """What was done."""

    revision: int
    created: int
    changed: int
    deleted: int
    skipped: Mapping[CustomizationId, str]


class Versions:
    """One a process. Reads of the store block: callers on an event loop use threads."""

    def __init__(self, store: Store, committer: Committer, *, lines_max: int = LINES_MAX) -> None:
        self._store = store
        self._committer = committer
        self._lines_max = lines_max
        self._turn = asyncio.Lock()

    # One customization

    def history(
        self,
        tracker: TrackerId,
        id: CustomizationId,
        *,
        before: Place | None = None,
        limit: int = HISTORY_MAX,
    ) -> Sequence[tuple[Place, ChangeRow]]:
        """The newest first. Raises CustomizationNotFound where nothing is known of it."""
        filter_ = LogFilter(kinds=ACTION_KINDS, subject=id)
        lines = self._store.lines(tracker, filter_, before=before, limit=limit)
        if not lines and before is None:
            raise CustomizationNotFound
        return lines

    def version(self, tracker: TrackerId, id: CustomizationId, revision: int) -> bytes:
        """What it was after a revision that wrote it. Raises VersionNotFound."""
        new = self.version_line(tracker, id, revision).new
        assert new is not None
        return new

    def version_line(self, tracker: TrackerId, id: CustomizationId, revision: int) -> ChangeRow:
        """The line of the log that holds a version. Raises VersionNotFound."""
        line = self._line(tracker, id, Place(revision + 1, 0))
        if line is None or line.revision != revision:
            raise VersionNotFound(details={"revision": [f"{revision} did not write {id}"]})
        if line.new is None:
            raise VersionNotFound(
                details={"revision": [f"{revision} deleted it; choose one before that"]}
            )
        return line

    async def restore(
        self,
        tracker: TrackerId,
        id: CustomizationId,
        revision: int,
        *,
        actor: str,
        now: Micros,
        expected: frozenset[int] | None = None,
    ) -> Committed:
        """
        Makes a customization again what it was, be it deleted meanwhile. Raises VersionNotFound, RevisionConflict,
        FaultyFields for a version that this Endcap does not understand.
        """
        write = await asyncio.to_thread(
            lambda: self.restoring_one(
                tracker, id, revision, actor=actor, now=now, expected=expected
            )
        )
        return await self._committer.commit(write)

    def restoring_one(
        self,
        tracker: TrackerId,
        id: CustomizationId,
        revision: int,
        *,
        actor: str,
        now: Micros,
        expected: frozenset[int] | None = None,
    ) -> ReplaceCustomization | RestoreCustomization:
        """The write that does it."""
        definition = read_version(self.version(tracker, id, revision))
        record = self._store.customization(tracker, id)
        if record is not None:
            return ReplaceCustomization(tracker, id, definition, actor, now, expected)
        if expected is not None and 0 not in expected:
            raise RevisionConflict
        last = self._line(tracker, id, None)
        origin = origin_of(last.old) if last is not None and last.old is not None else None
        known = origin or Origin(actor, now)
        return RestoreCustomization(
            tracker, id, definition, known.creator, known.created_at, actor, now
        )

    def _line(
        self, tracker: TrackerId, id: CustomizationId, before: Place | None
    ) -> ChangeRow | None:
        filter_ = LogFilter(kinds=("customization",), subject=id)
        found = self._store.lines(tracker, filter_, before=before, limit=1)
        return found[0][1] if found else None

    # An action

    def deeds(
        self, tracker: TrackerId, *, before: int | None = None, limit: int
    ) -> tuple[Sequence[Deed], int | None]:
        """
        What was done lately, the newest first, before a revision; and where to go on, if there is more. Lines of one
        action that lie apart, because somebody else wrote meanwhile, may be told as several.
        """
        place = None if before is None else Place(before, 0)
        filter_ = LogFilter(kinds=ACTION_KINDS)
        found = self._store.lines(tracker, filter_, before=place, limit=LINES_LOOKED_AT)
        grouped: list[list[ChangeRow]] = []
        for _, line in found:
            if grouped and (grouped[-1][0].actor, grouped[-1][0].at) == (line.actor, line.at):
                grouped[-1].append(line)
            else:
                grouped.append([line])
        is_cut = len(found) == LINES_LOOKED_AT
        more = is_cut or len(grouped) > limit
        deeds = [_deed(lines, is_cut=is_cut and lines is grouped[-1]) for lines in grouped[:limit]]
        next_ = grouped[:limit][-1][-1].revision if more and deeds else None
        return deeds, next_

    def last_action(self, tracker: TrackerId, *, actor: str | None = None) -> Action:
        """Anybody's, or one actor's. Raises NothingToUndo, FaultyFields for one of too many."""
        filter_ = LogFilter(kinds=ACTION_KINDS, actors=() if actor is None else (actor,))
        found = self._store.lines(tracker, filter_, limit=1)
        if not found:
            raise NothingToUndo
        return self._action_of(tracker, found[0][1])

    def action(self, tracker: TrackerId, revision: int) -> Action:
        """The one that a revision is of. Raises NothingToUndo, FaultyFields for one of too many."""
        filter_ = LogFilter(kinds=ACTION_KINDS)
        found = self._store.lines(tracker, filter_, before=Place(revision + 1, 0), limit=1)
        if not found or found[0][1].revision != revision:
            told = f"{revision} changed no customization and no draft"
            raise NothingToUndo(details={"revision": [told]})
        return self._action_of(tracker, found[0][1])

    def _action_of(self, tracker: TrackerId, line: ChangeRow) -> Action:
        filter_ = LogFilter(
            kinds=ACTION_KINDS, actors=(line.actor,), since=line.at, until=Micros(line.at + 1)
        )
        found = self._store.lines(tracker, filter_, limit=self._lines_max + 1)
        if len(found) > self._lines_max:
            raise _too_many(
                "revision", self._lines_max, "were changed: restore the tracker instead"
            )
        return Action(line.actor, line.at, [each for _, each in reversed(found)])

    def undoing(self, tracker: TrackerId, action: Action) -> Reversal:
        """Takes an action back, but where somebody has written since."""
        steps: list[Step] = []
        skipped: dict[CustomizationId, str] = {}
        published = dict(_spans(action, "customization"))
        records = self._store.customizations(tracker, list(published))
        for id_, (first, last) in published.items():
            record = records.get(id_)
            if (0 if record is None else record.revision) != _left_by(last):
                skipped[id_] = "It was changed by someone else since"
                continue
            now = None if record is None else version_of(record)
            origin = _origin(record, last.old) or Origin(action.actor, action.at)
            steps += _step(id_, now, first.old, _left_by(last), origin, skipped)
        drafts = dict(_spans(action, "draft"))
        found = self._store.drafts_named(tracker, list(drafts))
        for id_, (first, last) in drafts.items():
            if id_ not in skipped:
                steps += _draft_step(id_, found.get(id_), first, last, id_ in published, skipped)
        return _reversal(steps, skipped)

    # A whole tracker

    def revision_at(self, tracker: TrackerId, at: Micros) -> int:
        return self._store.revision_at(tracker, at)

    def restoring(self, tracker: TrackerId, revision: int) -> Reversal:
        """
        Every customization as it was at a revision; drafts, the catalog and recommenders stay. Blocks, and for a large
        tracker takes seconds and much memory: see `in_turn`. Raises FaultyFields if it is too much.
        """
        steps: list[Step] = []
        skipped: dict[CustomizationId, str] = {}
        for each in self._store.touched(tracker, since=revision):
            now = None if each.record is None else version_of(each.record)
            then = None if each.then is None else without_origin(each.then)
            if now == then:
                continue
            origin = _origin(each.record, each.last) or Origin("", Micros(0))
            expected = 0 if each.record is None else each.record.revision
            steps += _step(each.id, now, then, expected, origin, skipped)
            if len(steps) > self._lines_max:
                raise _too_many("at", self._lines_max, "would change: choose a later moment")
        return _reversal(steps, skipped)

    async def in_turn(self, restoring: Callable[[], T]) -> T:
        """In a thread, one after the other in this process, however many ask: each may need hundreds of MB."""
        async with self._turn:
            return await asyncio.to_thread(restoring)

    async def carry_out(
        self, tracker: TrackerId, reversal: Reversal, *, actor: str, now: Micros
    ) -> Restored:
        """All of it, or nothing. Raises RevisionConflict if anything in it was changed since it was worked out."""
        committed = await asyncio.to_thread(
            lambda: self._commit(reversal.write(tracker, actor=actor, now=now))
        )
        return Restored(
            committed.revision,
            reversal.count("created"),
            reversal.count("changed"),
            reversal.count("deleted"),
            reversal.skipped,
        )

    def _commit(self, write: Write) -> Committed:
        """In a group of its own: one that is large must not hold others' answers back longer than its transaction."""
        (outcome,) = self._committer.commit_now([write])
        if isinstance(outcome, Problem):
            raise outcome
        return outcome


def _too_many(field: str, most: int, what: str) -> FaultyFields:
    told = f"More than {most:,} customizations {what}"
    return FaultyFields("This is too much to take back at once", {field: [told]})


def _reversal(steps: Sequence[Step], skipped: Mapping[CustomizationId, str]) -> Reversal:
    """All that is said of them is worked out here, in the thread that reads: of 100,000 it takes a second."""
    told = [step for step in steps if step.kind == "customization"] or steps
    counts: Counter[Became] = Counter(step.became for step in told)
    digest = hashlib.sha256()
    for step in sorted(steps, key=lambda each: (each.id, each.kind)):
        digest.update(f"{step.kind} {step.id} {step.write.expected} ".encode())
        digest.update(hashlib.sha256(step.then or b"").digest())
    return Reversal(steps, skipped, told, counts, digest.hexdigest()[:32])


def _deed(lines: Sequence[ChangeRow], *, is_cut: bool) -> Deed:
    counts: Counter[tuple[str, str]] = Counter((line.kind, line.action) for line in lines)
    first = lines[0]
    told = lines[:LINES_TOLD_MAX]
    return Deed(first.actor, first.at, first.revision, counts, told, is_cut)


def _spans(
    action: Action, kind: str
) -> Iterator[tuple[CustomizationId, tuple[ChangeRow, ChangeRow]]]:
    """Of each subject, the first and the last line."""
    spans: dict[CustomizationId, tuple[ChangeRow, ChangeRow]] = {}
    for line in action.lines:
        if line.kind == kind:
            id_ = CustomizationId(line.subject)
            spans[id_] = (spans[id_][0] if id_ in spans else line, line)
    yield from spans.items()


def _left_by(line: ChangeRow) -> int:
    """The revision that a line left its subject at; 0: it is gone."""
    return 0 if line.new is None else line.revision


def _origin(record: Record | None, last: bytes | None) -> Origin | None:
    """Who made a customization, and when, as it is or, deleted, as its last version says; early ones do not say."""
    if record is not None:
        return Origin(record.creator, record.created_at)
    return None if last is None else origin_of(last)


def _step(
    id: CustomizationId,
    now: bytes | None,
    then: bytes | None,
    expected: int,
    origin: Origin,
    skipped: dict[CustomizationId, str],
) -> list[Step]:
    wanted = None if then is None else without_origin(then)
    if now == wanted:
        return []
    if wanted is None:
        return [Step(id, "customization", now, None, Revised(id, expected, None))]
    try:
        definition = read_version(wanted)
    except Problem as problem:
        skipped[id] = f"What it was cannot be read any more: {problem}"
        return []
    version = Version(definition, origin.creator, origin.created_at)
    return [Step(id, "customization", now, wanted, Revised(id, expected, version))]


def _draft_step(
    id: CustomizationId,
    draft: Draft | None,
    first: ChangeRow,
    last: ChangeRow,
    is_rebased: bool,
    skipped: dict[CustomizationId, str],
) -> list[Step]:
    """A draft that comes back with what it was made from is made from that again."""
    expected = 0 if draft is None else draft.revision
    if expected != _left_by(last):
        skipped[id] = "Its draft was changed by someone else since"
        return []
    try:
        then = None if first.old is None else read_draft(id, first.old)
    except Problem as problem:
        skipped[id] = str(problem)
        return []
    if draft is None and then is None:
        return []
    write = RevisedDraft(id, expected, then, is_rebased)
    return [
        Step(
            id,
            "draft",
            None if draft is None else draft.document,
            None if then is None else then.document,
            write,
        )
    ]

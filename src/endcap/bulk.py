"""
One change to many customizations: what it would do, doing it, and undoing it.

What it would do is read from memory; doing it reads each record anew and writes only where it is as the user saw it, so
that nobody's change is lost: who was overtaken is told. All writes of one action carry one instant, and by that and the
user's name the log tells them apart; undoing reads them from the log, and again writes only what nobody has touched
since.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import assert_never

from msgspec import Struct

from endcap.committer import Committer
from endcap.domain import (
    TAG_CHARACTERS_MAX,
    TAGS_MAX,
    Customization,
    CustomizationId,
    Definition,
    Micros,
    Record,
    TrackerId,
)
from endcap.errors import (
    CustomizationNotFound,
    FaultyFields,
    Problem,
    RevisionConflict,
    UsageFault,
)
from endcap.store.port import Store
from endcap.store.states import ChangeRow
from endcap.store.writes import (
    Committed,
    CustomizationWrite,
    DeleteCustomization,
    ReplaceCustomization,
    RestoreCustomization,
)
from endcap.wire.amending import shifted, switched, tagged, untagged
from endcap.wire.versions import Origin, origin_of, read_version

CHANGED_MAX = (
    20_000  # of one action: some seconds of writing, and an undo that is no longer than that
)
GROUP = 250  # written together; other writers come in between
DAYS_MAX = 3_650
SAMPLE = 10
HOUR_MICROS = 3_600 * 1_000_000
FIRST_MICROS = int(datetime(1, 1, 2, tzinfo=UTC).timestamp()) * 1_000_000
LAST_MICROS = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp()) * 1_000_000


class Tag(Struct, frozen=True, tag=True):
    tags: tuple[str, ...]


class Untag(Struct, frozen=True, tag=True):
    tags: tuple[str, ...]


class Shift(Struct, frozen=True, tag=True):
    """Every window's beginning and end by this many hours."""

    hours: int


class Switch(Struct, frozen=True, tag=True):
    disabled: bool


class Delete(Struct, frozen=True, tag=True):
    pass


Action = Tag | Untag | Shift | Switch | Delete

Chosen = Mapping[CustomizationId, int]
"""Customizations by id, and the revision of each that the user has seen."""


class Plan(Struct, frozen=True):
    """What an action would do. `changes` are those it would change, of all that were chosen."""

    action: Action
    changes: Sequence[Customization]
    unchanged: int
    refused: Mapping[CustomizationId, str]


class Done(Struct, frozen=True):
    """
    What an action did. Its writes are in the log after one revision and through another, by one user at one instant.
    """

    at: Micros
    after: int
    through: int
    changed: int
    unchanged: int
    overtaken: Sequence[CustomizationId]
    """Changed or deleted by somebody else since the user saw them."""
    refused: Mapping[CustomizationId, str]


def read_tags(text: str) -> tuple[str, ...]:
    """Tags separated by commas. Raises FaultyFields."""
    tags = tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))
    if not tags:
        raise FaultyFields("No tag was given", {"tags": ["Name at least one, e.g. winter, sale"]})
    if len(tags) > TAGS_MAX or any(len(tag) > TAG_CHARACTERS_MAX or "\x00" in tag for tag in tags):
        said = f"At most {TAGS_MAX}, of at most {TAG_CHARACTERS_MAX} characters each"
        raise FaultyFields("These tags cannot be used", {"tags": [said]})
    return tags


def read_shift(amount: str, unit: str) -> Shift:
    """Raises FaultyFields."""
    hours = {"hours": 1, "days": 24, "weeks": 7 * 24}.get(unit)
    digits = amount.strip().removeprefix("+")
    try:
        number = int(digits) if len(digits) <= 6 else 0
    except ValueError:
        number = 0
    if hours is None or number == 0 or abs(number * hours) > DAYS_MAX * 24:
        said = f"A whole number of hours, days or weeks, at most {DAYS_MAX} days; -7 days is a week earlier"
        raise FaultyFields("The dates cannot be shifted by this", {"amount": [said]})
    return Shift(number * hours)


def check_count(count: int, *, advice: str = "narrow the filter") -> None:
    """Raises UsageFault for more customizations than one action may change."""
    if count > CHANGED_MAX:
        raise UsageFault(
            f"These are {count:,} customizations, and at most {CHANGED_MAX:,} can be changed at once: {advice}"
        )


def plan(action: Action, chosen: Sequence[Customization]) -> Plan:
    """What the action would do to what was chosen, as far as memory tells. Raises UsageFault if that is too much."""
    check_count(len(chosen))
    changes: list[Customization] = []
    refused: dict[CustomizationId, str] = {}
    for each in chosen:
        objection = _objection(action, each)
        if objection is not None:
            refused[each.id] = objection
        elif _changes(action, each):
            changes.append(each)
    return Plan(action, changes, len(chosen) - len(changes) - len(refused), refused)


class Bulk:
    """Does it. One a process."""

    def __init__(self, store: Store, committer: Committer) -> None:
        self._store = store
        self._committer = committer

    async def do(
        self, tracker: TrackerId, action: Action, chosen: Chosen, *, actor: str, now: Micros
    ) -> Done:
        """Raises UsageFault for too many, StoreUnavailable. What was written until then stays, and can be undone."""
        check_count(len(chosen))
        after = await asyncio.to_thread(self._revision, tracker)
        tally = _Tally()
        ids = list(chosen)
        for start in range(0, len(ids), GROUP):
            group = ids[start : start + GROUP]
            records = await asyncio.to_thread(self._store.customizations, tracker, group)
            writes = [
                write
                for each in group
                if (
                    write := tally.write(
                        tracker, action, records.get(each), each, chosen[each], actor, now
                    )
                )
            ]
            await self._commit(writes, tally)
        through = await asyncio.to_thread(self._revision, tracker)
        return tally.done(now, after, through)

    async def carry_out(
        self, tracker: TrackerId, writes: Sequence[CustomizationWrite], *, now: Micros
    ) -> Done:
        """Writes that were made elsewhere, all of one actor at this instant. Raises as `do` does."""
        check_count(len(writes))
        after = await asyncio.to_thread(self._revision, tracker)
        tally = _Tally()
        for start in range(0, len(writes), GROUP):
            await self._commit(writes[start : start + GROUP], tally)
        through = await asyncio.to_thread(self._revision, tracker)
        return tally.done(now, after, through)

    async def undo(
        self, tracker: TrackerId, *, actor: str, at: Micros, after: int, through: int, now: Micros
    ) -> Done:
        """Takes back what this user did at that instant. Raises StoreUnavailable."""
        lines = await asyncio.to_thread(
            self.lines, tracker, actor=actor, at=at, after=after, through=through
        )
        began = await asyncio.to_thread(self._revision, tracker)
        tally = _Tally()
        writes: list[CustomizationWrite] = []
        for line in lines:
            try:
                writes.append(_inverse(tracker, line, actor, now))
            except Problem as problem:
                tally.refused[CustomizationId(line.subject)] = str(problem)
        for start in range(0, len(writes), GROUP):
            await self._commit(writes[start : start + GROUP], tally)
        ended = await asyncio.to_thread(self._revision, tracker)
        return tally.done(now, began, ended)

    def lines(
        self, tracker: TrackerId, *, actor: str, at: Micros, after: int, through: int
    ) -> list[ChangeRow]:
        """The lines of one action, oldest first."""
        found = self._store.log(
            tracker, after=after, through=min(through, after + 50 * CHANGED_MAX)
        )
        lines: list[ChangeRow] = []
        for line in found:
            if line.kind == "customization" and line.actor == actor and line.at == at:
                lines.append(line)
                if len(lines) == CHANGED_MAX:
                    break
        return lines

    def _revision(self, tracker: TrackerId) -> int:
        row = self._store.tracker(tracker)
        return 0 if row is None else row.revision

    async def _commit(self, writes: Sequence[CustomizationWrite], tally: "_Tally") -> None:
        outcomes = await asyncio.gather(
            *map(self._committer.commit, writes), return_exceptions=True
        )
        for write, outcome in zip(writes, outcomes, strict=True):
            tally.count(write, outcome)


class _Tally:
    """What became of each."""

    def __init__(self) -> None:
        self.changed = self.unchanged = 0
        self.overtaken: list[CustomizationId] = []
        self.refused: dict[CustomizationId, str] = {}

    def write(
        self,
        tracker: TrackerId,
        action: Action,
        record: Record | None,
        id: CustomizationId,
        revision: int,
        actor: str,
        now: Micros,
    ) -> CustomizationWrite | None:
        """What is to be written for one; None, and it is counted, if nothing is."""
        if record is None or record.revision != revision:
            self.overtaken.append(id)
            return None
        expected = frozenset({revision})
        if isinstance(action, Delete):
            return DeleteCustomization(tracker, id, actor, now, expected)
        try:
            definition = _amended(action, record)
        except FaultyFields as fault:
            self.refused[id] = str(fault)
            return None
        if definition is None:
            self.unchanged += 1
            return None
        return ReplaceCustomization(tracker, id, definition, actor, now, expected)

    def count(self, write: CustomizationWrite, outcome: Committed | BaseException) -> None:
        match outcome:
            case Committed():
                self.changed += 1
            case RevisionConflict() | CustomizationNotFound() | UsageFault():
                self.overtaken.append(write.id)
            case _:
                raise outcome

    def done(self, at: Micros, after: int, through: int) -> Done:
        return Done(at, after, through, self.changed, self.unchanged, self.overtaken, self.refused)


def _objection(action: Action, each: Customization) -> str | None:
    """Why it cannot be done to this one."""
    if each.unreadable and not isinstance(action, Delete):
        return "It cannot be read; it can only be deleted"
    if isinstance(action, Tag) and len({*each.tags, *action.tags}) > TAGS_MAX:
        return f"It would have more than {TAGS_MAX} tags"
    if isinstance(action, Shift) and not all(map(_is_in_time, _shifted_bounds(each, action.hours))):
        return "Its dates would leave the years 1 to 9999"
    return None


def _shifted_bounds(each: Customization, hours: int) -> Iterator[int]:
    for pin in each.pins:
        for bound in (pin.window.opens, pin.window.closes):
            if bound is not None:
                yield bound + hours * HOUR_MICROS


def _is_in_time(at: int) -> bool:
    """A day from either end: in its own zone a moment may be that much earlier or later."""
    return FIRST_MICROS <= at <= LAST_MICROS


def _changes(action: Action, each: Customization) -> bool:
    match action:
        case Tag(tags):
            return not set(tags) <= set(each.tags)
        case Untag(tags):
            return not set(tags).isdisjoint(each.tags)
        case Shift():
            windows = [pin.window for pin in each.pins]
            return any(w.opens is not None or w.closes is not None for w in windows)
        case Switch(disabled):
            return each.disabled is not disabled
        case Delete():
            return True
        case _:
            assert_never(action)


def _amended(action: Tag | Untag | Shift | Switch, record: Record) -> Definition | None:
    match action:
        case Tag(tags):
            return tagged(record, tags)
        case Untag(tags):
            return untagged(record, tags)
        case Shift(hours):
            return shifted(record, timedelta(hours=hours))
        case Switch(disabled):
            return switched(record, disabled=disabled)
        case _:
            assert_never(action)


def _inverse(tracker: TrackerId, line: ChangeRow, actor: str, now: Micros) -> CustomizationWrite:
    """What takes a line of the log back, if nobody has written since. Raises FaultyFields, MalformedBody."""
    id_, expected = CustomizationId(line.subject), frozenset({line.revision})
    if line.old is None:
        return DeleteCustomization(tracker, id_, actor, now, expected)
    definition = read_version(line.old)
    if line.new is not None:
        return ReplaceCustomization(tracker, id_, definition, actor, now, expected)
    origin = origin_of(line.old) or Origin(actor, now)  # deleted by a version that did not say
    return RestoreCustomization(
        tracker, id_, definition, origin.creator, origin.created_at, actor, now
    )

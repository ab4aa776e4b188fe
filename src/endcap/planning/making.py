"""
Makes plans: compares what files say with one state of a tracker.

What is right already is left alone, so that applying the same files again changes nothing. Nothing is deleted unless a
scope for that is given, and then only inside of it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from endcap.clock import NewId
from endcap.domain import (
    CustomizationId,
    Definition,
    Filter,
    Record,
    TrackerId,
)
from endcap.errors import UsageFault
from endcap.planning.items import steps_of_shown_titles, strange_items
from endcap.planning.plan import Action, Plan, Refusal, Step
from endcap.store.port import Store
from endcap.transfer.rows import FAULTS_NAMED_MAX, Progress, quietly
from endcap.transfer.rules import Entry
from endcap.wire.customizations import body_of, read_definition
from endcap.wire.differences import (
    Content,
    content_of,
    differences,
    fingerprint,
    says_the_same,
)
from endcap.wire.reading import UNREADABLE

REFUSALS_KEPT_MAX = 1_000  # enough for a page; the total is given with them
_STRIDE = 1_000
_SUBJECT_CHARACTERS_MAX = 100

Objection = Callable[[Definition], str | None]
"""Why this server would not take a definition, if so."""


def no_objection(definition: Definition) -> str | None:
    """For those who store whatever is well formed."""
    return None


def make_plan(
    store: Store,
    tracker: TrackerId,
    entries: Iterable[Entry],
    *,
    new_id: NewId,
    prune: Filter | None = None,
    allow_empty: bool = False,
    objection: Objection = no_objection,
    progress: Progress = quietly,
) -> Plan:
    """
    Compares what files say with what is there. Nothing is written.

    Raises TrackerNotFound; UsageFault for files that cannot be read, and, unless that is allowed, for files without a
    single customization where there is a scope to prune: a wrong folder would empty it.
    """
    return _Planner(store, tracker, prune, objection, progress).plan(
        entries, new_id, allow_empty=allow_empty
    )


class _Planner:
    """One plan under way."""

    def __init__(
        self,
        store: Store,
        tracker: TrackerId,
        prune: Filter | None,
        objection: Objection,
        progress: Progress,
    ) -> None:
        self._store = store
        self._tracker = tracker
        self._prune = prune
        self._objection = objection
        self._progress = progress
        self._wanted: dict[CustomizationId, Entry] = {}
        self._nameless: dict[bytes, list[Entry]] = {}
        self._faulty: set[CustomizationId] = set()
        self._refused: list[Refusal] = []
        self._refused_total = 0
        self._notes: list[str] = []
        self._notes_total = 0
        self._read = 0
        self._unchanged = 0
        self._steps: dict[CustomizationId, Step] = {}
        self._doomed: list[Step] = []

    def plan(self, entries: Iterable[Entry], new_id: NewId, *, allow_empty: bool) -> Plan:
        for entry in entries:
            self._take(entry)
        with self._store.load(self._tracker) as load:
            revision = load.tracker.revision
            for number, record in enumerate(load.records(), 1):
                if number % _STRIDE == 0:
                    self._progress("comparing", number, load.customization_count)
                self._compare(record)
            self._progress("comparing", load.customization_count, load.customization_count)
        if self._doomed and not self._read and not allow_empty:
            raise UsageFault(
                f"The files hold no customization, so all {len(self._doomed)} in the scope would be deleted: "
                "if that is meant, --allow-empty"
            )
        steps = [*self._in_order(new_id), *self._doomed]
        for where, identity in strange_items(self._store, self._tracker, steps, self._progress):
            self._note(f"{where}: {identity} is not in the catalog")
        return Plan(
            tracker=self._tracker,
            revision=revision,
            read=self._read,
            unchanged=self._unchanged,
            steps=tuple(steps),
            refused=tuple(self._refused),
            refused_total=self._refused_total,
            notes=tuple(self._all_notes()),
            prune=self._prune,
        )

    def _take(self, entry: Entry) -> None:
        for note in entry.notes:
            self._note(f"{entry.where}: {note}")
        if entry.definition is None and not entry.faults:
            return  # a table's heading
        self._read += 1
        faults = list(entry.faults)
        if entry.definition is not None and (fault := self._objection(entry.definition)):
            faults.append(fault)
        if entry.id is not None and (other := self._wanted.get(entry.id)):
            faults.append(f"is the same customization as {other.where}")
        if faults or entry.definition is None:
            self._refuse(Refusal(entry.where, tuple(faults), entry.id, entry.name))
            if entry.id is not None:
                self._faulty.add(entry.id)
        elif entry.id is not None:
            self._wanted[entry.id] = entry
        else:
            said = fingerprint(entry.definition)
            assert said is not None
            self._nameless.setdefault(said, []).append(entry)

    def _refuse(self, refusal: Refusal) -> None:
        self._refused_total += 1
        if len(self._refused) < REFUSALS_KEPT_MAX:
            self._refused.append(refusal)

    def _note(self, text: str) -> None:
        self._notes_total += 1
        if len(self._notes) < FAULTS_NAMED_MAX:
            self._notes.append(text)

    def _compare(self, record: Record) -> None:
        entry = self._wanted.get(record.id)
        if entry is not None:
            self._compare_with(record, entry)
        elif self._is_said_namelessly(record):
            self._unchanged += 1
        elif record.id in self._faulty:
            return  # the files want it, though not like this
        elif self._prune is not None and _covers(self._prune, record):
            self._doomed.append(_deletion(record))

    def _compare_with(self, record: Record, entry: Entry) -> None:
        assert entry.definition is not None
        definition = _with_unsaid(entry.definition, record, entry.unsaid)
        if says_the_same(definition, record):
            self._unchanged += 1
            self._steps[record.id] = _NOTHING
            return
        before, after = _content_of(record), content_of(definition)
        self._steps[record.id] = Step(
            action=Action.CHANGE,
            id=record.id,
            subject=_subject(definition),
            where=entry.where,
            name=entry.name,
            differences=tuple(differences(before, after)),
            body=Raw(body_of(definition)),
            expected=record.revision,
        )

    def _is_said_namelessly(self, record: Record) -> bool:
        """Each of the files' entries without a name stands for one customization that says the same."""
        if not self._nameless:
            return False
        if self._takes(record, {True} if record.disabled else {None, False}):
            return True
        return record.disabled and self._takes(replace(record, disabled=False), {None})

    def _takes(self, record: Record, switches: Collection[bool | None]) -> bool:
        """One that leaves the switch as it is stands for a customization that somebody has disabled, too."""
        said = fingerprint(record)
        entries = self._nameless.get(said, []) if said is not None else []
        for place, entry in enumerate(entries):
            if entry.definition is not None and entry.definition.disabled in switches:
                del entries[place]
                return True
        return False

    def _in_order(self, new_id: NewId) -> Iterator[Step]:
        """What is to be made or changed, those with a name first, each in the order of the files."""
        changes = (step for step in self._steps.values() if step is not _NOTHING)
        for idle in list(steps_of_shown_titles(self._store, self._tracker, changes)):
            self._steps[idle.id] = _NOTHING
            self._unchanged += 1
        for id_, entry in self._wanted.items():
            step = self._steps.get(id_)
            if step is None:
                yield _creation(entry, id_)
            elif step is not _NOTHING:
                yield step
        for entries in self._nameless.values():
            for entry in entries:
                yield _creation(entry, new_id())

    def _all_notes(self) -> Iterator[str]:
        yield from self._notes
        if self._notes_total > len(self._notes):
            yield f"… and {self._notes_total - len(self._notes)} more of this kind"
        nameless = [entry for entries in self._nameless.values() for entry in entries]
        if nameless:
            yield (
                f"{nameless[0].where}: has neither id nor name, so what changes in it comes as another customization"
                + (f"; so do {len(nameless) - 1} more" if len(nameless) > 1 else "")
            )
        if self._prune is not None:
            outside = [each for each in self._wanted.values() if not _names(self._prune, each)]
            if outside:
                yield (
                    f"{outside[0].where}: is outside of the scope for deleting, so it stays when it leaves the files"
                    + (f"; so do {len(outside) - 1} more" if len(outside) > 1 else "")
                )


_NOTHING = Step(action=Action.CHANGE, id=CustomizationId(""), subject="")
"""Stands for what is right already."""


def _covers(scope: Filter, said: Record | Definition) -> bool:
    return (not scope.models or said.model in scope.models) and (
        not scope.tags or not set(scope.tags).isdisjoint(said.tags)
    )


def _names(scope: Filter, entry: Entry) -> bool:
    return entry.definition is not None and _covers(scope, entry.definition)


def _with_unsaid(definition: Definition, record: Record, unsaid: Sequence[str]) -> Definition:
    """With what the record says of the switch, where the file does not, and of what a table has no column for."""
    if definition.disabled is None and record.disabled:
        definition = replace(definition, disabled=True)
    if not unsaid:
        return definition
    kept = msgspec.json.decode(record.document, type=dict[str, Raw])
    said = msgspec.json.decode(body_of(definition), type=dict[str, Raw])
    if record.metadata is not None:
        kept["target_metadata"] = Raw(record.metadata)
    for field in unsaid:
        if field in kept:
            said[field] = kept[field]
    return read_definition(msgspec.json.encode(said))


def _content_of(record: Record) -> Content:
    """Nothing, where a hand has spoilt it: then all that comes is new."""
    try:
        return content_of(record)
    except UNREADABLE:
        return {}


def _subject(said: Definition | Record) -> str:
    """`basket, item /p/123`."""
    try:
        target = msgspec.json.decode(said.document, type=_Target)
    except UNREADABLE:
        target = _Target()
    which = target.target_identity or bytes(target.target_criteria).decode()
    text = f"{said.model}, {said.target_type} {which}".rstrip()
    if len(text) <= _SUBJECT_CHARACTERS_MAX:
        return text
    return f"{text[: _SUBJECT_CHARACTERS_MAX - 1]}…"


class _Target(Struct):
    target_identity: str = ""
    target_criteria: Raw = Raw()


def _creation(entry: Entry, id: CustomizationId) -> Step:
    assert entry.definition is not None
    return Step(
        action=Action.CREATE,
        id=id,
        subject=_subject(entry.definition),
        where=entry.where,
        name=entry.name,
        body=Raw(body_of(entry.definition)),
        created_at=entry.created_at,
        creator=entry.creator,
    )


def _deletion(record: Record) -> Step:
    return Step(
        action=Action.DELETE, id=record.id, subject=_subject(record), expected=record.revision
    )

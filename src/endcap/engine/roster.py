"""
A tracker's customizations laid out for lists: found, counted and sorted by what people ask of them.

Rows are arrays, so that a question about a hundred thousand customizations takes milliseconds. A row is never written
again: a customization that changed gets a new one, and the old one counts no more. What depends on the catalog or on
the time is worked out when it is asked for.

Whether a customization is in force is its *state*; it has exactly one. That something is wrong with it, *broken*, goes
beside the state. `state_of` and `trouble_of` are the meaning of both; the arrays answer the same for all at once, and a
property test holds the two together.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from pyroaring import BitMap

from endcap.domain import (
    Blocked,
    CriteriaTarget,
    Customization,
    CustomizationId,
    ItemId,
    ItemTarget,
    Micros,
    Pin,
    Priority,
)
from endcap.engine.catalog import ITEM_TYPES, Catalog, Item
from endcap.engine.roster_texts import (
    NOBODY,
    Ints,
    Names,
    Ranked,
    containing,
    id_number,
    text_of,
    texts_of,
)
from endcap.engine.rules import Rules
from endcap.wire.labels import label_of

WORDS_MAX = 5  # of a text that is searched for: each is a walk over all rows
_NEVER = np.iinfo(np.int64).max
_ALWAYS = np.iinfo(np.int64).min

Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]


class State(StrEnum):
    """Whether a customization is in force at a moment."""

    ACTIVE = "active"
    SCHEDULED = "scheduled"
    EXPIRED = "expired"
    EMPTY = "empty"
    DISABLED = "disabled"


class Trouble(StrEnum):
    """Why a pin of an item cannot be shown, whoever asks."""

    MISSING = "missing"
    UNAVAILABLE = "unavailable"


Status = Literal["active", "scheduled", "expired", "empty", "disabled", "broken"]
STATUSES: tuple[Status, ...] = (
    "active",
    "scheduled",
    "expired",
    "disabled",
    "empty",
    "broken",
)
Order = Literal["updated", "created", "model", "target", "author", "closes"]


class Question(Struct, frozen=True):
    """AND between what is given; what is empty selects everything. OR inside a tuple."""

    models: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    targets: tuple[Priority, ...] = ()
    """Kinds of targets."""
    item: str = ""
    """A target's identity, whole."""
    author: str = ""
    text: str = ""
    """Words that all must be there: in titles of items, identities, tags, criteria, the author's name."""
    status: Status | None = None


class Findings(Struct, frozen=True):
    """
    What a question found. Each group of counts takes the whole question but its own part: what another choice there
    would find.
    """

    rows: Ints
    models: Mapping[str, int]
    statuses: Mapping[Status, int]
    tags: Mapping[str, int]
    authors: Mapping[str, int]
    total: int
    """Of the tracker."""

    def __len__(self) -> int:
        return len(self.rows)


class Windowed(Struct, frozen=True):
    """
    Those with a window, by model and then by when the first of their windows that touches begins; how many beside them
    have none; and how many are silent, whatever they have.
    """

    rows: Ints
    always: int
    silent: int


def state_of(customization: Customization, now: Micros) -> State:
    """The one state. Windows decide; widgets, criteria and the catalog do not."""
    if customization.disabled:
        return State.DISABLED
    windows = [pin.window for pin in customization.pins]
    if not windows:
        return State.EMPTY
    if any(window.contains(now) for window in windows):
        return State.ACTIVE
    if any(window.opens is not None and window.opens > now for window in windows):
        return State.SCHEDULED
    return State.EXPIRED


def trouble_of(pin: Pin, catalog: Catalog, now: Micros) -> Trouble | None:
    """What is wrong with a pin of an item. A block needs no item, and a pin that is over needs nothing."""
    closes = pin.window.closes
    if pin.item is None or isinstance(pin.place, Blocked) or (closes is not None and closes <= now):
        return None
    number = catalog.number(pin.item)
    if number is None:
        return Trouble.MISSING
    item = catalog.item(number)
    return None if item.type in ITEM_TYPES and item.offered_at(now) else Trouble.UNAVAILABLE


def is_broken(customization: Customization, catalog: Catalog, now: Micros) -> bool:
    """Nobody understands it, or a pin of it has trouble."""
    return customization.unreadable or any(
        trouble_of(pin, catalog, now) is not None for pin in customization.pins
    )


class _Columns(Struct):
    """What is known of rows: one value a row, or (pins, tags) a row number beside each."""

    alive: Mask
    model: Codes
    author: Codes
    target: Codes
    kind: Codes
    created: Ints
    updated: Ints
    revision: Ints
    id: Ints
    disabled: Mask
    unreadable: Mask
    pin_row: Codes
    pin_opens: Ints
    pin_closes: Ints
    pin_item: Codes
    tag_row: Codes
    tag: Codes


_KINDS: Mapping[str, type] = {
    "alive": np.bool_,
    "disabled": np.bool_,
    "unreadable": np.bool_,
    "created": np.int64,
    "updated": np.int64,
    "revision": np.int64,
    "id": np.int64,
    "pin_opens": np.int64,
    "pin_closes": np.int64,
}


class Roster:
    """
    Of one snapshot. `renewed` makes the next one's, at the cost of what changed and of copying arrays; it takes over
    what the older one has, so that only the last one may be renewed.
    """

    def __init__(self, rules: Rules, catalog: Catalog) -> None:
        self.rules, self.catalog = Rules(), catalog
        self.held: list[Customization] = []
        """By row."""
        self._rows: dict[CustomizationId, int] = {}
        self._texts: list[str] = []
        self._models, self._authors, self._tags, self._items = (Names() for _ in range(4))
        self._columns = _Columns(
            **{name: np.empty(0, _KINDS.get(name, np.int32)) for name in _Columns.__struct_fields__}
        )
        self._titles: list[tuple[Item | None, str]] = []
        self._titled_of: Catalog | None = None
        self._folded: list[str] = []
        self._ranked = Ranked([], [], np.empty(0, np.int64))
        self._forget()
        self._take(rules)

    def renewed(self, rules: Rules, catalog: Catalog) -> "Roster":
        if rules is self.rules and catalog is self.catalog:
            return self
        if len(self.held) > 2 * len(rules) + 1_000:
            return Roster(rules, catalog)
        successor = Roster.__new__(Roster)
        successor.__dict__.update(self.__dict__)
        successor.catalog = catalog
        successor._forget()
        if rules is not self.rules:
            successor._take(rules)
        return successor

    def _forget(self) -> None:
        """What was worked out for one catalog and one set of rows."""
        self._numbers: Ints | None = None
        self._eldest: Ints | None = None

    def _take(self, rules: Rules) -> None:
        changes = rules.changed_since(self.rules)
        gone = [self._rows.pop(id_) for id_ in changes if id_ in self._rows]
        come = [each for each in changes.values() if each is not None]
        before, after = self._columns, self._gathered(come)
        joined = {
            name: np.concatenate(
                (getattr(before, name), np.asarray(new, _KINDS.get(name, np.int32)))
            )
            for name, new in after.items()
        }
        joined["alive"][gone] = False
        self._columns = _Columns(**joined)
        self.rules = rules

    def _gathered(self, come: Sequence[Customization]) -> dict[str, list[int]]:
        """New rows, column by column."""
        found: dict[str, list[int]] = {name: [] for name in _Columns.__struct_fields__}
        put = {name: values.append for name, values in found.items()}
        for row, each in enumerate(come, len(self.held)):
            self._rows[each.id] = row
            put["alive"](True)
            put["model"](self._models.code(each.model))
            put["author"](self._authors.code(each.creator))
            identity = each.target.identity if isinstance(each.target, ItemTarget) else None
            put["target"](NOBODY if identity is None else self._items.code(identity))
            put["kind"](int(each.priority))
            put["created"](each.created_at)
            put["updated"](each.updated_at)
            put["revision"](each.revision)
            put["id"](id_number(each.id))
            put["disabled"](each.disabled)
            put["unreadable"](each.unreadable)
            for pin in each.pins:
                opens, closes = pin.window.opens, pin.window.closes
                needs_item = pin.item is not None and not isinstance(pin.place, Blocked)
                put["pin_row"](row)
                put["pin_opens"](_ALWAYS if opens is None else opens)
                put["pin_closes"](_NEVER if closes is None else closes)
                put["pin_item"](self._items.code(pin.item) if needs_item and pin.item else NOBODY)
            for tag in each.tags:
                put["tag_row"](row)
                put["tag"](self._tags.code(tag))
            self._texts.append(text_of(each))
        self.held.extend(come)
        return found

    # Questions

    def find(self, question: Question, now: Micros, *, order: Order, descending: bool) -> Findings:
        """All that the question selects, sorted; ties by age, the newer first, then by id."""
        columns = self._columns
        by_status = self._by_status(now)
        parts = {
            "models": self._any_of(columns.model, self._models, question.models),
            "status": None if question.status is None else by_status[question.status],
            "tags": self._tagged(question.tags),
            "author": self._any_of(
                columns.author, self._authors, (question.author,) if question.author else ()
            ),
            "rest": self._rest(question),
        }
        whole = _all_of(columns.alive, parts.values())
        but = {
            name: _all_of(columns.alive, [mask for key, mask in parts.items() if key != name])
            for name in ("models", "status", "tags", "author")
        }
        return Findings(
            self._sorted(self._by_age()[whole[self._by_age()]], order, descending, now),
            _counts(columns.model, but["models"], self._models),
            {
                status: int(np.count_nonzero(but["status"] & by_status[status]))
                for status in STATUSES
            },
            _counts(columns.tag, but["tags"][columns.tag_row], self._tags),
            _counts(columns.author, but["author"], self._authors),
            int(np.count_nonzero(columns.alive)),
        )

    def windowed(self, rows: Ints, *, since: Micros, until: Micros) -> Windowed:
        """Of rows that a question found, those whose windows touch a span of time, `until` not in it."""
        columns, chosen = self._columns, np.zeros(len(self._columns.alive), np.bool_)
        chosen[rows] = True
        silent = chosen & (columns.disabled | columns.unreadable)
        chosen &= ~silent
        opens, closes, row = columns.pin_opens, columns.pin_closes, columns.pin_row
        bounded = (opens != _ALWAYS) | (closes != _NEVER)
        touching = np.flatnonzero(bounded & chosen[row] & (opens < until) & (closes > since))
        order = np.lexsort((row[touching], opens[touching]))
        found, first = np.unique(row[touching][order], return_index=True)
        in_order = found[np.argsort(first)].astype(np.int64)
        always = np.count_nonzero(chosen & ~self._rows_with(row[bounded]))
        by_model = self._models.ranks()[columns.model[in_order]]
        in_order = in_order[np.argsort(by_model, kind="stable")]
        return Windowed(in_order, int(always), int(np.count_nonzero(silent)))

    def customizations(self, rows: Iterable[int]) -> list[Customization]:
        return [self.held[row] for row in rows]

    def fingerprint(self, rows: Ints) -> str:
        """Differs where other customizations, or other revisions of them, were found."""
        ordered = np.sort(rows)
        both = np.stack((self._columns.id[ordered], self._columns.revision[ordered]), axis=1)
        both = both[np.lexsort((both[:, 1], both[:, 0]))]
        return sha256(both.tobytes()).hexdigest()[:32]

    def _any_of(self, column: Codes, names: Names, texts: Sequence[str]) -> Mask | None:
        if not texts:
            return None
        return np.isin(column, [names.find(text) for text in texts if names.find(text) != NOBODY])

    def _tagged(self, tags: Sequence[str]) -> Mask | None:
        found = self._any_of(self._columns.tag, self._tags, tags)
        return None if found is None else self._rows_with(self._columns.tag_row[found])

    def _rest(self, question: Question) -> Mask | None:
        columns = self._columns
        masks: list[Mask | None] = []
        if question.targets:
            masks.append(np.isin(columns.kind, [int(each) for each in question.targets]))
        if question.item:
            masks.append(self._any_of(columns.target, self._items, (question.item,)))
        masks += [self._with_word(word) for word in question.text.casefold().split()[:WORDS_MAX]]
        return _all_of(columns.alive, masks) if masks else None

    def _with_word(self, word: str) -> Mask:
        """Rows that have the word themselves, or whose items' titles have it."""
        columns = self._columns
        own = containing(self._texts, word)[: len(columns.alive)]
        named = containing(self._folded_titles(), word)
        if not named.any():
            return own
        own |= _looked_up(named, columns.target)
        return own | self._rows_with(columns.pin_row[_looked_up(named, columns.pin_item)])

    def _rows_with(self, rows: Codes) -> Mask:
        mask = np.zeros(len(self._columns.alive), np.bool_)
        mask[rows] = True
        return mask

    def _by_status(self, now: Micros) -> dict[Status, Mask]:
        columns = self._columns
        awake = self._rows_with(
            columns.pin_row[(columns.pin_opens <= now) & (now < columns.pin_closes)]
        )
        coming = self._rows_with(columns.pin_row[columns.pin_opens > now])
        pinned = self._rows_with(columns.pin_row)
        enabled = ~columns.disabled
        return {
            "active": awake & enabled,
            "scheduled": coming & ~awake & enabled,
            "expired": pinned & ~awake & ~coming & enabled,
            "disabled": columns.disabled,
            "empty": ~pinned & enabled,
            "broken": columns.unreadable | self._rows_with(columns.pin_row[self._troubled(now)]),
        }

    def _troubled(self, now: Micros) -> Mask:
        """Pins whose item is not there to be shown."""
        columns = self._columns
        numbers = _looked_up(self._numbered(), columns.pin_item, missing=NOBODY)
        shown = _looked_up(self._shown(now), numbers)
        troubled: Mask = (columns.pin_item != NOBODY) & ~shown & (columns.pin_closes > now)
        return troubled

    def _shown(self, now: Micros) -> Mask:
        """By number in the catalog: whether the item is offered."""
        catalog = self.catalog
        shown = np.zeros(catalog.numbers_given, np.bool_)
        shown[np.asarray(catalog.offered.to_array(), np.int64)] = True
        if catalog.timed:
            named = BitMap(self._numbered()[self._numbered() != NOBODY])
            for number in named & catalog.timed:
                shown[number] = catalog.item(number).offered_at(now)
        return shown

    def _numbered(self) -> Ints:
        """By number of an item here: its number in the catalog, or -1."""
        if self._numbers is None or len(self._numbers) != len(self._items.texts):
            number = self.catalog.number
            found = [number(identity) for identity in self._items.texts]
            self._numbers = np.array([NOBODY if n is None else n for n in found], np.int64)
        return self._numbers

    def _folded_titles(self) -> list[str]:
        """By number of an item here: its title, as it is compared. Read once, and again when the item is another."""
        if self._titled_of is not self.catalog or len(self._titles) != len(self._items.texts):
            catalog, known = self.catalog, self._titles
            titles: list[tuple[Item | None, str]] = []
            for code, number in enumerate(self._numbered().tolist()):
                item = None if number == NOBODY else catalog.item(number)
                if code < len(known) and known[code][0] is item:
                    titles.append(known[code])
                else:
                    title = "" if item is None else label_of(item.document).title
                    titles.append((item, title.casefold()))
            self._titles, self._titled_of = titles, catalog
            folded = [title for _, title in titles]
            if folded[: len(self._folded)] == self._folded:
                self._folded.extend(folded[len(self._folded) :])  # the same list: its order is kept
            else:
                self._folded = folded
        return self._folded

    def title(self, identity: ItemId) -> str:
        """What the catalog calls an item; empty where it is not there."""
        number = self.catalog.number(identity)
        return "" if number is None else label_of(self.catalog.item(number).document).title

    # Orders

    def _sorted(self, rows: Ints, order: Order, descending: bool, now: Micros) -> Ints:
        columns = self._columns
        match order:
            case "updated":
                key = columns.updated
            case "created":
                key = columns.created
            case "model":
                key = self._models.ranks()[columns.model]
            case "author":
                key = self._authors.ranks()[columns.author]
            case "closes":
                key = self._closings(now)
            case "target":
                key = self._ranked_targets()
        chosen = key[rows]
        if descending:
            chosen = ~chosen  # turns the order round, and cannot overflow
        return rows[np.argsort(chosen, kind="stable")]

    def _by_age(self) -> Ints:
        """Every row, the newer first, then by id: where all else is equal."""
        if self._eldest is None:
            self._eldest = np.lexsort((self._columns.id, ~self._columns.created))
        return self._eldest

    def _closings(self, now: Micros) -> Ints:
        """When the first of a customization's open or coming windows ends."""
        columns = self._columns
        closings = np.full(len(columns.alive), _NEVER)
        ahead = columns.pin_closes > now
        np.minimum.at(closings, columns.pin_row[ahead], columns.pin_closes[ahead])
        return closings

    def _ranked_targets(self) -> Ints:
        """The place of each row's target among all, by what people call it. New rows find theirs among the others'."""
        titles, count = self._folded_titles(), len(self._columns.alive)
        known = self._ranked
        if known.titles is not titles:
            known = Ranked(titles, [], np.empty(0, np.int64))
        begin = len(known.ranks)
        if begin < count:
            targets = self._columns.target[begin:].tolist()
            fresh = [
                (titles[code] if code != NOBODY else "") or self._own_name(each).casefold()
                for each, code in zip(self.held[begin:count], targets, strict=True)
            ]
            known = self._ranked = known.with_more(fresh)
        return known.ranks

    def target_name(self, customization: Customization) -> str:
        """What people call its target: the catalog's title, else the author's, else what it is found by."""
        target = customization.target
        title = self.title(target.identity) if isinstance(target, ItemTarget) else ""
        return title or self._own_name(customization)

    def _own_name(self, customization: Customization) -> str:
        match customization.target:
            case ItemTarget(identity):
                return customization.title or identity
            case CriteriaTarget(rule):
                return customization.title or " ".join(texts_of(rule))
            case _:
                return customization.title or ""


def _all_of(alive: Mask, masks: Iterable[Mask | None]) -> Mask:
    found: Mask = alive.copy()
    for mask in masks:
        if mask is not None:
            found &= mask
    return found


def _looked_up(table: NDArray[Any], places: NDArray[Any], *, missing: int = 0) -> NDArray[Any]:
    """The table's values at some places; place -1 has the missing value."""
    if len(table) == 0:
        return np.full(len(places), missing, table.dtype)
    found: NDArray[Any] = np.where(places == NOBODY, missing, table[places])
    return found.astype(table.dtype)


def _counts(column: Codes, mask: Mask, names: Names) -> dict[str, int]:
    """How often each text is there, where it is, in order of the texts."""
    counted = np.bincount(column[mask], minlength=0)
    return dict(sorted((names.texts[code], int(counted[code])) for code in np.flatnonzero(counted)))

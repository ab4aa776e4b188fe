"""
An index over conditions: which of very many can hold for one item, without asking each.

A condition is taken apart into *demands*: of each at least one *atom* must be met whenever the whole holds. Atoms are
terms (equality), bounds, three letters in a row (for `contains`) and the presence of an attribute. A condition is
filed under the atoms of one demand, the one whose places hold the fewest by then; a place that gets crowded becomes an
index of its own over the demands that are left. So a conjunction is found by its rarest parts, whatever the order in
which they are written. Bounds of one attribute form an interval tree. What has no demand (only negations) is asked
one by one, and nearly every item satisfies it anyway.

All is immutable; `changed` shares what stays. What is found may hold: the caller asks the condition itself.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from endcap.criteria import (
    AllOf,
    AnyOf,
    Attributes,
    Between,
    Contains,
    Every,
    Exists,
    Rule,
    Some,
    Term,
    elements_of,
    matches,
    number_of,
    present,
    terms_of,
    within,
)
from endcap.domain import CriteriaTarget, Customization, CustomizationId
from endcap.engine.persistent import PersistentMap

ATOMS_MAX = 64  # a condition over hundreds of values would lie in hundreds of places
CROWD = (
    16  # conditions in one place; more are told apart by their other demands, where they have some
)
GRAM = 3
_TEXT_BYTES = 12  # of a text bound that are compared here: a date and some more


class Meets(Struct, frozen=True):
    """An element has this term."""

    attribute: str
    term: Term

    @property
    def key(self) -> tuple[str, Term]:
        return (self.attribute, self.term)


class Lies(Struct, frozen=True):
    """An element lies between these, both included; see `_ordered`. Texts and numbers do not mix."""

    attribute: str
    is_text: bool
    low: int
    high: int


class Holds(Struct, frozen=True):
    """A text holds these letters."""

    attribute: str
    letters: str

    @property
    def key(self) -> tuple[str, Term]:
        return (self.attribute, ("letters", self.letters))


class Has(Struct, frozen=True):
    """The attribute is there."""

    attribute: str

    @property
    def key(self) -> tuple[str, Term]:
        return (self.attribute, _THERE)


_THERE: Term = ("there", True)
Atom = Meets | Lies | Holds | Has
Demand = tuple[Atom, ...]


def demands(rule: Rule) -> list[Demand]:
    """What must be met whenever the rule holds: of each demand one atom."""
    found: list[Demand]
    match rule:
        case AnyOf(attribute, terms):
            found = [tuple(Meets(attribute, term) for term in dict.fromkeys(terms))]
        case AllOf(_, values):
            found = [demand for each in values for demand in demands(each)]
        case Every(rules):
            found = [demand for each in rules for demand in demands(each)]
        case Some(rules):
            found = _either([demands(each) for each in rules])
        case Between():
            found = [(_lies(rule),)]
        case Contains(attribute, text):
            found = [(Holds(attribute, text[:GRAM]) if len(text) >= GRAM else Has(attribute),)]
        case Exists(attribute):
            found = [(Has(attribute),)]
        case _:
            found = []
    return [demand for demand in dict.fromkeys(found) if 0 < len(demand) <= ATOMS_MAX]


def _either(alternatives: Sequence[Sequence[Demand]]) -> list[Demand]:
    """One demand of several alternatives, if each has one: the most telling of each."""
    if not all(alternatives):
        return []
    chosen = [min(each, key=_vagueness) for each in alternatives]
    return [tuple(dict.fromkeys(atom for demand in chosen for atom in demand))]


def _vagueness(demand: Demand) -> tuple[bool, int]:
    return (not all(isinstance(atom, Meets) for atom in demand), len(demand))


def _lies(rule: Between) -> Atom:
    bounds = [bound for bound in (rule.low, rule.high) if bound is not None]
    if any(isinstance(bound, str) for bound in bounds):
        if not all(isinstance(bound, str) for bound in bounds):
            return Has(rule.attribute)
        low, high = rule.low or "", rule.high
        top = (1 << 8 * _TEXT_BYTES) - 1
        assert isinstance(low, str)
        return Lies(
            rule.attribute, True, _ordered(low), _ordered(high) if high is not None else top
        )
    low_number = float("-inf") if rule.low is None else rule.low
    high_number = float("inf") if rule.high is None else rule.high
    return Lies(rule.attribute, False, _ordered(low_number), _ordered(high_number))


def _ordered(value: float | str) -> int:
    """A number that sorts as the value does; texts by their beginning."""
    if isinstance(value, str):
        return int.from_bytes(
            value.encode("utf-8", "surrogatepass")[:_TEXT_BYTES].ljust(_TEXT_BYTES, b"\0")
        )
    (bits,) = struct.unpack("<Q", struct.pack("<d", value + 0.0))
    return int(~bits & _ALL_BITS if bits >> 63 else bits | _SIGN)


_SIGN = 1 << 63
_ALL_BITS = (1 << 64) - 1


class Facts:
    """One item's attributes as an index asks for them, each kind worked out once."""

    __slots__ = ("_elements", "_keys", "_letters", "_numbers", "_terms", "attributes")

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self._terms: dict[str, frozenset[Term]] = {}
        self._elements: dict[tuple[str, bool], list[float | str]] = {}
        self._keys: dict[str, list[_Key]] = {}
        self._letters: dict[str, list[_Key]] = {}
        self._numbers: dict[tuple[str, bool], list[int]] = {}

    def keys(self, attribute: str) -> list["_Key"]:
        """Where conditions on an attribute lie that this item may satisfy."""
        found = self._keys.get(attribute)
        if found is None:
            value = self.attributes.get(attribute)
            found = [(attribute, term) for term in terms_of(value)]
            if present(value):
                found.append((attribute, _THERE))
            self._keys[attribute] = found
        return found

    def letters(self, attribute: str) -> list["_Key"]:
        """The same for conditions that are found by letters."""
        found = self._letters.get(attribute)
        if found is None:
            found = self._letters[attribute] = [
                (attribute, ("letters", each)) for each in _threes(self.attributes.get(attribute))
            ]
        return found

    def numbers(self, attribute: str, *, is_text: bool) -> list[int]:
        """The elements of an attribute as bounds see them."""
        found = self._numbers.get((attribute, is_text))
        if found is None:
            found = [_ordered(value) for value in self._bounded(attribute, is_text=is_text)]
            self._numbers[attribute, is_text] = found
        return found

    def holds(self, rule: Rule) -> bool:
        """What `criteria.matches` says of the attributes; of many rules in turn, in a quarter of the time."""
        if isinstance(rule, AnyOf):  # the commonest first; patterns would take twice as long
            found = self._terms.get(rule.attribute)
            if found is None:
                found = frozenset(terms_of(self.attributes.get(rule.attribute)))
                self._terms[rule.attribute] = found
            return not found.isdisjoint(rule.terms)
        if isinstance(rule, Every):
            return all(map(self.holds, rule.rules))
        if isinstance(rule, Between):
            is_text = isinstance(rule.high if rule.low is None else rule.low, str)
            elements = self._bounded(rule.attribute, is_text=is_text)
            return any(within(rule, element) for element in elements)
        return matches(rule, self.attributes)

    def _bounded(self, attribute: str, *, is_text: bool) -> list[float | str]:
        """The elements that bounds of a kind may hold: texts, or what numbers the others stand for."""
        found = self._elements.get((attribute, is_text))
        if found is None:
            elements = elements_of(self.attributes.get(attribute))
            texts = (each if isinstance(each, str) else None for each in elements)
            values: Iterable[float | str | None] = texts if is_text else map(number_of, elements)
            found = [value for value in values if value is not None]
            self._elements[attribute, is_text] = found
        return found


def _threes(value: Any) -> set[str]:
    return {
        text[at : at + GRAM]
        for text in elements_of(value)
        if isinstance(text, str)
        for at in range(len(text) - GRAM + 1)
    }


_Key = tuple[str, Term]
_Held = tuple[Customization, ...]


_Entry = tuple[Lies, Customization]
_Entries = dict[tuple[CustomizationId, int, int], _Entry]


class _Cell(Struct, frozen=True):
    """The intervals that hold one middle, by where they begin and by where they end."""

    lows: tuple[int, ...]
    by_low: _Held
    highs: tuple[int, ...]
    by_high: _Held
    ends: tuple[int, ...]
    """Where those of `by_low` end."""

    @classmethod
    def of(cls, entries: Iterable[_Entry]) -> "_Cell":
        by_low = sorted(entries, key=lambda entry: entry[0].low)
        by_high = sorted(by_low, key=lambda entry: entry[0].high)
        return cls(
            tuple(lies.low for lies, _ in by_low),
            tuple(each for _, each in by_low),
            tuple(lies.high for lies, _ in by_high),
            tuple(each for _, each in by_high),
            tuple(lies.high for lies, _ in by_low),
        )

    def entries(self) -> _Entries:
        """As they were put in."""
        return {
            (each.id, low, high): (Lies("", False, low, high), each)
            for low, high, each in zip(self.lows, self.ends, self.by_low, strict=True)
        }


class Intervals:
    """
    The conditions with bounds for one attribute. An interval lies in the smallest cell, of those that halve all numbers
    again and again, that holds it whole; there are as many cells over a number as there are sizes in use.
    """

    __slots__ = ("_cells", "_count", "_sizes")

    def __init__(self) -> None:
        self._cells: PersistentMap[tuple[int, int], _Cell] = PersistentMap()
        self._sizes: Mapping[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def changed(self, gone: Iterable[_Entry], come: Iterable[_Entry]) -> "Intervals":
        """Without some that may be here, and with others."""
        cells: dict[tuple[int, int], _Entries] = {}
        for lies, each in gone:
            self._open(cells, lies).pop((each.id, lies.low, lies.high), None)
        for lies, each in come:
            self._open(cells, lies)[each.id, lies.low, lies.high] = lies, each
        successor = Intervals()
        successor._count = self._count
        sizes = dict(self._sizes)
        for cell, held in cells.items():
            known = self._cells.get(cell)
            more = len(held) - (len(known.lows) if known else 0)
            sizes[cell[0]] = sizes.get(cell[0], 0) + more
            successor._count += more
        successor._sizes = {size: count for size, count in sizes.items() if count}
        successor._cells = self._cells.changed(
            {cell: _Cell.of(held.values()) if held else None for cell, held in cells.items()}
        )
        return successor

    def _open(self, cells: dict[tuple[int, int], _Entries], lies: Lies) -> _Entries:
        size = (lies.low ^ lies.high).bit_length()
        cell = (size, lies.low >> size)
        if cell not in cells:
            known = self._cells.get(cell)
            cells[cell] = known.entries() if known else {}
        return cells[cell]

    def over(self, number: int) -> Iterator[Customization]:
        """Those whose bounds hold a number; where low is above high perhaps as well."""
        for size in self._sizes:
            cell = self._cells.get((size, number >> size))
            if cell is None:
                continue
            middle = (number >> size << size) + (1 << size >> 1)
            if number < middle:
                yield from cell.by_low[: bisect_right(cell.lows, number)]
            else:
                yield from cell.by_high[bisect_left(cell.highs, number) :]


class Index:
    """Conditions by what they ask for. `asked` are the keys on the way here: who is here asks for all of them."""

    __slots__ = ("_asked", "_attributes", "_intervals", "_lettered", "_places", "_rest", "_size")

    def __init__(self, asked: frozenset[_Key] = frozenset()) -> None:
        self._asked = asked
        self._rest = _NO_REST
        """Those without a demand that is left: to be asked one by one."""
        self._places = _NO_PLACES
        self._attributes: Mapping[str, int] = {}
        self._lettered: Mapping[str, int] = {}
        self._intervals: Mapping[tuple[str, bool], Intervals] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def changed(self, gone: Iterable[Customization], come: Iterable[Customization]) -> "Index":
        """Without some conditions, which need not be here, and with others, which are not."""
        change = _Change(self)
        for customization in gone:
            change.remove(customization)
        for customization in come:
            change.add(customization)
        return change.made()

    def candidates(self, facts: Facts) -> Iterator[Customization]:
        """Whoever may hold for an item, perhaps more than once."""
        yield from self._rest.values()
        for attribute in _common(self._attributes, facts.attributes):
            for key in facts.keys(attribute):
                if (place := self._places.get(key)) is not None:
                    yield from _in_place(place, facts)
        for attribute in _common(self._lettered, facts.attributes):
            for key in facts.letters(attribute):
                if (place := self._places.get(key)) is not None:
                    yield from _in_place(place, facts)
        for (attribute, is_text), intervals in self._intervals.items():
            for number in facts.numbers(attribute, is_text=is_text):
                yield from intervals.over(number)


_Place = _Held | Index
_NO_REST: PersistentMap[CustomizationId, Customization] = PersistentMap()
_NO_PLACES: PersistentMap[_Key, _Place] = PersistentMap()


def _in_place(place: _Place, facts: Facts) -> Iterable[Customization]:
    return place if isinstance(place, tuple) else place.candidates(facts)


def _common(filed: Mapping[str, int], attributes: Attributes) -> Iterable[str]:
    if len(filed) <= len(attributes):
        return filed
    return [attribute for attribute in attributes if attribute in filed]


class _Change:
    """One change of an index: sorts what goes and comes by place, then changes each place once."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._gone: dict[_Key, list[Customization]] = {}
        self._come: dict[_Key, list[Customization]] = {}
        self._gone_between: dict[tuple[str, bool], list[_Entry]] = {}
        self._come_between: dict[tuple[str, bool], list[_Entry]] = {}
        self._rest: dict[CustomizationId, Customization | None] = {}

    def remove(self, customization: Customization) -> None:
        """Wherever it may have been put: that depended on what was there by then."""
        index = self._index
        if customization.id in index._rest:
            self._rest[customization.id] = None
        for demand in _left(customization, index._asked):
            for atom in demand:
                if isinstance(atom, Lies):
                    if (atom.attribute, atom.is_text) in index._intervals:
                        between = self._gone_between.setdefault((atom.attribute, atom.is_text), [])
                        between.append((atom, customization))
                elif atom.key in index._places:
                    self._gone.setdefault(atom.key, []).append(customization)

    def add(self, customization: Customization) -> None:
        """Where the fewest are."""
        found = _left(customization, self._index._asked)
        if not found:
            self._rest[customization.id] = customization
            return
        for atom in min(found, key=self._crowd) if len(found) > 1 else found[0]:
            if isinstance(atom, Lies):
                between = self._come_between.setdefault((atom.attribute, atom.is_text), [])
                between.append((atom, customization))
            else:
                self._come.setdefault(atom.key, []).append(customization)

    def _crowd(self, demand: Demand) -> int:
        return sum(map(self._neighbours, demand))

    def _neighbours(self, atom: Atom) -> int:
        """How many would be met beside it. Of bounds about a quarter hold any number."""
        if isinstance(atom, Lies):
            where = (atom.attribute, atom.is_text)
            intervals = self._index._intervals.get(where)
            count = (len(intervals) if intervals else 0) + len(self._come_between.get(where, ()))
            return count // 4 + 1
        place = self._index._places.get(atom.key)
        return (len(place) if place is not None else 0) + len(self._come.get(atom.key, ()))

    def made(self) -> Index:
        """The index after it."""
        index, successor = self._index, Index(self._index._asked)
        successor._rest = index._rest.changed(self._rest) if self._rest else index._rest
        successor._size = index._size + len(successor._rest) - len(index._rest)
        places: dict[_Key, _Place | None] = {}
        attributes, lettered = dict(index._attributes), dict(index._lettered)
        for key in self._gone.keys() | self._come.keys():
            known = index._places.get(key)
            place = _changed(
                () if known is None else known,
                self._gone.get(key, ()),
                self._come.get(key, ()),
                index._asked | {key},
            )
            places[key] = place if len(place) else None
            successor._size += len(place) - (len(known) if known is not None else 0)
            counts = lettered if key[1][0] == "letters" else attributes
            counts[key[0]] = counts.get(key[0], 0) + (places[key] is not None) - (known is not None)
        successor._places = index._places.changed(places) if places else index._places
        successor._attributes = {name: count for name, count in attributes.items() if count}
        successor._lettered = {name: count for name, count in lettered.items() if count}
        successor._intervals = self._intervals_changed(successor)
        return successor

    def _intervals_changed(self, successor: Index) -> Mapping[tuple[str, bool], Intervals]:
        changed = dict(self._index._intervals)
        for where in self._gone_between.keys() | self._come_between.keys():
            known = changed.get(where) or Intervals()
            changed[where] = known.changed(
                self._gone_between.get(where, ()), self._come_between.get(where, ())
            )
            successor._size += len(changed[where]) - len(known)
        return {where: intervals for where, intervals in changed.items() if len(intervals)}


def _left(customization: Customization, asked: frozenset[_Key]) -> list[Demand]:
    """The demands that nothing on the way to an index has asked for."""
    assert isinstance(customization.target, CriteriaTarget)
    found = demands(customization.target.rule)
    if not asked:
        return found
    return [
        demand
        for demand in found
        if not any(not isinstance(atom, Lies) and atom.key in asked for atom in demand)
    ]


def _changed(
    place: _Place,
    gone: Sequence[Customization],
    come: Sequence[Customization],
    asked: frozenset[_Key],
) -> _Place:
    """One place after a change; when it gets crowded, an index of its own, if that tells them apart."""
    if isinstance(place, Index):
        return place.changed(gone, come)
    left = {each.id for each in gone}
    held = tuple(each for each in place if each.id not in left) + tuple(come)
    if len(held) <= CROWD or not any(_left(each, asked) for each in held):
        return held
    return Index(asked).changed((), held)

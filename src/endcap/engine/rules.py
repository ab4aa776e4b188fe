"""
A tracker's customizations in memory, found by who they speak to.

Targets that name an item or everything are looked up. A criteria target is filed under one *access*: terms of which
at least one must be met whenever the whole rule holds. A request looks up the terms of its input items and checks
the few rules found there; rules without an access (only ranges, negations) are checked one by one.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from endcap import criteria
from endcap.criteria import AllOf, AnyOf, Every, Rule, Some, Term
from endcap.domain import AllTarget, CriteriaTarget, Customization, CustomizationId, ItemTarget
from endcap.engine.catalog import Catalog
from endcap.engine.persistent import PersistentMap

Access = tuple[tuple[str, Term], ...]
"""(attribute, term) pairs."""
_ACCESS_TERMS_MAX = 64  # a rule over hundreds of values would sit in hundreds of buckets


def rank_of(customization: Customization) -> tuple[int, int, str]:
    """Sorts the higher-ranked first: target priority, then the newer, then the smaller id."""
    return (-customization.priority, -customization.created_at, customization.id)


def access(rule: Rule) -> Access | None:
    """Terms of which one is met whenever the rule holds, as few as can be; None where there is no such set."""
    match rule:
        case AnyOf(attribute, terms):
            found: Access | None = tuple((attribute, term) for term in terms)
        case AllOf(_, values):
            found = min(map(_any_access, values), key=len)
        case Every(rules):
            found = min(filter(None, map(access, rules)), key=len, default=None)
        case Some(rules):
            accesses = [access(each) for each in rules]
            found = (
                None
                if None in accesses
                else tuple(pair for each in accesses for pair in each or ())
            )
        case _:
            found = None
    return found if found and len(found) <= _ACCESS_TERMS_MAX else None


def _any_access(rule: AnyOf) -> Access:
    return tuple((rule.attribute, term) for term in rule.terms)


_Key = tuple[str, Hashable]
"""(model, where): what a customization is filed under. `where` is an item, an (attribute, term), or one of the two
below."""
_EVERYTHING = ("everything",)
_UNFILED = ("unfiled",)


def _keys(customization: Customization) -> Iterator[_Key]:
    model = customization.model
    match customization.target:
        case ItemTarget(identity):
            yield (model, identity)
        case AllTarget():
            yield (model, _EVERYTHING)
        case CriteriaTarget(rule):
            pairs = access(rule)
            if pairs is None:
                yield (model, _UNFILED)
            else:
                for pair in dict.fromkeys(pairs):
                    yield (model, pair)


class _Filed(Struct, frozen=True):
    """How many customizations of a model are filed under each attribute."""

    counts: Mapping[str, int]

    def changed(self, changes: Mapping[str, int]) -> "_Filed":
        counts = {name: self.counts.get(name, 0) + change for name, change in changes.items()}
        return _Filed({name: n for name, n in {**self.counts, **counts}.items() if n > 0})


class Rules:
    """Immutable; `changed` costs what changed."""

    def __init__(self) -> None:
        self._by_id: PersistentMap[CustomizationId, Customization] = PersistentMap()
        self._filed: PersistentMap[_Key, tuple[Customization, ...]] = PersistentMap()
        self._attributes: Mapping[str, _Filed] = {}

    @classmethod
    def of(cls, customizations: Iterable[Customization]) -> "Rules":
        return cls().changed({each.id: each for each in customizations})

    def changed(self, changes: Mapping[CustomizationId, Customization | None]) -> "Rules":
        """The rules after customizations were put, or removed where the value is None."""
        buckets: dict[_Key, dict[CustomizationId, Customization]] = {}
        counts: dict[str, dict[str, int]] = {}
        for key_id, customization in changes.items():
            if (old := self._by_id.get(key_id)) is not None:
                for key in _keys(old):
                    self._bucket(buckets, key).pop(key_id, None)
                    _count(counts, key, -1)
            if customization is not None:
                for key in _keys(customization):
                    self._bucket(buckets, key)[key_id] = customization
                    _count(counts, key, +1)
        successor = Rules()
        successor._by_id = self._by_id.changed(changes)
        successor._filed = self._filed.changed(
            {key: tuple(bucket.values()) or None for key, bucket in buckets.items()}
        )
        successor._attributes = {
            **self._attributes,
            **{
                model: self._attributes.get(model, _Filed({})).changed(change)
                for model, change in counts.items()
            },
        }
        return successor

    def _bucket(
        self, buckets: dict[_Key, dict[CustomizationId, Customization]], key: _Key
    ) -> dict[CustomizationId, Customization]:
        if key not in buckets:
            buckets[key] = {each.id: each for each in self._filed.get(key) or ()}
        return buckets[key]

    def __len__(self) -> int:
        return len(self._by_id)

    def customization(self, id: CustomizationId) -> Customization | None:
        return self._by_id.get(id)

    def all(self) -> Iterator[Customization]:
        return self._by_id.values()

    def speaking(
        self, catalog: Catalog, *, model: str, items: Sequence[str]
    ) -> list[Customization]:
        """The customizations that speak in a request for a model with these input items, in order of rank."""
        found = list(self._filed.get((model, _EVERYTHING)) or ())
        for identity in dict.fromkeys(items):
            found += self._filed.get((model, identity)) or ()
        if items:
            found += self._by_criteria(catalog, model, items)
        found.sort(key=rank_of)
        return found

    def _by_criteria(
        self, catalog: Catalog, model: str, items: Sequence[str]
    ) -> Iterable[Customization]:
        filed = self._attributes.get(model)
        unfiled = self._filed.get((model, _UNFILED)) or ()
        if not unfiled and (filed is None or not filed.counts):
            return ()
        met: dict[CustomizationId, Customization] = {}
        numbers = [number for each in items if (number := catalog.number(each)) is not None]
        for number in dict.fromkeys(numbers):
            attributes = catalog.attributes(number)
            for candidate in self._candidates(model, filed, attributes, unfiled):
                assert isinstance(candidate.target, CriteriaTarget)
                if candidate.id not in met and criteria.matches(candidate.target.rule, attributes):
                    met[candidate.id] = candidate
        return met.values()

    def _candidates(
        self,
        model: str,
        filed: _Filed | None,
        attributes: criteria.Attributes,
        unfiled: Iterable[Customization],
    ) -> Iterator[Customization]:
        yield from unfiled
        for attribute in filed.counts if filed else ():
            for term in criteria.terms_of(attributes.get(attribute)):
                yield from self._filed.get((model, (attribute, term))) or ()


def _count(counts: dict[str, dict[str, int]], key: _Key, change: int) -> None:
    model, where = key
    if isinstance(where, tuple) and len(where) == 2:
        by_attribute = counts.setdefault(model, {})
        by_attribute[where[0]] = by_attribute.get(where[0], 0) + change

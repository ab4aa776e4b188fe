"""
A tracker's customizations in memory, found by who they speak to. Silent ones are kept, and found by their id alone.

Targets that name an item or everything are looked up; those that state criteria are found through `predicates`. A
request asks what it finds there, and nothing else: how many rules there are does not matter, only how many speak.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from endcap.domain import (
    AllTarget,
    CriteriaTarget,
    Customization,
    CustomizationId,
    ItemId,
    ItemTarget,
    Target,
)
from endcap.engine.catalog import Catalog
from endcap.engine.persistent import PersistentMap
from endcap.engine.predicates import Index


def rank_of(customization: Customization) -> tuple[int, int, str]:
    """Sorts the higher-ranked first: target priority, then the newer, then the smaller id."""
    return (-customization.priority, -customization.created_at, customization.id)


_NO_ITEMS: PersistentMap[ItemId, tuple[Customization, ...]] = PersistentMap()
_NO_CRITERIA = Index()


class _Model(Struct, frozen=True):
    """The customizations of one model, by target; those for everything in order of rank."""

    everything: tuple[Customization, ...] = ()
    by_item: PersistentMap[ItemId, tuple[Customization, ...]] = _NO_ITEMS
    by_criteria: Index = _NO_CRITERIA

    def changed(self, gone: Iterable[Customization], come: Iterable[Customization]) -> "_Model":
        """Without some that are here, and with others."""
        went, came = _Sorted(gone), _Sorted(come)
        return _Model(
            _ranked(self.everything, went.everything, came.everything),
            self.by_item.changed(
                {
                    identity: self._filed(
                        identity, went.by_item.get(identity, ()), came.by_item.get(identity, ())
                    )
                    for identity in went.by_item.keys() | came.by_item.keys()
                }
            ),
            self.by_criteria.changed(went.by_criteria, came.by_criteria)
            if went.by_criteria or came.by_criteria
            else self.by_criteria,
        )

    def _filed(
        self, identity: ItemId, gone: Iterable[Customization], come: Iterable[Customization]
    ) -> tuple[Customization, ...] | None:
        left = {each.id for each in gone}
        kept = (each for each in self.by_item.get(identity) or () if each.id not in left)
        return (*kept, *come) or None

    def __len__(self) -> int:
        return len(self.everything) + len(self.by_item) + len(self.by_criteria)


class _Sorted:
    """Customizations by the kind of their targets."""

    def __init__(self, customizations: Iterable[Customization]) -> None:
        self.everything: list[Customization] = []
        self.by_item: dict[ItemId, list[Customization]] = {}
        self.by_criteria: list[Customization] = []
        for each in customizations:
            match each.target:
                case ItemTarget(identity):
                    self.by_item.setdefault(identity, []).append(each)
                case AllTarget():
                    self.everything.append(each)
                case CriteriaTarget():
                    self.by_criteria.append(each)


_NO_MODEL = _Model()


class Rules:
    """Immutable; `changed` costs what changed."""

    def __init__(self) -> None:
        self._by_id: PersistentMap[CustomizationId, Customization] = PersistentMap()
        self._models: PersistentMap[str, _Model] = PersistentMap()

    @classmethod
    def of(cls, customizations: Iterable[Customization]) -> "Rules":
        return cls().changed({each.id: each for each in customizations})

    def changed(self, changes: Mapping[CustomizationId, Customization | None]) -> "Rules":
        """The rules after customizations were put, or removed where the value is None."""
        gone: dict[str, list[Customization]] = {}
        come: dict[str, list[Customization]] = {}
        for id_, customization in changes.items():
            if (old := self._by_id.get(id_)) is not None and not old.is_silent:
                gone.setdefault(old.model, []).append(old)
            if customization is not None and not customization.is_silent:
                come.setdefault(customization.model, []).append(customization)
        models: dict[str, _Model | None] = {}
        for name in gone.keys() | come.keys():
            known = self._models.get(name) or _NO_MODEL
            model = known.changed(gone.get(name, ()), come.get(name, ()))
            models[name] = model if len(model) else None
        successor = Rules()
        successor._by_id = self._by_id.changed(changes)
        successor._models = self._models.changed(models)
        return successor

    def __len__(self) -> int:
        return len(self._by_id)

    def customization(self, id: CustomizationId) -> Customization | None:
        return self._by_id.get(id)

    def all(self) -> Iterator[Customization]:
        return self._by_id.values()

    def changed_since(self, older: "Rules") -> Mapping[CustomizationId, Customization | None]:
        """What was put since, and None for what was removed."""
        return self._by_id.changed_since(older._by_id)

    def alike(self, some: Iterable[Customization]) -> list[Customization]:
        """
        Those that speak and have the model and the target of one of some, which need not be here: whenever one of them
        speaks, so do all. Looked up where the target is an item or everything; criteria cost a walk over all.
        """
        found: dict[CustomizationId, Customization] = {}
        criteria: set[tuple[str, Target]] = set()
        for name, target in dict.fromkeys((each.model, each.target) for each in some):
            model = self._models.get(name) or _NO_MODEL
            match target:
                case ItemTarget(identity):
                    found.update((one.id, one) for one in model.by_item.get(identity) or ())
                case AllTarget():
                    found.update((one.id, one) for one in model.everything)
                case CriteriaTarget():
                    criteria.add((name, target))
        if criteria:
            stated = (one for one in self.all() if isinstance(one.target, CriteriaTarget))
            loud = (one for one in stated if not one.is_silent)
            found.update((one.id, one) for one in loud if (one.model, one.target) in criteria)
        return list(found.values())

    def speaking(
        self, catalog: Catalog, *, model: str, items: Sequence[str]
    ) -> list[Customization]:
        """The customizations that speak in a request for a model with these input items, in order of rank."""
        rules = self._models.get(model)
        if rules is None:
            return []
        found: list[Customization] = []
        for identity in dict.fromkeys(items):
            found += rules.by_item.get(ItemId(identity)) or ()
        if items and len(rules.by_criteria):
            found += _by_criteria(rules.by_criteria, catalog, items)
        if len(found) > 1:
            found.sort(key=rank_of)
        found += rules.everything  # of the lowest priority, so that they need not be looked at
        return found


def _ranked(
    held: tuple[Customization, ...],
    gone: Sequence[Customization],
    come: Sequence[Customization],
) -> tuple[Customization, ...]:
    """Those in order of rank, without some that are there, and with others."""
    if not gone and not come:
        return held
    ranked = list(held)
    for each in gone:
        del ranked[bisect_left(ranked, rank_of(each), key=rank_of)]
    if len(come) < len(ranked):
        for each in come:
            insort(ranked, each, key=rank_of)
    else:
        ranked = sorted((*ranked, *come), key=rank_of)
    return tuple(ranked)


def _by_criteria(index: Index, catalog: Catalog, items: Sequence[str]) -> Iterable[Customization]:
    met: dict[CustomizationId, Customization] = {}
    numbers = [number for each in items if (number := catalog.number(each)) is not None]
    for number in dict.fromkeys(numbers):
        facts = catalog.facts(number)
        for candidate in index.candidates(facts):
            assert isinstance(candidate.target, CriteriaTarget)
            if candidate.id not in met and facts.holds(candidate.target.rule):
                met[candidate.id] = candidate
    return met.values()

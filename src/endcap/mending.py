"""
Mends what `health` finds: from findings to the writes that take each of them away.

What is found is as old as the snapshot it was found in, so each write expects the revision that was examined: what
somebody changed since is refused by the store as a conflict of revisions, and left alone.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from endcap.domain import Customization, CustomizationId, Definition, Micros, Pin, Record
from endcap.errors import FaultyFields
from endcap.health import FIXES, Complaint, Finding, Fix
from endcap.shops import Shop
from endcap.store.port import Store
from endcap.store.writes import CustomizationWrite, DeleteCustomization, ReplaceCustomization
from endcap.wire.amending import moved_by_days
from endcap.wire.customizations import definition_of, without_pins

GROUP = 250  # records read together
LENGTHENED_DAYS = 7


class Remedy(Struct, frozen=True):
    """
    What would be done to one customization, as it was examined. Pins count from 0; one that loses its last pin goes as
    a whole: it would only be found again.
    """

    customization: Customization
    removed: frozenset[int]
    lengthened: frozenset[int]
    is_disabled: bool
    is_deleted: bool


def remedies(
    shop: Shop, found: Iterable[Finding], fixes: Mapping[Complaint, Fix] = FIXES
) -> list[Remedy]:
    """One a customization, in the order in which they are found; findings without a fix are passed over."""
    by_customization: dict[CustomizationId, list[tuple[Fix, int | None]]] = {}
    for each in found:
        if (fix := fixes.get(each.complaint)) is not None:
            by_customization.setdefault(each.customization, []).append((fix, each.pin))
    known = (
        (shop.snapshot.rules.customization(id_), todo) for id_, todo in by_customization.items()
    )
    return [_remedy(customization, todo) for customization, todo in known if customization]


def _remedy(known: Customization, todo: Collection[tuple[Fix, int | None]]) -> Remedy:
    fixes = {fix for fix, _ in todo}
    removed = _pins(todo, Fix.REMOVE_PIN)
    is_emptied = bool(removed) and len(removed) == len(known.pins)
    return Remedy(
        known,
        removed,
        _pins(todo, Fix.LENGTHEN_WINDOW) - removed,
        Fix.DISABLE_CUSTOMIZATION in fixes,
        is_emptied or Fix.DELETE_CUSTOMIZATION in fixes,
    )


def _pins(todo: Iterable[tuple[Fix, int | None]], wanted: Fix) -> frozenset[int]:
    return frozenset(pin for fix, pin in todo if fix is wanted and pin is not None)


def fingerprint(planned: Iterable[Remedy]) -> str:
    """The same for the same work: who was shown one and confirms it does not do another."""
    digest = hashlib.sha256()
    for each in sorted(planned, key=lambda remedy: remedy.customization.id):
        known = each.customization
        pins = f"{sorted(each.removed)} {sorted(each.lengthened)}"
        digest.update(
            f"{known.id} {known.revision} {pins} {each.is_disabled} {each.is_deleted}\n".encode()
        )
    return digest.hexdigest()[:32]


def mending(
    store: Store,
    shop: Shop,
    planned: Iterable[Remedy],
    *,
    actor: str,
    now: Micros,
    zone: tzinfo = UTC,
) -> Iterator[CustomizationWrite]:
    """The writes that do it. Blocks. What is gone by now, or cannot be written any more, is passed over."""
    left = iter(planned)
    while group := list(islice(left, GROUP)):
        ids = [each.customization.id for each in group]
        records = store.customizations(shop.tracker, ids)
        for each in group:
            known = each.customization
            expected = frozenset({known.revision})
            record = records.get(known.id)
            if record is None:
                continue
            if each.is_deleted:
                yield DeleteCustomization(shop.tracker, known.id, actor, now, expected)
            elif record.revision == known.revision and (definition := _mended(each, record, zone)):
                yield ReplaceCustomization(shop.tracker, known.id, definition, actor, now, expected)


def _mended(remedy: Remedy, record: Record, zone: tzinfo) -> Definition | None:
    definition = definition_of(record)
    try:
        if remedy.lengthened:
            days = LENGTHENED_DAYS
            longer = moved_by_days(record, remedy.lengthened, opens=0, closes=days, zone=zone)
            definition = longer or definition
    except FaultyFields:  # it would end after the year 9999
        return None
    if remedy.removed:
        left = without_pins(replace(record, document=definition.document), _all_but(remedy.removed))
        definition = definition_of(left)
    return replace(definition, disabled=True) if remedy.is_disabled else definition


def _all_but(removed: Collection[int]) -> Callable[[int, Pin], bool]:
    return lambda index, _: index not in removed

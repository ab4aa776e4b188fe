"""
What plans ask the catalog: which of the items that files name are there, and what it shows of a target.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from endcap.domain import ItemId, TrackerId
from endcap.planning.plan import NO_BODY, Step
from endcap.store.port import Store
from endcap.transfer.rows import Progress
from endcap.wire.differences import Difference
from endcap.wire.reading import UNREADABLE

IDENTITIES_AT_ONCE = 500
N = TypeVar("N", bound=str)
_SHOWN = {"target_metadata.title": "title", "target_metadata.image_link": "image_link"}


def strange_items(
    store: Store, tracker: TrackerId, steps: Sequence[Step], progress: Progress
) -> Iterator[tuple[str, ItemId]]:
    """Items that steps name and the catalog does not have, with the first place that names each."""
    named: dict[ItemId, str] = {}
    for step in steps:
        if step.body is not NO_BODY:
            for identity in _identities(bytes(step.body)):
                named.setdefault(identity, step.where or step.id)
    for number, batch in enumerate(_batches(named)):
        progress("looking up items", number * IDENTITIES_AT_ONCE, len(named))
        known = store.objects_named(tracker, batch)
        yield from ((named[each], each) for each in batch if each not in known)
    progress("looking up items", len(named), len(named))


def steps_of_shown_titles(
    store: Store, tracker: TrackerId, steps: Iterable[Step]
) -> Iterator[Step]:
    """
    Of steps that change a customization those that change nothing of what people said.

    An answer of the API shows a target's title and picture from the catalog where nobody sent any. A file that was made
    of one says no more than that, as long as the catalog says the same.
    """
    candidates = {
        step.id: (step, identity)
        for step in steps
        if all(_may_be_shown(each) for each in step.differences)
        and (identity := _target_of(step)) is not None
    }
    for ids in _batches(candidates):
        wanted = list({candidates[each][1] for each in ids})
        objects = store.objects_named(tracker, wanted)
        for id_ in ids:
            step, identity = candidates[id_]
            object_ = objects.get(identity)
            if object_ is not None and _says_only(step.differences, _label(object_.document)):
                yield step


def _may_be_shown(found: Difference) -> bool:
    return found.before is None and (found.field in _SHOWN or found.field == "target_metadata")


class _Fields(Struct):
    title: Any = None
    image_link: Any = None


class _Object(Struct):
    fields: _Fields | None = None


def _label(document: bytes) -> Mapping[str, Any]:
    """What the catalog shows of a target."""
    try:
        fields = msgspec.json.decode(document, type=_Object).fields or _Fields()
    except UNREADABLE:
        return {}
    return {"title": fields.title, "image_link": fields.image_link}


class _Target(Struct):
    target_identity: str | None = None


class _Pin(Struct):
    pin_type: str
    pin_identity: str | None = None


class _Named(Struct):
    target_type: str
    target_identity: str | None = None
    pin_definitions: list[_Pin] = []


_TARGETS = msgspec.json.Decoder(_Target)
_NAMED = msgspec.json.Decoder(_Named)


def _target_of(step: Step) -> ItemId | None:
    found = None if step.body is NO_BODY else _TARGETS.decode(step.body).target_identity
    return None if found is None else ItemId(found)


def _identities(body: bytes) -> Iterator[ItemId]:
    """Items that a body names; none where an idle member is of another kind than usual."""
    try:
        named = _NAMED.decode(body)
    except UNREADABLE:
        return
    if named.target_type == "item" and named.target_identity is not None:
        yield ItemId(named.target_identity)
    for pin in named.pin_definitions:
        if pin.pin_type == "item" and pin.pin_identity is not None:
            yield ItemId(pin.pin_identity)


def _says_only(found: Iterable[Difference], shown: Mapping[str, Any]) -> bool:
    """Whether differences are no more than what the catalog shows."""
    for each in found:
        if each.field in _SHOWN:
            said = {_SHOWN[each.field]: msgspec.json.decode(each.after or "null")}
        else:
            said = msgspec.json.decode(each.after or "{}")
        if any(shown.get(key) != value for key, value in said.items()):
            return False
    return True


def _batches(names: Iterable[N]) -> Iterator[list[N]]:
    rest = iter(names)
    while batch := list(islice(rest, IDENTITIES_AT_ONCE)):
        yield batch

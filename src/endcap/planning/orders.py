"""
Orders: what somebody brought to a page to have done, a file to import or customizations to copy, and the plan of it.

An order is kept as it came and planned when it is looked at; planned again for the same state of the tracker it comes
to the same plan, whichever process does it, so a `mark` tells whether what is about to be done is what was shown. Knows
nothing of pages, and not where orders are kept.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count, islice
from typing import assert_never
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from endcap.domain import CustomizationId, Filter, Record, TrackerId
from endcap.errors import UsageFault
from endcap.planning.making import Objection, make_plan
from endcap.planning.plan import Action, Plan
from endcap.store.accounts import Upload
from endcap.store.port import Store
from endcap.transfer.copying import Copying, read_identity_text
from endcap.transfer.rows import FAULTS_NAMED_MAX
from endcap.transfer.rules import Entry, read_content

COUNT_MAX = 100_000  # a plan is held in memory, at some 2 kB a customization
INFLATED_BYTES_MAX = 200_000_000  # of a workbook; all of its texts may be in memory at once
SPELLED_FACTOR_MAX = 10  # what a file may grow to where it repeats parts of itself, as YAML can
IDS_AT_ONCE = 500
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


class Import(Struct, frozen=True, tag="import"):
    """A file. `prune` is the scope in which what it does not name is deleted."""

    name: str
    prune: Filter | None = None


class Copy(Struct, frozen=True, tag="copy"):
    """
    Customizations of another tracker, of which the content names the ids. With a map, those with items that it does not
    have are refused, or, if `keep` says so, come with these as they are.
    """

    source: TrackerId
    is_mapped: bool = False
    keep: bool = False


Order = Import | Copy


class Copied(Struct, frozen=True):
    """
    The content of an order to copy; `identities` is a table with the columns from and to. `query` says how the ids were
    found, unless they were chosen one by one.
    """

    ids: tuple[CustomizationId, ...]
    identities: str = ""
    query: str = ""
    is_chosen: bool = False


_orders: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
_copied = msgspec.json.Decoder(Copied)


def order_of(upload: Upload) -> Order:
    return _orders.decode(upload.facts)


def copied_of(upload: Upload) -> Copied:
    return _copied.decode(upload.content)


def plan_order(
    store: Store, upload: Upload, *, objection: Objection, count_max: int = COUNT_MAX
) -> Plan:
    """
    Raises UsageFault for what cannot be read or is too much, FaultyRows for a faulty map. A file without customizations
    is not taken for a wish to delete all that is in its scope.
    """
    order = order_of(upload)
    numbers = count(1)

    def new_id() -> CustomizationId:
        return CustomizationId(str(uuid5(UUID(upload.id), str(next(numbers)))))

    def plan(entries: Iterable[Entry], prune: Filter | None = None) -> Plan:
        return make_plan(
            store,
            TrackerId(upload.tracker),
            entries,
            new_id=new_id,
            prune=prune,
            allow_empty=True,
            objection=objection,
        )

    match order:
        case Import(name, prune):
            _check_content(upload.content, name)
            spelled_max = SPELLED_FACTOR_MAX * max(len(upload.content), 1_000_000)
            read = read_content(upload.content, None, name=name)
            plan_ = plan(_bounded(read, spelled_max, count_max), prune)
            if not plan_.read and plan_.steps:
                raise UsageFault(
                    f"{name} holds no customization, so all {len(plan_.steps):,} of the scope would be deleted"
                )
            return plan_
        case Copy():
            return _plan_copy(store, upload, order, plan)
        case _:
            assert_never(order)


def mark_of(plan: Plan) -> str:
    """The same for the same work: who was shown one plan and says yes does not do another."""
    digest = hashlib.sha256(f"{plan.tracker} {plan.refused_total}\n".encode())
    for step in plan.steps:
        digest.update(f"{step.action} {step.id} {step.expected} ".encode())
        digest.update(hashlib.sha256(bytes(step.body)).digest())
    return digest.hexdigest()[:32]


def numbers_of(plan: Plan) -> dict[str, int]:
    """How many of what, as people count."""
    found = {action.value: plan.count(action) for action in Action}
    return {**found, "refused": plan.refused_total, "unchanged": plan.unchanged}


def _plan_copy(
    store: Store, upload: Upload, order: Copy, plan: Callable[[Iterable[Entry]], Plan]
) -> Plan:
    copied = copied_of(upload)
    identities = read_identity_text(copied.identities) if order.is_mapped else None
    copying = Copying(
        order.source,
        _records(store, order.source, copied.ids),
        identities=identities,
        keep=order.keep,
    )
    made = plan(copying.entries())
    notes = list(made.notes)
    gone = len(copied.ids) - made.read
    if gone:
        notes.append(f"{gone:,} of {len(copied.ids):,} chosen are gone from {order.source}")
    if copying.unmapped:
        notes.append(_unmapped_text(copying))
    return msgspec.structs.replace(made, notes=tuple(notes))


def _unmapped_text(copying: Copying) -> str:
    named = [
        f"{identity} ({times} times)" if times > 1 else identity
        for identity, times in copying.unmapped.most_common(FAULTS_NAMED_MAX)
    ]
    more = len(copying.unmapped) - len(named)
    rest = f" and {more:,} more" if more else ""
    return f"Not in the map: {', '.join(named)}{rest}"


def _records(store: Store, source: TrackerId, ids: Sequence[CustomizationId]) -> Iterator[Record]:
    """Those that are still there, in the order of the ids."""
    rest = iter(ids)
    while batch := list(islice(rest, IDS_AT_ONCE)):
        found = store.customizations(source, batch)
        yield from (found[each] for each in batch if each in found)


def _check_content(content: bytes, name: str) -> None:
    """Raises UsageFault for what would become too large while it is read."""
    if not content.strip():
        raise UsageFault(f"{name} is empty")
    if content.startswith(_GZIP):
        raise UsageFault(f"{name} is compressed: upload it as it is")
    if content.startswith(_ZIP):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as parts:
                inflated = sum(part.file_size for part in parts.infolist())
        except zipfile.BadZipFile as error:
            raise UsageFault(f"{name} is not a workbook that can be read: {error}") from error
        if inflated > INFLATED_BYTES_MAX:
            raise UsageFault(
                f"{name} inflates to {inflated:,} bytes, more than {INFLATED_BYTES_MAX:,}: save it as CSV"
            )


def _bounded(entries: Iterable[Entry], spelled_max: int, count_max: int) -> Iterator[Entry]:
    spelled = 0
    for number, entry in enumerate(entries, 1):
        if number > count_max:
            raise UsageFault(
                f"At most {count_max:,} customizations can be imported here: make it several files, or have whoever "
                "runs the server use endcap apply"
            )
        if entry.definition is not None:
            spelled += len(entry.definition.document) + len(entry.definition.metadata or b"")
            if spelled > spelled_max:
                raise UsageFault(
                    "What the file says is more than ten times as long as the file, because it repeats parts of "
                    "itself: make it several files"
                )
        yield entry

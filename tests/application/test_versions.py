"""
Undoing and restoring many: batches, memory and the mirrors of other processes.
"""

import asyncio
import tracemalloc

import pytest
from msgspec.structs import replace

from endcap.committer import Committer
from endcap.domain import CustomizationId, Micros
from endcap.drafts import Drafts
from endcap.errors import FaultyFields, RevisionConflict
from endcap.mirror import Mirror
from endcap.scheduled import Scheduled
from endcap.store.port import Store
from endcap.store.writes import (
    Committed,
    CreateCustomization,
    DeleteCustomization,
    ReplaceCustomization,
    ReviseCustomizations,
    Revised,
    SaveDraft,
    ScheduleDraft,
    Version,
)
from endcap.versions import Versions
from endcap.wire.customizations import read_definition
from tests.application.world import NOON, SHOP, World

BODY = b'{"model":"basket","target_type":"item","target_identity":"/p/%d","pin_definitions":[]}'
MANY = 10_000
WRITTEN = 10_000
NOTE_CHARACTERS = 2_000
COMMIT_BYTES_MAX = 16 * 1_024 * 1_024  # a batch reads and writes a thousand of them, not all 20 MB


def loaded(world: World, store: Store) -> Mirror:
    mirror = world.mirror(store)
    mirror.load()
    return mirror


def ids(count: int) -> list[CustomizationId]:
    return [CustomizationId(f"{number:032x}") for number in range(count)]


def fill(store: Store, count: int) -> None:
    store.commit(
        [
            CreateCustomization(SHOP, id_, read_definition(BODY % number), "api", NOON)
            for number, id_ in enumerate(ids(count))
        ]
    )


@pytest.mark.slow
def test_ten_thousand_go_back_at_once(world: World) -> None:
    """Changed and deleted; one revision brings them all back, in every process, and can be undone."""
    store = world.here
    fill(store, MANY)
    half = MANY // 2
    before = {each.id: each.document for each in store.customizations(SHOP, ids(MANY)).values()}
    other = read_definition(BODY % 7)
    store.commit(
        [ReplaceCustomization(SHOP, each, other, "ann", Micros(NOON + 1)) for each in ids(half)]
    )
    gone = ids(MANY)[half:]
    store.commit([DeleteCustomization(SHOP, each, "ann", Micros(NOON + 2)) for each in gone])
    mirror = loaded(world, world.elsewhere)
    versions = Versions(store, Committer(store, loaded(world, store)))

    reversal = versions.restoring(SHOP, versions.revision_at(SHOP, NOON))
    done = asyncio.run(versions.carry_out(SHOP, reversal, actor="pia", now=Micros(NOON + 3)))

    assert (done.changed, done.created) == (half - 1, half)
    after = store.customizations(SHOP, ids(MANY))
    assert {id_: each.document for id_, each in after.items()} == before
    mirror.refresh()
    shop = mirror.shop(SHOP)
    assert shop is not None
    assert (shop.revision, len(shop.snapshot.rules)) == (done.revision, MANY)
    undone = versions.undoing(SHOP, versions.action(SHOP, done.revision))
    assert (undone.count("changed"), undone.count("deleted")) == (half - 1, half)


@pytest.mark.slow
def test_memory_is_bounded_while_many_are_written(world: World) -> None:
    """All that would be done is in memory once; what is there, and what is logged, a batch at a time."""
    store = world.here
    note = b'{"model":"m","target_type":"all","target_metadata":{"note":"%s"},"pin_definitions":[]}'
    wanted = Version(
        replace(read_definition(note % (b"x" * NOTE_CHARACTERS)), disabled=False), "ann", NOON
    )
    made = [Revised(each, 0, wanted) for each in ids(WRITTEN)]
    gone = store.commit([ReviseCustomizations(SHOP, made, "ann", NOON)])[0]
    assert isinstance(gone, Committed)
    revised = [Revised(each.id, gone.revision, None) for each in made]

    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    (done,) = store.commit([ReviseCustomizations(SHOP, revised, "pia", NOON)])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert isinstance(done, Committed)
    assert store.summary(SHOP).counts == {}
    assert most - before < COMMIT_BYTES_MAX < WRITTEN * NOTE_CHARACTERS


def test_what_changes_while_it_is_worked_out_stops_all_of_it(world: World) -> None:
    """Of more than a batch; the last of them is enough."""
    store = world.here
    fill(store, 2_500)
    versions = Versions(store, Committer(store, loaded(world, store)))
    reversal = versions.restoring(SHOP, 1)
    assert reversal.count("deleted") == 2_500
    last = ids(2_500)[-1]
    store.commit([ReplaceCustomization(SHOP, last, read_definition(BODY % 1), "ann", NOON)])

    with pytest.raises(RevisionConflict, match="1 customization was changed"):
        asyncio.run(versions.carry_out(SHOP, reversal, actor="pia", now=NOON))

    assert len(store.customizations(SHOP, ids(2_500))) == 2_500


def test_there_is_a_bound_to_what_is_taken_back_at_once(world: World) -> None:
    """More would not fit into memory; what to do instead is said."""
    fill(world.here, 30)
    versions = Versions(world.here, Committer(world.here, loaded(world, world.here)), lines_max=20)

    with pytest.raises(FaultyFields) as restoring:
        versions.restoring(SHOP, 1)
    with pytest.raises(FaultyFields) as undoing:
        versions.last_action(SHOP)

    assert "choose a later moment" in restoring.value.details["at"][0]
    assert "restore the tracker" in undoing.value.details["revision"][0]


def test_workers_of_two_hosts_publish_a_draft_once(world: World) -> None:
    """Both look at the same moment; the log tells of one publication, in the name of who said so."""
    definition = read_definition(BODY % 1)
    drafts = ids(40)
    world.here.commit([SaveDraft(SHOP, each, definition, None, "ann", NOON) for each in drafts])
    world.here.commit([ScheduleDraft(SHOP, each, Micros(NOON + 5), "pia", NOON) for each in drafts])
    workers = []
    for store in (world.here, world.elsewhere):
        committer = Committer(store, loaded(world, store))
        workers.append(
            Scheduled(
                store,
                committer,
                Drafts(store, committer),
                clock=lambda: Micros(NOON + 5),
                look_seconds=0.01,
            )
        )

    async def both() -> list[int]:
        return list(await asyncio.gather(*(asyncio.to_thread(each.look) for each in workers)))

    assert sum(asyncio.run(both())) == len(drafts)
    lines = [line for line in world.here.history(SHOP) if line.kind == "customization"]
    assert sorted(line.subject for line in lines) == drafts
    assert {line.actor for line in lines} == {"pia"}
    assert world.here.count_drafts(SHOP) == 0

"""
The mirror: what a worker knows, and how it stays true.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from endcap.clock import random_id
from endcap.domain import CustomizationId, Micros, TrackerId
from endcap.errors import StoreUnavailable, TrackerNotFound
from endcap.mirror import RELOAD_CHANGES_MIN, Mirror
from endcap.publishing import build_and_publish
from endcap.recommend.artifact import artifacts_directory
from endcap.recommend.models import REFERENCE
from endcap.recommend.strategies import AnyStrategy, Newest, Popular, Randomly
from endcap.signing import Key, verify
from endcap.store import open_store
from endcap.store.port import Load
from endcap.store.sqlite import SqliteStore
from endcap.store.writes import CreateCustomization, PutModel, RemoveModel, Write
from endcap.transfer.rows import quietly
from endcap.transfer.transactions import import_transactions
from endcap.vault import Vault
from tests.application.conftest import Logged
from tests.application.world import (
    KEY,
    SHOP,
    World,
    broken,
    committed,
    eventually,
    item,
    items,
    pinned,
    shop,
)
from tests.services.postgres import PostgresServer

OTHER = TrackerId("other")


def signs(mirror: Mirror, key: str, tracker: TrackerId = SHOP) -> bool:
    """Whether a key is live for the mirror."""
    return verify(shop(mirror, tracker).keys, "text", Key(key).sign("text"))


def test_loading_brings_all_that_is_there(world: World) -> None:
    """Rules, items and keys of every tracker, at their revisions."""
    committed(world.elsewhere, world.create("a", "/p/2"), world.put("/p/1", "/p/2"))
    committed(world.elsewhere, world.tracker(OTHER, key="another key"))
    mirror = world.mirror()
    loaded_before = mirror.loaded

    mirror.load()

    assert (loaded_before, mirror.loaded) == (False, True)
    assert set(mirror.shops()) == {SHOP, OTHER}
    assert shop(mirror).revision == 3
    assert pinned(mirror) == {"a": "/p/2"}
    assert items(mirror) == {"/p/1", "/p/2"}
    assert signs(mirror, KEY)
    assert signs(mirror, "another key", OTHER)
    assert not signs(mirror, KEY, OTHER)


def test_one_tracker_can_be_loaded_alone(world: World) -> None:
    """As commands do, who care for one."""
    committed(world.elsewhere, world.tracker(OTHER))
    mirror = world.mirror()

    mirror.load(only=OTHER)

    assert set(mirror.shops()) == {OTHER}
    with pytest.raises(TrackerNotFound):
        mirror.load(only=TrackerId("nowhere"))


def test_a_change_made_elsewhere_is_followed(world: World) -> None:
    """Of every kind, by the follower alone."""
    mirror = world.mirror()
    mirror.load()
    mirror.start()

    committed(world.elsewhere, world.create("a", "/p/1"), world.create("b", "/p/2"))
    committed(world.elsewhere, world.replace("a", "/p/3"), world.delete("b"))
    committed(world.elsewhere, world.put("/p/3"), world.add_key("second key"))

    eventually(lambda: shop(mirror).revision == 7)
    assert pinned(mirror) == {"a": "/p/3"}
    assert items(mirror) == {"/p/3"}
    assert signs(mirror, "second key")
    assert signs(mirror, KEY)


def test_a_tracker_made_elsewhere_is_followed(world: World) -> None:
    """It is there without having been asked for."""
    mirror = world.mirror()
    mirror.load()
    mirror.start()

    committed(world.elsewhere, world.tracker(OTHER))

    eventually(lambda: mirror.shop(OTHER) is not None)


def test_a_revoked_key_is_forgotten(world: World) -> None:
    """And the other one stays."""
    committed(world.elsewhere, world.add_key("second key"))
    mirror = world.mirror()
    mirror.load()
    (first, _) = shop(mirror).row.sealed_keys

    committed(world.elsewhere, world.revoke_key(first))
    mirror.refresh()

    assert not signs(mirror, KEY)
    assert signs(mirror, "second key")


def test_readers_keep_the_shop_that_they_have(world: World) -> None:
    """A request is answered from one revision, whatever happens meanwhile."""
    committed(world.elsewhere, world.create("a", "/p/1"))
    mirror = world.mirror()
    mirror.load()
    before = shop(mirror)

    committed(world.elsewhere, world.delete("a"), world.put("/p/1"))
    mirror.refresh()

    assert before.revision == 2
    assert before.snapshot.rules.customization(CustomizationId("a")) is not None
    assert len(before.snapshot.catalog) == 0
    assert pinned(mirror) == {}


def test_nothing_new_changes_nothing(world: World) -> None:
    """The same shop, not an equal one."""
    mirror = world.mirror()
    mirror.load()
    before = shop(mirror)

    mirror.refresh()

    assert shop(mirror) is before


MANY = RELOAD_CHANGES_MIN + 1
"""Changes after which a load is the shorter way."""


def import_elsewhere(world: World) -> None:
    committed(world.elsewhere, world.put(*(f"/p/{number}" for number in range(MANY))))


def test_a_mirror_far_behind_loads(world: World) -> None:
    """It gets there with what was before the import and what came after it; and gives numbers anew."""
    committed(world.elsewhere, world.create("a", "/p/1"), world.put("gone"))
    mirror = world.mirror()
    mirror.load()

    committed(world.elsewhere, world.remove("gone"))
    import_elsewhere(world)
    committed(world.elsewhere, world.create("b", "/p/2"))
    mirror.refresh()

    assert shop(mirror).snapshot.catalog.numbers_given == len(items(mirror)) == MANY
    assert pinned(mirror) == {"a": "/p/1", "b": "/p/2"}
    assert shop(mirror).revision == 6


def test_a_mirror_a_little_behind_does_not_load(world: World) -> None:
    """It reads what changed, and goes on giving numbers."""
    committed(world.elsewhere, world.put("gone"))
    mirror = world.mirror()
    mirror.load()

    committed(world.elsewhere, world.remove("gone"), world.put("/p/1"), world.create("a"))
    mirror.refresh()

    assert shop(mirror).snapshot.catalog.numbers_given == 2
    assert (items(mirror), pinned(mirror)) == ({"/p/1"}, {"a": "/p/1"})


class HeldStore(SqliteStore):
    """A store whose second load waits for somebody, as a load of a million objects does."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.loads = 0
        self.is_loading, self.may_go_on = threading.Event(), threading.Event()

    @contextmanager
    def load(self, tracker: TrackerId) -> Iterator[Load]:
        self.loads += 1
        if self.loads == 2:
            self.is_loading.set()
            assert self.may_go_on.wait(10)
        with super().load(tracker) as load:
            yield load


def test_own_writes_do_not_wait_for_a_load(tmp_path: Path) -> None:
    """Where a follower is at work: it will show them. The shop that was there is served meanwhile."""
    world = World(f"sqlite:///{tmp_path / 'endcap.db'}", tmp_path)
    committed(world.here, world.tracker())
    store = HeldStore(tmp_path / "endcap.db")
    mirror = world.mirror(store)
    try:
        mirror.load()
        import_elsewhere(world)
        mirror.start()
        assert store.is_loading.wait(10)
        writes: list[Write] = [world.create("a", "/p/1")]

        mirror.absorb(writes, store.commit(writes))

        assert shop(mirror).revision == 1
        store.may_go_on.set()
        eventually(lambda: shop(mirror).revision == 3)
        assert pinned(mirror) == {"a": "/p/1"}
        assert len(items(mirror)) == MANY
    finally:
        store.may_go_on.set()
        world.close()
        store.close()


def test_one_trackers_load_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    """While a large catalog is read, what a merchandiser of another shop changes elsewhere shows here."""
    world = World(f"sqlite:///{tmp_path / 'endcap.db'}", tmp_path)
    committed(world.here, world.tracker())
    store = HeldStore(tmp_path / "endcap.db")
    mirror = world.mirror(store)
    try:
        mirror.load()
        mirror.start()
        committed(world.elsewhere, world.tracker(OTHER))
        assert store.is_loading.wait(10)

        committed(world.elsewhere, world.put("/p/1"))
        committed(world.elsewhere, world.create("a", "/p/1"))

        eventually(lambda: pinned(mirror) == {"a": "/p/1"})
        assert mirror.shop(OTHER) is None
        assert not mirror.is_current()
        store.may_go_on.set()
        eventually(lambda: mirror.shop(OTHER) is not None)
        eventually(mirror.is_current)
    finally:
        store.may_go_on.set()
        world.close()
        store.close()


# Own writes


def test_own_writes_show_at_once(world: World) -> None:
    """Without a follower, and without asking the store again."""
    mirror = world.mirror()
    mirror.load()
    writes: list[Write] = [
        world.create("a", "/p/1"),
        world.create("b", "/p/2"),
        world.delete("a"),
    ]
    outcomes = world.here.commit(writes)
    world.here.close()

    mirror.absorb(writes, outcomes)

    assert shop(mirror).revision == 4
    assert pinned(mirror) == {"b": "/p/2"}


def test_own_writes_of_every_kind_show_at_once(world: World) -> None:
    """What is not made of customizations alone is read back."""
    mirror = world.mirror()
    mirror.load()
    writes: list[Write] = [
        world.create("a"),
        world.put("/p/1"),
        world.add_key("second key"),
        world.tracker(OTHER),
    ]

    mirror.absorb(writes, world.here.commit(writes))

    assert shop(mirror).revision == 4
    assert pinned(mirror) == {"a": "/p/1"}
    assert items(mirror) == {"/p/1"}
    assert signs(mirror, "second key")
    assert mirror.shop(OTHER) is not None


def test_own_writes_show_across_a_gap(world: World) -> None:
    """Somebody else wrote in between: both show, in the order in which they were written."""
    mirror = world.mirror()
    mirror.load()
    committed(world.elsewhere, world.create("a", "/p/1"), world.create("b", "/p/1"))
    writes = [world.replace("a", "/p/2")]

    mirror.absorb(writes, world.here.commit(writes))

    assert shop(mirror).revision == 4
    assert pinned(mirror) == {"a": "/p/2", "b": "/p/1"}


def test_own_writes_do_not_bring_back_what_came_after_them(world: World) -> None:
    """Absorbed late: the follower was there first, and knows more."""
    mirror = world.mirror()
    mirror.load()
    writes = [world.create("a", "/p/1")]
    outcomes = world.here.commit(writes)
    committed(world.elsewhere, world.replace("a", "/p/2"))
    mirror.refresh()

    mirror.absorb(writes, outcomes)

    assert shop(mirror).revision == 3
    assert pinned(mirror) == {"a": "/p/2"}


def test_refused_and_replayed_writes_show_nothing(world: World) -> None:
    """They spent no revision."""
    mirror = world.mirror()
    mirror.load()
    writes: list[Write] = [
        world.delete("nowhere"),
        world.create("a", "/p/1"),
        world.replace("b", "/p/1"),
    ]

    mirror.absorb(writes, world.here.commit(writes))

    assert shop(mirror).revision == 2
    assert pinned(mirror) == {"a": "/p/1"}


def test_own_writes_that_cannot_be_shown_are_left_to_the_follower(
    world: World, logged: Logged
) -> None:
    """They are durable: whoever was told otherwise would do them twice."""
    mirror = world.mirror()
    mirror.load()
    writes = [world.put("/p/1")]
    outcomes = world.here.commit(writes)
    world.here.close()

    mirror.absorb(writes, outcomes)

    assert [entry["event"] for entry in logged] == ["own writes not shown yet"]
    assert shop(mirror).revision == 1


def test_many_writers_and_the_follower_agree_in_the_end(world: World) -> None:
    """Absorbed directly, caught up, followed: whatever the order, it is what the store has."""
    mirror = world.mirror()
    mirror.load()
    mirror.start()

    def write(letters: str, *, absorbed: bool) -> None:
        store = world.here if absorbed else world.elsewhere
        for number in range(15):
            for letter in letters:
                writes = [
                    world.create(letter, f"/p/{number}")
                    if number == 0
                    else world.replace(letter, f"/p/{number}")
                ]
                outcomes = store.commit(writes)
                if absorbed:
                    mirror.absorb(writes, outcomes)

    threads = [
        threading.Thread(target=write, args=(letters,), kwargs={"absorbed": absorbed})
        for letters, absorbed in (("ab", True), ("cd", True), ("ef", False))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    eventually(lambda: shop(mirror).revision == 1 + 15 * 6)
    fresh = world.mirror()
    fresh.load()
    assert pinned(mirror) == pinned(fresh) == dict.fromkeys("abcdef", "/p/14")


# Asking once more


def test_check_asks_the_store_but_not_at_every_call(world: World) -> None:
    """A stranger's requests for what is not there must not become the store's load."""
    mirror = world.mirror()
    mirror.load()
    committed(world.elsewhere, world.create("a"))

    asked = [mirror.check() for _ in range(50)]

    assert asked[0]
    assert sum(asked) < 10
    assert pinned(mirror) == {"a": "/p/1"}


# What cannot be read


def test_a_record_that_cannot_be_read_is_silent_and_logged(world: World, logged: Logged) -> None:
    """When loaded and when followed; it is known by its id, and the others act."""

    def unreadable(id: str) -> CreateCustomization:
        return msgspec.structs.replace(world.create(id), definition=broken(id))

    committed(world.elsewhere, unreadable("a"), world.create("b"))
    mirror = world.mirror()

    mirror.load()
    committed(world.elsewhere, unreadable("c"), world.create("d"))
    mirror.refresh()

    assert pinned(mirror) == {"b": "/p/1", "d": "/p/1"}
    rules = shop(mirror).snapshot.rules
    assert [each.id for each in rules.all() if each.unreadable] == ["a", "c"]
    speaking = rules.speaking(shop(mirror).snapshot.catalog, model="trends", items=())
    assert sorted(each.id for each in speaking) == ["b", "d"]
    assert shop(mirror).revision == 5
    assert [(entry["event"], entry["id"]) for entry in logged] == [
        ("customization cannot be read", "a"),
        ("customization cannot be read", "c"),
    ]


def test_keys_of_another_master_key_keep_nobody_waiting(world: World, logged: Logged) -> None:
    """Such a tracker is shown, but nobody can sign for it; the others are as ever."""
    moved = Vault("another master key, as long")
    committed(
        world.elsewhere,
        msgspec.structs.replace(world.tracker(OTHER), sealed_key=moved.seal(KEY)),
        world.create("a"),
    )
    mirror = world.mirror(vault=moved)

    mirror.load()

    assert pinned(mirror) == {"a": "/p/1"}
    assert not signs(mirror, KEY)
    assert signs(mirror, KEY, OTHER)
    assert [(entry["event"], entry["tracker"]) for entry in logged] == [
        ("private key cannot be opened", SHOP)
    ]


def test_a_key_that_cannot_be_opened_does_not_hide_the_others(world: World, logged: Logged) -> None:
    """A key that was added with the wrong master key."""
    mirror = world.mirror()
    mirror.load()
    wrong = Vault("another master key, as long").seal("second key")

    committed(world.elsewhere, msgspec.structs.replace(world.add_key("x"), sealed_key=wrong))
    mirror.refresh()

    assert shop(mirror).revision == 2
    assert signs(mirror, KEY)
    assert [entry["event"] for entry in logged] == ["private key cannot be opened"]


def test_one_trackers_trouble_does_not_let_the_others_grow_stale(
    world: World, logged: Logged
) -> None:
    """An object that cannot be read keeps its tracker from being renewed, and no other."""
    first = TrackerId("0")
    committed(world.elsewhere, world.tracker(first))
    mirror = world.mirror()
    mirror.load()
    mirror.start()

    spoiled = msgspec.structs.replace(item("/p/1"), document=b"{")
    committed(
        world.elsewhere, msgspec.structs.replace(world.put(), tracker=first, objects=[spoiled])
    )
    committed(world.elsewhere, world.create("a"))

    eventually(lambda: pinned(mirror) == {"a": "/p/1"})
    eventually(lambda: bool(logged))
    assert shop(mirror, first).revision == 1
    assert logged[0]["event"] == "mirror failed to follow"


def test_one_trackers_trouble_does_not_keep_the_others_from_being_loaded(
    world: World, logged: Logged
) -> None:
    """A server starts with those that it can read."""
    first = TrackerId("0")
    spoiled = msgspec.structs.replace(item("/p/1"), document=b"{")
    committed(world.elsewhere, world.tracker(first), world.create("a"))
    committed(
        world.elsewhere, msgspec.structs.replace(world.put(), tracker=first, objects=[spoiled])
    )
    mirror = world.mirror()

    mirror.load()

    assert mirror.loaded
    assert set(mirror.shops()) == {SHOP}
    assert [entry["event"] for entry in logged] == ["mirror failed to follow"]


# Recommenders


def published(world: World, *, days: int = 1) -> str:
    """Builds from orders and points the tracker to it, as another process would; the artifact's name."""
    file = world.data_dir / "orders.jsonl"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(
        msgspec.json.Encoder().encode_lines(
            {"order_id": f"{days}-{order}", "identity": identity, "created_at": f"2025-01-0{days}"}
            for order in range(5)
            for identity in ("/p/1", f"/p/{days + 1}")
        )
    )
    import_transactions(world.data_dir, SHOP, file, now=world.tick(), new_id=random_id)
    done = build_and_publish(
        world.elsewhere,
        world.data_dir,
        SHOP,
        actor="test",
        now=Micros(world.tick() + days * 86_400_000_000),
        progress=quietly,
    )
    return done.artifact


def best(mirror: Mirror) -> str:
    """The most popular item."""
    catalog = shop(mirror).snapshot.catalog
    return catalog.identity(next(catalog.popular()))


def test_an_artifact_published_elsewhere_is_taken_over(world: World) -> None:
    """Recommenders and the order of the catalog follow it, without a restart."""
    committed(world.here, world.put("/p/3"), world.put("/p/2"), world.put("/p/1"))
    mirror = world.mirror()
    mirror.load()
    mirror.start()
    assert shop(mirror).recommenders.model_version is None

    first = published(world, days=1)
    eventually(lambda: shop(mirror).row.artifact == first)
    second = published(world, days=2)
    eventually(lambda: shop(mirror).row.artifact == second)

    assert shop(mirror).recommenders.artifact.name == second
    assert shop(mirror).recommenders.model_version is not None
    assert best(mirror) == "/p/1"


def test_a_published_artifact_is_loaded(world: World) -> None:
    """By a worker that starts later."""
    committed(world.here, world.put("/p/1", "/p/2"))
    artifact = published(world)
    mirror = world.mirror()

    mirror.load()

    assert shop(mirror).recommenders.artifact.name == artifact


def test_a_catalog_that_changes_keeps_its_recommenders(world: World) -> None:
    """They know the new items, and rank them as the artifact says."""
    committed(world.here, world.put("/p/1"))
    artifact = published(world)
    mirror = world.mirror()
    mirror.load()

    committed(world.elsewhere, world.put("/p/2"))
    mirror.refresh()

    assert items(mirror) == {"/p/1", "/p/2"}
    assert shop(mirror).recommenders.artifact.name == artifact


def spoil(world: World, artifact: str, how: str) -> None:
    folder = artifacts_directory(world.data_dir, SHOP) / artifact
    if how == "is missing":
        shutil.rmtree(folder)
    elif how == "was changed":
        (folder / "items.json").write_bytes(b"[]")
    else:
        (folder / "popularity.npy").unlink()


@pytest.mark.parametrize("how", ["is missing", "was changed", "is not whole"])
def test_a_broken_artifact_leaves_the_one_before(world: World, logged: Logged, how: str) -> None:
    """The rest of the change is followed; that the artifact is not is logged."""
    committed(world.here, world.put("/p/1"))
    first = published(world, days=1)
    mirror = world.mirror()
    mirror.load()

    second = published(world, days=2)
    spoil(world, second, how)
    committed(world.elsewhere, world.create("a"))
    mirror.refresh()

    assert pinned(mirror) == {"a": "/p/1"}
    assert shop(mirror).recommenders.artifact.name == first
    assert [(entry["event"], entry["artifact"]) for entry in logged] == [
        ("artifact cannot be read", second)
    ]


def test_a_broken_artifact_does_not_keep_a_worker_from_starting(
    world: World, logged: Logged
) -> None:
    """It recommends by catalog, as before anything was built."""
    committed(world.here, world.put("/p/1"))
    spoil(world, published(world), "is missing")
    mirror = world.mirror()

    mirror.load()

    assert items(mirror) == {"/p/1"}
    assert shop(mirror).recommenders.model_version is None
    assert [entry["event"] for entry in logged] == ["artifact cannot be read"]


def spoilt_byte(world: World, artifact: str) -> None:
    """One bit in the middle of one file."""
    file = artifacts_directory(world.data_dir, SHOP) / artifact / "neighbours.npy"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_worker_that_starts_over_a_broken_artifact_serves_the_last_good_one(
    world: World, logged: Logged
) -> None:
    """It did not see the one before being served, and finds it on disk; a broken one in between is passed over."""
    committed(world.here, world.put("/p/1"))
    good, broken, current = (published(world, days=days) for days in (1, 2, 3))
    spoilt_byte(world, broken)
    spoilt_byte(world, current)
    mirror = world.mirror()

    mirror.load()

    assert shop(mirror).recommenders.artifact.name == good
    (entry,) = logged
    assert (entry["event"], entry["artifact"], entry["used"]) == (
        "artifact cannot be read",
        current,
        good,
    )
    assert "checksum of neighbours.npy" in entry["reason"]


def test_an_artifact_that_comes_late_is_read_when_it_is_there(world: World, logged: Logged) -> None:
    """Folders shared or copied between hosts may be seen after the pointer: it is looked for again, now and then."""
    committed(world.here, world.put("/p/1"))
    artifact = published(world)
    folder = artifacts_directory(world.data_dir, SHOP)
    folder.rename(world.data_dir / "on its way")
    mirror = world.mirror(artifact_seconds=0.05)
    mirror.load()
    mirror.start()

    eventually(lambda: len(logged) > 1)
    (world.data_dir / "on its way").rename(folder)

    eventually(lambda: shop(mirror).recommenders.artifact.name == artifact)
    assert shop(mirror).revision == 3


# The store away


def test_loading_without_a_store_is_refused(tmp_path: Path) -> None:
    """A worker that knows nothing must not say that it is ready."""
    (tmp_path / "file").write_text("")
    store = open_store(f"sqlite:///{tmp_path}/file/endcap.db")
    mirror = Mirror(store, Vault("a master key of some length"), tmp_path)

    with pytest.raises(StoreUnavailable):
        mirror.load()

    assert not mirror.loaded


def test_a_database_that_is_away_is_waited_for(tmp_path: Path, logged: Logged) -> None:
    """What was mirrored is served meanwhile; then it follows again. Both is said once."""
    folder = tmp_path / "disk"
    folder.mkdir()
    world = World(f"sqlite:///{folder / 'endcap.db'}", tmp_path / "data")
    try:
        committed(world.here, world.tracker(), world.create("a"))
        store = world.store()
        mirror = world.mirror(store)
        mirror.load()
        folder.rename(tmp_path / "unmounted")
        folder.write_text("")  # a folder of this name could be made anew, and the database with it
        mirror.start()
        eventually(lambda: bool(logged))
        served = pinned(mirror)

        folder.unlink()
        (tmp_path / "unmounted").rename(folder)
        committed(world.elsewhere, world.create("b"))
        eventually(lambda: len(pinned(mirror)) == 2)
    finally:
        world.close()

    assert served == {"a": "/p/1"}
    events = [entry["event"] for entry in logged]
    assert events == ["store is away, serving what is mirrored", "store is back"]


@pytest.mark.postgres
def test_a_server_that_is_away_is_waited_for(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path, logged: Logged
) -> None:
    """The same with a PostgreSQL that crashes and comes back."""
    world = World(postgres_url, tmp_path)
    try:
        committed(world.here, world.tracker(), world.create("a"))
        mirror = world.mirror()
        mirror.load()
        mirror.start()

        postgres_server.crash()
        eventually(lambda: bool(logged))
        served = pinned(mirror)
        postgres_server.start()
        committed(world.store(), world.create("b"))

        eventually(lambda: len(pinned(mirror)) == 2)
    finally:
        postgres_server.start()
        world.close()

    assert served == {"a": "/p/1"}
    assert logged[0]["event"] == "store is away, serving what is mirrored"
    assert logged[-1]["event"] == "store is back"


def put_model(world: World, name: str, document: bytes) -> PutModel:
    return PutModel(SHOP, name, document, "test", world.tick())


def test_the_table_of_models_is_followed(world: World) -> None:
    """Loaded, changed elsewhere, changed here, and taken away: each shows in what a name means."""
    committed(world.elsewhere, put_model(world, "home", b'{"strategy":"newest"}'))
    mirror = world.mirror()
    mirror.load()
    assert strategy_of(mirror, "home") == Newest()

    committed(world.elsewhere, put_model(world, "basket", b'{"strategy":"popular"}'))
    mirror.refresh()
    assert strategy_of(mirror, "basket") == Popular()
    assert strategy_of(mirror, "home") == Newest()

    writes = [put_model(world, "home", b'{"strategy":"random"}')]
    mirror.absorb(writes, committed(world.here, *writes))
    assert strategy_of(mirror, "home") == Randomly()

    committed(
        world.elsewhere,
        RemoveModel(SHOP, "home", "test", world.tick()),
        RemoveModel(SHOP, "basket", "test", world.tick()),
    )
    mirror.refresh()
    assert strategy_of(mirror, "home") is None
    assert strategy_of(mirror, "basket") == REFERENCE["basket"].strategy
    assert shop(mirror).models == {}


def test_a_table_outlives_catalog_and_artifact(world: World) -> None:
    """What changes beside it leaves it as it is."""
    committed(world.elsewhere, put_model(world, "home", b'{"strategy":"newest"}'))
    mirror = world.mirror()
    mirror.load()

    committed(world.elsewhere, world.put("/p/1"), world.create("a", "/p/1"))
    mirror.refresh()
    published(world)
    mirror.refresh()

    assert shop(mirror).recommenders.artifact.name
    assert strategy_of(mirror, "home") == Newest()


def test_a_model_of_another_version_means_what_it_meant(world: World, logged: Logged) -> None:
    """It is logged; the other names are not touched."""
    committed(
        world.elsewhere,
        put_model(world, "basket", b'{"strategy":{"kind":"of_tomorrow"}}'),
        put_model(world, "home", b'{"strategy":"newest"}'),
    )
    mirror = world.mirror()

    mirror.load()

    assert strategy_of(mirror, "basket") == REFERENCE["basket"].strategy
    assert strategy_of(mirror, "home") == Newest()
    assert [each["model"] for each in logged if each["event"] == "model cannot be read"] == [
        "basket"
    ]


def strategy_of(mirror: Mirror, model: str) -> AnyStrategy | None:
    found = shop(mirror).recommenders.find(model)
    return None if found is None else found.model.strategy

"""
Neighbour lists that follow a file of somebody else's: taken when it is whole, kept when its successor is broken.
"""

import shutil
from pathlib import Path

import msgspec
import pytest

from endcap.errors import UsageFault
from endcap.list_watch import ListWatch
from endcap.mirror import Mirror
from endcap.neighbour_lists import current_version, held_lists, import_list, lists_directory
from endcap.recommend.neighbour_list import item_digest
from endcap.recommend.table import kept, read_model
from endcap.store.writes import CreateTracker, PutModel, PutObjects
from tests.application.world import KEY, NOON, SHOP, World
from tests.engine.scenes import object_of

SIMILAR = "item,neighbour,score\na,b,1\na,c,2\n"
NEWER = "item,neighbour,score\na,d,1\n"
BROKEN = "item,neighbour,score\na,b,much\n"


class Desk:
    """One worker in front of a data directory, with a model that ranks by the list `similar`."""

    def __init__(self, world: World, folder: Path) -> None:
        self.lists = lists_directory(folder, SHOP)
        self.folder = folder
        self.world = world
        self.mirror = self.worker()
        self.watch = ListWatch(self.mirror, folder)

    def worker(self) -> Mirror:
        mirror = Mirror(self.world.here, self.world.vault, self.folder)
        mirror.load()
        return mirror

    def write(self, content: str, name: str = "similar.csv") -> None:
        """As pipelines should: beside its place, then renamed."""
        self.lists.mkdir(parents=True, exist_ok=True)
        draft = self.lists / f".{name}.part"
        draft.write_text(content)
        draft.replace(self.lists / name)

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self.watch.look()

    def listed(self, mirror: Mirror | None = None) -> list[str]:
        """What is listed for the item a."""
        shop = (mirror or self.mirror).shop(SHOP)
        assert shop is not None
        catalog = shop.snapshot.catalog
        answer = shop.recommenders.find("mine")
        assert answer is not None
        found = answer.knowledge.lists.get("similar")
        if found is None:
            return []
        return [catalog.identity(number) for number in found.ranked_for([item_digest("a")])]

    def metrics(self) -> dict[str, float]:
        return {
            sample.name: sample.value
            for family in self.watch.metrics()
            for sample in family.samples
        }


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Desk:
    objects = [
        object_of({"identity": each, "type": "item", "fields": {"title": each}}) for each in "abcd"
    ]
    model = read_model({"strategy": {"kind": "neighbour_list", "list": "similar"}})
    world.here.commit(
        [
            CreateTracker(SHOP, "a shop", world.vault.seal(KEY), "test", NOON),
            PutObjects(SHOP, objects, "test", NOON),
            PutModel(SHOP, "mine", kept(model), "test", NOON),
        ]
    )
    return Desk(world, tmp_path)


def test_a_file_is_followed(desk: Desk) -> None:
    """When it appears, and when it is replaced; a look at a file that stays the same does nothing."""
    desk.look()
    assert desk.listed() == []

    desk.write(SIMILAR)
    desk.look()
    assert desk.listed() == ["c", "b"]
    before = desk.mirror.shop(SHOP)
    desk.look()
    assert desk.mirror.shop(SHOP) is before

    desk.write(NEWER)
    desk.look()
    assert desk.listed() == ["d"]
    assert desk.metrics()["endcap_neighbour_list_pairs"] == 1
    assert desk.metrics()["endcap_neighbour_list_refused"] == 0


def test_a_file_that_still_changes_is_left_alone(desk: Desk) -> None:
    """It is taken when it stayed the same between two looks."""
    desk.write(SIMILAR)
    desk.look(times=1)
    desk.write(NEWER)
    desk.look(times=1)
    assert desk.listed() == []

    desk.look(times=1)
    assert desk.listed() == ["d"]


def test_a_broken_file_leaves_the_last_good_one(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is said once, and tried again when the file changes."""
    desk.write(SIMILAR)
    desk.look()
    version = current_version(desk.lists / "similar")

    desk.write(BROKEN)
    desk.look(times=5)

    assert desk.listed() == ["c", "b"]
    assert current_version(desk.lists / "similar") == version
    assert desk.metrics()["endcap_neighbour_list_refused"] == 1
    said = capfd.readouterr().out
    assert said.count("neighbour list cannot be read") == 1
    assert "score: must be a number, not much" in said
    (held,) = held_lists(desk.folder, SHOP)
    assert held.refused is not None
    assert "line 2" in held.refused
    desk.write(NEWER)
    desk.look()
    assert desk.listed() == ["d"]
    assert desk.metrics()["endcap_neighbour_list_refused"] == 0


def test_workers_share_what_one_has_read(desk: Desk) -> None:
    """The second one maps it at its first look; so does one that starts while the file is broken."""
    desk.write(SIMILAR)
    desk.look()
    desk.write(BROKEN)
    desk.look()

    other = desk.worker()
    ListWatch(other, desk.folder).look()

    assert desk.listed(other) == ["c", "b"]
    assert len(list((desk.lists / "similar").glob("*/manifest.json"))) == 1


def test_only_the_last_two_versions_are_kept(desk: Desk) -> None:
    """The one that is ranked by, and the one that somebody may still map."""
    for number in range(4):
        desk.write(f"item,neighbour,score\na,b,{number}\n")
        desk.look()

    assert len(list((desk.lists / "similar").glob("*/manifest.json"))) == 2
    assert desk.listed() == ["b"]


def test_a_version_that_broke_on_disk_gives_way_to_the_one_before(desk: Desk) -> None:
    """Checksums tell; who has it in memory already keeps it."""
    desk.write(SIMILAR)
    desk.look()
    desk.write(NEWER)
    desk.look()
    current = current_version(desk.lists / "similar")
    assert current is not None
    (desk.lists / "similar" / current / "scores.npy").write_bytes(b"nothing")

    other = desk.worker()
    ListWatch(other, desk.folder).look()
    desk.look()

    assert desk.listed(other) == ["c", "b"]
    assert desk.listed() == ["d"]


def test_a_file_that_goes_leaves_its_list(desk: Desk) -> None:
    """Until somebody removes the list's folder too, and then until the worker ends."""
    desk.write(SIMILAR)
    desk.look()
    (desk.lists / "similar.csv").unlink()
    desk.look()
    assert desk.listed() == ["c", "b"]

    shutil.rmtree(desk.lists / "similar")
    desk.look()
    assert desk.listed() == ["c", "b"]


def test_a_list_that_no_model_wants_is_let_go(desk: Desk) -> None:
    """And files that none wants are never read."""
    desk.write(SIMILAR)
    desk.write(SIMILAR, "other.csv")
    desk.look()
    assert not (desk.lists / "other").exists()

    popular = kept(read_model("popular"))
    desk.world.here.commit([PutModel(SHOP, "mine", popular, "test", NOON)])
    desk.mirror.refresh()
    desk.look()

    shop = desk.mirror.shop(SHOP)
    assert shop is not None
    assert shop.recommenders.lists == {}


def test_columns_are_the_models_to_name(desk: Desk) -> None:
    """Where a pipeline has words of its own; other words are another state of the file."""
    strategy = {"kind": "neighbour_list", "list": "similar"}
    columns = {"item": "src", "neighbour": "dst"}
    desk.write("src,dst\na,c\n")
    desk.look()
    assert desk.listed() == []

    model = kept(read_model({"strategy": {**strategy, "columns": columns}}))
    desk.world.here.commit([PutModel(SHOP, "mine", model, "test", NOON)])
    desk.mirror.refresh()
    desk.look()

    assert desk.listed() == ["c"]


def test_a_list_by_command_is_shown_too(desk: Desk, tmp_path: Path) -> None:
    """From a file anywhere; but not under the name of a list that follows a file."""
    path = tmp_path / "anywhere.csv"
    path.write_text(SIMILAR)

    import_list(tmp_path, SHOP, "similar", path, columns={}, now=NOON)
    desk.look(times=1)

    assert desk.listed() == ["c", "b"]
    desk.write(NEWER)
    with pytest.raises(UsageFault, match="follows the file"):
        import_list(tmp_path, SHOP, "similar", path, columns={}, now=NOON)
    desk.look()
    assert desk.listed() == ["d"]


def test_a_list_survives_a_load(desk: Desk) -> None:
    """A tracker that is loaded anew is ranked by its lists at once."""
    desk.write(SIMILAR)
    desk.look()
    objects = [object_of({"identity": "e", "type": "item", "fields": {"title": "e"}})]
    desk.world.here.commit([PutObjects(SHOP, objects, "test", NOON)])

    desk.mirror.load(only=SHOP)

    assert desk.listed() == ["c", "b"]


def test_the_folder_holds_what_its_page_says(desk: Desk) -> None:
    """A version's files, the pointer, and nothing that was left behind."""
    desk.write(SIMILAR)
    desk.look()
    folder = desk.lists / "similar"
    version = current_version(folder)
    assert version is not None

    assert names_in(folder) == sorted([".lock", "current", version])
    manifest = msgspec.json.decode((folder / version / "manifest.json").read_bytes())
    assert set(manifest["files"]) | {"manifest.json"} == set(names_in(folder / version))
    assert names_in(desk.lists) == ["similar", "similar.csv"]

"""
Neighbour lists as folders and in a catalog: what is found for a key, how it follows the catalog, and what is broken.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.domain import Micros
from endcap.engine.catalog import Catalog
from endcap.errors import UsageFault
from endcap.recommend.artifact import user_digest
from endcap.recommend.models import Model
from endcap.recommend.neighbour_list import (
    Kind,
    ListInCatalog,
    NeighbourList,
    Rows,
    item_digest,
    load_list,
    write_list,
)
from endcap.recommend.recommenders import Recommenders
from endcap.recommend.strategies import Listed
from tests.recommend.shelf import names, query, thing

Lists = Mapping[str, Sequence[tuple[str, float]]]
NOW = Micros(1_700_000_000_000_000)
SIMILAR: Lists = {
    "a": [("b", 3.0), ("c", 2.0), ("gone", 1.5), ("d", 1.0)],
    "b": [("d", 5.0), ("a", 1.0)],
    "c": [],
}


def rows(lists: Lists, kind: Kind = "items") -> Rows:
    keys = sorted(lists)
    identities = sorted({item for pairs in lists.values() for item, _ in pairs})
    flat = [
        (keys.index(key), identities.index(item), score)
        for key in keys
        for item, score in lists[key]
    ]
    key_no, item_no, scores = zip(*flat, strict=True) if flat else ((), (), ())
    return Rows(
        kind,
        keys,
        identities,
        np.array(key_no, dtype=np.int64),
        np.array(item_no, dtype=np.int64),
        np.array(scores, dtype=np.float32),
    )


def written(folder: Path, lists: Lists, kind: Kind = "items") -> NeighbourList:
    return write_list(rows(lists, kind), folder, source="a file", now=NOW)


def catalog(*identities: str) -> Catalog:
    return Catalog.of(thing(each) for each in identities)


def ranked(listed: ListInCatalog, over: Catalog, *keys: str) -> list[str]:
    return [over.identity(number) for number in listed.ranked_for([*map(item_digest, keys)])]


def test_what_is_listed_for_an_item_is_found(tmp_path: Path) -> None:
    """Best first, as far as the catalog has it; nothing for what has no list."""
    over = catalog(*"abcd")
    listed = ListInCatalog.of(written(tmp_path, SIMILAR), over)

    assert ranked(listed, over, "a") == ["b", "c", "d"]
    assert ranked(listed, over, "c") == ranked(listed, over, "z") == []


def test_of_several_items_scores_are_added_up(tmp_path: Path) -> None:
    """So that what goes with both comes first."""
    over = catalog(*"abcd")
    listed = ListInCatalog.of(written(tmp_path, SIMILAR), over)

    assert ranked(listed, over, "a", "b", "z") == ["d", "b", "c", "a"]


@given(
    st.dictionaries(
        st.text(max_size=3),
        st.lists(st.tuples(st.text(max_size=2), st.floats(0, 1, width=32)), max_size=5),
        max_size=8,
    )
)
def test_whatever_is_written_is_found(
    tmp_path_factory: pytest.TempPathFactory, lists: dict[str, list[tuple[str, float]]]
) -> None:
    """Every key's items in their order, through any order of digests."""
    written_list = written(tmp_path_factory.mktemp("list"), lists)
    identities = written_list.identities()

    for key, pairs in lists.items():
        found = written_list.of(item_digest(key))
        assert found is not None
        assert [identities[place] for place in found[0].tolist()] == [item for item, _ in pairs]
        assert found[1].tolist() == [score for _, score in pairs]
    for place, identity in enumerate(identities):
        assert written_list.place_of(identity) == place
    assert written_list.of(item_digest("a text that is no key")) is None
    assert written_list.place_of("a text that is listed nowhere") is None


def test_items_that_come_later_are_found(tmp_path: Path) -> None:
    """A list follows its catalog by looking at what is new."""
    before = catalog("a", "b")
    listed = ListInCatalog.of(written(tmp_path, SIMILAR), before)
    after = before.changed({thing("gone").identity: thing("gone")})

    followed = listed.followed(after)

    assert ranked(listed, before, "a") == ["b"]
    assert ranked(followed, after, "a") == ["b", "gone"]
    assert followed.followed(after) is followed


def test_the_same_list_at_the_same_time_is_the_same_folder(tmp_path: Path) -> None:
    """Named by what is in it."""
    first, again = written(tmp_path, SIMILAR), written(tmp_path, SIMILAR)
    other = written(tmp_path, {"a": [("b", 1.0)]})

    assert first.version == again.version != other.version
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        [first.version, other.version]
    )
    assert first.manifest.counts == {"keys": 3, "items": 5, "pairs": 6}


@pytest.mark.parametrize("name", ["keys.npy", "identities.json", "manifest.json"])
def test_a_broken_list_is_refused(tmp_path: Path, name: str) -> None:
    """Whatever of it is broken, or missing."""
    path = tmp_path / written(tmp_path, SIMILAR).version
    content = (path / name).read_bytes()

    (path / name).write_bytes(content[:-1])
    with pytest.raises(UsageFault, match="is broken"):
        load_list(path)
    (path / name).unlink()
    with pytest.raises(UsageFault, match="cannot be read"):
        load_list(path)


def shown(
    recommenders: Recommenders, over: Catalog, *items: str, user: str | None = None
) -> list[str]:
    found = recommenders.find("mine")
    assert found is not None
    return names(over, found.rank(query(over, items, user=user)).primary)


def test_a_model_ranks_by_a_list(tmp_path: Path) -> None:
    """Without the input items, within the context; the list stays when the catalog or what was learned changes."""
    over = catalog(*"abcd")
    models = {"mine": Model(Listed("similar"))}
    bare = Recommenders.of(over, models=models)
    listing = bare.with_lists({"similar": written(tmp_path, SIMILAR)})

    assert shown(bare, over, "a") == []
    assert shown(listing, over, "a") == ["b", "c", "d"]
    assert shown(listing, over, "a", "b") == ["d", "c"]
    assert shown(listing, over) == []
    after = over.changed({thing("c").identity: None, thing("gone").identity: thing("gone")})
    assert shown(listing.with_catalog(after), after, "a") == ["b", "gone", "d"]
    learned = listing.with_artifact(over, listing.artifact)
    assert shown(learned, over, "a") == ["b", "c", "d"]
    assert listing.with_lists({}).lists == {}
    assert listing.wanted_lists == {"similar": {}}


def test_a_list_of_users_ranks_for_them(tmp_path: Path) -> None:
    """By the digest of their id."""
    over = catalog(*"abcd")
    listed = written(tmp_path, {"682": [("d", 1.0), ("a", 0.5)]}, "users")
    recommenders = Recommenders.of(over, models={"mine": Model(Listed("users"))}).with_lists(
        {"users": listed}
    )

    assert listed.of(user_digest("682")) is not None
    assert shown(recommenders, over, user="682") == ["d", "a"]
    assert shown(recommenders, over, user="7") == []
    assert shown(recommenders, over, "a") == []

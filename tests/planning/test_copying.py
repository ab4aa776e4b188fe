"""
From one tracker to another, whose items may be called something else.
"""

from pathlib import Path

import pytest

from endcap.domain import Filter, ItemId, TrackerId
from endcap.errors import FaultyRows, UsageFault
from endcap.planning.making import make_plan
from endcap.planning.plan import Action, Plan
from endcap.store.port import Store
from endcap.transfer.copying import Copying, IdentityMap, read_identities
from tests.planning.rules import apply, new_id, pin, put, rule, said
from tests.store.writes import committed, new_tracker, some_tracker


@pytest.fixture
def other(store: Store) -> TrackerId:
    there = some_tracker()
    committed(store, new_tracker(there))
    return there


def copying_plan(store: Store, other: TrackerId, copying: Copying) -> Plan:
    return make_plan(store, other, copying.entries(), new_id=new_id)


def table(folder: Path, text: str) -> Path:
    file = folder / "map.csv"
    file.write_text(text)
    return file


def test_copies_are_the_same_customizations(
    store: Store, tracker: TrackerId, other: TrackerId
) -> None:
    """Id, creator, time and notes; a second copy changes nothing, and a later one what has changed."""
    originals = put(store, tracker, rule(target_metadata={"note": "n"}), rule(tags=["x"]))
    copying = Copying(tracker, list(store.records(tracker, Filter())))

    apply(store, copying_plan(store, other, copying))

    copies = list(store.records(other, Filter()))
    assert [(each.id, each.creator, each.created_at) for each in copies] == [
        (each.id, each.creator, each.created_at) for each in originals
    ]
    assert said(store, other) == said(store, tracker)
    assert copying_plan(store, other, copying).is_empty


def test_a_filter_chooses(store: Store, tracker: TrackerId, other: TrackerId) -> None:
    """What it leaves out is not copied, and what is only there stays."""
    put(store, tracker, rule(tags=["x"]), rule(tags=["y"]))
    put(store, other, rule(tags=["z"]))

    made = copying_plan(
        store, other, Copying(tracker, list(store.records(tracker, Filter(tags=("x",)))))
    )
    apply(store, made)

    assert sorted(each["tags"] for each in said(store, other)) == [["x"], ["z"]]


def test_items_are_called_as_the_map_says(
    store: Store, tracker: TrackerId, other: TrackerId
) -> None:
    """In targets and pins, not in what a pin has no use for, and not in criteria."""
    criteria_pin = {
        "position": 2,
        "pin_type": "criteria",
        "pin_identity": "/p/1",
        "pin_criteria": {"sku": "/p/1"},
    }
    target = {"target_type": "item", "target_identity": "/p/1"}
    put(store, tracker, {**rule(), **target, "pin_definitions": [pin("/p/2"), criteria_pin]})
    identities: IdentityMap = {ItemId("/p/1"): ItemId("/c/1"), ItemId("/p/2"): ItemId("/c/2")}

    apply(
        store,
        copying_plan(
            store,
            other,
            Copying(tracker, list(store.records(tracker, Filter())), identities=identities),
        ),
    )

    (copy,) = said(store, other)
    assert copy["target_identity"] == "/c/1"
    assert copy["pin_definitions"] == [pin("/c/2"), criteria_pin]


def test_items_that_the_map_lacks_are_counted_and_refused(
    store: Store, tracker: TrackerId, other: TrackerId
) -> None:
    """Or kept as they are, where that is asked for."""
    two = [pin("/p/1"), pin("/p/9", 2), pin("/p/9", 3)]
    put(store, tracker, rule(pin_definitions=two), rule())
    identities: IdentityMap = {ItemId("/p/1"): ItemId("/c/1")}
    refusing = Copying(tracker, list(store.records(tracker, Filter())), identities=identities)
    keeping = Copying(
        tracker, list(store.records(tracker, Filter())), identities=identities, keep=True
    )

    refused, kept = (copying_plan(store, other, each) for each in (refusing, keeping))

    assert refused.refused[0].reasons == ("/p/9 is not in the map",)
    assert refused.count(Action.CREATE) == 1
    assert kept.count(Action.CREATE) == 2
    assert refusing.unmapped == keeping.unmapped == {ItemId("/p/9"): 2}
    with pytest.raises(UsageFault):
        apply(store, refused)
    apply(store, kept)
    assert said(store, other)[0]["pin_definitions"][1] == pin("/p/9", 2)


def test_a_map_is_a_table(tmp_path: Path) -> None:
    """Other columns may be there; a line that is there twice says the same."""
    path = table(tmp_path, "title;from;to\nStrap;/p/1;/c/1\nStrap;/p/1;/c/1\n")

    assert read_identities(path) == {"/p/1": "/c/1"}


def test_faulty_lines_of_a_map_are_named(tmp_path: Path) -> None:
    """All of them at once."""
    path = table(tmp_path, "from,to\n/p/1,/c/1\n/p/2,\n/p/1,/c/2\n/p/3\n")

    with pytest.raises(FaultyRows) as refused:
        read_identities(path)

    assert refused.value.faults == {
        3: "must say both from and to",
        4: "/p/1 is /c/1 in an earlier line",
        5: "has 1 cells, but there are 2 columns",
    }


def test_a_file_without_the_columns_is_no_map(tmp_path: Path) -> None:
    """The refusal says what is missing."""
    with pytest.raises(UsageFault, match="it lacks to"):
        read_identities(table(tmp_path, "from,other\n1,2\n"))

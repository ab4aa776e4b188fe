"""
Plans, made and applied, on either database.
"""

import msgspec
import pytest

from endcap.domain import CustomizationId, Filter, Micros, TrackerId
from endcap.errors import RefusedTogether, StalePlan, TrackerNotFound, UsageFault
from endcap.planning.plan import Action, Plan, is_plan, plan_json, read_plan, read_prune
from endcap.store.port import Store
from endcap.transfer.rules import id_of_name
from endcap.wire.catalog import read_objects
from endcap.wire.differences import Difference
from tests.planning.rules import (
    FORMATS,
    actions,
    apply,
    exported,
    pin,
    plan,
    plan_file,
    put,
    rule,
    said,
    workbook,
)
from tests.store.writes import NOON, SECOND, committed, delete, replace, thing
from tests.store.writes import put as put_objects

LATER = Micros(NOON + 60 * SECOND)
GIT = Filter(tags=("git",))


def test_a_plan_says_what_it_would_do(store: Store, tracker: TrackerId) -> None:
    """Made, changed and left alone, by name; what the files do not name stays."""
    apply(store, plan(store, tracker, rule("one"), rule("two"), rule("old")))

    made = plan(store, tracker, rule("two"), rule("one", tags=["x"]), rule("new"))

    assert actions(made) == [(Action.CHANGE, "one"), (Action.CREATE, "new")]
    assert (made.read, made.unchanged, made.revision) == (3, 1, 4)
    assert made.steps[0].subject == "basket, all"
    assert made.steps[0].where == "rules.json:1"
    assert made.steps[0].differences == (Difference("tags", "[]", '["x"]'),)
    assert len(said(store, tracker)) == 3


def test_nothing_is_written_before_it_is_applied(store: Store, tracker: TrackerId) -> None:
    """A plan spends no revision."""
    before = store.revisions()[tracker]

    plan(store, tracker, rule("one"))

    assert store.revisions()[tracker] == before


def test_applying_writes_what_was_planned(store: Store, tracker: TrackerId) -> None:
    """In one go; the history says who, and creators are those that are told."""
    done = apply(
        store, plan(store, tracker, rule("one"), rule("two", creator="bob", model="trends"))
    )

    records = list(store.records(tracker, Filter()))
    assert (done.created, done.changed, done.deleted, done.revision) == (2, 0, 0, 3)
    assert [each.id for each in records] == [id_of_name("one"), id_of_name("two")]
    assert [each.creator for each in records] == ["team", "bob"]
    assert [each.created_at for each in records] == [NOON - 1, NOON]
    assert {each.actor for each in store.history(tracker) if each.kind == "customization"} == {
        "ann"
    }


def test_names_are_the_same_customizations_in_every_tracker() -> None:
    """Published so: other programs may compute them."""
    assert id_of_name("basket-strings") == CustomizationId("854a35dc-9ede-512a-9c5a-1e947bbec174")


def test_what_was_made_elsewhere_keeps_its_id_and_time(store: Store, tracker: TrackerId) -> None:
    """The newer wins between equals, so those of one second stay in the order of the file."""
    id_ = "11111111-1111-4111-8111-11111111111A"
    moment = "2025-01-22T08:49:58Z"
    first = rule(id=id_, created_at=moment)

    apply(store, plan(store, tracker, first, rule("b", created_at=moment)))

    one, other = store.records(tracker, Filter())
    assert one.id == id_.lower()
    assert (other.id, other.created_at) == (id_of_name("b"), one.created_at + 1)


def test_pins_are_compared_one_by_one(store: Store, tracker: TrackerId) -> None:
    """A pin that comes in between does not change those behind it."""
    before = [pin("/p/1", 1), pin("/p/2", 2), pin("/p/3", 3)]
    after = [pin("/p/1", 1), pin("/p/9", 9), pin("/p/2", 2), pin("/p/3", 4)]
    apply(store, plan(store, tracker, rule("a", pin_definitions=before)))

    (step,) = plan(store, tracker, rule("a", pin_definitions=after)).steps

    assert step.differences == (
        Difference(
            "pin_definitions[1]", None, '{"position":9,"pin_type":"item","pin_identity":"/p/9"}'
        ),
        Difference("pin_definitions[2].position", "3", "4"),
    )


def test_spelling_is_no_change(store: Store, tracker: TrackerId) -> None:
    """Neither space, nor the order of keys, nor what a pin has no use for."""
    target = {"target_type": "criteria", "target_criteria": {"a": "x", "b": "y"}}
    put(store, tracker, {**rule(pin_definitions=[pin("/p/1", pin_criteria=None)]), **target})
    (record,) = store.records(tracker, Filter())
    wanted = rule(
        id=record.id,
        pin_definitions=[
            {"pin_identity": "/p/1", "pin_criteria": {"c": 1}, "pin_type": "item", "position": 1}
        ],
    )
    wanted |= {"target_type": "criteria", "target_criteria": {"b": "y", "a": "x"}}

    assert plan(store, tracker, wanted).is_empty


def test_a_rule_without_a_name_is_known_by_what_it_says(store: Store, tracker: TrackerId) -> None:
    """As often as it is there; another one comes as a new one, and the plan warns of that."""
    put(store, tracker, rule(), rule())

    same = plan(store, tracker, rule(), rule())
    more = plan(store, tracker, rule(), rule(), rule(), rule(tags=["x"]))
    apply(store, more)

    assert (same.is_empty, same.unchanged) == (True, 2)
    assert actions(more) == [(Action.CREATE, None)] * 2
    assert any("neither id nor name" in note for note in more.notes)
    assert len(said(store, tracker)) == 4
    assert plan(store, tracker, rule(), rule(), rule(), rule(tags=["x"])).is_empty


def test_nothing_is_deleted_unless_asked(store: Store, tracker: TrackerId) -> None:
    """And then only inside the scope."""
    put(store, tracker, rule(tags=["git"]), rule(tags=["console"]))
    apply(store, plan(store, tracker, rule("kept", tags=["git"])))

    without = plan(store, tracker, rule("kept", tags=["git"]))
    within = plan(store, tracker, rule("kept", tags=["git"]), prune=GIT)
    apply(store, within)

    assert without.is_empty
    assert actions(within) == [(Action.DELETE, None)]
    assert sorted(each["tags"] for each in said(store, tracker)) == [["console"], ["git"]]


def test_a_rule_outside_of_the_scope_is_told(store: Store, tracker: TrackerId) -> None:
    """It is stored, and would stay when it leaves the files."""
    made = plan(store, tracker, rule("a"), prune=GIT)

    assert len(made.steps) == 1
    assert any("outside of the scope for deleting" in note for note in made.notes)


def test_files_without_a_rule_do_not_empty_a_scope(store: Store, tracker: TrackerId) -> None:
    """A wrong folder looks just so."""
    put(store, tracker, rule(tags=["git"]))

    with pytest.raises(UsageFault, match="--allow-empty"):
        plan(store, tracker, prune=GIT)

    meant = plan(store, tracker, prune=GIT, allow_empty=True)
    assert meant.count(Action.DELETE) == 1


def test_what_is_refused_is_not_deleted(store: Store, tracker: TrackerId) -> None:
    """The files want it, though they spell it wrong."""
    apply(store, plan(store, tracker, rule("a", tags=["git"])))

    made = plan(store, tracker, rule("a", tags=["git"], model=""), prune=GIT)

    assert made.steps == ()
    assert made.refused[0].reasons == ("model: Must be a non-empty text",)


@pytest.mark.parametrize(
    ("texts", "scope"),
    [
        ([], None),
        (["all"], Filter()),
        (["tag=a", "tag=b=c", "model=m"], Filter(models=("m",), tags=("a", "b=c"))),
    ],
)
def test_a_scope_is_read(texts: list[str], scope: Filter | None) -> None:
    """One of its tags, and one of its models."""
    assert read_prune(texts) == scope


@pytest.mark.parametrize("texts", [["tag="], ["git"], ["name=x"], ["all", "tag=x"]])
def test_a_scope_that_is_none_is_refused(texts: list[str]) -> None:
    """Rather than taken for everything."""
    with pytest.raises(UsageFault):
        read_prune(texts)


def test_two_rules_of_one_name_are_refused(store: Store, tracker: TrackerId) -> None:
    """With the place of the other."""
    made = plan(store, tracker, rule("a"), rule("b"), rule("a", tags=["x"]))

    (refusal,) = made.refused
    assert refusal.reasons == ("is the same customization as rules.json:1",)
    assert refusal.name == "a"


def test_what_the_server_does_not_take_is_refused(store: Store, tracker: TrackerId) -> None:
    """For example a recommender that it does not know."""
    made = plan(
        store, tracker, rule("a"), objection=lambda each: f"Unknown recommender: {each.model}"
    )

    assert made.refused[0].reasons == ("Unknown recommender: basket",)


def test_a_plan_is_a_file(store: Store, tracker: TrackerId) -> None:
    """Read again it is the same, and applied it does the same."""
    apply(store, plan(store, tracker, rule("a", tags=["git"]), rule("b", tags=["git"])))
    made = plan(store, tracker, rule("a"), rule("c"), prune=GIT)

    kept = plan_json(made)
    done = apply(store, read_plan(kept), LATER)

    assert is_plan(kept)
    assert is_plan(msgspec.json.format(kept))
    assert msgspec.json.encode(read_plan(kept)) == msgspec.json.encode(made)
    assert (done.created, done.changed, done.deleted) == (1, 1, 1)
    assert plan(store, tracker, rule("a"), rule("c"), prune=GIT).is_empty


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"endcap_plan":2}', b'{"endcap_plan":1,"tracker":"x"}']
)
def test_a_file_that_is_no_plan_is_refused(content: bytes) -> None:
    """Not applied in part."""
    with pytest.raises(UsageFault):
        read_plan(content)


def test_a_plan_that_a_hand_has_spoilt_stores_nothing(store: Store, tracker: TrackerId) -> None:
    """Its bodies are read as any body is."""
    kept = plan_json(plan(store, tracker, rule("a"), rule("b")))

    with pytest.raises(UsageFault, match="Step 2"):
        apply(store, read_plan(kept[::-1].replace(b'"position"'[::-1], b'"pos"'[::-1], 1)[::-1]))

    assert said(store, tracker) == []


def stale_plans(store: Store, tracker: TrackerId) -> dict[str, Plan]:
    """A plan of each kind, which a neighbour's write then overtakes."""
    apply(store, plan(store, tracker, rule("a", tags=["git"]), rule("b", tags=["git"])))
    return {
        "change": plan(store, tracker, rule("new"), rule("a", tags=["x"])),
        "delete": plan(store, tracker, rule("new"), rule("b", tags=["git"]), prune=GIT),
        "create": plan(store, tracker, rule("new")),
    }


@pytest.mark.parametrize("kind", ["change", "delete"])
@pytest.mark.parametrize("is_gone", [True, False])
def test_a_stale_plan_is_refused_whole(
    store: Store, tracker: TrackerId, kind: str, is_gone: bool
) -> None:
    """What it would change, or delete, was changed or deleted since; nothing of it is done."""
    stale = stale_plans(store, tracker)[kind]
    id_ = id_of_name("a")
    committed(store, delete(tracker, id_) if is_gone else replace(tracker, id_))
    before = store.revisions()[tracker]

    with pytest.raises(StalePlan) as refused:
        apply(store, stale)

    assert list(refused.value.details) == [id_]
    assert store.revisions()[tracker] == before
    assert store.customization(tracker, id_of_name("new")) is None


def test_a_plan_is_applied_once(store: Store, tracker: TrackerId) -> None:
    """What it would make is there by then, also where it has no name."""
    for made in (stale_plans(store, tracker)["create"], plan(store, tracker, rule(tags=["y"]))):
        apply(store, made)

        with pytest.raises(StalePlan):
            apply(store, made)


def test_other_writes_do_not_make_a_plan_stale(store: Store, tracker: TrackerId) -> None:
    """Catalogs change all the time, and so may customizations that the plan leaves alone."""
    made = stale_plans(store, tracker)["change"]
    committed(store, put_objects(tracker, thing("/p/1")), replace(tracker, id_of_name("b")))

    assert apply(store, made).changed == 1


def test_what_was_switched_off_stays_so(store: Store, tracker: TrackerId) -> None:
    """Where the file does not speak of it, with a name and without; else the file is right."""
    apply(store, plan(store, tracker, rule("a", disabled=True)))
    put(store, tracker, rule(tags=["x"], disabled=True))

    silent = plan(store, tracker, rule("a"), rule(tags=["x"]))
    other = plan(store, tracker, rule("a", tags=["y"]))
    on = plan(store, tracker, rule("a", disabled=False))
    apply(store, other)

    assert (silent.is_empty, silent.unchanged) == (True, 2)
    assert on.steps[0].differences == (Difference("disabled", "true", None),)
    assert sorted(each.tags for each in store.records(tracker, Filter())) == [("x",), ("y",)]
    assert all(each.disabled for each in store.records(tracker, Filter()))


def test_any_failure_of_the_store_leaves_nothing(store: Store, tracker: TrackerId) -> None:
    """The store's word on all or none is the plan's."""
    with pytest.raises(RefusedTogether):
        store.commit_together([delete(tracker, id_of_name("a"))])

    assert plan(store, tracker).is_empty


def test_a_plan_for_nobody_is_refused(store: Store) -> None:
    """The tracker must be there."""
    with pytest.raises(TrackerNotFound):
        plan(store, TrackerId("nowhere"), rule("a"))


def test_titles_from_the_catalog_are_no_change(store: Store, tracker: TrackerId) -> None:
    """An answer of the API shows them where nobody sent any. What the catalog does not say is a change."""
    listed = {"identity": "/p/1", "type": "item", "fields": {"title": "Strap", "image_link": "i"}}
    batch = read_objects(msgspec.json.encode({"objects": [listed]}))
    committed(store, put_objects(tracker, *batch.objects.values()))
    target = {"target_type": "item", "target_identity": "/p/1"}
    (one,) = put(store, tracker, rule(**{**rule(), **target}))

    def answered(metadata: dict[str, str]) -> Plan:
        shown = {**rule(), **target, "target_metadata": metadata, "id": one.id, "available": True}
        return plan(store, tracker, shown)

    assert answered({"title": "Strap", "image_link": "i"}).unchanged == 1
    assert answered({"title": "Belt"}).count(Action.CHANGE) == 1
    assert answered({"title": "Strap", "note": "n"}).count(Action.CHANGE) == 1


def test_items_that_the_catalog_lacks_are_told(store: Store, tracker: TrackerId) -> None:
    """They are allowed, for a catalog may come later, and most often are a slip."""
    committed(store, put_objects(tracker, thing("/p/1")))

    made = plan(store, tracker, rule("a", pin_definitions=[pin("/p/1"), pin("/p/2")]))

    assert made.notes == ("rules.json:1: /p/2 is not in the catalog",)
    assert len(made.steps) == 1


def test_a_table_leaves_what_it_has_no_column_for(store: Store, tracker: TrackerId) -> None:
    """Tags and notes of what it changes stay; an empty cell of a column takes them away."""
    (one,) = put(store, tracker, rule(tags=["x"], target_metadata={"note": "n"}))
    row = f"{one.id},basket,all,2,item,/p/1"
    columns = "id,model,target_type,position,pin_type,pin_identity"

    narrow = plan_file(store, tracker, f"{columns}\n{row}\n".encode(), "csv")
    wide = plan_file(store, tracker, f"{columns},tags\n{row},\n".encode(), "csv")

    assert [each.field for each in narrow.steps[0].differences] == ["pin_definitions[0].position"]
    assert [each.field for each in wide.steps[0].differences] == [
        "tags",
        "pin_definitions[0].position",
    ]
    apply(store, narrow)
    assert said(store, tracker)[0]["target_metadata"] == {"note": "n"}
    assert plan_file(store, tracker, f"{columns}\n{row}\n".encode(), "csv").is_empty


def test_a_spreadsheet_of_a_merchandiser(store: Store, tracker: TrackerId) -> None:
    """Numbers, booleans and dates are cells of their kinds there."""
    from datetime import datetime

    sheet = workbook(
        ["name", "model", "target_type", "position", "pin_type", "pin_identity", "is_block_pin"],
        ["a", "basket", "all", 1, "item", 123, None],
        ["a", None, None, 0.0, "item", "/p/2", True],
    )
    dated = workbook(
        ["name", "model", "target_type", "position", "pin_type", "pin_identity", "active_from"],
        ["a", "basket", "all", 1, "item", "/p/1", datetime(2025, 1, 2, 3, 4)],  # noqa: DTZ001 - as sheets have them
    )

    apply(store, plan_file(store, tracker, sheet, "xlsx"))
    (body,) = said(store, tracker)
    apply(store, plan_file(store, tracker, dated, "xlsx"))

    assert body["pin_definitions"] == [
        pin("123"),
        {"position": 0, "pin_type": "item", "pin_identity": "/p/2", "is_block_pin": True},
    ]
    (body,) = said(store, tracker)
    assert body["pin_definitions"] == [pin("/p/1", active_from="2025-01-02T03:04:00")]


def test_an_export_says_no_more_than_was_sent(store: Store, tracker: TrackerId) -> None:
    """Titles of the catalog are not taken into the files, where they would grow old."""
    committed(store, put_objects(tracker, thing("/p/1", b'{"fields":{"title":"Strap"}}')))
    put(store, tracker, {**rule(), "target_type": "item", "target_identity": "/p/1"})

    assert not any(b"Strap" in exported(store, tracker, each) for each in FORMATS[:4])


def test_progress_is_told_to_the_end(store: Store, tracker: TrackerId) -> None:
    """Of comparing and of looking up items."""
    put(store, tracker, rule(), rule())
    told: list[tuple[str, int, int]] = []

    plan(store, tracker, rule("a"), progress=lambda *step: told.append(step))

    assert ("comparing", 2, 2) in told
    assert ("looking up items", 1, 1) in told

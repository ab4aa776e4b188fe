"""
The client and the server it is for, together: every verb, and every way to be refused.
"""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from endcap import errors
from endcap.client import (
    Client,
    Definition,
    Pin,
    PlacementRequest,
    RecommendationRequest,
    Summary,
    UpdateProgress,
)
from endcap.domain import Micros
from endcap.errors import FaultyFields, FaultyRows
from tests.client.conftest import Connect
from tests.client.world import Awaiting, InProcess

NOWHERE = "00000000-0000-4000-8000-000000000000"
BASKET = Definition(
    model="basket",
    target_type="item",
    target_identity="/p/123",
    tags=("spring", "sale & more"),
    pin_definitions=(
        Pin(
            position=1,
            pin_type="item",
            pin_identity="/p/555",
            active_from="2025-02-01T00:00:00Z",
        ),
        Pin(position=-1, pin_type="criteria", pin_criteria={"brand": "Fender"}),
    ),
)
HOME = Definition(model="home", target_type="all", pin_definitions=())


def item(identity: str, **fields: Any) -> dict[str, Any]:
    return {"identity": identity, "type": "item", "fields": {"title": identity, **fields}}


def test_a_customization_lives(client: Client) -> None:
    """Created, read, replaced, read again, deleted, gone."""
    made = client.create(BASKET)
    read = client.get(made.id)

    assert read == made
    assert read.creator == "api"
    assert read.available is False  # its target is not in the catalog
    assert (read.tags, read.pin_definitions) == (BASKET.tags, BASKET.pin_definitions)

    etag = client.replace(made.id, replace(read, tags=("autumn",)))
    changed = client.get(made.id)

    assert changed.etag == etag != made.etag
    assert changed.tags == ("autumn",)
    assert (changed.id, changed.created_at, changed.creator) == (made.id, made.created_at, "api")

    client.delete(made.id)

    with pytest.raises(errors.CustomizationNotFound):
        client.get(made.id)
    with pytest.raises(errors.CustomizationNotFound):
        client.delete(made.id)
    with pytest.raises(errors.CustomizationNotFound):
        client.replace(made.id, BASKET)


def test_what_has_not_changed_is_not_sent(client: Client) -> None:
    """None for the etag that is current, the customization for any other."""
    made = client.create(BASKET)
    assert made.etag is not None

    assert client.get_if_changed(made.id, made.etag) is None
    client.replace(made.id, HOME)
    changed = client.get_if_changed(made.id, made.etag)

    assert changed is not None
    assert changed.model == "home"


def test_two_editors_do_not_overwrite_each_other(client: Client) -> None:
    """The second, whose etag is old, is refused; with the new one the change is taken."""
    made = client.create(BASKET)
    etag = client.replace(made.id, HOME, if_match=made.etag)

    with pytest.raises(errors.RevisionConflict):
        client.replace(made.id, BASKET, if_match=made.etag)
    with pytest.raises(errors.RevisionConflict):
        client.delete(made.id, if_match=made.etag)
    assert client.get(made.id).model == "home"

    client.delete(made.id, if_match=etag)


def test_a_creation_with_a_key_may_be_repeated(client: Client) -> None:
    """The same again returns the first; another body under the key is refused."""
    first = client.create(BASKET, idempotency_key="order 7")
    again = client.create(BASKET, idempotency_key="order 7")

    assert again == first
    assert client.list().total == 1
    with pytest.raises(errors.IdempotencyConflict):
        client.create(HOME, idempotency_key="order 7")


def test_lists_are_filtered_sorted_and_cut(client: Client) -> None:
    """Every parameter of a list does its work."""
    made = [
        client.create(replace(BASKET, model=model, target_identity=identity, tags=(tag,)))
        for model, identity, tag in [
            ("basket", "/p/1", "spring"),
            ("basket", "/p/2", "autumn"),
            ("home", "/p/3", "a,b & c?"),
        ]
    ]
    ids = [each.id for each in made]

    def found(**parameters: Any) -> list[int]:
        return [ids.index(each.id) for each in client.list(**parameters).results]

    assert sorted(found()) == [0, 1, 2]
    assert sorted(found(model="basket")) == [0, 1]
    assert sorted(found(model=["basket", "home"])) == [0, 1, 2]
    assert found(tag="a,b & c?") == [2]
    assert found(target_identity=["/p/2", "/p/9"]) == [1]
    assert found(target_type="all") == []
    assert found(model="basket", tag="autumn") == [1]
    assert found(sort="target_identity:desc") == [2, 1, 0]
    assert found(sort=["model:desc", "target_identity:asc"]) == [2, 0, 1]
    assert found(sort="target_identity", limit=1, offset=1) == [1]
    assert found(criteria=[{"field": "tags", "operator": "=", "value": "spring"}]) == [0]
    assert client.list(limit=1).total == 3
    assert client.list(limit=0).results == ()


def test_list_all_and_export_find_everything(client: Client) -> None:
    """Page by page and in one stream: the same customizations, oldest first."""
    ids = [client.create(replace(HOME, tags=(f"t{n % 2}",))).id for n in range(7)]

    walked = list(client.list_all(page_size=3))
    exported = list(client.export())

    assert [each.id for each in walked] == [each.id for each in exported] == ids
    assert len(list(client.list_all(tag="t1", page_size=2))) == 3
    assert len(list(client.export(tag="t1"))) == 3
    assert list(client.list_all(model="none")) == list(client.export(model="none")) == []


def test_export_formats_agree(client: Client) -> None:
    """JSON, lines and CSV hold the same customizations; flags of the export are understood."""
    made = client.create(BASKET)
    client.create(HOME)

    array = json.loads(b"".join(client.export_as("json")))
    lines = b"".join(client.export_as("ndjson")).splitlines()
    table = b"".join(client.export_as("csv")).decode()

    assert [json.loads(line) for line in lines] == array
    assert array[0]["id"] == made.id
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [row["id"] for row in rows[:2]] == [made.id, made.id]  # one row a pin
    assert rows[0]["pin_identity"] == "/p/555"
    (kept, _) = client.export(remove_nonexisting_item_pins=True)
    assert kept.pin_definitions == BASKET.pin_definitions[1:]


def test_the_summary_counts(client: Client) -> None:
    """Customizations by recommender, and the tags in use."""
    assert client.summary() == Summary({}, ())

    client.create(BASKET)
    client.create(HOME)
    client.create(HOME)

    assert client.summary() == Summary({"basket": 1, "home": 2}, ("sale & more", "spring"))


def test_the_catalog_is_put_merged_and_removed(client: Client) -> None:
    """Each tells how many objects it stored."""
    objects = [item("/p/1", brand="Fender"), item("/p/2")]

    assert client.put_objects(objects) == 2
    assert client.patch_objects([{**objects[0], "fields": {"colour": "red"}}]) == 1
    assert shown(client, "/p/1")["colour"] == ["red"]
    assert shown(client, "/p/1")["brand"] == ["Fender"]
    assert client.delete_objects(objects) == 2
    assert hits(client) == []


def test_a_generation_is_committed(client: Client) -> None:
    """What is of another one goes; an empty one is refused."""
    client.put_objects([item("/p/1"), {**item("/p/2"), "generation": "2"}])

    assert client.commit_generation("item", "2") == 1
    assert client.commit_generation("item", "2") == 0
    assert hits(client) == ["/p/2"]
    with pytest.raises(errors.CatalogFaults) as refused:
        client.commit_generation("item", "3")
    assert refused.value.faults["generation"].kind == "not_found"


def test_objects_are_updated_by_query(client: Client) -> None:
    """The number of the job is good for asking how it goes on."""
    client.put_objects([item("/p/1", colour="olive"), item("/p/2", colour=["olive", "red"])])

    job = client.update_by_query("item", {"colour": "olive"}, {"colour": "green"})
    while not (told := client.update_progress(job)).is_over:
        pass

    assert told == UpdateProgress("complete", 2, 0, {}, 2)
    with pytest.raises(errors.JobNotFound):
        client.update_progress(job + 1)
    with pytest.raises(errors.CatalogFaults):
        client.update_by_query("item", {}, {"availability": "no"})


def test_a_partial_failure_names_the_faulty(client: Client) -> None:
    """What was sound is stored; of the rest the problem says which and why."""
    with pytest.raises(errors.CatalogFaults) as put:
        client.put_objects([item("/p/1"), {"identity": "/p/2", "type": "item", "fields": {}}])
    with pytest.raises(errors.CatalogFaults) as patched:
        client.patch_objects([item("/p/9")])

    assert put.value.ok_count == 1
    assert put.value.faults["/p/2"].details == {"title": ["must be filled"]}
    assert patched.value.faults["/p/9"].kind == "not_found"
    assert hits(client) == ["/p/1"]


def test_a_pin_shows_and_is_explained(client: Client) -> None:
    """What was pinned through the client stands where it was pinned, and the explanation says so."""
    client.put_objects([item(f"/p/{number}") for number in range(5)])
    made = client.create(
        Definition(
            model="test_reco",
            target_type="all",
            pin_definitions=(Pin(position=2, pin_type="item", pin_identity="/p/4"),),
        )
    )
    wish = RecommendationRequest(
        recommendation_type="test_reco", recommender_client_identifier="home", size=3
    )

    (plain,) = client.recommend([wish])
    (explained,) = client.recommend([wish], explain=True)

    assert [hit.url for hit in plain.hits] == [hit.url for hit in explained.hits]
    assert plain.hits[1].url == "/p/4"
    assert len(plain.hits) == 3
    assert plain.recommender_client_identifier == "home"
    assert plain.recommendation_id != explained.recommendation_id
    assert plain.explanation is None
    assert explained.explanation is not None
    (pin,) = explained.explanation.pins
    assert (pin.customization_id, pin.verdict, pin.item, pin.slot) == (
        made.id,
        "placed",
        "/p/4",
        2,
    )
    assert [each.from_ for each in explained.explanation.items][1] == "pin"


def test_a_ranking_is_placed_and_explained(client: Client) -> None:
    """Pins are laid over what the caller ranked; what the catalog lacks is told."""
    client.put_objects([item(f"/p/{number}") for number in range(5)])
    client.create(
        Definition(
            model="mine",
            target_type="all",
            pin_definitions=(Pin(position=2, pin_type="item", pin_identity="/p/4"),),
        )
    )
    wish = PlacementRequest(recommendation_type="mine", ranking=("/p/3", "/p/gone", "/p/1"))

    (placed,) = client.place([wish])
    (unexplained,) = client.place([wish], explain=False)

    assert [hit.url for hit in placed.hits] == ["/p/3", "/p/4", "/p/1"]
    assert placed.not_in_catalog == unexplained.not_in_catalog == ("/p/gone",)
    assert placed.explanation is not None
    assert [each.from_ for each in placed.explanation.items] == ["ranking", "pin", "ranking"]
    assert [each.place for each in placed.explanation.items] == [1, None, 3]
    assert unexplained.explanation is None
    assert unexplained.hits == placed.hits
    with pytest.raises(errors.FaultyFields, match="Invalid placement request"):
        client.place([{"model": "mine"}])


def test_every_faulty_field_is_told(client: Client) -> None:
    """A refused customization names all that is wrong with it, on this side too."""
    with pytest.raises(errors.FaultyPins, match="Invalid pin definition provided") as raised:
        client.create(
            {
                "model": "basket",
                "target_type": "shelf",
                "pin_definitions": [{"pin_type": "item", "pin_identity": "/p/5"}],
            }
        )

    assert raised.value.details["target_type"] == ["Must be one of: item, criteria, all"]
    assert raised.value.details["pin_definitions"][0].startswith("Missing required field: position")
    with pytest.raises(errors.FaultyFields, match="Invalid customization provided"):
        client.create({"target_type": "all", "pin_definitions": []})


def test_faulty_questions_are_told(client: Client) -> None:
    """Lists, exports, batches and recommendations that cannot be answered say why."""
    with pytest.raises(errors.FaultyFields, match="sort"):
        client.list(sort="price:asc")
    with pytest.raises(errors.FaultyFields, match="target_type"):
        list(client.export(target_type="shelf"))
    with pytest.raises(errors.FaultyFields, match="size"):
        client.recommend([{"recommendation_type": "test_reco", "size": -1}])
    with pytest.raises(errors.RecommenderNotFound):
        client.recommend([{"recommendation_type": "nobody knows"}])
    with pytest.raises(errors.BodyTooLarge):
        client.patch_objects([item(f"/p/{number}") for number in range(301)])


def test_a_wrong_key_is_told_apart_from_a_wrong_clock(connect: Connect) -> None:
    """The first shows the text that the server signed, the second how far the clock is off."""
    right = connect()
    wrong = connect(key="not the key")

    with pytest.raises(errors.Unauthenticated, match="The server signed this text"):
        wrong.summary()
    with pytest.raises(errors.Unauthenticated, match="The server signed this text"):
        list(wrong.export())
    with pytest.raises(errors.Unauthenticated, match="The server signed this text"):
        wrong.recommend([{"recommendation_type": "test_reco"}], explain=True)
    with pytest.raises(errors.Unauthenticated, match="The clock is off"):
        connect(clock=lambda: Micros(0)).get(NOWHERE)
    assert right.summary() == Summary({}, ())
    assert wrong.recommend([{"recommendation_type": "test_reco"}])[0].hits == ()  # it is public


def test_an_unknown_tracker_is_told(connect: Connect) -> None:
    """By path it is not found; where only the signature names it, it cannot sign."""
    stranger = connect("9999-9999")

    with pytest.raises(errors.TrackerNotFound):
        stranger.summary()
    with pytest.raises(errors.Unauthenticated):
        stranger.put_objects([])


def test_events_are_told(client: Client) -> None:
    """With an id and a tracker of the client's making, or of one's own; faults are named."""
    view = {"type": "pv", "client_id": 7, "url": "/p/1"}

    made, own = client.send_event(view), client.send_event({**view, "id": "own"})

    assert len(made) == 36
    assert own == client.send_event({**view, "id": "own"}) == "own"
    with pytest.raises(FaultyFields) as raised:
        client.send_event({"type": "pv", "client_id": 7})
    assert list(raised.value.details) == ["url"]


@pytest.mark.parametrize("as_file", [True, False])
def test_past_transactions_are_uploaded(client: Client, tmp_path: Path, as_file: bool) -> None:
    """A file as it is sent, or what one has in hand."""
    lines = b"1,/p/1,ann,2025-01-05T10:00:00\n1,/p/2,ann,2025-01-05T10:00:00\n" * 5_000
    file = tmp_path / "orders.csv"
    file.write_bytes(lines)

    imported = client.import_transactions(file if as_file else lines)

    assert (imported.lines, imported.orders, imported.items) == (10_000, 1, 2)
    assert imported.repeated == 9_998


def test_faulty_transactions_are_told(client: Client) -> None:
    """Ten lines by number, how many there are, and nothing is stored."""
    lines = b"1,/p/1,ann,2025-01-05T10:00:00\n" + b"1,/p/1,ann,2025-01-05T10:00:00Z\n" * 12

    with pytest.raises(FaultyRows) as raised:
        client.import_transactions(lines)

    assert sorted(raised.value.faults) == list(range(2, 12))
    assert raised.value.total == 12
    assert "no zone" in raised.value.faults[2]


def test_the_server_is_well(client: Client) -> None:
    """Health and readiness, without a signature."""
    assert client.health() is True
    assert client.ready() is True


@pytest.fixture
def throttled(tmp_path: Path) -> Iterator[InProcess]:
    """A server that lets a tracker ask once a second."""
    application = InProcess(tmp_path, throttle_tracker_per_second=1)
    application.create_tracker("busy")
    yield application
    application.stop()


def test_a_throttled_client_waits_if_told_to(throttled: InProcess) -> None:
    """Without retries it is told when to come back; with some it comes back itself."""
    hasty = Awaiting(throttled.client("busy"))
    patient = Awaiting(throttled.client("busy", retries=3))

    with closing(hasty), closing(patient):
        hasty.summary()
        with pytest.raises(errors.TooManyRequests) as raised:
            hasty.summary()
        found = patient.summary()

    assert raised.value.retry_after_seconds >= 1
    assert found == Summary({}, ())


def hits(client: Client) -> list[str]:
    (answer,) = client.recommend([RecommendationRequest(recommendation_type="test_reco")])
    return [hit.url for hit in answer.hits]


def shown(client: Client, identity: str) -> dict[str, Any]:
    """The attributes that a shopper is shown of an object."""
    (answer,) = client.recommend([RecommendationRequest(recommendation_type="test_reco")])
    return next(hit.attributes for hit in answer.hits if hit.url == identity)


def test_a_model_is_set_and_unset(client: Client) -> None:
    """What a name means is read, changed, guarded by its tag, and the reference's again."""
    reference = client.model("basket")
    assert (reference.origin, reference.etag) == ("reference", '"0"')

    made = client.put_model("basket", {"strategy": "popular"}, if_match=reference.etag)

    assert made.origin == "own"
    assert made.model["strategy"] == {"kind": "popular", "span": "decayed"}
    assert client.model("basket") == made
    with pytest.raises(errors.RevisionConflict):
        client.put_model("basket", "newest", if_match=reference.etag)
    client.put_model("my own", "newest")
    own = {each.name for each in client.models() if each.origin == "own"}
    assert own == {"basket", "my own"}
    client.delete_model("my own")
    client.delete_model("basket", if_match=made.etag)
    assert client.model("basket") == reference
    with pytest.raises(errors.RecommenderNotFound):
        client.model("my own")


def test_a_model_that_cannot_be_is_refused(client: Client) -> None:
    """With every fault by its path."""
    with pytest.raises(errors.FaultyFields) as refused:
        client.put_model("basket", {"strategy": {"kind": "newest", "half_life_days": -1}})

    assert refused.value.details == {
        "strategy.half_life_days": ["Must be a number from 0.1 to 3650"]
    }


def test_the_whole_catalog_is_exported(client: Client) -> None:
    """Page by page, each object once, whatever the size of the pages."""
    objects = [item(f"/p/{n}", brand="Fender", price="9,90 €") for n in range(7)]
    client.put_objects([*objects, {**item("/b/1"), "type": "brand"}])

    found = list(client.export_catalog(size=3))

    assert sorted(each.url for each in found) == ["/b/1", *(f"/p/{n}" for n in range(7))]
    (one,) = [each for each in found if each.url == "/p/4"]
    assert (one.type, one.exact, one.nested) == ("item", True, ())
    assert one.attributes == {
        "title": "/p/4",
        "brand": ["Fender"],
        "price": "9,90 €",
        "price_amount": 9.9,
    }


def test_some_of_the_catalog_is_exported(client: Client) -> None:
    """Types and attributes as a list, or as a text with commas between."""
    types = ["item", "brand", "category"]
    client.put_objects([{**item(f"/{n}", color="red"), "type": types[n % 3]} for n in range(6)])

    listed = client.export_catalog(
        requested_types=["brand", "category"], hit_fields=["color"], size=1
    )
    spelled = client.export_catalog(requested_types="brand,category", hit_fields="color")

    found = list(listed)
    assert [each.url for each in found] == ["/1", "/2", "/4", "/5"]
    assert [each.attributes for each in found] == [{"color": ["red"]}] * 4
    assert found == list(spelled)


def test_an_export_goes_on_behind_a_page(client: Client) -> None:
    """With nothing but the link, which may have been kept meanwhile; one that is none is refused."""
    client.put_objects([item(f"/{n}") for n in range(3)])

    first = client.export_page(size=2)
    assert first.next_link is not None
    second = client.export_page(link=first.next_link)

    assert (first.total, second.total) == (3, 3)
    assert [each.url for each in first.results + second.results] == ["/0", "/1", "/2"]
    assert second.next_link is None
    with pytest.raises(errors.FaultyFields, match="begin again without a cursor"):
        client.export_page(link=first.next_link[:-4])

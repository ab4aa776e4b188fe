"""
What the client would send: the pure part, with the server's own readers as the oracle.
"""

import json
from typing import Any, get_args
from urllib.parse import parse_qsl, unquote

import httpx2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.client import (
    Customization,
    Definition,
    Pin,
    PlacementRequest,
    Ranked,
    RecommendationRequest,
)
from endcap.client import _catalog_calls as catalog_calls
from endcap.client import _customization_calls as customization_calls
from endcap.client import _ops_calls as ops_calls
from endcap.client import _past_calls as past_calls
from endcap.client import _recommending_calls as recommending_calls
from endcap.client._calls import Outgoing
from endcap.client._reading import decoded
from endcap.domain import CustomizationId, Filter, Micros, Record, Sort, SortColumn
from endcap.wire.customizations import customization_json, read_definition
from endcap.wire.listing import read_export, read_listing
from endcap.wire.placing import read_ranked_requests
from endcap.wire.recommending import read_requests

TRACKER = "1234-5678"
ID = "199620b4-df1a-46e8-ab59-9e9ed9af7106"
BASKET = Definition(
    model="basket",
    target_type="item",
    target_identity="/p/123",
    pin_definitions=(
        Pin(
            position=1,
            pin_type="item",
            pin_identity="/p/555",
            active_from="2025-02-01T00:00:00Z",
        ),
    ),
)

texts = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=50)
criteria = st.dictionaries(texts.filter(lambda key: key not in ("and", "or")), texts, min_size=1)
dates = st.sampled_from(["2025-02-01T00:00:00Z", "2025-02-01", "2025-02-01T10:00:00+02:00"])
flags = st.none() | st.booleans()


def pins() -> st.SearchStrategy[Pin]:
    common: dict[str, Any] = {
        "position": st.integers(-1, 1_000),
        "widget_id": st.none() | texts,
        "is_block_pin": flags,
        "is_bundle_pin": flags,
        "active_from": st.none() | dates,
        "active_to": st.none() | st.just("2030-01-01T00:00:00Z"),
    }
    return st.builds(Pin, pin_type=st.just("item"), pin_identity=texts, **common) | st.builds(
        Pin, pin_type=st.just("criteria"), pin_criteria=criteria, **common
    )


def definitions() -> st.SearchStrategy[Definition]:
    common: dict[str, Any] = {
        "model": texts,
        "target_metadata": st.none() | st.dictionaries(texts, texts | st.none()),
        "tags": st.lists(texts, unique=True, max_size=5).map(tuple),
        "disabled": st.none() | st.booleans(),
        "pin_definitions": st.lists(pins(), max_size=4).map(tuple),
    }
    return (
        st.builds(Definition, target_type=st.just("item"), target_identity=texts, **common)
        | st.builds(Definition, target_type=st.just("criteria"), target_criteria=criteria, **common)
        | st.builds(Definition, target_type=st.just("all"), **common)
    )


HTTP = httpx2.Client(
    base_url="https://live.luigisbox.com",
    transport=httpx2.MockTransport(lambda request: httpx2.Response(200)),
)


def url(outgoing: Outgoing) -> httpx2.URL:
    """The URL that the shells make of a call."""
    return HTTP.build_request(outgoing.method, outgoing.path, params=outgoing.query or None).url


@pytest.mark.parametrize(
    ("outgoing", "line"),
    [
        (customization_calls.create(TRACKER, BASKET), "POST /v1/recommender/pin/1234-5678/scope"),
        (customization_calls.get(TRACKER, ID), f"GET /v1/recommender/pin/1234-5678/scope/{ID}"),
        (
            customization_calls.get_if_changed(TRACKER, ID, '"1"'),
            f"GET /v1/recommender/pin/1234-5678/scope/{ID}",
        ),
        (
            customization_calls.replace(TRACKER, ID, BASKET),
            f"PUT /v1/recommender/pin/1234-5678/scope/{ID}",
        ),
        (
            customization_calls.delete(TRACKER, ID),
            f"DELETE /v1/recommender/pin/1234-5678/scope/{ID}",
        ),
        (customization_calls.list_page(TRACKER), "POST /v1/recommender/pin/1234-5678/scopes"),
        (
            customization_calls.list_page(
                TRACKER, model=["basket", "home"], tag="a&b", limit=10, offset=0
            ),
            "POST /v1/recommender/pin/1234-5678/scopes?model=basket&model=home&tag=a%26b&limit=10&offset=0",
        ),
        (customization_calls.export(TRACKER), "POST /v1/recommender/pin/1234-5678/scopes/export"),
        (
            customization_calls.export_as(TRACKER, "csv", model="basket", remove_expired_pins=True),
            "POST /v1/recommender/pin/1234-5678/scopes/export?model=basket&remove_expired_pins=true",
        ),
        (customization_calls.summary(TRACKER), "GET /v1/recommender/pin/1234-5678/summary"),
        (recommending_calls.recommend(TRACKER, []), "POST /v1/recommend?tracker_id=1234-5678"),
        (
            recommending_calls.recommend(TRACKER, [], explain=True),
            "POST /v1/recommend?tracker_id=1234-5678&explain=true",
        ),
        (catalog_calls.put_objects(TRACKER, []), "POST /v1/content"),
        (catalog_calls.patch_objects(TRACKER, []), "PATCH /v1/content"),
        (catalog_calls.delete_objects(TRACKER, []), "DELETE /v1/content"),
        (
            catalog_calls.commit_generation(TRACKER, "item", "7 & 8"),
            "POST /v1/content/commit?type=item&generation=7+%26+8",
        ),
        (catalog_calls.update_by_query(TRACKER, "item", {}, {}), "PATCH /v1/update_by_query"),
        (catalog_calls.update_progress(TRACKER, 12345), "GET /v1/update_by_query?job_id=12345"),
        (ops_calls.health(TRACKER), "GET /healthz"),
        (ops_calls.ready(TRACKER), "GET /readyz"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_verb_has_its_endpoint(outgoing: Outgoing, line: str) -> None:
    """Methods, paths and queries are those of the contract."""
    method, target = line.split(" ")

    assert (outgoing.method, url(outgoing).raw_path.decode()) == (method, target)


def test_what_is_public_is_not_signed() -> None:
    """Recommendations and health are for anyone; an explanation shows rules."""
    public: list[Outgoing] = [
        recommending_calls.recommend(TRACKER, []),
        ops_calls.health(TRACKER),
        ops_calls.ready(TRACKER),
    ]

    assert not any(call.signed for call in public)
    assert recommending_calls.recommend(TRACKER, [], explain=True).signed
    assert customization_calls.get(TRACKER, ID).signed


@given(tracker=st.text(min_size=1), id=st.text(min_size=1))
def test_any_id_stays_one_segment(tracker: str, id: str) -> None:
    """Slashes, dots, percent signs: what arrives is what was meant, and no other path."""
    path = url(customization_calls.get(tracker, id)).raw_path.decode()

    *_, arrived_tracker, scope, arrived_id = path.split("/")
    assert (unquote(arrived_tracker), scope, unquote(arrived_id)) == (tracker, "scope", id)


@given(tracker=st.text(min_size=1), id=st.text(min_size=1) | st.sampled_from([".", ".."]))
def test_restoring_a_version_never_restores_the_tracker(tracker: str, id: str) -> None:
    """As an id of two dots would, were it taken for a step up the path."""
    path = url(past_calls.restore_version(tracker, id, 1)).raw_path.decode()

    *_, arrived_tracker, kind, arrived_id, verb = path.split("/")
    assert (unquote(arrived_tracker), unquote(arrived_id)) == (tracker, id)
    assert (kind, verb) == ("customizations", "restore")


@given(
    model=st.lists(texts, max_size=3),
    tag=st.lists(texts, max_size=3),
    target_type=st.lists(st.sampled_from(["item", "criteria", "all"]), max_size=3),
    target_identity=st.lists(texts, max_size=3),
    sort=st.lists(st.sampled_from(get_args(SortColumn)), max_size=3),
    descending=st.booleans(),
    limit=st.integers(0, 1_000),
    offset=st.integers(0, 10**12),
)
def test_a_list_asks_what_was_meant(
    model: list[str],
    tag: list[str],
    target_type: list[str],
    target_identity: list[str],
    sort: list[SortColumn],
    descending: bool,
    limit: int,
    offset: int,
) -> None:
    """The server reads the very filter, order and page that the caller gave."""
    call = customization_calls.list_page(
        TRACKER,
        model=model,
        tag=tag,
        target_type=target_type,
        target_identity=target_identity,
        sort=[f"{column}:{'desc' if descending else 'asc'}" for column in sort],
        limit=limit,
        offset=offset,
    )

    listing = read_listing(parse_qsl(url(call).query.decode()), call.content or b"")

    assert listing.filter == Filter(
        tuple(model), tuple(tag), tuple(target_type), tuple(target_identity)
    )
    assert (listing.limit, listing.offset) == (limit, offset)
    if sort:
        assert listing.sort == tuple(Sort(column, descending) for column in sort)


def test_a_list_body_has_the_rules() -> None:
    """Rules over a customization's own attributes travel under `criteria`; without any the body is `{}`."""
    rules = [{"field": "creator", "operator": "=", "value": "api"}]

    assert json.loads(customization_calls.list_page(TRACKER, criteria=rules).content or b"") == {
        "criteria": rules
    }
    assert customization_calls.list_page(TRACKER).content == b"{}"


def test_an_export_asks_what_was_meant() -> None:
    """Filters and flags arrive, in any format, and the format is asked for by Accept."""
    csv = customization_calls.export_as(
        TRACKER,
        "csv",
        model="basket",
        tag="spring sale",
        target_type="item",
        target_identity="/p/1?a=b",
        remove_nonexisting_item_pins=True,
    )

    asked = read_export(parse_qsl(url(csv).query.decode()))

    assert asked.filter == Filter(("basket",), ("spring sale",), ("item",), ("/p/1?a=b",))
    assert (asked.remove_expired_pins, asked.remove_nonexisting_item_pins) == (False, True)
    assert csv.headers == (("Accept", "text/csv"),)


@given(definitions())
def test_a_definition_arrives_whole(definition: Definition) -> None:
    """The server reads every field as it was said, and keeps nothing that was not."""
    call = customization_calls.create(TRACKER, definition)

    read = read_definition(call.content or b"")

    kept = msgspec.json.decode(read.document)
    said = json.loads(msgspec.json.encode(definition))
    said = {name: value for name, value in said.items() if value is not None}
    assert said.pop("target_metadata", None) == (
        msgspec.json.decode(read.metadata) if read.metadata else None
    )
    assert said.pop("disabled", None) is read.disabled
    assert kept == said


@given(definitions())
def test_what_was_read_can_be_sent_back(definition: Definition) -> None:
    """From the server, into a Customization, and back: the same definition."""
    first = read_definition(customization_calls.create(TRACKER, definition).content or b"")
    given = customization_json(_record(first.document, first.metadata), available=True, shown=None)

    read = decoded(given, Customization)
    second = read_definition(customization_calls.replace(TRACKER, ID, read).content or b"")

    assert read.id == ID
    assert msgspec.json.decode(second.document) == msgspec.json.decode(first.document)
    assert second.metadata is None or first.metadata is not None
    if first.metadata is not None:
        assert second.metadata is not None
        assert msgspec.json.decode(second.metadata) == msgspec.json.decode(first.metadata)


def test_a_plain_dict_is_sent_as_it_is() -> None:
    """Keys that the client does not know travel too: the server decides."""
    definition = {"model": "basket", "target_type": "all", "pin_definitions": [], "season": "x"}

    call = customization_calls.create(TRACKER, definition)

    assert json.loads(call.content or b"") == definition


def test_conditions_and_keys_are_headers() -> None:
    """Each only where it was given."""
    assert customization_calls.create(TRACKER, BASKET, idempotency_key="k").headers == (
        ("Idempotency-Key", "k"),
    )
    assert customization_calls.replace(TRACKER, ID, BASKET, if_match='"7"').headers == (
        ("If-Match", '"7"'),
    )
    assert customization_calls.delete(TRACKER, ID, if_match='"7"').headers == (("If-Match", '"7"'),)
    assert customization_calls.get_if_changed(TRACKER, ID, '"7"').headers == (
        ("If-None-Match", '"7"'),
    )
    assert customization_calls.create(TRACKER, BASKET).headers == ()


def test_a_recommendation_request_arrives_whole() -> None:
    """The server reads every field of a typed request; fields that were not given are not sent."""
    typed = RecommendationRequest(
        recommendation_type="basket",
        recommender_client_identifier="basket-sidebar",
        user_id="682",
        item_ids=("/p/1", "/p/2"),
        blacklisted_item_ids=("/p/3",),
        size=5,
        recommendation_context={"brand": "Fender"},
        settings_override={"availability_field": "warehouse_2"},
        hit_fields=("title",),
        mark_fallback_results=True,
    )
    call = recommending_calls.recommend(TRACKER, [typed, {"recommendation_type": "home"}])

    first, second = read_requests(call.content or b"")

    assert (first.model, first.widget, first.user) == ("basket", "basket-sidebar", "682")
    assert first.items == ("/p/1", "/p/2")
    assert first.blacklist == {"/p/3"}
    assert (first.size, first.availability_field) == (5, "warehouse_2")
    assert first.hit_fields == frozenset({"title"})
    assert first.mark_fallback
    assert first.context is not None
    assert second.model == "home"
    bare = recommending_calls.recommend(
        TRACKER, [RecommendationRequest(recommendation_type="home")]
    )
    assert bare.content == b'[{"recommendation_type":"home"}]'


def test_a_placement_request_arrives_whole() -> None:
    """The server reads every field of a typed request; identities alone do, and so do scores."""
    typed = PlacementRequest(
        recommendation_type="mine",
        recommender_client_identifier="top",
        size=3,
        ranking=(Ranked("/p/1", 0.2), Ranked("/p/2", 0.9)),
        fill=True,
    )
    plain = PlacementRequest(recommendation_type="mine", ranking=("/p/1", Ranked("/p/2")))
    call = recommending_calls.place(TRACKER, [typed, plain, {"model": "mine", "ranking": []}])

    first, second, third = read_ranked_requests(call.content or b"")

    assert (call.method, call.path, call.signed) == ("POST", "/api/place", True)
    assert call.query == (("tracker_id", TRACKER),)
    assert (first.request.model, first.request.widget, first.request.size) == ("mine", "top", 3)
    assert (first.ranking, first.fill) == (("/p/2", "/p/1"), True)
    assert (second.ranking, second.fill) == (("/p/1", "/p/2"), False)
    assert third.ranking == ()
    unexplained = recommending_calls.place(TRACKER, [plain], explain=False)
    assert unexplained.query == (("tracker_id", TRACKER), ("explain", "false"))


def test_a_removal_sends_names_only() -> None:
    """Whole objects may be given; type and identity are enough to remove them."""
    objects: list[dict[str, Any]] = [
        {"type": "item", "identity": "/p/1", "fields": {"title": "Strat"}},
        {"type": "item", "url": "/p/2"},
    ]

    call = catalog_calls.delete_objects(TRACKER, objects)

    assert json.loads(call.content or b"") == {
        "objects": [{"type": "item", "identity": "/p/1"}, {"type": "item", "url": "/p/2"}]
    }


def _record(document: bytes, metadata: bytes | None) -> Record:
    return Record(
        CustomizationId(ID),
        "any",
        "all",
        None,
        (),
        document,
        metadata,
        "api",
        Micros(0),
        Micros(0),
        1,
    )

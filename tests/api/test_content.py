"""
The catalog: `POST`, `PATCH` and `DELETE /v1/content`.
"""

import json
import zlib
from pathlib import Path

import httpx2
import pytest

from endcap.domain import ItemId, TrackerId
from tests.api.driver import (
    CONTENT_TYPE,
    KEY,
    TRACKER,
    Json,
    Server,
    ToldClock,
    gzipped,
    item,
    problem,
)

CONTENT = "/v1/content"


def sent(server: Server, method: str, *objects: Json, status: int = 200) -> Json:
    """The answer to a batch, after the checks that hold for all."""
    answer = server.send(method, CONTENT, {"objects": objects})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == CONTENT_TYPE
    shape = answer.json()
    assert set(shape) == {"ok_count", "errors_count", "errors"}
    assert shape["errors_count"] == len(shape["errors"])
    return shape


def faults(answer: httpx2.Response) -> Json:
    """What was wrong with a batch in which nothing was stored."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == CONTENT_TYPE
    shape = answer.json()
    assert shape["ok_count"] == 0
    return shape["errors"]


def malformed(**caused_by: str) -> Json:
    return {
        "type": "malformed_input",
        "reason": "incorrect object format",
        "caused_by": {field: [message] for field, message in caused_by.items()},
    }


def attributes(server: Server, identity: str) -> Json:
    """What a hit shows of an item."""
    (answer,) = server.recommend({"recommendation_type": "test_reco", "size": 50})
    (found,) = (hit["attributes"] for hit in answer["hits"] if hit["url"] == identity)
    return found


# Storing


def test_objects_are_stored(empty: Server) -> None:
    """And can be recommended at once."""
    answer = empty.send(
        "POST", CONTENT, {"objects": [item("/p/1"), item("/p/2", availability=0), item("/p/3")]}
    )

    assert answer.status_code == 200
    assert answer.json() == {"ok_count": 3, "errors_count": 0, "errors": {}}
    assert int(answer.headers["endcap-revision"]) == empty.parts.service.shop("1234-5678").revision
    assert empty.shown() == ["/p/1", "/p/3"]


def test_an_object_is_replaced_whole(empty: Server) -> None:
    """A field that is left out is gone; of two with one identity the later wins."""
    empty.put_objects(item("/p/1", brand="Fender", color="red"))

    assert sent(empty, "POST", item("/p/1", brand="Ibanez"), item("/p/1", brand="Gibson")) == {
        "ok_count": 1,
        "errors_count": 0,
        "errors": {},
    }
    assert attributes(empty, "/p/1") == {"title": "/p/1", "brand": ["Gibson"]}


def test_url_is_an_older_spelling_of_identity(empty: Server) -> None:
    """Production clients still send it; where both are there, identity counts."""
    fields = {"title": "Strap"}

    sent(
        empty,
        "POST",
        {"url": "/p/1", "type": "item", "fields": fields},
        {"url": "/elsewhere", "identity": "/p/2", "type": "item", "fields": fields},
    )

    assert empty.shown() == ["/p/1", "/p/2"]


def test_only_items_are_recommended(empty: Server) -> None:
    """Categories, brands and articles are stored for what they say of items."""
    kinds = ["item", "product", "category", "brand", "article", "variant", "of my own"]

    sent(empty, "POST", *({**item(f"/{kind}"), "type": kind} for kind in kinds))

    assert empty.shown() == ["/item", "/product"]


def test_availability(empty: Server) -> None:
    """0 is not available, the rank 15 neither and it wins; missing is available."""
    sent(
        empty,
        "POST",
        item("/1", availability=1),
        item("/2", availability=0),
        item("/3"),
        item("/4", availability_rank=14, availability=0),
        item("/5", availability_rank=15, availability=1),
        item("/6", availability="0"),
        item("/7", availability=False),
    )

    assert set(empty.shown()) == {"/1", "/3", "/4"}


def test_an_item_has_its_own_window(empty: Server, clock: ToldClock) -> None:
    """`active_from` and `active_to` of the object."""
    sent(
        empty,
        "POST",
        {**item("/1"), "active_from": "2025-01-23T00:00:00Z"},
        {**item("/2"), "active_to": "2025-01-23T00:00:00Z"},
    )
    today = empty.shown()
    clock.tell("2025-01-23T00:00:00Z")

    assert today == ["/2"]
    assert empty.shown() == ["/1"]


def test_an_object_may_be_much_that_json_can_say(empty: Server) -> None:
    """Huge numbers, odd names, empty lists: stored, and shown as far as JSON goes."""
    odd = {
        "price": 10**400,
        "price_old": "9" * 400,
        "": 1,
        "a.b": [],
        "nested": [[1], [2, None]],
        "and": "or",
        "snow\u2603": "\U0001f3b8",
        "nul": "a\0b",
    }

    sent(empty, "POST", item("/1", **odd), item("/2"))

    assert set(empty.shown()) == {"/1", "/2"}
    assert empty.shown(recommendation_context={"snow\u2603": "\U0001f3b8"}) == ["/1"]
    assert attributes(empty, "/1")["price"] == 10**400
    assert attributes(empty, "/1")["nul"] == ["a\0b"]


# Kinds of fields


def mismatch(**caused_by: str) -> Json:
    return {
        "type": "data_schema_mismatch",
        "reason": "a field is of another type than its first value",
        "caused_by": {field: [message] for field, message in caused_by.items()},
    }


def test_the_first_value_says_what_a_field_is(empty: Server) -> None:
    """Whole and broken numbers are both numbers, a list is of its elements' type, null and nothing are of none."""
    sent(
        empty, "POST", item("/1", weight=5, color="red", fresh=True, size=None, until="2025-02-01")
    )

    answer = sent(
        empty,
        "POST",
        item("/2", weight=5.5, color=["red", "blue"], size=[1, 2], until=""),
        item("/3", weight="heavy", color=7),
        item("/4", weight=[], color=None, fresh=1, size="XL", until="soon"),
        item("/5", color="2025-02-01"),
        status=400,
    )

    assert answer["ok_count"] == 2
    assert answer["errors"] == {
        "/3": mismatch(
            weight="must be a number: the first value is, in /1",
            color="must be a text: the first value is, in /1",
        ),
        "/4": mismatch(
            fresh="must be true or false: the first value is, in /1",
            size="must be a number: the first value is, in /2",
            until="must be a date, e.g. 2025-01-22: the first value is, in /1",
        ),
    }
    assert set(empty.shown()) == {"/1", "/2", "/5"}


def test_a_clash_within_one_batch(empty: Server) -> None:
    """The order of the batch is the order of values; what is refused fixes nothing."""
    answer = sent(
        empty,
        "POST",
        item("/1", weight=5),
        item("/2", weight="5", depth="deep"),
        item("/3", depth=4),
        status=400,
    )

    assert answer["errors"] == {
        "/2": mismatch(weight="must be a number: the first value is, in /1")
    }


def test_a_patch_is_judged_by_what_it_says(empty: Server) -> None:
    """And what is refused leaves the object as it was."""
    sent(empty, "POST", item("/1", weight=5), item("/2"))

    answer = sent(
        empty,
        "PATCH",
        {"identity": "/1", "fields": {"weight": "heavy", "brand": "Fender"}},
        {"identity": "/2", "fields": {"weight": 7}},
        status=400,
    )

    assert answer["ok_count"] == 1
    assert answer["errors"] == {
        "/1": mismatch(weight="must be a number: the first value is, in /1")
    }
    assert attributes(empty, "/1") == {"title": "/1", "weight": 5}
    assert attributes(empty, "/2") == {"title": "/2", "weight": 7}


def test_fields_with_a_meaning_have_their_own_types(empty: Server) -> None:
    """Whatever came first: a price may be a text or a number; all that is wrong is told at once."""
    sent(
        empty, "POST", item("/1", price=12, price_eur="12 €", availability=1, availability_rank="3")
    )
    sent(
        empty,
        "POST",
        item("/2", price="12 €", price_eur=12, availability="0", geo_shop={"lat": 1, "lon": 2}),
    )

    answer = sent(
        empty,
        "POST",
        item(
            "/3",
            price=True,
            price_eur_amount="dear",
            availability="sold out",
            availability_rank=16,
            introduced_at="soon",
            geo_shop=[1, 2],
            boost="much",
            mixed=[1, "a"],
        ),
        status=400,
    )

    assert answer["errors"] == {
        "/3": malformed(
            price="must be a price: a text such as 1 234,50 €, or a number",
            price_eur_amount="must be a number",
            availability="must be 1 or 0",
            availability_rank="must be a whole number from 1 to 15",
            introduced_at="must be an ISO 8601 date or date-time, e.g. 2025-02-01T00:00:00Z",
            geo_shop='must be a place: {"lat": degrees, "lon": degrees}',
            boost="must be a number",
            mixed="must be of one type: its elements are of several",
        )
    }


def test_a_field_needs_a_name_that_can_be_kept(empty: Server) -> None:
    """Not a whole text of its own, and without the one character that PostgreSQL does not know."""
    names = {"n" * 201: 1, "nul\0": 2}

    answer = sent(empty, "POST", item("/1", **names), status=400)

    assert set(answer["errors"]["/1"]["caused_by"]) == set(names)


# Nested objects


def guitars(**fields: Json) -> Json:
    return {"identity": "/c/guitars", "type": "category", "fields": {"title": "Guitars", **fields}}


def document(server: Server, identity: str) -> Json:
    """What the store holds of an object; None if nothing."""
    found = server.parts.store.objects_named(TrackerId(TRACKER), [ItemId(identity)])
    return json.loads(found[ItemId(identity)].document) if found else None


def test_nested_objects_are_objects_of_the_catalog(empty: Server) -> None:
    """Of their parent's generation; a variant, and what has no title or identity, is a part of its parent alone."""
    nested = [
        guitars(ancestors=[{"title": "Music"}]),
        {"url": "/b/fender", "type": "brand", "fields": {"title": "Fender"}},
        {"identity": "/v/1", "type": "variant", "fields": {"title": "Red"}},
        {"identity": "/c/untitled", "type": "category", "fields": {}},
        {"type": "category", "fields": {"title": "Nameless"}},
    ]

    answer = sent(empty, "POST", {**item("/1"), "generation": "7", "nested": nested})

    assert answer["ok_count"] == 1
    held = document(empty, "/c/guitars")
    assert (held["type"], held["generation"]) == ("category", "7")
    assert held["fields"] == {"title": "Guitars", "ancestors": [{"title": "Music"}]}
    assert document(empty, "/b/fender")["generation"] == "7"
    assert document(empty, "/v/1") is None
    assert document(empty, "/c/untitled") is None
    assert empty.shown() == ["/1"]
    assert empty.shown(recommendation_context={"brand": "Fender"}) == ["/1"]


def test_a_nested_object_never_replaces_one_that_was_sent_by_itself(empty: Server) -> None:
    """It gives it its generation and no more; what nested ones made follows the newest of them."""
    sent(empty, "POST", {**guitars(text="All of them"), "generation": "1"})

    sent(empty, "POST", {**item("/1"), "generation": "2", "nested": [guitars()]})
    sent(
        empty,
        "POST",
        {**item("/2"), "generation": "2", "nested": [{**guitars(), "identity": "/c/2"}]},
    )
    sent(empty, "POST", {**item("/2"), "nested": [{**guitars(text="New"), "identity": "/c/2"}]})

    assert document(empty, "/c/guitars")["fields"] == {"title": "Guitars", "text": "All of them"}
    assert document(empty, "/c/guitars")["generation"] == "2"
    assert document(empty, "/c/2")["fields"]["text"] == "New"
    assert document(empty, "/c/2")["generation"] == "2"


def test_a_patch_of_nested_objects_makes_them(empty: Server) -> None:
    """Of the generation that the object has."""
    sent(empty, "POST", {**item("/1"), "generation": "3"})

    sent(empty, "PATCH", {"identity": "/1", "nested": [guitars()]})

    assert document(empty, "/c/guitars")["generation"] == "3"


def test_no_objects_are_nothing_to_do(server: Server) -> None:
    """An empty list succeeds, whatever is to be done with it."""
    for method in ("POST", "PATCH", "DELETE"):
        assert sent(server, method) == {"ok_count": 0, "errors_count": 0, "errors": {}}


# Changing


def test_fields_are_merged_by_name(empty: Server) -> None:
    """The others stay; a field of null is null."""
    empty.put_objects(item("/p/1", brand="Fender", color="red", weight=1))

    answer = sent(empty, "PATCH", {"identity": "/p/1", "fields": {"color": "blue", "weight": None}})

    assert answer == {"ok_count": 1, "errors_count": 0, "errors": {}}
    assert attributes(empty, "/p/1") == {
        "title": "/p/1",
        "brand": ["Fender"],
        "color": ["blue"],
        "weight": None,
    }


def test_nested_is_replaced_whole(empty: Server) -> None:
    """An item that moves to another category leaves the old one."""

    def nested(title: str) -> Json:
        return [{"identity": f"/c/{title}", "type": "category", "fields": {"title": title}}]

    empty.put_objects({**item("/p/1"), "nested": nested("Guitars")})

    sent(empty, "PATCH", {"identity": "/p/1", "nested": nested("Straps")})

    assert empty.shown(recommendation_context={"category": "Guitars"}) == []
    assert empty.shown(recommendation_context={"category": "Straps"}) == ["/p/1"]


def test_what_a_change_breaks_is_refused(empty: Server) -> None:
    """The object as it would be must still be one."""
    empty.put_objects({**item("/p/1"), "active_to": "2025-02-01"})

    answer = sent(
        empty,
        "PATCH",
        {"identity": "/p/1", "fields": {"title": ""}, "active_from": "2025-03-01"},
        status=400,
    )

    assert answer["errors"] == {
        "/p/1": malformed(active_from="must be before active_to", title="must be filled")
    }
    assert empty.shown() == ["/p/1"]


def test_changing_what_is_not_there_is_an_error(server: Server) -> None:
    """The others of the batch are changed."""
    answer = sent(
        server,
        "PATCH",
        {"identity": "/p/123", "fields": {"availability": 0}},
        {"identity": "/p/unborn", "fields": {"availability": 0}},
        status=400,
    )

    assert answer == {
        "ok_count": 1,
        "errors_count": 1,
        "errors": {"/p/unborn": {"type": "not_found", "reason": "Identity not in catalog"}},
    }
    assert "/p/123" not in server.shown()


def test_faulty_changes(server: Server) -> None:
    """Each under its identity."""
    answer = sent(
        server,
        "PATCH",
        {"identity": "/p/123", "fields": []},
        {"identity": "/p/124", "type": "category"},
        {"identity": "/p/125", "nested": {}},
        {"identity": "/p/126"},
        {"identity": "/p/126"},
        status=400,
    )

    assert answer == {
        "ok_count": 1,
        "errors_count": 4,
        "errors": {
            "/p/123": malformed(fields="must be an object"),
            "/p/124": malformed(type="cannot be changed"),
            "/p/125": malformed(nested="must be a list of objects"),
            "/p/126": malformed(identity="must not be repeated in one request"),
        },
    }


def test_300_changes_at_once(server: Server) -> None:
    """One more is too many."""
    objects = [{"identity": "/p/123"}] + [{"identity": f"/x/{number}"} for number in range(299)]

    assert sent(server, "PATCH", *objects, status=400)["ok_count"] == 1
    answer = server.send("PATCH", CONTENT, {"objects": [*objects, {"identity": "/x/300"}]})
    assert problem(answer, 413)["reason"] == "At most 300 objects in one request"


# Removing


def test_objects_are_removed(server: Server) -> None:
    """And not shown again; a pin of one sleeps until it is back."""
    answer = sent(server, "DELETE", {"identity": "/p/123", "type": "item"})

    assert answer == {"ok_count": 1, "errors_count": 0, "errors": {}}
    assert server.shown() == ["/p/124", "/p/125", "/p/126", "/p/555"]
    server.put_objects(item("/p/123", introduced_at="2025-01-09"))
    assert server.shown(size=1) == ["/p/123"]


def test_removing_what_is_not_there_is_an_error(server: Server) -> None:
    """An identity that is not there, or of another type; the others are removed."""
    answer = sent(
        server,
        "DELETE",
        {"identity": "/p/123", "type": "category"},
        {"identity": "/p/124", "type": "item"},
        {"identity": "/p/unborn", "type": "item"},
        {"identity": "/p/125"},
        status=400,
    )

    assert answer == {
        "ok_count": 1,
        "errors_count": 3,
        "errors": {
            "/p/123": {"type": "not_found", "reason": "Identity not in catalog"},
            "/p/unborn": {"type": "not_found", "reason": "Identity not in catalog"},
            "/p/125": malformed(type="Missing required field: type"),
        },
    }
    assert server.shown(size=2) == ["/p/123", "/p/125"]


# Refused


def test_faulty_objects_do_not_keep_the_others_out(empty: Server) -> None:
    """`400`, though the rest was stored; without an identity an object is called by its number."""
    answer = sent(
        empty,
        "POST",
        item("/p/1"),
        {"type": "item", "fields": {"title": "Nobody"}},
        "text",
        {"identity": "", "type": "item", "fields": {"title": "x"}},
        {"identity": "/p/2"},
        {"identity": "/p/3", "type": "item", "fields": {"title": ""}, "nested": [1]},
        {"identity": "/p/4", "type": 7, "generation": 7, "fields": {"title": ["x"]}},
        {**item("/p/5"), "active_from": "2025-02-01", "active_to": "2025-01-01"},
        item("/p/6"),
        status=400,
    )

    assert answer == {
        "ok_count": 2,
        "errors_count": 7,
        "errors": {
            "object #2": malformed(identity="is missing"),
            "object #3": malformed(object="must be an object"),
            "object #4": malformed(identity="Must be a non-empty text"),
            "/p/2": malformed(type="Missing required field: type", fields="must be an object"),
            "/p/3": malformed(title="must be filled", nested="must be a list of objects"),
            "/p/4": malformed(
                type="Must be a non-empty text",
                generation="Must be a non-empty text",
                title="must be filled",
            ),
            "/p/5": malformed(active_from="must be before active_to"),
        },
    }
    assert empty.shown() == ["/p/1", "/p/6"]


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b"{",
        b'{"objects": {}}',
        b'{"objects": null}',
        b"\xff",
        b'{"a":1}',
    ],
)
def test_what_is_no_list_of_objects_is_400(server: Server, method: str, body: bytes) -> None:
    """In the catalog's own shape."""
    assert faults(server.send(method, CONTENT, body)) == {
        "body": malformed(objects="must be a list of objects under this key")
    }


def test_nesting_has_a_bound(empty: Server) -> None:
    """An object that cannot be sent again must not be stored: it would spoil every answer with it."""
    deep: Json = 1
    for _ in range(65):
        deep = {"a": deep}

    answer = sent(empty, "POST", item("/p/1", deep=deep["a"]), item("/p/2", deep=deep), status=400)

    assert answer["ok_count"] == 0
    assert answer["errors"]["/p/2"] == malformed(fields="Nested deeper than 64 levels")
    sent(empty, "POST", item("/p/1", deep=deep["a"]["a"]))
    assert empty.shown() == ["/p/1"]


def test_a_body_that_is_not_json_by_its_type_is_415(server: Server) -> None:
    """The type decides."""
    answer = server.send("POST", CONTENT, {"objects": []}, content_type="application/xml")

    assert problem(answer, 415)["exception_details"] == {
        "content_type": ["Cannot be application/xml"]
    }


# Compressed


def deflated(body: bytes, window_bits: int = zlib.MAX_WBITS) -> bytes:
    compressor = zlib.compressobj(wbits=window_bits)
    return compressor.compress(body) + compressor.flush()


BATCH = b'{"objects": [{"identity": "/p/1", "type": "item", "fields": {"title": "Strap"}}]}'


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", deflated(BATCH, 16 + zlib.MAX_WBITS)),
        ("GZIP ", deflated(BATCH, 16 + zlib.MAX_WBITS)),
        ("x-gzip", deflated(BATCH, 16 + zlib.MAX_WBITS)),
        ("deflate", deflated(BATCH)),
        ("deflate", deflated(BATCH, -zlib.MAX_WBITS)),
        ("identity", BATCH),
        ("", BATCH),
    ],
    ids=["gzip", "upper case", "x-gzip", "zlib", "raw", "identity", "empty"],
)
def test_bodies_may_be_compressed(empty: Server, encoding: str, body: bytes) -> None:
    """gzip, or deflate with and without its wrapper."""
    answer = empty.send("POST", CONTENT, body, headers={"Content-Encoding": encoding})

    assert answer.json() == {"ok_count": 1, "errors_count": 0, "errors": {}}
    assert empty.shown() == ["/p/1"]


def test_five_megabytes_as_sent_and_ten_inflated(empty: Server) -> None:
    """Both are settings."""
    plain = b'{"objects": [], "space": "%b"}'
    headers = {"Content-Encoding": "gzip"}

    def packed(size: int) -> bytes:
        return deflated(plain % (b" " * (size - len(plain) + 2)), 16 + zlib.MAX_WBITS)

    assert empty.send("POST", CONTENT, plain % (b" " * 4_900_000)).status_code == 200
    too_large = empty.send("POST", CONTENT, plain % (b" " * 5_000_000))
    assert empty.send("POST", CONTENT, packed(10_000_000), headers=headers).status_code == 200
    bomb = empty.send("POST", CONTENT, packed(10_000_001), headers=headers)

    assert problem(too_large, 413)["exception_details"] == {"body": ["At most 5000000 bytes"]}
    assert problem(bomb, 413)["exception_details"] == {
        "body": ["At most 10000000 bytes when decompressed"]
    }


def test_a_bomb_is_refused_before_it_is_inflated(tmp_path: Path, clock: ToldClock) -> None:
    """A few kilobytes that would be gigabytes, in either encoding."""
    server = Server(tmp_path, clock, inflated_bytes_max=1_024)
    try:
        server.create_tracker()
        for encoding, bits in (("gzip", 31), ("deflate", 15), ("deflate", -15)):
            bomb = deflated(b" " * 50_000_000, bits)

            answer = server.send("POST", CONTENT, bomb, headers={"Content-Encoding": encoding})

            assert problem(answer, 413)["exception_details"] == {
                "body": ["At most 1024 bytes when decompressed"]
            }
    finally:
        server.close()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"not gzip"),
        ("deflate", b"\x00not deflate"),
        ("gzip", gzipped({"objects": []})[:-9]),
        ("deflate", deflated(BATCH)[:-7]),
    ],
    ids=["no gzip", "no deflate", "gzip cut short", "deflate cut short"],
)
def test_what_cannot_be_inflated_is_400(empty: Server, encoding: str, body: bytes) -> None:
    """In the catalog's shape."""
    answer = empty.send("POST", CONTENT, body, headers={"Content-Encoding": encoding})

    (fault,) = faults(answer).values()
    assert fault["type"] == "malformed_input"
    assert fault["caused_by"]["body"][0].startswith("Cannot be decompressed: ")


def test_an_unknown_encoding_is_415(empty: Server) -> None:
    """With the ones that are known."""
    answer = empty.send("POST", CONTENT, BATCH, headers={"Content-Encoding": "br"})

    assert problem(answer, 415) == {
        "reason": "The body's Content-Encoding must be gzip, deflate or none",
        "exception_details": {"content_encoding": ["Cannot be br"]},
    }


# Who asks


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_the_catalog_is_signed(server: Server, method: str) -> None:
    """The tracker is the signature's, since the path names none; refusals have the recommender's shape."""
    body: Json = {"objects": []}

    unsigned = server.send(method, CONTENT, body, signed=False)
    unknown = server.send(method, CONTENT, body, tracker="9999-9999")
    forged = server.send(method, CONTENT, body, key=f"{KEY}!")

    assert problem(unsigned, 401) == {
        "reason": "Authentication failed",
        "exception_details": {"authorization": ["The Authorization header is missing"]},
    }
    assert problem(unknown, 401)["exception_details"] == {
        "authorization": ["Unknown key: 9999-9999"]
    }
    assert problem(forged, 401)


def test_a_catalog_is_of_one_tracker(server: Server) -> None:
    """What one stores another does not see."""
    server.create_tracker("8765-4321", "another key")

    server.send(
        "POST",
        CONTENT,
        {"objects": [item("/p/other")]},
        tracker="8765-4321",
        key="another key",
    )

    assert "/p/other" not in server.shown()
    answer = server.send(
        "POST",
        "/v1/recommend?tracker_id=8765-4321",
        [{"recommendation_type": "test_reco"}],
        signed=False,
    )
    assert [hit["url"] for hit in answer.json()[0]["hits"]] == ["/p/other"]

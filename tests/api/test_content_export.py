"""
The catalog on its way out: `GET /v1/content_export`.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.api.driver import CONTENT_TYPE, Json, Server, ToldClock, item, problem

EXPORT = "/v1/content_export"


def page(server: Server, target: str = EXPORT, **query: Json) -> Json:
    """A page, after the checks that hold for all."""
    given = f"{target}?{urlencode(query)}" if query else target
    answer = server.send("GET", given)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert int(answer.headers["endcap-revision"]) > 0
    shape = answer.json()
    assert set(shape) == {"total", "objects", "links"}
    return shape


def next_of(page: Json) -> str | None:
    """The link of a page, as its path and query."""
    links = [link["href"] for link in page["links"] if link["rel"] == "next"]
    if not links:
        return None
    (href,) = links
    assert href.startswith("http://endcap.test/v1/content_export?cursor=")
    return str(href.removeprefix("http://endcap.test"))


def pages(server: Server, **query: Json) -> Iterator[Json]:
    """Every page, by the links alone."""
    got = page(server, **query)
    yield got
    while target := next_of(got):
        got = page(server, target)
        yield got


def urls(pages: Iterator[Json]) -> list[str]:
    return [each["url"] for page in pages for each in page["objects"]]


def numbered(count: int) -> list[Json]:
    return [item(f"/p/{n}", brand="Fender") for n in range(count)]


def test_an_object_in_full(empty: Server) -> None:
    """Attributes look as in hits, derived ones are among them, nested objects have the same form."""
    empty.put_objects(
        {
            "identity": "/p/1",
            "type": "product",
            "generation": "g7",
            "active_from": "2025-01-01T00:00:00Z",
            "fields": {
                "title": "Telecaster",
                "brand": "Fender",
                "price": "1 299,00 €",
                "colors": ["red", "blue"],
                "strings": 6,
                "sold": True,
                "specs": {"scale": "25.5"},
            },
            "nested": [
                {
                    "identity": "/c/1",
                    "type": "category",
                    "fields": {"title": "Electric", "ancestors": [{"title": "Guitars"}]},
                }
            ],
        }
    )

    shape = page(empty, requested_types="product")  # the category is an object, too

    assert shape == {
        "total": 1,
        "links": [],
        "objects": [
            {
                "url": "/p/1",
                "type": "product",
                "attributes": {
                    "title": "Telecaster",
                    "brand": ["Fender"],
                    "price": "1 299,00 €",
                    "colors": ["red", "blue"],
                    "strings": 6,
                    "sold": True,
                    "specs": {"scale": "25.5"},
                    "price_amount": 1299.0,
                    "category": ["Electric"],
                    "category_lvl_1": ["Guitars"],
                    "category_lvl_2": ["Electric"],
                },
                "nested": [
                    {
                        "url": "/c/1",
                        "type": "category",
                        "attributes": {"title": "Electric", "ancestors": [{"title": "Guitars"}]},
                        "nested": [],
                        "exact": True,
                    }
                ],
                "exact": True,
                "generation": "g7",
                "active_from": "2025-01-01T00:00:00Z",
            }
        ],
    }


def test_what_is_hidden_is_never_given(empty: Server) -> None:
    """Not by name, not in nested objects, and not where these have no form that we know."""
    nested = [
        {"identity": "/c/1", "type": "category", "fields": {"title": "C", "_rank": 1}},
        {"name": "odd", "_secret": 1},
        {"fields": "odd too", "_secret": 1},
    ]
    empty.put_objects({**item("/p/1", _margin=0.4, brand="Fender"), "nested": nested})

    everything = empty.send("GET", EXPORT).text
    by_name = page(empty, hit_fields="_margin,brand", requested_types="item")

    assert "_margin" not in everything
    assert "_secret" not in everything
    assert "_rank" not in everything
    assert by_name["objects"][0]["attributes"] == {"brand": ["Fender"]}


def test_an_empty_catalog_is_one_page(empty: Server) -> None:
    """Without objects and without a link."""
    assert page(empty) == {"total": 0, "objects": [], "links": []}


@pytest.mark.parametrize(
    ("count", "size", "sizes"), [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 2, [2]), (1, 5, [1])]
)
def test_the_links_lead_through_everything(
    empty: Server, count: int, size: int, sizes: list[int]
) -> None:
    """Each object once; the last page has no link, also where it is full; the total is that of all."""
    empty.put_objects(*numbered(count))

    got = list(pages(empty, size=size))

    assert [len(each["objects"]) for each in got] == sizes
    assert sorted(urls(iter(got))) == sorted(each["identity"] for each in numbered(count))
    assert {each["total"] for each in got} == {count}


def test_a_page_has_300_objects_and_500_at_most(empty: Server) -> None:
    """More than that is capped, not refused."""
    empty.put_objects(*numbered(501))

    assert len(page(empty)["objects"]) == 300
    assert len(page(empty, size="")["objects"]) == 300
    assert len(page(empty, size=99_999)["objects"]) == 500


def test_only_some_types(empty: Server) -> None:
    """The total and the pages are of these types, on every page."""
    types = ["item", "brand", "category"]
    empty.put_objects(*({**item(f"/{n}"), "type": types[n % 3]} for n in range(12)))

    got = list(pages(empty, requested_types="brand, category", size=3))

    assert [len(each["objects"]) for each in got] == [3, 3, 2]
    assert {each["total"] for each in got} == {8}
    assert {each["type"] for page in got for each in page["objects"]} == {"brand", "category"}
    assert page(empty, requested_types="nothing")["total"] == 0


def test_only_some_fields(empty: Server) -> None:
    """On every page, and whatever the link's follower asks for beside it."""
    empty.put_objects(*(item(f"/{n}", brand="Fender", color="red") for n in range(3)))

    first = page(empty, hit_fields="brand,title", size=2)
    target = next_of(first)
    assert target is not None
    second = page(empty, target + "&hit_fields=color&requested_types=brand")

    shown = [each["attributes"] for each in first["objects"] + second["objects"]]
    assert shown == [{"title": f"/{n}", "brand": ["Fender"]} for n in range(3)]


def test_writes_between_two_pages(empty: Server) -> None:
    """What stays comes once; the total is that of the beginning."""
    empty.put_objects(*numbered(9))
    first = page(empty, size=4)
    (gone, *_) = [each["url"] for each in first["objects"]][-1:]
    target = next_of(first)
    assert target is not None

    empty.put_objects(item("/a/before"), item("/z/behind"))
    answer = empty.send("DELETE", "/v1/content", {"objects": [{"identity": gone, "type": "item"}]})
    assert answer.status_code == 200
    rest: list[Json] = []
    while target is not None:
        rest.append(page(empty, target))
        target = next_of(rest[-1])

    seen = [*urls(iter([first])), *urls(iter(rest))]
    assert sorted(seen) == sorted([*(f"/p/{n}" for n in range(9)), "/z/behind"])
    assert {each["total"] for each in rest} == {9}


def test_a_link_is_good_for_a_day(empty: Server, clock: ToldClock) -> None:
    """Longer than the vendor's ten minutes; then it says what to do."""
    empty.put_objects(*numbered(3))
    target = next_of(page(empty, size=1))
    assert target is not None

    clock.advance(24 * 3_600)
    assert len(page(empty, target)["objects"]) == 1
    clock.advance(1)
    refused = problem(empty.send("GET", target), 422)

    assert refused["reason"] == "Invalid content export parameters provided"
    assert refused["exception_details"] == {
        "cursor": ["Is older than 24 hours: begin again without a cursor"]
    }


def test_a_cursor_that_is_none(empty: Server) -> None:
    """Cut, changed, made up: each is named, and nothing is guessed."""
    empty.put_objects(*numbered(3))
    target = next_of(page(empty, size=1))
    assert target is not None
    cursor = target.partition("cursor=")[2]
    raw = bytearray(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[-6] ^= 1
    changed = urlsafe_b64encode(bytes(raw)).decode().rstrip("=")

    for wrong in (cursor[:-3], cursor + "AAAA", changed, "x", "%00", "gar%20bage", "%C3%A9", "A" * 9_000):  # fmt: skip
        refused = problem(empty.send("GET", f"{EXPORT}?cursor={wrong}"), 422)
        (message,) = refused["exception_details"]["cursor"]
        assert message.startswith("Cannot be read: take the link")


def test_a_cursor_of_another_tracker(empty: Server) -> None:
    """It would lead nowhere sensible."""
    empty.put_objects(*numbered(3))
    target = next_of(page(empty, size=1))
    assert target is not None
    empty.create_tracker("9999-1")

    answer = empty.send("GET", target, tracker="9999-1")

    assert problem(answer, 422)["exception_details"] == {"cursor": ["Is of another tracker"]}


@pytest.mark.parametrize("size", ["0", "-1", "1.5", "many", "1e3", "٣", "9" * 17])
def test_a_size_that_is_none(empty: Server, size: str) -> None:
    """It is named."""
    refused = problem(empty.send("GET", f"{EXPORT}?{urlencode({'size': size})}"), 422)

    assert refused["exception_details"] == {"size": ["Must be a whole number from 1"]}


def test_names_that_no_store_or_link_can_carry(empty: Server) -> None:
    """All faults at once."""
    query = urlencode({"hit_fields": "x" * 2_001, "requested_types": "y" * 2_000 + ",\x00"})

    refused = problem(empty.send("GET", f"{EXPORT}?{query}&size=0"), 422)

    assert set(refused["exception_details"]) == {"hit_fields", "requested_types", "size"}
    assert len(refused["exception_details"]["requested_types"]) == 2


def test_identities_of_any_length_and_script(empty: Server) -> None:
    """A link stands behind them like behind any other."""
    identities = [letter * 2_000 for letter in ("a", "\N{GUITAR}", "é")] + ["/p/1?a=b&c=d#e"]
    empty.put_objects(*map(item, identities))

    assert sorted(urls(pages(empty, size=1))) == sorted(identities)


def test_it_is_signed_without_the_query(empty: Server) -> None:
    """The driver signs the path alone; unsigned it is refused."""
    assert page(empty, size=5)["objects"] == []
    assert problem(empty.send("GET", EXPORT, signed=False), 401)


def test_other_methods_are_told_the_right_one(empty: Server) -> None:
    """With `Allow`."""
    answer = empty.send("POST", EXPORT, {})

    assert problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("headers", "begins"),
    [
        ({"Host": "reco.example.com"}, "http://reco.example.com/v1/"),
        (
            {"Host": "reco.example.com:8443", "X-Forwarded-Proto": "https"},
            "https://reco.example.com:8443/v1/",
        ),
        ({"Host": "[::1]:8000"}, "http://[::1]:8000/v1/"),
        ({"Host": "evil/?x=<"}, "/v1/"),
    ],
)
def test_links_begin_as_the_client_called(
    empty: Server, headers: dict[str, str], begins: str
) -> None:
    """A proxy that ends TLS says so; what is no host is left out."""
    empty.put_objects(*numbered(2))

    answer = empty.send("GET", f"{EXPORT}?size=1", headers=headers)

    (link,) = answer.json()["links"]
    assert link["href"].startswith(f"{begins}content_export?cursor=")


def test_links_begin_as_the_operator_says(tmp_path: Path, clock: ToldClock) -> None:
    """Whatever the request looks like."""
    server = Server(tmp_path, clock, public_url="https://reco.example.com/")
    try:
        server.create_tracker()
        server.put_objects(*numbered(2))
        (link,) = page(server, size=1)["links"]
    finally:
        server.close()

    assert link["href"].startswith("https://reco.example.com/v1/content_export?cursor=")


def test_scalar_attributes_are_the_operators_choice(tmp_path: Path, clock: ToldClock) -> None:
    """The same setting as for hits."""
    server = Server(tmp_path, clock, scalar_attributes=("brand",))
    try:
        server.create_tracker()
        server.put_objects(item("/p/1", brand="Fender"))
        (only,) = page(server)["objects"]
    finally:
        server.close()

    assert only["attributes"] == {"title": ["/p/1"], "brand": "Fender"}

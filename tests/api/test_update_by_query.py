"""
`PATCH` and `GET /v1/update_by_query`: many objects changed by what they are, in the background.
"""

from urllib.parse import parse_qs, urlsplit

import pytest

from endcap.jobs import JobRunner
from endcap.objects import OPEN_JOBS_MAX
from tests.api.driver import TRACKER, Json, Server, gzipped, item
from tests.api.test_content import attributes, malformed

UPDATE = "/v1/update_by_query"


@pytest.fixture
def empty(empty: Server) -> Server:
    """Jobs are done when the test says so."""
    empty.parts.jobs.stop()
    return empty


def body(fields: Json, update: Json, *, types: Json = ("item",)) -> Json:
    return {"search": {"types": types, "partial": {"fields": fields}}, "update": {"fields": update}}


def started(server: Server, wish: Json) -> str:
    """The status URL of an update that is accepted."""
    answer = server.send("PATCH", UPDATE, wish)
    assert answer.status_code == 200, answer.text
    (key,) = answer.json()
    assert key == "status_url"
    return str(answer.json()[key])


def work(server: Server) -> None:
    JobRunner(server.parts.store, lease_seconds=10, clock=server.clock).work()
    server.parts.mirror.refresh()


def progress(server: Server, url: str) -> Json:
    answer = server.send("GET", url)
    assert answer.status_code == 200, answer.text
    return answer.json()


def updated(server: Server, wish: Json) -> Json:
    """How an update ended."""
    url = started(server, wish)
    work(server)
    return progress(server, url)


def test_objects_are_updated_in_the_background(empty: Server) -> None:
    """The answer says where to ask; the fields named are replaced, the others stay."""
    empty.put_objects(
        item("/1", color="olive", size="M"),
        item("/2", color=["olive", "red"]),
        item("/3", color="red"),
    )

    url = started(empty, body({"color": "olive"}, {"color": ["green", "blue"], "brand": "Star"}))
    before = progress(empty, url)
    work(empty)

    assert before == {
        "tracker_id": TRACKER,
        "status": "in progress",
        "updates_count": 0,
        "failures_count": 0,
        "failures": {},
        "checked_count": 0,
    }
    assert progress(empty, url) == {
        **before,
        "status": "complete",
        "updates_count": 2,
        "checked_count": 3,
    }
    assert attributes(empty, "/1") == {
        "title": "/1",
        "color": ["green", "blue"],
        "size": ["M"],
        "brand": ["Star"],
    }
    assert attributes(empty, "/3")["color"] == ["red"]


def test_a_job_has_an_integer_for_an_id(empty: Server) -> None:
    """Production clients read one from the URL."""
    split = urlsplit(started(empty, body({}, {"x": 1})))

    assert split.path == UPDATE
    assert 0 < int(parse_qs(split.query)["job_id"][0]) < 2**53


@pytest.mark.parametrize(
    ("wanted", "matching"),
    [
        ({"color": "olive"}, ["/1", "/2"]),
        ({"color": "Olive"}, []),
        ({"color": ["red", "olive"]}, ["/2"]),
        ({"color": "olive", "size": 5}, ["/1"]),
        ({"size": 5.0}, ["/1"]),
        ({"size": "5"}, []),
        ({"fresh": True}, ["/2"]),
        ({"fresh": 1}, []),
        ({"_cost": 3}, ["/3"]),
        ({"made": {"in": "SK"}}, ["/3"]),
        ({"made": {"in": "CZ"}}, []),
        ({"color": None}, ["/3"]),
        ({}, ["/1", "/2", "/3"]),
    ],
)
def test_what_matches(empty: Server, wanted: Json, matching: list[str]) -> None:
    """An element of an array is enough; letter case and type count; of several fields all must match."""
    empty.put_objects(
        item("/1", color="olive", size=5),
        item("/2", color=["red", "olive", "blue"], fresh=True),
        item("/3", _cost=3, made={"in": "SK", "by": "hand"}),
        {**item("/brand", color="olive"), "type": "brand"},
    )

    assert updated(empty, body(wanted, {"hit": "yes"}))["updates_count"] == len(matching)
    assert sorted(empty.shown(recommendation_context={"hit": "yes"})) == matching


def test_only_objects_of_the_types(empty: Server) -> None:
    """Of several types any."""
    empty.put_objects(
        item("/1", color="olive"),
        {**item("/2", color="olive"), "type": "product"},
        {**item("/3", color="olive"), "type": "brand"},
    )

    answer = updated(empty, body({"color": "olive"}, {"color": "green"}, types=["item", "product"]))

    assert answer["updates_count"] == 2
    assert answer["checked_count"] == 2


def test_objects_that_cannot_be_updated_are_told(empty: Server) -> None:
    """The others are updated; the job is complete all the same."""
    empty.put_objects(item("/1", color="olive"), item("/2", color="olive"))
    url = started(empty, body({"color": "olive"}, {"weight": "light"}))
    empty.put_objects(item("/3", weight=5))

    work(empty)

    assert progress(empty, url) == {
        "tracker_id": TRACKER,
        "status": "complete",
        "updates_count": 0,
        "failures_count": 2,
        "failures": {
            identity: {
                "type": "data_schema_mismatch",
                "reason": "a field is of another type than its first value",
                "caused_by": {"weight": ["must be a number: the first value is, in /3"]},
            }
            for identity in ("/1", "/2")
        },
        "checked_count": 3,
    }


def test_a_clash_that_is_known_is_refused_at_once(empty: Server) -> None:
    """No job is made of what no object can take."""
    empty.put_objects(item("/1", weight=5))

    answer = empty.send("PATCH", UPDATE, body({}, {"weight": "light"}))

    assert answer.status_code == 400
    assert answer.json()["errors"]["body"]["caused_by"] == {
        "weight": ["must be a number: the first value is, in /1"]
    }
    assert empty.parts.store.open_jobs() == []


OBJECT = "must be an object"
TYPES = "must be a list of 1 to 20 types, of at most 100 characters each"


@pytest.mark.parametrize(
    ("sent", "faults"),
    [
        ({}, {"search": OBJECT, "update": OBJECT}),
        (
            {"search": {}, "update": {}},
            {"search.types": TYPES, "search.partial": OBJECT, "update.fields": OBJECT},
        ),
        ({"search": [], "update": None}, {"search": OBJECT, "update": OBJECT}),
        (body([], {}, types="item"), {"search.types": TYPES, "search.partial.fields": OBJECT}),
        (body({}, {}), {"update.fields": "must name at least one field"}),
        (body({}, {"x": 1}, types=[]), {"search.types": TYPES}),
        (body({}, {"x": 1}, types=["item", 5]), {"search.types": TYPES}),
        (body({}, {"x": 1}, types=["a\x00"]), {"search.types": TYPES}),
        (body({}, {"x": 1}, types=["x" * 101]), {"search.types": TYPES}),
        (
            body({}, {str(n): n for n in range(101)}),
            {"update.fields": "must have at most 100 fields"},
        ),
        (body({}, {"title": None}), {"title": "must be filled"}),
        (
            body({}, {"availability": "no", "mixed": [1, "a"]}),
            {
                "availability": "must be 1 or 0",
                "mixed": "must be of one type: its elements are of several",
            },
        ),
    ],
)
def test_a_faulty_update_is_refused(empty: Server, sent: Json, faults: Json) -> None:
    """In the catalog's shape, with all that is wrong."""
    answer = empty.send("PATCH", UPDATE, sent)

    assert answer.status_code == 400
    assert answer.json() == {
        "ok_count": 0,
        "errors_count": 1,
        "errors": {"body": malformed(**faults)},
    }


@pytest.mark.parametrize("sent", [b"", b"[]", b"{", b"\xff"])
def test_what_is_no_object_is_refused(empty: Server, sent: bytes) -> None:
    """Likewise."""
    answer = empty.send("PATCH", UPDATE, sent)

    assert answer.status_code == 400
    assert answer.json()["errors"]["body"]["type"] == "malformed_input"


def test_a_body_may_be_compressed_and_has_a_bound(empty: Server) -> None:
    """The catalog's own."""
    wish = body({}, {"x": 1})
    headers = {"Content-Encoding": "gzip"}

    assert empty.send("PATCH", UPDATE, gzipped(wish), headers=headers).status_code == 200
    large = body({}, {"x": "y" * 5_000_000})
    assert empty.send("PATCH", UPDATE, large).status_code == 413


@pytest.mark.parametrize("job_id", ["5", "0", "-1", "x", "5" * 30, "٥"])
def test_a_job_that_is_not_there(empty: Server, job_id: str) -> None:
    """Or never was an id."""
    answer = empty.send("GET", f"{UPDATE}?job_id={job_id}")

    assert answer.status_code == 404
    assert answer.json() == {
        "ok_count": 0,
        "errors_count": 1,
        "errors": {"job_id": {"type": "not_found", "reason": "Job not found"}},
    }


def test_a_job_is_its_trackers(empty: Server) -> None:
    """Nobody else sees it."""
    empty.create_tracker("other", "other key")
    url = started(empty, body({}, {"x": 1}))

    assert empty.send("GET", url, tracker="other", key="other key").status_code == 404


def test_a_status_without_an_id(empty: Server) -> None:
    """Says what is missing."""
    answer = empty.send("GET", UPDATE)

    assert answer.status_code == 400
    assert list(answer.json()["errors"]["query"]["caused_by"]) == ["job_id"]


def test_there_are_only_so_many_jobs_at_a_time(empty: Server) -> None:
    """They wait for each other; who asks for more is told when to come again."""
    for _ in range(OPEN_JOBS_MAX):
        started(empty, body({}, {"x": 1}))

    answer = empty.send("PATCH", UPDATE, body({}, {"x": 1}))

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    work(empty)
    started(empty, body({}, {"x": 1}))


def test_both_are_signed(empty: Server) -> None:
    """Like all of the catalog."""
    assert empty.send("PATCH", UPDATE, body({}, {"x": 1}), signed=False).status_code == 401
    assert empty.send("GET", f"{UPDATE}?job_id=1", signed=False).status_code == 401

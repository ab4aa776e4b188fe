"""
Drafts over the API: saved, published now or at a time, discarded; and unpublishing.
"""

from typing import Any

import httpx2
import pytest

from endcap.drafts import AHEAD_DAYS_MAX
from tests.api.driver import NOWHERE, Json, Server, ToldClock, customization, pin, problem
from tests.api.test_past import PAST, one, replace, said

FIRST: Any = {"target_type": "all", "target_identity": None, "pin_definitions": [pin("/p/126", 1)]}


def save(
    server: Server, id: str, base: int | None = None, headers: Any = None, **fields: Json
) -> httpx2.Response:
    query = "" if base is None else f"?base={base}"
    return server.send("PUT", one(id, f"draft{query}"), customization(**fields), headers=headers)


def saved(server: Server, id: str, **fields: Json) -> Json:
    answer = save(server, id, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def publish(server: Server, id: str, headers: Any = None, **body: Any) -> httpx2.Response:
    return server.send("POST", one(id, "publish"), body, headers=headers)


def look(server: Server) -> int:
    """What the thread of a worker does now and then."""
    return server.app._scheduled.look()


def test_a_draft_is_never_spoken(server: Server) -> None:
    """It is there for who asks for it; customization, list and recommendation are as before."""
    made = server.create(**FIRST)
    before = server.shown(size=1)

    draft = saved(server, made["id"], tags=["draft"])

    assert draft["definition"] == customization(tags=["draft"])
    assert (draft["author"], draft["publish_at"], draft["held"]) == ("api", None, None)
    assert server.shown(size=1) == before
    assert server.get(made["id"]) == made
    assert server.send("GET", one(made["id"], "draft")).json() == draft
    assert server.send("GET", f"{PAST}/drafts").json() == {"total": 1, "results": [draft]}


def test_a_new_customization_may_begin_as_a_draft(server: Server) -> None:
    """It has an id from the beginning, and speaks once it is published."""
    answer = server.send("POST", f"{PAST}/drafts", customization(**FIRST))
    draft = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == one(draft["id"], "draft")
    assert said(server, draft["id"]) is None

    published = publish(server, draft["id"])

    assert published.status_code == 200
    assert published.json()["id"] == draft["id"]
    assert published.json() == server.get(draft["id"])
    assert server.shown(size=1) == ["/p/126"]
    problem(server.send("GET", one(draft["id"], "draft")), 404)


def test_publishing_over_what_was_changed_meanwhile_takes_a_word(server: Server) -> None:
    """409 and nothing done; with the revision that the publisher has seen, it is done."""
    made = server.create()["id"]
    saved(server, made, tags=["mine"])
    theirs = replace(server, made, tags=["theirs"])

    assert problem(publish(server, made), 409)["reason"].startswith("What is published was changed")
    assert said(server, made)["tags"] == ["theirs"]
    problem(publish(server, made, over=theirs - 1), 409)
    assert publish(server, made, over=theirs).status_code == 200
    assert said(server, made)["tags"] == ["mine"]


def test_of_two_editors_of_a_draft_the_second_is_told(server: Server) -> None:
    """By If-Match, and for the first save by If-None-Match."""
    made = server.create()["id"]
    first = save(server, made, headers={"If-None-Match": "*"}, tags=["a"])
    assert first.status_code == 200
    problem(save(server, made, headers={"If-None-Match": "*"}, tags=["b"]), 412)
    second = save(server, made, headers={"If-Match": first.headers["etag"]}, tags=["c"])
    assert second.status_code == 200

    stale = {"If-Match": first.headers["etag"]}
    problem(save(server, made, headers=stale, tags=["d"]), 412)
    problem(publish(server, made, headers=stale), 412)
    problem(server.send("DELETE", one(made, "draft"), headers=stale), 412)

    assert server.send("GET", one(made, "draft")).json()["definition"]["tags"] == ["c"]


def test_a_draft_is_discarded(server: Server) -> None:
    """What is published stays; the history still tells it."""
    made = server.create()["id"]
    saved(server, made, tags=["mine"])

    assert server.send("DELETE", one(made, "draft")).status_code == 204

    problem(server.send("DELETE", one(made, "draft")), 404)
    assert said(server, made) is not None
    lines = server.send("GET", one(made, "history")).json()["results"]
    assert [(each["kind"], each["action"]) for each in lines] == [
        ("draft", "delete"),
        ("draft", "create"),
        ("customization", "create"),
    ]


def test_a_faulty_draft_is_refused(server: Server) -> None:
    """Like a customization, with every fault; what cannot be published is not kept as if it could."""
    answer = server.send("PUT", one(NOWHERE, "draft"), {"model": "x", "pin_definitions": [{}]})

    assert set(problem(answer, 422)["exception_details"]) == {"target_type", "pin_definitions"}
    problem(server.send("GET", one(NOWHERE, "draft")), 404)


def test_a_draft_is_published_at_its_time(server: Server, clock: ToldClock) -> None:
    """Not before; once, by whoever looks first; in the name of who said so."""
    draft = server.send("POST", f"{PAST}/drafts", customization(**FIRST)).json()
    answer = publish(server, draft["id"], at="2025-01-22T09:00:00Z")
    assert answer.json()["publish_at"] == "2025-01-22T09:00:00Z"
    assert answer.json()["publisher"] == "api"

    clock.tell("2025-01-22T08:59:59.999Z")
    assert look(server) == 0
    assert said(server, draft["id"]) is None
    clock.tell("2025-01-22T09:00:00Z")
    look(server)

    assert said(server, draft["id"]) is not None
    assert server.shown(size=1) == ["/p/126"]
    assert look(server) == 0
    lines = server.send("GET", one(draft["id"], "history")).json()["results"]
    assert [each["action"] for each in lines if each["kind"] == "customization"] == ["create"]


def test_a_time_is_taken_back_or_named_anew(server: Server, clock: ToldClock) -> None:
    """And saving the draft anew takes it back as well: nobody agreed to what it says now."""
    draft = server.send("POST", f"{PAST}/drafts", customization(**FIRST)).json()
    publish(server, draft["id"], at="2025-01-22T09:00:00Z")
    assert publish(server, draft["id"], at=None).json()["publish_at"] is None
    publish(server, draft["id"], at="2025-01-22T09:00:00Z")
    assert saved(server, draft["id"], **FIRST)["publish_at"] is None

    clock.tell("2025-01-22T10:00:00Z")

    assert look(server) == 0
    assert said(server, draft["id"]) is None


def test_a_draft_that_cannot_be_published_at_its_time_is_held(
    server: Server, clock: ToldClock
) -> None:
    """It says why, and is not tried again."""
    made = server.create()["id"]
    saved(server, made, tags=["mine"])
    publish(server, made, at="2025-01-22T09:00:00Z")
    replace(server, made, tags=["theirs"])

    clock.tell("2025-01-22T09:00:00Z")
    assert look(server) == 0

    draft = server.send("GET", one(made, "draft")).json()
    assert draft["held"].startswith("What is published was changed")
    assert draft["publish_at"] is None
    assert said(server, made)["tags"] == ["theirs"]


@pytest.mark.parametrize(
    "body",
    [
        {"at": "2025-01-22T08:00:00Z"},
        {"at": "2099-01-01"},
        {"at": "soon"},
        {"at": 5},
        {"at": "2025-01-23", "over": 3},
        {"now": True},
    ],
)
def test_a_time_that_is_none_is_refused(server: Server, body: Json) -> None:
    """Past, too far ahead, unreadable; by field."""
    assert AHEAD_DAYS_MAX < 70 * 365
    draft = server.send("POST", f"{PAST}/drafts", customization()).json()

    problem(server.send("POST", one(draft["id"], "publish"), body), 422)

    assert server.send("GET", one(draft["id"], "draft")).json() == draft


def test_unpublishing_keeps_a_draft(server: Server) -> None:
    """It speaks no more; published again it is what it was, with its id and its time of creation."""
    made = server.create(**FIRST)
    assert server.shown(size=1) == ["/p/126"]

    answer = server.send("POST", one(made["id"], "unpublish"))

    assert answer.status_code == 200
    assert answer.json()["definition"] == {**customization(**FIRST), "tags": []}
    assert said(server, made["id"]) is None
    assert server.shown(size=1) == ["/p/123"]
    problem(server.send("POST", one(made["id"], "unpublish")), 404)
    back = publish(server, made["id"]).json()
    assert back["created_at"] == made["created_at"]
    assert server.shown(size=1) == ["/p/126"]


def test_undoing_a_publication_brings_the_draft_back(server: Server, clock: ToldClock) -> None:
    """And it can be published again, without a conflict with what it was made from."""
    made = server.create(tags=["old"])["id"]
    clock.advance(1)
    saved(server, made, tags=["mine"])
    clock.advance(1)
    publish(server, made)
    clock.advance(1)

    server.send("POST", f"{PAST}/undo", {})

    assert said(server, made)["tags"] == ["old"]
    assert server.send("GET", one(made, "draft")).json()["definition"]["tags"] == ["mine"]
    assert publish(server, made).status_code == 200
    assert said(server, made)["tags"] == ["mine"]


def test_what_was_published_at_its_time_and_undone_waits_for_a_new_time(
    server: Server, clock: ToldClock
) -> None:
    """The moment is over: else whoever looks next would publish it again."""
    made = server.create(tags=["old"])["id"]
    saved(server, made, tags=["mine"])
    publish(server, made, at="2025-01-22T09:00:00Z")
    clock.tell("2025-01-22T09:00:00Z")
    look(server)
    assert said(server, made)["tags"] == ["mine"]
    clock.advance(60)

    server.send("POST", f"{PAST}/undo", {})

    look(server)
    assert said(server, made)["tags"] == ["old"]
    draft = server.send("GET", one(made, "draft")).json()
    assert (draft["definition"]["tags"], draft["publish_at"]) == (["mine"], None)


def test_a_draft_that_does_not_say_leaves_the_switch_as_it_is(server: Server) -> None:
    """As a PUT does; one that says it sets it."""
    made = server.create(disabled=True)["id"]

    assert saved(server, made, tags=["mine"])["definition"]["disabled"] is True
    publish(server, made)
    assert said(server, made)["disabled"] is True
    assert "disabled" not in saved(server, made, disabled=False)["definition"]
    publish(server, made)

    assert "disabled" not in said(server, made)


def test_drafts_are_listed_in_pages(server: Server, clock: ToldClock) -> None:
    """Those to be published first, then the last saved."""
    ids = []
    for number in range(5):
        clock.advance(1)
        ids.append(
            server.send("POST", f"{PAST}/drafts", customization(tags=[str(number)])).json()["id"]
        )
    publish(server, ids[1], at="2025-01-24")
    publish(server, ids[3], at="2025-01-23")

    pages = [
        server.send("GET", f"{PAST}/drafts?limit=2&page={page}").json() for page in (1, 2, 3, 4)
    ]

    assert {each["total"] for each in pages} == {5}
    found = [draft["id"] for each in pages for draft in each["results"]]
    assert found == [ids[3], ids[1], ids[4], ids[2], ids[0]]
    problem(server.send("GET", f"{PAST}/drafts?limit=0"), 422)


def test_the_time_is_kept_while_nobody_runs(server: Server, clock: ToldClock) -> None:
    """What came due meanwhile is published when somebody looks again: a server that starts."""
    draft = server.send("POST", f"{PAST}/drafts", customization(**FIRST)).json()
    publish(server, draft["id"], at="2025-01-22T09:00:00Z")
    server.app._scheduled.stop()
    clock.tell("2025-02-01T00:00:00Z")
    data_dir = server.parts.settings.data_dir
    later = Server(data_dir, clock)
    try:
        for _ in range(200):
            if said(later, draft["id"]) is not None:
                break
            later.app._scheduled.look()
        assert said(later, draft["id"]) is not None
    finally:
        later.close()

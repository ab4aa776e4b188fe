"""
Who may do what: every route, asked by everybody.
"""

from collections.abc import Callable
from uuid import uuid4

import msgspec
import pytest

from endcap.accounts import ROLES
from endcap.domain import Micros
from endcap.planning.orders import Import
from endcap.store.accounts import Upload
from endcap.web.access import LEAST
from endcap.web.console import Console
from endcap.web.modules import Route
from tests.api.driver import TRACKER
from tests.web.driver import CHANGE, LIST, ConsoleServer, Visitor, picks_of, text_of

WHO = ["nobody", "elsewhere", *ROLES]
OTHER = "other-shop"


def visitor_of(server: ConsoleServer, who: str) -> Visitor:
    """Signed in with that role in the tracker; `elsewhere` is an administrator of another one."""
    visitor = Visitor(server)
    if who != "nobody":
        if who == "elsewhere":
            server.create_user(who, "admin", OTHER)
        else:
            server.create_user(who, who, TRACKER)
        assert visitor.sign_in(who).status_code == 303
    return visitor


def upload_of(server: ConsoleServer, who: str) -> str:
    """A file of theirs that waits, or would if they were somebody."""
    content = b'{"model": "basket", "target_type": "all", "tags": [], "pin_definitions": []}'
    order = msgspec.json.encode(Import("rules.json"))
    now = server.parts.service.clock()
    upload = Upload(str(uuid4()), who, TRACKER, now, order, content)
    server.parts.accounts.store.hold(upload, kept=9, since=Micros(0))
    return upload.id


def expected(route: Route, who: str) -> set[int]:
    """What the table of roles says, as statuses. Forms are sent empty: who may send them is told that they are."""
    if route.verb == "enter":
        return {200, 303, 401, 403}
    if who == "nobody":
        return {303}
    if route.verb == "own":
        return {200, 303, 422}
    if who == "elsewhere":
        return {404}
    if ROLES[who] < LEAST[route.verb]:
        return {403}
    # What a form would change may not be there; the tracker is.
    return {200, 404, 409, 412, 422}


@pytest.mark.parametrize("who", WHO)
def test_every_route_asks_who_one_is(server: ConsoleServer, who: str) -> None:
    """Each by the verb that the table gives it, and none is left out."""
    made = server.create()["id"]
    made_at = server.parts.service.revision(server.parts.service.shop(TRACKER))
    visitor = visitor_of(server, who)
    found = {}

    for route in server.console.routes:
        if route.path == "/console/account/sign-out-everywhere" or route.path.endswith("sign-out"):
            continue  # tried elsewhere: they end the session that the others need
        # Another parameter of a path wants a value here.
        path = route.path.format(
            tracker=TRACKER, id=made, revision=made_at, upload=upload_of(server, who)
        )
        answer = visitor.get(path) if route.method == "GET" else visitor.post(path)
        found[route.method, route.path] = answer.status_code
        assert who in ("nobody", "elsewhere") or f"no tracker {TRACKER}" not in text_of(answer)

    wrong = {
        key: status
        for route in server.console.routes
        if (key := (route.method, route.path)) in found
        and (status := found[key]) not in expected(route, who)
    }
    assert wrong == {}
    assert server.get(made)["tags"] == []


def test_the_table_names_every_verb(server: ConsoleServer) -> None:
    """And every path of the console but its files is in the list of routes."""
    routes = server.console.routes
    mounted = {
        path
        for method, path in server.app._routes
        if path.startswith("/console") and "static" not in path
    }

    assert {route.verb for route in routes} == {"enter", "own", *LEAST}
    assert {route.path for route in routes} == mounted
    assert isinstance(server.console, Console)


@pytest.mark.parametrize(
    ("who", "offers"),
    [
        ("viewer", []),
        ("editor", ["Tag", "Untag"]),
        ("publisher", ["Tag", "Untag", "Shift dates", "Enable", "Disable", "Delete"]),
    ],
)
def test_a_page_offers_what_one_may(server: ConsoleServer, who: str, offers: list[str]) -> None:
    """And nothing that would be refused."""
    server.create()
    page = visitor_of(server, who).get(LIST)

    buttons = ["Tag", "Untag", "Shift dates", "Enable", "Disable", "Delete"]
    assert [each for each in buttons if f"data-act>{each}</button>" in page.text] == offers
    assert bool(picks_of(page)) is bool(offers)


def test_a_role_counts_from_the_next_request(server: ConsoleServer) -> None:
    """Given, raised and taken away while the user is signed in."""
    visitor = visitor_of(server, "viewer")
    accounts = server.parts.accounts
    statuses: list[int] = []
    steps: list[Callable[[], None]] = [
        lambda: accounts.give_role("viewer", "*", ROLES["publisher"], actor="cli"),
        lambda: accounts.give_role("viewer", "*", None, actor="cli"),
        lambda: accounts.give_role("viewer", TRACKER, None, actor="cli"),
    ]

    for step in [lambda: None, *steps]:
        step()
        statuses.append(visitor.post(f"{CHANGE}/delete").status_code)

    assert statuses == [403, 422, 403, 404]


def test_what_a_role_lacks_is_said(server: ConsoleServer) -> None:
    """With whom to ask."""
    answer = visitor_of(server, "editor").post(f"{CHANGE}/delete")

    assert "You are an editor here; this takes a publisher. Ask an administrator" in text_of(answer)


def test_trackers_of_others_are_not_shown(server: ConsoleServer) -> None:
    """Neither in the switcher nor by their paths."""
    server.create_tracker(OTHER)
    visitor = visitor_of(server, "viewer")

    page = visitor.get(LIST)

    assert OTHER not in page.text
    assert visitor.get(f"/console/t/{OTHER}/customizations").status_code == 404


def test_who_has_no_role_is_told_what_to_do(server: ConsoleServer) -> None:
    """A user may be made before there is a shop."""
    server.create_user("new", "viewer", "not-there-yet")
    visitor = Visitor(server)
    visitor.sign_in("new")

    assert "No tracker for you yet" in text_of(visitor.get("/console"))

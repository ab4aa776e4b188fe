"""
Changing many customizations: asked first, done as the signed-in user, undone.
"""

import re
from html import unescape
from typing import Any

import pytest

from endcap.accounts import Role
from endcap.bulk import CHANGED_MAX, Delete, plan
from endcap.domain import CustomizationId
from endcap.errors import UsageFault
from endcap.store.states import ChangeRow
from tests.api.driver import BASE, TRACKER, ToldClock, customization, pin
from tests.web.driver import CHANGE, LIST, ConsoleServer, Visitor, hidden_of, picks_of, text_of


def confirmed(visitor: Visitor, action: str, fields: Any) -> str:
    """Chooses, is asked, says yes; returns the address that the answer leads to."""
    asked = visitor.post(f"{CHANGE}/{action}", fields)
    assert asked.status_code == 200, text_of(asked)
    done = visitor.post(f"{CHANGE}/{action}", hidden_of(asked))
    assert done.status_code == 303, text_of(done)
    return str(done.headers["location"])


def everything(visitor: Visitor) -> list[tuple[str, str]]:
    return [("pick", each) for each in picks_of(visitor.get(LIST))]


def undo(visitor: Visitor, place: str) -> str:
    """Presses the button of the toast."""
    page = visitor.get(place)
    form = page.text.partition("/undo")[2].partition("</form>")[0]
    fields = [(k, unescape(v)) for k, v in re.findall(r'name="(\w+)" value="([^"]*)"', form)]
    answer = visitor.post(f"/console/t/{TRACKER}/undo", fields)
    assert answer.status_code == 303, text_of(answer)
    return str(answer.headers["location"])


def last_lines(server: ConsoleServer, id: str) -> list[ChangeRow]:
    return list(server.parts.store.history(server.parts.service.shop(TRACKER).tracker, subject=id))


WINDOW: Any = {"active_from": "2025-02-01", "active_to": "2025-02-03T12:00:00+01:00"}


@pytest.mark.parametrize(
    ("action", "fields", "before", "after"),
    [
        ("tag", {"tags": "sale, winter"}, {"tags": ["winter"]}, {"tags": ["winter", "sale"]}),
        ("untag", {"tags": "winter,x"}, {"tags": ["winter", "y"]}, {"tags": ["y"]}),
        ("disable", {}, {}, {"disabled": True, "available": False}),
        ("enable", {}, {"disabled": True}, {"available": True}),
        (
            "shift",
            {"amount": "-7", "unit": "days"},
            {"pin_definitions": [pin(**WINDOW), pin(position=2)]},
            {
                "pin_definitions": [
                    pin(active_from="2025-01-25", active_to="2025-01-27T12:00:00+01:00"),
                    pin(position=2),
                ]
            },
        ),
    ],
)
def test_a_change_is_asked_done_and_undone(
    server: ConsoleServer,
    clock: ToldClock,
    ann: Visitor,
    action: str,
    fields: dict[str, str],
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    """By name in the log; undone it is as it was, but for its revision."""
    made = server.create(**before)
    clock.advance(60)

    place = confirmed(ann, action, [*everything(ann), *fields.items()])
    changed = server.get(made["id"])
    line = last_lines(server, made["id"])[-1]
    back = undo(ann, place)

    assert {key: changed[key] for key in after} == after
    assert ("disabled" in changed) is (action == "disable")
    assert changed["creator"] == "api"
    assert (line.actor, line.action) == ("ann", "replace")
    assert "1 customization" in text_of(ann.get(back))
    restored = server.get(made["id"])
    assert {**restored, "updated_at": ""} == {**made, "updated_at": ""}


def test_deleting_is_undone_with_all_that_it_was(
    server: ConsoleServer, clock: ToldClock, ann: Visitor
) -> None:
    """Its id, who made it and when, its metadata and its switch."""
    made = server.create(tags=["a"], target_metadata={"title": "Ours", "note": 5}, disabled=True)
    clock.advance(60)

    place = confirmed(ann, "delete", everything(ann))
    gone = server.send("GET", f"{BASE}/scope/{made['id']}").status_code
    undo(ann, place)

    assert gone == 404
    restored = server.get(made["id"])
    assert {**restored, "updated_at": ""} == {**made, "updated_at": ""}
    assert [line.action for line in last_lines(server, made["id"])] == [
        "create",
        "delete",
        "create",
    ]


def test_shoppers_see_a_switch_at_once(server: ConsoleServer, ann: Visitor) -> None:
    """A disabled customization has no say; enabled it has."""
    server.create()
    wish = {"item_ids": ["/p/123"], "size": 1}
    seen = [server.shown(**wish)]

    confirmed(ann, "disable", everything(ann))
    seen.append(server.shown(**wish))
    confirmed(ann, "enable", everything(ann))
    seen.append(server.shown(**wish))

    assert seen == [["/p/555"], ["/p/124"], ["/p/555"]]


def test_a_disabled_customization_survives_a_put(server: ConsoleServer, ann: Visitor) -> None:
    """A client that does not know the switch leaves it as it is; one that does may turn it."""
    made = server.create(disabled=True)["id"]
    path = f"{BASE}/scope/{made}"

    states = []
    for body in (
        customization(tags=["new"]),
        customization(disabled=False),
        customization(),
        customization(disabled=True),
        customization(disabled=None),
    ):
        assert server.send("PUT", path, body).status_code == 204
        states.append(server.get(made).get("disabled", False))

    assert states == [True, False, False, True, True]


def test_the_switch_must_be_a_flag(server: ConsoleServer) -> None:
    """As any other field it is checked."""
    answer = server.send("POST", f"{BASE}/scope", customization(disabled="no"))

    assert answer.status_code == 422
    assert answer.json()["exception_details"] == {"disabled": ["Must be true or false"]}


def test_nothing_is_done_before_it_is_confirmed(server: ConsoleServer, ann: Visitor) -> None:
    """The question names what would change, what not, and why."""
    server.create(tags=["sale"])
    server.create(tags=[f"t{n}" for n in range(50)])
    server.create()

    asked = ann.post(f"{CHANGE}/tag", [*everything(ann), ("tags", "sale")])

    said = text_of(asked)
    assert "Tag 1 customization with sale?" in said
    assert "1 customization needs no change" in said
    assert "It would have more than 50 tags" in said
    assert sum("sale" in each["tags"] for each in listed(server)) == 1


def listed(server: ConsoleServer) -> list[Any]:
    found: list[Any] = server.send("POST", f"{BASE}/scopes").json()["results"]
    return found


def test_what_somebody_else_changed_is_left_alone(
    server: ConsoleServer, clock: ToldClock, ann: Visitor
) -> None:
    """Between the list and the question, and between the question and the answer."""
    first, second, third = (server.create()["id"] for _ in range(3))
    picks = everything(ann)
    server.send("PUT", f"{BASE}/scope/{first}", customization(tags=["theirs"]))

    asked = ann.post(f"{CHANGE}/tag", [*picks, ("tags", "mine")])
    fields = hidden_of(asked)
    server.send("PUT", f"{BASE}/scope/{second}", customization(tags=["theirs"]))
    again = ann.post(f"{CHANGE}/tag", fields)
    done = ann.post(f"{CHANGE}/tag", hidden_of(again))

    assert "1 customization you chose was changed or deleted by somebody else" in text_of(asked)
    assert "What you chose has changed since you were asked" in text_of(again)
    assert done.status_code == 303
    tags = {each: server.get(each)["tags"] for each in (first, second, third)}
    assert tags == {first: ["theirs"], second: ["theirs"], third: ["mine"]}


def test_undoing_leaves_alone_what_was_changed_since(server: ConsoleServer, ann: Visitor) -> None:
    """Nobody's later work is undone with it."""
    kept, other = server.create()["id"], server.create()["id"]
    place = confirmed(ann, "tag", [*everything(ann), ("tags", "sale")])
    server.send("PUT", f"{BASE}/scope/{other}", customization(tags=["theirs"]))

    back = undo(ann, place)

    assert server.get(kept)["tags"] == []
    assert server.get(other)["tags"] == ["theirs"]
    assert "1 was left alone" in text_of(ann.get(back))


def test_an_editor_undoes_tags_and_nothing_else(server: ConsoleServer, ann: Visitor) -> None:
    """What somebody may not do they may not undo either, even their own of when they might."""
    server.create_user("ed", "publisher")
    editor = Visitor(server)
    editor.sign_in("ed")
    server.create()
    place = confirmed(editor, "disable", everything(editor))
    server.parts.accounts.give_role("ed", "*", None, actor="cli")
    server.parts.accounts.give_role("ed", "*", Role.EDITOR, actor="cli")
    page = editor.get(place)
    form = page.text.partition("/undo")[2].partition("</form>")[0]
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', form)

    refused = editor.post(f"/console/t/{TRACKER}/undo", fields)
    allowed = undo(editor, confirmed(editor, "tag", [*everything(editor), ("tags", "x")]))

    assert refused.status_code == 403
    assert "did=undo" in allowed


def test_nobody_undoes_what_another_one_did(server: ConsoleServer, ann: Visitor) -> None:
    """The numbers are no secret, so the name is looked at."""
    server.create_user("bob")
    bob = Visitor(server)
    bob.sign_in("bob")
    server.create()
    place = confirmed(ann, "tag", [*everything(ann), ("tags", "sale")])
    query = dict(re.findall(r"(\w+)=(\d+)", place))

    answer = bob.post(f"/console/t/{TRACKER}/undo", query)

    assert answer.status_code == 422
    assert "nothing of yours to undo" in text_of(answer)


def test_all_that_match_are_changed(server: ConsoleServer, clock: ToldClock, ann: Visitor) -> None:
    """Beyond the page; those that match since are asked for anew."""
    for number in range(70):
        clock.advance(1)
        server.create(tags=[f"t{number % 2}"])
    fields = [("all", "1"), ("query", "tag=t0"), ("tags", "sale")]

    asked = ann.post(f"{CHANGE}/tag", fields)
    server.create(tags=["t0"])
    again = ann.post(f"{CHANGE}/tag", hidden_of(asked))
    done = ann.post(f"{CHANGE}/tag", hidden_of(again))

    assert "Tag 35 customizations with sale?" in text_of(asked)
    assert "Tag 36 customizations with sale?" in text_of(again)
    assert "36 customizations tagged" in text_of(ann.follow(done))
    assert sum("sale" in each["tags"] for each in summary(server)) == 36


def summary(server: ConsoleServer) -> list[Any]:
    found: list[Any] = server.send("POST", f"{BASE}/scopes?limit=1000").json()["results"]
    return found


@pytest.mark.parametrize(
    ("action", "fields", "said"),
    [
        ("delete", [], "Nothing is chosen"),
        ("delete", [("pick", "nonsense")], "The form cannot be read"),
        ("tag", [("pick", "a:1")], "Name at least one"),
        ("tag", [("tags", " , ,")], "Name at least one"),
        ("tag", [("tags", "x" * 101)], "At most 50, of at most 100 characters each"),
        ("shift", [("amount", "0"), ("unit", "days")], "A whole number of hours, days or weeks"),
        ("shift", [("amount", "99999"), ("unit", "weeks")], "at most 3650 days"),
        ("shift", [("amount", "1"), ("unit", "fortnights")], "A whole number of hours"),
        ("shift", [("amount", "1.5"), ("unit", "days")], "A whole number of hours"),
    ],
)
def test_what_cannot_be_done_is_said(
    ann: Visitor, action: str, fields: list[tuple[str, str]], said: str
) -> None:
    """With what would do."""
    answer = ann.post(f"{CHANGE}/{action}", fields)

    assert answer.status_code == 422
    assert said in text_of(answer)


def test_a_date_beyond_time_is_left_alone(server: ConsoleServer, ann: Visitor) -> None:
    """The others are shifted."""
    far = server.create(pin_definitions=[pin(active_to="9999-12-31T00:00:00Z")])["id"]
    near = server.create(pin_definitions=[pin(active_to="2026-01-01T00:00:00Z")])["id"]

    place = confirmed(ann, "shift", [*everything(ann), ("amount", "1"), ("unit", "weeks")])

    assert "1 was left alone" in text_of(ann.get(place))
    ends = [server.get(each)["pin_definitions"][0]["active_to"] for each in (far, near)]
    assert ends == ["9999-12-31T00:00:00Z", "2026-01-08T00:00:00Z"]


def test_too_many_at_once_are_refused(server: ConsoleServer) -> None:
    """The bound is said."""
    server.create()
    (one,) = server.parts.service.shop(TRACKER).snapshot.rules.all()

    with pytest.raises(UsageFault, match="narrow the filter"):
        plan(Delete(), [one] * (CHANGED_MAX + 1))


def test_one_customization_is_changed_from_its_page(server: ConsoleServer, ann: Visitor) -> None:
    """And led back to; a deleted one to the list."""
    made = CustomizationId(server.create()["id"])
    page = ann.get(f"{LIST}/{made}")
    fields = [("pick", f"{made}:3"), ("back", made)]
    assert f'value="{made}:3"' in page.text

    place = confirmed(ann, "disable", fields)
    picks = everything(ann)
    gone = confirmed(ann, "delete", [*picks, ("back", made)])

    assert place.startswith(f"{LIST}/{made}?did=disable")
    assert gone.startswith(f"{LIST}?did=delete")

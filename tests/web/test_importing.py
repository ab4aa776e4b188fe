"""
Customizations from files: shown as a plan, applied whole or not at all, and undone.
"""

import io
import json
import re
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from openpyxl import Workbook

from endcap.accounts import ROLES
from endcap.errors import UsageFault
from endcap.planning.orders import Import, plan_order
from endcap.store.accounts import Upload
from endcap.web.imports import ImportPages
from tests.api.driver import TRACKER, ToldClock
from tests.web.driver import LIST, ConsoleServer, Visitor, hidden_of, text_of

IMPORT = f"/console/t/{TRACKER}/import"


def rule(name: str | None = None, position: int = 1, **members: Any) -> dict[str, Any]:
    body = {
        "model": "basket",
        "target_type": "item",
        "target_identity": "/p/telecaster",
        "tags": ["sale"],
        "pin_definitions": [{"position": position, "pin_type": "item", "pin_identity": "/p/strap"}],
        **members,
    }
    return body if name is None else {"name": name, **body}


def as_json(*rules: dict[str, Any]) -> bytes:
    return json.dumps(list(rules), indent=1).encode()


def as_csv(*names: str) -> bytes:
    head = "name,model,target_type,tags,position,pin_type,pin_identity\n"
    rows = (f'{name},basket,all,"[""sale""]",1,item,/p/strap\n' for name in names)
    return (head + "".join(rows)).encode()


def as_sheet(*names: str) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["name", "model", "target_type", "position", "pin_type", "pin_identity"])
    for name in names:
        sheet.append([name, "basket", "all", 1, "item", "/p/strap"])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


AS_YAML = b"""\
- name: first
  model: basket
  target_type: all
  tags: [sale]
  pin_definitions: [{position: 1, pin_type: item, pin_identity: /p/strap}]
"""


def brought(visitor: Visitor, content: bytes, name: str = "rules.json", **fields: Any) -> Any:
    """The answer to an upload: to the plan, or the form again."""
    visitor.get(IMPORT)
    return visitor.post_files(IMPORT, fields, {"file": (name, content)})


def planned(visitor: Visitor, content: bytes, name: str = "rules.json", **fields: Any) -> Any:
    return visitor.follow(brought(visitor, content, name, **fields))


def apply(visitor: Visitor, page: Any) -> Any:
    url = re.search(rf'action="({IMPORT}/[0-9a-f-]+)"', page.text)
    assert url is not None, text_of(page)
    return visitor.post(url[1], hidden_of(page))


def listed(server: ConsoleServer) -> list[Any]:
    found = server.send("POST", f"/v1/recommender/pin/{TRACKER}/scopes", {})
    return list(found.json()["results"])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (as_json(rule("first")), "rules.json"),
        (as_csv("first"), "rules.csv"),
        (AS_YAML, "rules.yaml"),
        (as_sheet("first"), "rules.xlsx"),
    ],
)
def test_a_file_is_shown_before_it_is_applied(
    server: ConsoleServer, ann: Visitor, content: bytes, name: str
) -> None:
    """In any of four formats: nothing is written until that is said, and then all of it."""
    page = planned(ann, content, name)

    assert page.status_code == 200
    assert "1 new 0 changed 0 deleted 0 as they should be already" in text_of(page)
    assert "Pinned: " in text_of(page)
    assert listed(server) == []

    done = ann.follow(apply(ann, page))

    assert "Done: 1 created." in text_of(done)
    (made,) = listed(server)
    assert (made["model"], made["creator"]) == ("basket", "ann")


def test_a_change_is_told_as_people_read_it(server: ConsoleServer, ann: Visitor) -> None:
    """With titles of the catalog, what was and what would be, and where the file says it."""
    apply(ann, planned(ann, as_json(rule("first"))))

    page = planned(ann, as_json(rule("first", position=4), rule("second")))

    said = text_of(page)
    assert "1 new 1 changed 0 deleted" in said
    assert "slot 1 → slot 4" in said
    assert "line 2, first" in said


def test_the_second_time_there_is_nothing_to_do(ann: Visitor) -> None:
    """Of the same file; and of the same plan, sent twice by an impatient hand."""
    page = planned(ann, as_json(rule("first")))
    apply(ann, page)

    twice = apply(ann, page)
    again = planned(ann, as_json(rule("first")))

    assert twice.status_code == 409
    assert "Nothing was written" in text_of(twice)
    assert "By now everything is as it should be" in text_of(twice)
    assert "Nothing to change" in text_of(again)
    assert 'name="confirmed"' not in again.text


def test_a_nameless_file_comes_to_the_same_plan_twice(server: ConsoleServer, ann: Visitor) -> None:
    """Its customizations have no ids of their own: whichever worker plans it gives them the same."""
    page = planned(ann, as_json(rule(), rule(tags=["other"])))
    forget_plans(server.console)

    apply(ann, page)

    assert len(listed(server)) == 2


def forget_plans(console: Any) -> None:
    """As in a worker that has not made the plan."""
    for route in console.routes:
        owner = getattr(route.answer, "__self__", None)
        if isinstance(owner, ImportPages):
            owner._plans._kept.clear()


def test_one_mistake_refuses_the_whole_file(server: ConsoleServer, ann: Visitor) -> None:
    """Each is told with its line; nothing can be applied, not even by hand."""
    broken = {**rule("second"), "pin_definitions": [{"position": 1, "pin_type": "item"}]}
    slip = rule("third", active_to="2025-01-01T00:00:00Z")

    page = planned(ann, as_json(rule("first"), broken, slip))
    said = text_of(page)

    assert "This cannot be done yet" in said
    assert "2 refused" in said
    assert "Refused line" in said
    assert "pin_identity" in said
    assert "active_to: belongs to a pin" in said
    assert 'name="confirmed"' not in page.text
    url = f"{IMPORT}/{re.search(r'/import/([0-9a-f-]{36})', page.text)[1]}"  # type: ignore[index]
    assert ann.post(url, {"confirmed": "", "revision": "1"}).status_code == 409
    assert listed(server) == []


def test_a_stale_plan_says_what_was_changed(
    server: ConsoleServer, ann: Visitor, clock: ToldClock
) -> None:
    """Somebody wrote meanwhile what it would change: nothing is written, and it is asked again."""
    apply(ann, planned(ann, as_json(rule("first"))))
    page = planned(ann, as_json(rule("first", position=4)))
    (made,) = listed(server)
    clock.advance(60)
    server.send("PUT", f"/v1/recommender/pin/{TRACKER}/scope/{made['id']}", rule(tags=["theirs"]))
    clock.advance(60)

    stale = apply(ann, page)
    said = text_of(stale)

    assert stale.status_code == 409
    assert "is not as it was when you were shown this" in said
    assert "Changed 1 customization, by api , 1 minute ago" in said
    assert "No longer tagged theirs" in said
    assert listed(server)[0]["tags"] == ["theirs"]

    done = ann.follow(apply(ann, stale))

    assert "Done: 1 changed." in text_of(done)
    assert listed(server)[0]["tags"] == ["sale"]


def test_what_is_changed_elsewhere_leaves_a_plan_as_it_is(
    server: ConsoleServer, ann: Visitor
) -> None:
    """Feeds write every few minutes: only what the plan touches counts."""
    page = planned(ann, as_json(rule("first")))
    server.create()
    forget_plans(server.console)

    assert "Done: 1 created." in text_of(ann.follow(apply(ann, page)))


def test_what_was_applied_is_undone_as_one(
    server: ConsoleServer, ann: Visitor, clock: ToldClock
) -> None:
    """By the button of the message, after a look at what that would change."""
    apply(ann, planned(ann, as_json(rule("keep"), rule("change"))))
    clock.advance(60)
    before = {each["id"]: each["pin_definitions"] for each in listed(server)}
    page = planned(ann, as_json(rule("keep"), rule("change", position=2), rule("new")))
    done = ann.follow(apply(ann, page))

    link = re.search(r'href="([^"]*/changes/undo\?revision=\d+)"', done.text)
    assert link is not None
    question = ann.get(link[1])
    assert "1 customization changes back" in text_of(question)
    ann.post(f"/console/t/{TRACKER}/changes/undo", hidden_of(question))

    assert {each["id"]: each["pin_definitions"] for each in listed(server)} == before


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({}, {"sale", "winter", "new"}),
        ({"scope": "tag", "scope_tags": "winter"}, {"sale", "new"}),
        ({"scope": "model", "scope_models": "basket"}, {"new"}),
        ({"scope": "all"}, {"new"}),
    ],
)
def test_only_what_the_scope_names_is_deleted(
    server: ConsoleServer, ann: Visitor, fields: dict[str, str], left: set[str]
) -> None:
    """By tag, by recommender, or all that the file does not name; by default nothing."""
    apply(ann, planned(ann, as_json(rule("one"), rule("two", tags=["winter"]))))

    page = planned(ann, as_json(rule("three", tags=["new"])), **fields)
    apply(ann, page)

    assert {tag for each in listed(server) for tag in each["tags"]} == left
    assert ("would be deleted" in text_of(page)) is bool(fields)


def test_an_empty_file_deletes_nothing(server: ConsoleServer, ann: Visitor) -> None:
    """It is more likely the wrong one; the scope that was typed is still in the form."""
    apply(ann, planned(ann, as_json(rule("one"))))

    page = planned(ann, b"[]", scope="tag", scope_tags="sale")

    assert page.status_code == 422
    assert "rules.json holds no customization, so all 1 of the scope would be deleted" in text_of(
        page
    )
    assert 'name="scope_tags" value="sale"' in page.text


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "rules.csv", "is empty"),
        (b"PK\x03\x04 no workbook", "rules.xlsx", "is not a workbook that can be read"),
        (b"\x1f\x8b\x08 zipped", "rules.json.gz", "is compressed"),
        (b"PAR1....", "rules.parquet", "is Parquet"),
        (b"model,model\n1,2\n", "rules.csv", "has more than one column"),
        ("größe".encode("latin-1"), "rules.csv", "is not UTF-8"),
    ],
)
def test_what_is_no_file_of_customizations_is_said(
    server: ConsoleServer, ann: Visitor, content: bytes, name: str, said: str
) -> None:
    """By the name that its author knows it by, on the form where another one can be chosen."""
    page = planned(ann, content, name)

    assert page.status_code == 422
    assert f"{name} {said}" in text_of(page)
    assert 'type="file"' in page.text
    assert listed(server) == []


def test_a_form_without_a_file_is_refused(ann: Visitor) -> None:
    """And a scope without its tag; what was chosen stays chosen."""
    ann.get(IMPORT)
    nothing = ann.post_files(IMPORT, {"scope": "all"}, {})
    no_tag = brought(ann, AS_YAML, "rules.yaml", scope="tag")
    no_model = brought(ann, AS_YAML, "rules.yaml", scope="model")

    assert [each.status_code for each in (nothing, no_tag, no_model)] == [422] * 3
    assert "Choose a file" in text_of(nothing)
    assert re.search(r'value="all" checked', nothing.text)
    assert "No tag was given" in text_of(no_tag)
    assert "No recommender is chosen" in text_of(no_model)


def test_customizations_of_a_file_are_bounded(server: ConsoleServer) -> None:
    """One more than may be is refused before anything is compared."""
    content = as_json(rule("a"), rule("b"), rule("c"))
    facts = msgspec.json.encode(Import("rules.json"))
    upload = Upload(str(uuid4()), "ann", TRACKER, server.parts.service.clock(), facts, content)
    planned_within = partial(plan_order, server.parts.store, upload, objection=lambda _: None)

    assert planned_within(count_max=3).read == 3
    with pytest.raises(UsageFault, match="At most 2 customizations can be imported here"):
        planned_within(count_max=2)


def test_a_file_is_bounded(ann: Visitor) -> None:
    """In bytes, and in what it says once it is spelled out."""
    note = "x" * 5_000
    repeated = f"x-note: &note {{note: {note}}}\ncustomizations:\n" + "".join(
        "- {model: basket, target_type: all, tags: [], pin_definitions: [], target_metadata: *note}\n"
        for _ in range(2_500)
    )
    too_long = planned(ann, repeated.encode(), "rules.yaml")
    too_large = brought(ann, b"x" * 22_000_000)

    assert "more than ten times as long as the file" in text_of(too_long)
    assert too_large.status_code == 413


def test_a_plan_has_pages(server: ConsoleServer, ann: Visitor) -> None:
    """Fifty steps each, and a tab for each kind; numbers are of all."""
    page = planned(ann, as_csv(*(f"rule-{number}" for number in range(120))), "rules.csv")
    url = f"{IMPORT}/{re.search(r'/import/([0-9a-f-]{36})', page.text)[1]}"  # type: ignore[index]

    last = ann.get(f"{url}?show=create&page=3")

    assert "120 new" in text_of(last)
    assert "Page 3 of 3" in text_of(last)
    assert page.text.count('class="will-create"') == 50
    assert last.text.count('class="will-create"') == 20


def test_a_plan_is_its_authors_alone(server: ConsoleServer, ann: Visitor) -> None:
    """Neither a colleague nor another tracker is shown it; a form from elsewhere applies nothing."""
    page = planned(ann, as_json(rule("first")))
    id_ = re.search(r"/import/([0-9a-f-]{36})", page.text)[1]  # type: ignore[index]
    server.create_user("bob", "admin")
    server.create_tracker("other-shop")
    bob = Visitor(server)
    bob.sign_in("bob")

    answers = [
        bob.get(f"{IMPORT}/{id_}"),
        ann.get(f"/console/t/other-shop/import/{id_}"),
        bob.post(f"{IMPORT}/{id_}", hidden_of(page)),
    ]

    assert {each.status_code for each in answers} <= {403, 422}
    assert "is not kept any more" in text_of(answers[0])
    assert (
        ann.post(f"{IMPORT}/{id_}", hidden_of(page), Origin="http://evil.test").status_code == 403
    )
    assert listed(server) == []


def test_a_plan_waits_for_an_hour(ann: Visitor, clock: ToldClock) -> None:
    """And beside two others."""
    pages = []
    for name in ("a", "b", "c", "d"):
        pages.append(planned(ann, as_json(rule(name))))
        clock.advance(1)
    urls = [
        f"{IMPORT}/{re.search(r'/import/([0-9a-f-]{36})', page.text)[1]}"  # type: ignore[index]
        for page in pages
    ]

    now = [ann.get(url).status_code for url in urls]
    clock.advance(3_600)
    later = [ann.get(url).status_code for url in urls]

    assert now == [422, 200, 200, 200]
    assert later == [422] * 4


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_who_may_not_publish_may_not_import(server: ConsoleServer, role: str) -> None:
    """It is refused before the file is looked at, and no page offers it."""
    server.create_user("eve", role)
    eve = Visitor(server)
    eve.sign_in("eve")

    assert eve.post_files(IMPORT, {}, {"file": ("r.json", as_json(rule()))}).status_code == 403
    assert f'href="{IMPORT}"' not in eve.get(LIST).text


def test_a_role_that_is_taken_away_stops_a_plan(server: ConsoleServer, ann: Visitor) -> None:
    """Between being shown it and saying yes."""
    page = planned(ann, as_json(rule("first")))
    server.parts.accounts.give_role("ann", "*", ROLES["editor"], actor="test")

    assert apply(ann, page).status_code == 403
    assert listed(server) == []


def test_a_body_that_is_no_form_is_refused(ann: Visitor) -> None:
    """Cut short, without a boundary, with text that is not UTF-8, or compressed."""
    ann.get(IMPORT)
    head = b'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n'
    bodies = [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=b", head + b"x"),
        ("multipart/form-data; boundary=b", head + b"\xff\r\n--b--\r\n"),
        ("text/plain", b"csrf=x"),
    ]
    sent = {"Origin": "http://endcap.test"}

    statuses = [
        ann._send("POST", IMPORT, body, {**sent, "Content-Type": kind}).status_code
        for kind, body in bodies
    ]

    assert statuses == [400, 400, 400, 415]


def test_a_model_that_nobody_knows_is_refused_where_that_is_set(tmp_path: Any) -> None:
    """As it is by the API."""
    server = ConsoleServer(
        tmp_path / "strict", ToldClock("2025-01-22T08:49:58Z"), unknown_models="refuse"
    )
    server.create_tracker()
    server.create_user("ann")
    ann = Visitor(server)
    ann.sign_in()

    page = planned(ann, as_json(rule("first", model="no-such")))

    assert "Unknown recommender: no-such" in text_of(page)
    server.close()

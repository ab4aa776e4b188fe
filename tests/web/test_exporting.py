"""
What a list shows as a file, and copying it to another tracker.
"""

import csv
import io
import json
import re
from html import escape
from typing import Any

import pytest
import yaml
from openpyxl import load_workbook

from endcap.accounts import ROLES
from tests.api.driver import BASE, TRACKER, ToldClock
from tests.web import test_importing as importing
from tests.web.driver import LIST, ConsoleServer, Visitor, hidden_of, picks_of, text_of

EXPORT = f"/console/t/{TRACKER}/export"
COPY = f"/console/t/{TRACKER}/copy"
OTHER = "other-shop"
FORMATS = ("csv", "xlsx", "json", "yaml")


def ids_in(content: bytes, format: str) -> list[str]:
    """Of each customization in a file, once."""
    if format == "csv":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        return list(dict.fromkeys(row["id"] for row in rows))
    if format == "xlsx":
        sheet = load_workbook(io.BytesIO(content)).worksheets[0]
        values = list(sheet.iter_rows(values_only=True))
        return list(dict.fromkeys(str(row[0]) for row in values[1:]))
    loaded = json.loads(content) if format == "json" else yaml.safe_load(content)["customizations"]
    return [each["id"] for each in loaded]


@pytest.fixture
def made(server: ConsoleServer, clock: ToldClock) -> list[str]:
    """Three customizations, two of them tagged sale; their ids, oldest first."""
    ids = []
    for tags in (["sale"], ["winter"], ["sale", "winter"]):
        ids.append(server.create(**importing.rule(tags=tags))["id"])
        clock.advance(1)
    return ids


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_filtered_is_exported(ann: Visitor, made: list[str], format: str) -> None:
    """All of it, in the order of the list, as a file with a name; and the same file imports to no change."""
    whole = ann.get(f"{EXPORT}?format={format}")
    filtered = ann.get(f"{EXPORT}?format={format}&tag=sale&sort=created")

    assert ids_in(whole.content, format) == made[::-1]
    assert ids_in(filtered.content, format) == [made[0], made[2]]
    assert (
        whole.headers["content-disposition"]
        == f'attachment; filename="customizations-{TRACKER}-2025-01-22.{format}"'
    )
    again = importing.planned(ann, whole.content, f"export.{format}")
    assert "Nothing to change" in text_of(again)


def test_a_list_links_to_its_own_export(ann: Visitor, made: list[str]) -> None:
    """With the filters that it shows, and the page left out."""
    page = ann.get(f"{LIST}?tag=sale&q=strap")

    links = re.findall(r'href="([^"]*/export[^"]*)"', page.text)
    assert [each.partition("?")[0] for each in links] == [EXPORT] * 4
    answer = ann.get(links[0].replace("&amp;", "&"))
    assert ids_in(answer.content, "csv") == [made[2], made[0]]


def test_a_long_export_comes_in_pieces(server: ConsoleServer, ann: Visitor) -> None:
    """More customizations than are read at once, each of them once."""
    content = importing.as_csv(*(f"rule-{number}" for number in range(1_201)))
    importing.apply(ann, importing.planned(ann, content, "rules.csv"))

    answer = ann.get(f"{EXPORT}?format=json")

    assert len(set(ids_in(answer.content, "json"))) == 1_201
    assert "content-length" not in answer.headers


def test_what_a_spreadsheet_cannot_hold_is_said(server: ConsoleServer, ann: Visitor) -> None:
    """While there is a page to say it on, and not in the middle of a file."""
    server.create(**importing.rule(target_metadata={"note": "x" * 40_000}))

    answer = ann.get(f"{EXPORT}?format=xlsx")

    assert answer.status_code == 422
    assert "A cell of a sheet cannot hold" in text_of(answer)


def test_an_unknown_format_is_refused(ann: Visitor) -> None:
    """With those that there are."""
    answer = ann.get(f"{EXPORT}?format=pdf")

    assert answer.status_code == 422
    assert "Must be one of csv, xlsx, json, yaml" in text_of(answer)


def test_who_may_look_may_export(server: ConsoleServer, made: list[str]) -> None:
    """And nobody else: a tracker of others is not there."""
    server.create_user("vic", "viewer", TRACKER)
    server.create_user("eve", "admin", OTHER)
    vic, eve = Visitor(server), Visitor(server)
    vic.sign_in("vic")
    eve.sign_in("eve")

    assert vic.get(EXPORT).status_code == 200
    assert eve.get(EXPORT).status_code == 404


# To another tracker


@pytest.fixture
def other(server: ConsoleServer) -> str:
    server.create_tracker(OTHER)
    return OTHER


def copied(visitor: Visitor, fields: dict[str, Any], files: Any = None) -> Any:
    """The answer to the form of copying."""
    return visitor.post_files(f"{COPY}/plan", {"target": OTHER, **fields}, files or {})


def apply(visitor: Visitor, page: Any) -> Any:
    url = re.search(rf'action="(/console/t/{OTHER}/import/[0-9a-f-]+)"', page.text)
    assert url is not None, text_of(page)
    return visitor.post(url[1], hidden_of(page))


def listed(server: ConsoleServer, tracker: str = OTHER) -> dict[str, Any]:
    target = f"/v1/recommender/pin/{tracker}/scopes"
    found = server.send("POST", target, {}, tracker=tracker).json()["results"]
    return {each["id"]: each for each in found}


def test_what_is_filtered_is_copied(
    server: ConsoleServer, ann: Visitor, made: list[str], other: str
) -> None:
    """To be looked at in the other tracker, and applied there; a second copy changes nothing."""
    form = ann.get(f"{COPY}?tag=sale")
    assert "Copy 2 customizations to another tracker" in text_of(form)

    page = ann.follow(copied(ann, {"query": "tag=sale"}))
    assert "2 new" in text_of(page)
    assert listed(server) == {}
    done = ann.follow(apply(ann, page))

    assert "Done: 2 created." in text_of(done)
    assert set(listed(server)) == {made[0], made[2]}
    assert "Nothing to change" in text_of(ann.follow(copied(ann, {"query": "tag=sale"})))


def test_what_is_chosen_is_copied(
    server: ConsoleServer, ann: Visitor, made: list[str], other: str
) -> None:
    """By ticks in the list; what is not ticked stays."""
    picks = picks_of(ann.get(f"{LIST}?sort=created"))[:1]
    form = ann.follow(ann.post(COPY, [("pick", each) for each in picks]))
    ids = re.findall(r'name="id" value="([^"]+)"', form.text)

    apply(ann, ann.follow(copied(ann, {"id": ids})))

    assert set(listed(server)) == {made[0]}
    nothing = ann.post(COPY, {"query": "tag=sale"})
    assert nothing.status_code == 422
    assert "Nothing is chosen" in text_of(nothing)


@pytest.mark.parametrize("way", ["file", "pasted", "without names"])
def test_items_have_other_names_there(
    server: ConsoleServer, ann: Visitor, made: list[str], other: str, way: str
) -> None:
    """By a table that is uploaded or pasted; from a spreadsheet it comes with tabs, and maybe without a heading."""
    pairs = "/p/telecaster,/cz/tele\n/p/strap,/cz/strap\n"
    ann.get(COPY)
    match way:
        case "file":
            page = copied(ann, {}, {"map": ("map.csv", f"from,to\n{pairs}".encode())})
        case "pasted":
            page = copied(ann, {"identities": f"from,to\r\n{pairs}"})
        case _:
            page = copied(ann, {"identities": pairs.replace(",", "\t")})

    apply(ann, ann.follow(page))

    found = listed(server)[made[0]]
    assert found["target_identity"] == "/cz/tele"
    assert found["pin_definitions"][0]["pin_identity"] == "/cz/strap"


def test_items_without_a_name_there_are_refused_or_kept(
    server: ConsoleServer, ann: Visitor, made: list[str], other: str
) -> None:
    """As it was asked; each is named, with how often."""
    ann.get(COPY)
    fields = {"identities": "/p/telecaster,/cz/tele"}
    refused = ann.follow(copied(ann, fields))
    kept = ann.follow(copied(ann, {**fields, "unmapped": "keep"}))

    assert "3 refused" in text_of(refused)
    assert "/p/strap is not in the map" in text_of(refused)
    assert "Not in the map: /p/strap (3 times)" in text_of(kept)
    apply(ann, kept)
    assert listed(server)[made[0]]["pin_definitions"][0]["pin_identity"] == "/p/strap"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"target": ""}, "No tracker to copy to is chosen"),
        ({"target": TRACKER}, "No tracker to copy to is chosen"),
        ({"target": "no-such"}, "No tracker to copy to is chosen"),
        ({"identities": "a,b,c\n1,2,3"}, "must be a table (CSV) of two columns"),
        ({"identities": "from,to\n/p/1,\n/p/2,x\n"}, "line 2 : must say both from and to"),
        ({"query": "tag=nowhere"}, "There is nothing to copy"),
    ],
)
def test_what_cannot_be_copied_is_said(
    ann: Visitor, made: list[str], other: str, fields: dict[str, str], said: str
) -> None:
    """On the form, with what was typed."""
    ann.get(COPY)
    answer = copied(ann, fields)

    assert answer.status_code == 422
    assert said in text_of(answer)
    assert escape(fields.get("identities", "")) in answer.text


def test_copying_takes_a_role_in_both(
    server: ConsoleServer, ann: Visitor, made: list[str], other: str
) -> None:
    """To look here, and to publish there, also when it is applied."""
    accounts = server.parts.accounts
    server.create_user("bob", "viewer", TRACKER)
    accounts.give_role("bob", OTHER, ROLES["editor"], actor="test")
    bob = Visitor(server)
    bob.sign_in("bob")

    assert "You may change no other tracker" in text_of(bob.get(COPY))
    assert copied(bob, {}).status_code == 422
    accounts.give_role("bob", OTHER, ROLES["publisher"], actor="test")
    page = bob.follow(copied(bob, {}))
    accounts.give_role("bob", TRACKER, None, actor="test")
    assert apply(bob, page).status_code == 404
    accounts.give_role("bob", TRACKER, ROLES["viewer"], actor="test")
    assert apply(bob, page).status_code == 303
    assert len(listed(server)) == 3


def test_a_form_is_filled_in_again(ann: Visitor, made: list[str], other: str) -> None:
    """From the plan that was refused, with what was typed and chosen; another user's is empty."""
    ann.get(COPY)
    fields = {"id": made[:1], "query": "tag=sale", "identities": "a,b", "unmapped": "refuse"}
    page = ann.follow(copied(ann, fields))
    link = re.search(r'href="([^"]*/copy\?again=[^"]*)"', page.text)
    assert link is not None

    form = ann.get(link[1])

    assert "Copy 1 customization to another tracker" in text_of(form)
    assert ">a,b</textarea>" in form.text
    assert f'<option value="{OTHER}" selected>' in form.text


def test_what_is_deleted_meanwhile_is_told(
    server: ConsoleServer, ann: Visitor, made: list[str], other: str
) -> None:
    """Between choosing and looking at the plan."""
    ann.get(COPY)
    answer = copied(ann, {})
    server.send("DELETE", f"{BASE}/scope/{made[0]}")

    assert "1 of 3 chosen are gone" in text_of(ann.follow(answer))

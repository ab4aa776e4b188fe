"""
The page on which a customization is edited and seen: what it shows is what shoppers get once it is saved.
"""

import json
import re
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.json import decode

from endcap.web.visits import FIELDS_MAX
from tests.api.driver import RECOMMEND, TRACKER, ToldClock, catalog, customization, pin
from tests.choices import combined, merged, rarely
from tests.web.driver import LIST, ConsoleServer, Visitor, text_of
from tests.web.forms_read import form_of
from tests.web.test_past import tags
from tests.web.test_roles import visitor_of

NEW = f"/console/t/{TRACKER}/drafts/new"
ITEMS = ("/p/123", "/p/124", "/p/125", "/p/126", "/p/555", "/p/900")
Fields = list[tuple[str, str]]


def opened(visitor: Visitor, path: str) -> Fields:
    answer = visitor.get(path)
    assert answer.status_code == 200, text_of(answer)
    return form_of(answer.text)


def with_(fields: Fields, **changes: str) -> Fields:
    """Other values for fields; dashes are written as underscores."""
    wanted = {name.replace("__", "-"): value for name, value in changes.items()}
    return [pair for pair in fields if pair[0] not in wanted] + list(wanted.items())


def shown(answer: httpx2.Response) -> list[str]:
    """The identities in the slots of the trial."""
    return [
        unescape(each)
        for each in re.findall(r'data-slot="\d+" data-drag data-identity="([^"]*)"', answer.text)
    ]


def attempt(visitor: Visitor, id: str, fields: Fields, **headers: str) -> httpx2.Response:
    answer = visitor.post(f"{LIST}/{id}/try", fields, **headers)
    assert answer.status_code == 200, text_of(answer)
    return answer


def recommended(server: ConsoleServer, **wish: Any) -> list[str]:
    answer = server.send(
        "POST", RECOMMEND, [{"recommendation_type": "test_reco", **wish}], signed=False
    )
    assert answer.status_code == 200, answer.text
    return [hit["url"] for hit in answer.json()[0]["hits"]]


def test_opening_and_saving_keeps_every_byte(server: ConsoleServer, ann: Visitor) -> None:
    """As the page shows it and a browser sends it: notes over lines, windows with zones, criteria with spaces."""
    body = customization(
        tags=["a", "b, c"],
        target_metadata={"notes": "\none\n\ntwo", "x": [1, {"y": None}]},
        disabled=True,
        pin_definitions=[
            pin(position=3, is_block_pin=True),
            pin("/p/124", -1, active_from="2025-01-01T00:00:00.5+02:00", is_bundle_pin=False),
            {
                "position": 2,
                "pin_type": "criteria",
                "pin_criteria": {"or": [{"and": [{"a": 1}, {"b": 2}]}, {"c": 3}]},
            },
            {
                "position": 4,
                "pin_type": "criteria",
                "pin_criteria": {"brand": {"values": ["Fender"]}},
            },
        ],
    )
    made = server.send(
        "POST", f"/v1/recommender/pin/{TRACKER}/scope", json.dumps(body, indent=2).encode()
    ).json()["id"]
    before = server.parts.store.customization(server.parts.mirror.shops()[TRACKER].tracker, made)

    done = ann.post(f"{LIST}/{made}/edit", with_(opened(ann, f"{LIST}/{made}/edit"), do="publish"))

    assert done.status_code == 303
    after = server.parts.store.customization(server.parts.mirror.shops()[TRACKER].tracker, made)
    assert before is not None
    assert after is not None
    assert (after.document, after.metadata, after.disabled) == (
        before.document,
        before.metadata,
        True,
    )
    assert after.revision > before.revision


WISHES = combined(
    model=("test_reco",),
    target=(
        {"target_type": "all"},
        {"target_type": "item", "target_identity": "/p/123"},
        {"target_type": "criteria", "target_criteria": {"brand": "Fender"}},
        {
            "target_type": "criteria",
            "target_criteria": {"identity": {"values": ["/p/123", "/p/126"]}},
        },
    ),
    disabled=rarely(True, one_in=8),
)
PINS = combined(
    position=(1, 1, 2, 3, 4, -1, 0),
    wish=[
        *({"pin_type": "item", "pin_identity": each} for each in (*ITEMS, "/p/gone")),
        {"pin_type": "criteria", "pin_criteria": {"brand": "Fender"}},
        {"pin_type": "criteria", "pin_criteria": {"price_amount": {"values": ["300|999"]}}},
    ],
    window=rarely(
        {"active_from": "2025-01-22T09:00:00Z"}, {"active_to": "2025-01-22T09:00:00Z"}, one_in=4
    ),
    widget_id=rarely("top", "side", one_in=5),
    is_bundle_pin=rarely(True, one_in=5),
).map(lambda drawn: merged(drawn, "wish", "window"))
BODIES = st.builds(
    lambda head, pins: {**merged(head, "target"), "pin_definitions": pins},
    WISHES,
    st.lists(PINS, max_size=4),
)
SCENES = combined(
    input=("/p/123", "/p/126", "/p/124"),
    widget=rarely("top", one_in=2),
    size=(2, 4, 10),
    at=(None, "2025-01-22T09:30"),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One server for many examples, at a moment between the windows."""
    clock = ToldClock("2025-01-22T08:49:58.123456Z")
    server = ConsoleServer(tmp_path_factory.mktemp("tried"), clock)
    server.create_tracker()
    server.put_objects(*catalog())
    server.create_user("ann")
    visitor = Visitor(server)
    visitor.sign_in()
    yield server, visitor, clock
    server.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(others=st.lists(BODIES, max_size=2), before=st.none() | BODIES, body=BODIES, scene=SCENES)
def test_what_is_tried_is_what_shoppers_get_after_saving(
    shared: tuple[ConsoleServer, Visitor, ToldClock],
    others: Sequence[Any],
    before: Any,
    body: Any,
    scene: Mapping[str, Any],
) -> None:
    """The same items in the same slots, for new ones and changed ones, in any scene; nothing is written by trying."""
    server, ann, clock = shared
    clock.tell("2025-01-22T08:49:58Z")
    made = [server.create(**each)["id"] for each in others]
    asked = {
        "item_ids": [scene["input"]],
        "size": scene["size"],
        "recommender_client_identifier": scene.get("widget"),
    }
    seen = [
        ("s-input", scene["input"]),
        ("s-size", str(scene["size"])),
        ("s-widget", scene.get("widget", "")),
        ("s-at", scene.get("at") or ""),
    ]
    if before is None:
        form = opened(ann, NEW)
        id_ = re.findall(rf'action="{LIST}/([0-9a-f-]+)/edit"', ann.get(NEW).text)[0]
    else:
        id_ = server.create(**before)["id"]
        form = opened(ann, f"{LIST}/{id_}/edit")
    draft = ann.post(
        f"{LIST}/{id_}/json", {**dict(form), "document": json.dumps(body), "do": "save"}
    )
    assert draft.status_code == 303, text_of(draft)
    fields = [pair for pair in opened(ann, f"{LIST}/{id_}/edit") if not pair[0].startswith("s-")]
    revision = server.parts.mirror.shops()[TRACKER].revision

    tried = attempt(ann, id_, [*fields, *seen], endcap_part="1")

    assert server.parts.mirror.shops()[TRACKER].revision == revision
    done = ann.post(f"{LIST}/{id_}/edit", [*fields, ("do", "publish")])
    assert done.status_code == 303, text_of(done)
    if scene.get("at"):
        clock.tell(f"{scene['at']}:00Z")
    assert shown(tried) == recommended(server, **asked)
    for each in (*made, id_):
        assert (
            server.send("DELETE", f"/v1/recommender/pin/{TRACKER}/scope/{each}").status_code == 204
        )


def test_every_slot_and_every_pin_says_why(server: ConsoleServer, ann: Visitor) -> None:
    """Also what comes from another customization, and what is not shown."""
    other = server.create(
        target_type="all", target_identity=None, pin_definitions=[pin("/p/126", 2)]
    )["id"]
    made = server.create(
        pin_definitions=[
            pin("/p/555"),
            pin("/p/900", 3),
            pin("/p/555", 5),
            pin("/p/125", 0),
            pin("/p/gone", 4),
        ]
    )["id"]

    page = ann.get(f"{LIST}/{made}/edit")

    told = text_of(page)
    assert shown(page) == ["/p/555", "/p/126", "/p/124"]
    for sentence in (
        "Shown in slot 1",
        "Unavailable sold out, or outside its own dates",
        "Pinned twice pinned already by pin 1",
        "Keeps out removed 1 of the items met",
        "Not in the catalog no item has this identity",
        "pin 1 of “Every page”",
        "recommender, place 2",
        "On the page of /p/123, 22 Jan 2025, 08:49 UTC, for a shopper who is not known.",
    ):
        assert sentence in told
    assert f'href="{LIST}/{other}"' in page.text


def test_before_and_after(server: ConsoleServer, ann: Visitor) -> None:
    """Side by side where that is asked for; what changes is told in words."""
    fields = with_(opened(ann, f"{NEW}?model=test_reco&item=/p/123&pin=/p/126"), s__compare="1")
    answer = text_of(attempt(ann, "00000000-0000-4000-8000-000000000000", fields, endcap_part="1"))

    now, _, would = answer.partition("With what you type")
    assert "What shoppers get now" in now
    assert "Moved moves to slot 1" in now
    assert "Moved from slot 3 pin 1" in would
    assert "Moved from slot 1" in would


def test_typing_tells_what_is_wrong_and_not_what_is_missing(ann: Visitor) -> None:
    """Nobody wants to be told at once that an empty field is empty."""
    fields = with_(opened(ann, NEW), model="test_reco", tags='"a', do="")
    answer = attempt(ann, "00000000-0000-4000-8000-000000000000", fields, endcap_part="1")

    faults = re.findall(r"<dt>([^<]+)</dt><dd>", answer.text)
    assert faults == ["tags"]
    assert "What you type is not whole yet" in text_of(answer)


def test_a_button_brings_the_whole_form_back(server: ConsoleServer, ann: Visitor) -> None:
    """With what was typed beside, and what it did in the live region; with and without a script."""
    made = server.create()["id"]
    fields = with_(opened(ann, f"{LIST}/{made}/edit"), tags="typed", do="place:1:/p/126")

    answer = attempt(ann, made, fields)

    after = dict(form_of(answer.text))
    assert (after["p0-item"], after["p0-slot"]) == ("/p/555", "2")
    assert (after["p1-item"], after["p1-slot"], after["tags"]) == ("/p/126", "1", "typed")
    assert 'aria-live="polite">/p/126 was pinned to slot 1</p>' in answer.text
    assert shown(answer)[:2] == ["/p/126", "/p/555"]
    assert tags(server, made) == []


def test_faults_are_beside_their_fields(server: ConsoleServer, ann: Visitor) -> None:
    """All at once, those of the wire too; what was typed is there."""
    fields = with_(
        opened(ann, f"{NEW}?item=/p/123&pin=/p/126"),
        model="m" * 101, p0__slot="x", tags=", ".join(f"tag-{number}" for number in range(51)), do="save",
    )  # fmt: skip
    path = f"{LIST}/00000000-0000-4000-8000-000000000000/edit"
    first = ann.post(path, fields)
    second = ann.post(path, with_(fields, p0__slot="1"))

    assert first.status_code == second.status_code == 422
    assert "Pin 1: A slot is a number from 1 to 1,000" in text_of(first)
    told = text_of(second)
    assert "Must have at most 100 characters" in told
    assert "Must be at most 50" in told
    assert dict(form_of(second.text))["model"] == "m" * 101
    assert re.search(r'id="model"[^>]*aria-invalid="true"', second.text)


def test_faults_of_pins_name_the_pin(server: ConsoleServer, ann: Visitor) -> None:
    """By its number in the form, also where another one is left out."""
    fields = with_(
        opened(ann, f"{NEW}?model=test_reco&item=/p/123&pin=/p/126"),
        p1__place="slot", p1__slot="2", p1__what="item", p1__item="x" * 2_001, do="save",
    )  # fmt: skip
    answer = ann.post(f"{LIST}/00000000-0000-4000-8000-000000000000/edit", fields)

    assert answer.status_code == 422
    assert 'id="fault-p1-item">Must have at most 2000 characters</span>' in answer.text


def test_a_form_that_cannot_show_it_gives_way_to_json(server: ConsoleServer, ann: Visitor) -> None:
    """And says why."""
    made = server.create(pin_definitions=[pin(position=each) for each in range(1, 150)])["id"]

    answer = ann.get(f"{LIST}/{made}/edit")

    assert answer.headers["location"] == f"{LIST}/{made}/json"
    assert "It has 149 pins; a form shows 100. So it is edited as JSON." in text_of(
        ann.follow(answer)
    )
    assert "Edit in a form" in text_of(ann.get(f"{LIST}/{server.create()['id']}/json"))


def test_the_longest_form_can_be_sent(server: ConsoleServer, ann: Visitor) -> None:
    """Of as many pins as a form shows, with what a browser sends of each."""
    pins = [
        pin(f"/p/{number}", number, widget_id="top", is_bundle_pin=True) for number in range(1, 101)
    ]
    made = server.create(tags=["old"], pin_definitions=pins)["id"]

    fields = with_(opened(ann, f"{LIST}/{made}/edit"), tags="new", do="publish")

    assert 1_000 < len(fields) < FIELDS_MAX
    assert ann.post(f"{LIST}/{made}/edit", fields).status_code == 303
    assert server.get(made)["pin_definitions"] == pins
    assert tags(server, made) == ["new"]


def test_two_editors(server: ConsoleServer, ann: Visitor) -> None:
    """The second sees both versions, and nothing typed is lost."""
    made = server.create(tags=["old"])["id"]
    fields = opened(ann, f"{LIST}/{made}/edit")
    server.send(
        "PUT", f"/v1/recommender/pin/{TRACKER}/scope/{made}", customization(tags=["theirs"])
    )

    answer = ann.post(f"{LIST}/{made}/edit", with_(fields, tags="mine", do="save"))

    assert answer.status_code == 409
    assert "Somebody changed it meanwhile" in text_of(answer)
    assert decode(dict(form_of_conflict(answer))["mine"])["tags"] == ["mine"]


def form_of_conflict(answer: httpx2.Response) -> Fields:
    found = re.findall(r'name="(\w+)" value="([^"]*)"', answer.text)
    return [(name, unescape(value)) for name, value in found]


def test_publishing_at_a_time(server: ConsoleServer, clock: ToldClock, ann: Visitor) -> None:
    """Ahead, in the shop's zone; a time that is past is told beside its field and saves nothing."""
    made = server.create(tags=["old"])["id"]
    fields = with_(opened(ann, f"{LIST}/{made}/edit"), tags="new", do="schedule")

    for wrong in ("", "2025-01-01T00:00", "soon"):
        answer = ann.post(f"{LIST}/{made}/edit", with_(fields, publish__at=wrong))
        assert answer.status_code == 422
        assert re.search(r'id="fault-publish-at">[^<]+<', answer.text)
    assert ann.get(f"{LIST}/{made}/draft").status_code == 404
    done = ann.follow(
        ann.post(f"{LIST}/{made}/edit", with_(fields, publish__at="2025-02-01T06:00"))
    )
    assert "1 Feb 2025, 06:00 UTC" in text_of(done)
    assert tags(server, made) == ["old"]


def test_conflicts_before_saving(server: ConsoleServer, ann: Visitor) -> None:
    """One slot, one item, blocks; who wins, why, and when; with a link. Those of other widgets are none."""
    other = server.create(
        pin_definitions=[
            pin("/p/124", 1),
            pin("/p/126", 2, active_from="2025-03-01T00:00:00Z"),
            pin("/p/125", 0),
            pin("/p/555", 7, widget_id="top"),
            pin("/p/900", 9, active_to="2025-01-01T00:00:00Z"),
        ]
    )["id"]
    fields = with_(
        opened(ann, f"{NEW}?model=test_reco&item=/p/123"),
        **pinned(("/p/555", "1"), ("/p/126", "4"), ("/p/125", "5"), ("/p/900", "9"), ("/p/126", "7", "side")),
    )  # fmt: skip

    answer = attempt(ann, "00000000-0000-4000-8000-000000000000", fields, endcap_part="1")

    told = text_of(answer)
    assert "wants slot 1 too, like pin 1; this one is newer." in told
    assert "pins /p/126 too, to slot 2, like pin 2; this one is newer. From 1 mar 2025" in told
    assert "keeps out /p/125, which is pin 3; a block holds unless" in told
    assert "slot 9" not in told
    assert "slot 7 too" not in told
    assert told.count("Yours yields") == 1
    assert answer.text.count(f'href="{LIST}/{other}"') >= 3


def pinned(*pins: tuple[str, ...]) -> dict[str, str]:
    """Fields of pins: item, slot, widget."""
    found: dict[str, str] = {}
    for number, (item, slot, *widget) in enumerate(pins):
        found |= {f"p{number}__place": "slot", f"p{number}__slot": slot, f"p{number}__what": "item",
                  f"p{number}__item": item, f"p{number}__widget": "".join(widget)}  # fmt: skip
    return found


def test_a_target_of_more_weight_wins(server: ConsoleServer, ann: Visitor) -> None:
    """Whatever is newer; and a block of lesser weight does not hold."""
    server.create(pin_definitions=[pin("/p/124", 1), pin("/p/126", 3)])
    fields = with_(
        opened(ann, f"{NEW}?model=test_reco"),
        target="all", **pinned(("/p/555", "1")), p1__place="never", p1__what="item", p1__item="/p/126",
    )  # fmt: skip
    seen = with_(fields, s__input="/p/123")

    told = text_of(attempt(ann, "00000000-0000-4000-8000-000000000000", seen, endcap_part="1"))

    assert "Yours yields Fender Telecaster wants slot 1 too" in told
    assert "a target of one item weighs more than one of everything" in told
    assert "which pin 2 keeps out" not in told


def test_criteria_count_while_typing(ann: Visitor) -> None:
    """With a few that match, for the target and for pins."""
    fields = with_(
        opened(ann, f"{NEW}?model=test_reco"),
        target="criteria",
        t__as="rows", t__g0__kind="all", t__g0__c0__attribute="brand",
        t__g0__c0__operator="is", t__g0__c0__values="Fender",
    )  # fmt: skip

    answer = attempt(ann, "00000000-0000-4000-8000-000000000000", fields, endcap_part="1")

    assert "3 products where brand is Fender Fender Telecaster /p/125 Leather strap" in text_of(
        answer
    )


def test_several_items_are_told(ann: Visitor) -> None:
    """How many, and which of them the catalog lacks; the result is that of the first it has."""
    fields = with_(
        opened(ann, f"{NEW}?model=test_reco&pin=/p/555"),
        target="several",
        items="/p/gone\r\n/p/126\r\n/p/124",
    )
    told = text_of(attempt(ann, "00000000-0000-4000-8000-000000000000", fields, endcap_part="1"))

    assert "3 items of which 1 is not in the catalog: /p/gone /p/126 /p/124" in told
    assert "On the page of /p/126" in told
    assert "Shown in slot 1" in told


def test_what_is_tried_is_not_remembered_for_shoppers(server: ConsoleServer, ann: Visitor) -> None:
    """Criteria that somebody is typing fill no memory that requests are answered from."""
    catalog_ = server.parts.mirror.shops()[TRACKER].snapshot.catalog
    before = set(catalog_.answered)
    fields = with_(
        opened(ann, f"{NEW}?model=test_reco"),
        target="criteria", t__as="text", t__text='{"brand": "Fend"}', p0__place="slot", p0__slot="1",
        p0__what="criteria", p0__as="text", p0__text='{"brand": "Gib"}',
    )  # fmt: skip
    attempt(ann, "00000000-0000-4000-8000-000000000000", fields)

    assert set(catalog_.answered) == before


def test_products_are_searched(ann: Visitor) -> None:
    """In the same page; what is found can be pinned and dragged."""
    fields = with_(opened(ann, f"{NEW}?model=test_reco"), find="STRAP leather")
    answer = attempt(ann, "00000000-0000-4000-8000-000000000000", fields)

    assert 'data-drag data-identity="/p/555"' in answer.text
    none = attempt(ann, "00000000-0000-4000-8000-000000000000", with_(fields, find="nothing"))
    assert "No product has these words." in text_of(none)


def test_odd_scenes_are_taken_as_far_as_they_go(server: ConsoleServer, ann: Visitor) -> None:
    """A recommender that is not there is named; a size is bounded; a moment that is none is now."""
    made = server.create()["id"]
    fields = opened(ann, f"{LIST}/{made}/edit")
    many = attempt(ann, made, with_(fields, s__size="9999", s__at="soon", s__shopper="u-1"))
    unknown = attempt(ann, made, with_(fields, model="unheard-of"))

    assert "22 Jan 2025, 08:49 UTC, for the shopper u-1." in text_of(many)
    assert "No recommender is called unheard-of. Its customizations act once it exists." in text_of(
        unknown
    )


def test_what_a_form_may_hold_has_bounds(server: ConsoleServer, ann: Visitor) -> None:
    """A form that nobody's page made is refused, or taken as far as a form goes."""
    made = server.create()["id"]
    many = [(f"p{number}-item", "x") for number in range(900)]

    answer = attempt(ann, made, [("model", "test_reco"), ("target", "all"), *many])
    assert len(re.findall(r'data-pin="\d+"', answer.text)) == 100
    assert ann.post(f"{LIST}/{made}/try", [("model", "m"), ("was", "{")]).status_code == 400
    assert ann.post(f"{LIST}/{made}/try", [(f"a{n}", "") for n in range(2_001)]).status_code == 400


def test_who_may(server: ConsoleServer) -> None:
    """Viewers see no button and get no page; editors save and do not publish."""
    made = server.create(tags=["old"])["id"]
    vic, bob = visitor_of(server, "viewer"), visitor_of(server, "editor")

    assert "New customization" not in vic.get(LIST).text
    assert "Pin for this item" not in vic.get(f"{LIST}/{made}").text
    assert vic.get(NEW).status_code == vic.post(f"{LIST}/{made}/try").status_code == 403
    page = bob.get(f"{LIST}/{made}/edit")
    assert "Publish now" not in page.text
    fields = with_(form_of(page.text), tags="new")
    for does in ("publish", "schedule"):
        refused = bob.post(
            f"{LIST}/{made}/edit", with_(fields, do=does, publish__at="2025-02-01T06:00")
        )
        assert refused.status_code == 403
    assert bob.post(f"{LIST}/{made}/edit", with_(fields, do="save")).status_code == 303
    assert "New customization" in bob.get(LIST).text


def test_ways_in(server: ConsoleServer, ann: Visitor) -> None:
    """A new one for an item of a result, with its recommender; a version of the past."""
    made = server.create(tags=["first"])["id"]
    revision = server.parts.mirror.shops()[TRACKER].revision
    server.send(
        "PUT", f"/v1/recommender/pin/{TRACKER}/scope/{made}", customization(tags=["second"])
    )
    links = re.findall(r'href="([^"]+drafts/new\?[^"]+)"', ann.get(f"{LIST}/{made}").text)

    fields = dict(opened(ann, unescape(links[0])))
    assert (fields["model"], fields["target"], fields["item"]) == ("test_reco", "item", "/p/555")
    assert dict(opened(ann, f"{LIST}/{made}/edit?version={revision}"))["tags"] == "first"
    assert ann.get(f"{LIST}/{made}/edit?version=999").status_code == 404
    assert ann.get(f"{LIST}/00000000-0000-4000-8000-000000000000/edit").status_code == 404


def test_the_time_zone_is_the_shops(tmp_path: Path, clock: ToldClock) -> None:
    """It is named beside every field, and the moment of the scene is asked in it."""
    server = ConsoleServer(tmp_path, clock, console_time_zone="Europe/Prague")
    server.create_tracker()
    server.put_objects(*catalog())
    server.create_user("ann")
    ann = Visitor(server)
    ann.sign_in()
    made = server.create(pin_definitions=[pin("/p/126", 1, active_from="2025-07-01T08:00:00Z")])[
        "id"
    ]

    fields = opened(ann, f"{LIST}/{made}/edit")
    assert dict(fields)["p0-from"] == "2025-07-01T10:00"
    early, late = (
        attempt(ann, made, with_(fields, s__at=f"2025-07-01T{at}")) for at in ("09:59", "10:00")
    )
    assert "Asleep its window is not open" in text_of(early)
    assert "Shown in slot 1" in text_of(late)
    assert "From (Europe/Prague)" in text_of(late)
    server.close()


def test_offers(ann: Visitor) -> None:
    """Products, attributes and values, with how many there are; nothing for what nobody has."""
    path = f"/console/t/{TRACKER}/pick"

    items = ann.get(f"{path}/items?q=telecaster")
    assert 'data-value="/p/123"' in items.text
    assert "Fender Telecaster /p/123 · 1 299,00 €" in text_of(items)
    assert "No product has these words" in text_of(ann.get(f"{path}/items?q=nothing"))
    assert "brand 5 objects" in text_of(ann.get(f"{path}/attributes?q=bra"))
    assert text_of(ann.get(f"{path}/values?attribute=brand&q=fe")) == "Fender 3 objects"
    numbers = ann.get(f"{path}/values?attribute=price_amount&q=")
    assert "Numbers from 300 to 1,299" in text_of(numbers)
    assert 'data-value="999"' in numbers.text
    assert text_of(ann.get(f"{path}/values?attribute=unheard-of")) == ""

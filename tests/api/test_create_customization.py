"""
Creating a customization: `POST /v1/recommender/pin/{TRACKER_ID}/scope`.
"""

import json
from pathlib import Path
from uuid import UUID

import pytest

from tests.api.driver import (
    BASE,
    NOWHERE,
    Json,
    Server,
    ToldClock,
    customization,
    pin,
    problem,
)

SCOPE = f"{BASE}/scope"
SUPPORTED = (
    'Supported forms: {"attribute": "value"}; {"attribute": {"values": ["a", "10|20"], "operator": "or"}} with or, '
    'and, not; [{"field": "attribute", "operator": "=", "value": "a"}] with =, eq, !=, in, not_in, >, >=, <, <=, '
    'contains, exists; {"and": [rules]}, {"or": [rules]}, {"not": rule}'
)


def faults(server: Server, body: Json) -> Json:
    """What a body that is refused with 422 is refused for."""
    return problem(server.send("POST", SCOPE, body), 422)["exception_details"]


def test_a_customization_is_created_and_returned(server: Server) -> None:
    """The answer is the customization with what the server makes, `201`, and the headers that name it."""
    answer = server.send(
        "POST",
        SCOPE,
        {
            "model": "basket",
            "target_type": "item",
            "target_identity": "/p/123",
            "pin_definitions": [
                {
                    "position": 1,
                    "pin_type": "item",
                    "pin_identity": "/p/555",
                    "active_from": "2025-02-01T00:00:00Z",
                }
            ],
        },
    )

    made = answer.json()
    assert answer.status_code == 201
    assert str(UUID(made["id"])) == made["id"]
    assert made == {
        "id": made["id"],
        "created_at": "2025-01-22T08:49:58Z",
        "updated_at": "2025-01-22T08:49:58Z",
        "model": "basket",
        "target_type": "item",
        "target_identity": "/p/123",
        "tags": [],
        "pin_definitions": [
            {
                "position": 1,
                "pin_type": "item",
                "pin_identity": "/p/555",
                "active_from": "2025-02-01T00:00:00Z",
            }
        ],
        "target_metadata": {
            "title": "Fender Telecaster",
            "image_link": "https://doe.com/123.jpg",
        },
        "creator": "api",
        "available": False,
    }
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["location"] == f"{SCOPE}/{made['id']}"
    assert answer.headers["etag"].startswith('"')
    assert int(answer.headers["endcap-revision"]) == server.parts.service.shop("1234-5678").revision


def test_it_is_in_force_for_the_next_recommendation(server: Server) -> None:
    """A write is answered when this process shows it."""
    assert server.shown(item_ids=["/p/123"], size=2) == ["/p/124", "/p/125"]

    server.create(target_identity="/p/123", pin_definitions=[pin("/p/555", 1)])

    assert server.shown(item_ids=["/p/123"], size=2) == ["/p/555", "/p/124"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "APPLICATION/JSON",
        "application/vnd.shop+json",
        None,
    ],
)
def test_any_spelling_of_json_is_taken(server: Server, content_type: str | None) -> None:
    """And no Content-Type at all, which is signed as the empty text."""
    answer = server.send("POST", SCOPE, customization(), content_type=content_type)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "spelled",
    [
        '{"brand":"Fender"}',
        '{ "brand" :\t"Fend\\u0065r" }',
        '{"brand": {"values": ["Fender", "Gibson"], "operator": "or"}}',
        '{"price_amount":{"values":["100|500","4.20|"]}, "color":{"operator":"not","values":["red"]}}',
        '[{"field":"brand","operator":"=","value":"Fender"}]',
        '{"criteria": [ {"attribute":"brand", "op":"in", "values":["Fender",1.50,true]} ]}',
        '{"or":[{"brand":"Fender"},{"and":[{"not":{"color":"red"}},{"name":"a","operator":">=","value":1e2}]}]}',
        '[{"field":"a","operator":"exists"},\n {"field":"b","operator":"exists","value":false}]',
    ],
)
def test_criteria_come_back_byte_for_byte(server: Server, spelled: str) -> None:
    """Whatever the spelling: whitespace, escapes, numbers and the order of keys stay as they were sent."""
    body = (
        f'{{"model":"basket","target_type":"criteria","target_criteria":{spelled},'
        f'"pin_definitions":[{{"position":1,"pin_type":"criteria","pin_criteria":{spelled}}}]}}'
    )

    made = server.send("POST", SCOPE, body.encode())
    found = server.send("GET", f"{SCOPE}/{made.json()['id']}")

    assert made.status_code == 201
    for answer in (made, found):
        assert answer.text.count(f'"target_criteria":{spelled}') == 1
        assert answer.text.count(f'"pin_criteria":{spelled}') == 1


def test_every_field_of_a_pin_comes_back_as_sent(server: Server) -> None:
    """In the spelling sent: a window keeps its zone, flags that say nothing stay."""
    sent = [
        pin(
            position=-1,
            widget_id="sidebar",
            is_block_pin=False,
            is_bundle_pin=True,
            active_from="2025-01-01T00:00:00+02:00",
            active_to="2025-12-31",
        ),
        {"position": 0, "pin_type": "criteria", "pin_criteria": {"brand": "Gibson"}},
        pin(position=1000, is_block_pin=True),
    ]

    assert server.create(pin_definitions=sent)["pin_definitions"] == sent


def test_a_target_says_only_what_applies(server: Server) -> None:
    """`target_identity` with an item alone, `target_criteria` with criteria alone; the other is left out."""
    both: Json = {"target_identity": "/p/123", "target_criteria": {"brand": "Fender"}}

    of_item = server.create(**both, target_type="item")
    of_criteria = server.create(**both, target_type="criteria")
    of_all = server.create(**both, target_type="all")

    assert of_item["target_identity"] == "/p/123"
    assert "target_criteria" not in of_item
    assert of_criteria["target_criteria"] == {"brand": "Fender"}
    assert "target_identity" not in of_criteria
    assert not {"target_identity", "target_criteria"} & set(of_all)


def test_null_means_absent(server: Server) -> None:
    """For every optional field, of the customization and of its pins."""
    body = customization(
        pin_definitions=[
            pin(
                widget_id=None,
                is_block_pin=None,
                is_bundle_pin=None,
                active_from=None,
                active_to=None,
                pin_criteria=None,
            )
        ]
    )

    answer = server.send("POST", SCOPE, {**body, "tags": None, "target_metadata": None})

    assert answer.status_code == 201
    made = answer.json()
    assert made["pin_definitions"] == [pin()]
    assert made["tags"] == []
    assert made["target_metadata"]["title"] == "Fender Telecaster"


def test_unknown_fields_are_ignored_and_not_stored(server: Server) -> None:
    """Those of the customization and those of a pin."""
    made = server.create(colour="red", pin_definitions=[{**pin(), "note": "nice"}])

    assert "colour" not in made
    assert made["pin_definitions"] == [pin()]


def test_what_the_server_makes_cannot_be_sent(server: Server) -> None:
    """The id, the times, the creator and `available` are the server's, whatever a body says."""
    made = server.create(
        id=NOWHERE,
        created_at="2001-01-01T00:00:00Z",
        updated_at=5,
        creator="mallory",
        available=False,
    )

    assert made["id"] != NOWHERE
    assert made["created_at"] == made["updated_at"] == "2025-01-22T08:49:58Z"
    assert made["creator"] == "api"
    assert made["available"] is True


def test_tags_collapse_and_keep_their_order(server: Server) -> None:
    """Repeats are dropped, the first of each stays where it was; without tags the list is empty."""
    assert server.create(tags=["b", "a", "b", "ä"])["tags"] == ["b", "a", "ä"]
    assert server.create()["tags"] == []


def test_what_is_not_there_yet_can_be_named(server: Server) -> None:
    """Unknown recommenders and items are accepted: rules may be imported before them."""
    made = server.create(
        model="spring_2031", target_identity="/p/unborn", pin_definitions=[pin("/p/unborn-too")]
    )

    assert made["model"] == "spring_2031"
    assert made["available"] is False
    assert "target_metadata" not in made


def test_unknown_models_are_refused_where_that_is_set(tmp_path: Path, clock: ToldClock) -> None:
    """A setting; numbered names mean their stem, so they are known."""
    server = Server(tmp_path, clock, unknown_models="refuse")
    try:
        server.create_tracker()

        refused = problem(server.send("POST", SCOPE, customization(model="spring_2031")), 422)

        assert refused == {
            "reason": "Invalid customization provided",
            "exception_details": {"model": ["Unknown recommender: spring_2031"]},
        }
        assert server.create(model="basket_2")["model"] == "basket_2"
    finally:
        server.close()


def test_metadata_is_filled_from_the_catalog(server: Server) -> None:
    """`title` and `image_link` of an item target, where the client sent none; what was sent stays."""
    title = server.create(target_metadata={"title": "Mine", "note": {"a": [1]}})
    nothing = server.create(target_metadata={})
    other_target = server.create(target_type="all", target_metadata={"title": "Everything"})
    without_picture = server.create(target_identity="/p/555")

    assert title["target_metadata"] == {
        "title": "Mine",
        "note": {"a": [1]},
        "image_link": "https://doe.com/123.jpg",
    }
    assert nothing["target_metadata"] == {
        "title": "Fender Telecaster",
        "image_link": "https://doe.com/123.jpg",
    }
    assert other_target["target_metadata"] == {"title": "Everything"}
    assert without_picture["target_metadata"] == {"title": "Leather strap"}


@pytest.mark.parametrize("position", [-1, 0, 1, 1000])
def test_positions_that_are_taken(server: Server, position: int) -> None:
    """-1 is everywhere, 0 a block, 1 to 1000 a slot."""
    made = server.create(pin_definitions=[pin(position=position)])

    assert made["pin_definitions"][0]["position"] == position


def test_as_much_as_fits(server: Server) -> None:
    """500 pins, 50 tags, and every text at its bound."""
    made = server.create(
        model="m" * 100,
        target_identity="i" * 2000,
        tags=[f"{number:0100}" for number in range(50)],
        pin_definitions=[pin("p" * 2000) for _ in range(400)] + [pin() for _ in range(100)],
    )

    assert len(made["pin_definitions"]) == 500
    assert len(made["tags"]) == 50


def test_no_pins_is_a_customization_too(server: Server) -> None:
    """The list must be there, but may be empty."""
    assert server.create(pin_definitions=[])["pin_definitions"] == []


# Refused: not a JSON object


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"7",
        b"null",
        b"{",
        b'{"model": }',
        b'{"model": "\xff"',
        b"\xef\xbb\xbf{}",
        b'{"model": NaN}',
        b"{}{}",
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_json_object_is_400(server: Server, body: bytes) -> None:
    """Whatever else it is, down to a hundred thousand braces."""
    refused = problem(server.send("POST", SCOPE, body), 400)

    assert refused["reason"] == "Invalid configuration provided"
    assert list(refused["exception_details"]) == ["body"]


# Refused: faulty fields


def test_every_fault_is_reported_at_once(server: Server) -> None:
    """The vendor's own example: the literal texts come with the index of the pin."""
    refused = problem(
        server.send(
            "POST",
            SCOPE,
            {
                "model": "basket",
                "target_type": "product",
                "pin_definitions": [{"pin_type": "item", "pin_identity": "/p/555"}],
            },
        ),
        422,
    )

    assert refused == {
        "reason": "Invalid pin definition provided",
        "exception_details": {
            "target_type": ["Must be one of: item, criteria, all"],
            "pin_definitions": ["Missing required field: position (pin 0)"],
        },
    }


def test_an_empty_object_lacks_everything(server: Server) -> None:
    """What is required is named."""
    assert faults(server, {}) == {
        "model": ["Missing required field: model"],
        "target_type": ["Missing required field: target_type"],
        "pin_definitions": ["Missing required field: pin_definitions"],
    }


def test_faults_of_every_kind_together(server: Server) -> None:
    """Each under its field, those of pins in order, each with its index."""
    assert faults(
        server,
        {
            "model": "",
            "target_type": "item",
            "target_metadata": [],
            "tags": ["ok", 5, "x" * 101],
            "pin_definitions": [
                pin(),
                {"position": True, "pin_type": "items"},
                "pin",
                {"position": 1, "pin_type": "item"},
                {"position": 1, "pin_type": "criteria"},
                pin(widget_id=7, is_block_pin="yes", is_bundle_pin=1),
                pin(active_from="tomorrow", active_to=1738368000),
                pin(active_from="2025-02-01", active_to="2025-02-01T00:00:00Z"),
            ],
        },
    ) == {
        "model": ["Must be a non-empty text"],
        "target_identity": ["Missing required field: target_identity"],
        "target_metadata": ["Must be an object"],
        "tags": ["Must be a non-empty text", "Must have at most 100 characters"],
        "pin_definitions": [
            "Must be an object (pin 2)",
            "position: Must be an integer: 1 to 1000, -1 for everywhere, 0 to block (pin 1)",
            "pin_type: Must be one of: item, criteria (pin 1)",
            "Missing required field: position (pin 2)",
            "Missing required field: pin_type (pin 2)",
            "Missing required field: pin_identity (pin 3)",
            "Missing required field: pin_criteria (pin 4)",
            "is_block_pin: Must be true or false (pin 5)",
            "is_bundle_pin: Must be true or false (pin 5)",
            "widget_id: Must be a non-empty text (pin 5)",
            "active_from: Must be an ISO 8601 date-time, e.g. 2025-02-01T00:00:00Z (pin 6)",
            "active_to: Must be an ISO 8601 date-time, e.g. 2025-02-01T00:00:00Z (pin 6)",
            "active_from: Must be before active_to (pin 7)",
        ],
    }


@pytest.mark.parametrize(
    "position", [-2, 1001, 10**30, True, False, 1.0, 1.5, "1", "", [], {}, [1]]
)
def test_positions_that_are_refused(server: Server, position: Json) -> None:
    """Only whole numbers within bounds; a float is none, even 1.0."""
    refused = problem(
        server.send("POST", SCOPE, customization(pin_definitions=[pin(position=position)])), 422
    )

    assert refused == {
        "reason": "Invalid pin definition provided",
        "exception_details": {
            "pin_definitions": [
                "position: Must be an integer: 1 to 1000, -1 for everywhere, 0 to block (pin 0)"
            ]
        },
    }


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("model", 5, "Must be a non-empty text"),
        ("model", "m" * 101, "Must have at most 100 characters"),
        ("model", "a\0b", "Must not contain the character U+0000"),
        ("target_type", "ITEM", "Must be one of: item, criteria, all"),
        ("target_type", ["item"], "Must be one of: item, criteria, all"),
        ("target_identity", 123, "Must be a non-empty text"),
        ("target_identity", "i" * 2001, "Must have at most 2000 characters"),
        ("target_metadata", "text", "Must be an object"),
        ("tags", "spring", "Must be a list of texts"),
        ("tags", [""], "Must be a non-empty text"),
        ("tags", [str(number) for number in range(51)], "Must be at most 50"),
        ("pin_definitions", {}, "Must be a list of pin objects"),
        ("pin_definitions", [pin()] * 501, "Must be at most 500"),
    ],
)
def test_faulty_fields(server: Server, field: str, value: Json, message: str) -> None:
    """One at a time, with what each is told."""
    assert faults(server, {**customization(), field: value}) == {field: [message]}


def test_a_faulty_field_beside_sound_pins_is_no_pins_fault(server: Server) -> None:
    """The reason tells whether a pin is among the faulty."""
    refused = problem(server.send("POST", SCOPE, customization(model="")), 422)

    assert refused["reason"] == "Invalid customization provided"


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        ("Fender", f"Must be an object or a list of rules. {SUPPORTED}"),
        ({}, "Must name at least one attribute"),
        ([], "Must name at least one attribute"),
        ({"criteria": []}, "Must name at least one attribute"),
        (
            {"brand": None},
            f'Attribute "brand" must be a value or {{"values": […]}}. {SUPPORTED}',
        ),
        (
            {"brand": ["Fender"]},
            f'Attribute "brand" must be a value or {{"values": […]}}. {SUPPORTED}',
        ),
        (["Fender"], f"A rule must be an object with a field. {SUPPORTED}"),
        ([{"field": "brand", "operator": "="}], f'Rule on "brand" needs a value. {SUPPORTED}'),
        (
            [{"field": "brand", "value": "Fender"}],
            f'Rule on "brand" needs an operator. {SUPPORTED}',
        ),
        (
            [{"field": "brand", "operator": "like", "value": "F"}],
            (
                'Operator "like" of "brand" must be one of: =, eq, !=, in, not_in, >, >=, <, <=, '
                "contains, exists"
            ),
        ),
        (
            {"brand": {"values": ["a"], "operator": "xor"}},
            'Operator "xor" of "brand" must be one of: or, and, not',
        ),
        ({"brand": {"values": []}}, 'The values of "brand" must be a list of at least one'),
        ({"or": []}, '"or" must hold at least one rule'),
        ({str(number): 1 for number in range(101)}, "More than 100 rules"),
        (
            {"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not": {"a": 1}}}}}}}}},
            "Nested deeper than 8 levels",
        ),
    ],
)
def test_criteria_of_an_unknown_shape(server: Server, criteria: Json, message: str) -> None:
    """Are refused with the forms that are supported, of a target and of a pin alike."""
    by_pin = {"position": 1, "pin_type": "criteria", "pin_criteria": criteria}

    refused = faults(
        server,
        customization(
            target_type="criteria", target_criteria=criteria, pin_definitions=[pin(), by_pin]
        ),
    )

    assert refused == {
        "target_criteria": [message],
        "pin_definitions": [f"pin_criteria: {message} (pin 1)"],
    }


def test_what_would_spoil_the_answer_is_refused_even_where_it_is_not_looked_at(
    server: Server,
) -> None:
    """A pin's fields come back as sent, those too that do not apply, so each must at least be JSON that can be read."""
    for field, spoiled in (("pin_criteria", b"1e999"), ("pin_criteria", b'{"a": "\xff"}')):
        body = json.dumps(customization(pin_definitions=[pin(pin_criteria="SPOILED")])).encode()

        answer = server.send("POST", SCOPE, body.replace(b'"SPOILED"', spoiled))

        refused = problem(answer, 422)
        assert refused["reason"] == "Invalid pin definition provided"
        (message,) = refused["exception_details"]["pin_definitions"]
        assert message.startswith(f"{field}: Must be JSON")


def test_metadata_nested_without_end_is_refused(server: Server) -> None:
    """What is stored must be readable at every later place, so nesting has a bound."""
    deep = b"[" * 900 + b"]" * 900
    body = json.dumps(customization(target_metadata={"deep": 1})).encode()

    answer = server.send("POST", SCOPE, body.replace(b'{"deep": 1}', b'{"deep": %b}' % deep))

    assert list(problem(answer, 422)["exception_details"]) == ["target_metadata"]


# Refused: who asks, and how


def test_an_unknown_tracker_is_404(server: Server) -> None:
    """Before anything else is looked at."""
    answer = server.send("POST", "/v1/recommender/pin/9999-9999/scope", customization())

    assert problem(answer, 404) == {"reason": "Tracker not found", "exception_details": {}}


def test_a_body_that_is_not_json_by_its_type_is_415(server: Server) -> None:
    """The type decides, not what is inside."""
    answer = server.send("POST", SCOPE, customization(), content_type="text/plain")

    assert problem(answer, 415) == {
        "reason": "The body must be JSON: send Content-Type application/json",
        "exception_details": {"content_type": ["Cannot be text/plain"]},
    }


def test_a_body_over_the_bound_is_413(server: Server) -> None:
    """A million bytes, unless set otherwise."""
    answer = server.send("POST", SCOPE, b" " * 1_000_001)

    assert problem(answer, 413) == {
        "reason": "The body is too large",
        "exception_details": {"body": ["At most 1000000 bytes"]},
    }


# Safe to repeat


def test_an_idempotency_key_makes_one_customization(server: Server) -> None:
    """The same key and body return the first answer and make nothing."""
    first, second = (
        server.send("POST", SCOPE, customization(), headers={"Idempotency-Key": "job-7"})
        for _ in range(2)
    )

    assert first.status_code == second.status_code == 201
    assert second.json() == first.json()
    assert second.headers["endcap-revision"] == first.headers["endcap-revision"]
    assert second.headers["etag"] == first.headers["etag"]
    assert server.send("POST", f"{BASE}/scopes").json()["pagination"]["total"] == 1


def test_an_idempotency_key_with_another_body_is_refused(server: Server) -> None:
    """One key stands for one request."""
    server.send("POST", SCOPE, customization(), headers={"Idempotency-Key": "job-7"})

    answer = server.send(
        "POST", SCOPE, customization(model="basket"), headers={"Idempotency-Key": "job-7"}
    )

    assert problem(answer, 422) == {
        "reason": "This Idempotency-Key was used with another body",
        "exception_details": {},
    }


def test_an_idempotency_key_is_forgotten_after_a_day(server: Server, clock: ToldClock) -> None:
    """24 hours; and without a key every request makes one."""
    headers = {"Idempotency-Key": "job-7"}
    first = server.send("POST", SCOPE, customization(), headers=headers).json()
    clock.advance(24 * 3600 - 1)
    within = server.send("POST", SCOPE, customization(), headers=headers).json()
    clock.advance(2)

    after = server.send("POST", SCOPE, customization(), headers=headers).json()

    assert within["id"] == first["id"]
    assert after["id"] != first["id"]
    assert server.create()["id"] != server.create()["id"]


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_an_idempotency_key_has_a_length(server: Server, key: str) -> None:
    """1 to 255 characters."""
    answer = server.send("POST", SCOPE, customization(), headers={"Idempotency-Key": key})

    assert problem(answer, 422) == {
        "reason": "Invalid Idempotency-Key provided",
        "exception_details": {"Idempotency-Key": ["Must have 1 to 255 characters"]},
    }


def test_a_repeated_creation_answers_with_what_it_is_now(server: Server) -> None:
    """After an update the first answer is still about the same customization, and nothing is made anew."""
    headers = {"Idempotency-Key": "job-7"}
    first = server.send("POST", SCOPE, customization(), headers=headers).json()
    server.send("PUT", f"{SCOPE}/{first['id']}", customization(tags=["later"]))

    again = server.send("POST", SCOPE, customization(), headers=headers)

    assert again.status_code == 201
    assert again.json()["id"] == first["id"]
    assert again.json()["tags"] == []

"""
`POST /` and `POST /v1`: events of shoppers, for browsers.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from endcap.domain import Event, TrackerId
from endcap.recommend.shoppers import Shopper
from endcap.store.events import Told
from tests.api.driver import CONTENT_TYPE, TRACKER, Json, Server, ToldClock, catalog, problem

NOW_SECONDS = 1_737_535_798
HOUR = 3_600


def event(**fields: Json) -> Json:
    """A view of the guitar; fields replace, None takes one away."""
    body = {
        "id": "e1",
        "type": "pv",
        "tracker_id": TRACKER,
        "client_id": 7,
        "url": "/p/123",
        "local_timestamp": NOW_SECONDS,
        **fields,
    }
    return {key: value for key, value in body.items() if value is not None}


def send(server: Server, path: str = "/", **fields: Json) -> None:
    answer = server.send("POST", path, event(**fields), signed=False)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {}


def stored(server: Server, tracker: str = TRACKER) -> list[Event]:
    lines = server.parts.events.after(TrackerId(tracker), 0)
    return [each.event for each in lines if isinstance(each, Told)]


def shopper(server: Server, user: str) -> Shopper:
    return server.parts.activity.shoppers(TrackerId(TRACKER)).of(user)


def counted(server: Server) -> dict[str, int]:
    """What became of events, as a scrape tells."""
    lines = server.send("GET", "/metrics", signed=False).text.splitlines()
    found = (
        line.split('outcome="')[1] for line in lines if line.startswith("endcap_events_total{")
    )
    return {each.split('"')[0]: int(float(each.split()[-1])) for each in found}


@pytest.mark.parametrize("path", ["/", "/v1"])
def test_an_event_is_kept_as_it_was_sent(server: Server, path: str) -> None:
    """Byte for byte, whatever else a page tells; at the moment that its clock says."""
    body = b'{ "id": "e1", "type": "pv", "tracker_id": "1234-5678", "client_id": 7,"url": "/p/1", "x": ["\xc3\xbc"]}'

    answer = server.send("POST", path, body, signed=False)

    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == CONTENT_TYPE
    now = server.clock()
    assert stored(server) == [Event(TrackerId(TRACKER), "e1", "pv", "7", None, now, now, body)]


def test_an_event_shows_on_the_next_request(server: Server) -> None:
    """Views, clicks and orders, of the device and of the customer, each at its time."""
    send(server, id="a", url="/p/123", customer_id="ann", local_timestamp=NOW_SECONDS - 5)
    send(server, id="b", type="click", action={"type": "click", "resource_identifier": "/p/124"})
    send(server, id="c", type="click", action={"type": "wish", "resource_identifier": "/p/125"})
    send(server, id="d", type="transaction", items=[{"url": "/p/126"}], consent_granted=True)

    device, customer = shopper(server, "7"), shopper(server, "ann")

    assert device.viewed.items == customer.viewed.items == ("/p/123",)
    assert list(device.viewed.times) == [(NOW_SECONDS - 5) * 1_000_000]
    assert device.clicked.items == ("/p/124", "/p/125")
    assert device.ordered.items == ("/p/126",)
    assert (device.consent, customer.consent) == (True, None)


def test_pages_that_are_no_items_take_no_place(server: Server) -> None:
    """They are kept, but not remembered: a bounded memory is for items."""
    send(server, url="https://shop.example/basket")

    assert shopper(server, "7").viewed.items == ()
    assert len(stored(server)) == 1


def test_a_repeated_id_is_stored_once(server: Server) -> None:
    """Answered the same, counted apart."""
    send(server, url="/p/123")
    send(server, url="/p/124")

    assert [each.id for each in stored(server)] == ["e1"]
    assert shopper(server, "7").viewed.items == ("/p/123",)
    assert counted(server) == {"stored": 1, "repeated": 1}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"local_timestamp": NOW_SECONDS + HOUR + 2}, "in_the_future"),
        ({"local_timestamp": NOW_SECONDS - 7 * 24 * HOUR - 2}, "too_old"),
        ({"local_timestamp": 0}, "too_old"),
        ({"local_timestamp": 1e15}, "in_the_future"),
        ({"type": "heartbeat"}, "unknown_type"),
    ],
)
def test_what_cannot_be_used_is_dropped_in_silence(
    server: Server, fields: dict[str, Any], outcome: str
) -> None:
    """As the vendor does; the operator sees it in the metrics."""
    send(server, **fields)

    assert stored(server) == []
    assert counted(server)[outcome] == 1


def test_a_clock_that_is_a_little_ahead_is_set_back(server: Server) -> None:
    """Nothing happened later than it was told."""
    send(server, local_timestamp=NOW_SECONDS + HOUR - 2)

    assert stored(server)[0].at == server.clock()


def test_milliseconds_are_read_as_such(server: Server) -> None:
    """They would be some fifty thousand years ahead; that pages send them is counted."""
    send(server, local_timestamp=(NOW_SECONDS - 60) * 1_000)

    assert stored(server)[0].at == (NOW_SECONDS - 60) * 1_000_000
    assert counted(server) == {"stored": 1, "milliseconds": 1}


def test_an_event_without_a_time_is_of_now(server: Server) -> None:
    """Its arrival is all there is to go by."""
    send(server, local_timestamp=None)

    assert stored(server)[0].at == server.clock()


@pytest.mark.parametrize("content_type", ["text/plain;charset=UTF-8", "text/plain", None])
def test_what_beacons_send_is_read(server: Server, content_type: str | None) -> None:
    """`navigator.sendBeacon` calls a text `text/plain`, so that no preflight is needed."""
    answer = server.send("POST", "/v1", event(), signed=False, content_type=content_type)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len(stored(server)) == 1


def test_a_signature_is_ignored(server: Server) -> None:
    """Public endpoints never reject one."""
    answer = server.send("POST", "/v1", event(), key="another key")

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1"])
def test_a_browser_may_ask_whether_it_may(server: Server, path: str) -> None:
    """The preflight of a page of another origin."""
    headers = {"access-control-request-headers": "content-type"}

    answer = server.send("OPTIONS", path, signed=False, headers=headers)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "content-type"


def test_what_is_no_json_is_refused(server: Server) -> None:
    """`400`, and a browser may read why."""
    answer = server.send("POST", "/", b"pv", signed=False)

    shape = problem(answer, 400)
    assert shape["reason"] == "Invalid event provided"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_faults_are_named_all_at_once(server: Server) -> None:
    """`422`, by field."""
    answer = server.send("POST", "/", event(url=None, client_id=None), signed=False)

    details = problem(answer, 422)["exception_details"]
    assert set(details) == {"url", "client_id"}


def test_an_unknown_tracker(server: Server) -> None:
    """`404`: the page's snippet has a typing error, and nothing is kept."""
    answer = server.send("POST", "/", event(tracker_id="no-such"), signed=False)

    assert problem(answer, 404)["reason"] == "Tracker not found"


def test_a_body_that_is_none_of_ours(server: Server) -> None:
    """`415` says what to send."""
    answer = server.send(
        "POST", "/", b"a=b", signed=False, content_type="application/x-www-form-urlencoded"
    )

    assert "application/json or text/plain" in problem(answer, 415)["reason"]


def test_a_body_that_is_too_large(server: Server) -> None:
    """`413` over the setting."""
    answer = server.send("POST", "/", event(x="y" * 100_000), signed=False)

    assert problem(answer, 413)["exception_details"] == {"body": ["At most 100000 bytes"]}


@pytest.fixture
def throttled(tmp_path: Path, clock: ToldClock) -> Iterator[Server]:
    """A server that takes three events of a client in fifteen seconds."""
    server = Server(tmp_path, clock, throttle_client_events=3)
    server.create_tracker()
    server.put_objects(*catalog())
    yield server
    server.close()


def test_a_client_that_sends_too_much(throttled: Server) -> None:
    """`429` with `Retry-After`, as the vendor has it; other clients are not held up."""
    for number in range(3):
        send(throttled, id=f"e{number}")

    answer = throttled.send("POST", "/", event(id="e4"), signed=False)
    send(throttled, id="e5", client_id=8)

    problem(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 5
    assert counted(throttled) == {"stored": 4, "throttled": 1}


def test_shoppers_are_remembered_after_a_restart(
    server: Server, tmp_path: Path, clock: ToldClock
) -> None:
    """From the last events in the store."""
    send(server, url="/p/124")

    again = Server(tmp_path, clock)
    try:
        assert shopper(again, "7").viewed.items == ("/p/124",)
    finally:
        again.close()


def test_the_root_is_for_events_alone(server: Server) -> None:
    """Whoever looks at it with a browser is told the methods."""
    assert server.send("GET", "/", signed=False).headers["allow"] == "OPTIONS, POST"

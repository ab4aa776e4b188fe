"""
Who asks: signatures, clocks and keys, and what each refusal says.
"""

from pathlib import Path

import pytest

from endcap import signing
from endcap.domain import TrackerId
from endcap.store.writes import AddKey, RevokeKey
from tests.api.driver import (
    BASE,
    CONTENT_TYPE,
    KEY,
    RECOMMEND,
    TRACKER,
    Json,
    Server,
    ToldClock,
    customization,
    problem,
)

SUMMARY = f"{BASE}/summary"
ID = "199620b4-df1a-46e8-ab59-9e9ed9af7106"


def refused(server: Server, **how: Json) -> Json:
    """What a request for the summary is refused for."""
    shape = problem(server.send("GET", SUMMARY, **how), 401)
    assert shape["reason"] == "Authentication failed"
    return shape["exception_details"]


def test_the_published_vectors_are_taken(server: Server, clock: ToldClock) -> None:
    """Signatures made elsewhere, for the time of the documents."""
    clock.tell("2025-01-20T12:00:00Z")
    headers = {"Date": "Mon, 20 Jan 2025 12:00:00 GMT"}

    listed = server.send(
        "POST",
        f"{BASE}/scopes",
        signed=False,
        headers={
            **headers,
            "Authorization": "ApiAuth 1234-5678:vSYspLbtpLNeCyZ3GQApb2hSd/5/6E33IL9aOI6FkTI=",
        },
    )
    found = server.send(
        "GET",
        f"{BASE}/scope/{ID}",
        signed=False,
        headers={
            **headers,
            "Authorization": "ApiAuth 1234-5678:e6gb0XVIotdiwhkDBBNTi5ILcg3YLRygjAdYwnvhKhQ=",
        },
    )

    assert listed.status_code == 200
    assert problem(found, 404)["reason"] == "Customization not found"


@pytest.mark.parametrize("word", ["ApiAuth", "guzzle", "faraday", "curl", "Hello", "ApiAuth  "])
def test_the_first_word_is_not_checked(server: Server, word: str) -> None:
    """Real clients send their own name."""
    signature = server.signature("GET", SUMMARY)["Authorization"].removeprefix("ApiAuth ")

    answer = server.send("GET", SUMMARY, headers={"Authorization": f"{word} {signature}"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "application/json",
        "APPLICATION/JSON;charset=UTF-8",
        "text/plain",
        "anything at all",
        None,
    ],
)
def test_the_content_type_is_signed_as_it_is_sent(server: Server, content_type: str | None) -> None:
    """Byte for byte, with a GET too; none at all counts as the empty text."""
    assert server.send("GET", SUMMARY, content_type=content_type).status_code == 200


def test_multipart_is_signed_without_its_boundary(server: Server) -> None:
    """A library makes the boundary after the signature."""
    headers = server.signature("GET", SUMMARY, content_type="multipart/form-data")

    answer = server.send(
        "GET",
        SUMMARY,
        signed=False,
        content_type="multipart/form-data; boundary=frontier",
        headers=headers,
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("zone", ["GMT", "UTC", "Z", "+0000", "+00:00", "GMT+0000"])
def test_dates_as_clients_write_them(server: Server, zone: str) -> None:
    """Any spelling of no offset; the text is signed as it is sent."""
    assert server.send("GET", SUMMARY, date=f"Wed, 22 Jan 2025 08:49:58 {zone}").status_code == 200


@pytest.mark.parametrize(
    "date",
    [
        "Wed, 22 Jan 2025 08:50:03 GMT",
        "Wed, 22 Jan 2025 08:49:54 GMT",
        "Wed, 22 Jan 2025 8:49:58 GMT",
    ],
)
def test_a_clock_may_be_five_seconds_off(server: Server, date: str) -> None:
    """Either way; the hour has two digits."""
    well_written = " 8:" not in date

    assert (server.send("GET", SUMMARY, date=date).status_code == 200) is well_written


def test_the_query_is_not_signed(server: Server) -> None:
    """Only the path is."""
    signature = server.signature("POST", f"{BASE}/scopes")

    answer = server.send("POST", f"{BASE}/scopes?limit=1", signed=False, headers=signature)

    assert answer.status_code == 200


@pytest.mark.parametrize("spelled", ["a%20b%3A1", "a%20b:1", "%61%20b%3a1"])
def test_the_path_is_signed_as_it_is_sent(server: Server, spelled: str) -> None:
    """Percent-encoding untouched; whatever the spelling, it names the same tracker."""
    server.create_tracker("a b:1", "odd key")

    answer = server.send(
        "GET", f"/v1/recommender/pin/{spelled}/summary", tracker="a b:1", key="odd key"
    )

    assert answer.status_code == 200


def test_the_body_is_not_signed_and_a_request_may_be_repeated(server: Server) -> None:
    """No nonce, no cache of replays: clients retry."""
    headers = server.signature("POST", f"{BASE}/scope")

    answers = [
        server.send("POST", f"{BASE}/scope", body, signed=False, headers=headers)
        for body in (customization(), customization(model="basket"))
    ]

    assert [each.status_code for each in answers] == [201, 201]


# Which check failed


def test_a_missing_header_is_named(server: Server) -> None:
    """`Authorization`, then `Date`."""
    unsigned = refused(server, signed=False)
    headers = server.signature("GET", SUMMARY)
    undated = refused(server, signed=False, headers={"Authorization": headers["Authorization"]})

    assert unsigned == {"authorization": ["The Authorization header is missing"]}
    assert undated == {"date": ["The Date header is missing"]}


@pytest.mark.parametrize(
    "header", ["", "ApiAuth", "1234-5678:c2ln", "ApiAuth 1234-5678", "ApiAuth :c2ln", "ApiAuth 1:"]
)
def test_an_authorization_of_another_form(server: Server, header: str) -> None:
    """The form is told."""
    assert refused(server, headers={"Authorization": header}) == {
        "authorization": ["Must have the form: ApiAuth <tracker id>:<signature>"]
    }


def test_a_signature_that_does_not_match(server: Server) -> None:
    """The text that the server signed is told, so that the difference can be seen; neither a digest nor a key is."""
    details = refused(server, key="a wrong key")

    assert details == {
        "authorization": [
            (
                "The signature does not match. The server signed this text (JSON-escaped): "
                "GET\\napplication/json; charset=utf-8\\nWed, 22 Jan 2025 08:49:58 GMT\\n"
                "/v1/recommender/pin/1234-5678/summary"
            )
        ]
    }


@pytest.mark.parametrize("part", ["method", "content type", "date", "path", "case", "garbage"])
def test_whatever_is_signed_counts(server: Server, part: str) -> None:
    """Another method, type, date or path; and what is no base64 at all."""
    right = server.signature("GET", SUMMARY)
    others = {
        "method": server.signature("POST", SUMMARY),
        "content type": server.signature("GET", SUMMARY, content_type="application/json"),
        "date": server.signature("GET", SUMMARY, date="Wed, 22 Jan 2025 08:49:59 GMT"),
        "path": server.signature("GET", f"{SUMMARY}/"),
        "case": {"Authorization": right["Authorization"].swapcase()},
        "garbage": {"Authorization": f"ApiAuth {TRACKER}:ñandú"},
    }
    sent = {**right, "Authorization": others[part]["Authorization"]}
    if part in ("case", "garbage"):
        sent["Authorization"] = f"ApiAuth {TRACKER}:" + sent["Authorization"].rpartition(":")[2]

    details = refused(server, signed=False, headers=sent)

    assert details["authorization"][0].startswith("The signature does not match.")


def test_no_refusal_tells_a_digest_or_a_key(server: Server) -> None:
    """Whatever was sent."""
    expected = server.signature("GET", SUMMARY)["Authorization"].rpartition(":")[2]

    for how in ({"key": "a wrong key"}, {"signed": False}, {"date": "never"}):
        text = str(refused(server, **how))

        assert KEY not in text
        assert expected not in text


@pytest.mark.parametrize(
    "date",
    [
        "never",
        "2025-01-22T08:49:58Z",
        "Wed, 22 Jan 2025 08:49:58",
        "Wed, 22 Jan 2025 08:49:58 CET",
        "Wed, 22 Jan 2025 08:49:58 +0100",
        "Wed, 32 Jan 2025 08:49:58 GMT",
        "Wed, 22 Foo 2025 08:49:58 GMT",
        "Wed, 22 Jan 2025 25:49:58 GMT",
        "Wednesday, 22-Jan-25 08:49:58 GMT",
    ],
)
def test_a_date_that_cannot_be_read(server: Server, date: str) -> None:
    """It is told how to write one; the signature was right."""
    assert refused(server, date=date) == {
        "date": [f"Cannot be read: {date!r}. Send e.g. Mon, 20 Jan 2025 12:00:00 GMT"]
    }


def test_an_empty_date(server: Server) -> None:
    """Is none that can be read."""
    headers = server.signature("GET", SUMMARY)
    headers["Date"] = ""
    signature = signing.sign(KEY, method="GET", content_type=CONTENT_TYPE, date="", path=SUMMARY)
    headers["Authorization"] = f"ApiAuth {TRACKER}:{signature}"

    assert list(refused(server, signed=False, headers=headers)) == ["date"]


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Wed, 22 Jan 2025 08:50:04 GMT", "+6"),
        ("Wed, 22 Jan 2025 08:49:53 GMT", "-5"),
        ("Wed, 22 Jan 2025 09:49:58 GMT", "+3600"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "+251664765001"),
        ("Mon, 01 Jan 0001 00:00:00 GMT", "-63873132598"),
    ],
)
def test_a_clock_that_is_off(server: Server, date: str, skew: str) -> None:
    """By how much, and what time it is here."""
    assert refused(server, date=date) == {
        "date": [
            (
                f"The clock is off by {skew} s (at most 5 s); the server's time is "
                "Wed, 22 Jan 2025 08:49:58 GMT"
            )
        ]
    }


def test_the_tolerance_is_a_setting(tmp_path: Path, clock: ToldClock) -> None:
    """Up to 300 seconds."""
    server = Server(tmp_path, clock, clock_skew_seconds=300)
    try:
        server.create_tracker()

        assert server.send("GET", SUMMARY, date="Wed, 22 Jan 2025 08:54:58 GMT").status_code == 200
        assert refused(server, date="Wed, 22 Jan 2025 08:54:59 GMT")
    finally:
        server.close()


def test_a_signature_is_checked_before_the_date_is_believed(server: Server) -> None:
    """A wrong signature with an old date is a wrong signature."""
    details = refused(server, key="a wrong key", date="Wed, 22 Jan 2020 08:49:58 GMT")

    assert list(details) == ["authorization"]


def test_a_signature_of_another_tracker(server: Server) -> None:
    """Good in itself, but not for this path; and of one that is not there."""
    server.create_tracker("8765-4321", "another key")

    known = refused(server, tracker="8765-4321", key="another key")
    unknown = refused(server, tracker="9999-9999")

    assert (
        known
        == unknown
        == {"authorization": ["The signature is of another tracker than the path's"]}
    )


def test_a_tracker_in_the_path_that_does_not_exist(server: Server) -> None:
    """`404`, signed or not."""
    path = "/v1/recommender/pin/9999-9999/summary"

    for answer in (
        server.send("GET", path, tracker="9999-9999"),
        server.send("GET", path, signed=False),
    ):
        assert problem(answer, 404) == {"reason": "Tracker not found", "exception_details": {}}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{BASE}/scope"),
        ("GET", f"{BASE}/scope/{ID}"),
        ("HEAD", f"{BASE}/scope/{ID}"),
        ("PUT", f"{BASE}/scope/{ID}"),
        ("DELETE", f"{BASE}/scope/{ID}"),
        ("POST", f"{BASE}/scopes"),
        ("POST", f"{BASE}/scopes/export"),
        ("GET", SUMMARY),
        ("POST", "/v1/content"),
        ("PATCH", "/v1/content"),
        ("DELETE", "/v1/content"),
    ],
)
def test_every_private_endpoint_is_signed(server: Server, method: str, path: str) -> None:
    """Before anything of the request is looked at, and before anything is told of what is there."""
    for how in ({"signed": False}, {"key": "a wrong key"}):
        answer = server.send(method, path, b"{", **how)

        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", RECOMMEND), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/docs")],
)
def test_public_endpoints_reject_no_signature(server: Server, method: str, path: str) -> None:
    """However bad it is."""
    body = [{"recommendation_type": "news"}] if method == "POST" else None

    answer = server.send(method, path, body, key="a wrong key", date="never")

    assert answer.status_code == 200


# Several keys


def test_two_keys_may_be_live(server: Server) -> None:
    """While a shop moves from one to the other both are good; a revoked one is not, from the next request on."""
    tracker, vault = TrackerId(TRACKER), server.parts.vault
    commit = server.parts.committer.commit_now
    first = server.parts.store.trackers()[0].sealed_keys[0]

    commit([AddKey(tracker, vault.seal("the next key"), "test", server.clock())])
    both = [server.send("GET", SUMMARY, key=key).status_code for key in (KEY, "the next key")]
    commit([RevokeKey(tracker, first, "test", server.clock())])
    after = [server.send("GET", SUMMARY, key=key).status_code for key in (KEY, "the next key")]

    assert both == [200, 200]
    assert after == [401, 200]


def test_what_another_process_made_a_moment_ago_is_known(
    server: Server, tmp_path: Path, clock: ToldClock
) -> None:
    """A tracker, or a key, is looked for once in the store before it is refused."""
    other = Server(tmp_path, clock)
    try:
        other.create_tracker("8765-4321", "another key")
        seal = other.parts.vault.seal("the next key")
        other.parts.committer.commit_now([AddKey(TrackerId(TRACKER), seal, "test", clock())])
    finally:
        other.close()

    assert server.send("GET", SUMMARY, key="the next key").status_code == 200
    answer = server.send(
        "GET",
        "/v1/recommender/pin/8765-4321/summary",
        tracker="8765-4321",
        key="another key",
    )
    assert answer.status_code == 200

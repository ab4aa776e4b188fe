"""
The signature as an httpx2 Auth, against the contract's vectors and the server's own verification.
"""

import asyncio
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap import signing
from endcap.client import SignedAuth
from endcap.domain import Micros

TRACKER = "1234-5678"
KEY = "your_private_api_key"
NOON = Micros(1_737_374_400_000_000)  # Mon, 20 Jan 2025 12:00:00 GMT
ONE = f"/v1/recommender/pin/{TRACKER}/scope/199620b4-df1a-46e8-ab59-9e9ed9af7106"
JSON = {"Content-Type": "application/json; charset=utf-8"}


class Echo:
    """A transport that keeps what it was sent."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        self.transport = httpx2.MockTransport(self.keep)

    def keep(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return httpx2.Response(200, json={})


def verifies(request: httpx2.Request) -> bool:
    """What a server does with a request as it arrived."""
    credentials = signing.parse_authorization(request.headers["Authorization"])
    assert credentials is not None
    assert credentials.tracker == TRACKER
    text = signing.string_to_sign(
        method=request.method,
        content_type=request.headers.get("Content-Type", ""),
        date=request.headers["Date"],
        path=request.url.raw_path.split(b"?")[0].decode(),
    )
    return signing.verify([signing.Key(KEY)], text, credentials.signature)


def sent(method: str, url: str, **options: object) -> httpx2.Request:
    """The request that a plain httpx2 client sends with our Auth."""
    echo = Echo()
    auth = SignedAuth(TRACKER, KEY, clock=lambda: NOON)
    with httpx2.Client(transport=echo.transport, auth=auth) as http:
        http.request(method, f"https://live.luigisbox.com{url}", **options)  # type: ignore[arg-type]  # any option
    return echo.requests[0]


@pytest.mark.parametrize(
    ("method", "path", "signature"),
    [
        ("GET", ONE, "e6gb0XVIotdiwhkDBBNTi5ILcg3YLRygjAdYwnvhKhQ="),
        (
            "POST",
            f"/v1/recommender/pin/{TRACKER}/scopes",
            "vSYspLbtpLNeCyZ3GQApb2hSd/5/6E33IL9aOI6FkTI=",
        ),
    ],
)
def test_signs_as_the_contract_says(method: str, path: str, signature: str) -> None:
    """The vectors that the documentation's own recipe makes."""
    request = sent(method, path, headers=JSON)

    assert request.headers["Date"] == "Mon, 20 Jan 2025 12:00:00 GMT"
    assert request.headers["Authorization"] == f"ApiAuth {TRACKER}:{signature}"


def test_the_query_is_not_signed() -> None:
    """A list with filters carries the signature of one without."""
    path = f"/v1/recommender/pin/{TRACKER}/scopes"

    plain = sent("POST", path, headers=JSON)
    filtered = sent("POST", path, headers=JSON, params={"model": "basket", "limit": "10"})

    assert plain.headers["Authorization"] == filtered.headers["Authorization"]


def test_no_content_type_is_signed_as_none() -> None:
    """A GET without that header verifies with the empty text in its place."""
    request = sent("GET", ONE)

    assert "Content-Type" not in request.headers
    assert verifies(request)


def test_a_multipart_boundary_is_not_signed() -> None:
    """The header carries a boundary, the signature does not."""
    path = f"/v1/interactions/{TRACKER}/files"

    request = sent("POST", path, files={"file": b"{}"})

    assert "boundary=" in request.headers["Content-Type"]
    assert verifies(request)


def test_a_repeated_request_is_dated_anew() -> None:
    """Each sending asks the clock, so that a late repetition is not refused as old."""
    echo = Echo()
    times = iter((NOON, Micros(NOON + 7_000_000)))
    auth = SignedAuth(TRACKER, KEY, clock=lambda: next(times))

    with httpx2.Client(transport=echo.transport, auth=auth) as http:
        request = http.build_request("GET", f"https://live.luigisbox.com{ONE}")
        http.send(request)
        first = request.headers["Date"]
        http.send(request)

    assert first == "Mon, 20 Jan 2025 12:00:00 GMT"
    assert echo.requests[1].headers["Date"] == "Mon, 20 Jan 2025 12:00:07 GMT"
    assert verifies(echo.requests[1])


def test_signs_for_the_async_client_too() -> None:
    """One auth flow serves both."""
    echo = Echo()

    async def ask() -> None:
        auth = SignedAuth(TRACKER, KEY, clock=lambda: NOON)
        async with httpx2.AsyncClient(transport=echo.transport, auth=auth) as http:
            await http.get(f"https://live.luigisbox.com{ONE}", headers=JSON)

    asyncio.run(ask())

    assert (
        echo.requests[0]
        .headers["Authorization"]
        .endswith(":e6gb0XVIotdiwhkDBBNTi5ILcg3YLRygjAdYwnvhKhQ=")
    )


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    segment=st.text(),
    content_type=st.sampled_from(["application/json", "application/json; Charset=UTF-8", ""]),
)
def test_whatever_is_sent_verifies(method: str, segment: str, content_type: str) -> None:
    """Any path and Content-Type, as they arrive, fit the signature that arrives with them."""
    path = quote(f"/v1/{segment}", safe="/:@!$&'()*+,;=")

    request = sent(method, path, headers={"Content-Type": content_type})

    assert verifies(request)

"""
The parts of the HTTP edge that need no application: routes, compressed bodies, throttles.
"""

import gzip
import zlib

import pytest

from endcap.api.http import Request, Response, Routes, inflate
from endcap.api.throttle import Throttle
from endcap.errors import BodyTooLarge, MalformedBody, TooManyRequests, UnsupportedMediaType


async def _nothing(request: Request) -> Response:
    return Response(204)


def test_a_route_is_found_by_its_segments() -> None:
    """Names in braces match one segment each; what is left over matches nothing."""
    routes = Routes()
    routes.add("/v1/pin/{tracker}/scope/{id}", GET=_nothing)
    routes.add("/v1/pin/{tracker}/scopes", POST=_nothing)

    found = routes.find("/v1/pin/1234-5678/scope/abc")

    assert found is not None
    assert found[1] == {"tracker": "1234-5678", "id": "abc"}
    assert set(found[2]) == {"GET", "HEAD"}
    assert routes.find("/v1/pin/1234-5678/scope") is None
    assert routes.find("/v1/pin/1234-5678/scope/abc/") is None


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
    ],
)
def test_compressed_bodies_are_inflated(encoding: str, compress: object) -> None:
    """gzip, deflate, and deflate as some clients understand it, without its wrapper."""
    assert callable(compress)

    assert inflate(compress(b"hello" * 100), encoding, 1_000) == b"hello" * 100


def test_a_body_that_inflates_past_its_bound_is_refused() -> None:
    """A kilobyte that becomes a gigabyte is stopped at the bound."""
    with pytest.raises(BodyTooLarge):
        inflate(gzip.compress(b"\x00" * 10_000_000), "gzip", 1_000_000)


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b"hello" * 100, mtime=0)[:-12]],
    ids=["not compressed", "cut short"],
)
def test_a_body_that_cannot_be_inflated_is_refused(body: bytes) -> None:
    """Not compressed at all, or cut short."""
    with pytest.raises(MalformedBody):
        inflate(body, "gzip", 1_000_000)


def test_an_unknown_encoding_is_refused() -> None:
    """With the ones that would do."""
    with pytest.raises(UnsupportedMediaType, match="gzip, deflate"):
        inflate(b"", "br", 1_000)


def test_a_throttle_lets_a_seconds_worth_through() -> None:
    """Then it says how long to wait; other callers have their own allowance."""
    throttle = Throttle(3)
    for _ in range(3):
        throttle.take("10.0.0.1")

    with pytest.raises(TooManyRequests) as refused:
        throttle.take("10.0.0.1")

    assert refused.value.retry_after_seconds == 1
    throttle.take("10.0.0.2")


def test_no_rate_is_no_limit() -> None:
    """The default: the operator owns the machine."""
    throttle = Throttle(0)

    for _ in range(10_000):
        throttle.take("10.0.0.1")

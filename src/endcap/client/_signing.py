"""
The signature as an httpx2 Auth: for `Client` and `AsyncClient` here, or alone for an httpx2 client of your own.
"""

import time
from collections.abc import Callable, Generator

import httpx2

from endcap.domain import Micros
from endcap.signing import Key, format_http_date, string_to_sign

Clock = Callable[[], Micros]


def system_clock() -> Micros:
    return Micros(time.time_ns() // 1_000)


class SignedAuth(httpx2.Auth):
    """
    Dates and signs each request as it is sent, so that a repeated one is dated anew.

    Signs what really travels: the request's own Content-Type (none counts as empty) and its path as encoded.
    """

    def __init__(self, tracker: str, private_key: str, *, clock: Clock = system_clock) -> None:
        self._tracker = tracker
        self._key = Key(private_key)
        self._clock = clock

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        date = format_http_date(self._clock())
        text = string_to_sign(
            method=request.method,
            content_type=request.headers.get("Content-Type", ""),
            date=date,
            path=request.url.raw_path.partition(b"?")[0].decode("ascii"),
        )
        request.headers["Date"] = date
        request.headers["Authorization"] = f"ApiAuth {self._tracker}:{self._key.sign(text)}"
        yield request

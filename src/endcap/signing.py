"""
The signature of a request: how it is made, how a header is taken apart, how a Date is understood.

    Authorization: <any word> <tracker_id>:<signature>
    signature = base64(HMAC-SHA256(private_key, METHOD "\\n" Content-Type "\\n" Date "\\n" path))

The Content-Type and Date are signed byte for byte as they travel; the path without its query; the body not at all
(https://docs.luigisbox.com/platform-foundations/api-principles/#authentication). Knows nothing of keys' whereabouts
or of what time it is.
"""

import re
from binascii import b2a_base64
from calendar import timegm
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest

from msgspec import Struct

from endcap.domain import Micros

JSON_CONTENT_TYPE = "application/json; charset=utf-8"
CLOCK_SKEW_SECONDS_DEFAULT = 5  # the vendor's documented tolerance
CLOCK_SKEW_SECONDS_MAX = 300
_BLOCK_BYTES = 64  # of SHA-256


class Credentials(Struct, frozen=True):
    """What an Authorization header claims."""

    tracker: str
    signature: str


def string_to_sign(*, method: str, content_type: str, date: str, path: str) -> str:
    """The signed text. A multipart Content-Type counts without its boundary."""
    if content_type[:1] in "mM" and content_type.lower().startswith("multipart/form-data"):
        content_type = "multipart/form-data"
    return f"{method}\n{content_type}\n{date}\n{path}"


class Key:
    """
    A private key, prepared: HMAC's two hashes (https://www.rfc-editor.org/rfc/rfc2104) begun with the padded key.

    Going on from there costs half of what the hmac module takes, which prepares as much but wraps it.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, private_key: str) -> None:
        key = private_key.encode()
        if len(key) > _BLOCK_BYTES:
            key = sha256(key).digest()
        padded = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def sign(self, text: str) -> str:
        """The signature of a text, in standard Base64 with padding."""
        return self._signature(text.encode("latin-1", "replace")).decode()

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Compares in constant time. The texts, not the digests: Base64 has several texts for one digest."""
        return compare_digest(self._signature(text), signature)

    def _signature(self, text: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return b2a_base64(outer.digest(), newline=False)


def sign(private_key: str, *, method: str, content_type: str, date: str, path: str) -> str:
    """The signature of one request."""
    text = string_to_sign(method=method, content_type=content_type, date=date, path=path)
    return Key(private_key).sign(text)


def verify(keys: Iterable[Key], text: str, signature: str) -> bool:
    """Whether any live key made the signature. Every key is tried, so time does not tell which."""
    return verify_bytes(
        keys, text.encode("latin-1", "replace"), signature.encode("utf-8", "replace")
    )


def verify_bytes(keys: Iterable[Key], text: bytes, signature: bytes) -> bool:
    """The same of a text and a signature as they travelled."""
    found = False
    for key in keys:
        found |= key.verifies(text, signature)
    return found


def parse_authorization(header: str) -> Credentials | None:
    """
    Takes `<word> <tracker>:<signature>` apart; None if it has no such form.

    The word is not looked at: real clients send ApiAuth, guzzle, faraday, Hello. The tracker ends at the last colon
    (a signature has none).
    """
    _, _, claim = header.strip().partition(" ")
    tracker, colon, signature = claim.strip().rpartition(":")
    return Credentials(tracker, signature) if colon and tracker and signature else None


_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_ZONES = frozenset({"GMT", "UTC", "Z", "+0000", "+00:00", "GMT+0000"})
_DATE = re.compile(
    r"[A-Z][a-z]{2}, (\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) (\S+)", re.ASCII
)


def parse_http_date(header: str) -> Micros | None:
    """
    Reads an RFC 1123 date with any of the zones that clients are seen to send; None if it is unreadable.

    PHP's `T` format makes `GMT+0000` of a Unix timestamp, others send `UTC`, `Z`, `+0000` or `+00:00`.
    """
    found = _DATE.fullmatch(header.strip())
    if found is None:
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    number = _MONTHS.get(month)
    if number is None or zone not in _ZONES:
        return None
    try:  # checks the ranges; a leap second is as unreadable to us as a 32nd of May
        moment = datetime(
            int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
    except ValueError:
        return None
    return Micros(timegm(moment.timetuple()) * 1_000_000)


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def format_http_date(now: Micros) -> str:
    """RFC 1123 with GMT, e.g. `Mon, 20 Jan 2025 12:00:00 GMT`, whatever the locale."""
    at = datetime.fromtimestamp(now // 1_000_000, UTC)
    month = next(name for name, number in _MONTHS.items() if number == at.month)
    return (
        f"{_WEEKDAYS[at.weekday()]}, {at.day:02} {month} {at.year:04} "
        f"{at.hour:02}:{at.minute:02}:{at.second:02} GMT"
    )

"""
Who asks: checks the signature of a request, and says which check failed.

The signature is checked before the date is believed. A refusal names the text that the server signed, never a digest
or a key. A tracker or key that was made a moment ago in another process is looked for once before it is refused.
"""

import asyncio

from endcap import signing
from endcap.api.http import Request
from endcap.domain import Micros
from endcap.errors import TrackerNotFound, Unauthenticated
from endcap.service import Service
from endcap.shops import Shop

_MICROS = 1_000_000


class Authenticator:
    """Remembers how the last Date read: requests of one second share it."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._skew_micros_max = service.settings.clock_skew_seconds * _MICROS
        self._last_date: tuple[bytes, Micros | None] = (b"", None)

    async def tracker_of_path(self, request: Request, tracker: str) -> Shop:
        """Checks a request whose path names the tracker. Raises TrackerNotFound, Unauthenticated."""
        shop = self.plainly_signed(request, tracker)
        if shop is not None:
            return shop
        shop = await self.known(tracker)
        credentials = self._credentials(request)
        if credentials.tracker != tracker:
            raise _refusal("authorization", "The signature is of another tracker than the path's")
        if self._is_signed(request, shop, credentials):
            return shop
        return await self._looked_up(request, shop, credentials)

    async def tracker_of_header(self, request: Request) -> Shop:
        """Checks a request where only the Authorization header names the tracker. Raises Unauthenticated."""
        credentials = self._credentials(request)
        try:
            shop = await self.known(credentials.tracker)
        except TrackerNotFound as error:
            raise _refusal("authorization", f"Unknown key: {credentials.tracker}") from error
        if self._is_signed(request, shop, credentials):
            return shop
        return await self._looked_up(request, shop, credentials)

    async def known(self, tracker: str) -> Shop:
        """Raises TrackerNotFound, StillLoading."""
        shop = self._service.mirror.shop(tracker)
        if shop is None and await self._check():
            shop = self._service.mirror.shop(tracker)
        if shop is None:
            raise self._service.mirror.absence()
        return shop

    def _credentials(self, request: Request) -> signing.Credentials:
        header = request.header(b"authorization")
        if header is None:
            raise _refusal("authorization", "The Authorization header is missing")
        credentials = signing.parse_authorization(header)
        if credentials is None:
            raise _refusal("authorization", "Must have the form: ApiAuth <tracker id>:<signature>")
        return credentials

    def plainly_signed(self, request: Request, tracker: str) -> Shop | None:
        """
        The shop of a request that is signed in the usual form, at the moment of the last one that was: the same checks,
        without taking the header apart. None may be signed all the same, or have a refusal coming.
        """
        shop = self._service.mirror.shop(tracker)
        sent = request.headers.get
        date, authorization = sent(b"date", b""), sent(b"authorization", b"")
        content_type = sent(b"content-type", b"")
        word, _, claim = authorization.partition(b" ")
        last, at = self._last_date
        if (
            shop is None
            or date != last
            or at is None
            or not claim.startswith(b"%b:" % tracker.encode())
            or not word
            or content_type[:1] in (b"m", b"M")
        ):
            return None
        text = b"\n".join((request.method.encode(), content_type, date, request.raw_path))
        elapsed = self._service.clock() - at
        if (
            signing.verify_bytes(shop.keys, text, claim[len(tracker) + 1 :])
            and -self._skew_micros_max <= elapsed <= self._skew_micros_max
        ):
            return shop
        return None

    def _is_signed(self, request: Request, shop: Shop, credentials: signing.Credentials) -> bool:
        """Whether a key of this shop made the signature. Raises Unauthenticated for a date that does not do."""
        date = request.header(b"date")
        if date is None:
            raise _refusal("date", "The Date header is missing")
        if not signing.verify(shop.keys, _signed_text(request, date), credentials.signature):
            return False
        self._check_clock(date)
        return True

    async def _looked_up(
        self, request: Request, shop: Shop, credentials: signing.Credentials
    ) -> Shop:
        """The shop as the store has it now: the key may be a new one."""
        if await self._check():
            shop = self._service.shop(shop.tracker)
            if self._is_signed(request, shop, credentials):
                return shop
        raise _refusal(
            "authorization",
            "The signature does not match. The server signed this text (JSON-escaped): "
            + _escaped(_signed_text(request, request.header(b"date") or "")),
        )

    def _check_clock(self, date: str) -> None:
        at = signing.parse_http_date(date)
        self._last_date = (date.encode("latin-1"), at)
        if at is None:
            raise _refusal(
                "date", f"Cannot be read: {date!r}. Send e.g. Mon, 20 Jan 2025 12:00:00 GMT"
            )
        now = self._service.clock()
        if not -self._skew_micros_max <= now - at <= self._skew_micros_max:
            raise _refusal(
                "date",
                f"The clock is off by {(at - now) / _MICROS:+.0f} s (at most "
                f"{self._skew_micros_max // _MICROS} s); the server's time is {signing.format_http_date(now)}",
            )

    async def _check(self) -> bool:
        mirror = self._service.mirror
        if self._service.store.inline:
            return mirror.check()
        return await asyncio.to_thread(mirror.check)


def _signed_text(request: Request, date: str) -> str:
    content_type = request.header(b"content-type") or ""
    return signing.string_to_sign(
        method=request.method, content_type=content_type, date=date, path=request.path
    )


def _refusal(field: str, message: str) -> Unauthenticated:
    return Unauthenticated(details={field: [message]})


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")

"""
One request of a browser: who asks, from where, with which form; and the cookies and headers that pages travel with.
"""

import asyncio
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import parse_qsl, quote, urlsplit

from msgspec import Struct

from endcap.accounts import SignedIn, csrf
from endcap.api.http import HTML, Request, Response
from endcap.api.multipart import SentFile, boundary_of, parts_of
from endcap.config import Settings
from endcap.errors import FormRefused, MalformedBody, UnsupportedMediaType
from endcap.shops import Shop
from endcap.web.sections import Section

SESSION, VISIT, THEME = "endcap_session", "endcap_visit", "endcap_theme"
PROVIDER = "endcap_provider"
THEMES = ("auto", "light", "dark")
FIELDS_MAX = 2_000
TOKEN_CHARACTERS_MAX = 200
YEAR_SECONDS = 365 * 24 * 3_600
DIGITS_MAX = 18  # of a number: databases count in 64 bits
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?", re.ASCII)
_INSIDE = re.compile(r"/console(?:/[^/\\\s][^\\\s]*)?", re.ASCII)
_FORM, _FILES = "application/x-www-form-urlencoded", "multipart/form-data"


class Form:
    """Fields of a query or of a body, in order; a field may come several times. Files by their fields' names."""

    def __init__(
        self, pairs: Sequence[tuple[str, str]], files: Mapping[str, SentFile] | None = None
    ) -> None:
        self.pairs = pairs
        self.files = files or {}

    def get(self, name: str, default: str = "") -> str:
        """The last value, without the spaces around it."""
        found = self.all(name)
        return found[-1].strip() if found else default

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def exact(self, name: str) -> str:
        """The last value as it was typed: a password may end in a space."""
        found = self.all(name)
        return found[-1] if found else ""

    def number(self, name: str) -> int:
        """0 for what is none."""
        return number_in(self.get(name))


NO_FORM = Form(())


class Visit(Struct, frozen=True):
    """
    A request, understood. `shop` where the path names a tracker; `form` where there is a body; `section` is the link of
    the navigation that leads here.
    """

    request: Request
    query: Form
    cookies: Mapping[str, str]
    address: str
    who: SignedIn | None = None
    shop: Shop | None = None
    form: Form = NO_FORM
    section: Section | None = None

    @property
    def user(self) -> SignedIn:
        assert self.who is not None, "the table of routes lets only signed-in users in here"
        return self.who

    @property
    def place(self) -> Shop:
        assert self.shop is not None, "the route's path names a tracker"
        return self.shop

    @property
    def is_secure(self) -> bool:
        """Whether cookies are for HTTPS alone: everywhere but on this very machine."""
        return not _LOOPBACK.fullmatch(self.request.header(b"host") or "")

    @property
    def theme(self) -> str:
        theme = self.cookies.get(THEME, "auto")
        return theme if theme in THEMES else "auto"

    @property
    def wants_part(self) -> bool:
        """Asked by a script of ours, for what is inside of the page."""
        return self.request.header(b"endcap-part") is not None

    def cookie(self, name: str) -> str:
        return self.cookies.get(_cookie_name(name, secure=self.is_secure), "")[
            :TOKEN_CHARACTERS_MAX
        ]

    def setting(self, name: str, value: str, *, seconds: int) -> tuple[bytes, bytes]:
        """A cookie that scripts cannot read and other sites cannot make browsers send with their forms."""
        secure = "; Secure" if self.is_secure else ""
        text = (
            f"{_cookie_name(name, secure=self.is_secure)}={value}; Path=/; Max-Age={seconds}; "
            f"HttpOnly; SameSite=Lax{secure}"
        )
        return (b"set-cookie", text.encode())

    def here(self) -> str:
        """Path and query of a page, to come back to."""
        query = self.request.query_text.decode("latin-1")
        return self.request.path + (f"?{query}" if query else "")


def visit_of(request: Request, settings: Settings) -> Visit:
    """Raises MalformedBody for a query that cannot be read."""
    return Visit(
        request,
        Form(request.query()),
        dict(_cookies(request.header(b"cookie") or "")),
        _address(request, settings.console_proxies),
    )


async def form_with_files(request: Request, *, bytes_max: int, form_bytes_max: int) -> Form:
    """A form that may bring files; one without any may come either way. Raises as `form_of` does."""
    if _type_of(request) != _FILES:
        return await form_of(request, form_bytes_max)
    boundary = boundary_of(request)
    body = b"".join([chunk async for chunk in request.chunks(bytes_max=bytes_max + form_bytes_max)])
    parts = await asyncio.to_thread(parts_of, boundary, body, fields_max=FIELDS_MAX)
    return Form(parts.fields, parts.files)


async def form_of(request: Request, bytes_max: int) -> Form:
    """Raises UnsupportedMediaType, MalformedBody, BodyTooLarge."""
    if _type_of(request) != _FORM:
        raise UnsupportedMediaType(f"A form of the console is sent as {_FORM}")
    body = await request.body(bytes_max=bytes_max)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=FIELDS_MAX,
            errors="strict",
        )
    except ValueError as error:
        raise MalformedBody("The form cannot be read", {"form": [str(error)]}) from error
    return Form(pairs)


def number_in(text: str) -> int:
    """0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else 0


def _type_of(request: Request) -> str:
    return (request.header(b"content-type") or "").partition(";")[0].strip().lower()


def check_origin(request: Request) -> None:
    """A form must come from a page of ours: browsers say so, and nobody can make them lie. Raises FormRefused."""
    origin = request.header(b"origin")
    host = (request.header(b"host") or "").lower()
    if origin is None:
        is_ours = request.header(b"sec-fetch-site") == "same-origin"
    else:
        is_ours = bool(host) and urlsplit(origin).netloc.lower() == host
    if not is_ours:
        said = origin or "a page that does not say which"
        raise FormRefused(details={"origin": [f"The form came from {said}"]})


def check_csrf(form: Form, wanted: str) -> None:
    """Raises FormRefused."""
    if not wanted or not secrets.compare_digest(form.get("csrf").encode(), wanted.encode()):
        raise FormRefused


def csrf_of(token: str) -> str:
    """What forms carry that are shown before anybody is signed in."""
    return csrf(token) if token else ""


def inside(path: str) -> str:
    """A place of the console to go on to; anything else is its beginning."""
    return path if _INSIDE.fullmatch(path) and not path.startswith("//") else "/console"


def policy(settings: Settings) -> bytes:
    """The Content-Security-Policy of every page: files of ours, and pictures from where the operator says."""
    pictures = " ".join(["'self'", "data:", *settings.console_picture_hosts])
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"img-src {pictures}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ).encode()


def security_headers(settings: Settings) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"content-security-policy", policy(settings)),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        # Not `no-referrer`: with it browsers call the origin of a form «null».
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cache-control", b"no-store"),
    )


def page(body: str, status: int = 200, *headers: tuple[bytes, bytes]) -> Response:
    return Response(status, body.encode(), (HTML, *headers))


def redirect(path: str, *headers: tuple[bytes, bytes]) -> Response:
    """To be fetched by GET, whatever this was."""
    location = quote(path, safe="/?&=%:+,;@!$'()*~#-._[]")
    return Response(303, b"", ((b"location", location.encode()), *headers))


def _cookie_name(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure and name != THEME else name


def _cookies(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(";"):
        name, found, value = part.strip().partition("=")
        if found:
            yield name, value


def _address(request: Request, proxies: int) -> str:
    """The browser's: what the outermost of our own proxies saw. What is before that anybody may have written."""
    if proxies == 0:
        return request.address
    forwarded = [each.strip() for each in (request.header(b"x-forwarded-for") or "").split(",")]
    return (
        forwarded[-proxies]
        if len(forwarded) >= proxies and forwarded[-proxies]
        else request.address
    )

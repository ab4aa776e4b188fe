"""
Recommenders that are somewhere else: a service that is asked over HTTP before a page is placed.

A strategy does no I/O. Who asks (`api.asking`) puts what was answered into the query, and the strategy makes item
numbers of it; where nothing was answered it has no opinion, and the ranking's fallback fills the page.
"""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Protocol
from urllib.parse import urlsplit

from msgspec import Meta, Struct, field

from endcap.engine.catalog import Catalog

URL_CHARACTERS_MAX = 2_000
TIMEOUT_MS_MAX = 5_000
HEADERS_MAX = 20
COUNT_MAX = 1_000  # what a ranking may hold

_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")]
_Value = Annotated[str, Meta(pattern=r"^[\x20-\x7e]*$", max_length=2_000)]


class Brought(Protocol):
    """What a query must have for it."""

    @property
    def catalog(self) -> Catalog: ...

    @property
    def brought(self) -> tuple[str, ...]: ...


class External(Struct, frozen=True, tag=True):
    """A service of the shop's own, asked over HTTP within a bound; its failures are filled from the fallback."""

    url: Annotated[str, Meta(min_length=1, max_length=URL_CHARACTERS_MAX)]
    """Where to ask: `http://` or `https://`, of a host that the operator allows."""
    timeout_ms: Annotated[int, Meta(ge=1, le=TIMEOUT_MS_MAX)] = 100
    """How long a page may wait for it, connecting included."""
    count: Annotated[int, Meta(ge=1, le=COUNT_MAX)] = 50
    """How many items to ask for; as many as the page has slots if that is more."""
    headers: Annotated[dict[_Name, _Value], Meta(max_length=HEADERS_MAX)] = field(
        default_factory=dict
    )
    """Sent along; `${RECOMMENDER_TOKEN}` stands for the server's environment variable of that name."""
    failures: Annotated[int, Meta(ge=1, le=1_000)] = 5
    """So many failures within the window, at least half of the calls, and it is left alone."""
    window_seconds: Annotated[float, Meta(gt=0, le=3_600)] = 10.0
    open_seconds: Annotated[float, Meta(gt=0, le=3_600)] = 5.0
    """How long it is left alone before one call tries again."""

    def ranked(self, query: Brought) -> list[int]:
        """The numbers of what was answered, as far as the catalog has it."""
        numbers = query.catalog.numbers_of(query.brought)
        return list(dict.fromkeys(number for number in numbers if number is not None))


def objection(external: External, hosts: Collection[str]) -> str | None:
    """Why a service may not be asked, with what to do about it; None if it may."""
    try:
        service = service_of(external.url)
    except ValueError as error:
        return f"url: {error}"
    if service not in hosts:
        allowed = ", ".join(sorted(hosts)) or "none"
        return (
            f"url: The host {service} is not among those that the operator allows ({allowed}): "
            "add it to ENDCAP_RECOMMENDER_HOSTS"
        )
    for name, value in external.headers.items():
        if name.lower() in _OWN_HEADERS:
            return f"headers: {name} is set by the server"
        for variable in _VARIABLE.findall(value):
            if not _SECRET.fullmatch(variable):
                return f"headers: ${{{variable}}} must be named RECOMMENDER_…, so that no other secret is sent"
    return None


def service_of(url: str) -> str:
    """The host of a URL, with its port unless that is the scheme's own. Raises ValueError with a message for people."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("Must be http://host/… or https://host/…")
    if parts.username is not None or parts.password is not None:
        raise ValueError("Must not hold a password: send it as a header, e.g. ${RECOMMENDER_TOKEN}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port
    return host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"


def headers_of(external: External, environment: Mapping[str, str]) -> dict[str, str]:
    """The headers, the environment's values in them. Raises KeyError with the name of a variable that is not set."""

    def value(found: re.Match[str]) -> str:
        return environment[found[1]].strip()

    return {name: _VARIABLE.sub(value, text) for name, text in external.headers.items()}


_PORTS = {"http": 80, "https": 443}
_OWN_HEADERS = frozenset(
    {
        *("accept-encoding", "connection", "content-length", "content-type", "expect", "host"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    }
)
_VARIABLE = re.compile(r"\$\{(\w*)\}")
_SECRET = re.compile(r"RECOMMENDER_[A-Z0-9_]+", re.ASCII)

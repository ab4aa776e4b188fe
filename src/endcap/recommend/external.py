"""
Which services may be asked, and what is sent along: rules that keep a URL in a table of models from reaching what it
should not.

Only hosts that the operator names, no password in a URL, no header that makes HTTP what it is, and of the server's
environment only variables that are named for this.
"""

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from endcap.recommend.strategies.elsewhere import External


def objection(external: External, hosts: Collection[str]) -> str | None:
    """Why a service may not be asked, with what to do about it; None if it may."""
    try:
        service = service_of(external.url)
    except ValueError as error:
        return f"url: {error}"
    if service not in {each.lower() for each in hosts}:
        allowed = ", ".join(sorted(hosts)) or "none"
        return (
            f"url: The host {service} is not among those that the operator allows ({allowed}): "
            "add it to ENDCAP_RECOMMENDER_HOSTS"
        )
    for name, value in external.headers.items():
        if not _HEADER.fullmatch(name) or not value.isprintable() or not value.isascii():
            return f"headers: {name!r} must be a header's name, and its value printable ASCII"
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
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)
_VARIABLE = re.compile(r"\$\{(\w*)\}")
_SECRET = re.compile(r"RECOMMENDER_[A-Z0-9_]+", re.ASCII)

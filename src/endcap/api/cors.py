"""
What browsers are told of the public endpoints: pages of other origins may ask.
"""

from endcap.api.http import Headers, Request, Response

PREFLIGHT_SECONDS = b"86400"


def allowing(origin: str) -> tuple[tuple[bytes, bytes], ...]:
    """The header of every answer."""
    return ((b"access-control-allow-origin", origin.encode()),)


def preflight(request: Request, headers: Headers) -> Response:
    """Any header may be sent."""
    wanted = request.header(b"access-control-request-headers") or "content-type"
    return Response(
        204,
        headers=(
            *headers,
            (b"access-control-allow-methods", b"POST, OPTIONS"),
            (b"access-control-allow-headers", wanted.encode("latin-1")),
            (b"access-control-max-age", PREFLIGHT_SECONDS),
        ),
    )

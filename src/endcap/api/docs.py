"""
The API's own description: OpenAPI at `/openapi.json`, a page to read it at `/docs`. No outside request, no script.

The page's policy forbids everything but its own style, by its hash. Both change with a release only, so a browser keeps
them for a while and then asks whether they are still current.
"""

import base64
import hashlib
import re
from importlib.resources import files

from endcap.api.http import HTML, JSON, Request, Response, Routes

KEPT_SECONDS = 300


class DocsEndpoints:
    def __init__(self) -> None:
        folder = files("endcap.api")
        page = folder.joinpath("docs.html").read_bytes()
        self._page = _Document(page, HTML, (b"content-security-policy", policy(page)))
        # Any page may read it: description viewers live on other origins.
        self._openapi = _Document(
            folder.joinpath("openapi.json").read_bytes(),
            JSON,
            (b"access-control-allow-origin", b"*"),
        )

    def mount(self, routes: Routes) -> None:
        routes.add("/openapi.json", GET=self.openapi)
        routes.add("/docs", GET=self.docs)

    async def openapi(self, request: Request) -> Response:
        return self._openapi.answer(request)

    async def docs(self, request: Request) -> Response:
        return self._page.answer(request)


class _Document:
    """Bytes that stay as they are while the process lives."""

    def __init__(self, body: bytes, *headers: tuple[bytes, bytes]) -> None:
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        self._body = body
        self._tag = tag
        self._headers = (
            *headers,
            (b"etag", tag.encode()),
            (b"cache-control", f"public, max-age={KEPT_SECONDS}".encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
        )

    def answer(self, request: Request) -> Response:
        wanted = (request.header(b"if-none-match") or "").split(",")
        if any(each.strip().removeprefix("W/") in (self._tag, "*") for each in wanted):
            return Response(304, headers=self._headers)
        return Response(200, self._body, self._headers)


def policy(page: bytes) -> bytes:
    """The Content-Security-Policy of a page that has one inline style and nothing else."""
    style = re.search(rb"<style>(.*?)</style>", page, re.DOTALL)
    digest = hashlib.sha256(style.group(1) if style else b"").digest()
    return (
        b"default-src 'none'; style-src 'sha256-%b'; img-src data:; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'" % base64.b64encode(digest)
    )

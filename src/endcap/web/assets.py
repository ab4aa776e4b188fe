"""
Style sheets, scripts and pictures of the pages, each under a name that holds a digest of its content.

A name stands for one content, so that browsers keep it for a year and never ask again; another release has other names.
What a file refers to (`import … from "./x.js"`, `url(x.svg)`) is renamed in it first, so a changed picture changes the
style sheet's name too. Everything is read when the process starts; nothing is looked for on a disk by a request.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from msgspec import Struct

from endcap.api.http import Headers, Request, Response
from endcap.errors import PathNotFound

BASE = "/console/static/"
KEPT_SECONDS = 365 * 24 * 3_600
_TYPES: Mapping[str, bytes] = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
_REFERENCE = re.compile(rb"""(?:\bfrom\s*|\bimport\s*|url\(\s*)["']?\./([\w.-]+)["']?""")
_DIGEST_CHARACTERS = 12


class _Asset(Struct, frozen=True):
    body: bytes
    headers: Headers


class Assets:
    """All files of `static`, renamed."""

    def __init__(self) -> None:
        folder = files("endcap.web") / "static"
        sources = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
        self._names: dict[str, str] = {}
        self._assets: dict[str, _Asset] = {}
        for name in sources:
            self._add(name, sources, ())

    def url(self, name: str) -> str:
        """Of a file by its name in the folder. Raises KeyError for none: a template's fault."""
        return BASE + self._names[name]

    async def get(self, request: Request) -> Response:
        """Raises PathNotFound."""
        asset = self._assets.get(request.parameters["file"])
        if asset is None:
            raise PathNotFound(details={"path": [f"No such path: {request.path}"]})
        return Response(200, asset.body, asset.headers)

    def _add(self, name: str, sources: Mapping[str, bytes], above: tuple[str, ...]) -> str:
        """A file's new name, after those that it refers to have theirs."""
        if name in self._names:
            return self._names[name]
        assert name not in above, f"a circle of references: {above}"

        def renamed(found: re.Match[bytes]) -> bytes:
            other = self._add(found[1].decode(), sources, (*above, name))
            return found[0].replace(found[1], other.encode())

        body = _REFERENCE.sub(renamed, sources[name])
        stem, _, kind = name.rpartition(".")
        digest = hashlib.sha256(body).hexdigest()[:_DIGEST_CHARACTERS]
        made = self._names[name] = f"{stem}.{digest}.{kind}"
        self._assets[made] = _Asset(
            body,
            (
                (b"content-type", _TYPES[kind]),
                (b"cache-control", f"public, max-age={KEPT_SECONDS}, immutable".encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"cross-origin-resource-policy", b"same-origin"),
            ),
        )
        return made


@cache
def packaged_assets() -> Assets:
    """Those of this release, read once a process."""
    return Assets()

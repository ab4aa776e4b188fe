"""
Ruby, PHP, Node and the shell sign and ask as the vendor's pages show it, each with its own libraries and habits.

A client checks every answer itself and says what it did; the tests check that none left anything out.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compat.conftest import Shop
from tests.services.needs import lacking, need_php_curl, need_program

FOLDER = Path(__file__).parent
SECONDS_MAX = 60.0
NODE_VERSION_MIN = 18  # the first with fetch

WORDS = ("guzzle", "faraday", "curl", "Hello", "ApiAuth")
ZONES = ("GMT", "UTC", "Z", "+0000", "+00:00", "GMT+0000")
STEPS = {
    "create: 201",
    "get: 200",
    "update: 204",
    "get again: 200",
    "list: 200",
    "list with tag[]: 200",
    "list without a body: 200",
    *(f"first word {word}: 200" for word in WORDS),
    *(f"date in {zone}: 200" for zone in ZONES),
    "Content-Type without charset: 204",
    "no Content-Type: 200",
    *(f"same signed request, time {time}: 204" for time in (1, 2, 3)),
    "gzip upload: 200",
    "deflate upload: 200",
    "remove objects: 200",
    "wrong key: 401",
    "stale date: 401",
    "faulty fields: 422",
    "not JSON: 400",
    "delete: 204",
    "get after delete: 404",
    "delete again: 404",
}

Command = list[str | Path]


def ruby() -> Command:
    return [need_program("ruby"), "-w", FOLDER / "client.rb"]


def php() -> Command:
    return [need_php_curl(), FOLDER / "client.php"]


def node() -> Command:
    found = need_program("node")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.strip().lstrip("v").partition(".")[0]) < NODE_VERSION_MIN:
        lacking(f"Node {said.strip()} has no fetch; it takes version {NODE_VERSION_MIN}")
    return [found, FOLDER / "client.mjs"]


def shell() -> Command:
    for program in ("curl", "openssl"):
        need_program(program)
    return [need_program("bash"), FOLDER / "client.sh"]


CLIENTS = pytest.mark.parametrize("command", [ruby, php, node, shell], ids=lambda one: one.__name__)


def run(command: Command, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**os.environ, **environment, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.mark.clients
@CLIENTS
def test_a_real_client_is_served(command: Callable[[], Command], live_server: Shop) -> None:
    """Create, get, update, list, delete and every known quirk, as this language's libraries send them."""
    client = command()

    done = run(client, live_server.environment)

    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}\nserver:\n{live_server.server.log}"
    assert done.stderr == ""
    steps = {line.removeprefix("ok ") for line in done.stdout.splitlines()}
    assert steps >= STEPS
    assert done.stdout.splitlines()[-1] == "done"


@pytest.mark.clients
@CLIENTS
def test_a_client_notices_a_refusal(command: Callable[[], Command], live_server: Shop) -> None:
    """The clients do check: with a wrong key each stops at its first step and says why."""
    client = command()

    done = run(client, {**live_server.environment, "ENDCAP_KEY": "not the key"})

    assert done.returncode == 1
    assert "FAILED create: expected 201, got 401" in done.stderr
    assert "ok" not in done.stdout

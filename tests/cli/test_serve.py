"""
`endcap serve` as a process: what keeps it from serving is told, and what other commands change is seen by it.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx2
import pytest

from endcap.client import Client
from endcap.errors import TrackerNotFound, Unauthenticated
from tests.cli.driver import KEY, TRACKER, Shell
from tests.cli.installed import SECONDS_MAX, run
from tests.services.server import LiveServer, endcap_command, start_server

SEEN_SECONDS_MAX = 2.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell beside the server, with one tracker."""
    shell = Shell(tmp_path_factory.mktemp("served"))
    shell.create_tracker()
    return shell


@pytest.fixture(scope="module")
def server(served: Shell) -> Iterator[LiveServer]:
    """Its clock is nobody's concern here."""
    server = start_server(served.data_dir, env={"ENDCAP_CLOCK_SKEW_SECONDS": "60"})
    yield server
    server.stop()


def client(server: LiveServer, tracker: str = TRACKER, key: str = KEY) -> Client:
    return Client(server.url, tracker, key, transport=httpx2.HTTPTransport())


def refused(
    data_dir: Path, *arguments: object, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A server that must not come up."""
    return run(data_dir, "serve", *arguments, env=env)


def test_a_tracker_made_while_it_serves_is_served(server: LiveServer, served: Shell) -> None:
    """A request for it makes the server look, if it did not a moment ago."""
    served.create_tracker("late", "late_key")

    with client(server, "late", "late_key") as late:
        _wait_until(lambda: signs(late))


def test_a_new_key_signs_and_a_revoked_one_does_not(server: LiveServer, served: Shell) -> None:
    """Within a moment, while the server runs; the other key is not disturbed."""
    served.create_tracker("rotating", "old_key")
    with client(server, "rotating", "old_key") as old, client(server, "rotating", "new_key") as new:
        old.summary()
        with pytest.raises(Unauthenticated):
            new.summary()

        served.call("tracker", "rotate-key", "rotating", "--private-key", "new_key")
        _wait_until(lambda: signs(new))
        old.summary()

        served.call("tracker", "revoke-key", "rotating", "old_key")
        _wait_until(lambda: not signs(old))
        new.summary()


def signs(client: Client) -> bool:
    try:
        client.summary()
    except (TrackerNotFound, Unauthenticated):
        return False
    return True


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SEEN_SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, "the server does not see the change"
        time.sleep(0.01)


def test_imports_are_served_without_a_restart(server: LiveServer, served: Shell) -> None:
    """A catalog and a rule, from files."""
    served.put_items({"identity": "/p/1"}, {"identity": "/p/2"})
    pin = {"position": 1, "pin_type": "item", "pin_identity": "/p/2"}
    served.put_customizations({"model": "trends", "target_type": "all", "pin_definitions": [pin]})

    def first(shop: Client) -> str:
        (answer,) = shop.recommend([{"recommendation_type": "trends"}])
        return answer.hits[0].url if answer.hits else ""

    with client(server) as shop:
        _wait_until(lambda: first(shop) == "/p/2")


def test_an_unknown_tracker_is_not_served(server: LiveServer) -> None:
    """It answers 404, before and after it looked."""
    with client(server, "nowhere") as stranger, pytest.raises(TrackerNotFound):
        stranger.summary()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_is_told(tmp_path: Path, workers: int) -> None:
    """With what to do, before anything else is done; it never says that it listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = refused(tmp_path, "--port", port, "--workers", workers)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "--port (ENDCAP_PORT)" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_is_not_ours_is_told(tmp_path: Path) -> None:
    """203.0.113.0/24 is nobody's."""
    done = refused(tmp_path, "--host", "203.0.113.1", "--port", "0")

    assert done.returncode == 1
    assert "Cannot listen on 203.0.113.1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("postgresql://endcap:secret@127.0.0.1:1/shop", 1, "database: postgresql://127.0.0.1:1/shop"),
        ("sqlite:////proc/none/endcap.db", 1, "database: sqlite:////proc/none/endcap.db"),
        ("mysql://root@localhost/shop", 2, "postgresql://user:password@host:5432/database"),
    ],
)  # fmt: skip
def test_a_database_that_cannot_be_used_is_told(
    tmp_path: Path, url: str, code: int, said: str
) -> None:
    """Which one and why; no password, no traceback, no server."""
    done = refused(tmp_path, "--port", "0", env={"ENDCAP_DATABASE_URL": url})

    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_another_master_key_is_told(tmp_path: Path) -> None:
    """A server that could check no signature does not start."""
    shell = Shell(tmp_path)
    shell.create_tracker()

    done = refused(tmp_path, "--port", "0", env={"ENDCAP_MASTER_KEY": "x" * 20})

    assert (done.returncode, done.stdout) == (2, "")
    assert "ENDCAP_MASTER_KEY" in done.stderr


def test_a_tracker_of_another_master_key_does_not_stop_the_others(tmp_path: Path) -> None:
    """It is logged; who has the right key is served."""
    Shell(tmp_path).create_tracker("lost")
    Shell(tmp_path, ENDCAP_MASTER_KEY="x" * 20).create_tracker()
    server = start_server(tmp_path, env={"ENDCAP_MASTER_KEY": "x" * 20})
    try:
        with client(server) as shop, client(server, "lost") as lost:
            shop.summary()
            with pytest.raises(Unauthenticated):
                lost.summary()

        assert "private key cannot be opened" in server.log
    finally:
        server.stop()


@pytest.mark.parametrize(("workers", "ending"), [(1, signal.SIGINT), (2, signal.SIGTERM)])
def test_it_says_where_it_listens_and_ends_when_told(
    tmp_path: Path, workers: int, ending: signal.Signals
) -> None:
    """Also on a port that the system chose; Ctrl-C is a good end."""
    process = subprocess.Popen(
        [str(endcap_command()), "serve", "--port", "0", "--workers", str(workers)],
        env={**os.environ, "ENDCAP_DATA_DIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process:
        said = process.stdout.readline()
        url = said.split()[3]
        assert said.startswith("Endcap listens on http://127.0.0.1:")
        _wait_until_ready(url)

        process.send_signal(ending)

        assert process.wait(SECONDS_MAX) == 0
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{url}/healthz", trust_env=False)


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    with httpx2.Client(trust_env=False) as http:
        while time.monotonic() < deadline:
            try:
                if http.get(f"{url}/readyz").status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.05)
    raise AssertionError("it never became ready")

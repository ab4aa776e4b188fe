"""
The workers of `endcap serve`: they are replaced when they die, reload without a gap, and end without cutting anybody.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.durability.load import (
    PATIENT,
    Caller,
    children_of,
    connects,
    creates,
    load,
    put_items,
    recommends,
    worker_of,
)
from tests.durability.storm import BASE, KEY, TRACKER, definition, signed
from tests.services.ports import free_port
from tests.services.server import LiveServer, create_tracker, endcap_command, start_server

FAILED_RELOAD = "reload failed, serving as before"
SECONDS_MAX = 30.0
DRAIN_SECONDS_MAX = 10.0  # of connections that are idle; a second and a half on a quiet machine


@contextmanager
def serving(data_dir: Path, *, workers: int, **environment: str) -> Iterator[LiveServer]:
    """A server with one tracker and a few items, whose worker processes are all ready."""
    create_tracker(data_dir, TRACKER, KEY)
    server = start_server(data_dir, workers=workers, env={**PATIENT, **environment})
    try:
        put_items(server.url)
        _until(lambda: server.log.count("worker is ready") >= workers)
        yield server
    finally:
        server.stop()


def _until(holds: Callable[[], bool], seconds: float = SECONDS_MAX) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_reload_under_load_refuses_and_cuts_nobody(tmp_path: Path, workers: int) -> None:
    """SIGHUP: every worker is another process then, under the settings that the file has now."""
    config = tmp_path / "endcap.toml"
    config.write_text('creator = "before"\n')
    with serving(tmp_path, workers=workers, ENDCAP_CONFIG=str(config)) as server:
        before = children_of(server.pid)
        assert len(before) == workers
        with load(server.url, recommends) as reads, load(server.url, creates, threads=2) as writes:
            reads.wait_for(50, lambda answer: answer.status == 200)
            config.write_text('creator = "after"\n')
            os.kill(server.pid, signal.SIGHUP)
            _until(lambda: not any(map(_is_alive, before)))
            reads.wait_for(50, lambda answer: answer.status == 200)
            writes.wait_for(10, lambda answer: b'"creator":"after"' in answer.body)
        after = children_of(server.pid)

    assert len(after) == workers
    assert not before & after
    assert set(reads.counts()) == {200}
    assert set(writes.counts()) == {201}
    assert b'"creator":"before"' in writes.answers[0].body


@pytest.mark.slow
def test_a_reload_changes_how_many_workers_there_are(tmp_path: Path) -> None:
    """A reload that cannot be changes nothing and is told: settings that cannot be read, or used by a worker."""
    config = tmp_path / "endcap.toml"
    config.write_text("workers = 1\n")
    create_tracker(tmp_path, TRACKER, KEY)
    server = start_server(tmp_path, workers=None, env={"ENDCAP_CONFIG": str(config)})
    try:
        (first,) = children_of(server.pid)
        for unusable, why in [
            ('workers = "many"', "The setting workers (ENDCAP_WORKERS) cannot be used"),
            ('database_url = "mysql://x"', "No store is known for a URL that begins with 'mysql'"),
        ]:
            failures = server.log.count(FAILED_RELOAD)
            config.write_text(unusable)
            os.kill(server.pid, signal.SIGHUP)
            _until(lambda: server.log.count(FAILED_RELOAD) > failures)  # noqa: B023 - of this turn
            _until(lambda: children_of(server.pid) == {first})
            assert why in server.log

        config.write_text("workers = 2\n")
        os.kill(server.pid, signal.SIGHUP)

        _until(lambda: first not in children_of(server.pid))
        _until(lambda: len(children_of(server.pid)) == 2)
        assert connects(server.url)
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, workers: int) -> None:
    """
    At most what it was answering is cut, nobody is refused, and what it had answered is there. Only a server that has
    no other worker says for a moment that it is loading.
    """
    threads = 4
    with serving(tmp_path, workers=workers) as server:
        with load(server.url, creates, threads=threads) as writes:
            for deaths in range(1, 3):
                writes.wait_for(20, lambda answer: answer.status == 201)
                os.kill(min(children_of(server.pid)), signal.SIGKILL)
                ready = workers + deaths
                _until(lambda: server.log.count("worker is ready") == ready)  # noqa: B023 - of this turn
                writes.wait_for(20, lambda answer: answer.status == 201)
            assert len(children_of(server.pid)) == workers
        caller = Caller(server.url)
        summary = caller.ask("GET", BASE.replace("/scope", "/summary"))
        caller.close()

    counts = writes.counts()
    cut = sum(count for status, count in counts.items() if str(status).startswith("cut"))
    assert "refused" not in counts
    loading = [each for each in writes.answers if each.status == 503]
    assert counts[201] + cut + len(loading) == counts.total()
    assert 0 < cut <= 2 * threads
    assert all(each.headers["retry-after"] == "1" for each in loading)
    assert workers == 1 or not loading
    assert summary.status == 200
    stored = int(summary.body.split(b'"basket":')[1].split(b"}")[0].split(b",")[0])
    assert counts[201] <= stored <= counts.total()


@pytest.mark.slow
def test_a_server_that_is_told_to_stop_answers_what_is_on_its_way(tmp_path: Path) -> None:
    """A request half sent, requests one after the other, and none at all: SIGTERM cuts nobody and ends soon."""
    with serving(tmp_path, workers=2) as server:
        half_sent = _HalfSent(server.url)
        idle = [Caller(server.url) for _ in range(3)]
        for each in idle:
            assert each.recommend().status == 200
        with load(server.url, recommends) as reads, load(server.url, creates) as writes:
            reads.wait_for(20, lambda answer: answer.status == 200)
            began_at = time.monotonic()
            os.kill(server.pid, signal.SIGTERM)
            time.sleep(2)
            is_waited_for = server.is_running
            whole = half_sent.finish()
            _until(lambda: not server.is_running, DRAIN_SECONDS_MAX)
            seconds = time.monotonic() - began_at
            reads.wait_for(1, lambda answer: answer.status == "refused")
        for each in idle:
            each.close()

    assert is_waited_for
    assert whole.startswith(b"HTTP/1.1 201")
    assert b"connection: close" in whole
    assert set(reads.counts()) == {200, "refused"}
    assert set(writes.counts()) == {201, "refused"}
    assert seconds < DRAIN_SECONDS_MAX
    assert server.exit_code == 0


class _HalfSent:
    """A request whose body is not whole yet."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        body = definition("half")
        self._rest = body[20:]
        self._socket = socket.create_connection((split.hostname or "", split.port or 0))
        headers = "".join(
            f"{name}: {text}\r\n" for name, text in signed("POST", BASE, body).items()
        )
        self._socket.sendall(
            f"POST {BASE} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode() + body[:20]
        )
        time.sleep(0.2)  # it is read before the signal

    def finish(self) -> bytes:
        self._socket.settimeout(SECONDS_MAX)
        self._socket.sendall(self._rest)
        found = b""
        with suppress(ConnectionError), self._socket:
            while some := self._socket.recv(65_536):
                found += some
        return found


@pytest.mark.slow
def test_a_server_ends_with_its_terminal(tmp_path: Path) -> None:
    """SIGHUP means the end there: nobody is left who could end it."""
    create_tracker(tmp_path, TRACKER, KEY)
    script = """
import os, pty, sys
port, command = sys.argv[1:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(command, [command, "serve", "--port", port])
sys.stdin.read()
os.close(terminal)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", script, str(port), str(endcap_command())],
        env={**os.environ, "ENDCAP_DATA_DIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        url = f"http://127.0.0.1:{port}"
        _until(lambda: connects(url))
        assert worker_of(url)

        said, _ = process.communicate(timeout=SECONDS_MAX)

    assert said == "0\n"
    assert not connects(url)


@pytest.mark.slow
def test_no_worker_outlives_its_supervisor(tmp_path: Path) -> None:
    """When that is killed they answer what is on its way, and end; the port is free for the next."""
    create_tracker(tmp_path, TRACKER, KEY)
    server = start_server(tmp_path, workers=2)
    try:
        workers = children_of(server.pid)
        assert len(workers) == 2

        os.kill(server.pid, signal.SIGKILL)

        _until(lambda: not any(map(_is_alive, workers)), DRAIN_SECONDS_MAX)
        assert not connects(server.url)
    finally:
        server.kill()


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced(tmp_path: Path) -> None:
    """One that says nothing for a while; here a stopped one, and a while of two seconds."""
    create_tracker(tmp_path, TRACKER, KEY)
    script = """
import os, sys
from endcap.cli.serve import listening
from endcap.cli.supervisor import Plan, Supervisor
plan = Plan(1, dict(os.environ))
listener = listening("127.0.0.1", int(sys.argv[1]))
Supervisor(listener, plan, lambda: plan, silence_seconds_max=2.0).run()
"""
    port = free_port()
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(port)],
        env={**os.environ, "ENDCAP_DATA_DIR": str(tmp_path)},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _until(lambda: connects(url))
        victim = worker_of(url)

        os.kill(victim, signal.SIGSTOP)

        _until(lambda: victim not in children_of(parent.pid))
        assert worker_of(url) != victim
    finally:
        parent.terminate()
        parent.wait(SECONDS_MAX)


@pytest.mark.slow
@pytest.mark.postgres
def test_a_worker_that_loads_says_so_and_a_ready_one_is_asked_instead(
    tmp_path: Path, postgres_url: str
) -> None:
    """The first has nothing to show, and says `503` with `Retry-After`; in a reload the older one goes on."""
    environment = {"ENDCAP_DATABASE_URL": postgres_url}
    create_tracker(tmp_path, TRACKER, KEY, env=environment)
    with _unreadable(postgres_url):
        server = start_server(tmp_path, env=environment, until="answering")
        caller = Caller(server.url)
        ready = caller.ask("GET", "/readyz")
        recommended = caller.recommend()
        summary = caller.ask("GET", BASE.replace("/scope", "/summary"))
        caller.close()
    try:
        _until(lambda: server.log.count("worker is ready") == 1)
        (first,) = children_of(server.pid)
        with _unreadable(postgres_url), load(server.url, recommends) as reads:
            os.kill(server.pid, signal.SIGHUP)
            _until(lambda: len(children_of(server.pid)) == 2)
            _until(lambda: _waits(postgres_url))
            time.sleep(0.3)  # in which the new worker could begin to listen
            asked = {worker_of(server.url) for _ in range(20)}
        _until(lambda: children_of(server.pid).isdisjoint({first}))
        _until(lambda: worker_of(server.url) != first)
    finally:
        server.stop()

    for answer in (ready, recommended, summary):
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert ready.body == b'{"status":"loading"}'
    assert b"This process is still loading" in recommended.body
    assert asked == {first}
    assert set(reads.counts()) == {200}


def _waits(url: str) -> bool:
    """Whether a worker is in the middle of loading."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            " AND query LIKE '%count%'"
        ).fetchone()
    return found is not None


@contextmanager
def _unreadable(url: str) -> Iterator[None]:
    """For as long as the block lasts whoever reads customizations has to wait."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE customization IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()

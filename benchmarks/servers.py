"""
Servers to measure: processes of their own on loopback, pinned to one core where the system allows it.
"""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.load import STALLED, Plan, Result, Stalled
from benchmarks.processes import family, memory_bytes
from endcap import signing
from endcap.clock import system_clock

TRACKER = "1234-5678"
KEY = "your_private_api_key"
HOST = "127.0.0.1"
STALLS_MAX = 3
SERVER_CORE, LOAD_CORE = 0, 1
START_SECONDS_MAX = 1_200.0  # a million of everything on a busy machine
WORKER = b"endcap_worker_pid "
"""The metric that names the worker."""
UVICORN = (
    "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--no-server-header",
    "--no-proxy-headers", "--backlog", "2048", "--log-level", "warning",
)  # fmt: skip


class Server(msgspec.Struct, frozen=True):
    """A server that is ready."""

    port: int
    pid: int
    ready_seconds: float
    """From the start of its process until it was ready: the load time."""

    @property
    def processes(self) -> list[int]:
        """The process that was started and all below it: workers have a supervisor."""
        return family(self.pid)

    @property
    def memory_bytes(self) -> int:
        """Of the largest of its processes: a worker."""
        return max(map(memory_bytes, self.processes))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    environment: Mapping[str, str],
    *,
    ready_path: str = "/readyz",
    quiet: bool = False,
) -> Iterator[Server]:
    """A server process that answers its `ready_path`, ended at the end."""
    started = time.monotonic()
    output = subprocess.DEVNULL if quiet else None
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=output
    )
    try:
        _wait_ready(process, port, ready_path)
        yield Server(port, process.pid, time.monotonic() - started)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def floor() -> Iterator[Server]:
    """The floor, on the server's core."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "benchmarks.floor:app",
        "--port",
        str(port),
        *UVICORN,
    ]
    with running(command, port, {}) as server:
        pin(server.pid)
        yield server


@contextmanager
def endcap(
    data_dir: Path,
    *,
    workers: int = 1,
    environment: Mapping[str, str] | None = None,
    pinned: bool = True,
) -> Iterator[Server]:
    """An Endcap over a prepared data directory; one worker is pinned to the server's core unless told not to."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "endcap",
        "serve",
        "--port",
        str(port),
        "--workers",
        str(workers),
    ]
    settings = {
        "ENDCAP_DATA_DIR": str(data_dir),
        "ENDCAP_CLOCK_SKEW_SECONDS": "300",
        "ENDCAP_LOG_LEVEL": "warning",
        # Limits that nobody reaches: they are counted and refuse nothing.
        "ENDCAP_THROTTLE_TRACKER_PER_SECOND": "1000000",
        "ENDCAP_THROTTLE_ADDRESS_PER_SECOND": "1000000",
        **(environment or {}),
    }
    with running(command, port, settings) as server:
        _wait_for_workers(port, workers)
        if workers == 1 and pinned:
            for each in server.processes:
                pin(each)
        yield server


def pin(pid: int) -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {SERVER_CORE})


def _wait_ready(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}")
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError("the server did not become ready")


def _wait_for_workers(port: int, workers: int) -> None:
    """Until so many different ones have answered: the first that is ready answers for all."""
    deadline = time.monotonic() + START_SECONDS_MAX
    found: set[bytes] = set()
    while len(found) < workers:
        if time.monotonic() > deadline:
            raise TimeoutError(f"found {len(found)} of {workers} workers")
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            ask(connection, request("GET", "/readyz", port, signed=False))
            shown = ask(connection, request("GET", "/metrics", port, signed=False))
            found.update(line for line in shown.splitlines() if line.startswith(WORKER))
        except (OSError, http.client.HTTPException, RuntimeError):
            time.sleep(0.05)  # one that still loads, and hangs up
        finally:
            connection.close()


def request(
    method: str, path: str, port: int, *, body: bytes = b"", signed: bool = True, key: str = KEY
) -> str:
    """A whole HTTP request, signed for the next minutes."""
    headers = [f"Host: {HOST}:{port}", f"Content-Length: {len(body)}"]
    if body or signed:
        headers.append(f"Content-Type: {signing.JSON_CONTENT_TYPE}")
    if signed:
        date = signing.format_http_date(system_clock())
        signature = signing.sign(
            key,
            method=method,
            content_type=signing.JSON_CONTENT_TYPE,
            date=date,
            path=path.split("?", 1)[0],
        )
        headers += [f"Date: {date}", f"Authorization: ApiAuth {TRACKER}:{signature}"]
    head = f"{method} {path} HTTP/1.1\r\n" + "\r\n".join(headers) + "\r\n\r\n"
    return head + body.decode("latin-1")


def ask(connection: http.client.HTTPConnection, whole: str) -> bytes:
    """Sends a prepared request over a kept connection; the body of an answer that is no refusal."""
    head, _, body = whole.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    connection.request(method, path, body.encode("latin-1"), headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status} {said[:500]!r}")
    return said


def measure(
    port: int,
    requests: list[str],
    *,
    status: int,
    connections: int = 32,
    seconds: float = 3.0,
    watched: Sequence[int] = (),
    pinned: bool = True,
) -> Result:
    """Loads a server from another process until it is done. Raises if an answer was not the expected one."""
    plan = Plan(
        HOST,
        port,
        requests,
        connections,
        seconds,
        min(1.0, seconds / 3),
        status,
        load_core() if pinned else None,
        watched=list(watched),
    )
    for _ in range(STALLS_MAX):
        with loading(plan) as process:
            try:
                return finished(process)
            except Stalled:
                print("  the machine stood still: once more", file=sys.stderr, flush=True)
    raise Stalled("the machine stands still again and again")


def load_core() -> int | None:
    return LOAD_CORE if (os.cpu_count() or 1) > 1 else None


@contextmanager
def loading(plan: Plan) -> Iterator[subprocess.Popen[bytes]]:
    """A load generator under way; `finished` waits for what it found."""
    with tempfile.TemporaryDirectory() as held:
        path = Path(held) / "plan.json"
        path.write_bytes(msgspec.json.encode(plan))
        command = [sys.executable, "-m", "benchmarks.load", str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def finished(process: subprocess.Popen[bytes]) -> Result:
    said, _ = process.communicate()
    if process.returncode == STALLED:
        raise Stalled
    if process.returncode != 0:
        raise RuntimeError(f"the load generator ended with code {process.returncode}")
    result = msgspec.json.decode(said, type=Result)
    if result.unexpected:
        raise RuntimeError(f"{result.unexpected} unexpected answers")
    return result

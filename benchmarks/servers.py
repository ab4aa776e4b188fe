"""
Servers to measure: processes of their own on loopback, pinned to one core where the system allows it.
"""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from benchmarks.load import Plan, Result
from endcap import signing
from endcap.clock import system_clock

TRACKER = "1234-5678"
KEY = "your_private_api_key"
HOST = "127.0.0.1"
SERVER_CORE, LOAD_CORE = 0, 1
START_SECONDS_MAX = 120.0
UVICORN = (
    "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--no-server-header",
    "--no-proxy-headers", "--backlog", "2048", "--log-level", "warning",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: list[str], port: int, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers /readyz, ended at the end."""
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        _wait_ready(process, port)
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def floor() -> Iterator[int]:
    """The floor's port."""
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
    with running(command, port, {}) as process:
        pin(process.pid)
        yield port


@contextmanager
def endcap(
    data_dir: Path, *, workers: int = 1, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """An Endcap's port, over a prepared data directory."""
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
        **(environment or {}),
    }
    with running(command, port, settings) as process:
        if workers == 1:
            for child in _children(process.pid):
                pin(child)
        yield port


def _children(pid: int) -> list[int]:
    """The workers below a supervisor."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def pin(pid: int) -> None:
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        for task in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), {SERVER_CORE})


def _wait_ready(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with code {process.returncode}")
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise TimeoutError("the server did not become ready")


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


def measure(
    port: int, requests: list[str], *, status: int, connections: int = 32, seconds: float = 3.0
) -> Result:
    """Loads a server from another process."""
    core = LOAD_CORE if (os.cpu_count() or 1) > 1 else None
    plan = Plan(HOST, port, requests, connections, seconds, min(1.0, seconds / 3), status, core)
    path = Path(f"/tmp/endcap-plan-{os.getpid()}.json")
    path.write_bytes(msgspec.json.encode(plan))
    try:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.load", str(path)], stdout=subprocess.PIPE, check=True
        )
    finally:
        path.unlink()
    return msgspec.json.decode(done.stdout, type=Result)

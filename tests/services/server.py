"""
Endcap itself as a process of its own: the installed `endcap` command, on loopback, on a free port.

Only what was started here is ended, by its process group. A server that does not come up says why: its log is in
the error.
"""

import os
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

import httpx2

from tests.services.ports import free_port

START_SECONDS_MAX = 60.0  # it takes one or two; noisy cores may make that many more
STOP_SECONDS_MAX = 60.0
START_ATTEMPTS_MAX = 5  # a port may be taken between finding and using it
LOG_CHARACTERS_SHOWN = 8_000


class LiveServer:
    """A running server. It is killed with its workers when `stop` takes too long, and when the tests are killed."""

    def __init__(self, process: subprocess.Popen[bytes], *, url: str, log: Path) -> None:
        self.url = url
        self.pid = process.pid
        self._process = process
        self._log = log

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    @property
    def log(self) -> str:
        """What it wrote so far, its end when that is long."""
        return self._log.read_text(errors="replace")[-LOG_CHARACTERS_SHOWN:]

    def stop(self) -> None:
        """Ends it in good order: what is in flight is answered, what was answered is stored."""
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it at once with all its workers, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


def start_server(
    data_dir: Path,
    *,
    workers: int | None = 1,
    env: Mapping[str, str] | None = None,
    port: int = 0,
    until: Literal["ready", "answering"] = "ready",
) -> LiveServer:
    """Starts a server over a data folder and returns when it is ready; `env` adds settings, `workers` may be one."""
    for attempt in range(START_ATTEMPTS_MAX):
        server = _launch(data_dir, workers=workers, env=env or {}, port=port or free_port())
        try:
            _wait(server, "/readyz" if until == "ready" else "/healthz")
        except RuntimeError:
            taken = "address already in use" in server.log.lower()
            if port or not taken or attempt == START_ATTEMPTS_MAX - 1:
                raise
        else:
            return server
    raise AssertionError("the last attempt returns or raises")


def run_endcap(
    data_dir: Path,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    input: str | None = None,
) -> str:
    """Runs a command to its end and returns what it printed; a refusal fails with all it said."""
    done = subprocess.run(
        [endcap_command(), *arguments],
        env=_environment(data_dir, env or {}),
        input=input or "",
        capture_output=True,
        text=True,
        timeout=STOP_SECONDS_MAX,
        check=False,
    )
    if done.returncode != 0:
        said = done.stdout + done.stderr
        raise RuntimeError(f"endcap {' '.join(arguments)} ended with {done.returncode}:\n{said}")
    return done.stdout


def create_tracker(
    data_dir: Path, tracker: str, private_key: str, *, env: Mapping[str, str] | None = None
) -> None:
    """Makes a tracker with a key that the test knows."""
    run_endcap(data_dir, "tracker", "create", tracker, "--private-key", private_key, env=env)


def endcap_command() -> Path:
    """The command as it is installed beside this interpreter."""
    return Path(sysconfig.get_path("scripts")) / "endcap"


def _launch(
    data_dir: Path, *, workers: int | None, env: Mapping[str, str], port: int
) -> LiveServer:
    log = data_dir / f"server-{port}.log"
    # The server ends with the tests, even when they are killed.
    guard = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    arguments = ["--host", "127.0.0.1", "--port", str(port)]
    if workers is not None:
        arguments += ["--workers", str(workers)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*guard, endcap_command(), "serve", *arguments],
            env=_environment(data_dir, env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # its workers are its group; Ctrl-C is for the tests, who then stop it
        )
    return LiveServer(process, url=f"http://127.0.0.1:{port}", log=log)


def _environment(data_dir: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Of this shell's settings none: a test says what it sets."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("ENDCAP_")
    }
    return {**inherited, "ENDCAP_DATA_DIR": str(data_dir), **env}


def _wait(server: LiveServer, path: str) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    with httpx2.Client(trust_env=False) as http:
        while server.is_running and time.monotonic() < until:
            with suppress(httpx2.TransportError):
                if http.get(f"{server.url}{path}").status_code == 200:
                    return
            time.sleep(0.02)
    server.kill()
    raise RuntimeError(f"the server did not become ready:\n{server.log}")

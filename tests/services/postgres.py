"""
A PostgreSQL server of our own: a fresh cluster in a temporary folder, on loopback, on a free port.

Durability is left at its defaults (fsync on), since crashes are among the things tested. Texts sort
by English rules, as on most installations, and not by bytes as in SQLite: a query that leans on the
order of bytes shows itself here.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from tests.services.ports import free_port

ADMIN = "endcap"
START_SECONDS_MAX = 60.0  # initdb and recovery take one or two; two noisy cores may take many more
STOP_SECONDS_MAX = 60.0
START_ATTEMPTS_MAX = 5  # a port may be taken between finding and using it


class PostgresServer:
    """A running server; `stop` and `crash` end it, `start` brings it back, same port, same data."""

    def __init__(self, *, binaries: Path, folder: Path, port: int, account: str | None) -> None:
        self.port = port
        self._binaries = binaries
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{ADMIN}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Makes an empty database and returns its URL; brings a stopped server back for it."""
        self.start()
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def initialize(self) -> None:
        """Makes the cluster, once."""
        self._make(self._initdb())

    def copy(self, primary: "PostgresServer") -> None:
        """Makes the cluster as a standby of one that runs: it follows once it is started."""
        self._make(
            [
                *(self._binaries / "pg_basebackup", "--pgdata", self._data),
                *("-h", "127.0.0.1", "-p", str(primary.port), "-U", ADMIN),
                *("--write-recovery-conf", "--checkpoint", "fast", "--no-sync"),
            ]
        )

    def become_standby(self) -> None:
        """The next start is read-only."""
        signal_file = self._data / "standby.signal"
        signal_file.touch()
        if self._account:
            shutil.chown(signal_file, self._account)

    def ask(self, statement: LiteralString, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Runs one statement of an administrator's; what it returned."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _initdb(self) -> list[str | Path]:
        return [
            *(self._binaries / "initdb", "--pgdata", self._data),
            *("--username", ADMIN, "--auth", "trust", "--encoding", "UTF8", "--no-sync"),
            *("--locale", "C", "--locale-provider", "icu", "--icu-locale", "en-US"),
        ]

    def _make(self, command: list[str | Path]) -> None:
        with self._log.open("ab") as log:
            done = self._spawn(command, log.fileno()).wait(START_SECONDS_MAX)
        if done != 0:
            raise RuntimeError(f"{command[0]} failed:\n{self._log.read_text()}")

    def start(self) -> None:
        """Starts the server unless it runs, and returns when it answers."""
        if self.is_running:
            return
        # The server ends with the tests, even when they are killed.
        guard = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        command: list[str | Path] = [
            *guard,
            *(self._binaries / "postgres", "-D", self._data),
            *("-h", "127.0.0.1", "-p", str(self.port), "-k", self._folder),
        ]
        with self._log.open("ab") as log:
            self._process = self._spawn(command, log.fileno())
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Ends the server in good order: sessions are ended, everything is on disk."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """Ends the server at once, as a power cut would: the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def kill(self) -> None:
        """Ends the server and all its processes at once and without a word, as the loss of its machine would."""
        process, self._process = self._process, None
        if process is None:
            return
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
        process.wait()
        for each in children:
            with suppress(ProcessLookupError):
                os.kill(int(each), signal.SIGKILL)

    def _spawn(self, command: list[str | Path], output: int) -> subprocess.Popen[bytes]:
        account = pwd.getpwnam(self._account) if self._account else None
        return subprocess.Popen(
            command,
            cwd=self._folder,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,  # Ctrl-C is for the tests, who then stop the server
        )

    def _wait_until_it_answers(self) -> None:
        until = time.monotonic() + START_SECONDS_MAX
        while self.is_running and time.monotonic() < until:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        self.crash()
        raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()[-4000:]}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def find_binaries() -> Path | None:
    """The folder with `initdb` and `postgres`: the newest of Debian's, else the one on PATH."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: float(path.parts[-3]),
    )
    if debian:
        return debian[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def running_server(
    binaries: Path, *, standby_of: PostgresServer | None = None
) -> Iterator[PostgresServer]:
    """A server for as long as the block lasts; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="endcap-postgres-"))
    account = _account()
    if account:
        shutil.chown(folder, account, pwd.getpwnam(account).pw_gid)
    server = PostgresServer(binaries=binaries, folder=folder, port=free_port(), account=account)
    try:
        if standby_of is None:
            server.initialize()
        else:
            server.copy(standby_of)
        _start_somewhere(server)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _start_somewhere(server: PostgresServer) -> None:
    for attempt in range(START_ATTEMPTS_MAX):
        try:
            server.start()
        except RuntimeError:
            if attempt == START_ATTEMPTS_MAX - 1:
                raise
            server.port = free_port()
        else:
            break


def _account() -> str | None:
    """Who the server runs as: PostgreSQL refuses root, so its package's account, or nobody."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"

"""
`endcap serve` and `endcap migrate`.
"""

import os
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from endcap.api.app import Parts
from endcap.cli.support import console, json_option, migrated, parts, print_json, settings
from endcap.config import Settings, variable
from endcap.errors import UsageFault

if TYPE_CHECKING:
    import uvicorn

GRACE_SECONDS = 30  # what is in flight at SIGTERM has this long to finish
BACKLOG = 2_048


@click.command()
@click.option("--host", help="Address to listen on (env: ENDCAP_HOST; default: 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (env: ENDCAP_PORT; default: 8000).")
@click.option("--workers", type=int, help="Worker processes (env: ENDCAP_WORKERS; default: 1).")
@click.pass_context
def serve(ctx: click.Context, /, **flags: Any) -> None:
    """
    Answer requests until stopped.

    Migrates the database first. Answers the API, and /healthz, /readyz, /metrics, /openapi.json and /docs.

    \b
    For every address of this machine, on two cores:
      endcap serve --host 0.0.0.0 --workers 2
    """
    chosen = settings(ctx, **flags)
    with listening(chosen.host, chosen.port) as listener:
        with parts(ctx) as built:
            check_keys(built)
        # What cannot work was a message so far, not a crash in every worker.
        run(chosen, listener)


def listening(host: str, port: int) -> socket.socket:
    """A socket that has the address; nobody is let in yet. Raises a message that says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise click.ClickException(
            f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port (ENDCAP_PORT) "
            "or --host (ENDCAP_HOST)"
        ) from error
    return listener


def check_keys(built: Parts) -> None:
    """Raises UsageFault if not one tracker's keys can be opened: the master key is another one."""
    fault: UsageFault | None = None
    for row in built.store.trackers():
        try:
            built.vault.open(row.sealed_keys[-1])
            return
        except UsageFault as other:
            fault = other
    if fault is not None:
        raise fault


def run(chosen: Settings, listener: socket.socket) -> None:
    """Runs the server in this process, or its workers below it, until a signal."""
    import uvicorn

    os.environ.update(_environment(chosen))
    config = uvicorn.Config(
        "endcap.api.app:from_environment",
        factory=True,
        host=chosen.host,
        port=chosen.port,
        workers=chosen.workers,
        loop="uvloop",
        http="endcap.api.protocol:StraightProtocol",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    url = f"http://{host}:{listener.getsockname()[1]}"
    console.print(f"Endcap listens on {url}  (API: /docs, stop: Ctrl-C)", soft_wrap=True)
    sys.exit(0 if _served(config, listener) else 1)


def _served(config: "uvicorn.Config", listener: socket.socket) -> bool:
    """Whether it came up, once it ended. What kept it from that is in the log."""
    from uvicorn import Server
    from uvicorn.config import STARTUP_FAILURE
    from uvicorn.supervisors import Multiprocess

    if config.workers > 1:
        supervisor = Multiprocess(config, [listener])
        supervisor.run()
        return all(process.exitcode != STARTUP_FAILURE for process in supervisor.processes)
    server = Server(config)
    with suppress(KeyboardInterrupt, SystemExit):
        server.run([listener])
    return server.started


def _environment(chosen: Settings) -> dict[str, str]:
    """What workers, which are processes of their own, need to see the same settings."""
    return {
        variable("database_url"): chosen.database_url,
        variable("data_dir"): str(chosen.data_dir.absolute()),
        variable("workers"): str(chosen.workers),
        variable("port"): str(chosen.port),
        variable("host"): chosen.host,
    }


@click.command()
@json_option
@click.pass_context
def migrate(ctx: click.Context, /, *, as_json: bool) -> None:
    """
    Bring the database schema up to date. `serve` does it too, under a lock.

    \b
    Example:
      endcap --database-url postgresql://endcap@db.internal/endcap migrate
    """
    from endcap.store import open_store

    chosen = settings(ctx)
    store = open_store(chosen.store_url, pool_size_max=chosen.postgres_pool_size)
    try:
        applied = migrated(store, chosen)
    finally:
        store.close()
    if as_json:
        print_json({"applied": list(applied)})
    else:
        console.print("Applied: " + ", ".join(applied) if applied else "Up to date.")

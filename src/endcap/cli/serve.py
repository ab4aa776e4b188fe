"""
`endcap serve` and `endcap migrate`.
"""

import os
import socket
import sys
from collections.abc import Mapping
from typing import Any

import click

from endcap.api.app import Parts
from endcap.cli.support import console, json_option, migrated, parts, print_json, settings
from endcap.config import Settings, variable
from endcap.errors import UsageFault
from endcap.telemetry import log


@click.command()
@click.option("--host", help="Address to listen on (env: ENDCAP_HOST; default: 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (env: ENDCAP_PORT; default: 8000).")
@click.option("--workers", type=int, help="Worker processes (env: ENDCAP_WORKERS; default: 1).")
@click.pass_context
def serve(ctx: click.Context, /, **flags: Any) -> None:
    """
    Answer requests until stopped.

    Migrates the database first. Answers the API, and /healthz, /readyz, /metrics, /openapi.json and /docs.

    SIGTERM ends it: what is in flight is answered first. SIGHUP reads the settings again and replaces the workers, one
    after the other, without a gap.

    \b
    For every address of this machine, on two cores:
      endcap serve --host 0.0.0.0 --workers 2
    """
    chosen = settings(ctx, **flags)
    with listening(chosen.host, chosen.port) as listener:
        with parts(ctx) as built:
            check_keys(built)
        # What cannot work was a message so far, not a crash in every worker.
        sys.exit(0 if run(ctx, flags, listener) else 1)


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


def run(ctx: click.Context, flags: Mapping[str, Any], listener: socket.socket) -> bool:
    """Runs the workers until a signal; whether they ever came up."""
    from endcap.cli.supervisor import Plan, Supervisor

    def planned(chosen: Settings) -> Plan:
        return Plan(chosen.workers, {**os.environ, **_variables({**ctx.find_root().obj, **flags})})

    def replanned() -> Plan:
        anew = settings(ctx, **flags)
        if (anew.host, anew.port) != (chosen.host, chosen.port):
            log.warning("host and port change with a restart only")
        return planned(anew)

    chosen = settings(ctx, **flags)
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    url = f"http://{host}:{listener.getsockname()[1]}"
    console.print(f"Endcap listens on {url}  (API: /docs, stop: Ctrl-C)", soft_wrap=True)
    return Supervisor(listener, planned(chosen), replanned).run()


def _variables(flags: Mapping[str, Any]) -> dict[str, str]:
    """What workers, which read the settings for themselves, need to see the same."""
    return {variable(name): str(value) for name, value in flags.items() if value is not None}


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
    from endcap.store import open_events, open_store

    chosen = settings(ctx)
    store = open_store(chosen.store_url, pool_size_max=chosen.postgres_pool_size)
    events = open_events(chosen.store_url)
    try:
        applied = [*migrated(store, chosen), *migrated(events, chosen)]
    finally:
        store.close()
        events.close()
    if as_json:
        print_json({"applied": list(applied)})
    else:
        console.print("Applied: " + ", ".join(applied) if applied else "Up to date.")

"""
`endcap serve` and `endcap migrate`.
"""

import os
from typing import Any

import click

from endcap.cli.support import console, json_option, parts, print_json, settings
from endcap.config import Settings, variable

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
    """
    chosen = settings(ctx, **flags)
    with parts(ctx):
        pass  # a database that cannot be reached or migrated is a message here, not a crash in every worker
    run(chosen)


def run(chosen: Settings) -> None:
    """Runs the server in this process, or its workers below it, until a signal."""
    import uvicorn

    os.environ.update(_environment(chosen))
    console.print(
        f"Endcap listens on http://{chosen.host}:{chosen.port}  (API: /docs, stop: Ctrl-C)"
    )
    uvicorn.run(
        "endcap.api.app:from_environment",
        factory=True,
        host=chosen.host,
        port=chosen.port,
        workers=chosen.workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


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
    """Bring the database schema up to date. `serve` does it too, under a lock."""
    from endcap.store import open_store

    chosen = settings(ctx)
    store = open_store(chosen.store_url, pool_size_max=chosen.postgres_pool_size)
    try:
        applied = store.migrate()
    finally:
        store.close()
    if as_json:
        print_json({"applied": list(applied)})
    else:
        console.print("Applied: " + ", ".join(applied) if applied else "Up to date.")

"""
`endcap demo`: a guitar shop, its recommendations before and after a signed customization, and a server to go on with.

It runs the real thing: an embedded store, the shop's catalog and orders imported, recommenders built and published, a
server process, and the client that shops use. Only the shop is made up.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx2
import msgspec
from rich.table import Table

from endcap import sample
from endcap.accounts import EVERY_TRACKER, Role, generated_password
from endcap.api.app import Parts, build
from endcap.cli.serve import listening
from endcap.cli.support import Bar, commit, console, progress, table
from endcap.client import Client, Recommendation, RecommendationRequest
from endcap.clock import random_id, system_clock
from endcap.config import PREFIX, load, variable
from endcap.domain import CatalogObject, TrackerId
from endcap.errors import CatalogFault, Problem, UsageFault
from endcap.publishing import build_and_publish
from endcap.store.writes import CreateTracker, PutObjects
from endcap.telemetry import configure_logging
from endcap.transfer.transactions import import_transactions
from endcap.verdicts import meaning, position
from endcap.wire.catalog import object_from

TRACKER = TrackerId("1234-5678")
PRIVATE_KEY = "demo_private_key"
GUITAR, STRAP = "/p/123", "/p/555"
MODEL, WIDGET = "item_detail_complements", "product-page"
ACTOR = "demo"
USER = "demo"
START_SECONDS_MAX = 60.0
HOST = "127.0.0.1"
EVERY_ADDRESS = ("0.0.0.0", "::")
PORT_DEFAULT = 8000


@click.command()
@click.option("--once", is_flag=True, help="End after the table instead of serving on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    help=f"Port to listen on; default: {PORT_DEFAULT}, or a free one with --once.",
)
@click.pass_context
def demo(ctx: click.Context, /, *, once: bool, port: int | None) -> None:
    """
    Show it all on a built-in guitar shop.

    Makes a shop of some 300 products and a year and a half of orders in a temporary directory (or in --data-dir),
    builds recommenders, starts the server, and shows one recommendation before and after a signed customization.
    It is a shop of its own: of the settings it takes ENDCAP_HOST alone.

    \b
    To keep the shop, and to serve it later:
      endcap --data-dir guitars demo --once
      endcap --data-dir guitars serve
    """
    flags = ctx.find_root().obj
    if flags.get("database_url") is not None:
        raise UsageFault("The demo has a database of its own: leave --database-url out")
    with ExitStack() as stack:
        stack.enter_context(_terminable())
        if port is None:
            port = _free_port() if once else PORT_DEFAULT
        host = os.environ.get(variable("host")) or HOST
        listening(host, port).close()  # before the work, not after it
        data_dir = flags.get("data_dir") or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="endcap-demo-"))
        )
        with progress(quiet=False) as bar:
            password = _make_shop(data_dir, bar)
            server, url = stack.enter_context(_server(data_dir, host, port, bar))
        client = stack.enter_context(_client(url))
        _show(client, url)
        _show_console(url, password)
        if once:
            console.print("The server ends here. Without --once it serves on.", style="bold")
        else:
            console.print("Serving on; Ctrl-C ends the demo.", style="bold")
            _wait(server)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: with its server, and without leaving its directory."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wait(server: subprocess.Popen[bytes]) -> None:
    try:
        code = server.wait()
    except KeyboardInterrupt:
        return
    raise click.ClickException(f"The server ended by itself, with code {code}")


def _make_shop(data_dir: Path, bar: Bar) -> str:
    """
    Tracker, catalog, orders, recommenders, a user of the console: what `tracker create`, `import`, `build` and `user
    create` do. Returns the user's password.
    """
    settings = load({}, {"data_dir": str(data_dir), "log_level": "warning"})
    configure_logging(settings)
    parts = build(settings)
    try:
        parts.migrate()
        if parts.store.tracker(TRACKER) is not None:
            raise UsageFault(
                f"{data_dir} holds a tracker {TRACKER} already; the demo wants a directory of its own"
            )
        now = datetime.now(UTC)
        sealed = parts.vault.seal(PRIVATE_KEY)
        commit(parts, CreateTracker(TRACKER, "Endcap's guitar shop", sealed, ACTOR, system_clock()))
        objects = _objects(sample.catalog(until=now))
        bar("catalog", 0, len(objects))
        commit(parts, PutObjects(TRACKER, objects, ACTOR, system_clock()))
        bar("catalog", len(objects), len(objects))
        _learn(parts, now, bar)
        password = generated_password()
        parts.accounts.create(USER, password, {EVERY_TRACKER: Role.ADMIN}, actor=ACTOR)
    finally:
        parts.close()
    return password


def _learn(parts: Parts, now: datetime, bar: Bar) -> None:
    """A year and a half of orders through the same import that a shop's file takes."""
    with tempfile.TemporaryDirectory(prefix="endcap-demo-") as scratch:
        file = Path(scratch) / "orders.jsonl"
        file.write_bytes(msgspec.json.Encoder().encode_lines(sample.orders(until=now)))
        import_transactions(
            parts.settings.data_dir,
            TRACKER,
            file,
            now=system_clock(),
            new_id=random_id,
            progress=bar,
        )
    build_and_publish(
        parts.store,
        parts.settings.data_dir,
        TRACKER,
        actor=ACTOR,
        now=system_clock(),
        progress=bar.stages,
    )


def _objects(catalog: Sequence[dict[str, object]]) -> tuple[CatalogObject, ...]:
    objects = [object_from(each) for each in catalog]
    for each in objects:
        if isinstance(each, CatalogFault):
            raise Problem("The sample catalog is faulty", each.details)
    return tuple(each for each in objects if isinstance(each, CatalogObject))


@contextmanager
def _server(
    data_dir: Path, host: str, port: int, bar: Bar
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`endcap serve` in a process of its own, ended at the end."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment = {
        **inherited,
        variable("data_dir"): str(data_dir),
        variable("host"): host,
        variable("port"): str(port),
        variable("log_level"): "warning",
    }
    command = [sys.executable, "-m", "endcap", "serve"]
    bar("server", 0, 1)
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    url = f"http://{HOST if host in EVERY_ADDRESS else host}:{port}"
    try:
        _wait_ready(server, url)
        bar("server", 1, 1)
        yield server, url
    finally:
        server.terminate()
        server.wait()


def _wait_ready(server: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    with _client(url) as client:
        while time.monotonic() < deadline:
            if server.poll() is not None:
                raise click.ClickException("The server did not start; why is said above")
            try:
                if client.ready():
                    return
            except (OSError, Problem, httpx2.TransportError):
                time.sleep(0.05)
    raise click.ClickException(f"The server was not ready after {START_SECONDS_MAX:.0f} s")


def _client(url: str) -> Client:
    """With a transport of its own, which no proxy setting of this machine applies to."""
    return Client(url, TRACKER, PRIVATE_KEY, transport=httpx2.HTTPTransport())


def _free_port() -> int:
    with listening(HOST, 0) as probe:
        return int(probe.getsockname()[1])


def _show(client: Client, url: str) -> None:
    before = _recommended(client)
    customization = _customization(before)
    client.create(customization)
    after = _recommended(client, explain=True)
    console.print(f"\nShown beside the Fender Telecaster ({GUITAR}), by {MODEL}:\n")
    console.print(_slots(before, after))
    console.print(_pins(after))
    console.print("The same again, signed, from any shell:\n", style="bold")
    console.print(recipe(url, customization), soft_wrap=True)
    console.print(
        f"API docs   {url}/docs\nOpenAPI    {url}/openapi.json\nHealth     {url}/readyz\n"
        f"Metrics    {url}/metrics\n"
    )


def _show_console(url: str, password: str) -> None:
    console.print("Or with a mouse, in the console:\n", style="bold")
    console.print(
        f"Console    {url}/console\nUser       {USER}\nPassword   {password}\n", soft_wrap=True
    )


def _recommended(client: Client, *, explain: bool = False) -> Recommendation:
    request = RecommendationRequest(
        recommendation_type=MODEL,
        recommender_client_identifier=WIDGET,
        item_ids=(GUITAR,),
        size=8,
        hit_fields=("title",),
    )
    (answer,) = client.recommend([request], explain=explain)
    return answer


def _customization(before: Recommendation) -> dict[str, object]:
    """A pin of each kind: an item, criteria, a block of what was second, and one that sleeps till Black Friday."""
    return {
        "model": MODEL,
        "target_type": "item",
        "target_identity": GUITAR,
        "tags": ["demo"],
        "pin_definitions": [
            {"position": 1, "pin_type": "item", "pin_identity": STRAP},
            {
                "position": 3,
                "pin_type": "criteria",
                "pin_criteria": {"brand": "Fender", "category_lvl_1": "Accessories"},
            },
            {"position": 0, "pin_type": "item", "pin_identity": before.hits[1].url},
            {
                "position": 2,
                "pin_type": "item",
                "pin_identity": before.hits[-1].url,
                "active_from": "2099-11-27T00:00:00Z",
                "active_to": "2099-11-30T00:00:00Z",
            },
        ],
    }


def _slots(before: Recommendation, after: Recommendation) -> Table:
    slots = table("slot", "before", "after", "because", title="Before and after")
    assert after.explanation is not None
    was = [f"{hit.attributes.get('title')} ({hit.url})" for hit in before.hits]
    for slot, (hit, item) in enumerate(zip(after.hits, after.explanation.items, strict=True)):
        because = f"pin {item.pin}" if item.from_ == "pin" else f"{item.from_}, place {item.place}"
        if item.place is None and item.from_ != "pin":
            because = item.from_
        now = f"{hit.attributes.get('title')} ({hit.url})"
        style = "bold green" if item.from_ == "pin" else None
        slots.add_row(
            str(slot + 1), was[slot] if slot < len(was) else "", now, because, style=style
        )
    return slots


def _pins(after: Recommendation) -> Table:
    pins = table(
        "pin", "position", "item", "verdict", "slot", "because", title="Every pin and its verdict"
    )
    assert after.explanation is not None
    for pin in after.explanation.pins:
        pins.add_row(
            str(pin.pin),
            position(pin.position),
            pin.item or "(criteria)",
            pin.verdict,
            str(pin.slot or ""),
            meaning(pin.verdict, pin.because),
        )
    return pins


def recipe(url: str, body: dict[str, object]) -> str:
    """Shell lines that create the customization once more, signed afresh each time they are run."""
    path = f"/v1/recommender/pin/{TRACKER}/scope"
    return f"""\
path={path}; type='application/json; charset=utf-8'
date=$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S GMT')
text=$(printf 'POST\\n%s\\n%s\\n%s' "$type" "$date" "$path")
signature=$(printf '%s' "$text" | openssl dgst -sha256 -hmac {PRIVATE_KEY} -binary | base64)
curl -s "{url}$path" -H "Content-Type: $type" -H "Date: $date" \\
  -H "Authorization: ApiAuth {TRACKER}:$signature" \\
  -d '{msgspec.json.encode(body).decode()}'
"""

"""
What commands share: settings with flags, the parts of one process, tables, progress, JSON.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from endcap.api.app import Parts, build
from endcap.cli.main import AS_JSON
from endcap.config import Settings, load
from endcap.domain import TrackerId
from endcap.errors import Problem, StoreUnavailable, TrackerNotFound
from endcap.store.events import EventStore
from endcap.store.port import Store
from endcap.store.writes import Committed, Write
from endcap.telemetry import configure_logging

# Titles and ids are shown as they are: `[red]` and `:guitar:` are no instructions, and numbers no news.
console = Console(markup=False, emoji=False, highlight=False)
errors = Console(markup=False, emoji=False, highlight=False, stderr=True)


def settings(ctx: click.Context, **flags: Any) -> Settings:
    """The settings with the flags of the command and of the group."""
    merged = load(flags={**ctx.find_root().obj, **flags})
    configure_logging(merged)
    return merged


@contextmanager
def parts(ctx: click.Context) -> Iterator[Parts]:
    """The parts of this process over a migrated store, closed at the end."""
    built = build(settings(ctx))
    try:
        migrated(built, built.settings)
        yield built
    finally:
        built.close()


def migrated(stores: Parts | Store | EventStore, chosen: Settings) -> Sequence[str]:
    """Brings schemas up to date; says which database it is that cannot be reached."""
    try:
        return stores.migrate()
    except StoreUnavailable as problem:
        problem.details = {"database": [_named(chosen.store_url)]}
        raise


def _named(url: str) -> str:
    """A database's URL without user, password and parameters."""
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc.rpartition('@')[2]}{split.path}"


def commit(built: Parts, write: Write) -> Committed:
    """One write now. Raises its Problem."""
    (outcome,) = built.store.commit([write])
    if isinstance(outcome, Problem):
        raise outcome
    assert isinstance(outcome, Committed)
    return outcome


def tracker_id(built: Parts, tracker: str) -> TrackerId:
    """Raises TrackerNotFound with what there is."""
    known = [row.id for row in built.store.trackers()]
    if tracker in known:
        return TrackerId(tracker)
    listed = ", ".join(known) or "none yet: endcap tracker create ID"
    raise TrackerNotFound(details={"tracker": [f"{tracker} does not exist; there are: {listed}"]})


def table(*columns: str, title: str | None = None) -> Table:
    """A table whose cells are folded where they do not fit: nothing in it is cut off."""
    shown = Table(title=title)
    for column in columns:
        shown.add_column(column, overflow="fold")
    return shown


def print_json(value: object) -> None:
    """One JSON document on standard output, for programs."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


class Bar:
    """Progress bars on standard error: `bar(step, done, total)`, one a step; total 0 means unknown."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: str, done: int, total: int) -> None:
        self._show(step, step, done, total)

    def stages(self, stage: str, done: int, total: int) -> None:
        """A build counts its stages: one bar for all, which names the one under way."""
        self._show("stages", f"building: {stage}", done, total)

    def _show(self, key: str, text: str, done: int, total: int) -> None:
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task(text, total=total or None)
        self._progress.update(
            self._tasks[key], description=text, completed=done, total=total or None
        )


@contextmanager
def progress(*, quiet: bool) -> Iterator[Bar]:
    """A bar a step; nothing when quiet, or when nobody watches."""
    shown = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=errors,
        disable=quiet or not errors.is_terminal,
    )
    with shown:
        yield Bar(shown)


def json_option(command: Any) -> Any:
    """What goes wrong is then told as JSON too: see `main`."""

    def note(ctx: click.Context, parameter: click.Parameter, chosen: bool) -> bool:
        ctx.meta[AS_JSON] = chosen
        return chosen

    return click.option(
        "--json", "as_json", is_flag=True, callback=note, help="Print JSON, for programs."
    )(command)


def tracker_option(command: Any) -> Any:
    return click.option("--tracker", required=True, metavar="ID", help="The tracker's id.")(command)

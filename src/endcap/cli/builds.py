"""
`endcap build`: recommenders from orders, on this machine or of rows that a cluster made.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import click

from endcap.api.app import Parts
from endcap.cli.support import (
    Bar,
    console,
    errors,
    json_option,
    parts,
    print_json,
    progress,
    tracker_id,
    tracker_option,
)
from endcap.clock import system_clock
from endcap.domain import TrackerId
from endcap.errors import ArtifactConflict, Problem, UsageFault
from endcap.lease import Lease, claim
from endcap.publishing import (
    Published,
    build_and_publish,
    finish_and_publish,
    inputs_of,
    prune,
    sweep,
)
from endcap.recommend.artifact import artifacts_directory
from endcap.recommend.orders import order_files, orders_directory

ACTOR = "cli"
Engine = Literal["duckdb", "spark"]


@click.command()
@tracker_option
@click.option(
    "--engine",
    type=click.Choice(["duckdb", "spark"]),
    default="duckdb",
    show_default=True,
    help="What counts: DuckDB in this process, or Spark as its own settings say (needs endcap[spark] and Java).",
)
@click.option(
    "--from",
    "rows",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="ROWS",
    help="Finish what a job on a cluster counted: the folder that `python -m endcap.recommend.spark` wrote.",
)
@json_option
@click.pass_context
def build(
    ctx: click.Context,
    /,
    tracker: str,
    engine: Engine,
    rows: Path | None,
    *,
    as_json: bool,
) -> None:
    """
    Build the recommenders of a tracker from its orders, and serve them from then on. Orders are those that were
    imported and those that shoppers' events told of.

    The server does it by itself with ENDCAP_BUILD_EVERY; where `endcap artifact rollback --pause` kept it from that,
    it does so again after this. One process at a time builds a tracker. Of the artifacts from before the last ones are
    kept (ENDCAP_ARTIFACTS_KEPT), the others deleted.

    \b
    Here, or of what a cluster counted (docs/scale.md):
      endcap build --tracker 1234-5678
      endcap build --tracker 1234-5678 --from rows/
    """
    if rows is not None and engine != "duckdb":
        raise UsageFault("--from takes rows that are counted already: leave out --engine")
    with parts(ctx) as built, progress(quiet=as_json) as bar:
        known = tracker_id(built, tracker)
        published = build_leased(built, known, _make(engine, rows), bar)
        built.store.pause_build(known, paused=False)
    if as_json:
        print_json(published)
    else:
        console.print(f"Built {published.artifact} from the orders of {published.items} items.")
        console.print(f"Served since revision {published.revision} of the tracker.")


Progress = Callable[[str, int, int], None]
Make = Callable[[Parts, TrackerId, Progress], Published]
"""Builds and publishes, and tells its steps."""


def build_leased(built: Parts, tracker: TrackerId, make: Make, bar: Bar) -> Published:
    """Builds as the only one who does, on record, and deletes what is too old. Raises BuildUnderWay."""
    with _leased(built, tracker) as lease:
        inputs = inputs_of(built.settings.data_dir, tracker, built.source)
        published = make(built, tracker, _told(bar, lease))
        _prune(built, tracker)
        lease.built(published.artifact, inputs=inputs)
    return published


def _make(engine: Engine, rows: Path | None) -> Make:
    if rows is not None:
        return lambda built, tracker, told: _finished(built, tracker, rows, told)
    return by_duckdb if engine == "duckdb" else _by_spark


def by_duckdb(built: Parts, tracker: TrackerId, told: Progress) -> Published:
    """In this process."""
    settings = built.settings
    return build_and_publish(
        built.store,
        settings.data_dir,
        tracker,
        actor=ACTOR,
        now=system_clock(),
        progress=told,
        memory_mb=settings.build_memory_mb,
        threads=settings.build_threads,
        source=built.source,
    )


def _by_spark(built: Parts, tracker: TrackerId, told: Progress) -> Published:
    """Rows go to the folder of the tracker's artifacts, which Spark's executors have to reach like the orders."""
    from endcap.recommend import spark

    data_dir = built.settings.data_dir.absolute()
    told("events", 0, 1)
    built.source.refresh_orders(data_dir, tracker, memory_mb=built.settings.build_memory_mb)
    orders = [str(each) for each in order_files(orders_directory(data_dir, tracker))]
    folder = artifacts_directory(data_dir, tracker)
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".spill-", dir=folder))
    try:
        rows = scratch / "rows"
        with (
            built.source.acts(data_dir, tracker, memory_mb=built.settings.build_memory_mb) as acts,
            spark.session(**{"spark.ui.showConsoleProgress": "false"}) as session,
        ):
            viewed = [] if acts is None else [str(acts)]
            spark.learn(session, orders, str(rows), now=system_clock(), progress=told, acts=viewed)
        return _finished(built, tracker, rows, told)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _finished(built: Parts, tracker: TrackerId, rows: Path, told: Progress) -> Published:
    settings = built.settings
    return finish_and_publish(
        built.store,
        settings.data_dir,
        tracker,
        rows,
        actor=ACTOR,
        now=system_clock(),
        progress=told,
        memory_mb=settings.build_memory_mb,
        threads=settings.build_threads,
    )


@contextmanager
def _leased(built: Parts, tracker: TrackerId) -> Iterator[Lease]:
    """The tracker's build, for this command. What goes wrong is on record, but for a Ctrl-C."""
    lease = claim(built.store, tracker, clock=system_clock)
    lease.begin()
    try:
        sweep(built.settings.data_dir, tracker)
        yield lease
    except ArtifactConflict as problem:
        lease.superseded(problem.reason, inputs=lease.record.inputs)
        raise
    except (Problem, OSError) as problem:
        lease.failed(str(problem))
        raise
    except BaseException:
        lease.release()
        raise


def _told(bar: Bar, lease: Lease) -> Progress:
    def tell(step: str, done: int, total: int) -> None:
        bar.stages(step, done, total)
        lease.say(f"{step} ({done} of {total})")

    return tell


def _prune(built: Parts, tracker: TrackerId) -> None:
    settings = built.settings
    try:
        prune(
            built.store,
            settings.data_dir,
            tracker,
            keep=settings.artifacts_kept,
            now=system_clock(),
        )
    except OSError as error:
        errors.print(f"Note: older artifacts cannot be deleted: {error}", soft_wrap=True)

"""
`endcap events …` and `endcap forget`: what becomes of shoppers' events.
"""

from collections.abc import Sequence

import click
import msgspec

from endcap.api.app import Parts
from endcap.archive.forgetting import Forgetter, Forgotten
from endcap.archive.moving import Archiver, Moved
from endcap.cli.builds import build_leased, by_duckdb
from endcap.cli.support import (
    Bar,
    console,
    errors,
    json_option,
    parts,
    print_json,
    progress,
    tracker_id,
)
from endcap.domain import TrackerId
from endcap.errors import BuildUnderWay, UsageFault

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be done, do nothing.")


@click.group()
def events() -> None:
    """
    Shoppers' events: move the older ones to the archive.

    \b
    Example:
      endcap events archive --all
    """


@events.command(short_help="Move older events from the database to the archive.")
@click.option("--tracker", metavar="ID", help="The tracker's id.")
@click.option("--all", "all_", is_flag=True, help="All trackers.")
@_dry_run
@json_option
@click.pass_context
def archive(
    ctx: click.Context, /, tracker: str | None, *, all_: bool, dry_run: bool, as_json: bool
) -> None:
    """
    Move events that are older than ENDCAP_EVENTS_STORE_DAYS from the database to Parquet files, and delete archived
    days that are older than ENDCAP_EVENTS_RETENTION_DAYS. A running server does it by itself.

    \b
    See first, then do:
      endcap events archive --all --dry-run
      endcap events archive --tracker 1234-5678
    """
    if all_ == (tracker is not None):
        raise UsageFault("Say which: --tracker ID, or --all")
    with parts(ctx) as built, progress(quiet=as_json) as bar:
        archiver = Archiver(built.settings, built.events, built.source.place)
        moved = [
            archiver.archive(each, dry_run=dry_run, progress=bar)
            for each in _trackers(built, tracker)
        ]
    if as_json:
        print_json(moved)
        return
    for each in moved:
        console.print(_told(each, dry_run=dry_run), soft_wrap=True)


def _told(moved: Moved, *, dry_run: bool) -> str:
    if moved.busy:
        return f"{moved.tracker}: another process is at it."
    would = "would be " if dry_run else ""
    files = "" if dry_run else f" to {moved.parts} files"
    return (
        f"{moved.tracker}: {moved.events} events {would}moved{files}, "
        f"{moved.expired} files of days that are too old {would}deleted."
    )


@click.command(short_help="Erase a shopper everywhere.")
@click.option(
    "--user", required=True, metavar="ID", help="The shopper: a client_id or a customer_id."
)
@click.option("--tracker", metavar="ID", help="In one tracker only; default: in all.")
@click.option("--build", is_flag=True, help="Build the recommenders anew where it was found.")
@_dry_run
@json_option
@click.pass_context
def forget(
    ctx: click.Context,
    /,
    user: str,
    tracker: str | None,
    *,
    build: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Erase a shopper: events in the database and in the archive go, past orders and built recommenders lose the name.

    Running workers forget within a second. What is bought together was learned from the shopper too, nameless, until
    recommenders are built anew: --build does that at once. Other names that the events tell (devices of a customer)
    are listed, not erased.

    \b
    See first, then do:
      endcap forget --user ann@shop.example --dry-run
      endcap forget --user ann@shop.example --build
    """
    if not user:
        raise UsageFault("--user is empty")
    with parts(ctx) as built, progress(quiet=as_json) as bar:
        forgetter = Forgetter(built.settings, built.store, built.events, built.source.place)
        forgotten = [
            forgetter.forget(each, user, dry_run=dry_run, progress=bar)
            for each in _trackers(built, tracker)
        ]
        rebuilt = [
            each.tracker
            for each in forgotten
            if build and not dry_run and not each.is_nothing and _rebuilt(built, each.tracker, bar)
        ]
    if as_json:
        shown = [
            {**msgspec.to_builtins(each), "rebuilt": each.tracker in rebuilt} for each in forgotten
        ]
        print_json(shown)
        return
    _say(forgotten, rebuilt, dry_run=dry_run)


def _rebuilt(built: Parts, tracker: TrackerId, bar: Bar) -> bool:
    """Builds anew what was built from the shopper too; where nothing was, nothing is."""
    row = built.store.tracker(tracker)
    if row is None or row.artifact is None:
        return False
    try:
        build_leased(built, tracker, by_duckdb, bar)
    except BuildUnderWay as problem:  # which may have begun before the shopper was forgotten
        errors.print(f"Note: {tracker}: {problem}", soft_wrap=True)
        return False
    return True


def _say(forgotten: Sequence[Forgotten], rebuilt: Sequence[TrackerId], *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for each in forgotten:
        if each.is_nothing:
            console.print(f"{each.tracker}: nothing was known.", soft_wrap=True)
            continue
        console.print(
            f"{each.tracker}: {each.events} events {would}erased from the database, {each.archived_events} "
            f"{would}erased from {each.archived_parts} archived files, {each.order_lines} order lines {would}made "
            f"nameless, {each.artifacts} built artifacts {would}replaced.",
            soft_wrap=True,
        )
        if each.lists:
            errors.print(
                f"Note: {each.lists} neighbour lists name the shopper: leave them out of the files that come next",
                soft_wrap=True,
            )
        if each.other_names:
            errors.print(
                f"Note: these events also name {', '.join(each.other_names)}: forget them too if they are the same "
                "person",
                soft_wrap=True,
            )
        if each.tracker in rebuilt:
            console.print(f"{each.tracker}: the recommenders were built anew.", soft_wrap=True)
        elif not dry_run:
            errors.print(f"Next: endcap build --tracker {each.tracker}", soft_wrap=True)


def _trackers(built: Parts, tracker: str | None) -> Sequence[TrackerId]:
    if tracker is not None:
        return [tracker_id(built, tracker)]
    return [row.id for row in built.store.trackers()]

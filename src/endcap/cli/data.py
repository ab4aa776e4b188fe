"""
`endcap import …`: data in.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

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
from endcap.clock import random_id, system_clock
from endcap.domain import TrackerId
from endcap.transfer.catalog import CatalogReport, import_catalog
from endcap.transfer.customizations import CustomizationsReport, import_customizations
from endcap.transfer.fields import FieldMap
from endcap.transfer.formats import CatalogFormat
from endcap.transfer.transactions import TransactionsReport, import_transactions

ACTOR = "cli"
_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_map = click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="TARGET=SOURCE",
    help="Take TARGET from the file's SOURCE (a.b reaches inside); repeat for more. --map '*' takes all the rest.",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Check everything, store nothing.")


@click.group("import")
def import_() -> None:
    """
    Load a catalog, transactions or customizations from a file.

    Reads JSON Lines, JSON arrays, CSV (all also gzipped) and, where it makes sense, Parquet, by looking at the file.
    A file goes in whole or not at all: faulty rows are named by line, and nothing is stored.

    \b
    Example:
      endcap import catalog items.jsonl --tracker 1234-5678 --dry-run
    """


@import_.command(short_help="Put items into the catalog.")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@tracker_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(["auto", *(each.value for each in CatalogFormat)]),
    default="auto",
    show_default=True,
    help="What FILE is, where its content does not tell.",
)
@_map
@_dry_run
@json_option
@click.pass_context
def catalog(
    ctx: click.Context,
    /,
    file: Path,
    tracker: str,
    format_: str,
    maps: tuple[str, ...],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Put the items of FILE into the catalog; each replaces the one with its identity.

    FILE is records (JSON, CSV, Parquet), a Google Merchant feed (RSS or Atom in XML, or a table), or what a content
    export answered: a page, pages, or a folder of them. docs/importing.md says what becomes of each.

    \b
    A feed in the API's words, one for Google, and one in a shop's own:
      endcap import catalog items.jsonl --tracker 1234-5678
      endcap import catalog google.xml --tracker 1234-5678 --dry-run
      endcap import catalog feed.csv.gz --tracker 1234-5678 \\
        --map identity=id --map title=name --map brand=maker \\
        --map category=categories --map price_amount=price
    """

    def run(built: Parts, id: TrackerId, bar: Bar) -> CatalogReport:
        return import_catalog(
            built.store,
            id,
            file,
            fields=FieldMap.of(maps),
            format=None if format_ == "auto" else CatalogFormat(format_),
            actor=ACTOR,
            now=system_clock(),
            dry_run=dry_run,
            progress=bar,
        )

    report = _imported(ctx, tracker, run, as_json=as_json)
    if not as_json:
        _say(
            f"{report.objects} objects ({_counts(report.types)})",
            dry_run=dry_run,
            notes=report.warnings,
        )


@import_.command(short_help="Add past orders to learn from.")
@_file
@tracker_option
@_map
@click.option(
    "--columns",
    metavar="A,B,…",
    help="Names of the columns of a CSV without a header, separated by commas.",
)
@_dry_run
@json_option
@click.pass_context
def transactions(
    ctx: click.Context,
    /,
    file: Path,
    tracker: str,
    maps: tuple[str, ...],
    columns: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Add the order lines of FILE: order_id, identity, created_at; optional user_id, quantity, unit_price.

    \b
    Order lines of a shop, then the recommenders that learn from them:
      endcap import transactions orders.parquet --tracker 1234-5678 \\
        --map identity=product --map created_at=ordered_at
      endcap build --tracker 1234-5678
    """

    def run(built: Parts, id: TrackerId, bar: Bar) -> TransactionsReport:
        return import_transactions(
            built.settings.data_dir,
            id,
            file,
            fields=FieldMap.of(maps),
            columns=None if columns is None else [each.strip() for each in columns.split(",")],
            now=system_clock(),
            new_id=random_id,
            dry_run=dry_run,
            progress=bar,
        )

    report = _imported(ctx, tracker, run, as_json=as_json)
    if not as_json:
        what = f"{report.stored} order lines of {report.orders} orders, {report.items} items, {report.users} users"
        _say(what, dry_run=dry_run, notes=report.warnings)
        if not dry_run:
            errors.print(f"Next: endcap build --tracker {tracker}", soft_wrap=True)


@import_.command(short_help="Create customizations as an export wrote them.")
@_file
@tracker_option
@_dry_run
@json_option
@click.pass_context
def customizations(
    ctx: click.Context, /, file: Path, tracker: str, *, dry_run: bool, as_json: bool
) -> None:
    """
    Create the customizations of FILE, as `endcap export customizations` or the export endpoint wrote them.

    They are new ones, in the file's order, with new ids; what is there already stays.

    \b
    Look first, then do:
      endcap import customizations rules.json --tracker 1234-5678 --dry-run
      endcap import customizations rules.json --tracker 1234-5678
    """

    def run(built: Parts, id: TrackerId, bar: Bar) -> CustomizationsReport:
        return import_customizations(
            built.store,
            id,
            file,
            creator=built.settings.creator,
            now=system_clock(),
            new_id=random_id,
            dry_run=dry_run,
            progress=bar,
        )

    report = _imported(ctx, tracker, run, as_json=as_json)
    if not as_json:
        what = f"{report.customizations} customizations with {report.pins} pins ({_counts(report.models)})"
        _say(what, dry_run=dry_run, notes=())


def _imported(
    ctx: click.Context, tracker: str, run: Callable[[Parts, TrackerId, Bar], Any], *, as_json: bool
) -> Any:
    """Runs an import under a progress bar; prints its report for programs."""
    with parts(ctx) as built, progress(quiet=as_json) as bar:
        report: Struct = run(built, tracker_id(built, tracker), bar)
    if as_json:
        print_json(report)
    return report


def _say(what: str, *, dry_run: bool, notes: tuple[str, ...]) -> None:
    console.print(("Would store " if dry_run else "Stored ") + what + ".", soft_wrap=True)
    for note in notes:
        errors.print(f"Note: {note}", soft_wrap=True)


def _counts(counts: Any) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"

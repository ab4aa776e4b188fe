"""
`endcap neighbours …`: rankings that another system made, read from its files.
"""

from pathlib import Path

import click

from endcap.cli.support import (
    console,
    errors,
    json_option,
    parts,
    print_json,
    progress,
    table,
    tracker_id,
    tracker_option,
)
from endcap.clock import system_clock
from endcap.neighbour_lists import check_list, held_lists, import_list
from endcap.transfer.fields import FieldMap


@click.group()
def neighbours() -> None:
    """
    Rank by neighbour lists that another system writes.

    A list says of items which others go with them (item, neighbour, score), or of users which items suit them
    (user, item, score). A model ranks by it with the strategy neighbour_list.

    \b
    Another system's nightly file, followed by itself when it is replaced:
      mv similar.parquet.part DATA_DIR/neighbours/1234-5678/similar.parquet
    The same once, from anywhere:
      endcap neighbours import similar.parquet --tracker 1234-5678 --name similar
    """


@neighbours.command("import", short_help="Read a list from a file, and rank by it.")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@tracker_option
@click.option("--name", required=True, metavar="N", help="What models call the list.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="TARGET=SOURCE",
    help="Take item, neighbour, user or score from the file's column SOURCE; repeat for more.",
)
@click.option("--dry-run", is_flag=True, help="Check everything, store nothing.")
@json_option
@click.pass_context
def import_(
    ctx: click.Context,
    /,
    file: Path,
    tracker: str,
    name: str,
    maps: tuple[str, ...],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Read FILE into the list N: Parquet, CSV (also gzipped), or a folder of Parquet files.

    A file goes in whole or not at all: faulty rows are named by line, and the list stays as it was. Running servers
    rank by the new one within ten seconds.

    \b
    Columns of another name:
      endcap neighbours import als.csv --tracker 1234-5678 --name for_user \\
        --map user=customer --map item=product --map score=prediction
    """
    columns = FieldMap.of(maps).sources
    with parts(ctx) as built, progress(quiet=as_json) as bar:
        known, data_dir = tracker_id(built, tracker), built.settings.data_dir
        if dry_run:
            report = check_list(data_dir, known, file, columns=columns, progress=bar)
        else:
            report = import_list(
                data_dir, known, name, file, columns=columns, now=system_clock(), progress=bar
            )
    if as_json:
        print_json(report)
        return
    what = f"{report.pairs} pairs of {report.keys} {report.kind} and {report.items} items"
    console.print(f"{'Would store' if dry_run else 'Stored'} {what}.", soft_wrap=True)
    if report.version is not None:
        console.print(f"The list {name} is now {report.version}.")


@neighbours.command("list", short_help="Show the lists of a tracker.")
@tracker_option
@json_option
@click.pass_context
def list_(ctx: click.Context, /, tracker: str, *, as_json: bool) -> None:
    """
    Show the lists of a tracker: how large, how old, and which file cannot be read.

    Exit code 1 if there is one that cannot.

    \b
    Example:
      endcap neighbours list --tracker 1234-5678
    """
    with parts(ctx) as built:
        held = held_lists(built.settings.data_dir, tracker_id(built, tracker))
    if as_json:
        print_json(held)
    elif not held:
        console.print("There are no lists yet: endcap neighbours import FILE …")
    else:
        shown = table("list", "of", "pairs", "read", "follows")
        for each in held:
            pairs = each.counts.get("pairs", 0)
            shown.add_row(
                each.name,
                each.kind or "not read yet",
                str(pairs),
                each.read or "",
                each.file or "nothing: imported by command",
            )
        console.print(shown)
    for each in held:
        if each.refused is not None:
            errors.print(f"{each.name}: {each.file} cannot be read: {each.refused}", soft_wrap=True)
    if any(each.refused is not None for each in held):
        ctx.exit(1)

"""
`endcap export …`: data out.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import click

from endcap.cli.support import errors, parts, tracker_id, tracker_option
from endcap.domain import Filter
from endcap.errors import UsageFault
from endcap.transfer.export import (
    ExportFormat,
    FolderFormat,
    export_folder,
    export_records,
)
from endcap.wire.customizations import TARGET_TYPES

FORMATS = ("json", "ndjson", "csv", "yaml", "xlsx")
FOLDER_FORMATS = ("yaml", "json")
_SUFFIXES = {f".{each}": each for each in FORMATS} | {".yml": "yaml", ".jsonl": "ndjson"}


def filter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which customizations: one of several values of an option, and all of the options."""
    for option, plural, what in (
        ("--target-identity", "target_identities", "Only for this item; repeat for more."),
        ("--tag", "tags", "Only with this tag; repeat for more."),
        ("--model", "models", "Only of this recommender; repeat for more."),
    ):
        command = click.option(option, plural, multiple=True, help=what)(command)
    return click.option(
        "--target-type",
        "target_types",
        multiple=True,
        type=click.Choice(TARGET_TYPES),
        help="Only with such a target; repeat for more.",
    )(command)


def filter_of(chosen: Mapping[str, tuple[str, ...]]) -> Filter:
    """What `filter_options` were given."""
    return Filter(
        chosen["models"],
        chosen["tags"],
        chosen["target_types"],
        chosen["target_identities"],
    )


@click.group()
def export() -> None:
    """
    Write what a tracker holds to a file.

    \b
    Example:
      endcap export customizations --tracker 1234-5678 --out rules.json
    """


@export.command("customizations", short_help="Write customizations.")
@tracker_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="Default: what the name of --out says, else json; yaml with --out-dir.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; default: standard output.",
)
@click.option(
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder instead, with one file a customization (yaml or json).",
)
@click.option(
    "--replace",
    is_flag=True,
    help="With --out-dir: renew the files of an earlier export, and remove those that nothing stands for any more.",
)
@filter_options
@click.pass_context
def export_(
    ctx: click.Context,
    /,
    tracker: str,
    format_: str | None,
    out: Path | None,
    out_dir: Path | None,
    *,
    replace: bool,
    **chosen: tuple[str, ...],
) -> None:
    """
    Write customizations, oldest first: all, or those that the options select.

    JSON is an array, ndjson one a line, csv and xlsx have one row a pin. What is written is what `endcap plan` reads:
    it would change nothing.

    \b
    Examples:
      endcap export customizations --tracker 1234-5678 --out rules.json
      endcap export customizations --tracker 1234-5678 --tag sale --out sale.xlsx
      endcap export customizations --tracker 1234-5678 --out-dir rules/
    """
    if out is not None and out_dir is not None:
        raise UsageFault("--out and --out-dir: give one of them")
    if replace and out_dir is None:
        raise UsageFault("--replace is about the files of --out-dir")
    with parts(ctx) as built:
        id_ = tracker_id(built, tracker)
        records = built.store.records(id_, filter_of(chosen))
        if out_dir is not None:
            _export_folder(records, format_ or "yaml", out_dir, replace=replace)
            return
        built.mirror.load(only=id_)
        shop = built.service.shop(tracker)
        chunks = export_records(
            records,
            _format(format_, out),
            is_available=lambda record: built.service.is_available(shop, record),
        )
        if out is None:
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        write_file(chunks, out)
    errors.print(f"Wrote {out}", soft_wrap=True)


def _format(said: str | None, out: Path | None) -> ExportFormat:
    by_name = None if out is None else _SUFFIXES.get(out.suffix.lower())
    return cast(ExportFormat, said or by_name or "json")


def _export_folder(records: Any, format: str, folder: Path, *, replace: bool) -> None:
    if format not in FOLDER_FORMATS:
        raise UsageFault(f"--out-dir has files of {' or '.join(FOLDER_FORMATS)}, not {format}")
    try:
        done = export_folder(records, cast(FolderFormat, format), folder, replace=replace)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be written: {error.strerror}") from error
    removed = f", removed {done.removed}" if done.removed else ""
    errors.print(f"Wrote {done.written} files to {folder}{removed}", soft_wrap=True)


def write_file(chunks: Iterable[bytes], out: Path) -> None:
    """The whole file or none: what was there before stays until the new one is complete."""
    draft = out.with_name(out.name + ".part")
    try:
        with draft.open("wb") as file:
            file.writelines(chunks)
        draft.replace(out)
    except UsageFault:
        draft.unlink(missing_ok=True)
        raise
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise click.ClickException(f"{out} cannot be written: {error.strerror}") from error

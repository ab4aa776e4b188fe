"""
The command tree, and how every command ends.

Exit codes: 0 done, 1 refused or partly failed, 2 usage. What goes wrong is said in one place, with what to do next.
"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from endcap import __version__
from endcap.errors import FaultyRows, Problem, UsageFault

FAULTY_ROWS_SHOWN = 20

# name → (module, attribute, the line that --help shows); modules are imported when their command is called
COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "serve": ("endcap.cli.serve", "serve", "Answer requests."),
    "demo": ("endcap.cli.demo", "demo", "Show it all on a built-in guitar shop."),
    "migrate": ("endcap.cli.serve", "migrate", "Bring the database schema up to date."),
    "tracker": ("endcap.cli.trackers", "tracker", "Create trackers, rotate their keys."),
    "import": ("endcap.cli.data", "import_", "Load a catalog, transactions or customizations."),
    "export": ("endcap.cli.data", "export", "Write customizations to a file."),
    "build": ("endcap.cli.data", "build", "Build and publish the recommenders."),
    "explain": ("endcap.cli.explain", "explain", "Say why each slot holds what it holds."),
    "check-signature": ("endcap.cli.signature", "check_signature", "See why a signature fails."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' one-line help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the embedded database and everything built lives (env: ENDCAP_DATA_DIR; default: ./endcap-data).",
)
@click.option(
    "--database-url",
    help="sqlite:///path or postgresql://… (env: ENDCAP_DATABASE_URL; default: endcap.db in the data directory).",
)
@click.version_option(__version__, prog_name="endcap")
@click.pass_context
def cli(ctx: click.Context, /, **flags: Any) -> None:
    """
    Endcap: product recommendations with your merchandisers' say.

    \b
    First steps:
      endcap demo                                       a sample shop, before and after a pin
      endcap tracker create 1234-5678                   prints the private key once
      endcap import catalog items.jsonl --tracker 1234-5678
      endcap build --tracker 1234-5678                  recommenders from imported orders
      endcap serve                                      http://127.0.0.1:8000

    Settings come from ENDCAP_* variables, a TOML file named by ENDCAP_CONFIG, and flags: docs/settings.md.
    """
    ctx.obj = flags


def main() -> None:
    """Runs a command and ends the process with its exit code."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        sys.exit(1)
    except Problem as problem:
        _show(problem)
        sys.exit(2 if isinstance(problem, UsageFault) else 1)
    sys.exit(code if isinstance(code, int) else 0)


def _show(problem: Problem) -> None:
    click.secho(f"Error: {problem.reason}", fg="red", err=True)
    if isinstance(problem, FaultyRows):
        for line, text in list(problem.faults.items())[:FAULTY_ROWS_SHOWN]:
            click.echo(f"  line {line}: {text}", err=True)
        hidden = problem.total - min(len(problem.faults), FAULTY_ROWS_SHOWN)
        if hidden > 0:
            click.echo(f"  … and {hidden} more", err=True)
        return
    for field, messages in problem.details.items():
        click.echo(f"  {field}: {', '.join(messages)}", err=True)
    if problem.__cause__ is not None:
        click.echo(f"  because: {problem.__cause__}", err=True)

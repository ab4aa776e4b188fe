"""
The command tree, and how every command ends.

Exit codes: 0 done, 1 refused or partly failed, 2 usage. What goes wrong is said in one place, with what to do next; to
a program that asked for JSON it is said in JSON.
"""

import importlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from endcap import __version__
from endcap.errors import FaultyRows, Problem, UsageFault

FAULTY_ROWS_SHOWN = 20
AS_JSON = "endcap.as_json"
"""Where a context's `meta` says that the command was asked for JSON."""

# name → (module, attribute, the line that --help shows); modules are imported when their command is called
COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "serve": ("endcap.cli.serve", "serve", "Answer requests."),
    "demo": ("endcap.cli.demo", "demo", "Show it all on a built-in guitar shop."),
    "migrate": ("endcap.cli.serve", "migrate", "Bring the database schema up to date."),
    "tracker": ("endcap.cli.trackers", "tracker", "Create trackers, rotate their keys."),
    "user": ("endcap.cli.users", "user", "Say who may sign in to the console."),
    "import": ("endcap.cli.data", "import_", "Load a catalog, transactions or customizations."),
    "catalog": ("endcap.cli.catalog", "catalog", "See and reset the types of a catalog's fields."),
    "export": ("endcap.cli.exporting", "export", "Write customizations to files."),
    "plan": ("endcap.cli.rules", "plan", "Say what files of customizations would change."),
    "apply": ("endcap.cli.rules", "apply", "Make customizations what files say."),
    "copy": ("endcap.cli.copying", "copy", "Copy customizations from one tracker to another."),
    "pull": ("endcap.cli.pull", "pull", "Copy a tracker from another host, Luigi's Box for one."),
    "build": ("endcap.cli.builds", "build", "Build and publish the recommenders."),
    "artifact": ("endcap.cli.artifacts", "artifact", "See, verify and go back to what was built."),
    "model": ("endcap.cli.models", "model", "See and set what each recommender does."),
    "neighbours": (
        "endcap.cli.neighbours",
        "neighbours",
        "Rank by lists that another system writes.",
    ),
    "evaluate": (
        "endcap.cli.evaluate",
        "evaluate_",
        "Measure whether the models earn their place.",
    ),
    "events": ("endcap.cli.events", "events", "Archive shoppers' events."),
    "forget": ("endcap.cli.events", "forget", "Erase a shopper everywhere."),
    "history": ("endcap.cli.past", "history", "Tell what was done to customizations."),
    "restore": ("endcap.cli.past", "restore", "Have back what customizations were."),
    "undo": ("endcap.cli.past", "undo", "Take an action back."),
    "draft": ("endcap.cli.drafts", "draft", "See, publish and discard drafts."),
    "audit": ("endcap.cli.audit", "audit", "Print who did what, and when."),
    "explain": ("endcap.cli.explain", "explain", "Say why each slot holds what it holds."),
    "check": ("endcap.cli.check", "check", "Find pins that do nothing, and mend them."),
    "check-signature": ("endcap.cli.signature", "check_signature", "See why a signature fails."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' one-line help without importing them, and how they end."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Problem as problem:
            if ctx.meta.get(AS_JSON):
                _print(problem)
            else:
                _show(problem)
            ctx.exit(2 if isinstance(problem, UsageFault) else 1)
        except click.NoSuchOption as error:
            if all(error.option_name not in parameter.opts for parameter in self.params):
                raise
            where = (
                f"It goes before the command: endcap {error.option_name} … {ctx.invoked_subcommand}"
            )
            raise click.NoSuchOption(
                error.option_name, f"{error.message} {where}", ctx=error.ctx
            ) from error

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
      endcap demo                          a sample shop, before and after a pin
      endcap tracker create 1234-5678      prints the private key once
      endcap import catalog items.jsonl --tracker 1234-5678
      endcap import transactions orders.csv --tracker 1234-5678
      endcap build --tracker 1234-5678     recommenders from these orders
      endcap serve                         http://127.0.0.1:8000

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
    sys.exit(code if isinstance(code, int) else 0)


def _print(problem: Problem) -> None:
    said: dict[str, Any] = {
        "code": problem.code,
        "reason": problem.reason,
        "details": {field: list(messages) for field, messages in problem.details.items()},
    }
    if isinstance(problem, FaultyRows):
        said["total"] = problem.total
    click.echo(json.dumps({"error": said}, indent=2, ensure_ascii=False))


def _show(problem: Problem) -> None:
    click.secho(f"Error: {problem.reason}", fg="red", err=True)
    shown = list(problem.details.items())[:FAULTY_ROWS_SHOWN]
    for field, messages in shown:
        click.echo(f"  {field}: {', '.join(messages)}", err=True)
    if isinstance(problem, FaultyRows) and problem.total > len(shown):
        click.echo(f"  … and {problem.total - len(shown)} more", err=True)
    cause = str(problem.__cause__ or "")
    if cause not in problem.reason:
        click.echo(f"  because: {cause}", err=True)

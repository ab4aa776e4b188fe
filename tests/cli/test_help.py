"""
`--help` teaches: an example that works, where a setting comes from, nothing cut off at 80 columns.
"""

import re
import shlex
from collections.abc import Iterator, Sequence

import click
import pytest

from endcap.cli.main import cli
from endcap.config import NAMES, variable
from tests.cli.driver import Shell, unwrapped

WIDTH = 80
_COMMAND = re.compile(r"^\s+(?:.* [|] )?(?:[*0-9 ]+ )?endcap (.+)$")


def context_of(command: click.Command, parent: click.Context | None = None) -> click.Context:
    """As the command makes it itself: its options depend on it."""
    return click.Context(command, parent, info_name="endcap", **command.context_settings)


def step(context: click.Context, name: str) -> click.Context:
    """The context of a group's command."""
    assert isinstance(context.command, click.Group)
    found = context.command.get_command(context, name)
    assert found is not None, name
    return context_of(found, context)


def commands(context: click.Context, *names: str) -> Iterator[tuple[str, ...]]:
    """Every command and group by the words that call it."""
    yield names
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            yield from commands(step(context, name), *names, name)


COMMANDS = tuple(commands(context_of(cli)))
every_command = pytest.mark.parametrize("names", COMMANDS, ids=lambda names: " ".join(names) or "-")


def examples(help: str) -> list[list[str]]:
    """The `endcap …` lines of a help text as words, lines that end in a backslash joined."""
    joined = re.sub(r"\\\n\s*", "", help)
    found = (_COMMAND.match(line) for line in joined.splitlines())
    return [shlex.split(re.split(r"\s{3,}| > ", match[1])[0]) for match in found if match]


@every_command
def test_help_has_an_example(empty: Shell, names: tuple[str, ...]) -> None:
    """Of the command itself; of a group, one of its commands."""
    shown = examples(empty.call(*names, "--help").stdout)

    assert any(contains(words, names) for words in shown)


def contains(words: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the names follow one another among the words."""
    return any(tuple(words[at : at + len(names)]) == names for at in range(len(words)))


@every_command
def test_examples_are_understood(empty: Shell, names: tuple[str, ...]) -> None:
    """Each names a command that exists, with options that it has; files need not be there."""
    for words in examples(empty.call(*names, "--help").stdout):
        context, rest = context_of(cli), list(words)
        while isinstance(context.command, click.Group):
            _, rest, _ = context.command.make_parser(context).parse_args(rest)
            context, rest = step(context, rest[0]), rest[1:]

        _, left, _ = context.command.make_parser(context).parse_args(rest)

        assert left == [], words


@every_command
def test_help_fits_a_terminal(empty: Shell, names: tuple[str, ...]) -> None:
    """Nothing is wrapped by the terminal, and no summary ends in dots."""
    shown = empty.call(*names, "-h").stdout

    assert [line for line in shown.splitlines() if len(line) > WIDTH] == []
    assert "..." not in shown.replace("[OPTIONS] COMMAND [ARGS]...", "")


@every_command
def test_every_option_is_explained(empty: Shell, names: tuple[str, ...]) -> None:
    """An option without a word on what it is for is a riddle."""
    context = context_of(cli)
    for name in names:
        context = step(context, name)

    unexplained = [
        parameter.name
        for parameter in context.command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]

    assert unexplained == []


@every_command
def test_an_option_that_is_a_setting_names_its_variable(
    empty: Shell, names: tuple[str, ...]
) -> None:
    """Where it can be set once for all."""
    if names == ("demo",):
        return  # a shop of its own
    shown = unwrapped(empty.call(*names, "--help").stdout)

    for option in re.findall(r"(?<= )--([a-z-]+) (?:TEXT|INTEGER|DIRECTORY)", shown):
        if option.replace("-", "_") in NAMES:
            assert variable(option.replace("-", "_")) in shown


def test_the_first_help_names_every_command_and_the_settings(empty: Shell) -> None:
    """It is the way in."""
    shown = empty.call("--help").stdout

    for names in COMMANDS:
        if names:
            assert re.search(rf"^  {names[0]} ", shown, re.MULTILINE)
    assert "ENDCAP_CONFIG" in shown
    assert "docs/settings.md" in shown

"""
Examples can be pasted: shell is well formed, commands and options exist, JSON and TOML can be read.
"""

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from endcap.cli.main import cli
from endcap.config import FILE_VARIABLE, load
from tests.docs import pages

BLOCKS = [block for page in pages.pages() for block in pages.blocks(page, "bash", "sh")]
_BEFORE = r"(?:^|[|&;(]|\bdo\b|\bthen\b)\s*(?:ENDCAP_\w+=\S+\s+)*(?:\S*/)?"
_CALL = re.compile(_BEFORE + r"endcap(\s[^|&;>\n]*|$)", re.MULTILINE)
_INLINE = re.compile(r"`(?:\S*/)?endcap (\w[^`]*)`")
_SCRIPT = re.compile(r"(?<![\w/.])scripts/[\w-]+")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_shell_is_well_formed(block: pages.Block) -> None:
    """Bash can read every block of shell."""
    checked = subprocess.run(
        ["bash", "-n"], input=block.text, capture_output=True, text=True, check=False
    )

    assert checked.stderr == ""
    assert checked.returncode == 0


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_yaml_can_be_read(page: Path) -> None:
    """And what a pipeline's steps run is shell that bash can read, with commands and options that exist."""
    for block in pages.blocks(page, "yaml"):
        for command in _steps(yaml.safe_load(block.text)):
            checked = subprocess.run(["bash", "-n"], input=command, text=True, check=False)
            calls = _CALL.findall(command)
            assert checked.returncode == 0, block.place
            assert [fault for call in calls if (fault := _fault(call.strip()))] == []


def _steps(value: object) -> Iterator[str]:
    """Whatever stands behind `run`."""
    for key, held in value.items() if isinstance(value, dict) else ():
        if key == "run" and isinstance(held, str):
            yield held
        yield from _steps(held)
    for each in value if isinstance(value, list) else ():
        yield from _steps(each)


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_scripts_named_exist(page: Path) -> None:
    """A script that a page names is there and can be run."""
    named = {pages.ROOT / name for name in _SCRIPT.findall(pages.text(page))}

    assert [pages.name(each) for each in named if not each.stat().st_mode & 0o100] == []


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_commands_and_options_named_exist(page: Path) -> None:
    """Every call of endcap in a block of shell or in a line of prose names a command and options that it has."""
    wrong = [
        f"endcap {call}: {fault}" for call in _calls(page) if (fault := _fault(call)) is not None
    ]

    assert wrong == []


def _calls(page: Path) -> Iterator[str]:
    for block in pages.blocks(page, "bash", "sh"):
        joined = re.sub(r"\\\n\s*", " ", block.text)
        yield from (found.strip() for found in _CALL.findall(joined))
    yield from _INLINE.findall(pages.prose(page))


def _fault(call: str) -> str | None:
    """What keeps a call of endcap from being understood, if anything: a command or an option that does not exist."""
    try:
        _understand(cli, "endcap", shlex.split(call, comments=True), None)
    except (ValueError, click.UsageError) as error:
        return str(error)
    return None


def _understand(
    command: click.Command, name: str, words: list[str], parent: click.Context | None
) -> None:
    """Takes words apart as click does, without running anything or asking for what is required."""
    context = click.Context(
        command, parent, info_name=name, resilient_parsing=True, **command.context_settings
    )
    rest = click.Command.parse_args(command, context, words)
    if isinstance(command, click.Group) and rest:
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f"No such command: {rest[0]}")
        _understand(found, rest[0], rest[1:], context)


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_json_can_be_read(page: Path) -> None:
    """A block that says it is JSON is."""
    for block in pages.blocks(page, "json"):
        json.loads(block.text)


def test_settings_file_can_be_used(tmp_path: Path) -> None:
    """The file on the page of settings is accepted by the code that reads such files."""
    (block,) = pages.blocks(pages.ROOT / "docs/settings.md", "toml")
    file = tmp_path / "endcap.toml"
    file.write_text(block.text, encoding="utf-8")

    settings = load({FILE_VARIABLE: str(file)})

    assert settings.workers == tomllib.loads(block.text)["workers"]

"""
Writes the parts of pages that the code knows best: `.venv/bin/python -m tests.docs.generate`.

A part stands between `<!-- begin: NAME -->` and `<!-- end: NAME -->`. A test compares pages with what this would write.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import get_args, get_type_hints

import click
import msgspec
from msgspec import inspect

from endcap.cli.main import cli
from endcap.config import Settings, variable
from endcap.recommend.models import REFERENCE
from endcap.recommend.rerank import Personal, Variety
from endcap.recommend.table import KINDS, Described, described, kept
from tests.docs import pages

WIDTH = 100


def settings_table() -> str:
    """A row a setting, in the order of the declaration."""
    rows = ["| variable | value | default | what it sets |", "| --- | --- | --- | --- |"]
    structure = inspect.type_info(Settings)
    assert isinstance(structure, inspect.StructType)
    hints = get_type_hints(Settings)
    for field in structure.fields:
        kind, description = _described(field.type)
        name, value = variable(field.name), _value(kind, hints[field.name])
        rows.append(f"| `{name}` | {value} | {_default(field.default)} | {description} |")
    return "\n".join(rows)


def _described(kind: inspect.Type) -> tuple[inspect.Type, str]:
    assert isinstance(kind, inspect.Metadata)
    assert kind.extra_json_schema is not None
    return kind.type, kind.extra_json_schema["description"]


def _value(kind: inspect.Type, hint: object) -> str:
    """What may be given, for people. The hint knows the order of choices, which the inspected type does not keep."""
    match kind:
        case inspect.Metadata():
            return _value(kind.type, hint)
        case inspect.IntType(ge=low, le=high):
            return f"{low} to {high}" if high is not None else f"a number from {low}"
        case inspect.FloatType():
            return "seconds above 0"
        case inspect.BoolType():
            return "`true`, `false`"
        case inspect.LiteralType():
            return ", ".join(f"`{each}`" for each in get_args(hint))
        case inspect.VarTupleType():
            return "a list"
        case inspect.CustomType():
            return "a path"
        case _:
            return "a text"


def _default(value: object) -> str:
    match value:
        case "" | ():
            return "empty"
        case bool():
            return f"`{str(value).lower()}`"
        case int():
            return f"`{value}`" if value < 100_000 else f"`{value}` ({value:,})"
        case tuple():
            return f"`{','.join(map(str, value))}`"
        case _:
            return f"`{value}`"


def commands() -> str:
    """`--help` of every command, groups before what is in them."""
    parts = [f"## `{name}`\n\n```text\n{text}\n```" for name, text in helps()]
    return "\n\n".join(parts)


def helps() -> Iterator[tuple[str, str]]:
    yield from _helps(cli, "endcap", None)


def _helps(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command,
        parent,
        info_name=name.rsplit(maxsplit=1)[-1],
        terminal_width=WIDTH,
        **command.context_settings,
    )
    yield name, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from _helps(found, f"{name} {each}", context)


def reference_models() -> str:
    """A row a reference model: what it ranks by, and what follows."""
    rows = [
        "| model | strategy | then | variety | fitted |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, model in REFERENCE.items():
        document = msgspec.json.decode(kept(model))
        then = ", ".join(map(_strategy, document.get("fallback", ()))) or "–"
        variety = document.get("variety")
        spread = "–" if variety is None else _settings({"by": "category", **variety})
        fitted = "no" if model.personal is None else "yes"
        rows.append(
            f"| `{name}` | {_strategy(document['strategy'])} | {then} | {spread} | {fitted} |"
        )
    return "\n".join(rows)


def _strategy(document: Mapping[str, object]) -> str:
    settings = {name: value for name, value in document.items() if name != "kind"}
    return f"`{document['kind']}`" + (f" ({_settings(settings)})" if settings else "")


def _settings(settings: Mapping[str, object]) -> str:
    shown = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in settings.items()
    }
    return ", ".join(f"`{name}` {value}" for name, value in shown.items())


def strategies() -> str:
    """A table for each kind of strategy, and for what is done to its ranking."""
    parts = [*map(described, KINDS.values()), described(Variety), described(Personal)]
    return "\n\n".join(map(_part, parts))


def _part(part: Described) -> str:
    does = " ".join(part.does.split())
    lines = [f"### `{part.kind}`", "", does]
    if part.settings:
        lines += ["", "| setting | takes | default | |", "| --- | --- | --- | --- |"]
    for each in part.settings:
        default = "required" if each.default is None else f"`{each.default}`"
        takes = each.takes.replace("|", "\\|")
        lines.append(f"| `{each.name}` | {takes} | {default} | {each.does} |")
    return "\n".join(lines)


PARTS: Mapping[str, tuple[str, Callable[[], str]]] = {
    "models": ("docs/recommenders.md", reference_models),
    "strategies": ("docs/recommenders.md", strategies),
    "settings": ("docs/settings.md", settings_table),
    "commands": ("docs/cli.md", commands),
}


def with_part(page: str, name: str, part: str) -> str:
    """A page's text with one part written anew. Raises ValueError if the page has no place for it."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not marked.search(page):
        raise ValueError(f"The page lacks {begin} … {end}")
    return marked.sub(lambda _: f"{begin}\n{part}\n{end}", page)


def written(name: str) -> tuple[Path, str]:
    """A page and its text as it should be."""
    page, make = PARTS[name]
    path = pages.ROOT / page
    return path, with_part(path.read_text(encoding="utf-8"), name, make())


def main() -> None:
    for name in PARTS:
        path, text = written(name)
        path.write_text(text, encoding="utf-8")
        click.echo(f"wrote {name} in {pages.name(path)}")


if __name__ == "__main__":
    main()

"""
`endcap model …`: what each recommender does, seen and set, one by one or by a file.
"""

from pathlib import Path
from typing import Any

import click
import msgspec

from endcap import modelling
from endcap.api.app import Parts
from endcap.cli.support import (
    commit,
    console,
    errors,
    json_option,
    parts,
    print_json,
    table,
    tracker_id,
    tracker_option,
)
from endcap.clock import system_clock
from endcap.domain import TrackerId
from endcap.errors import Problem, RecommenderNotFound, UsageFault
from endcap.modelling import ModelShown
from endcap.recommend.models import REFERENCE, stem
from endcap.recommend.table import Described
from endcap.store.states import ModelRow
from endcap.store.writes import RemoveModel

ACTOR = "cli"
FILE_BYTES_MAX = 5_000_000  # two hundred documents of the largest size


@click.group()
def model() -> None:
    """
    See and set what each recommender does: its strategy, settings, fallback, variety, and fitting to shoppers.

    The reference names (basket, trends, …) work without set-up. What is set lies over them; `unset` brings the
    reference back. Running servers take a change over within a moment.

    \b
    Examples:
      endcap model list --tracker 1234-5678
      endcap model set basket --tracker 1234-5678 --set variety.most=2
      endcap model set home --tracker 1234-5678 --like trends
      endcap model strategies
    """


@model.command("list", short_help="List what every name means.")
@tracker_option
@json_option
@click.pass_context
def list_(ctx: click.Context, /, tracker: str, *, as_json: bool) -> None:
    """
    List every name that means something, the tracker's own and the reference's.

    \b
    Example, for a program:
      endcap model list --tracker 1234-5678 --json
    """
    with parts(ctx) as built:
        models = modelling.told(_rows(built, tracker_id(built, tracker)))
    if as_json:
        print_json(models)
        return
    listed = table("model", "set by", "strategy", "then")
    for each in models:
        listed.add_row(
            each.name,
            "you" if each.origin == "own" else "reference",
            _said(each.model.get("strategy")),
            ", ".join(_kind(one) for one in each.model.get("fallback", ())),
        )
    console.print(listed)


@model.command(short_help="Print what a name means.")
@click.argument("name")
@tracker_option
@json_option
@click.pass_context
def show(ctx: click.Context, /, name: str, tracker: str, *, as_json: bool) -> None:
    """
    Print what NAME means, with every setting: the document that `set` and `apply` take.

    \b
    Example:
      endcap model show basket --tracker 1234-5678
    """
    with parts(ctx) as built:
        told = _meaning(_rows(built, tracker_id(built, tracker)), name)
    if as_json:
        print_json(told)
        return
    where = "set for this tracker" if told.origin == "own" else "the reference"
    known_as = "" if told.name == name else f", which a numbered name means: {told.name}"
    errors.print(f"{name}: {where}{known_as}", soft_wrap=True)
    click.echo(msgspec.yaml.encode(told.model).decode(), nl=False)


@model.command("set", short_help="Set what a name means.")
@click.argument("name")
@tracker_option
@click.option("--like", metavar="NAME", help="Begin with what another name means; default: NAME.")
@click.option("--strategy", metavar="KIND", help="Begin with this strategy alone.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change one thing, e.g. strategy.cheaper=0.1, variety.most=2, personal=false; repeat for more.",
)
@click.option("--dry-run", is_flag=True, help="Check and show it, store nothing.")
@json_option
@click.pass_context
def set_(
    ctx: click.Context,
    /,
    name: str,
    tracker: str,
    like: str | None,
    strategy: str | None,
    settings: tuple[str, ...],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Set what NAME means, from what it means now.

    Values are JSON; what is none is taken as text.

    \b
    Fewer of one category in baskets, a name of your own, and another strategy:
      endcap model set basket --tracker 1234-5678 --set variety.most=2
      endcap model set home --tracker 1234-5678 --like trends
      endcap model set fresh --tracker 1234-5678 --strategy newest \\
        --set strategy.popularity=0.5 --set 'fallback=["popular"]'
    """
    if like is not None and strategy is not None:
        raise UsageFault("Give --like or --strategy, not both")
    with parts(ctx) as built:
        id = tracker_id(built, tracker)  # noqa: A001 - a tracker's own word
        rows = _rows(built, id)
        document: dict[str, Any]
        if strategy is not None:
            document = {"strategy": {"kind": strategy}}
        else:
            document = _writable(_meaning(rows, like or name, wanted=name).model)
        for setting in settings:
            _put(document, setting)
        body = msgspec.json.encode(document)
        now = system_clock()
        write = modelling.put(
            id,
            name,
            body,
            actor=ACTOR,
            now=now,
            expected=_seen(rows, name),
            hosts=built.settings.recommender_hosts,
        )
        row = ModelRow(name, write.document, now, 0)
        if not dry_run:
            committed = commit(built, write)
            assert committed.model is not None
            row = committed.model
    told = modelling.row_told(row)
    if as_json:
        print_json({"dry_run": dry_run, **msgspec.to_builtins(told)})
        return
    errors.print(f"{'Would set' if dry_run else 'Set'} {name}:", soft_wrap=True)
    click.echo(msgspec.yaml.encode(told.model).decode(), nl=False)


@model.command(short_help="Take a name out of the table.")
@click.argument("name")
@tracker_option
@json_option
@click.pass_context
def unset(ctx: click.Context, /, name: str, tracker: str, *, as_json: bool) -> None:
    """
    Take NAME out of the tracker's table: it means again what it means by itself.

    \b
    Example:
      endcap model unset basket --tracker 1234-5678
    """
    with parts(ctx) as built:
        id = tracker_id(built, tracker)  # noqa: A001 - as above
        committed = commit(built, RemoveModel(id, name, ACTOR, system_clock()))
    means = stem(name)
    if as_json:
        print_json({"name": name, "means": means, "revision": committed.revision})
        return
    if means is None:
        errors.print(f"{name} is unknown now: requests for it are answered 404", soft_wrap=True)
    else:
        errors.print(f"{name} is the reference's {means} again", soft_wrap=True)


@model.command(short_help="Set what a file names, all or nothing.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@tracker_option
@click.option("--prune", is_flag=True, help="Unset what the file does not name.")
@click.option("--dry-run", is_flag=True, help="Check and tell, store nothing.")
@json_option
@click.pass_context
def apply(
    ctx: click.Context,
    /,
    file: Path,
    tracker: str,
    *,
    prune: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Set every model that FILE names, in YAML or JSON; all of them or none. A second time changes nothing.

    \b
    A file, and its way into every environment:
      models:
        basket:
          strategy: {kind: bought_together, cheaper: 0.1}
          fallback: [bought_with_similar, popular]
        home: popular
    \b
      endcap model apply models.yaml --tracker 1234-5678 --dry-run
      endcap model apply models.yaml --tracker 1234-5678 --prune
    """
    wanted = _read(file)
    with parts(ctx) as built:
        id = tracker_id(built, tracker)  # noqa: A001 - as above
        planned = modelling.plan(
            built.store.models(id),
            wanted,
            tracker=id,
            actor=ACTOR,
            now=system_clock(),
            prune=prune,
            hosts=built.settings.recommender_hosts,
        )
        refused: list[Problem] = []
        if planned.writes and not dry_run:
            outcomes = built.store.commit(planned.writes)
            refused = [each for each in outcomes if isinstance(each, Problem)]
    if refused:
        raise refused[0]
    if as_json:
        print_json({"dry_run": dry_run, "changes": planned.changes})
        return
    listed = table("model", "change")
    for each in planned.changes:
        listed.add_row(each.name, f"would be {each.does}" if dry_run else each.does)
    console.print(listed)


@model.command(short_help="List strategies and their settings.")
@json_option
def strategies(*, as_json: bool) -> None:
    """
    List the strategies and all settings, with what each takes and does.

    \b
    Example:
      endcap model strategies
    """
    told = modelling.strategies()
    if as_json:
        print_json(told)
        return
    for each in (*told.strategies, told.variety, told.personal):
        console.print(_explained(each))


def _explained(part: Described) -> Any:
    listed = table("setting", "takes", "default", "does", title=f"{part.kind}: {_plain(part.does)}")
    listed.title_justify = "left"
    for each in part.settings:
        listed.add_row(each.name, each.takes, each.default or "(required)", each.does)
    return listed if part.settings else f"{listed.title}\n"


def _plain(text: str) -> str:
    return " ".join(text.split())


def _rows(built: Parts, id: TrackerId) -> dict[str, ModelRow]:
    return {row.name: row for row in built.store.models(id)}


def _meaning(rows: dict[str, ModelRow], name: str, *, wanted: str | None = None) -> ModelShown:
    """What a name means, a numbered one by its stem. Raises RecommenderNotFound with what there is."""
    known = stem(name, {*REFERENCE, *rows})
    if known is not None:
        return modelling.one_told(rows, known)
    there = f"{name} means nothing yet; there are: {', '.join(sorted({*rows, *REFERENCE}))}"
    if wanted is not None:
        there += ". A new name begins with --like NAME or --strategy KIND"
    raise RecommenderNotFound(details={"model": [there]})


def _seen(rows: dict[str, ModelRow], name: str) -> frozenset[int]:
    """What was read is what is changed: nothing of somebody else's is lost."""
    return frozenset({rows[name].revision if name in rows else 0})


def _writable(document: Any) -> dict[str, Any]:
    writable: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return writable


def _put(document: dict[str, Any], setting: str) -> None:
    """One `path=value` into a document. Raises UsageFault."""
    path, equals, text = setting.partition("=")
    if not path or not equals:
        raise UsageFault(f"--set {setting}: must be PATH=VALUE, e.g. variety.most=2")
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        value = text
    *above, last = path.split(".")
    here = document
    for part in above:
        below = here.get(part)
        if not isinstance(below, dict):
            below = here[part] = {}
        here = below
    here[last] = value


def _read(file: Path) -> Any:
    """A file's one document. Raises UsageFault."""
    if file.stat().st_size > FILE_BYTES_MAX:
        raise UsageFault(f"{file} is larger than {FILE_BYTES_MAX} bytes: is it a table of models?")
    try:
        return msgspec.yaml.decode(file.read_bytes())  # JSON is YAML too
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageFault(f"{file} is neither YAML nor JSON: {error}") from error


def _kind(strategy: Any) -> str:
    return str(strategy.get("kind", "?")) if isinstance(strategy, dict) else str(strategy)


def _said(strategy: Any) -> str:
    """A strategy with the settings that are not as usual."""
    if not isinstance(strategy, dict):
        return str(strategy)
    usual = _USUAL.get(_kind(strategy), {})
    own = [
        f"{name}={msgspec.json.encode(value).decode()}"
        for name, value in strategy.items()
        if name != "kind" and msgspec.json.encode(value).decode() != usual.get(name)
    ]
    return " ".join([_kind(strategy), *own])


_USUAL = {
    each.kind: {setting.name: setting.default for setting in each.settings}
    for each in modelling.strategies().strategies
}

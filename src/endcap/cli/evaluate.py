"""
`endcap evaluate`: whether the models earn their place on the shop's own orders.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from endcap.cli.chart import TITLES, drawn
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
from endcap.domain import Micros
from endcap.errors import UsageFault
from endcap.recommend.evaluate import (
    POPULARITY,
    QUESTIONS_MAX,
    QUESTIONS_MIN,
    SEED,
    Evaluation,
    Score,
    evaluate,
)
from endcap.recommend.metrics import Figure
from endcap.recommend.models import REFERENCE, Models
from endcap.recommend.orders import orders_directory
from endcap.recommend.questions import ORDER_ITEMS_MIN, TASKS, Task, last_order
from endcap.recommend.table import known_models, stored
from endcap.store.states import ModelRow
from endcap.wire.reading import instant, seconds_text

DAYS = 30
_DAY = 86_400_000_000
_SAME = Figure(0.0, 0.0)
_NO_QUESTIONS = {
    "basket": "no order since then has two items that were ordered before",
    "page": "no order since then has two items that were ordered before",
    "user": "nobody who ordered before has ordered since",
}


@click.command("evaluate")
@tracker_option
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    help=f"Hold the last days of orders out.  [default: {DAYS}]",
)
@click.option(
    "--split",
    metavar="DATE",
    help="Or: hold out what was ordered on that day or later (ISO 8601, UTC).",
)
@click.option(
    "--until",
    metavar="DATE",
    help="Ask only about what was ordered before that day: a month to try settings on, say.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="Only this model; repeat for more. Default: all that orders can tell something about.",
)
@click.option(
    "--queries",
    type=click.IntRange(1, 1_000_000),
    default=QUESTIONS_MAX,
    show_default=True,
    help="Questions of a task, at most.",
)
@click.option(
    "--min-items",
    type=click.IntRange(2, 100),
    default=ORDER_ITEMS_MIN,
    show_default=True,
    help="Baskets and pages: ask only about orders with so many items that were ordered before.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=SEED,
    show_default=True,
    help="Another number draws other questions.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg",
    help="Draw it, too.",
)
@json_option
@click.pass_context
def evaluate_(
    ctx: click.Context,
    /,
    tracker: str,
    days: int | None,
    split: str | None,
    until: str | None,
    models: tuple[str, ...],
    queries: int,
    min_items: int,
    seed: int,
    plot: Path | None,
    *,
    as_json: bool,
) -> None:
    """
    Build from the orders before a day, ask about those since, and compare every model with popularity.

    What is served is not touched. Three tasks: one item of an order is guessed from others in the cart; the rest of an
    order from one item; a user's next order from what they ordered before.

    \b
    The last month, with a picture; and one December:
      endcap evaluate --tracker 1234-5678 --plot models.svg
      endcap evaluate --tracker 1234-5678 --split 2025-12-01 --until 2026-01-01
    """
    if days is not None and split is not None:
        raise UsageFault("--days and --split say the same thing twice: give one of them")
    if plot is not None and plot.suffix.lower() != ".svg":
        raise UsageFault(f"{plot} is no SVG: only these are drawn, and any browser shows them")
    with parts(ctx) as built, progress(quiet=as_json) as bar:
        known = tracker_id(built, tracker)
        data_dir = built.settings.data_dir
        orders = orders_directory(data_dir, known)
        since = _day("--split", split)
        if since is None:
            since = Micros(last_order(orders, data_dir) - (days or DAYS) * _DAY)
        end = _day("--until", until)
        if end is not None and end <= since:
            asked = f"only what was ordered since {seconds_text(since)} is asked about"
            raise UsageFault(f"--until {until} leaves nothing: {asked}")
        with built.store.load(known) as load:
            found = evaluate(
                orders,
                load.objects(),
                split=since,
                until=end,
                scratch=data_dir,
                names=models,
                models=_meant(load.models()),
                questions_max=queries,
                items_min=min_items,
                seed=seed,
                progress=bar.stages,
                asking=bar,
            )
    if plot is not None:
        _write(plot, drawn(found))
    if as_json:
        print_json(found)
    else:
        _show(found)
        if plot is not None:
            errors.print(f"Wrote {plot}", soft_wrap=True)


def _meant(own: Sequence[ModelRow]) -> Models:
    """What names mean to the tracker that is evaluated."""
    return known_models({row.name: stored(row.document) for row in own}, REFERENCE)


def _day(option: str, text: str | None) -> Micros | None:
    found = None if text is None else instant(text)
    if text is not None and found is None:
        raise UsageFault(f"{option} {text} is no date; write one like 2025-12-01")
    return found


def _write(plot: Path, picture: str) -> None:
    try:
        plot.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{plot} cannot be written: {error.strerror}") from error


def _show(found: Evaluation) -> None:
    split = datetime.fromisoformat(found.split).astimezone(UTC)
    console.print(
        f"Learned from {found.lines:,} items of orders before {split:%Y-%m-%d %H:%M} UTC; asked about "
        f"{found.orders:,} orders since. {found.unknown_share:.1%} of their items were new, which no model that "
        "learns from orders can know.",
        soft_wrap=True,
    )
    for task in TASKS:
        _show_task(task, [each for each in found.scores if each.task == task])
        if not found.questions[task]:
            console.print(
                f"\n{TITLES[task]}\n  No question: {_NO_QUESTIONS[task]}.", soft_wrap=True
            )


def _show_task(task: Task, scores: Sequence[Score]) -> None:
    if not scores:
        return
    console.print(f"\n{TITLES[task]} ({scores[0].questions:,} questions)", soft_wrap=True)
    shown = table("model", "hit rate", "MRR", "NDCG", "coverage")
    for score in scores:
        shown.add_row(
            ", ".join((score.model, *score.also)),
            _told(score.hit_rate),
            f"{score.mrr.value:.3f}",
            _told(score.ndcg),
            f"{score.coverage:.1%}",
        )
    console.print(shown)
    for sentence in sentences(scores):
        console.print(f"  {sentence}", soft_wrap=True)


def _told(figure: Figure) -> str:
    return f"{figure.value:.3f} ±{figure.error:.3f}"


def sentences(scores: Sequence[Score]) -> Sequence[str]:
    """Of one task: what the figures mean."""
    if scores[0].verdict == "too_few":
        few = f"{scores[0].questions} questions are too few to tell: {QUESTIONS_MIN} are needed."
        return [f"{few} Import more orders, or hold more days out."]
    return [_sentence(score) for score in scores if score.verdict != "baseline"]


def _sentence(score: Score) -> str:
    by = f"NDCG {abs(score.ahead.value):.3f} ±{score.ahead.error:.3f}"
    if score.ahead == _SAME:
        return f"{score.model} shows the same as {POPULARITY}."
    match score.verdict:
        case "earns":
            return f"{score.model} earns its place: {by} above {POPULARITY}."
        case "loses":
            return f"{score.model} is behind {POPULARITY}: {by} below."
        case _:
            return f"{score.model} cannot be told from {POPULARITY}: {by} apart."

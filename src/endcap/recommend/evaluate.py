"""
Whether the models earn their place: built from a shop's orders up to a day, asked about the orders after it.

The way is the product's own: `build`, an artifact, `Recommenders`, placement without a customization. The artifact is
kept in a folder that is deleted again; what is served is not touched. Every model is compared with popularity over the
same questions: the difference has an error of its own, smaller than those of the two.

The catalog is the shop's as it is now, but for three things: whatever was ordered is in it, everything is available (an
item that is sold out today was not when it was bought), and what was introduced since the split is left out.
"""

import random
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct

from endcap.domain import CatalogObject, ItemId, Micros
from endcap.engine.catalog import Catalog
from endcap.engine.place import Eligibility, Scene, place
from endcap.errors import RecommenderNotFound, UsageFault
from endcap.recommend.artifact import Artifact
from endcap.recommend.build import Progress, build, quietly
from endcap.recommend.metrics import TOP, Figure, Values, figures, judged
from endcap.recommend.models import REFERENCE, Models, stem
from endcap.recommend.questions import (
    ORDER_ITEMS_MIN,
    TASKS,
    Order,
    Question,
    Task,
    draw,
    orders_since,
)
from endcap.recommend.recommenders import Recommender, Recommenders
from endcap.recommend.strategies import Query
from endcap.wire.catalog import understood
from endcap.wire.reading import seconds_text

POPULARITY = "bestsellers"
"""What every model has to beat."""
QUESTIONS_MIN = 50  # of a task; with fewer chance says more than the model
QUESTIONS_MAX = 6_000  # of a task; a model answers some 10,000 a second
SURE = 2.0  # standard errors that a difference has to be away from nothing
SEED = 1
_ASKED_AT_ONCE = 500  # between two signs of life
_LISTS = ("bestsellers", "trends", "news", "discount", "random")
MODELS: Mapping[Task, Sequence[str]] = {
    "basket": (*_LISTS, "basket", "basket_popup"),
    "page": (*_LISTS, "category", "brand", "item_detail_complements"),
    "user": (
        *_LISTS,
        "last_seen",
        "recently_ordered",
        "favorites",
        "user_click_based",
        "user_conversion_based",
    ),
}
"""
Who is asked what unless somebody says otherwise. `item_detail_alternatives` is missing: what replaces an item is not
bought with it, so orders cannot tell.
"""

Answer = Callable[[Question], Sequence[str]]
"""Identities, best first, without the question's own items."""
Verdict = Literal["baseline", "earns", "unclear", "loses", "too_few"]


class Score(Struct, frozen=True):
    """
    What one model reached in one task. `also` are models that the table gives the same meaning. `ahead` is by how much
    its ndcg is above popularity's over the same questions. Coverage is the share of all items it showed anybody.
    """

    task: Task
    model: str
    also: Sequence[str]
    questions: int
    hit_rate: Figure
    mrr: Figure
    ndcg: Figure
    coverage: float
    ahead: Figure
    verdict: Verdict


class Evaluation(Struct, frozen=True):
    """What was learned from, what was asked, and how each model did. `questions` has every task, also one with none."""

    split: str
    lines: int
    items: int
    orders: int
    unknown_share: float
    """Of the items of the orders asked about: nobody had ordered them before."""
    questions: Mapping[Task, int]
    seed: int
    scores: Sequence[Score]


def evaluate(
    orders: Path,
    objects: Iterable[CatalogObject],
    *,
    split: Micros,
    scratch: Path,
    until: Micros | None = None,
    models: Models = REFERENCE,
    names: Sequence[str] = (),
    questions_max: int = QUESTIONS_MAX,
    items_min: int = ORDER_ITEMS_MIN,
    seed: int = SEED,
    progress: Progress = quietly,
    asking: Progress = quietly,
) -> Evaluation:
    """
    Builds from the orders before `split` and asks about those since. `objects` is the catalog, `names` the models, all
    that fit when empty. `progress` hears of the build, `asking` of each task and model.

    Raises UsageFault where there is nothing on one side of the split, RecommenderNotFound for a name of no model.
    """
    wanted = _wanted(names, models)
    with tempfile.TemporaryDirectory(prefix=".evaluate-", dir=scratch) as folder:
        held_out = orders_since(orders, Path(folder), since=split, until=until)
        if not held_out:
            raise UsageFault(
                f"There is no order since {seconds_text(split)}: choose an earlier day"
            )
        artifact = build(orders, Path(folder), now=split, before=split, progress=progress)
        recommenders = _recommenders(objects, artifact, models, split)
        indexes = artifact.indexes
        drawn = {
            task: draw(
                task,
                held_out,
                known=indexes.__contains__,
                returning=lambda user: bool(artifact.history(user)[0]),
                questions_max=questions_max,
                seed=seed,
                items_min=items_min,
            )
            for task in TASKS
        }
        return Evaluation(
            split=seconds_text(split),
            lines=artifact.counts["lines"],
            items=len(indexes),
            orders=len(held_out),
            unknown_share=_share(held_out, lambda item: item not in indexes),
            questions={task: len(questions) for task, questions in drawn.items()},
            seed=seed,
            scores=[
                score
                for task, groups in wanted.items()
                for score in _scores(
                    task, groups, drawn[task], recommenders, now=split, seed=seed, asking=asking
                )
            ],
        )


def _wanted(names: Sequence[str], models: Models) -> Mapping[Task, Sequence[Sequence[str]]]:
    """By task the models, those together that mean the same; popularity first."""
    for name in names:
        if stem(name, models) is None:
            raise RecommenderNotFound(details={"model": [f"{name}: no model has this name"]})
    found: dict[Task, Sequence[Sequence[str]]] = {}
    everywhere = {name for fitting in MODELS.values() for name in fitting}
    for task, fitting in MODELS.items():
        chosen = [name for name in fitting if name in models]
        if names:
            chosen = [
                name
                for name in names
                if (meant := _stem(name, models)) in fitting or meant not in everywhere
            ]
        if chosen:
            found[task] = _together([POPULARITY, *chosen], models)
    return found


def _stem(name: str, models: Models) -> str:
    return stem(name, models) or name


def _together(names: Sequence[str], models: Models) -> Sequence[Sequence[str]]:
    groups: list[list[str]] = []
    for name in dict.fromkeys(names):
        meaning = models[_stem(name, models)]
        alike = (group for group in groups if models[_stem(group[0], models)] == meaning)
        group = next(alike, None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return groups


def _share(orders: Sequence[Order], told: Callable[[str], bool]) -> float:
    items = [item for order in orders for item in order.items]
    return sum(map(told, items)) / len(items)


def _recommenders(
    objects: Iterable[CatalogObject], artifact: Artifact, models: Models, split: Micros
) -> Recommenders:
    present = {held.identity: shown for held in objects if (shown := _at(held, split)) is not None}
    for identity in map(ItemId, artifact.learned.identities):
        if identity not in present:
            present[identity] = _bare(identity)
    catalog = Catalog.of(present.values(), artifact.scores)
    return Recommenders.of(catalog, artifact, models).warm()


def _at(held: CatalogObject, split: Micros) -> CatalogObject | None:
    """The same object on sale; None: it was introduced later."""
    if understood(held.document)[0].introduced_at >= split:
        return None
    members: dict[str, Any] = msgspec.json.decode(held.document)
    for name in ("active_from", "active_to"):
        members.pop(name, None)
    for name in ("availability", "availability_rank"):
        members["fields"].pop(name, None)
    document = msgspec.json.encode(members)
    return CatalogObject(held.identity, held.type, held.generation, document)


def _bare(identity: ItemId) -> CatalogObject:
    """An item that was ordered and is not in the catalog any more."""
    members = {"identity": identity, "type": "item", "fields": {"title": identity}}
    return CatalogObject(identity, "item", None, msgspec.json.encode(members))


def _scores(
    task: Task,
    groups: Sequence[Sequence[str]],
    questions: Sequence[Question],
    recommenders: Recommenders,
    *,
    now: Micros,
    seed: int,
    asking: Progress,
) -> Iterable[Score]:
    if not questions:
        return
    popularity: Values | None = None
    for name, *also in groups:
        recommender = recommenders.find(name)
        assert recommender is not None, "the names were looked at"

        def step(done: int, name: str = name) -> None:
            asking(f"{task}: {name}", done, len(questions))

        answer = asker(recommender, now=now, seed=seed)
        values, shown = answered(answer, questions, step)
        popularity = values if popularity is None else popularity
        ahead = values[:, 2:] - popularity[:, 2:]
        told = figures(
            np.concatenate([values, ahead], axis=1), [each.order for each in questions], seed=seed
        )
        yield Score(
            task=task,
            model=name,
            also=tuple(also),
            questions=len(questions),
            hit_rate=told[0],
            mrr=told[1],
            ndcg=told[2],
            coverage=len(shown) / len(recommender.knowledge.catalog.typed),
            ahead=told[3],
            verdict=_verdict(name, len(questions), told[3]),
        )


def asker(recommender: Recommender, *, now: Micros, seed: int) -> Answer:
    """A recommender as shoppers meet it: placed, with nothing pinned."""
    catalog, chance = recommender.knowledge.catalog, random.Random(seed)

    def answer(question: Question) -> Sequence[str]:
        items = [number for item in question.items if (number := catalog.number(item)) is not None]
        ranking = recommender.rank(
            Query(catalog=catalog, items=items, user=question.user, count=TOP, now=now, seed=chance)
        )
        eligible = Eligibility(catalog, now=now, inputs=question.items)
        placement = place(catalog, Scene((), ranking, eligible, TOP, now))
        return [catalog.identity(each.number) for each in placement.shown]

    return answer


def answered(
    answer: Answer, questions: Sequence[Question], step: Callable[[int], None] = lambda done: None
) -> tuple[Values, set[str]]:
    """Hit, mrr and ndcg of every question, a row each; and everything that was shown."""
    values: Values = np.empty((len(questions), 3))
    seen: set[str] = set()
    for at, question in enumerate(questions):
        if at % _ASKED_AT_ONCE == 0:
            step(at)
        shown = answer(question)
        seen.update(shown[:TOP])
        values[at] = judged(shown, question.wanted)
    step(len(questions))
    return values, seen


def _verdict(model: str, questions: int, ahead: Figure) -> Verdict:
    if questions < QUESTIONS_MIN:
        return "too_few"
    if model == POPULARITY:
        return "baseline"
    if ahead.value > SURE * ahead.error:
        return "earns"
    return "loses" if ahead.value < -SURE * ahead.error else "unclear"

"""
The recommenders of one tracker: one catalog, one artifact, every model.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from endcap.engine.catalog import Catalog
from endcap.engine.place import Ranking, Shown, Source
from endcap.recommend.artifact import Artifact
from endcap.recommend.knowledge import Knowledge, Rest
from endcap.recommend.models import REFERENCE, Model, Models, stem
from endcap.recommend.neighbour_list import NeighbourList
from endcap.recommend.strategies import AnyStrategy, External, Listed, Popular, Query

_MEMO_MAX = 1_024
REST = "popular"
_POPULAR = Model(Popular())


class Recommender(Struct, frozen=True):
    """
    One model, ready to rank. `name` is the name in the table, also for a numbered model; `returned_type` the type of
    objects it returns, None for items.
    """

    name: str
    model: Model
    knowledge: Knowledge
    returned_type: str | None = None

    def rank(self, query: Query) -> Ranking:
        model = self.model
        primary = model.strategy.rank(query, self.knowledge)
        if query.personal and model.personal is not None:
            primary = model.personal.applied(primary, query, self.knowledge)
        if model.variety is not None:
            primary = model.variety.applied(primary, self.knowledge)
        return Ranking(primary, Fallback(model, query, self.knowledge), self.returned_type)

    def stage(self, ranking: Ranking, shown: Shown) -> str | None:
        """The kind of strategy that an item of an answer is from, for an explanation; None of a pinned one."""
        if shown.source is Source.RANKING:
            return stage_of(self.model.strategy)
        if shown.source is Source.FALLBACK and isinstance(ranking.fallback, Fallback):
            return ranking.fallback.stage(shown.number)
        return None


class Fallback:
    """
    What goes on where a model's ranking ends: its other strategies in their order, then everything by popularity. Read
    only as far as needed; each number comes once.
    """

    __slots__ = ("_knowledge", "_model", "_query")

    def __init__(self, model: Model, query: Query, knowledge: Knowledge) -> None:
        self._model = model
        self._query = query
        self._knowledge = knowledge

    def __iter__(self) -> Iterator[int]:
        given: set[int] = set()
        for _, ranked in self._stages():
            for number in ranked:
                if number not in given:
                    given.add(number)
                    yield number
        yield from (number for number in self._rest() if number not in given)

    def stage(self, number: int) -> str:
        """Which of them gives a number: ranked once more, for whoever explains an answer."""
        for name, ranked in self._stages():
            if number in ranked:
                return name
        return REST

    def _stages(self) -> Iterator[tuple[str, Sequence[int]]]:
        for strategy in self._model.fallback:
            yield stage_of(strategy), strategy.rank(self._query, self._knowledge)

    def _rest(self) -> Iterator[int]:
        kind = self._model.returned_type
        if kind is None:
            return iter(Rest(self._knowledge, self._query.context))
        others = self._knowledge.attributes.others(kind)
        if self._query.context is None:
            return iter(others)
        matching = self._query.catalog.matches(self._query.context)
        return (number for number in others if number in matching)


def stage_of(strategy: AnyStrategy) -> str:
    """A strategy's kind, as the table calls it."""
    return str(strategy.__struct_config__.tag)


class Recommenders:
    """Immutable. Made at once; what ranking needs is derived when first asked for, or by `warm`."""

    def __init__(self, knowledge: Knowledge, models: Models = REFERENCE) -> None:
        self._knowledge = knowledge
        self._models = models
        self._found: dict[str, Recommender] = {}
        self.asks = any(isinstance(model.strategy, External) for model in models.values())
        """Whether any model asks a service elsewhere; where none does nobody has to look for one."""

    @classmethod
    def of(
        cls, catalog: Catalog, artifact: Artifact | None = None, models: Models = REFERENCE
    ) -> "Recommenders":
        """The recommenders of any catalog, best one ranked by the artifact's scores."""
        return cls(Knowledge(catalog, artifact or Artifact.empty()), models)

    def with_catalog(self, catalog: Catalog) -> "Recommenders":
        """The same with a successor of the catalog: one that came from it by `changed` or `ranked_by`."""
        return Recommenders(self._knowledge.with_catalog(catalog), self._models)

    def with_artifact(self, catalog: Catalog, artifact: Artifact) -> "Recommenders":
        """The same models over what was learned since, and the catalog as that ranks it."""
        knowledge = Knowledge(catalog, artifact)
        knowledge.lists = self._knowledge.with_catalog(catalog).lists
        return Recommenders(knowledge, self._models)

    def with_lists(self, lists: Mapping[str, NeighbourList]) -> "Recommenders":
        """The same with what others ranked, by the names of the lists."""
        return Recommenders(self._knowledge.with_lists(lists), self._models)

    @property
    def lists(self) -> Mapping[str, NeighbourList]:
        return {name: each.source for name, each in self._knowledge.lists.items()}

    @property
    def wanted_lists(self) -> Mapping[str, Mapping[str, str]]:
        """The names of lists that models want, with what their columns are called."""
        wanted: dict[str, Mapping[str, str]] = {}
        for _, model in sorted(self._models.items()):
            for strategy in (model.strategy, *model.fallback):
                if isinstance(strategy, Listed):
                    wanted.setdefault(strategy.list, strategy.columns)
        return wanted

    def with_models(self, models: Models) -> "Recommenders":
        """The same knowledge under other names."""
        return Recommenders(self._knowledge, models)

    def warm(self) -> "Recommenders":
        """Derives now what the first requests would otherwise wait for (3 ms for 5,000 items)."""
        self._knowledge.warm()
        return self

    @property
    def users_kept(self) -> set[str]:
        """Of whom anything is kept beside what the artifact knows."""
        return self._knowledge.users_kept

    def forget(self, user: str) -> None:
        """Drops what is kept of a user; what an artifact knows of them is in the artifact."""
        self._knowledge.forget(user)

    def forget_everybody(self) -> None:
        self._knowledge.forget_everybody()

    def find(self, model: str) -> Recommender | None:
        """The recommender that a model's name means; None if there is none."""
        found = self._found.get(model)
        if found is None and (name := stem(model, self._models)) is not None:
            if len(self._found) >= _MEMO_MAX:
                self._found.clear()
            means = self._models[name]
            found = Recommender(name, means, self._knowledge, means.returned_type)
            self._found[model] = found
        return found

    @property
    def names(self) -> Iterable[str]:
        """All that have a name of their own; others mean one of these by their stems."""
        return self._models.keys()

    def external(self, model: str) -> External | None:
        """The service that a model's name has to be asked of before it can rank, if so."""
        found = self.find(model)
        strategy = None if found is None else found.model.strategy
        return strategy if isinstance(strategy, External) else None

    def standing_in(self, model: str) -> Recommender:
        """The recommender that a model's name means; what is popular for a name that the table does not know."""
        return self.find(model) or Recommender(model, _POPULAR, self._knowledge)

    @property
    def artifact(self) -> Artifact:
        return self._knowledge.artifact

    @property
    def model_version(self) -> int | None:
        return self.artifact.model_version

    @property
    def version(self) -> str:
        return self.artifact.version

    @property
    def scores(self) -> Mapping[str, float]:
        """How popular identities are, for `Catalog.ranked_by`."""
        return self.artifact.scores

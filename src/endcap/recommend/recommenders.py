"""
The recommenders of one tracker: one catalog, one artifact, every model.
"""

from collections.abc import Mapping

from msgspec import Struct

from endcap.engine.catalog import Catalog
from endcap.engine.place import Ranking
from endcap.recommend.artifact import Artifact
from endcap.recommend.knowledge import Knowledge
from endcap.recommend.models import REFERENCE, Models, stem
from endcap.recommend.strategies import Popular, Query, Strategy

_MEMO_MAX = 1_024


class Recommender(Struct, frozen=True):
    """One model, ready to rank. `name` is the name in the table, also for a numbered model."""

    name: str
    strategy: Strategy
    knowledge: Knowledge

    def rank(self, query: Query) -> Ranking:
        return self.strategy.rank(query, self.knowledge)


class Recommenders:
    """Immutable. Made at once; what ranking needs is derived when first asked for, or by `warm`."""

    def __init__(self, knowledge: Knowledge, models: Models = REFERENCE) -> None:
        self._knowledge = knowledge
        self._models = models
        self._found: dict[str, Recommender] = {}

    @classmethod
    def of(
        cls, catalog: Catalog, artifact: Artifact | None = None, models: Models = REFERENCE
    ) -> "Recommenders":
        """The recommenders of any catalog, best one ranked by the artifact's scores."""
        return cls(Knowledge(catalog, artifact or Artifact.empty()), models)

    def with_catalog(self, catalog: Catalog) -> "Recommenders":
        """The same with a successor of the catalog: one that came from it by `changed` or `ranked_by`."""
        return Recommenders(self._knowledge.with_catalog(catalog), self._models)

    def warm(self) -> "Recommenders":
        """Derives now what the first requests would otherwise wait for (3 ms for 5,000 items)."""
        self._knowledge.warm()
        return self

    def find(self, model: str) -> Recommender | None:
        """The recommender that a model's name means; None if there is none."""
        found = self._found.get(model)
        if found is None and (name := stem(model, self._models)) is not None:
            if len(self._found) >= _MEMO_MAX:
                self._found.clear()
            found = Recommender(name, self._models[name], self._knowledge)
            self._found[model] = found
        return found

    def standing_in(self, model: str) -> Recommender:
        """The recommender that a model's name means; what is popular for a name that the table does not know."""
        return self.find(model) or Recommender(model, Popular(), self._knowledge)

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

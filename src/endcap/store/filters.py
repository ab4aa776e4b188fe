"""
Filters and sorts as SQL: puts an adapter's named conditions together, in its own notation of placeholders.

Only names of queries, columns and placeholders get into the text; what a caller asked for travels beside it.
"""

from collections.abc import Callable, Mapping, Sequence

from endcap.domain import Filter, Sort, TrackerId

COLUMNS = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "model": "model",
    "target_type": "target_type",
    "target_identity": "coalesce(target_identity, '')",
    "creator": "creator",
}


class Filters:
    """What `fetch_page` and its like are filled in with."""

    def __init__(self, sql: Mapping[str, str], placeholder: Callable[[str], str]) -> None:
        self._sql = sql
        self._placeholder = placeholder

    def query(self, name: str, filter: Filter, sort: Sequence[Sort] = ()) -> str:
        """The query with its {conditions}, each after an AND, and its {order}, which ends with the id."""
        conditions = "".join(
            " AND " + self._sql[condition].replace("{values}", self._placeholders(named))
            for condition, named in _named(filter).items()
        )
        order = "".join(
            f"{COLUMNS[each.column]} {'DESC' if each.descending else 'ASC'}, " for each in sort
        )
        text = self._sql[name].replace("{conditions}", conditions)
        return text.replace("{order}", order + "id")

    def values(self, tracker: TrackerId, filter: Filter) -> dict[str, object]:
        """By name, for the same filter."""
        values: dict[str, object] = {"tracker": tracker}
        for named in _named(filter).values():
            values |= named
        return values

    def _placeholders(self, names: Mapping[str, str]) -> str:
        return ", ".join(self._placeholder(name) for name in names)


def _named(filter: Filter) -> Mapping[str, Mapping[str, str]]:
    """The conditions of a filter: the query that is the condition, and its values by name."""
    wanted = {
        "has_model": filter.models,
        "has_tag": filter.tags,
        "has_target_type": filter.target_types,
        "has_target_identity": filter.target_identities,
    }
    return {
        query: {f"{query}_{number}": value for number, value in enumerate(values)}
        for query, values in wanted.items()
        if values
    }

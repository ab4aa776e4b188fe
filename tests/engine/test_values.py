"""
Which attributes there are and which values: what a builder of criteria offers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from endcap.engine.catalog import Catalog
from endcap.engine.values import Attribute, Range, Value, attributes, range_of, values
from tests.engine import scenes


def shop(fields: Sequence[Mapping[str, Any]]) -> Catalog:
    return Catalog.of(
        scenes.object_of(
            {
                "identity": f"/p/{number}",
                "type": "item",
                "fields": {"title": f"Item {number}", **each},
            }
        )
        for number, each in enumerate(fields)
    )


def test_attributes_with_how_many_have_them() -> None:
    """Those that begin with what was typed come first, then those that most have; not what nobody has any more."""
    catalog = shop([{"brand": "a", "color": "x"}, {"brand": "b"}, {"sub_brand": "c", "color": []}])

    assert attributes(catalog, "BRA") == [Attribute("brand", 2), Attribute("sub_brand", 1)]
    assert [each.count for each in attributes(catalog, "")] == [3, 3, 2, 1, 1]
    assert attributes(catalog, "unheard-of") == []


def test_values_with_how_many_have_them() -> None:
    """Texts whatever their case, true and false, numbers; the most frequent first."""
    fields: list[dict[str, Any]] = [{"brand": "Fender", "new": True, "size": 9.5}] * 20
    fields += [{"brand": "Gibson", "new": False, "size": 12}] * 15
    catalog = shop([*fields, {"brand": "fender custom", "size": 9.5}])

    assert values(catalog, "brand", "fEN") == [Value("Fender", 20), Value("fender custom", 1)]
    assert values(catalog, "brand", "")[:2] == [Value("Fender", 20), Value("Gibson", 15)]
    assert values(catalog, "new", "") == [Value(False, 15), Value(True, 20)]
    assert values(catalog, "new", "tr") == [Value(True, 20)]
    assert values(catalog, "size", "") == [Value(9.5, 21), Value(12.0, 15)]
    assert values(catalog, "size", "1") == [Value(12.0, 15)]
    assert values(catalog, "unheard-of", "") == []
    assert range_of(catalog, "size") == Range(9.5, 12.0)
    assert range_of(catalog, "brand") is range_of(catalog, "unheard-of") is None


def test_so_many_and_no_more() -> None:
    """Of what each item has to itself the first that come."""
    catalog = shop([{"code": f"code-{number}"} for number in range(200)])

    assert len(values(catalog, "code", "code", 12)) == 12
    assert values(catalog, "code", "CODE-199") == [Value("code-199", 1)]
    assert len(attributes(catalog, "", 1)) == 1

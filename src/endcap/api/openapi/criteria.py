"""
Criteria in the API's description: the grammar of conditions, over catalog objects and over customizations themselves.

Said in words alone: how deep and how many criteria may be, and the synonyms of a rule's keys.
"""

from collections.abc import Mapping

from endcap.api.openapi.schema import Schema, ref
from endcap.criteria import DEPTH_MAX, RULES_MAX, VALUES_MAX

_OWN_FIELD = (
    "^(id|created_at|updated_at|model|target_type|target_identity|tags|creator|available"
    r"|(target_criteria|target_metadata|pin_definitions)(\.[\s\S]*)?)$"
)
_NESTING = "^(and|or|not)$"
_COMPARED_KEYS = ("operator", "op", "value", "values")


def shapes() -> dict[str, Schema]:
    """Of criteria over catalog objects, and of the values that all criteria take."""
    return {**_criteria("", "attributes of catalog objects", None), **_values()}


def own_shapes() -> dict[str, Schema]:
    """Of criteria over customizations."""
    return _criteria("Own", "attributes of customizations themselves", _OWN_FIELD)


def _criteria(prefix: str, about: str, attribute: str | None) -> dict[str, Schema]:
    """
    The grammar of conditions, over any attribute or over those that match a pattern.

    The keys `field`, `operator` and `value` have synonyms, said in words: to list them would multiply the shapes.
    """
    name: Schema = (
        {"type": "string"} if attribute is None else {"type": "string", "pattern": attribute}
    )
    rules: Schema = {"type": "array", "minItems": 1, "items": ref(f"{prefix}Rule")}
    wrapped: Schema = {
        "type": "object",
        "title": "Wrapped",
        "required": ["criteria"],
        "properties": {"criteria": rules},
        "additionalProperties": False,
    }
    value: list[Schema] = [ref("Scalar"), ref("Restriction")]
    nested: Schema = {
        "and": [rules],
        "or": [rules],
        "not": [
            rules,
            wrapped,
            ref(f"{prefix}Comparison"),
            {"allOf": [ref(f"{prefix}AttributeMap"), {"not": _restriction_like()}]},
        ],
    }
    attribute_map: Schema = {
        "type": "object",
        "description": "Attribute to value, or to values and an operator; all must hold. Nests with `and`, `or` and "
        "`not`.",
        "minProperties": 1,
        # Where any name is an attribute, these three may be attributes too.
        "properties": {
            key: {"anyOf": [*shapes, *(value if attribute is None else ())]}
            for key, shapes in nested.items()
        },
        "additionalProperties": {"anyOf": value},
        "not": _comparison_like(),
        "examples": [{"brand": "Fender", "price_amount": {"values": ["100|500"]}}],
    }
    if attribute is not None:
        attribute_map["propertyNames"] = {"anyOf": [{"pattern": _NESTING}, {"pattern": attribute}]}
        attribute_map["examples"] = [{"model": {"values": ["basket", "trends"]}}]
    return {
        f"{prefix}Criteria": {
            "description": f"A condition over {about}, in one of two spellings: a map from attributes to values, or a "
            f"list of rules. Kept and returned byte for byte. At most {DEPTH_MAX} levels and {RULES_MAX} rules. "
            "Matching is exact and case-sensitive; of a list one element must match; numbers meet numerals; a text "
            "such as `100|500`, `100|` or `|500` among `values` is a range.",
            "anyOf": [ref(f"{prefix}AttributeMap"), rules, wrapped, ref(f"{prefix}Comparison")],
        },
        f"{prefix}AttributeMap": attribute_map,
        f"{prefix}Rule": {
            "description": "One element of a rule list.",
            "anyOf": [ref(f"{prefix}Comparison"), ref(f"{prefix}AttributeMap"), wrapped],
        },
        f"{prefix}Comparison": _comparison(
            name, {"brand": "Fender"} if attribute is None else {"model": "basket"}
        ),
    }


def _values() -> dict[str, Schema]:
    nothing: Schema = {"type": "array", "maxItems": 0}
    return {
        "Restriction": {
            "type": "object",
            "required": ["values"],
            "properties": {
                "values": ref("Values"),
                "operator": {
                    "type": "string",
                    "enum": ["or", "and", "not"],
                    "default": "or",
                    "description": "`or`: one of the values; `and`: all of them; `not`: none of them.",
                },
            },
            "additionalProperties": False,
            "examples": [{"values": ["Fender", "Gibson"], "operator": "or"}],
        },
        "Values": {"type": "array", "minItems": 1, "maxItems": VALUES_MAX, "items": ref("Scalar")},
        "Scalar": {"type": ["string", "number", "boolean"]},
        "NoCriteria": {
            "description": "A condition that everything satisfies.",
            "anyOf": [
                {"type": "object", "maxProperties": 0},
                nothing,
                {
                    "type": "object",
                    "title": "Wrapped",
                    "required": ["criteria"],
                    "properties": {"criteria": nothing},
                    "additionalProperties": False,
                },
            ],
        },
    }


def _comparison(name: Schema, example: Mapping[str, str]) -> Schema:
    """Four families of operators, by the values that they take."""
    single: Schema = {"type": ["string", "number"]}
    families: list[tuple[str, list[str], Schema | None]] = [
        ("Equality", ["=", "eq", "!=", "in", "not_in"], {"anyOf": [ref("Scalar"), ref("Values")]}),
        ("Order", [">", ">=", "<", "<="], {"anyOf": [single, _one_or_more(single, at_most=1)]}),
        (
            "Contains",
            ["contains"],
            {"anyOf": [{"type": "string"}, _one_or_more({"type": "string"}, at_most=VALUES_MAX)]},
        ),
        ("Exists", ["exists"], {"type": "boolean", "default": True}),
    ]
    return {
        "description": "A rule on one attribute. Synonyms: `attribute` and `name` for `field`, `op` for `operator`, "
        "`values` for `value`, `eq` for `=`.",
        "anyOf": [
            {
                "type": "object",
                "title": title,
                "required": ["field", "operator", *([] if title == "Exists" else ["value"])],
                "properties": {
                    "field": name,
                    "operator": {"type": "string", "enum": operators},
                    "value": value,
                },
            }
            for title, operators, value in families
        ],
        "examples": [
            {"field": field, "operator": "=", "value": value} for field, value in example.items()
        ],
    }


def _one_or_more(schema: Schema, *, at_most: int) -> Schema:
    return {"type": "array", "minItems": 1, "maxItems": at_most, "items": schema}


def _comparison_like() -> Schema:
    """What is read as a rule on one attribute, and not as a map that happens to use the words."""
    return {
        "properties": {"field": {"type": "string"}},
        "required": ["field"],
        "anyOf": [{"required": [key]} for key in _COMPARED_KEYS],
    }


def _restriction_like() -> Schema:
    return {"required": ["values"], "propertyNames": {"enum": ["values", "operator"]}}

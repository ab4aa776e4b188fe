"""
The shapes of the wire as JSON Schema, for the API's description.

A shape is as exact as JSON Schema allows: what it accepts is accepted, what it refuses is refused, and every bound is
the very constant that is enforced. Said in words alone: a window opens before it closes, how deep and how many criteria
may be, and the synonyms of a rule's keys. `null` for an optional field means that it is absent.
"""

from collections.abc import Mapping
from typing import Any

from endcap.api.openapi_event_schemas import event_shapes
from endcap.api.openapi_past_schemas import past_shapes
from endcap.criteria import DEPTH_MAX, RULES_MAX, VALUES_MAX
from endcap.domain import (
    IDENTITY_CHARACTERS_MAX,
    INPUT_ITEMS_MAX,
    MODEL_CHARACTERS_MAX,
    PINS_MAX,
    POSITION_MAX,
    TAG_CHARACTERS_MAX,
    TAGS_MAX,
)
from endcap.engine.place import Source, Verdict
from endcap.store.states import JOB_FAULTS_MAX
from endcap.wire.catalog import TYPE_CHARACTERS_MAX
from endcap.wire.customizations import PIN_TYPES, TARGET_TYPES
from endcap.wire.listing import LIMIT_MAX
from endcap.wire.placing import RANKING_MAX
from endcap.wire.placing import SIZE_MAX as PLACEMENT_SIZE_MAX
from endcap.wire.recommending import HIT_FIELDS_MAX, SIZE_DEFAULT, SIZE_MAX
from endcap.wire.recommending_v2 import V1_NAMES
from endcap.wire.updates import FIELDS_MAX, TYPES_MAX

Schema = dict[str, Any]

TRACKER = "1234-5678"
CUSTOMIZATION = "199620b4-df1a-46e8-ab59-9e9ed9af7106"


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def optional(schema: Schema, description: str = "") -> Schema:
    """The schema, or null for «absent»."""
    if isinstance(schema.get("type"), str):
        either: Schema = {**schema, "type": [schema["type"], "null"]}
    else:
        either = {"anyOf": [schema, {"type": "null"}]}
    return described(either, description) if description else either


def text(
    description: str = "", *, longest: int | None = None, examples: list[str] | None = None
) -> Schema:
    """A text as this wire wants it: not empty, bounded, without U+0000."""
    schema: Schema = {"type": "string", "minLength": 1}
    if longest is not None:
        schema["maxLength"] = longest
    schema["pattern"] = NO_NUL
    if description:
        schema["description"] = description
    if examples:
        schema["examples"] = examples
    return schema


NO_NUL = r"^[^\u0000]*$"
IDENTITY = text(longest=IDENTITY_CHARACTERS_MAX, examples=["/p/123"])
WIDGET = text(longest=IDENTITY_CHARACTERS_MAX, examples=["basket-sidebar"])
MODEL = text(longest=MODEL_CHARACTERS_MAX, examples=["basket"])
FLAG: Schema = {"type": "boolean"}
OPENS: Schema = {"type": "string", "format": "date-time", "examples": ["2025-02-01T00:00:00Z"]}
CLOSES: Schema = {**OPENS, "examples": ["2025-03-01T00:00:00Z"]}
STAMP: Schema = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$",
}
ANY_OBJECT: Schema = {"type": "object"}


def schemas() -> dict[str, Schema]:
    """Every component, in the order in which a reader meets them."""
    return {
        **_customizations(),
        **_pins(),
        **_criteria("", "attributes of catalog objects", None),
        **_recommending(),
        **_recommending_v2(),
        **_placing(),
        **_catalog(),
        **event_shapes(),
        **past_shapes(),
        **_criteria("Own", "attributes of customizations themselves", _OWN_FIELD),
        **_answers(),
    }


# Customizations


def _customizations() -> dict[str, Schema]:
    return {
        "CustomizationInput": {
            "description": "What a create or an update takes. Fields that the server makes (`id`, `created_at`, "
            "`updated_at`, `creator`, `available`) and unknown ones are ignored, so the answer of a GET may be sent "
            "back unchanged.",
            "oneOf": [ref(f"{name}CustomizationInput") for name in ("Item", "Criteria", "All")],
            "discriminator": {
                "propertyName": "target_type",
                "mapping": {
                    "item": ref("ItemCustomizationInput")["$ref"],
                    "criteria": ref("CriteriaCustomizationInput")["$ref"],
                    "all": ref("AllCustomizationInput")["$ref"],
                },
            },
        },
        "ItemCustomizationInput": _input(
            "item",
            "Speaks when the item is among the input items of a request.",
            {
                "target_identity": described(
                    IDENTITY, "Catalog identity of the item; it may be unknown yet."
                )
            },
        ),
        "CriteriaCustomizationInput": _input(
            "criteria",
            "Speaks when one of the input items satisfies the criteria.",
            {"target_criteria": described(ref("Criteria"), "What an input item must satisfy.")},
        ),
        "AllCustomizationInput": _input("all", "Always speaks.", {}),
        "Customization": {
            "type": "object",
            "required": [
                *(
                    "id",
                    "created_at",
                    "updated_at",
                    "model",
                    "target_type",
                    "tags",
                    "pin_definitions",
                ),
                *("creator", "available"),
            ],
            "properties": {
                "id": {"type": "string", "format": "uuid", "description": "Made by the server."},
                "created_at": described(STAMP, "When it was created; seconds, UTC."),
                "updated_at": described(STAMP, "When it was last written."),
                "model": described(MODEL, "The recommender that it belongs to."),
                "target_type": _target_type("What it is about."),
                "target_identity": described(IDENTITY, "Only where `target_type` is `item`."),
                "target_criteria": described(
                    ref("Criteria"),
                    "Only where `target_type` is `criteria`; byte for byte as sent.",
                ),
                "tags": _tags("In the order sent, without repeats; `[]` if there are none."),
                "pin_definitions": {
                    "type": "array",
                    "maxItems": PINS_MAX,
                    "items": ref("Pin"),
                    "description": "The pins, each with exactly the fields that it was sent with.",
                },
                "target_metadata": described(
                    ANY_OBJECT,
                    "As sent; for an item target `title` and `image_link` are filled from the catalog where missing.",
                ),
                "creator": {
                    "type": "string",
                    "description": "Who made it: `api`, unless set otherwise.",
                },
                "disabled": described(
                    {"const": True}, "There while it is switched off: nothing of it acts."
                ),
                "available": described(
                    FLAG,
                    "Whether at least one pin is inside its window now and, for an item target, the item is in the "
                    "catalog and available.",
                ),
            },
        },
        "CustomizationPage": {
            "type": "object",
            "required": ["pagination", "results"],
            "properties": {
                "pagination": {
                    "type": "object",
                    "required": ["total"],
                    "properties": {
                        "total": {
                            "type": "integer",
                            "minimum": 0,
                            "description": "How many match, on all pages together.",
                        }
                    },
                },
                "results": {"type": "array", "maxItems": LIMIT_MAX, "items": ref("Customization")},
            },
        },
        "Summary": {
            "type": "object",
            "required": ["scope_counts", "user_tags"],
            "properties": {
                "scope_counts": {
                    "type": "object",
                    "additionalProperties": {"type": "integer", "minimum": 1},
                    "description": "Customizations by model; models without any are left out.",
                },
                "user_tags": {
                    "type": "array",
                    "uniqueItems": True,
                    "items": {"type": "string"},
                    "description": "Every tag in use, sorted.",
                },
            },
        },
        "ListBody": {
            "type": "object",
            "properties": {
                "criteria": {
                    "description": "Rules over the customizations themselves, in either spelling; all must hold. "
                    "Empty or absent for all.",
                    "anyOf": [ref("OwnCriteria"), ref("NoCriteria"), {"type": "null"}],
                }
            },
        },
    }


def _input(target_type: str, description: str, target: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": ["model", "target_type", *target, "pin_definitions"],
        "properties": {
            "model": described(
                MODEL,
                "The recommender that it belongs to. A name that the server does not know is accepted, since rules "
                "may be there before the recommender; a setting refuses it.",
            ),
            "target_type": {
                "const": target_type,
                "description": f"Must be one of: {', '.join(TARGET_TYPES)}.",
            },
            **target,
            "target_metadata": optional(
                ANY_OBJECT, "Anything to show with the target, e.g. its `title` and `image_link`."
            ),
            "disabled": optional(
                FLAG,
                "Whether it is switched off: it is kept, and nothing of it acts. Left out, a new one is on and another "
                "stays as it is.",
            ),
            "tags": optional(_tags(f"To find it by: at most {TAGS_MAX}, repeats not counted.")),
            "pin_definitions": {
                "type": "array",
                "maxItems": PINS_MAX,
                "items": ref("Pin"),
                "description": f"What to put where; may be empty, at most {PINS_MAX}.",
            },
        },
    }


def _target_type(description: str) -> Schema:
    return {"type": "string", "enum": list(TARGET_TYPES), "description": description}


def _tags(description: str) -> Schema:
    tag = text(longest=TAG_CHARACTERS_MAX)
    return {
        "type": "array",
        "items": tag,
        "description": description,
        "examples": [["spring", "guitars"]],
    }


def _pins() -> dict[str, Schema]:
    return {
        "Pin": {
            "description": "One wish: an item, or whatever matches criteria, in a place, within a window.",
            "oneOf": [ref("ItemPin"), ref("CriteriaPin")],
            "discriminator": {
                "propertyName": "pin_type",
                "mapping": {"item": ref("ItemPin")["$ref"], "criteria": ref("CriteriaPin")["$ref"]},
            },
        },
        "ItemPin": _pin(
            "item",
            "Puts one item.",
            {"pin_identity": described(IDENTITY, "Catalog identity of the item to put.")},
        ),
        "CriteriaPin": _pin(
            "criteria",
            "Puts the best item that satisfies criteria.",
            {"pin_criteria": described(ref("Criteria"), "What the item to put must satisfy.")},
        ),
        "Position": {
            "type": "integer",
            "minimum": -1,
            "maximum": POSITION_MAX,
            "description": f"A slot from 1 to {POSITION_MAX}; `-1` for every slot that no other pin takes; `0` to "
            "block.",
            "examples": [1],
        },
    }


def _pin(pin_type: str, description: str, pick: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "description": description,
        "required": ["position", "pin_type", *pick],
        "properties": {
            "position": ref("Position"),
            "pin_type": {
                "const": pin_type,
                "description": f"Must be one of: {', '.join(PIN_TYPES)}.",
            },
            **pick,
            "widget_id": optional(
                WIDGET,
                "The pin acts only for this widget: `recommender_client_identifier` of the request.",
            ),
            "is_block_pin": optional(FLAG, "Keeps what it names out, whatever the position."),
            "is_bundle_pin": optional(
                FLAG, "The bundle pins of a customization stand together, side by side."
            ),
            "active_from": optional(OPENS, "In force from this moment; without a zone it is UTC."),
            "active_to": optional(
                CLOSES, "In force until just before this moment; must be after `active_from`."
            ),
        },
    }


# Criteria

_OWN_FIELD = (
    "^(id|created_at|updated_at|model|target_type|target_identity|tags|creator|available"
    r"|(target_criteria|target_metadata|pin_definitions)(\.[\s\S]*)?)$"
)
_NESTING = "^(and|or|not)$"
_COMPARED_KEYS = ("operator", "op", "value", "values")


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
    shapes = {
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
    return shapes if attribute is not None else {**shapes, **_values()}


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


# Recommendations


def _recommending() -> dict[str, Schema]:
    some_text: Schema = {"type": ["string", "integer"], "maxLength": IDENTITY_CHARACTERS_MAX}
    identities: Schema = {"type": "array", "items": {"type": ["string", "integer"]}}
    return {
        "RecommendRequest": {
            "type": "object",
            "description": "What one widget wishes to show. Unknown fields are ignored.",
            "required": ["recommendation_type"],
            "properties": {
                "recommendation_type": described(
                    {"type": "string", "minLength": 1, "examples": ["basket"]},
                    "The recommender. A numbered name such as `basket_2` falls back to its stem.",
                ),
                "recommender_client_identifier": optional_text(
                    some_text, "The widget, for pins that name one."
                ),
                "user_id": optional_text(some_text, "The shopper."),
                "item_ids": optional(
                    identities,
                    f"Input items; the first {INPUT_ITEMS_MAX} count. They are not shown.",
                ),
                "blacklisted_item_ids": optional(identities, "Never shown, whatever is pinned."),
                "size": optional(
                    {"type": "integer", "minimum": 1, "default": SIZE_DEFAULT},
                    f"How many hits: {SIZE_DEFAULT} unless told, at most {SIZE_MAX} whatever is asked.",
                ),
                "recommendation_context": {
                    "description": "Only items that satisfy these criteria are shown; empty for all.",
                    "anyOf": [ref("Criteria"), ref("NoCriteria"), {"type": "null"}],
                },
                "settings_override": optional(
                    {
                        "type": "object",
                        "properties": {
                            "availability_field": optional(
                                {"type": "string", "minLength": 1},
                                "The field that says whether an item is available, instead of `availability`.",
                            )
                        },
                    },
                    "Settings of this request.",
                ),
                "hit_fields": {
                    "description": "The attributes to return; all unless told. A list, or one text with commas. "
                    f"At most {HIT_FIELDS_MAX}.",
                    "anyOf": [
                        {"type": "array", "maxItems": HIT_FIELDS_MAX, "items": {"type": "string"}},
                        {"type": "string"},
                        {"type": "null"},
                    ],
                },
                "mark_fallback_results": optional(
                    FLAG,
                    "Mark each hit with `fallback`: whether the model gave it or its fallback.",
                ),
                "consent_granted": optional(
                    FLAG,
                    "Whether the shopper agreed to be known, for this request; without it what events said last "
                    "holds. Only with consent is a ranking fitted to them; who refused is a stranger.",
                ),
            },
        },
        "RecommendAnswer": {
            "type": "object",
            "required": [
                *(
                    "generated_at",
                    "model_version",
                    "recommendation_id",
                    "recommendation_type",
                    "recommender",
                ),
                *("recommender_client_identifier", "recommender_version", "user_id", "hits"),
            ],
            "properties": {
                "generated_at": {
                    "type": "string",
                    "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}$",
                    "description": "UTC, without a zone.",
                },
                "model_version": {
                    "type": ["integer", "null"],
                    "description": "When the model was built; null: never.",
                },
                "recommendation_id": {
                    "type": "string",
                    "format": "uuid",
                    "description": "To tell in shopper events what was shown.",
                },
                "recommendation_type": {"type": "string", "description": "As asked."},
                "recommender": {"type": "string", "description": "The recommender that answered."},
                "recommender_client_identifier": {
                    "type": "string",
                    "description": "The widget as sent; without one, the recommender's name.",
                },
                "recommender_version": {"type": "string"},
                "user_id": {"type": ["string", "null"], "description": "As sent."},
                "hits": {"type": "array", "maxItems": SIZE_MAX, "items": ref("Hit")},
                "explanation": described(ref("Explanation"), "Only where it was asked for."),
            },
        },
        "Hit": {
            "type": "object",
            "required": ["url", "type", "attributes", "nested", "exact"],
            "properties": {
                "url": {"type": "string", "description": "The item's identity."},
                "type": {"type": "string"},
                "attributes": described(
                    ANY_OBJECT,
                    "Texts are lists but for a few that are set (`title`, `price`, …); numbers and booleans are plain; "
                    "names with a leading `_` are never shown.",
                ),
                "nested": {"type": "array"},
                "exact": FLAG,
                "fallback": described(FLAG, "Only with `mark_fallback_results`."),
            },
        },
        "Explanation": {
            "type": "object",
            "required": ["pins", "items"],
            "properties": {
                "pins": {
                    "type": "array",
                    "items": ref("PinExplained"),
                    "description": "Every pin that was met, highest in rank first.",
                },
                "items": {
                    "type": "array",
                    "items": ref("ItemExplained"),
                    "description": "Why each item is where it is.",
                },
            },
        },
        "PinExplained": {
            "type": "object",
            "required": [
                *(
                    "customization_id",
                    "pin",
                    "target_type",
                    "position",
                    "verdict",
                    "item",
                    "slot",
                    "because",
                )
            ],
            "properties": {
                "customization_id": {"type": "string", "format": "uuid"},
                "pin": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "Its index in `pin_definitions`.",
                },
                "target_type": _target_type("Of the customization."),
                "position": ref("Position"),
                "verdict": {
                    "type": "string",
                    "enum": [each.value for each in Verdict],
                    "description": "What became of it.",
                },
                "item": {
                    "type": ["string", "null"],
                    "description": "The item that it names or picked.",
                },
                "slot": {
                    "type": ["integer", "null"],
                    "minimum": 1,
                    "description": "Where that is shown.",
                },
                "because": {
                    "type": "string",
                    "description": "The reason, for people; may be empty.",
                },
            },
        },
        "ItemExplained": {
            "type": "object",
            "required": ["slot", "url", "from"],
            "properties": {
                "slot": {"type": "integer", "minimum": 1},
                "url": {"type": "string"},
                "from": {"type": "string", "enum": [each.value for each in Source]},
                "pin": {"type": "integer", "minimum": 0, "description": "From a pin: its index."},
                "customization_id": {
                    "type": "string",
                    "format": "uuid",
                    "description": "From a pin: whose.",
                },
                "place": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "From the ranking: its place there.",
                },
                "stage": {
                    "type": "string",
                    "description": "From ranking or fallback: the kind of strategy that gave it.",
                },
            },
        },
    }


def _recommending_v2() -> dict[str, Schema]:
    """The same shapes under other names; those of v1 are taken too."""
    shapes = _recommending()
    request, answer, hit = (shapes[name] for name in ("RecommendRequest", "RecommendAnswer", "Hit"))
    asked, told = dict(request["properties"]), dict(answer["properties"])
    some_text: Schema = {"type": ["string", "integer"], "maxLength": IDENTITY_CHARACTERS_MAX}
    model, shopper = (asked.pop(V1_NAMES[name]) for name in ("model", "auth_user_id"))
    del asked[V1_NAMES["widget_id"]]
    wished = {
        "model": model,
        "widget_id": described(some_text, "The widget, for pins that name one."),
        "auth_user_id": described(shopper, "The shopper, where they are signed in to the shop."),
        "device_user_id": described(shopper, "The shopper's device, where they are not."),
        "identities": asked.pop(V1_NAMES["identities"]),
        "blacklisted_identities": asked.pop(V1_NAMES["blacklisted_identities"]),
        **asked,
    }
    given = {name: told.pop(V1_NAMES[name]) for name in ("model", "widget_id")} | told
    given["hits"] = {"type": "array", "maxItems": SIZE_MAX, "items": ref("HitV2")}
    renamed = {V1_NAMES[name]: name for name in ("model", "widget_id")}
    identity: Schema = {"type": "string", "description": "The same as `url`."}
    return {
        "RecommendRequestV2": {
            **request,
            "description": "What one widget wishes to show. Unknown fields are ignored; those of v1 are taken, too.",
            "required": ["model", "widget_id"],
            "properties": wished,
        },
        "RecommendAnswerV2": {
            **answer,
            "required": [renamed.get(name, name) for name in answer["required"]],
            "properties": given,
        },
        "HitV2": {
            **hit,
            "required": ["identity", *hit["required"]],
            "properties": {"identity": identity, **hit["properties"]},
        },
    }


def _placing() -> dict[str, Schema]:
    """The shapes of a recommendation, with a ranking asked with and what of it is missing answered."""
    shapes = _recommending()
    request, answer = shapes["RecommendRequest"], shapes["RecommendAnswer"]
    identity: Schema = {"type": ["string", "integer"]}
    widgets = ("recommender_client_identifier", "widget_id")
    wished = {
        **request["properties"],
        "recommendation_type": optional(
            MODEL,
            "The model whose customizations apply. Any name: no recommender needs to have it.",
        ),
        "model": optional(MODEL, "The same in the words of customizations."),
        "widget_id": optional(WIDGET, "As `recommender_client_identifier`."),
        "ranking": {
            "anyOf": [
                {"type": "array", "maxItems": RANKING_MAX, "items": items}
                for items in ({"anyOf": [identity, ref("RankedItem")]}, ref("ScoredItem"))
            ],
            "description": "Your ranking, best first; with scores, the highest first. Of an item that is named again "
            "the first place counts.",
            "examples": [["/p/124", "/p/125"]],
        },
        "size": optional(
            {
                "type": "integer",
                "minimum": 1,
                "maximum": PLACEMENT_SIZE_MAX,
                "default": SIZE_DEFAULT,
            },
            f"How many hits: {SIZE_DEFAULT} unless told.",
        ),
        "fill": optional(
            FLAG,
            "Go on with what the server would recommend where the ranking ends; without it the answer ends there.",
        ),
    }
    given = {
        **answer["properties"],
        "recommender": {"type": "string", "description": "The model as asked."},
        "hits": {"type": "array", "maxItems": PLACEMENT_SIZE_MAX, "items": ref("Hit")},
        "explanation": described(ref("Explanation"), "Unless it was asked to leave it out."),
        "not_in_catalog": {
            "type": "array",
            "items": {"type": "string"},
            "description": "What of the ranking the catalog lacks, and so nobody can be shown.",
        },
    }
    return {
        "PlacementRequest": {
            "type": "object",
            "description": "What one widget wishes to show, as you ranked it. Unknown fields are ignored.",
            "required": ["ranking"],
            "oneOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("recommendation_type", "model")
            ],
            "not": {
                "required": [*widgets],
                "properties": {name: {"not": {"type": "null"}} for name in widgets},
            },
            "properties": wished,
        },
        "RankedItem": {
            "type": "object",
            "required": ["identity"],
            "properties": {"identity": identity, "score": {"type": "null"}},
        },
        "ScoredItem": {
            "type": "object",
            "description": "All items of a ranking have a score, or none.",
            "required": ["identity", "score"],
            "properties": {"identity": identity, "score": {"type": "number"}},
        },
        "PlacementAnswer": {
            "type": "object",
            "required": [*answer["required"], "not_in_catalog"],
            "properties": given,
        },
    }


def optional_text(schema: Schema, description: str) -> Schema:
    return {**schema, "type": [*schema["type"], "null"], "description": description}


# Catalog


def _catalog() -> dict[str, Schema]:
    type_ = text(
        "`item`, `product`, `category`, `brand`, `article`, `variant` or a type of your own.",
        longest=TYPE_CHARACTERS_MAX,
        examples=["item"],
    )
    identity = described(
        IDENTITY, "What pins and requests call it. `url` is accepted in its place."
    )
    nested = optional(
        {"type": "array", "items": ANY_OBJECT},
        "Categories, brands and the like, of the same shape; a category may carry `fields.ancestors`, top first. All "
        "but variants and items become objects of the catalog, too, of this one's generation.",
    )
    generation = optional(
        text(longest=TYPE_CHARACTERS_MAX), "The upload that it belongs to, for a later clean-up."
    )
    window = {
        "active_from": optional(OPENS, "Shown from this moment."),
        "active_to": optional(CLOSES, "Shown until just before this moment."),
    }
    url: Schema = {"description": "Older spelling of `identity`; looked at only without it."}
    named: list[Schema] = [
        {"required": ["identity"]},
        {
            "not": {"required": ["identity"]},
            "required": ["url"],
            "properties": {"url": IDENTITY},
        },
    ]
    return {
        "CatalogObject": {
            "type": "object",
            "required": ["type", "fields"],
            "anyOf": named,
            "properties": {
                "identity": identity,
                "url": url,
                "type": type_,
                "generation": generation,
                **window,
                "fields": {
                    "type": "object",
                    "required": ["title"],
                    "properties": {"title": {"type": "string", "minLength": 1}},
                    "description": "Its attributes. A list is of the type of its elements, and the first value of a "
                    "field fixes its type. Special: `availability` 1 or 0; `availability_rank` 1 to 15, where 15 is "
                    "unavailable; `price`, `price_old`, `price_…`, texts or numbers from which `…_amount` is derived; "
                    "`introduced_at`, a date; `geo_…`, a place with `lat` and `lon`; names with a leading `_` can be "
                    "filtered by and are never shown.",
                },
                "nested": nested,
            },
        },
        "CatalogPatch": {
            "type": "object",
            "description": "What to change in an object: `fields` by name, the rest whole.",
            "anyOf": named,
            "properties": {
                "identity": identity,
                "url": url,
                "type": described(type_, "Must be what it is."),
                "generation": generation,
                **window,
                "fields": optional(
                    {
                        "type": "object",
                        "properties": {"title": {"type": "string", "minLength": 1}},
                    },
                    "Attributes to set; the others stay.",
                ),
                "nested": nested,
            },
        },
        "CatalogRemoval": {
            "type": "object",
            "required": ["type"],
            "anyOf": named,
            "properties": {
                "identity": identity,
                "url": url,
                "type": type_,
            },
        },
        "CatalogUpdate": _update(type_),
        "CatalogUpdateStarted": {
            "type": "object",
            "required": ["status_url"],
            "properties": {
                "status_url": {
                    "type": "string",
                    "description": "Where to ask how it goes on; `job_id` is an integer.",
                }
            },
        },
        "CatalogUpdateProgress": _progress(),
        "CatalogCommitted": {
            "allOf": [ref("CatalogAnswer")],
            "required": ["removed_count"],
            "properties": {
                "ok_count": {"description": "Objects of the type that are of the generation."},
                "removed_count": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "Objects of the type that were of another one, or of none.",
                },
            },
        },
        "ContentPage": _content_page(identity, type_),
        "CatalogAnswer": {
            "type": "object",
            "required": ["ok_count", "errors_count", "errors"],
            "properties": {
                "ok_count": {"type": "integer", "minimum": 0},
                "errors_count": {"type": "integer", "minimum": 0},
                "errors": {
                    "type": "object",
                    "additionalProperties": ref("CatalogFault"),
                    "description": "By identity; an object without one is `object #31`, a body that cannot be read "
                    "`body`.",
                },
            },
        },
        "CatalogFault": {
            "type": "object",
            "required": ["type", "reason"],
            "properties": {
                "type": {"type": "string", "examples": ["malformed_input"]},
                "reason": {"type": "string", "examples": ["incorrect object format"]},
                "caused_by": ref("Details"),
            },
        },
    }


def _update(type_: Schema) -> Schema:
    fields: Schema = {"type": "object", "maxProperties": FIELDS_MAX}
    return {
        "type": "object",
        "required": ["search", "update"],
        "properties": {
            "search": {
                "type": "object",
                "required": ["types", "partial"],
                "properties": {
                    "types": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": TYPES_MAX,
                        "items": type_,
                        "description": "Only objects of these types.",
                    },
                    "partial": {
                        "type": "object",
                        "required": ["fields"],
                        "properties": {
                            "fields": described(
                                fields,
                                "What fields must be: the value, or one of its elements, letter case and type "
                                "included; of a list every element, of an object every member; null: not there.",
                            )
                        },
                    },
                },
            },
            "update": {
                "type": "object",
                "required": ["fields"],
                "properties": {
                    "fields": {
                        **fields,
                        "minProperties": 1,
                        "properties": {"title": {"type": "string", "minLength": 1}},
                        "description": "Attributes to set, each replaced whole; the others stay.",
                    }
                },
            },
        },
    }


def _content_page(identity: Schema, type_: Schema) -> Schema:
    exported: Schema = {
        "type": "object",
        "required": ["url", "type", "attributes", "nested", "exact"],
        "properties": {
            "url": described(identity, "The identity, whatever it looks like."),
            "type": type_,
            "attributes": {
                "type": "object",
                "description": "As hits give them: texts as lists but for a few, derived ones too.",
            },
            "nested": {"type": "array", "items": ANY_OBJECT, "description": "In the same form."},
            "exact": {"const": True},
            "generation": {"type": "string"},
            "active_from": OPENS,
            "active_to": CLOSES,
        },
    }
    return {
        "type": "object",
        "required": ["total", "objects", "links"],
        "properties": {
            "total": {
                "type": "integer",
                "minimum": 0,
                "description": "How many objects there were of these types when the export began.",
            },
            "objects": {"type": "array", "items": exported},
            "links": {
                "type": "array",
                "maxItems": 1,
                "items": {
                    "type": "object",
                    "required": ["rel", "href"],
                    "properties": {
                        "rel": {"const": "next"},
                        "href": {"type": "string", "description": "The next page, as it is."},
                    },
                },
            },
        },
    }


def _progress() -> Schema:
    count: Schema = {"type": "integer", "minimum": 0}
    return {
        "type": "object",
        "required": [
            "tracker_id",
            "status",
            "updates_count",
            "failures_count",
            "failures",
            "checked_count",
        ],
        "properties": {
            "tracker_id": {"type": "string"},
            "status": {"type": "string", "enum": ["in progress", "complete", "failed"]},
            "updates_count": described(count, "Objects updated so far."),
            "failures_count": described(count, "Objects that could not be updated."),
            "failures": {
                "type": "object",
                "additionalProperties": ref("CatalogFault"),
                "description": f"What was wrong, by identity, of the first {JOB_FAULTS_MAX}.",
            },
            "checked_count": described(count, "Objects of the types that were looked at so far."),
            "reason": {"type": "string", "description": "Why the job failed as a whole."},
        },
    }


def objects(schema: str, *, at_most: int | None = None) -> Schema:
    """The body of a catalog call."""
    listed: Schema = {"type": "array", "items": ref(schema)}
    if at_most is not None:
        listed["maxItems"] = at_most
    return {"type": "object", "required": ["objects"], "properties": {"objects": listed}}


# Answers for everyone


def _answers() -> dict[str, Schema]:
    return {
        "Problem": {
            "type": "object",
            "required": ["reason", "exception_details"],
            "properties": {
                "reason": {"type": "string", "description": "What is wrong, in one sentence."},
                "exception_details": described(
                    ref("Details"), "`{}` when there is nothing to add."
                ),
            },
            "additionalProperties": False,
        },
        "Details": {
            "type": "object",
            "description": "Messages by field.",
            "additionalProperties": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        },
        "Health": {
            "type": "object",
            "required": ["status"],
            "properties": {"status": {"const": "ok"}},
        },
        "Readiness": {
            "type": "object",
            "required": ["status"],
            "properties": {
                "status": {"enum": ["ready", "loading"]},
                "revisions": {
                    "type": "object",
                    "additionalProperties": {"type": "integer", "minimum": 0},
                    "description": "The revision of each tracker that this process shows.",
                },
            },
        },
    }

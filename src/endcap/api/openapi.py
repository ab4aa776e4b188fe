"""
The API's description, made from one table of operations.

`document` is OpenAPI 3.1; `scripts/openapi` writes it, and the page made of it, beside this file, where the server
finds them. Tests hold the table to the routes that are mounted, and its examples to its shapes. What a refusal
looks like is never written down here: the example is what the server answers for that very problem.
"""

import json
from collections.abc import Mapping, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from endcap import __version__
from endcap.api import openapi_schemas as shapes
from endcap.api.openapi_page import page
from endcap.api.openapi_schemas import CUSTOMIZATION, TRACKER, Schema, ref
from endcap.domain import ItemId
from endcap.errors import (
    BodyTooLarge,
    CustomizationNotFound,
    FaultyFields,
    FaultyPins,
    IdempotencyConflict,
    MalformedBody,
    Problem,
    RecommenderNotFound,
    RevisionConflict,
    RevisionNotReached,
    StillLoading,
    StoreUnavailable,
    TooManyRequests,
    TrackerNotFound,
    Unauthenticated,
    UnsupportedMediaType,
)
from endcap.store.port import IDEMPOTENCY_HOURS
from endcap.wire.catalog import PATCH_OBJECTS_MAX, malformed
from endcap.wire.customizations import CSV_COLUMNS
from endcap.wire.problems import INTERNAL, catalog_json, internal_json, problem_json, status_of
from endcap.wire.recommending import OBJECTS_MAX

BASE = "/v1/recommender/pin/{tracker_id}"
ONE = BASE + "/scope/{customization_id}"
JSON = "application/json"
FOLDER = Path(__file__).parent


class Answer(Struct, frozen=True, kw_only=True):
    """One status that an operation answers with. `content` is media type → schema, `examples` name → value."""

    status: int
    description: str
    content: Mapping[str, Schema] = {}
    examples: Mapping[str, Any] = {}
    headers: Sequence[str] = ()
    links: Mapping[str, Schema] = {}


class Body(Struct, frozen=True, kw_only=True):
    schema: Schema
    examples: Mapping[str, Any]
    required: bool = True


class Operation(Struct, frozen=True, kw_only=True):
    """One row of the table. `call` is what the shell example asks for: query string and options of curl."""

    method: Literal["get", "put", "post", "patch", "delete", "options"]
    path: str
    id: str
    tag: str
    summary: str
    description: str
    signed: Literal["yes", "no", "for an explanation"] = "no"
    parameters: Sequence[Schema] = ()
    body: Body | None = None
    answers: Sequence[Answer]
    refusals: Sequence[Problem] = ()
    call: str = ""


# Examples, all of one shop: a guitar in the basket, and the strap that goes with it.

PIN = {
    "position": 1,
    "pin_type": "item",
    "pin_identity": "/p/555",
    "active_from": "2025-02-01T00:00:00Z",
}
INPUT = {
    "model": "basket",
    "target_type": "item",
    "target_identity": "/p/123",
    "tags": ["guitars"],
    "pin_definitions": [PIN],
}
STORED = {
    "id": CUSTOMIZATION,
    "created_at": "2025-01-22T08:49:58Z",
    "updated_at": "2025-01-22T08:49:58Z",
    **INPUT,
    "target_metadata": {
        "title": "Fender Telecaster",
        "image_link": "https://doe.com/123.jpg",
    },
    "creator": "api",
    "available": True,
}
INPUTS = {
    "item": INPUT,
    "criteria": {
        "model": "item_detail_complements",
        "target_type": "criteria",
        "target_criteria": {
            "brand": {"values": ["Fender", "Squier"]},
            "price_amount": {"values": ["500|"]},
        },
        "tags": ["guitars", "spring"],
        "pin_definitions": [
            {
                "position": 2,
                "pin_type": "criteria",
                "pin_criteria": [{"field": "category", "operator": "=", "value": "Straps"}],
                "widget_id": "detail-bottom",
                "active_to": "2025-06-01T00:00:00+02:00",
            },
            {"position": 0, "pin_type": "item", "pin_identity": "/p/900", "is_block_pin": True},
        ],
    },
    "all": {"model": "basket", "target_type": "all", "pin_definitions": []},
}
GUITAR = {
    "identity": "/p/123",
    "type": "item",
    "generation": "2025-01-20",
    "fields": {
        "title": "Fender Telecaster",
        "brand": "Fender",
        "price": "1 299,00 €",
        "availability": 1,
        "image_link": "https://doe.com/123.jpg",
        "_margin": 0.31,
    },
    "nested": [
        {
            "identity": "/c/electric",
            "type": "category",
            "fields": {"title": "Electric guitars", "ancestors": [{"title": "Guitars"}]},
        }
    ],
}
STRAP = {
    "identity": "/p/555",
    "type": "item",
    "fields": {
        "title": "Leather strap",
        "brand": "Fender",
        "price": "39,00 €",
        "color": ["black", "brown"],
    },
}
WISH = {
    "recommendation_type": "basket",
    "recommender_client_identifier": "basket-sidebar",
    "item_ids": ["/p/123"],
    "size": 3,
    "hit_fields": ["title", "brand", "price"],
}
GIVEN = {
    "generated_at": "2025-02-03T23:34:59.585570",
    "model_version": None,
    "recommendation_id": "6a0c5ab6-2a0e-4a8c-9b0f-0d6a4d1c7b11",
    "recommendation_type": "basket",
    "recommender": "basket",
    "recommender_client_identifier": "basket-sidebar",
    "recommender_version": "b36705710",
    "user_id": None,
    "hits": [
        {
            "url": "/p/555",
            "type": "item",
            "attributes": {"title": "Leather strap", "brand": ["Fender"], "price": "39,00 €"},
            "nested": [],
            "exact": True,
        }
    ],
}
EXPLAINED = {
    **GIVEN,
    "explanation": {
        "pins": [
            {
                "customization_id": CUSTOMIZATION,
                "pin": 0,
                "target_type": "item",
                "position": 1,
                "verdict": "placed",
                "item": "/p/555",
                "slot": 1,
                "because": "",
            }
        ],
        "items": [
            {"slot": 1, "url": "/p/555", "from": "pin", "pin": 0, "customization_id": CUSTOMIZATION}
        ],
    },
}

# Refusals that several operations share, as the server raises them.

UNSIGNED = (
    Unauthenticated(details={"authorization": ["The Authorization header is missing"]}),
    Unauthenticated(
        details={
            "date": [
                "The clock is off by -73 s (at most 5 s); the server's time is Mon, 20 Jan 2025 12:01:13 GMT"
            ]
        }
    ),
    Unauthenticated(
        details={
            "authorization": [
                (
                    "The signature does not match. The server signed this text (JSON-escaped): "
                    "GET\\napplication/json; charset=utf-8\\nMon, 20 Jan 2025 12:00:00 GMT\\n"
                    f"/v1/recommender/pin/{TRACKER}/summary"
                )
            ]
        }
    ),
)
ALWAYS = (TooManyRequests(1), StoreUnavailable(), StillLoading())
BEHIND = RevisionNotReached(details={"Endcap-Revision": ["1041 is shown, 1042 is asked for"]})
BAD_REVISION = FaultyFields(
    "Invalid Endcap-Revision provided",
    {"Endcap-Revision": ["Must be a whole number, as an answer gave it"]},
)
SEEN = (BEHIND, BAD_REVISION)
SIGNED = (*UNSIGNED, *ALWAYS)
TRACKED = (*SIGNED, TrackerNotFound())
NOT_JSON = MalformedBody(
    details={"body": ["Must be a JSON object: Expected `object`, got `array`"]}
)
TOO_LARGE = BodyTooLarge(details={"body": ["At most 1000000 bytes"]})
NOT_JSON_TYPE = UnsupportedMediaType(details={"content_type": ["Cannot be text/plain"]})
BAD_QUERY = MalformedBody(
    "Invalid query provided",
    {
        "query": [
            "Cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
        ]
    },
)
BODY = (NOT_JSON, TOO_LARGE, NOT_JSON_TYPE)
FAULTY = (
    FaultyPins(
        details={
            "target_type": ["Must be one of: item, criteria, all"],
            "pin_definitions": ["Missing required field: position (pin 0)"],
        }
    ),
    FaultyFields(details={"model": ["Missing required field: model"]}),
)
CATALOG_FAULTS = Answer(
    status=400,
    description="Something in the batch failed; `errors` says what, by identity. The rest was stored.",
    content={JSON: ref("CatalogAnswer")},
    examples={
        "partly": json.loads(
            catalog_json(1, {ItemId("/p/555"): malformed({"title": ["must be filled"]})})
        ),
        "unreadable": json.loads(
            catalog_json(
                0, {"body": malformed({"objects": ["must be a list of objects under this key"]})}
            )
        ),
    },
    headers=("Endcap-Revision",),
)
CATALOG_STORED = Answer(
    status=200,
    description="Everything was done.",
    content={JSON: ref("CatalogAnswer")},
    examples={"done": json.loads(catalog_json(2, {}))},
    headers=("Endcap-Revision",),
)
CATALOG_REFUSALS = (*SIGNED, TOO_LARGE, NOT_JSON_TYPE)
LINKS = {
    name: {
        "operationId": operation,
        "parameters": {
            "tracker_id": "$request.path.tracker_id",
            "customization_id": "$response.body#/id",
        },
    }
    for name, operation in (
        ("get", "getCustomization"),
        ("replace", "replaceCustomization"),
        ("delete", "deleteCustomization"),
    )
}

CUSTOMIZATIONS = "Customizations"
RECOMMENDATIONS = "Recommendations"
CATALOG = "Catalog"
OPERATION = "Operation"

TAGS = {
    CUSTOMIZATIONS: "What merchandisers want: pins for a target, laid over what a recommender answers.",
    RECOMMENDATIONS: "What a shop's pages ask for. Public, so that browsers may ask.",
    CATALOG: "The items that can be recommended, with everything that criteria look at.",
    OPERATION: "For operators and their machines. Public; shield these from the internet as you see fit.",
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="post",
        path=f"{BASE}/scope",
        id="createCustomization",
        tag=CUSTOMIZATIONS,
        summary="Create a customization",
        description="Stores a customization and returns it. It is in force for the very next recommendation.",
        signed="yes",
        parameters=(shapes.TRACKER_ID, shapes.IDEMPOTENCY_KEY),
        body=Body(schema=ref("CustomizationInput"), examples=INPUTS),
        answers=(
            Answer(
                status=201,
                description="Created.",
                content={JSON: ref("Customization")},
                examples={"created": STORED},
                headers=("ETag", "Endcap-Revision", "Location"),
                links=LINKS,
            ),
        ),
        refusals=(*BODY, *TRACKED, *FAULTY, IdempotencyConflict()),
        call='-H "Idempotency-Key: $(openssl rand -hex 16)"',
    ),
    Operation(
        method="get",
        path=ONE,
        id="getCustomization",
        tag=CUSTOMIZATIONS,
        summary="Get a customization",
        description="Returns one customization, with what the catalog knows of its target.",
        signed="yes",
        parameters=(
            shapes.TRACKER_ID,
            shapes.CUSTOMIZATION_ID,
            shapes.IF_NONE_MATCH,
            shapes.SEEN_REVISION,
        ),
        answers=(
            Answer(
                status=200,
                description="The customization.",
                content={JSON: ref("Customization")},
                examples={"found": STORED},
                headers=("ETag", "Endcap-Revision"),
            ),
            Answer(
                status=304,
                description="It is still what `If-None-Match` names. No body.",
                headers=("ETag", "Endcap-Revision"),
            ),
        ),
        refusals=(*TRACKED, *SEEN, CustomizationNotFound()),
    ),
    Operation(
        method="put",
        path=ONE,
        id="replaceCustomization",
        tag=CUSTOMIZATIONS,
        summary="Update a customization",
        description="Replaces the whole customization but `id`, `created_at` and `creator`: a field that is left "
        "out is gone. To change one field, get, change and put back, with the `ETag` as `If-Match`.",
        signed="yes",
        parameters=(shapes.TRACKER_ID, shapes.CUSTOMIZATION_ID, shapes.IF_MATCH),
        body=Body(schema=ref("CustomizationInput"), examples=INPUTS),
        answers=(
            Answer(
                status=204, description="Replaced. No body.", headers=("ETag", "Endcap-Revision")
            ),
        ),
        refusals=(*BODY, *TRACKED, CustomizationNotFound(), RevisionConflict(), *FAULTY),
    ),
    Operation(
        method="delete",
        path=ONE,
        id="deleteCustomization",
        tag=CUSTOMIZATIONS,
        summary="Delete a customization",
        description="Removes a customization; the next recommendation goes without it.",
        signed="yes",
        parameters=(shapes.TRACKER_ID, shapes.CUSTOMIZATION_ID, shapes.IF_MATCH),
        answers=(
            Answer(status=204, description="Deleted. No body.", headers=("Endcap-Revision",)),
        ),
        refusals=(*TRACKED, CustomizationNotFound(), RevisionConflict()),
    ),
    Operation(
        method="post",
        path=f"{BASE}/scopes",
        id="listCustomizations",
        tag=CUSTOMIZATIONS,
        summary="List customizations",
        description="One page of customizations, newest first unless told. Query parameters select; rules in the body "
        "narrow further, over the customizations' own attributes, with dotted paths into `target_criteria`, "
        "`target_metadata` and `pin_definitions` (any pin).",
        signed="yes",
        parameters=(shapes.TRACKER_ID, *shapes.LIST_PARAMETERS, shapes.SEEN_REVISION),
        body=Body(
            schema=ref("ListBody"),
            examples={
                "everything": {},
                "rules": {
                    "criteria": [
                        {
                            "field": "pin_definitions.pin_identity",
                            "operator": "=",
                            "value": "/p/555",
                        },
                        {"field": "available", "operator": "=", "value": True},
                    ]
                },
            },
            required=False,
        ),
        answers=(
            Answer(
                status=200,
                description="The page, and how many match on all pages.",
                content={JSON: ref("CustomizationPage")},
                examples={"page": {"pagination": {"total": 1}, "results": [STORED]}},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(
            *BODY,
            BAD_QUERY,
            *TRACKED,
            *SEEN,
            FaultyFields(
                "Invalid list parameters provided",
                {
                    "limit": ["Must be a whole number, 0 or more"],
                    "criteria": ["Unknown field: colour"],
                },
            ),
        ),
        call="?model=basket&limit=25",
    ),
    Operation(
        method="post",
        path=f"{BASE}/scopes/export",
        id="exportCustomizations",
        tag=CUSTOMIZATIONS,
        summary="Export customizations",
        description="Every matching customization as GET gives it, oldest first, streamed. The `Accept` header chooses "
        f"among a JSON array, JSON Lines (`application/x-ndjson`) and CSV (`text/csv`, one row a pin: "
        f"{', '.join(CSV_COLUMNS)}). A body is not looked at. A customization whose pins were all left out stays, "
        "with `[]`.",
        signed="yes",
        parameters=(shapes.TRACKER_ID, *shapes.EXPORT_PARAMETERS, shapes.SEEN_REVISION),
        answers=(
            Answer(
                status=200,
                description="All of them.",
                content={
                    JSON: {"type": "array", "items": ref("Customization")},
                    "application/x-ndjson": {"type": "string"},
                    "text/csv": {"type": "string"},
                },
                examples={"export": [STORED]},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(
            BAD_QUERY,
            *TRACKED,
            *SEEN,
            TOO_LARGE,
            UnsupportedMediaType(
                "The body's Content-Encoding must be gzip, deflate or none",
                {"content_encoding": ["Cannot be br"]},
            ),
            FaultyFields(
                "Invalid export parameters provided",
                {"remove_expired_pins": ["Must be true, false, 1 or 0"]},
            ),
        ),
        call='?remove_expired_pins=true -H "Accept: application/x-ndjson"',
    ),
    Operation(
        method="get",
        path=f"{BASE}/summary",
        id="getSummary",
        tag=CUSTOMIZATIONS,
        summary="Count customizations",
        description="How many customizations each recommender has, and every tag in use.",
        signed="yes",
        parameters=(shapes.TRACKER_ID, shapes.SEEN_REVISION),
        answers=(
            Answer(
                status=200,
                description="The counts and tags.",
                content={JSON: ref("Summary")},
                examples={
                    "summary": {
                        "scope_counts": {"basket": 2, "item_detail_complements": 1},
                        "user_tags": ["guitars", "spring"],
                    }
                },
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(*TRACKED, *SEEN),
    ),
    Operation(
        method="post",
        path="/v1/recommend",
        id="recommend",
        tag=RECOMMENDATIONS,
        summary="Recommend",
        description=f"Answers up to {OBJECTS_MAX} wishes of one page, in order. Nothing is shown twice on a page, "
        "and nothing in an answer tells a pin from the ranking: ask for an explanation to see why every item is where "
        "it is.",
        signed="for an explanation",
        parameters=shapes.RECOMMEND_PARAMETERS,
        body=Body(schema=shapes.RECOMMEND_BODY, examples={"one": [WISH]}),
        answers=(
            Answer(
                status=200,
                description="One object for each wish, in the same order.",
                content={JSON: {"type": "array", "items": ref("RecommendAnswer")}},
                examples={"answer": [GIVEN], "explained": [EXPLAINED]},
                headers=(
                    "Endcap-Revision",
                    "Access-Control-Allow-Origin",
                    "Access-Control-Expose-Headers",
                ),
            ),
        ),
        refusals=(
            MalformedBody(details={"body": ["Must be a JSON array of request objects"]}),
            TOO_LARGE,
            NOT_JSON_TYPE,
            BAD_QUERY,
            *UNSIGNED,
            *ALWAYS,
            *SEEN,
            TrackerNotFound(),
            RecommenderNotFound(
                details={"recommendation_type": ["Unknown recommender: no_such_model"]}
            ),
            FaultyFields(
                "Invalid recommendation request",
                {"recommendation_type": ["Missing required field: recommendation_type (object 1)"]},
            ),
        ),
        call=f"?tracker_id={TRACKER}",
    ),
    Operation(
        method="options",
        path="/v1/recommend",
        id="preflightRecommend",
        tag=RECOMMENDATIONS,
        summary="Ask whether a browser may ask",
        description="The browser's preflight of a recommendation from a page of another origin.",
        answers=(
            Answer(
                status=204,
                description="It may. No body.",
                headers=(
                    "Access-Control-Allow-Origin",
                    "Access-Control-Allow-Methods",
                    "Access-Control-Allow-Headers",
                    "Access-Control-Max-Age",
                ),
            ),
        ),
        call="-i",
    ),
    Operation(
        method="post",
        path="/v1/content",
        id="putObjects",
        tag=CATALOG,
        summary="Store objects",
        description="Stores objects, each replaced whole. Of two with one identity the later wins. Send large batches "
        "with `Content-Encoding: gzip`: 5 MB as sent, 10 MB inflated, unless set otherwise.",
        signed="yes",
        body=Body(
            schema=shapes.objects("CatalogObject"), examples={"two": {"objects": [GUITAR, STRAP]}}
        ),
        answers=(CATALOG_STORED, CATALOG_FAULTS),
        refusals=CATALOG_REFUSALS,
    ),
    Operation(
        method="patch",
        path="/v1/content",
        id="patchObjects",
        tag=CATALOG,
        summary="Change objects",
        description="Merges `fields` by name into stored objects; the other members are replaced whole. An identity "
        f"that is not in the catalog is an error. At most {PATCH_OBJECTS_MAX} objects a request.",
        signed="yes",
        body=Body(
            schema=shapes.PATCH_OBJECTS,
            examples={
                "price": {"objects": [{"identity": "/p/555", "fields": {"price": "29,00 €"}}]}
            },
        ),
        answers=(CATALOG_STORED, CATALOG_FAULTS),
        refusals=CATALOG_REFUSALS,
    ),
    Operation(
        method="delete",
        path="/v1/content",
        id="removeObjects",
        tag=CATALOG,
        summary="Remove objects",
        description="Removes objects by identity and type. Pins of them stay and sleep until they are back.",
        signed="yes",
        body=Body(
            schema=shapes.objects("CatalogRemoval"),
            examples={"strap": {"objects": [{"identity": "/p/555", "type": "item"}]}},
        ),
        answers=(CATALOG_STORED, CATALOG_FAULTS),
        refusals=CATALOG_REFUSALS,
    ),
    Operation(
        method="get",
        path="/healthz",
        id="getHealth",
        tag=OPERATION,
        summary="Is it alive?",
        description="This process answers.",
        answers=(
            Answer(
                status=200,
                description="Yes.",
                content={JSON: ref("Health")},
                examples={"alive": {"status": "ok"}},
            ),
        ),
    ),
    Operation(
        method="get",
        path="/readyz",
        id="getReadiness",
        tag=OPERATION,
        summary="Is it ready?",
        description="This process has every tracker in memory, each at the revision told.",
        answers=(
            Answer(
                status=200,
                description="Yes.",
                content={JSON: ref("Readiness")},
                examples={"ready": {"status": "ready", "revisions": {TRACKER: 1042}}},
            ),
            Answer(
                status=503,
                description="Not yet.",
                content={JSON: ref("Readiness")},
                examples={"loading": {"status": "loading"}},
                headers=("Retry-After",),
            ),
        ),
    ),
    Operation(
        method="get",
        path="/metrics",
        id="getMetrics",
        tag=OPERATION,
        summary="Read metrics",
        description="Counters and gauges of the worker that took the request, for Prometheus.",
        answers=(
            Answer(
                status=200,
                description="Metrics in the text format.",
                content={"text/plain": {"type": "string"}},
            ),
        ),
    ),
    Operation(
        method="get",
        path="/openapi.json",
        id="getOpenapi",
        tag=OPERATION,
        summary="Read this description",
        description="OpenAPI 3.1, for generators and test tools.",
        parameters=(shapes.IF_NONE_MATCH,),
        answers=(
            Answer(
                status=200,
                description="This document.",
                content={JSON: {"type": "object"}},
                headers=("ETag",),
            ),
            Answer(
                status=304,
                description="It is still what `If-None-Match` names. No body.",
                headers=("ETag",),
            ),
        ),
    ),
    Operation(
        method="get",
        path="/docs",
        id="getDocs",
        tag=OPERATION,
        summary="Read this page",
        description="The same for people: one page, without scripts and without requests to anywhere.",
        parameters=(shapes.IF_NONE_MATCH,),
        answers=(
            Answer(
                status=200,
                description="The page.",
                content={"text/html": {"type": "string"}},
                headers=("ETag",),
            ),
            Answer(
                status=304,
                description="It is still what `If-None-Match` names. No body.",
                headers=("ETag",),
            ),
        ),
    ),
)

SIGNING_SHELL = cleandoc(
    r"""
    host="http://127.0.0.1:8000"
    tracker_id="1234-5678"
    private_key="your_private_api_key"
    content_type="application/json; charset=utf-8"

    # signed METHOD PATH [options of curl]
    signed() {
      method=$1 target=$2; shift 2
      date=$(LC_ALL=C date -u "+%a, %d %b %Y %H:%M:%S GMT")
      signature=$(printf '%s\n%s\n%s\n%s' "$method" "$content_type" "$date" "${target%%\?*}" |
        openssl dgst -sha256 -hmac "$private_key" -binary | base64)
      curl -sS -X "$method" "$host$target" \
        -H "Content-Type: $content_type" -H "Date: $date" \
        -H "Authorization: ApiAuth $tracker_id:$signature" "$@"
    }
    """
)

DESCRIPTION = (
    cleandoc(
        """
        Endcap answers the HTTP API of Luigi's Box for recommendations and their customization on your own machine:
        a client moves over by changing its base URL.

        ## Signing

        Signed operations want three headers: `Authorization`, `Date` and `Content-Type`. The signature is

        ```
        base64(HMAC-SHA256(private key, METHOD "\\n" Content-Type "\\n" Date "\\n" path))
        ```

        - `Authorization: ApiAuth <tracker id>:<signature>`. The first word may be any.
        - `Content-Type` is signed byte for byte as it is sent, with GET and DELETE too; a header that is not sent
          counts as the empty text, multipart counts without its boundary.
        - `Date` is the time of the request, e.g. `Mon, 20 Jan 2025 12:00:00 GMT`. It may be 5 seconds off the
          server's clock, unless set otherwise (up to 300).
        - The path is signed as it is sent, without the query. The body is not signed.

        A refusal says which check failed: a missing header, an unreadable date, a clock that is off (with the
        server's time), an unknown key, or a signature that does not match (with the text that the server signed).
        In a shell:

        ```sh
        %(signing)s
        ```

        Public operations ignore a signature. For one with an explanation it is needed.

        ## Refusals

        Customizations and recommendations refuse in one shape, and name every faulty field at once:

        ```
        {"reason": "…", "exception_details": {field: [message, …]}}
        ```

        The catalog answers a batch in which something failed with `400` in its own; the rest was stored:

        ```
        {"ok_count": n, "errors_count": n, "errors": {identity: {"type", "reason", "caused_by"}}}
        ```

        An unknown path is `404`, a method that a path does not have `405` with `Allow`. Every answer has an
        `X-Request-Id`, by which the server's log knows it.

        ## Concurrent changes and repeats

        - A customization comes with an `ETag`. Sent back as `If-Match` with an update or a deletion, it keeps you from
          undoing someone else's change (`412`); as `If-None-Match` with a GET, it saves the body (`304`).
        - `Idempotency-Key` makes a creation safe to repeat for %(hours)d hours.
        - `Endcap-Revision` counts the writes of a tracker: what a write answers, what a customization was last written
          at, and what every other answer shows. Sent back with a read, it keeps you from being shown an older state
          by another worker or host: it waits until it is there (2 s at most, then `503`).

        ## Bodies

        JSON in UTF-8, plain or with `Content-Encoding: gzip` or `deflate`. A `Content-Type` that is not JSON is `415`;
        a body over its bound is `413`, inflated or not. Where there is a GET there is a HEAD.
        """
    )
    .replace("%(signing)s", SIGNING_SHELL)
    .replace("%(hours)d", str(IDEMPOTENCY_HOURS))
)


def document() -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Endcap",
            "version": __version__,
            "summary": "Recommendations customization on your own machine.",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that this description comes from"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": shapes.schemas(),
            "responses": _shared_responses(),
            "headers": _HEADERS,
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def document_json() -> str:
    """As it is checked in: the same bytes for the same description."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> None:
    (folder / "openapi.json").write_text(document_json(), encoding="utf-8")
    (folder / "docs.html").write_text(page(document()), encoding="utf-8")


_SECURITY_SCHEMES: dict[str, Schema] = {
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`ApiAuth <tracker id>:<signature>` over method, `Content-Type`, `Date` and path; see Signing.",
    },
    "date": {
        "type": "apiKey",
        "in": "header",
        "name": "Date",
        "description": "The signed time of the request, e.g. `Mon, 20 Jan 2025 12:00:00 GMT`.",
    },
}
_SECURITY: dict[str, list[Schema]] = {
    "yes": [{"signature": [], "date": []}],
    "no": [],
    "for an explanation": [{}, {"signature": [], "date": []}],
}
_HEADERS: dict[str, Schema] = {
    "ETag": {
        "description": "Names this state of the answer; for `If-Match` and `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[^"]+"$', "examples": ['"1042-9f3c01aa"']},
    },
    "Endcap-Revision": {
        "description": "The tracker's revision: after this write, at the last write of this customization, or shown.",
        "schema": {"type": "integer", "minimum": 0, "examples": [1042]},
    },
    "Location": {
        "description": "The path of what was created.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before asking again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "X-Request-Id": {
        "description": "By which the server's log knows the request.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Access-Control-Allow-Origin": {
        "description": "Whose pages may ask; `*` unless set otherwise.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Access-Control-Allow-Methods": {
        "description": "`POST, OPTIONS`.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Access-Control-Allow-Headers": {
        "description": "What was asked for.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Access-Control-Expose-Headers": {
        "description": "`Endcap-Revision`: what a page of another origin may read.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Access-Control-Max-Age": {
        "description": "Seconds for which a browser need not ask again.",
        "required": True,
        "schema": {"type": "integer"},
    },
}


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "security": _SECURITY[operation.signed],
    }
    if operation.parameters:
        described["parameters"] = list(operation.parameters)
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body.required,
            "content": {JSON: _media(operation.body.schema, operation.body.examples)},
        }
    described["responses"] = _responses(operation)
    described["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": _call(operation)}]
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    public = operation.path == "/v1/recommend"
    answers = {str(each.status): _answer(each) for each in operation.answers}
    refusals: dict[int, list[Problem]] = {}
    for problem in operation.refusals:
        refusals.setdefault(status_of(problem), []).append(problem)
    for status, problems in refusals.items():
        if status in _SHARED and not public:
            answers[str(status)] = {"$ref": f"#/components/responses/{_SHARED[status][0]}"}
        else:
            answers[str(status)] = _refusal(problems, public=public)
    if operation.refusals:
        answers[str(INTERNAL)] = (
            _internal(public=True) if public else {"$ref": "#/components/responses/Internal"}
        )
    return dict(sorted(answers.items()))


_SHARED: dict[int, tuple[str, Sequence[Problem]]] = {
    401: ("Unauthenticated", UNSIGNED),
    429: ("TooManyRequests", (TooManyRequests(1),)),
    503: ("StoreUnavailable", (StoreUnavailable(), StillLoading(), BEHIND)),
}


def _shared_responses() -> dict[str, Any]:
    """What signed operations have in common, said once."""
    refusals = {name: _refusal(problems, public=False) for name, problems in _SHARED.values()}
    return {**refusals, "Internal": _internal(public=False)}


def _internal(*, public: bool) -> dict[str, Any]:
    return _answered(
        "A mistake of the server. Its log knows more, under the same id.",
        {JSON: _media(ref("Problem"), {"internal": json.loads(internal_json("a1f09c3-2b"))})},
        ("Access-Control-Allow-Origin",) if public else (),
    )


def _answer(answer: Answer) -> dict[str, Any]:
    content = {
        kind: _media(schema, answer.examples if kind == JSON else {})
        for kind, schema in answer.content.items()
    }
    described = _answered(answer.description, content, answer.headers)
    if answer.links:
        described["links"] = dict(answer.links)
    return described


def _refusal(problems: Sequence[Problem], *, public: bool) -> dict[str, Any]:
    reasons = dict.fromkeys(problem.reason for problem in problems)
    codes = [problem.code for problem in problems]
    examples = {
        problem.code if codes.count(problem.code) == 1 else f"{problem.code}_{number}": json.loads(
            problem_json(problem)
        )
        for number, problem in enumerate(problems, 1)
    }
    headers = (
        ("Retry-After",) if isinstance(problems[0], TooManyRequests | StoreUnavailable) else ()
    )
    return _answered(
        "; ".join(f"`{reason}`" for reason in reasons),
        {JSON: _media(ref("Problem"), examples)},
        (*headers, *(("Access-Control-Allow-Origin",) if public else ())),
    )


def _answered(description: str, content: Schema, headers: Sequence[str]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": description,
        "headers": {
            name: {"$ref": f"#/components/headers/{name}"} for name in (*headers, "X-Request-Id")
        },
    }
    if content:
        described["content"] = content
    return described


def _media(schema: Schema, examples: Mapping[str, Any]) -> Schema:
    media: Schema = {"schema": schema}
    if examples:
        media["examples"] = {name: {"value": value} for name, value in examples.items()}
    return media


def _call(operation: Operation) -> str:
    """The shell example: `signed` as the description defines it, or plain curl."""
    query, _, options = operation.call.partition(" ")
    if not query.startswith("?"):
        query, options = "", operation.call
    method = operation.method.upper()
    target = operation.path.replace("{tracker_id}", "$tracker_id") + query.replace(
        TRACKER, "$tracker_id"
    )
    target = target.replace("{customization_id}", "$customization_id")
    lines = [
        f'signed {method} "{target}"'
        if operation.signed == "yes"
        else f'curl -sS -X {method} "$host{target}"'
    ]
    if options:
        lines.append(options)
    if operation.body is not None:
        if operation.signed != "yes":
            lines.append("-H 'Content-Type: application/json'")
        example = next(iter(operation.body.examples.values()))
        lines.append(f"-d '{json.dumps(example, indent=2, ensure_ascii=False)}'")
    before = f'customization_id="{CUSTOMIZATION}"\n' if "$customization_id" in target else ""
    return before + " \\\n  ".join(lines)


if __name__ == "__main__":
    write()

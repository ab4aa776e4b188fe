"""
The API as a table: every operation with its parameters, examples, answers and refusals.

What a refusal looks like is never written down here: the example is what the server answers for that very problem.
Tests hold the table to the routes that are mounted, and its examples to its shapes.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from endcap.api import openapi_parameters as parameters
from endcap.api import openapi_schemas as shapes
from endcap.api.openapi_examples import (
    CONTENT_PAGE,
    EXPLAINED,
    GIVEN,
    GIVEN_V2,
    GUITAR,
    INPUTS,
    PLACED,
    RANKED_WISH,
    SCORED_WISH,
    STORED,
    STRAP,
    WISH,
    WISH_V2,
)
from endcap.api.openapi_schemas import TRACKER, Schema, ref
from endcap.domain import ItemId
from endcap.errors import (
    BodyTooLarge,
    CatalogFault,
    CustomizationNotFound,
    FaultyFields,
    FaultyPins,
    IdempotencyConflict,
    JobNotFound,
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
from endcap.store.states import JOB_DAYS
from endcap.wire.catalog import PATCH_OBJECTS_MAX, malformed
from endcap.wire.catalog_export import CURSOR_HOURS
from endcap.wire.catalog_export import PATH as CONTENT_EXPORT
from endcap.wire.customizations import CSV_COLUMNS
from endcap.wire.problems import catalog_json, committed_json
from endcap.wire.recommending import OBJECTS_MAX
from endcap.wire.updates import Progress, progress_json, started_json

BASE = "/v1/recommender/pin/{tracker_id}"
ONE = BASE + "/scope/{customization_id}"
JSON = "application/json"


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
    media: str = JSON


class Operation(Struct, frozen=True, kw_only=True):
    """
    One row of the table. `call` is what the shell example asks for: query string and options of curl; `shell` is the
    whole example where that does not do.
    """

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
    shell: str = ""


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
GENERATION_EMPTY = CatalogFault(
    "not_found",
    "No item is of the generation 2025-01-20: nothing was removed",
    {"generation": ["has no objects of this type"]},
)
UPDATED = Progress(TRACKER, "complete", 5, 0, {}, 120, "")
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
PAST = "History and drafts"
RECOMMENDATIONS = "Recommendations"
MODELS = "Models"
CATALOG = "Catalog"
EVENTS = "Events"
OPERATION = "Operation"

TAGS = {
    CUSTOMIZATIONS: "What merchandisers want: pins for a target, laid over what a recommender answers.",
    PAST: "What customizations were, having it back, and what they may become. Paths of this server's own.",
    RECOMMENDATIONS: "What a shop's pages ask for. Public, so that browsers may ask.",
    MODELS: "What each recommender does: strategy, settings, fallback. The reference names work without any of it.",
    CATALOG: "The items that can be recommended, with everything that criteria look at.",
    EVENTS: "What shoppers do, and what they bought in the past: recommenders learn from it.",
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
        parameters=(parameters.TRACKER_ID, parameters.IDEMPOTENCY_KEY),
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
            parameters.TRACKER_ID,
            parameters.CUSTOMIZATION_ID,
            parameters.IF_NONE_MATCH,
            parameters.SEEN_REVISION,
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
        parameters=(parameters.TRACKER_ID, parameters.CUSTOMIZATION_ID, parameters.IF_MATCH),
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
        parameters=(parameters.TRACKER_ID, parameters.CUSTOMIZATION_ID, parameters.IF_MATCH),
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
        parameters=(parameters.TRACKER_ID, *parameters.LIST_PARAMETERS, parameters.SEEN_REVISION),
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
        parameters=(parameters.TRACKER_ID, *parameters.EXPORT_PARAMETERS, parameters.SEEN_REVISION),
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
        parameters=(parameters.TRACKER_ID, parameters.SEEN_REVISION),
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
        parameters=parameters.RECOMMEND_PARAMETERS,
        body=Body(schema=parameters.RECOMMEND_BODY, examples={"one": [WISH]}),
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
        path="/v2/recommend",
        id="recommendV2",
        tag=RECOMMENDATIONS,
        summary="Recommend, in the words of v2",
        description="Experimental. As `POST /v1/recommend`, under the names that customizations use with `identity` "
        "in every hit.",
        signed="for an explanation",
        parameters=parameters.RECOMMEND_PARAMETERS,
        body=Body(schema=parameters.RECOMMEND_BODY_V2, examples={"one": [WISH_V2]}),
        answers=(
            Answer(
                status=200,
                description="One object for each wish, in the same order.",
                content={JSON: {"type": "array", "items": ref("RecommendAnswerV2")}},
                examples={"answer": [GIVEN_V2]},
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
            RecommenderNotFound(details={"model": ["Unknown recommender: no_such_model"]}),
            FaultyFields(
                "Invalid recommendation request",
                {"widget_id": ["Missing required field: widget_id (object 1)"]},
            ),
        ),
        call=f"?tracker_id={TRACKER}",
    ),
    Operation(
        method="options",
        path="/v2/recommend",
        id="preflightRecommendV2",
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
        path="/api/place",
        id="place",
        tag=RECOMMENDATIONS,
        summary="Place a ranking of your own",
        description=f"For a shop that has a recommender already. Takes your ranking, or up to {OBJECTS_MAX} for one "
        "page, and answers it with the customizations applied, each pin and item explained. What is not in the catalog "
        "is told, and not shown. Always an array, for one object as well.",
        signed="yes",
        parameters=parameters.PLACE_PARAMETERS,
        body=Body(
            schema=parameters.PLACE_BODY, examples={"one": RANKED_WISH, "page": [SCORED_WISH]}
        ),
        answers=(
            Answer(
                status=200,
                description="One object for each ranking, in the same order.",
                content={JSON: {"type": "array", "items": ref("PlacementAnswer")}},
                examples={"placed": [PLACED]},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(
            MalformedBody(
                details={"body": ["Must be a JSON object with a ranking, or an array of them"]}
            ),
            TOO_LARGE,
            NOT_JSON_TYPE,
            BAD_QUERY,
            *TRACKED,
            *SEEN,
            FaultyFields(
                "Invalid placement request",
                {"ranking": ["Either all have a score or none (object 0)"]},
            ),
        ),
        call=f"?tracker_id={TRACKER}",
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
            schema=parameters.PATCH_OBJECTS,
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
        method="delete",
        path="/v1/content/delete",
        id="removeObjectsByPath",
        tag=CATALOG,
        summary="Remove objects, the other way",
        description="The same as `DELETE /v1/content`, where a client in production looks for it.",
        signed="yes",
        body=Body(
            schema=shapes.objects("CatalogRemoval"),
            examples={"guitar": {"objects": [{"url": "/p/123", "type": "item"}]}},
        ),
        answers=(CATALOG_STORED, CATALOG_FAULTS),
        refusals=CATALOG_REFUSALS,
    ),
    Operation(
        method="post",
        path="/v1/content/commit",
        id="commitGeneration",
        tag=CATALOG,
        summary="Commit a generation",
        description="Ends an upload of everything: removes the objects of a type that are of another generation, or of "
        "none. Types are committed one by one, those of nested objects as well. A generation without objects of the "
        "type is refused, and nothing is removed.",
        signed="yes",
        parameters=parameters.COMMIT_PARAMETERS,
        answers=(
            Answer(
                status=200,
                description="Done, in one transaction.",
                content={JSON: ref("CatalogCommitted")},
                examples={"done": json.loads(committed_json(99, removed=3))},
                headers=("Endcap-Revision",),
            ),
            Answer(
                status=400,
                description="Nothing was removed.",
                content={JSON: ref("CatalogAnswer")},
                examples={
                    "empty": json.loads(catalog_json(0, {"generation": GENERATION_EMPTY})),
                },
            ),
        ),
        refusals=SIGNED,
        call="?type=item&generation=2025-01-20",
    ),
    Operation(
        method="patch",
        path="/v1/update_by_query",
        id="updateByQuery",
        tag=CATALOG,
        summary="Update by query",
        description="Has fields set in all objects that match, in the background, and says where to ask how that goes "
        "on. The job survives the process that began it; jobs of a tracker are done in the order they came.",
        signed="yes",
        body=Body(
            schema=ref("CatalogUpdate"),
            examples={
                "color": {
                    "search": {"types": ["item"], "partial": {"fields": {"color": "olive"}}},
                    "update": {"fields": {"color": "green"}},
                }
            },
        ),
        answers=(
            Answer(
                status=200,
                description="The job is kept.",
                content={JSON: ref("CatalogUpdateStarted")},
                examples={"started": json.loads(started_json(12345))},
            ),
            Answer(
                status=400,
                description="Nothing will be updated.",
                content={JSON: ref("CatalogAnswer")},
                examples={
                    "faulty": json.loads(
                        catalog_json(
                            0,
                            {
                                "body": malformed(
                                    {"update.fields": ["must name at least one field"]}
                                )
                            },
                        )
                    )
                },
            ),
        ),
        refusals=CATALOG_REFUSALS,
    ),
    Operation(
        method="get",
        path="/v1/update_by_query",
        id="getUpdateProgress",
        tag=CATALOG,
        summary="Ask for an update by query",
        description=f"How a job goes on; how it ended, for {JOB_DAYS} days.",
        signed="yes",
        parameters=(parameters.JOB_ID,),
        answers=(
            Answer(
                status=200,
                description="The job.",
                content={JSON: ref("CatalogUpdateProgress")},
                examples={"complete": json.loads(progress_json(UPDATED))},
            ),
            Answer(
                status=400,
                description="No job is named.",
                content={JSON: ref("CatalogAnswer")},
                examples={
                    "unnamed": json.loads(
                        catalog_json(0, {"query": malformed({"job_id": ["must be given"]})})
                    )
                },
            ),
            Answer(
                status=404,
                description="There is no such job, or it was forgotten.",
                content={JSON: ref("CatalogAnswer")},
                examples={
                    "unknown": json.loads(
                        catalog_json(0, {"job_id": CatalogFault("not_found", JobNotFound().reason)})
                    )
                },
            ),
        ),
        refusals=SIGNED,
        call="?job_id=12345",
    ),
    Operation(
        method="get",
        path=CONTENT_EXPORT,
        id="exportObjects",
        tag=CATALOG,
        summary="Export the catalog",
        description="One page of all objects, in no order that means anything. Follow the link `next` as it is given "
        f"until there is none; it is good for {CURSOR_HOURS} hours. An object that stays in the catalog meanwhile "
        "comes exactly once, whatever else is written. Hidden attributes (leading `_`) are never given.",
        signed="yes",
        parameters=parameters.CONTENT_EXPORT_PARAMETERS,
        answers=(
            Answer(
                status=200,
                description="The page.",
                content={JSON: ref("ContentPage")},
                examples={"first": CONTENT_PAGE},
                headers=("Endcap-Revision",),
            ),
        ),
        refusals=(
            *SIGNED,
            BAD_QUERY,
            FaultyFields(
                "Invalid content export parameters provided",
                {"cursor": [f"Is older than {CURSOR_HOURS} hours: begin again without a cursor"]},
            ),
        ),
        call="?size=500&requested_types=item",
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
        parameters=(parameters.IF_NONE_MATCH,),
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
        parameters=(parameters.IF_NONE_MATCH,),
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

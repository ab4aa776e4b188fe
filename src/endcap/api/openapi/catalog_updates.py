"""
Updates by query in the API's description: jobs that change many objects of the catalog, and how they go on.
"""

import json

from endcap.api.openapi.catalog import MARKER, REFUSALS, TYPE
from endcap.api.openapi.parameters import TRACKER, query
from endcap.api.openapi.refusals import SIGNED
from endcap.api.openapi.schema import COUNT, Schema, described, ref
from endcap.api.openapi.table import CATALOG, JSON, Answer, Body, Operation
from endcap.errors import CatalogFault, JobNotFound
from endcap.store.states import JOB_DAYS, JOB_FAULTS_MAX
from endcap.wire.catalog import malformed
from endcap.wire.problems import catalog_json
from endcap.wire.updates import FIELDS_MAX, TYPES_MAX, Progress, progress_json, started_json

_JOB_ID: Schema = {
    **query("job_id", MARKER, "The number in the `status_url`."),
    "required": True,
    "example": "12345",
}
_UPDATED = Progress(TRACKER, "complete", 5, 0, {}, 120, "")

OPERATIONS = (
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
        refusals=REFUSALS,
    ),
    Operation(
        method="get",
        path="/v1/update_by_query",
        id="getUpdateProgress",
        tag=CATALOG,
        summary="Ask for an update by query",
        description=f"How a job goes on; how it ended, for {JOB_DAYS} days.",
        signed="yes",
        parameters=(_JOB_ID,),
        answers=(
            Answer(
                status=200,
                description="The job.",
                content={JSON: ref("CatalogUpdateProgress")},
                examples={"complete": json.loads(progress_json(_UPDATED))},
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
)


def shapes() -> dict[str, Schema]:
    return {
        "CatalogUpdate": _update(),
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
    }


def _update() -> Schema:
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
                        "items": TYPE,
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


def _progress() -> Schema:
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
            "updates_count": described(COUNT, "Objects updated so far."),
            "failures_count": described(COUNT, "Objects that could not be updated."),
            "failures": {
                "type": "object",
                "additionalProperties": ref("CatalogFault"),
                "description": f"What was wrong, by identity, of the first {JOB_FAULTS_MAX}.",
            },
            "checked_count": described(COUNT, "Objects of the types that were looked at so far."),
            "reason": {"type": "string", "description": "Why the job failed as a whole."},
        },
    }

"""
What operators and their machines ask, in the API's description.
"""

from endcap.api.openapi.parameters import IF_NONE_MATCH, TRACKER
from endcap.api.openapi.schema import COUNT, Schema, ref
from endcap.api.openapi.table import JSON, OPERATION, Answer, Operation, unchanged

OPERATIONS = (
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
        parameters=(IF_NONE_MATCH,),
        answers=(
            Answer(
                status=200,
                description="This document.",
                content={JSON: {"type": "object"}},
                headers=("ETag",),
            ),
            unchanged(),
        ),
    ),
    Operation(
        method="get",
        path="/docs",
        id="getDocs",
        tag=OPERATION,
        summary="Read this page",
        description="The same for people: one page, without scripts and without requests to anywhere.",
        parameters=(IF_NONE_MATCH,),
        answers=(
            Answer(
                status=200,
                description="The page.",
                content={"text/html": {"type": "string"}},
                headers=("ETag",),
            ),
            unchanged(),
        ),
    ),
)


def shapes() -> dict[str, Schema]:
    return {
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
                    "additionalProperties": COUNT,
                    "description": "The revision of each tracker that this process shows.",
                },
            },
        },
    }

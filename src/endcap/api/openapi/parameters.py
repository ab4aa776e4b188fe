"""
Parameters that several subjects share: of the path, the query and the head.
"""

from endcap.api.openapi.schema import REVISION, Schema

TRACKER = "1234-5678"
CUSTOMIZATION = "199620b4-df1a-46e8-ab59-9e9ed9af7106"


def query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def header(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "header", "description": description, "schema": schema}


TRACKER_ID: Schema = {
    "name": "tracker_id",
    "in": "path",
    "required": True,
    "description": "Your tracker.",
    "schema": {"type": "string"},
    "example": TRACKER,
}
CUSTOMIZATION_ID: Schema = {
    "name": "customization_id",
    "in": "path",
    "required": True,
    "description": "The customization's id. What is no UUID names no customization: 404.",
    "schema": {"type": "string", "format": "uuid"},
    "example": CUSTOMIZATION,
}
IF_MATCH = header(
    "If-Match",
    {"type": "string"},
    "The `ETag` that you read: refused with 412 if the customization was written since. `*` for any.",
)
IF_NONE_MATCH = header(
    "If-None-Match",
    {"type": "string"},
    "The `ETag` that you have: answered with 304 while it is current.",
)
SEEN_REVISION = header(
    "Endcap-Revision",
    REVISION,
    "The highest that an answer named: what you are shown is not older. Waits for up to two seconds, then refuses with "
    "503.",
)

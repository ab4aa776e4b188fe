"""
The API's description, put together of what is said of each subject.

`document` is OpenAPI 3.1; `scripts/openapi` writes it, and the page made of it, where the server finds them.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from endcap import __version__
from endcap.api.openapi import (
    catalog,
    catalog_export,
    catalog_updates,
    criteria,
    customizations,
    drafts,
    events,
    history,
    listing,
    models,
    ops,
    pins,
    placing,
    recommending,
    recommending_v2,
    refusals,
)
from endcap.api.openapi.introduction import DESCRIPTION
from endcap.api.openapi.page import page
from endcap.api.openapi.parameters import CUSTOMIZATION, TRACKER
from endcap.api.openapi.refusals import BEHIND, UNSIGNED
from endcap.api.openapi.schema import Schema, ref
from endcap.api.openapi.table import JSON, TAGS, Answer, Operation
from endcap.errors import Problem, StillLoading, StoreUnavailable, TooManyRequests
from endcap.wire.problems import INTERNAL, internal_json, problem_json, status_of

FOLDER = Path(__file__).parents[1]
OPERATIONS: tuple[Operation, ...] = (
    *customizations.OPERATIONS,
    *listing.OPERATIONS,
    *recommending.OPERATIONS,
    *recommending_v2.OPERATIONS,
    *placing.OPERATIONS,
    *catalog.OPERATIONS,
    *catalog_updates.OPERATIONS,
    *catalog_export.OPERATIONS,
    *ops.OPERATIONS,
    *history.OPERATIONS,
    *drafts.OPERATIONS,
    *events.OPERATIONS,
    *models.OPERATIONS,
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
            "schemas": _shapes(),
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


def _shapes() -> dict[str, Schema]:
    """Every component, in the order in which a reader meets them."""
    return {
        **customizations.shapes(),
        **listing.shapes(),
        **pins.shapes(),
        **criteria.shapes(),
        **recommending.shapes(),
        **recommending_v2.shapes(),
        **placing.shapes(),
        **catalog.object_shapes(),
        **catalog_updates.shapes(),
        **catalog.commit_shapes(),
        **catalog_export.shapes(),
        **catalog.answer_shapes(),
        **events.shapes(),
        **history.shapes(),
        **drafts.shapes(),
        **criteria.own_shapes(),
        **refusals.shapes(),
        **ops.shapes(),
        **models.shapes(),
    }


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
            "content": {
                operation.body.media: _media(operation.body.schema, operation.body.examples)
            },
        }
    described["responses"] = _responses(operation)
    described["x-codeSamples"] = [{"lang": "Shell", "label": "curl", "source": _call(operation)}]
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    public = operation.signed != "yes"
    answers = {str(each.status): _answer(each) for each in operation.answers}
    told: dict[int, list[Problem]] = {}
    for problem in operation.refusals:
        told.setdefault(status_of(problem), []).append(problem)
    for status, problems in told.items():
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
    shared = {name: _refusal(problems, public=False) for name, problems in _SHARED.values()}
    return {**shared, "Internal": _internal(public=False)}


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
    if operation.shell:
        return operation.shell
    query, _, options = operation.call.partition(" ")
    if not query.startswith("?"):
        query, options = "", operation.call
    method = operation.method.upper()
    target = operation.path.replace("{tracker_id}", "$tracker_id") + query.replace(
        TRACKER, "$tracker_id"
    )
    target = target.replace("{customization_id}", "$customization_id")
    target = target.replace("{name}", models.NAME["example"])
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

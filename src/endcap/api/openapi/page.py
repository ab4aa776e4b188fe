"""
The page for people, made of the OpenAPI document alone.

One file of plain HTML with its style inside: no script, no font, no picture, no request to anywhere, so that the server
can forbid them all. What is long folds by `<details>`; every operation, section and shape has an anchor.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from endcap.api.openapi.page_frame import FRAME, STYLE

Schema = Mapping[str, Any]
EACH_SHAPE = "Each shape"  # folded in the contents: there are many


def page(document: Mapping[str, Any]) -> str:
    """The whole page."""
    info = document["info"]
    introduction = markdown(info["description"])
    contents = _contents(document)
    return FRAME.format(
        style=STYLE,
        title=f"{escape(info['title'])} API",
        version=escape(info["version"]),
        summary=escape(info["summary"]),
        contents=contents,
        introduction=introduction,
        shared=_shared_answers(document),
        shared_anchor=_anchor("shared-answers"),
        shapes_anchor=_anchor("shapes"),
        operations="\n".join(_tag(tag, document) for tag in document["tags"]),
        shapes="\n".join(
            _shape(name, schema) for name, schema in document["components"]["schemas"].items()
        ),
    )


# Markdown, as far as descriptions use it


def markdown(text: str) -> str:
    """Paragraphs, lists, headings of the second level, fenced blocks."""
    return "\n".join(_block(kind, lines) for kind, lines in _blocks(text))


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    kind, lines = "", list[str]()
    for line in text.splitlines():
        if kind == "fence":
            if line.startswith("```"):
                yield kind, lines
                kind, lines = "", []
            else:
                lines.append(line)
            continue
        starts = next((mark for mark in ("```", "## ", "- ") if line.startswith(mark)), "")
        if lines and (not line.strip() or starts) and kind != starts.replace("- ", "list"):
            yield kind, lines
            kind, lines = "", []
        if starts == "```":
            kind, lines = "fence", []
        elif starts == "## ":
            yield "heading", [line[3:]]
        elif starts == "- ":
            kind = "list"
            lines.append(line[2:])
        elif line.strip():
            if kind == "list":
                lines[-1] += " " + line.strip()
            else:
                kind = "paragraph"
                lines.append(line)
    if lines:
        yield kind, lines


def _block(kind: str, lines: list[str]) -> str:
    match kind:
        case "heading":
            title = lines[0]
            return f'<h2 id="{_slug(title)}">{_inline(title)}{_anchor(_slug(title))}</h2>'
        case "list":
            return f"<ul>{''.join(f'<li>{_inline(line)}</li>' for line in lines)}</ul>"
        case "fence":
            return _code("\n".join(lines))
        case _:
            return f"<p>{_inline(' '.join(lines))}</p>"


def _inline(text: str) -> str:
    """Code between backticks; the rest is text."""
    parts = text.split("`")
    return "".join(
        f"<code>{_breakable(part)}</code>" if index % 2 else escape(part, quote=False)
        for index, part in enumerate(parts)
    )


def _breakable(code: str) -> str:
    """Long paths may break after a slash, so that they fit a narrow screen."""
    return re.sub(r"(?<=/)(?=\w|\{)", "<wbr>", escape(code, quote=False))


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _anchor(id: str) -> str:
    return f' <a class="anchor" href="#{id}" aria-label="Link to this section">#</a>'


def _code(text: str) -> str:
    return f'<pre tabindex="0"><code>{escape(text, quote=False)}</code></pre>'


_JSON_PART = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<plain>\b(?:true|false|null)\b|-?\d[\d.eE+-]*)'
)


def _json(value: Any) -> str:
    """A value as indented JSON, its parts in colours."""

    def coloured(part: re.Match[str]) -> str:
        return f'<span class="j-{part.lastgroup}">{escape(part.group(), quote=False)}</span>'

    if isinstance(value, str):
        return _code(value)
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return f'<pre tabindex="0"><code>{_JSON_PART.sub(coloured, text)}</code></pre>'


# The table of contents


def _contents(document: Mapping[str, Any]) -> str:
    headings = [
        (f"#{_slug(lines[0])}", escape(lines[0]))
        for kind, lines in _blocks(document["info"]["description"])
        if kind == "heading"
    ]
    groups = [("Basics", headings)]
    for tag in document["tags"]:
        entries = [
            (f"#{operation['operationId']}", f"{_method(method)} {escape(operation['summary'])}")
            for method, _, operation in _operations(document, tag["name"])
        ]
        groups.append((tag["name"], entries))
    groups.append(("More", [("#shared-answers", "Shared answers"), ("#shapes", "Shapes")]))
    shapes = [(f"#shape-{name}", escape(name)) for name in document["components"]["schemas"]]
    groups.append((EACH_SHAPE, shapes))
    return "\n".join(_contents_group(title, entries) for title, entries in groups)


def _contents_group(title: str, entries: list[tuple[str, str]]) -> str:
    listed = "".join(f'<li><a href="{href}">{label}</a></li>' for href, label in entries)
    if title == EACH_SHAPE:
        return f"<details><summary>{title}</summary><ul>{listed}</ul></details>"
    return f"<p>{escape(title)}</p><ul>{listed}</ul>"


def _operations(
    document: Mapping[str, Any], tag: str
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield method, path, operation


def _method(method: str) -> str:
    return f'<span class="method {method}">{method.upper()}</span>'


# Operations


def _tag(tag: Mapping[str, str], document: Mapping[str, Any]) -> str:
    operations = "\n".join(
        _operation(method, path, operation, document)
        for method, path, operation in _operations(document, tag["name"])
    )
    slug = _slug(tag["name"])
    return (
        f'<h2 id="{slug}">{escape(tag["name"])}{_anchor(slug)}</h2>'
        f"{markdown(tag['description'])}\n{operations}"
    )


def _operation(
    method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]
) -> str:
    name = operation["operationId"]
    parts = [
        f'<section class="operation" id="{name}">',
        f"<h3>{escape(operation['summary'])}{_anchor(name)}</h3>",
        f'<p class="path">{_method(method)} <code>{_breakable(path)}</code></p>',
        f'<p class="access">{_access(operation["security"])}</p>',
        markdown(operation["description"]),
    ]
    if parameters := operation.get("parameters"):
        parts += ["<h4>Parameters</h4>", _fields(map(_parameter, parameters))]
    if body := operation.get("requestBody"):
        parts += ["<h4>Body</h4>", _media(body["content"])]
    parts += [
        "<h4>Answers</h4>",
        *(_answer(status, answer, document) for status, answer in operation["responses"].items()),
        "<h4>In a shell</h4>",
        *(_code(sample["source"]) for sample in operation["x-codeSamples"]),
        "</section>",
    ]
    return "\n".join(parts)


def _access(security: list[Mapping[str, Any]]) -> str:
    if not security:
        return "Public"
    signed = '<a href="#signing">Signed</a>'
    return f"Public; {signed.lower()} with an explanation" if {} in security else signed


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str, str]:
    schema = parameter["schema"]
    where = f"{_kind(schema)}, in the {parameter['in']}"
    return (
        parameter["name"],
        where,
        "required" if parameter.get("required") else "",
        _inline(parameter["description"]) + _default(schema),
    )


def _default(schema: Schema) -> str:
    if "default" not in schema:
        return ""
    default = schema["default"]
    shown = ", ".join(map(str, default)) if isinstance(default, list) else json.dumps(default)
    return f" Default: <code>{escape(shown)}</code>."


def _fields(fields: Iterable[tuple[str, str, str, str]]) -> str:
    """Names, kinds and what they mean, one below the other: a table would not fit a narrow screen."""
    listed = "".join(
        f"<dt><code>{_breakable(name)}</code>"
        + (f" <span>{kind}</span>" if kind else "")
        + (f" <em>{need}</em>" if need else "")
        + f"</dt><dd>{meaning}</dd>"
        for name, kind, need, meaning in fields
    )
    return f'<dl class="fields">{listed}</dl>'


def _media(content: Mapping[str, Any]) -> str:
    parts = []
    for kind, media in content.items():
        parts.append(f"<p><code>{escape(kind)}</code>: {_kind(media['schema'])}</p>")
        examples = media.get("examples", {})
        parts += [
            f"<details{' open' if len(examples) == 1 else ''}><summary>Example: {escape(name.replace('_', ' '))}"
            f"</summary>{_json(example['value'])}</details>"
            for name, example in examples.items()
        ]
    return "\n".join(parts)


def _answer(status: str, answer: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    if "$ref" in answer:
        name = answer["$ref"].rsplit("/", 1)[1]
        meaning = _inline(document["components"]["responses"][name]["description"])
        link = f'<a href="#answer-{name}">{meaning}</a>'
        return f'<p class="answer">{_status(status)} {link}</p>'
    headers = [
        (name, _kind(header["schema"]), "", _inline(header["description"]))
        for name in answer.get("headers", {})
        if name != "X-Request-Id"
        for header in [document["components"]["headers"][name]]
    ]
    inner = _media(answer.get("content", {})) + (_fields(headers) if headers else "")
    head = f"{_status(status)} <span>{_inline(answer['description'])}</span>"
    if not inner:
        return f'<p class="answer">{head}</p>'
    return f'<details class="answer"><summary>{head}</summary>{inner}</details>'


def _status(status: str) -> str:
    return f'<span class="status s{status[0]}">{status}</span>'


def _shared_answers(document: Mapping[str, Any]) -> str:
    """The answers that operations refer to, each where a link finds it."""
    statuses = {
        answer["$ref"].rsplit("/", 1)[1]: status
        for methods in document["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if "$ref" in answer
    }
    return "\n".join(
        f'<div id="answer-{name}">{_answer(statuses[name], answer, document)}</div>'
        for name, answer in sorted(
            document["components"]["responses"].items(), key=lambda each: statuses[each[0]]
        )
    )


# Shapes


def _shape(name: str, schema: Schema) -> str:
    parts = [
        f'<section class="shape" id="shape-{name}">',
        f"<h3>{escape(name)}{_anchor(f'shape-{name}')}</h3>",
    ]
    if description := schema.get("description"):
        parts.append(markdown(description))
    if "properties" in schema or "type" in schema:
        parts.append(_body_of(schema))
    else:
        parts.append(_alternatives(schema))
    parts += [
        f"<details><summary>Example</summary>{_json(example)}</details>"
        for example in schema.get("examples", ())
        if not isinstance(example, str | int)
    ]
    parts.append("</section>")
    return "\n".join(parts)


def _body_of(schema: Schema) -> str:
    if not schema.get("properties"):
        return f"<p>{_kind(schema)}</p>"
    required = set(schema.get("required", ()))
    fields = [
        (
            key,
            _kind(member),
            "required" if key in required else "",
            _inline(member.get("description", "")) + _default(member),
        )
        for key, member in schema["properties"].items()
    ]
    extra = schema.get("additionalProperties")
    if isinstance(extra, Mapping):
        fields.append(("…", _kind(extra), "", "Any other name."))
    return _fields(fields)


def _alternatives(schema: Schema) -> str:
    choices = schema.get("oneOf") or schema.get("anyOf") or []
    word = "One of" if "oneOf" in schema else "Any of"
    listed = "".join(
        f"<li>{escape(each['title']) + ': ' if 'title' in each else ''}"
        f"{_body_of(each) if 'properties' in each else _kind(each)}</li>"
        for each in choices
    )
    return f"<p>{word}</p><ul>{listed}</ul>"


def _kind(schema: Schema, *, inside: bool = False) -> str:
    """What kind of value it is, in a few words; shapes are linked. Inside another kind bounds are in brackets."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f'<a href="#shape-{name}">{escape(name)}</a>'
    if "allOf" in schema:
        return _kind(schema["allOf"][0])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(each))}</code>" for each in schema["enum"])
    choices = schema.get("oneOf") or schema.get("anyOf")
    if choices and schema.get("type") != "object":
        return " or ".join(dict.fromkeys(_kind(choice, inside=True) for choice in choices))
    kinds = schema.get("type", [])
    named = [kinds] if isinstance(kinds, str) else list(kinds)
    several = inside or len(named) > 1
    return " or ".join(_named_kind(each, schema, inside=several) for each in named)


def _named_kind(kind: str, schema: Schema, *, inside: bool) -> str:
    match kind:
        case "string":
            word = {"date-time": "date-time", "uuid": "UUID"}.get(schema.get("format", ""), "text")
            return word + _bounds(schema, "minLength", "maxLength", " characters", inside=inside)
        case "integer" | "number":
            word = "whole number" if kind == "integer" else "number"
            return word + _bounds(schema, "minimum", "maximum", "", inside=inside)
        case "array":
            of = f" of {_kind(schema['items'], inside=True)}" if "items" in schema else ""
            return "list" + of + _bounds(schema, "minItems", "maxItems", "", inside=inside)
        case "object":
            return _object_kind(schema)
        case _:
            return escape(kind)


def _object_kind(schema: Schema) -> str:
    extra, members = schema.get("additionalProperties"), schema.get("properties", {})
    if isinstance(extra, Mapping):
        return f"object of {_kind(extra, inside=True)}"
    if len(members) == 1:
        ((name, member),) = members.items()
        return f"object with <code>{escape(name)}</code>: {_kind(member, inside=True)}"
    return "empty object" if schema.get("maxProperties") == 0 else "object"


WHOLE_NUMBER_MAX = 2**53  # what every client can count to: no bound worth reading about


def _bounds(schema: Schema, least: str, most: str, unit: str, *, inside: bool) -> str:
    low, high = schema.get(least), schema.get(most)
    if high is not None and high >= WHOLE_NUMBER_MAX:
        high = None
    match low, high:
        case None, None:
            return ""
        case _, 0:
            words = "empty"
        case None, _:
            words = f"at most {high}{unit}"
        case 1, None if unit:
            words = "not empty"
        case _, None:
            words = f"at least {low}{unit}"
        case _:
            words = f"{low} to {high}{unit}" if low != high else f"just {low}{unit}"
    return f" ({words})" if inside else f", {words}"

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

Schema = Mapping[str, Any]
EACH_SHAPE = "Each shape"  # folded in the contents: there are many


def page(document: Mapping[str, Any]) -> str:
    """The whole page."""
    info = document["info"]
    introduction = markdown(info["description"])
    contents = _contents(document)
    return _PAGE.format(
        style=_STYLE,
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


_STYLE = """
:root {
  color-scheme: light dark;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
  --paper: #ffffff; --raised: #f6f7f9; --ink: #1c2330; --quiet: #5a6475; --line: #dfe3ea;
  --link: #0b5cad; --code: #f1f3f7; --get: #0b5cad; --post: #1a7340; --put: #8a5300; --patch: #6b3fa0;
  --delete: #b3261e; --options: #5a6475; --key: #0b5cad; --text: #1a7340; --plain: #8a5300;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161d; --raised: #1a2029; --ink: #e4e8ef; --quiet: #9aa5b5; --line: #2b3441;
    --link: #7ab7ff; --code: #1e2530; --get: #7ab7ff; --post: #6fce93; --put: #e8b35c; --patch: #c3a3f5;
    --delete: #ff8f86; --options: #9aa5b5; --key: #7ab7ff; --text: #6fce93; --plain: #e8b35c;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: break-word;
}
a { color: var(--link); text-underline-offset: 0.15em; }
:is(a, summary, pre):focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: 0.5rem; z-index: 1; }
.frame { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 84rem; margin: 0 auto; }
nav { font-size: 0.875rem; line-height: 1.4; }
nav.wide {
  position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto;
  padding: 2rem 1rem 2rem 1.5rem; border-right: 1px solid var(--line);
}
nav.narrow { display: none; }
nav p, nav summary { margin: 1.25rem 0 0.25rem; font-weight: 600; color: var(--quiet); }
nav p:first-child { margin-top: 0; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a {
  display: flex; gap: 0.5rem; align-items: baseline; padding: 0.2rem 0; color: inherit; text-decoration: none;
}
nav a:hover { color: var(--link); text-decoration: underline; }
nav .method { font-size: 0.6875rem; width: 3.9rem; flex: none; padding: 0.1rem 0; }
main { padding: 2rem 3rem 6rem; min-width: 0; max-width: 62rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0; }
h1 small { font-size: 0.875rem; font-weight: 400; color: var(--quiet); white-space: nowrap; }
.summary { margin: 0.5rem 0 2rem; color: var(--quiet); font-size: 1.125rem; }
h2 { font-size: 1.5rem; line-height: 1.25; margin: 3rem 0 0.75rem; }
h3 { font-size: 1.1875rem; line-height: 1.3; margin: 0 0 0.5rem; }
h4 { font-size: 0.9375rem; margin: 1.5rem 0 0.5rem; }
p, ul, dl, pre { margin: 0.5rem 0; }
.anchor { color: var(--quiet); text-decoration: none; font-weight: 400; opacity: 0; }
:is(h2, h3):hover .anchor, .anchor:focus { opacity: 1; }
code, pre { font: 0.875em/1.55 var(--mono); }
:not(pre) > code { background: var(--code); padding: 0.1em 0.3em; border-radius: 4px; }
pre {
  background: var(--code); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem;
  overflow: auto; max-height: 34rem;
}
pre code { font-size: 0.8125rem; }
.operation, .shape { border: 1px solid var(--line); border-radius: 8px; padding: 1.25rem 1.5rem; margin: 1.25rem 0; }
:target { border-color: var(--link); }
.path { margin: 0; }
.path code { background: none; padding: 0; font-size: 0.9375rem; }
.access { margin: 0 0 0.75rem; font-size: 0.875rem; color: var(--quiet); }
.method { display: inline-block; font: 700 0.75rem/1.5 var(--mono); }
.path .method { border: 1px solid currentColor; border-radius: 4px; padding: 0 0.4rem; margin-right: 0.25rem; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); }
.patch { color: var(--patch); } .delete { color: var(--delete); } .options { color: var(--options); }
.fields { border-top: 1px solid var(--line); }
.fields dt { padding-top: 0.5rem; }
.fields dt span { color: var(--quiet); font-size: 0.875rem; margin-left: 0.25rem; }
.fields dt em { color: var(--delete); font-style: normal; font-size: 0.8125rem; margin-left: 0.25rem; }
.fields dd { margin: 0; padding: 0.125rem 0 0.5rem; border-bottom: 1px solid var(--line); font-size: 0.9375rem; }
.fields dd:empty { padding: 0 0 0.25rem; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; }
main details:not(.answer) > summary { font-size: 0.875rem; color: var(--quiet); }
.answer { margin: 0; padding: 0.375rem 0; border-top: 1px solid var(--line); font-size: 0.9375rem; }
p.answer { padding-left: 1.0625rem; }
.status { font: 700 0.875rem/1.5 var(--mono); margin-right: 0.375rem; }
.s2 { color: var(--post); } .s3 { color: var(--options); } .s4 { color: var(--put); } .s5 { color: var(--delete); }
.j-key { color: var(--key); } .j-text { color: var(--text); } .j-plain { color: var(--plain); }
@media (max-width: 60rem) {
  .frame { display: block; }
  nav.wide { display: none; }
  nav.narrow { display: block; padding: 0 1rem; border-bottom: 1px solid var(--line); background: var(--raised); }
  nav.narrow > details > summary { margin: 0; padding: 0.75rem 0; font-size: 1rem; color: var(--ink); }
  nav.narrow > details { margin: 0; }
  nav.narrow > details[open] { padding-bottom: 1rem; }
  nav a { padding: 0.4rem 0; }
  main { padding: 1.5rem 1rem 4rem; }
  .operation, .shape { padding: 1rem; margin-left: -0.25rem; margin-right: -0.25rem; }
  h1 { font-size: 1.625rem; }
  .anchor { opacity: 1; }
}
@media print {
  nav.wide, nav.narrow, .anchor { display: none; }
  .frame { display: block; }
  pre { white-space: pre-wrap; max-height: none; }
}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<a class="skip" href="#main">To the text</a>
<nav class="narrow" aria-label="Contents"><details><summary>Contents</summary>
{contents}
</details></nav>
<div class="frame">
<nav class="wide" aria-label="Contents">
{contents}
</nav>
<main id="main">
<h1>{title} <small>version {version}</small></h1>
<p class="summary">{summary} As a document for machines: <a href="openapi.json">openapi.json</a>.</p>
{introduction}
{operations}
<h2 id="shared-answers">Shared answers{shared_anchor}</h2>
<p>What every signed operation may answer.</p>
<section class="shape">
{shared}
</section>
<h2 id="shapes">Shapes{shapes_anchor}</h2>
{shapes}
</main>
</div>
</body>
</html>
"""

"""
The API's description and its page: true, current, served safely, and every example on it works.
"""

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from endcap import errors
from endcap.api.docs import policy
from endcap.api.openapi.customizations import INPUT, INPUTS, PIN
from endcap.api.openapi.document import FOLDER, document, write
from endcap.api.openapi.introduction import SIGNING_SHELL
from endcap.api.openapi.parameters import CUSTOMIZATION
from endcap.api.openapi.schema import ref
from endcap.wire.problems import STATUSES
from tests.api.driver import BASE, KEY, TRACKER, Json, Server
from tests.services.needs import need_program
from tests.services.server import LiveServer

DOCUMENT: Json = document()
PAGE = (FOLDER / "docs.html").read_text(encoding="utf-8")
API_PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def operations() -> Iterator[tuple[str, str, Json]]:
    """Every method (upper case), path and operation of the description."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


# Current


@pytest.mark.parametrize("name", ["openapi.json", "docs.html"])
def test_what_is_checked_in_is_current(tmp_path: Path, name: str) -> None:
    """`scripts/openapi` writes it anew."""
    write(tmp_path)

    assert (FOLDER / name).read_bytes() == (tmp_path / name).read_bytes()


def test_every_route_is_described_and_every_description_has_a_route(server: Server) -> None:
    """By method and path; a HEAD goes without saying where there is a GET."""
    mounted = {
        (method, any_parameter(path)) for method, path in server.app._routes if method != "HEAD"
    }

    assert {(method, any_parameter(path)) for method, path, _ in operations()} == mounted


def any_parameter(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def test_every_problem_is_described_by_status(server: Server) -> None:
    """No status of the table is missing from all operations; 405 is of no operation, and in words."""
    described = {
        int(status) for _, _, operation in operations() for status in operation["responses"]
    }

    assert set(STATUSES.values()) - described == {405}
    assert "`405`" in DOCUMENT["info"]["description"]


def test_every_error_code_is_on_the_page_about_the_api() -> None:
    """With its status and its words."""

    def kinds(kind: type[errors.Problem]) -> Iterator[type[errors.Problem]]:
        yield kind
        for each in kind.__subclasses__():
            yield from kinds(each)

    codes = {kind.code for kind in kinds(errors.Problem)} - {"problem", "refused"}
    assert {code for code in codes if f"`{code}`" not in API_PAGE} == set()
    for kind, status in STATUSES.items():
        (row,) = (
            line for line in API_PAGE.splitlines() if f"`{kind.code}`" in line and "|" in line
        )
        assert row.startswith(f"| {status} |")


# True


def test_the_description_is_valid_openapi() -> None:
    """By the specification's own schema and rules."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def schema_examples() -> Iterator[tuple[str, Json, Json]]:
    """Every example beside a schema: where it is, the schema, the example."""

    def walk(place: str, node: Json) -> Iterator[tuple[str, Json, Json]]:
        if isinstance(node, dict):
            if isinstance(node.get("schema"), dict):
                for name, example in node.get("examples", {}).items():
                    yield f"{place} {name}", node["schema"], example["value"]
                if "example" in node:
                    yield place, node["schema"], node["example"]
            if isinstance(node.get("examples"), list):
                for number, example in enumerate(node["examples"]):
                    yield f"{place} {number}", node, example
            for key, member in node.items():
                yield from walk(f"{place} {key}".strip(), member)
        elif isinstance(node, list):
            for number, member in enumerate(node):
                yield from walk(f"{place} {number}", member)

    yield from walk("", DOCUMENT)


def validator(schema: Json) -> OAS31Validator:
    """The schema with all components beside it, where its references look for them."""
    return OAS31Validator({**schema, "components": DOCUMENT["components"]})


def test_every_example_fits_its_schema() -> None:
    """Of bodies, answers, parameters, headers and shapes."""
    examples = list(schema_examples())

    assert len(examples) > 80
    for place, schema, example in examples:
        faults = [fault.message for fault in validator(schema).iter_errors(example)]
        assert faults == [], place


@pytest.mark.parametrize("model", ["basket", "m" * 100])
def test_shapes_take_what_the_server_takes(server: Server, model: str) -> None:
    """Whatever the server answers for the examples of bodies fits the shapes of answers."""
    inputs: dict[str, Json] = INPUTS
    for body in inputs.values():
        answer = server.send("POST", f"{BASE}/scope", {**body, "model": model})

        validator(ref("Customization")).validate(answer.json())
        assert answer.status_code == 201


NOT_TAKEN: list[Json] = [
    {"position": 1001},
    {"position": True},
    {"position": "1"},
    {"pin_type": "items"},
    {"pin_identity": ""},
    {"pin_identity": None},
    {"pin_identity": "a\0"},
    {"widget_id": 5},
    {"is_block_pin": "yes"},
    {"active_from": 5},
    {"pin_type": "criteria", "pin_criteria": {}},
    {"pin_type": "criteria", "pin_criteria": []},
    {"pin_type": "criteria", "pin_criteria": "Fender"},
    {"pin_type": "criteria", "pin_criteria": {"brand": None}},
    {"pin_type": "criteria", "pin_criteria": {"brand": ["Fender"]}},
    {"pin_type": "criteria", "pin_criteria": {"brand": {"values": []}}},
    {"pin_type": "criteria", "pin_criteria": {"brand": {"values": ["a"], "operator": "xor"}}},
    {"pin_type": "criteria", "pin_criteria": {"brand": {"values": ["a"], "more": 1}}},
    {"pin_type": "criteria", "pin_criteria": {"or": []}},
    {"pin_type": "criteria", "pin_criteria": {"or": [{}]}},
    {"pin_type": "criteria", "pin_criteria": {"not": {"values": [1], "operator": "like"}}},
    {"pin_type": "criteria", "pin_criteria": [{"field": "a", "operator": "="}]},
    {"pin_type": "criteria", "pin_criteria": [{"field": "a", "value": "b"}]},
    {"pin_type": "criteria", "pin_criteria": [{"field": "a", "operator": ">", "value": True}]},
    {"pin_type": "criteria", "pin_criteria": [{"field": "a", "operator": ">", "value": [1, 2]}]},
    {"pin_type": "criteria", "pin_criteria": [{"field": "a", "operator": "contains", "value": 1}]},
    {"pin_type": "criteria", "pin_criteria": [{"field": "a", "operator": "exists", "value": 1}]},
    {"pin_type": "criteria", "pin_criteria": ["brand"]},
    {"pin_type": "criteria", "pin_criteria": {"not": {}}},
    {"pin_type": "criteria", "pin_criteria": {"not": []}},
    {"pin_type": "criteria", "pin_criteria": {"not": {"criteria": []}}},
    {"pin_type": "criteria", "pin_criteria": [{"a": 1}, {"criteria": []}]},
]
TAKEN: list[Json] = [
    {"position": -1, "widget_id": None, "active_from": None, "is_block_pin": None},
    {"pin_type": "criteria", "pin_criteria": {"brand": "Fender", "size": 1, "sale": True}},
    {"pin_type": "criteria", "pin_criteria": {"brand": {"values": ["a", 1, False]}}},
    {"pin_type": "criteria", "pin_criteria": {"and": "a value of an attribute named and"}},
    {"pin_type": "criteria", "pin_criteria": {"not": {"values": ["a"]}}},
    {"pin_type": "criteria", "pin_criteria": {"not": {"brand": "a"}, "or": [{"a": 1}, {"b": 2}]}},
    {"pin_type": "criteria", "pin_criteria": {"criteria": [{"a": 1}]}},
    {"pin_type": "criteria", "pin_criteria": {"field": 5, "operator": "=", "value": 3}},
    {"pin_type": "criteria", "pin_criteria": {"field": "a", "operator": "=", "value": 3}},
    {"pin_type": "criteria", "pin_criteria": [{"field": "a", "operator": "exists"}]},
    {"pin_type": "criteria", "pin_criteria": [{"field": "a", "operator": ">=", "value": ["1"]}]},
    {"pin_type": "criteria", "pin_criteria": [{"not": [{"a": 1}]}, {"criteria": [{"a": 1}]}]},
]


@pytest.mark.parametrize("change", [*NOT_TAKEN, *TAKEN], ids=str)
def test_shapes_and_server_refuse_the_same(server: Server, change: Json) -> None:
    """Pins and criteria at the borders of what is allowed, looked at by both."""
    first_pin: Json = PIN
    body: Json = {**INPUT, "pin_definitions": [first_pin | change]}

    answer = server.send("POST", f"{BASE}/scope", body)

    assert validator(ref("CustomizationInput")).is_valid(body) is (change in TAKEN)
    assert answer.status_code == (201 if change in TAKEN else 422)


# Served


def test_the_description_is_served(server: Server) -> None:
    """To pages of other origins too: viewers live there."""
    answer = server.send("GET", "/openapi.json", signed=False)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == msgspec.json.decode(msgspec.json.encode(DOCUMENT))


def test_the_page_is_served_and_may_load_nothing(server: Server) -> None:
    """No script, no font, no picture from anywhere, no frame around it: by its own style's hash and nothing else."""
    answer = server.send("GET", "/docs", signed=False)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text == PAGE
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; img-src data:; base-uri 'none'; "
        r"form-action 'none'; frame-ancestors 'none'",
        answer.headers["content-security-policy"],
    )
    assert answer.headers["content-security-policy"].encode() == policy(PAGE.encode())
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_both_are_kept_and_asked_for_again(server: Server, path: str) -> None:
    """For five minutes, then by tag."""
    first = server.send("GET", path, signed=False)
    tag = first.headers["etag"]

    same = server.send("GET", path, signed=False, headers={"If-None-Match": f'"x", W/{tag}'})
    other = server.send("GET", path, signed=False, headers={"If-None-Match": '"x"'})

    assert first.headers["cache-control"] == "public, max-age=300"
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert other.status_code == 200


# The page


class Reader(HTMLParser):
    """Notes the elements with their attributes, and checks that they close."""

    EMPTY = frozenset({"meta", "link", "wbr", "br", "hr", "img", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_asks_nobody_for_anything() -> None:
    """No script, no style in attributes, nothing loaded; every link leads to a place on it, or to the description."""
    reader = Reader(PAGE)
    ids = Counter(attributes["id"] for _, attributes in reader.elements if "id" in attributes)

    assert reader.open == []
    assert [each for each, count in ids.items() if count > 1] == []
    for tag, attributes in reader.elements:
        assert tag not in ("script", "iframe", "object", "embed", "form", "img", "base")
        assert not {"src", "style", "srcset", "action"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
        match tag, attributes.get("href"):
            case "link", href:
                assert href == "data:,"
            case _, str(href) if href.startswith("#"):
                assert href[1:] in ids
            case _, href:
                assert href in (None, "openapi.json")
    assert "url(" not in PAGE
    assert "@import" not in PAGE


def test_the_page_has_every_operation_and_shape() -> None:
    """Each with an anchor."""
    ids = {attributes.get("id") for _, attributes in Reader(PAGE).elements}

    assert {operation["operationId"] for _, _, operation in operations()} <= ids
    assert {f"shape-{name}" for name in DOCUMENT["components"]["schemas"]} <= ids
    assert "signing" in ids


# The shell examples


@pytest.mark.clients
@pytest.mark.parametrize("recipe", ["the description's", "the page's"])
def test_every_shell_example_works(live_server: LiveServer, recipe: str) -> None:
    """Pasted in order after the recipe for signing, each is answered as the description says."""
    for program in ("bash", "curl", "openssl"):
        need_program(program)
    signing = SIGNING_SHELL if recipe == "the description's" else page_recipe()
    assert f'"{TRACKER}"' in signing.replace(f"={TRACKER}", f'="{TRACKER}"')
    assert KEY in signing
    before = re.sub(r"^host=.*$", f"host={live_server.url}", signing, flags=re.MULTILINE)
    made = run_shell(before, shell_example("createCustomization"))
    made_id = msgspec.json.decode(made.body, type=dict[str, Any])["id"]
    begun = run_shell(before, shell_example("updateByQuery"))
    status_url = msgspec.json.decode(begun.body, type=dict[str, Any])["status_url"]
    job_id = status_url.rpartition("=")[2]

    for _, _, operation in sorted(
        operations(), key=lambda each: "remove" in each[2]["operationId"]
    ):
        name = operation["operationId"]
        example = shell_example(name).replace(CUSTOMIZATION, made_id)
        example = example.replace("job_id=12345", f"job_id={job_id}")
        answer = run_shell(before, example)

        assert str(answer.status) == next(iter(operation["responses"])), (name, answer.body)


def page_recipe() -> str:
    """What docs/api.md says before its first call."""
    blocks: list[str] = re.findall(r"```bash\n(.*?)```", API_PAGE, re.DOTALL)
    return blocks[0].partition("\nsigned POST")[0]


def shell_example(name: str) -> str:
    (example,) = (
        operation["x-codeSamples"][0]["source"]
        for _, _, operation in operations()
        if operation["operationId"] == name
    )
    return str(example)


class ShellAnswer(msgspec.Struct):
    status: int
    body: bytes


def run_shell(before: str, example: str) -> ShellAnswer:
    """Runs an example in bash with a curl that says the status at the end."""
    watched = "curl() { command curl --noproxy '*' --write-out '\\n%{http_code}' \"$@\"; }\n"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{watched}{before}\n{example}"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    body, _, status = done.stdout.rpartition(b"\n")
    return ShellAnswer(int(status), body)

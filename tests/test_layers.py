"""
Imports point one way: every module of the package belongs to a layer, and imports only what its layer may.

Read from the source, so that an import inside a function or under TYPE_CHECKING counts, and a module counts from the
day it is written.
"""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from msgspec import Struct

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = "endcap"


class Layer(Struct, frozen=True):
    """Modules of the package by prefix, and what they may import beside each other and the standard library."""

    modules: frozenset[str]
    layers: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    """Modules of the layers below that stand for their layer: the rest of it may not be imported."""


LAYERS: Mapping[str, Layer] = {
    "language": Layer(
        frozenset({"errors", "domain", "criteria", "signing", "wire"}),
        packages=frozenset({"msgspec"}),
    ),
    "engine": Layer(
        frozenset({"engine"}), ("language",), frozenset({"msgspec", "numpy", "pyroaring"})
    ),
    "store": Layer(
        frozenset({"store"}), ("language",), frozenset({"msgspec", "psycopg", "psycopg_pool"})
    ),
    "recommend": Layer(
        frozenset({"recommend"}),
        ("language", "engine"),
        frozenset({"msgspec", "numpy", "pyroaring", "duckdb", "pyspark"}),
    ),
    "application": Layer(
        frozenset(
            {
                "accounts",
                "identities",
                "roles",
                "clock",
                "config",
                "telemetry",
                "vault",
                "awaiting",
                "breaker",
                "loading",
                "jobs",
                "mirror",
                "shops",
                "modelling",
                "renderings",
                "health",
                "mending",
                "checkups",
                "committer",
                "grouping",
                "activity",
                "recording",
                "archive",
                "service",
                "audit",
                "list_watch",
                "neighbour_lists",
                "placing",
                "recommending",
                "objects",
                "bulk",
                "drafts",
                "scheduled",
                "lookout",
                "versions",
                "by_tracker",
                "rosters",
                "finders",
                "verdicts",
                "schedule",
                "lease",
                "builder",
                "publishing",
                "planning",
                "transfer",
                "sample",
                "demo",
            }
        ),
        ("language", "engine", "store", "recommend"),
        frozenset(
            {
                "argon2",
                "msgspec",
                "cryptography",
                "prometheus_client",
                "structlog",
                "obstore",
                "openpyxl",
                "yaml",
            }
        ),
        only=frozenset(
            {"store.accounts", "store.events", "store.port", "store.states", "store.writes"}
        ),
    ),
    "client": Layer(frozenset({"client"}), ("language",), frozenset({"msgspec", "httpx2"})),
    "api": Layer(
        frozenset({"api"}),
        ("language", "engine", "store", "recommend", "application"),
        frozenset(
            {
                "aiohttp",
                "msgspec",
                "httptools",
                "prometheus_client",
                "python_multipart",
                "uvicorn",
                "uvloop",
            }
        ),
    ),
    "web": Layer(
        frozenset({"web"}),
        ("language", "engine", "store", "recommend", "application", "api"),
        frozenset({"aiohttp", "jinja2", "joserfc", "markupsafe", "msgspec"}),
    ),
    "cli": Layer(
        frozenset({"cli", "__main__"}),
        ("language", "engine", "store", "recommend", "application", "api", "web", "client"),
        frozenset({"msgspec", "click", "rich", "uvicorn", "uvloop", "httpx2"}),
    ),
}


def modules() -> Iterator[str]:
    """Every module of the package by its name without the package's own: `wire.catalog`, `errors`."""
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        parts = path.relative_to(SOURCE / PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name:
            yield name


MODULES = tuple(modules())


def source_of(module: str) -> str:
    path = SOURCE.joinpath(PACKAGE, *module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.read_text()


def imports_of(source: str, known: Sequence[str]) -> Iterator[str]:
    """
    The full names that a source imports. `from endcap import criteria` imports endcap.criteria; `from endcap import
    __version__` imports endcap alone.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            assert node.module is not None
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                is_module = full.removeprefix(f"{PACKAGE}.") in known
                yield full if is_module else node.module


def layer_of(module: str) -> str:
    found = [
        name
        for name, layer in LAYERS.items()
        if any(module == own or module.startswith(f"{own}.") for own in layer.modules)
    ]
    assert found, f"{module} belongs to no layer: say in {Path(__file__).name} which it is"
    return found[0]


def objection(layer_name: str, imported: str) -> str | None:
    """Why a module of a layer may not import this, if so."""
    layer = LAYERS[layer_name]
    top = imported.split(".", maxsplit=1)[0]
    if imported == PACKAGE or top in sys.stdlib_module_names:
        return None
    if top != PACKAGE:
        return None if top in layer.packages else f"{top} is no package of the {layer_name} layer"
    module = imported.removeprefix(f"{PACKAGE}.")
    other = layer_of(module)
    if other == layer_name:
        return None
    if other not in layer.layers:
        return f"{imported} is of the {other} layer, which is not below the {layer_name} layer"
    doors = [door for door in layer.only if layer_of(door) == other]
    if doors and module not in doors:
        return f"{imported} is not what the {layer_name} layer may know of the {other} layer"
    return None


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_layer_may(module: str) -> None:
    """Layers below, the standard library, and the packages that the layer was given."""
    layer = layer_of(module)

    objections = [
        text
        for imported in imports_of(source_of(module), MODULES)
        if (text := objection(layer, imported)) is not None
    ]

    assert objections == []


def test_no_two_modules_import_each_other() -> None:
    """Neither directly nor around a corner."""
    graph = {
        module: {
            name
            for imported in imports_of(source_of(module), MODULES)
            if (name := imported.removeprefix(f"{PACKAGE}.")) in MODULES and name != module
        }
        for module in MODULES
    }

    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' → '.join(error.args[1])}")

    assert set(order) == set(MODULES)


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("language", "from endcap.engine.catalog import Catalog"),
        ("language", "def late():\n    from endcap import service"),
        ("language", "import numpy as np"),
        ("engine", "from endcap.store import port"),
        ("engine", "from endcap import clock"),
        ("store", "import endcap.engine.place"),
        ("recommend", "from endcap.service import Service"),
        ("recommend", "from endcap.store.port import Store"),
        ("application", "from endcap.store.sqlite import SqliteStore"),
        ("application", "from endcap.api import app"),
        ("application", "import click"),
        ("client", "from endcap.engine.place import Verdict"),
        ("client", "from endcap.service import Service"),
        ("api", "from endcap.client import Client"),
        ("api", "from endcap.cli.main import main"),
    ],
)
def test_an_import_against_the_direction_is_noticed(layer: str, source: str) -> None:
    """Wherever in the file it stands and however it is spelled."""
    known = [*MODULES, "service", "clock", "store.sqlite", "api.app", "client", "cli.main"]

    objections = [objection(layer, imported) for imported in imports_of(source, known)]

    assert any(objections)


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("engine", "from endcap import criteria\nimport numpy as np\nfrom bisect import bisect"),
        ("application", "from endcap import __version__\nfrom endcap.store.port import Store"),
        ("client", "from endcap import __version__\nfrom endcap.wire import problems"),
        ("cli", "from endcap.client import Client\nfrom endcap.api.app import build"),
    ],
)
def test_an_import_along_the_direction_is_let_through(layer: str, source: str) -> None:
    """So that the test above does not pass by refusing everything."""
    objections = [objection(layer, imported) for imported in imports_of(source, MODULES)]

    assert objections == [None] * len(objections)

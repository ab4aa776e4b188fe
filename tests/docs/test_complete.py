"""
Everything that a reader can meet is on a page: settings, commands, endpoints, error codes, verdicts, metrics, scripts.
"""

import re
from functools import cache
from pathlib import Path

import msgspec

from endcap import errors
from endcap.api.app import App, build
from endcap.config import NAMES, Settings, variable
from endcap.domain import TrackerId
from endcap.engine.place import Verdict
from endcap.recommend.models import REFERENCE
from endcap.store.writes import CreateTracker
from tests.docs import generate, pages


def test_settings_are_on_their_page() -> None:
    """Every setting is on docs/settings.md, and every variable named there is one."""
    page = _text("docs/settings.md")
    named = set(re.findall(r"ENDCAP_[A-Z_]+[A-Z]", page)) - {"ENDCAP_CONFIG"}

    assert named == {variable(name) for name in NAMES}


def test_variables_named_anywhere_exist() -> None:
    """No page names a setting that is not, or no longer, there."""
    known = {variable(name) for name in NAMES} | {"ENDCAP_CONFIG"}
    composed = {
        "ENDCAP_PULL_KEY",
        "ENDCAP_DB_PASSWORD",
        "ENDCAP_PUBLISHED_PORT",
        "ENDCAP_SHARED_DATA",
    }
    named = {
        (pages.name(page), name)
        for page in pages.pages()
        for name in re.findall(r"ENDCAP_[A-Z_]+[A-Z]", pages.text(page))
    }

    assert {each for each in named if each[1] not in known | composed} == set()


def test_commands_are_on_their_page() -> None:
    """Every command, and every one in a group, has a heading on docs/cli.md."""
    headings = set(re.findall(r"^## `(.+)`$", _text("docs/cli.md"), re.MULTILINE))

    assert headings == {name for name, _ in generate.helps()}


def test_endpoints_are_on_the_api_page() -> None:
    """Every method of every path that the server answers is on docs/api.md."""
    described = msgspec.json.decode((pages.ROOT / "src/endcap/api/openapi.json").read_bytes())
    page = _any_parameter(_text("docs/api.md"))

    missing = [
        f"{method.upper()} {path}"
        for path, methods in described["paths"].items()
        for method in methods
        if method in ("get", "post", "put", "patch", "delete")
        and not re.search(
            rf"{method.upper()}\b[^\n]*{re.escape(_any_parameter(path))}(?![\w/{{])", page
        )
    ]

    assert not missing


def _any_parameter(text: str) -> str:
    return re.sub(r"\{\w+\}", "{}", text)


def test_error_codes_are_on_a_page() -> None:
    """Every code of errors.py that a program may meet is told somewhere, as code."""
    codes = {kind.code for kind in _kinds(errors.Problem)} - {"problem", "refused"}

    assert {code for code in codes if f"`{code}`" not in _everything()} == set()


def _kinds(kind: type[errors.Problem]) -> set[type[errors.Problem]]:
    return {kind}.union(*(_kinds(each) for each in kind.__subclasses__()))


def test_verdicts_are_told_to_merchandisers() -> None:
    """Every verdict of the engine is on docs/concepts.md, with what to do about it."""
    page = _text("docs/concepts.md")

    assert [verdict.value for verdict in Verdict if f"`{verdict.value}`" not in page] == []


def test_model_names_are_on_the_page_of_recommenders() -> None:
    """Every reference model that answers without set-up is on docs/recommenders.md."""
    page = _text("docs/recommenders.md")

    assert [model for model in REFERENCE if f"`{model}`" not in page] == []


def test_metrics_are_on_the_operators_page(tmp_path: Path) -> None:
    """Every metric that a running server exposes is on docs/operating.md, and no other."""
    app = App(build(Settings(data_dir=tmp_path)))
    app.start()
    try:
        parts = app.parts
        sealed = parts.vault.seal("a key")
        write = CreateTracker(TrackerId("1"), "1", sealed, "test", parts.service.clock())
        parts.committer.commit_now([write])
        parts.mirror.refresh()
        app.metrics.count("/healthz", 200, 0.001)
        exposed = set(re.findall(r"^# TYPE (\S+)", app.metrics.exposition().decode(), re.MULTILINE))
    finally:
        app.stop()
    told = set(re.findall(r"^\| `(endcap_\w+)` \|", _text("docs/operating.md"), re.MULTILINE))

    assert told == exposed


def test_log_events_are_on_the_operators_page() -> None:
    """Every event that the server logs is on docs/operating.md, with what to do about it."""
    sources = (pages.ROOT / "src/endcap").rglob("*.py")
    logged = {
        event
        for source in sources
        for event in re.findall(
            r"\blog\.(?:debug|info|warning|error)\(\s*\"([^\"]+)\"", pages.text(source)
        )
    }
    page = _text("docs/operating.md")

    assert len(logged) > 5
    assert {event for event in logged if f"| `{event}` |" not in page} <= {"store is back"}


def test_scripts_are_told_to_contributors() -> None:
    """Every script is on CONTRIBUTING.md."""
    page = _text("CONTRIBUTING.md")
    scripts = sorted((pages.ROOT / "scripts").iterdir())

    assert [each.name for each in scripts if f"scripts/{each.name}" not in page] == []


def _text(page: str) -> str:
    return pages.text(pages.ROOT / page)


@cache
def _everything() -> str:
    return "\n".join(map(pages.text, pages.pages()))

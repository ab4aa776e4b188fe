"""
Calls `endcap` in this process, where a process is not the point: the same command tree, the same exit codes.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from endcap.api.app import Parts, build
from endcap.cli.main import cli
from endcap.config import load

TRACKER = "1234-5678"
KEY = "your_private_api_key"

Json = Any


class Shell:
    """A terminal of 80 columns in front of one data folder, with none of this machine's settings."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.settings = {"ENDCAP_DATA_DIR": str(data_dir), "COLUMNS": "80", **settings}

    def call(self, *arguments: object, code: int = 0, input: str | None = None) -> Result:
        """Runs a command to its end, which must be this one; an error that escapes fails the test."""
        runner = CliRunner()
        result = runner.invoke(
            cli, [*map(str, arguments)], input=input, env=self.settings, catch_exceptions=False
        )
        assert result.exit_code == code, result.output
        return result

    def json(self, *arguments: object, code: int = 0) -> Json:
        """What a command prints with `--json`: one document, and nothing else."""
        return json.loads(self.call(*arguments, "--json", code=code).stdout)

    def fault(self, *arguments: object, code: int = 1) -> str:
        """What a refused command says; it says nothing on standard output."""
        result = self.call(*arguments, code=code)
        assert result.stdout == ""
        return result.stderr

    def parts(self) -> Parts:
        """What the commands look at. The caller closes the store."""
        return build(load(self.settings))

    # What most tests do on the way to what they are about

    def create_tracker(self, tracker: str = TRACKER, key: str = KEY) -> None:
        self.call("tracker", "create", tracker, "--private-key", key)

    def revision(self, tracker: str = TRACKER) -> int:
        (row,) = [each for each in self.json("tracker", "list") if each["tracker"] == tracker]
        revision: int = row["revision"]
        return revision

    def put_items(self, *items: Mapping[str, Json]) -> None:
        """Imports items given as records of a feed."""
        file = self.data_dir / "items.jsonl"
        file.write_text(lines(items))
        self.call("import", "catalog", file, "--tracker", TRACKER)

    def put_customizations(self, *bodies: Json) -> None:
        file = self.data_dir / "rules.json"
        file.write_text(json.dumps(bodies))
        self.call("import", "customizations", file, "--tracker", TRACKER)

    def customizations(self) -> list[Json]:
        """All of them, as the export writes them."""
        shown = self.call("export", "customizations", "--tracker", TRACKER).stdout
        found: list[Json] = json.loads(shown)
        return found


def lines(records: Iterable[Json]) -> str:
    return "".join(json.dumps(each) + "\n" for each in records)


def unwrapped(text: str) -> str:
    """Text as it was before it was wrapped, indented and drawn into tables."""
    return " ".join(text.replace("│", " ").split())

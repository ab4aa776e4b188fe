"""
The description against the server, by Schemathesis: examples, borders of every shape, random requests, chains of them.

All its checks are on: no internal error, only described statuses, types, headers and shapes, what fits the description
is accepted, what does not is refused, unknown methods are 405, nothing is found after its deletion. The installed
command runs as a process of its own, so that a real parser reads what is sent.
"""

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.services.server import LiveServer

SECONDS_MAX = 30  # for each; more finds a little more
FOLDER = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.parametrize("phases", ["examples", "coverage", "fuzzing,stateful"])
def test_the_server_does_what_the_description_says(
    live_server: LiveServer, tmp_path: Path, phases: str
) -> None:
    """The same requests every time, as far as they fit into the time; every failure comes with its curl command."""
    command: list[str | Path] = [
        *(Path(sysconfig.get_path("scripts")) / "schemathesis", "--no-color"),
        *("--config-file", FOLDER / "schemathesis.toml", "run", f"{live_server.url}/openapi.json"),
        *("--phases", phases, "--max-time", str(SECONDS_MAX)),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(FOLDER.parents[1]),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }

    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=8 * SECONDS_MAX,
        check=False,
    )

    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{live_server.log}"
    for phase in phases.split(","):
        assert f"✅ {phase.title()}" in done.stdout, done.stdout

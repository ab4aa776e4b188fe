"""
The installed command, run as anybody would run it.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.services.server import endcap_command

SECONDS_MAX = 60.0


def run(
    data_dir: Path, *arguments: object, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Without this machine's settings, and without anybody to ask."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("ENDCAP_")}
    return subprocess.run(
        [endcap_command(), *map(str, arguments)],
        env={**inherited, "ENDCAP_DATA_DIR": str(data_dir), **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )

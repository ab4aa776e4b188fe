"""
The client's page is a program: its blocks, one after another, run against the server.
"""

import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from tests.client.world import KEY
from tests.services.server import LiveServer, create_tracker

PAGE = Path(__file__).parents[2] / "docs" / "client.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_pages_examples_run(
    live_server: LiveServer, live_data_dir: Path, tmp_path: Path
) -> None:
    """Every example works as printed, with this server's address and a tracker of its own."""
    tracker = f"page-{uuid4().hex[:12]}"
    create_tracker(live_data_dir, tracker, KEY)
    printed = "\n".join(BLOCK.findall(PAGE.read_text()))
    program = printed.replace("http://127.0.0.1:8000", live_server.url).replace(
        "1234-5678", tracker
    )

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, f"{done.stderr}\n{done.stdout}"
    assert "Invalid pin definition provided" in done.stdout
    assert (tmp_path / "customizations.csv").read_text().startswith("id,created_at,")

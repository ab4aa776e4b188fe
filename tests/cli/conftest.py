"""
A shell before an empty folder, and one before a folder with a tracker.
"""

from pathlib import Path

import pytest

from tests.cli.driver import Shell


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


@pytest.fixture
def shell(empty: Shell) -> Shell:
    empty.create_tracker()
    return empty

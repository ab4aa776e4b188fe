"""
A shell before an empty folder, and one before a folder with a tracker.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from endcap.telemetry import log
from tests.cli.driver import Shell


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command sets up its process's logs. This process is the tests', and the stream that it saw is closed by now."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    vars(log).pop("bind", None)  # the logger that was made at its first use


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "data")


@pytest.fixture
def shell(empty: Shell) -> Shell:
    empty.create_tracker()
    return empty

"""
What /proc says of a process is read right.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import processes

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")


def test_own_memory_and_time() -> None:
    """This process has some megabytes and has been busy."""
    assert processes.memory_bytes(os.getpid()) > 1 << 20
    assert 0 < processes.cpu_seconds([os.getpid()]) <= sum(os.times()[:2]) + 0.1


def test_family_has_children() -> None:
    """A child belongs to it, and is gone from it with its end."""
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        assert child.pid in processes.family(os.getpid())
    finally:
        child.communicate(b"\n")

    assert child.pid not in processes.family(os.getpid())


def test_gone_process_has_nothing() -> None:
    """A process that ended is not an error: servers may end while they are looked at."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()

    assert processes.memory_bytes(child.pid) == 0
    assert processes.cpu_seconds([child.pid]) == 0
    assert processes.family(child.pid) == [child.pid]

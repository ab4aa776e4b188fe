"""
What the system says of a process: memory, time on the processors, children. Read from /proc.

Knows nothing of servers. Where there is no /proc (not Linux) memory and time are 0: tables then show what was not told.
"""

import os
from collections.abc import Iterable
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def memory_bytes(pid: int) -> int:
    """Resident memory."""
    for line in _text(pid, "status").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1_024
    return 0


def cpu_seconds(pids: Iterable[int]) -> float:
    """Time that the processes have had on the processors, in user code and in the kernel."""
    return sum(_cpu_ticks(pid) for pid in pids) / _TICKS_PER_SECOND


def _cpu_ticks(pid: int) -> int:
    # The second field is the program's name in brackets, which may hold spaces and brackets.
    _, _, rest = _text(pid, "stat").rpartition(")")
    fields = rest.split()
    return int(fields[11]) + int(fields[12]) if fields else 0


def family(pid: int) -> list[int]:
    """The process and all below it."""
    tasks = (_PROC / str(pid) / "task").glob("*/children")
    below = [int(child) for task in tasks for child in _text_of(task).split()]
    return [pid, *(one for child in below for one in family(child))]


def _text(pid: int, name: str) -> str:
    return _text_of(_PROC / str(pid) / name)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""

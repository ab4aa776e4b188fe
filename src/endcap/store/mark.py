"""
A word in a file that every process of one machine maps: whether anything was committed since one looked.

A writer that has become the only one puts an odd number there before it commits and an even one after, each never used
before. So the same even number read twice means that nothing was committed in between, and that what was committed
before the first look could be seen then. Nothing follows from a number that has changed: a writer may have failed, or
may have been overtaken between its commit and its mark.
"""

import mmap
import os
import random
from pathlib import Path

_WORD_BYTES = 8
_NUMBER_BITS = 62
FILE_MODE = 0o644


class CommitMark:
    """One a process and file; made when it is missing. Raises OSError where the file cannot be mapped."""

    def __init__(self, path: Path) -> None:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            if os.fstat(handle).st_size < _WORD_BYTES:
                os.truncate(handle, _WORD_BYTES)
            self._map = mmap.mmap(handle, _WORD_BYTES)
        finally:
            os.close(handle)
        self._word = memoryview(self._map).cast("Q")
        self._numbers = random.Random(os.urandom(_WORD_BYTES))

    def read(self) -> int | None:
        """The even number; None while somebody commits."""
        number: int = self._word[0]
        return None if number & 1 else number

    def begin(self) -> int | None:
        """Before a commit, by the only writer: what was read until now."""
        before = self.read()
        self._word[0] = self._numbers.getrandbits(_NUMBER_BITS) << 1 | 1
        return before

    def end(self) -> int:
        """After a commit, or after it was undone: what is read from now on."""
        after = self._numbers.getrandbits(_NUMBER_BITS) << 1
        self._word[0] = after
        return after

    def close(self) -> None:
        self._word.release()
        self._map.close()

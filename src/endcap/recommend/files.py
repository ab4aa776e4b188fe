"""
Folders of flat files that are there whole or not at all: written beside their place, made durable, and renamed.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAPPED_BYTES_MIN = 4_096


@contextmanager
def drafted(parent: Path) -> Iterator[Path]:
    """A folder to write in, gone at the end unless it was `settled`."""
    parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=parent))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def settled(draft: Path, target: Path) -> None:
    """Gives a folder its name, durably; if there is one of that name it has the same content."""
    if target.exists():
        return
    sync_directory(draft)
    draft.chmod(0o755)
    draft.rename(target)
    sync_directory(target.parent)


def write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def save_durably(path: Path, values: NDArray[Any]) -> None:
    """As `.npy`."""
    with path.open("wb") as file:
        np.save(file, values, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Makes names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def mapped(path: Path) -> NDArray[Any]:
    """An array over the file's pages; as a plain one, because indexing a memmap costs more."""
    small = path.stat().st_size < _MAPPED_BYTES_MIN  # and without elements it could not be mapped
    return np.asarray(np.load(path, mmap_mode=None if small else "r"))

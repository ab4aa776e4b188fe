"""
Says what a test needs and this machine may lack.

On a laptop the test is skipped with the reason; where CI is set a missing need is a failure,
because a check that quietly did not run is worse than none.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}


def lacking(reason: str) -> NoReturn:
    """Ends the test: skipped on a laptop, failed in CI."""
    if in_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need_program(*names: str) -> Path:
    """The first of these programs that is installed; several names are several spellings of one."""
    for name in names:
        found = shutil.which(name)
        if found:
            return Path(found)
    lacking(f"{' or '.join(names)} is not installed; scripts/test installs it when run as root")


def need_php_curl() -> Path:
    """PHP with its curl extension, which Debian packages apart."""
    php = need_program("php")
    modules = subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout
    if "curl" not in modules.split():
        lacking("PHP has no curl extension; Debian's package is php-curl")
    return php


def need_shared_data() -> Path:
    """The folder of real data sets, which lies beside the checkout and is not part of it."""
    default = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("ENDCAP_SHARED_DATA") or default)
    if not folder.is_dir():
        lacking(f"no data sets in {folder}; ENDCAP_SHARED_DATA names another folder")
    return folder

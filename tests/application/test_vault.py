"""
Private keys at rest.
"""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from endcap.config import load
from endcap.errors import UsageFault
from endcap.vault import KEY_FILE, Vault, open_vault


def test_a_sealed_key_opens_to_itself_and_does_not_show() -> None:
    """Sealed twice it looks different, opened it is the same."""
    vault = Vault("a master key of some length")

    sealed = vault.seal("your_private_api_key")

    assert vault.open(sealed) == "your_private_api_key"
    assert b"your_private" not in sealed
    assert sealed != vault.seal("your_private_api_key")


def test_another_master_key_does_not_open_it() -> None:
    """The message says what to set."""
    sealed = Vault("a master key of some length").seal("secret")

    with pytest.raises(UsageFault, match="ENDCAP_MASTER_KEY"):
        Vault("another master key, as long").open(sealed)


def test_a_short_master_key_is_refused() -> None:
    """A password is no key."""
    with pytest.raises(UsageFault, match="16 characters"):
        Vault("hunter2")


def test_the_key_file_is_made_once_and_is_private(tmp_path: Path) -> None:
    """Many processes that start at once agree on one key; nobody else can read it."""
    settings = load({}, {"data_dir": str(tmp_path / "data")})

    with ThreadPoolExecutor(8) as executor:
        vaults = list(executor.map(lambda _: open_vault(settings), range(8)))

    sealed = vaults[0].seal("secret")
    assert [vault.open(sealed) for vault in vaults] == ["secret"] * 8
    path = settings.data_dir / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in settings.data_dir.iterdir()] == [KEY_FILE]

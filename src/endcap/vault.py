"""
Private keys at rest: sealed with a master key, since signatures need them in the clear.

The master key is the setting `ENDCAP_MASTER_KEY` or, without one, a file with mode 600 in the data directory, made on
first use. Several hosts on one database need the same master key.
"""

import base64
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from endcap.config import Settings
from endcap.errors import UsageFault

KEY_FILE = "master.key"
MASTER_KEY_CHARACTERS_MIN = 16
PRIVATE_KEY_BYTES = 32


class Vault:
    """Seals and opens private keys."""

    def __init__(self, master_key: str) -> None:
        if len(master_key) < MASTER_KEY_CHARACTERS_MIN:
            raise UsageFault(
                f"ENDCAP_MASTER_KEY needs at least {MASTER_KEY_CHARACTERS_MIN} characters"
            )
        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"endcap private keys").derive(
            master_key.encode()
        )
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def seal(self, private_key: str) -> bytes:
        return self._fernet.encrypt(private_key.encode())

    def open(self, sealed: bytes) -> str:
        """Raises UsageFault if another master key sealed it."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise UsageFault(
                "A private key was sealed with another master key: set ENDCAP_MASTER_KEY, or put the "
                f"{KEY_FILE} file of the host that made the tracker into the data directory"
            ) from error


def open_vault(settings: Settings) -> Vault:
    """The vault that the settings name; makes the key file when it is missing."""
    return Vault(settings.master_key or _key_from_file(settings.data_dir / KEY_FILE))


def new_private_key() -> str:
    return secrets.token_urlsafe(PRIVATE_KEY_BYTES)


def _key_from_file(path: Path) -> str:
    """Read, or made by exactly one process: the others read what that one wrote."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _publish(path, secrets.token_urlsafe(PRIVATE_KEY_BYTES))
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise UsageFault(f"The key file {path} cannot be used: {error}") from error


def _publish(path: Path, key: str) -> None:
    """Writes beside and links into place: the file is never seen empty, and the first one stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()

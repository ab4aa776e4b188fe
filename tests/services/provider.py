"""
An OpenID provider as a process of its own, on loopback, on a free port: Canaille, which people really sign in to.

Started again it has its port, its users and its client of before, and a new signing key.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.services.ports import free_port

START_SECONDS_MAX = 60.0
CLIENT_ID = "endcap"
CLIENT_SECRET = "what-only-endcap-and-the-provider-know"
PASSWORD = "correct horse battery staple"
ROOT = Path(__file__).parents[2]
_FIELD = re.compile(r'<input[^>]*name="(csrf_token)"[^>]*value="([^"]*)"')


class LiveProvider:
    """A provider that can be stopped and started again. Its issuer ends in a slash, as it says itself."""

    def __init__(self, folder: Path, *, port: int, told: Mapping[str, Any]) -> None:
        self.port = port
        self.issuer = f"http://127.0.0.1:{port}/"
        self._log = folder / "provider.log"
        self._file = folder / "provider.json"
        self._file.write_text(json.dumps({**told, "port": port}))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def settings(self) -> dict[str, str]:
        """With which Endcap knows it."""
        return {
            "oidc_issuer": self.issuer,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": CLIENT_SECRET,
            "oidc_scopes": "openid profile email groups",
        }

    def start(self) -> None:
        """Returns when it answers."""
        command = [sys.executable, "-m", "tests.services.provider_main", str(self._file)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS_MAX
        with httpx2.Client(trust_env=False) as http:
            while self._process.poll() is None and time.monotonic() < until:
                with suppress(httpx2.TransportError):
                    if (
                        http.get(f"{self.issuer}.well-known/openid-configuration").status_code
                        == 200
                    ):
                        return
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the provider did not become ready:\n{self._log.read_text()[-8_000:]}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def start_provider(
    folder: Path, users: Mapping[str, Sequence[str]], *, back: Sequence[str]
) -> LiveProvider:
    """Users with their groups; `back` are the addresses of Endcap that it may send people back to."""
    told = {
        "users": {
            name: {"email": f"{name}@shop.example", "password": PASSWORD, "groups": list(groups)}
            for name, groups in users.items()
        },
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [f"{each}/console/oidc/callback" for each in back],
        "after_logout": [f"{each}/console/sign-in" for each in back],
    }
    provider = LiveProvider(folder, port=free_port(), told=told)
    provider.start()
    return provider


def sign_in_at(url: str, name: str, *, password: str = PASSWORD) -> str:
    """What a person does at the provider who is sent to an address; where it sends them back to."""
    with httpx2.Client(trust_env=False) as http:
        answer = http.get(url)
        for _ in range(12):
            if answer.is_redirect:
                onward = str(answer.url.join(answer.headers["location"]))
                if urlsplit(onward).path == "/console/oidc/callback":
                    return onward
                answer = http.get(onward)
                continue
            fields = dict(_FIELD.findall(answer.text))
            typed = {"password": password} if 'name="password"' in answer.text else {"login": name}
            answer = http.post(str(answer.url), data={**fields, **typed})
    raise RuntimeError(
        f"the provider does not send {name} back: {answer.status_code} {answer.text[:2_000]}"
    )

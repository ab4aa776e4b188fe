"""
Drives the console in process: one server, and as many visitors as a test wants, each with cookies of its own.
"""

import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import argon2
import httpx2
from msgspec.structs import replace

from endcap.accounts import EVERY_TRACKER, ROLES, Accounts
from endcap.api.app import App, build
from endcap.store import open_accounts
from endcap.web.console import Console
from tests.api.driver import TRACKER, Server, ToldClock, http_over, settings_of

HOST = "endcap.test"
ORIGIN = f"http://{HOST}"
PASSWORD = "a long enough password"
LIST = f"/console/t/{TRACKER}/customizations"
CHANGE = f"/console/t/{TRACKER}/change"
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_FIELD = re.compile(r'<input[^>]*name="csrf"[^>]*value="([^"]*)"')
_SCRIPTS = re.compile(
    r"<(script|style)\b[^>]*>.*?</\1>|<span class=\"thumb[^>]*>[^<]*</span>", re.DOTALL
)


class ConsoleServer(Server):
    """The application with its console; passwords are hashed with little work."""

    def __init__(self, data_dir: Path, clock: ToldClock, **settings: Any) -> None:
        super().__init__(data_dir, clock, **settings)
        self.app.stop()
        chosen = settings_of(data_dir, **settings)
        parts = build(chosen, clock=clock)
        parts.accounts.close()
        accounts = Accounts(
            open_accounts(chosen.store_url),
            idle_seconds=chosen.console_session_idle_minutes * 60,
            session_seconds=chosen.console_session_hours * 3_600,
            clock=clock,
            hasher=QUICK,
        )
        self.parts = replace(parts, accounts=accounts)
        self.console = Console(self.parts)
        self.app = App(self.parts, also=[self.console.mount])
        self.app.start()
        self._http = http_over(self.app)

    def create_user(self, name: str, role: str = "admin", tracker: str = EVERY_TRACKER) -> None:
        self.parts.accounts.create(name, PASSWORD, {tracker: ROLES[role]}, actor="test")

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> httpx2.Response:
        request = self._http.build_request(method, path, content=body, headers=dict(headers))
        return self._runner.run(self._http.send(request, follow_redirects=False))


class Visitor:
    """A browser without a screen: it keeps cookies, says where its forms come from, and fills their token in."""

    def __init__(self, server: ConsoleServer, *, host: str = HOST) -> None:
        self.server = server
        self.host = host
        self.cookies: dict[str, str] = {}
        self.set_cookies: list[str] = []
        self.csrf = ""

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self._send("GET", path, None, headers)

    def post(self, path: str, fields: Any = (), **headers: str) -> httpx2.Response:
        """With the token of the last page that had one, unless the fields name another."""
        pairs = list(fields.items() if isinstance(fields, Mapping) else fields)
        if all(name != "csrf" for name, _ in pairs):
            pairs.append(("csrf", self.csrf))
        sent = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"http://{self.host}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self._send("POST", path, urlencode(pairs).encode(), sent)

    def post_files(
        self,
        path: str,
        fields: Mapping[str, Any],
        files: Mapping[str, tuple[str, bytes]],
        **headers: str,
    ) -> httpx2.Response:
        """As a form with `enctype="multipart/form-data"` is sent; a file that was not chosen has no name."""
        data = {"csrf": self.csrf, **fields}
        made = httpx2.Request("POST", ORIGIN, data=data, files=files or {"file": ("", b"")})
        sent = {
            "Content-Type": made.headers["content-type"],
            "Origin": f"http://{self.host}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self._send("POST", path, made.read(), sent)

    def follow(self, answer: httpx2.Response) -> httpx2.Response:
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])

    def sign_in(self, name: str = "ann", password: str = PASSWORD) -> httpx2.Response:
        self.get("/console/sign-in")
        answer = self.post("/console/sign-in", {"name": name, "password": password})
        if answer.status_code == 303:
            self.get("/console/account")
        return answer

    def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> httpx2.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Host": self.host, **({"Cookie": cookie} if cookie else {}), **headers}
        answer = self.server.ask(method, path, {k: v for k, v in sent.items() if v != "-"}, body)
        self.set_cookies = answer.headers.get_list("set-cookie")
        for text in self.set_cookies:
            name, _, value = text.partition(";")[0].partition("=")
            if "Max-Age=0" in text:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        if tokens := _FIELD.findall(answer.text):
            self.csrf = tokens[0]
        return answer


def text_of(answer: httpx2.Response) -> str:
    """What a page says: no tags, no letters that stand for pictures, no runs of spaces."""
    stripped = re.sub(r"<[^>]+>", " ", _SCRIPTS.sub(" ", answer.text))
    return " ".join(unescape(stripped).split())


def picks_of(answer: httpx2.Response) -> list[str]:
    """The values of the boxes that choose rows, in order."""
    return re.findall(r'name="pick" value="([^"]+)"', answer.text)


def hidden_of(answer: httpx2.Response) -> list[tuple[str, str]]:
    """The hidden fields of the form that confirms, in order."""
    form = answer.text.partition('name="confirmed"')[0].rpartition("<form")[2]
    rest = answer.text.partition('name="confirmed"')[2].partition("</form>")[0]
    found = re.findall(r'name="(\w+)" value="([^"]*)"', form)
    confirmed = re.match(r'\s+value="([^"]*)"', rest)
    assert confirmed is not None, answer.text
    later = re.findall(r'name="(\w+)" value="([^"]*)"', rest)
    return [(k, unescape(v)) for k, v in [*found, ("confirmed", confirmed[1]), *later]]

"""
Signing in by the provider that settings name, and out again there.

The way there is a link and not a form: the policy of our pages lets no form go elsewhere. What the provider says is
turned into a session of our own, which is like any other from then on.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from endcap.api.http import Response
from endcap.errors import Problem, ProviderUnavailable, SignInRefused
from endcap.identities import Identities, Vouched
from endcap.roles import read_role_map
from endcap.web.doors import door, signed_in
from endcap.web.modules import Ground, PageModule, Route
from endcap.web.openid import Claims, Provider, value_of
from endcap.web.visits import PROVIDER, Visit, inside, redirect

BASE = "/console/oidc"
CALLBACK = f"{BASE}/callback"
MINUTES_MAX = 10  # for signing in at the provider
GROUPS_MAX = 1_000


class SingleSignOnPages(PageModule):
    def __init__(self, ground: Ground) -> None:
        """Raises UsageFault for settings that cannot work."""
        settings = ground.parts.settings
        self._ground = ground
        self._settings = settings
        self._provider = Provider(settings, ground.accounts.clock) if settings.oidc_issuer else None
        self._roles = read_role_map(settings.oidc_roles)
        self._identities = Identities(
            ground.accounts,
            roles=self._roles,
            email_domains=settings.oidc_email_domains,
            link_by_email=settings.oidc_link_by_email,
        )

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", f"{BASE}/start", "enter", self.start),
            Route("GET", CALLBACK, "enter", self.callback),
            Route("GET", f"{BASE}/sign-out", "enter", self.sign_out),
        )

    async def start(self, visit: Visit) -> Response:
        """To the provider."""
        goes_on = inside(visit.query.get("next"))
        if self._provider is None or visit.who is not None:
            return redirect(goes_on if visit.who else "/console/sign-in")
        try:
            beginning = await self._provider.begin(self._address(visit, CALLBACK), next=goes_on)
        except ProviderUnavailable as problem:
            return door(self._ground, visit, goes_on=goes_on, problem=problem, status=503)
        cookie = visit.setting(PROVIDER, beginning.secret, seconds=MINUTES_MAX * 60)
        return Response(303, b"", ((b"location", beginning.url.encode()), cookie))

    async def callback(self, visit: Visit) -> Response:
        """From the provider: whatever is said, it is said to this sign-in alone, whose cookie is taken away."""
        over = visit.setting(PROVIDER, "", seconds=0)
        if self._provider is None:
            return redirect("/console/sign-in")
        try:
            claims = await self._provider.finish(
                dict(visit.query.pairs),
                visit.cookie(PROVIDER),
                self._address(visit, CALLBACK),
                self._wanted(),
            )
            agent = visit.request.header(b"user-agent") or ""
            token = await asyncio.to_thread(
                lambda: self._identities.sign_in(
                    vouched(claims, self._settings.oidc_roles_claim),
                    address=visit.address,
                    agent=agent,
                )
            )
        except (SignInRefused, ProviderUnavailable) as problem:
            return self._refused(visit, problem, over)
        answer = signed_in(self._ground, visit, token, claims.next)
        return Response(answer.status, answer.body, (*answer.headers, over))

    async def sign_out(self, visit: Visit) -> Response:
        """There too: here it is over already, or the session stays as it is."""
        here = "/console/sign-in"
        if self._provider is None:
            return redirect(here)
        try:
            url = await self._provider.sign_out_url(self._address(visit, here))
        except ProviderUnavailable as problem:
            return door(self._ground, visit, problem=problem, status=503)
        return Response(303, b"", ((b"location", (url or here).encode()),))

    def _refused(self, visit: Visit, problem: Problem, over: tuple[bytes, bytes]) -> Response:
        status = 503 if isinstance(problem, ProviderUnavailable) else 401
        return door(self._ground, visit, problem=problem, status=status, headers=(over,))

    def _wanted(self) -> list[str]:
        """Claims that matter: of others the provider need not be asked."""
        wanted = [self._settings.oidc_roles_claim] if self._roles else []
        by_email = self._settings.oidc_email_domains or self._settings.oidc_link_by_email
        return [*wanted, *(["email", "email_verified"] if by_email else ["email"])]

    def _address(self, visit: Visit, path: str) -> str:
        """As browsers reach us, which the provider knows."""
        host = visit.request.header(b"host") or ""
        scheme = "https" if visit.is_secure else "http"
        return (self._settings.public_url.rstrip("/") or f"{scheme}://{host}") + path


def vouched(claims: Claims, roles_claim: str) -> Vouched:
    """What matters here of what the provider says."""
    said = claims.said
    is_verified = said.get("email_verified") in (True, "true")
    return Vouched(
        claims.issuer,
        claims.subject,
        _text(said, "email") if is_verified else "",
        _text(said, "preferred_username") or _text(said, "name"),
        frozenset(_texts(value_of(said, roles_claim))),
    )


def _text(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def _texts(sent: object) -> list[str]:
    """A list of texts, or one."""
    if isinstance(sent, str):
        return [sent]
    if not isinstance(sent, list):
        return []
    return [each for each in sent[:GROUPS_MAX] if isinstance(each, str)]

"""
Signing in and out, and what is everybody's own: password, sessions, light or dark.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from endcap.accounts import PASSWORD_CHARACTERS_MIN
from endcap.api.http import Response
from endcap.api.threads import ask
from endcap.errors import AccountFault, FormRefused, Problem, SignInRefused, TooManyAttempts
from endcap.web import words
from endcap.web.modules import Ground, PageModule, Route
from endcap.web.visits import (
    SESSION,
    THEME,
    THEMES,
    VISIT,
    YEAR_SECONDS,
    Visit,
    csrf_of,
    inside,
    redirect,
)

VISIT_SECONDS = 24 * 3_600
LOG_LINES = 10
EVENT_WORDS = {
    "failed": "Attempt that failed",
    "signed_in": "Signed in",
    "signed_out": "Signed out",
    "signed_out_everywhere": "Signed out everywhere",
    "linked": "Linked to a provider",
    "link_made": "Sign-in link made",
    "created": "User created",
    "deleted": "User deleted",
    "disabled": "User disabled",
    "enabled": "User enabled",
    "password": "Password changed",
    "role": "Role changed",
}


class DoorPages(PageModule):
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._accounts = ground.accounts
        self._pages = ground.pages
        self._settings = ground.parts.settings

    def routes(self) -> Sequence[Route]:
        account = "/console/account"
        everywhere = f"{account}/sign-out-everywhere"
        return (
            Route("GET", "/console", "own", self.home),
            Route("GET", "/console/sign-in", "enter", self.door),
            Route("POST", "/console/sign-in", "enter", self.sign_in),
            Route("POST", "/console/sign-out", "own", self.sign_out),
            Route("POST", "/console/theme", "enter", self.theme),
            Route("GET", account, "own", self.account),
            Route("POST", f"{account}/password", "own", self.password),
            Route("POST", everywhere, "own", self.sign_out_everywhere),
        )

    async def home(self, visit: Visit) -> Response:
        """The first tracker, or what to do where there is none."""
        trackers = self._pages.trackers(visit.user)
        if trackers:
            return redirect(trackers[0].url)
        return self._pages.answer("home", visit)

    async def door(self, visit: Visit) -> Response:
        if visit.who is not None:
            return redirect(inside(visit.query.get("next", "/console")))
        notice = (
            "Your session has ended. Sign in, and repeat what you did last."
            if visit.query.get("ended")
            else ""
        )
        return self._door(visit, goes_on=visit.query.get("next"), notice=notice)

    async def sign_in(self, visit: Visit) -> Response:
        form = visit.form
        if visit.who is not None:
            return redirect(inside(form.get("next")))
        if not self._settings.console_passwords:
            problem = SignInRefused("Passwords are switched off here")
            return self._door(visit, problem=problem, status=401)
        agent = visit.request.header(b"user-agent") or ""
        try:
            token = await self._accounts.sign_in_aside(
                form.get("name"), form.exact("password"), address=visit.address, agent=agent
            )
        except (SignInRefused, TooManyAttempts) as problem:
            return self._refused(visit, problem)
        return signed_in(self._ground, visit, token, form.get("next"))

    async def sign_out(self, visit: Visit) -> Response:
        await ask(lambda: self._accounts.sign_out(visit.user, address=visit.address), inline=False)
        out = "?out=1" if self._settings.oidc_issuer else ""
        return redirect(f"/console/sign-in{out}", visit.setting(SESSION, "", seconds=0))

    async def theme(self, visit: Visit) -> Response:
        theme = visit.form.get("theme")
        if theme not in THEMES:
            raise FormRefused("Must be auto, light or dark")
        back = inside(visit.form.get("next"))
        return redirect(back, visit.setting(THEME, theme, seconds=YEAR_SECONDS))

    async def account(self, visit: Visit) -> Response:
        return await self._account(visit)

    async def password(self, visit: Visit) -> Response:
        form = visit.form
        new = form.exact("new")
        try:
            if not self._settings.console_passwords:
                raise AccountFault("Passwords are switched off here")
            if new != form.exact("again"):
                said = "The new password and its repetition are not the same"
                raise AccountFault(said, {"again": ["Type the new password once more"]})
            await self._accounts.change_password_aside(
                visit.user, old=form.exact("old"), new=new, address=visit.address
            )
        except (AccountFault, SignInRefused, TooManyAttempts) as problem:
            return await self._account(visit, problem)
        return redirect("/console/account?done=password")

    async def sign_out_everywhere(self, visit: Visit) -> Response:
        who = visit.user
        await ask(
            lambda: self._accounts.sign_out_everywhere(who.name, actor=who.name), inline=False
        )
        return redirect("/console/sign-in", visit.setting(SESSION, "", seconds=0))

    def _door(
        self,
        visit: Visit,
        *,
        goes_on: str = "",
        notice: str = "",
        problem: Problem | None = None,
        name: str = "",
        status: int = 200,
    ) -> Response:
        return door(
            self._ground,
            visit,
            goes_on=goes_on,
            notice=notice,
            problem=problem,
            name=name,
            status=status,
        )

    def _refused(self, visit: Visit, problem: Problem) -> Response:
        if isinstance(problem, TooManyAttempts):
            minutes = max(1, problem.retry_after_seconds // 60)
            problem = TooManyAttempts(problem.retry_after_seconds)
            problem.reason = (
                f"Too many attempts failed. Try again in {words.plural(minutes, 'minute')}"
            )
        status = 429 if isinstance(problem, TooManyAttempts) else 401
        form = visit.form
        return self._door(
            visit, goes_on=form.get("next"), problem=problem, name=form.get("name"), status=status
        )

    async def _account(self, visit: Visit, problem: Problem | None = None) -> Response:
        store, who = self._accounts.store, visit.user
        sessions = await ask(lambda: store.sessions(who.name), inline=False)
        lines = await ask(lambda: store.log(who.name, limit=LOG_LINES), inline=False)
        identities = await ask(lambda: store.identities(who.name), inline=False)
        now = self._accounts.clock()
        return self._pages.answer(
            "account",
            visit,
            status=200 if problem is None else 422,
            problem=problem,
            done=visit.query.get("done"),
            characters_min=PASSWORD_CHARACTERS_MIN,
            passwords=self._settings.console_passwords,
            issuers=list(dict.fromkeys(each.issuer for each in identities)),
            roles=sorted((tracker, role.word) for tracker, role in who.roles.items()),
            sessions=[
                {
                    "is_this": each.digest == who.session,
                    "seen": words.ago(each.seen_at, now),
                    "began": words.full_text(each.created_at),
                    "address": each.address,
                    "agent": each.agent or "unknown browser",
                }
                for each in sessions
            ],
            lines=[
                {
                    "what": EVENT_WORDS[each.event],
                    "when": words.full_text(each.at),
                    "actor": each.actor,
                    "address": each.address,
                }
                for each in lines
            ],
        )


def door(
    ground: Ground,
    visit: Visit,
    *,
    goes_on: str = "",
    notice: str = "",
    problem: Problem | None = None,
    name: str = "",
    status: int = 200,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Response:
    """The page before anybody is signed in; it has a cookie too, and its form the token that follows from it."""
    settings = ground.parts.settings
    token = visit.cookie(VISIT) or ground.accounts.new_token()
    next_ = inside(goes_on)
    return ground.pages.answer(
        "sign_in",
        visit,
        status=status,
        headers=(visit.setting(VISIT, token, seconds=VISIT_SECONDS), *headers),
        csrf=csrf_of(token),
        next=next_,
        notice=notice,
        problem=problem,
        name=name,
        passwords=settings.console_passwords,
        provider=settings.oidc_label if settings.oidc_issuer else "",
        provider_url=f"/console/oidc/start?{urlencode({'next': next_})}",
        is_out=bool(visit.query.get("out")),
    )


def signed_in(ground: Ground, visit: Visit, token: str, goes_on: str) -> Response:
    """On to where somebody wanted to go, with the cookie of their session."""
    seconds = round(ground.accounts.session_seconds)
    return redirect(
        inside(goes_on),
        visit.setting(SESSION, token, seconds=seconds),
        visit.setting(VISIT, "", seconds=0),
    )

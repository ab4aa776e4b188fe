"""
Links that sign somebody in once, made at the server by `endcap user link`: the way back where passwords are switched
off and the provider is away.

Opening one changes nothing, for mail programs and browsers open links by themselves; the button on its page uses it.
"""

from collections.abc import Sequence

from endcap.api.http import Response
from endcap.api.threads import ask
from endcap.errors import SignInRefused
from endcap.web.doors import VISIT_SECONDS, door, signed_in
from endcap.web.modules import Ground, PageModule, Route
from endcap.web.visits import VISIT, Visit, csrf_of

PATH = "/console/link"


class LinkPages(PageModule):
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._accounts = ground.accounts

    def routes(self) -> Sequence[Route]:
        return (
            Route("GET", PATH, "enter", self.page),
            Route("POST", PATH, "enter", self.use),
        )

    async def page(self, visit: Visit) -> Response:
        """Whom it is for."""
        token = visit.query.get("token")
        name = await ask(lambda: self._accounts.link_owner(token), inline=False)
        if name is None:
            said = "This link is used or over; who runs the server can make another"
            return door(self._ground, visit, problem=SignInRefused(said), status=401)
        kept = visit.cookie(VISIT) or self._accounts.new_token()
        return self._ground.pages.answer(
            "link",
            visit,
            headers=(visit.setting(VISIT, kept, seconds=VISIT_SECONDS),),
            csrf=visit.who.csrf if visit.who else csrf_of(kept),
            token=token,
            name=name,
        )

    async def use(self, visit: Visit) -> Response:
        """In place of a session that this browser may have."""
        token, agent = visit.form.get("token"), visit.request.header(b"user-agent") or ""
        try:
            session = await ask(
                lambda: self._accounts.sign_in_by_link(token, address=visit.address, agent=agent),
                inline=False,
            )
        except SignInRefused as problem:
            return door(self._ground, visit, problem=problem, status=401)
        return signed_in(self._ground, visit, session, "/console")

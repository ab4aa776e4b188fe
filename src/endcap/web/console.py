"""
The console: its routes, and the one way in to all of them.

Whatever a page does, it is let in here: cookies are read, the session is asked for, a form must come from a page of
ours and carry its session's token, the role must allow the verb, the tracker must exist. What goes wrong becomes
a page that says so.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

from msgspec.structs import replace

from endcap.accounts import SignedIn
from endcap.api.app import Parts
from endcap.api.http import Disconnected, Endpoint, Request, Response, Routes
from endcap.api.threads import ask
from endcap.bulk import Bulk
from endcap.errors import (
    AccountFault,
    FormRefused,
    MethodNotAllowed,
    PathNotFound,
    Problem,
    RoleLacking,
    SignInRefused,
    TooManyAttempts,
    TooManyRequests,
    TrackerNotFound,
    UsageFault,
)
from endcap.finders import Finders
from endcap.rosters import Rosters
from endcap.shops import Shop
from endcap.telemetry import log
from endcap.web import access
from endcap.web.access import Verb
from endcap.web.assets import BASE, packaged_assets
from endcap.web.attention import AttentionPages
from endcap.web.audit import AuditPages
from endcap.web.campaigns import CalendarPages
from endcap.web.changes import ChangePages
from endcap.web.copies import CopyPages
from endcap.web.doors import DoorPages
from endcap.web.drafts import DraftPages
from endcap.web.editor import EditorPages
from endcap.web.exports import ExportPages
from endcap.web.imports import ImportPages
from endcap.web.links import LinkPages
from endcap.web.lists import ListPages
from endcap.web.modules import Ground, PageModule, Route
from endcap.web.one import OnePages
from endcap.web.pages import Pages
from endcap.web.past import PastPages
from endcap.web.single_sign_on import SingleSignOnPages
from endcap.web.typeahead import PickPages
from endcap.web.visits import (
    NO_FORM,
    SESSION,
    VISIT,
    Form,
    Visit,
    check_csrf,
    check_origin,
    csrf_of,
    form_of,
    form_with_files,
    page,
    redirect,
    security_headers,
    visit_of,
)
from endcap.wire.problems import INTERNAL, status_of

FORM_BYTES_MAX = 1_000_000
UPLOADS_MAX = 4  # on their way, in this worker
UPLOAD_WAIT_SECONDS = 10  # what a fifth is told
TITLES: Mapping[int, str] = {
    400: "This cannot be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Changed meanwhile",
    412: "Changed meanwhile",
    413: "Too much at once",
    415: "This cannot be read",
    422: "This cannot be done",
    429: "Too many attempts",
    500: "Something went wrong here",
    503: "Not ready yet",
}
_STATUSES: Mapping[type[Problem], int] = {
    SignInRefused: 401,
    RoleLacking: 403,
    FormRefused: 403,
    UsageFault: 422,
    AccountFault: 422,
    TooManyAttempts: 429,
}
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?", re.ASCII)

MODULES: Sequence[type[PageModule]] = (
    AttentionPages,
    AuditPages,
    CalendarPages,
    ChangePages,
    CopyPages,
    DoorPages,
    DraftPages,
    EditorPages,
    ExportPages,
    ImportPages,
    LinkPages,
    ListPages,
    OnePages,
    PastPages,
    PickPages,
    SingleSignOnPages,
)
"""Every module of pages, by name."""


class Console:
    """Pages over the parts of one process."""

    def __init__(self, parts: Parts) -> None:
        for origin in parts.settings.console_picture_hosts:
            if not _ORIGIN.fullmatch(origin):
                raise UsageFault(
                    f"console_picture_hosts must name origins, e.g. https://cdn.example.com, not {origin}"
                )
        self._parts = parts
        self._assets = packaged_assets()
        sections = [section for module in MODULES for section in module.sections]
        self._pages = Pages(parts.service, self._assets, sections)
        self._headers = security_headers(parts.settings)
        self._uploads = 0
        bulk = Bulk(parts.store, parts.committer)
        ground = Ground(parts, self._pages, Rosters(), bulk, Finders())
        self.routes: Sequence[Route] = [
            route for module in MODULES for route in module(ground).routes()
        ]

    def mount(self, routes: Routes) -> None:
        """Where two patterns match a path, that with fewer parameters answers: `…/new` before `…/{id}`."""
        by_path: dict[str, dict[str, Endpoint]] = {}
        for route in sorted(self.routes, key=lambda route: route.path.count("{")):
            by_path.setdefault(route.path, {})[route.method] = self._endpoint(route)
        for path, endpoints in by_path.items():
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                if method not in endpoints:
                    endpoints[method] = self._refusing(sorted(set(endpoints) & {"GET", "POST"}))
            routes.add(path, **endpoints)
        routes.add(f"{BASE}{{file}}", GET=self._guarded(self._assets.get))
        routes.add_below("/console/", self._guarded(self._nowhere))

    def _endpoint(self, route: Route) -> Endpoint:
        return self._guarded(lambda request: self._answer(route, request))

    def _refusing(self, allowed: list[str]) -> Endpoint:
        async def refuse(request: Request) -> Response:
            raise MethodNotAllowed(allowed)

        return self._guarded(refuse)

    async def _nowhere(self, request: Request) -> Response:
        raise PathNotFound(details={"path": [f"No such page: {request.path}"]})

    def _guarded(self, answer: Endpoint) -> Endpoint:
        """Every answer carries the headers; what goes wrong is a page."""

        async def endpoint(request: Request) -> Response:
            try:
                response = await answer(request)
            except Disconnected:
                raise
            except Problem as problem:
                response = await self._problem_page(request, problem)
            except Exception as error:  # noqa: BLE001 - whatever escapes is logged whole and answered as internal
                log.error(
                    "internal error",
                    request_id=request.request_id,
                    method=request.method,
                    path=request.path,
                    exc_info=error,
                )
                response = await self._problem_page(request, Problem("internal error"))
            own = {name for name, _ in response.headers}
            rest = tuple(each for each in self._headers if each[0] not in own)
            return Response(response.status, response.body, (*response.headers, *rest))

        return endpoint

    # The way in

    async def _answer(self, route: Route, request: Request) -> Response:
        visit = visit_of(request, self._parts.settings)
        if route.method == "POST":
            check_origin(request)
        token = visit.cookie(SESSION)
        visit = replace(visit, who=await self._who(token), section=route.section)
        if route.verb != "enter" and visit.who is None:
            return self._to_the_door(visit)
        if "tracker" in request.parameters:
            visit = replace(visit, shop=self._shop(visit.user, request, route.verb))
        if route.method == "POST":
            form = await self._form(route, request)
            wanted = visit.who.csrf if visit.who else csrf_of(visit.cookie(VISIT))
            if not wanted:
                raise FormRefused(
                    "Your browser did not keep the cookie of this page. The console needs HTTPS, or to be opened on "
                    "the machine that it runs on; and cookies must be allowed"
                )
            check_csrf(form, wanted)
            visit = replace(visit, form=form)
        return await route.answer(visit)

    async def _form(self, route: Route, request: Request) -> Form:
        """Raises TooManyRequests where too many files come at once: each is held in memory."""
        if not route.takes_files:
            return await form_of(request, FORM_BYTES_MAX)
        if self._uploads >= UPLOADS_MAX:
            raise TooManyRequests(UPLOAD_WAIT_SECONDS)
        self._uploads += 1
        try:
            bytes_max = self._parts.settings.console_upload_bytes_max
            return await form_with_files(
                request, bytes_max=bytes_max, form_bytes_max=FORM_BYTES_MAX
            )
        finally:
            self._uploads -= 1

    async def _who(self, token: str) -> SignedIn | None:
        if not token:
            return None
        accounts = self._parts.accounts
        return await ask(lambda: accounts.find(token), inline=accounts.store.inline)

    def _shop(self, who: SignedIn, request: Request, verb: Verb) -> Shop:
        """A tracker that somebody may not even look at is not there for them. Raises TrackerNotFound, RoleLacking."""
        tracker = unquote(request.parameters["tracker"])
        if not access.may(who, "look", tracker):
            raise TrackerNotFound(
                details={"tracker": [f"There is no tracker {tracker}, or none for you"]}
            )
        access.check(who, verb, tracker)
        return self._parts.service.shop(tracker)

    def _to_the_door(self, visit: Visit) -> Response:
        """A form cannot be repeated by itself, so only pages are come back to."""
        if visit.request.method in ("GET", "HEAD"):
            return redirect(f"/console/sign-in?next={quote(visit.here(), safe='')}")
        return redirect("/console/sign-in?ended=1")

    # What goes wrong

    async def _problem_page(self, request: Request, problem: Problem) -> Response:
        status = _STATUSES.get(type(problem)) or status_of(problem)
        if status == INTERNAL:
            problem = Problem(
                "It is in the server's log under this number: give it to who runs the server",
                {"request": [request.request_id]},
            )
        headers: tuple[tuple[bytes, bytes], ...] = ()
        if isinstance(problem, MethodNotAllowed):
            headers = ((b"allow", ", ".join(problem.allowed).encode()),)
        elif (seconds := getattr(problem, "retry_after_seconds", None)) is not None:
            headers = ((b"retry-after", str(seconds).encode()),)
        try:
            visit = visit_of(request, self._parts.settings)
            visit = replace(visit, who=await self._who(visit.cookie(SESSION)))
        except Problem:
            visit = Visit(request, NO_FORM, {}, request.address)
        body = self._pages.render(
            "problem",
            visit,
            title=TITLES.get(status, "This cannot be done"),
            problem=problem,
            status=status,
        )
        return page(body, status, *headers)

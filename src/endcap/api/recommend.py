"""
Endpoints 8 and 9: recommendations, public and for browsers, in the words of v1 and of v2.

A signature on it is ignored, unless an explanation is asked for: that shows rules, so it needs one.
"""

import re
from collections.abc import Callable

from endcap.api import cors
from endcap.api.asking import Asker
from endcap.api.auth import Authenticator
from endcap.api.http import Request, Response, Routes
from endcap.api.revisions import EXPOSED, REVISION_HEADER, as_seen, shown_at
from endcap.api.throttle import Throttle
from endcap.errors import FaultyFields, RecommenderNotFound
from endcap.recommending import Recommending
from endcap.service import Service
from endcap.wire import recommending_v2
from endcap.wire.listing import values
from endcap.wire.recommending import INVALID, read_requests
from endcap.wire.recommending import Request as Wish

_USUAL_QUERY = re.compile(rb"tracker_id=([\w.-]+)(?:&explain=(true|false))?", re.ASCII)


class RecommendEndpoints:
    def __init__(
        self,
        service: Service,
        recommending: Recommending,
        asker: Asker,
        authenticator: Authenticator,
        throttle: Throttle,
    ) -> None:
        self._service = service
        self._recommending = recommending
        self._asker = asker
        self._authenticator = authenticator
        self._throttle = throttle
        self._bytes_max = service.settings.body_bytes_max
        self._cors = cors.allowing(service.settings.cors_origin)
        self._cors_of_answers = (*self._cors, EXPOSED)

    def mount(self, routes: Routes) -> None:
        routes.add("/v1/recommend", POST=self.recommend, OPTIONS=self.preflight)
        routes.add("/v2/recommend", POST=self.recommend_v2, OPTIONS=self.preflight)

    async def recommend(self, request: Request) -> Response:
        answer, revision = await self._answer(request, read_requests)
        return Response.json(answer, 200, (shown_at(revision),))

    async def recommend_v2(self, request: Request) -> Response:
        try:
            answer, revision = await self._answer(request, recommending_v2.read_requests)
        except RecommenderNotFound as problem:
            raise recommending_v2.not_found(problem) from problem
        return Response.json(recommending_v2.answers_json(answer), 200, (shown_at(revision),))

    async def _answer(
        self, request: Request, read: Callable[[bytes], tuple[Wish, ...]]
    ) -> tuple[bytes, int]:
        """In the words of v1, and the revision that it shows."""
        request.always_headers = self._cors_of_answers
        self._throttle.take(request.address)
        tracker, explain = asked(request)
        shop = self._service.mirror.shop(tracker)
        if shop is None:
            shop = await self._authenticator.known(tracker)
        if explain:
            shop = await self._authenticator.tracker_of_path(request, tracker)
        if request.header(REVISION_HEADER) is not None:
            shop = await as_seen(request, shop, self._service.mirror)
        requests = read(await request.json_body(bytes_max=self._bytes_max))
        if shop.recommenders.asks:
            wishes = self._recommending.asked_elsewhere(shop, requests)
            brought = await self._asker.answers(tracker, wishes)
            answer = self._recommending.recommend(shop, requests, explain=explain, brought=brought)
        else:
            answer = self._recommending.recommend(shop, requests, explain=explain)
        return answer, shop.revision

    async def preflight(self, request: Request) -> Response:
        return cors.preflight(request, self._cors)


def asked(request: Request, *, explained: bool = False, invalid: str = INVALID) -> tuple[str, bool]:
    """The tracker, and whether to explain: `explained` unless the query says it."""
    usual = _USUAL_QUERY.fullmatch(request.query_text)
    if usual is not None:
        return usual[1].decode(), explained if usual[2] is None else usual[2] == b"true"
    query = request.query()
    tracker = next(reversed(values(query, "tracker_id")), None)
    if not tracker:
        details = {"tracker_id": ["Missing required query parameter: tracker_id"]}
        raise FaultyFields(invalid, details)
    match next(reversed(values(query, "explain")), str(explained)).lower():
        case "true" | "1":
            return tracker, True
        case "false" | "0" | "":
            return tracker, False
        case _:
            raise FaultyFields(invalid, {"explain": ["Must be true, false, 1 or 0"]})

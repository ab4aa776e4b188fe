"""
`POST /api/place`: a caller's own ranking, answered with the customizations applied and explained.

Signed, for who ranks is a server: it can sign, and the answer shows rules.
"""

from endcap.api.auth import Authenticator
from endcap.api.http import Request, Response, Routes
from endcap.api.recommend import asked
from endcap.api.revisions import REVISION_HEADER, as_seen, shown_at
from endcap.api.throttle import Throttle
from endcap.placing import Placing
from endcap.service import Service
from endcap.wire.placing import INVALID, read_ranked_requests


class PlaceEndpoints:
    def __init__(
        self,
        service: Service,
        placing: Placing,
        authenticator: Authenticator,
        throttle: Throttle,
    ) -> None:
        self._service = service
        self._placing = placing
        self._authenticator = authenticator
        self._throttle = throttle
        self._bytes_max = service.settings.body_bytes_max

    def mount(self, routes: Routes) -> None:
        routes.add("/api/place", POST=self.place)

    async def place(self, request: Request) -> Response:
        tracker, explain = asked(request, explained=True, invalid=INVALID)
        shop = await self._authenticator.tracker_of_path(request, tracker)
        self._throttle.take(tracker)
        if request.header(REVISION_HEADER) is not None:
            shop = await as_seen(request, shop, self._service.mirror)
        wishes = read_ranked_requests(await request.json_body(bytes_max=self._bytes_max))
        answer = self._placing.place(shop, wishes, explain=explain)
        return Response.json(answer, 200, (shown_at(shop.revision),))

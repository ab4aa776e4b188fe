"""
The API's own description: OpenAPI at `/openapi.json`, a page to read it at `/docs`. No outside request, no script.
"""

from importlib.resources import files

from endcap.api.http import HTML, Request, Response, Routes


class DocsEndpoints:
    def __init__(self) -> None:
        self._openapi = files("endcap.api").joinpath("openapi.json").read_bytes()
        self._page = files("endcap.api").joinpath("docs.html").read_bytes()

    def mount(self, routes: Routes) -> None:
        routes.add("/openapi.json", GET=self.openapi)
        routes.add("/docs", GET=self.docs)

    async def openapi(self, request: Request) -> Response:
        return Response.json(self._openapi)

    async def docs(self, request: Request) -> Response:
        return Response(200, self._page, (HTML,))

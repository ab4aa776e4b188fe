"""
Requests that this server makes itself: kept connections, nothing followed or remembered, answers of a bounded size.

The only module that knows the HTTP client, and loaded only where hosts may be asked: it takes 6 MB.
"""

from collections.abc import Mapping

import aiohttp

from endcap import __version__
from endcap.wire.asking import BadAnswer, Unreachable

ANSWER_BYTES_MAX = 500_000  # a thousand identities of a usual length are 20 kB
CONNECTIONS_MAX = 64  # to one host, of one worker
IDLE_SECONDS = 30.0
DNS_SECONDS = 10  # for how long a host's address is remembered
_HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"endcap/{__version__}",
}


class Outgoing:
    """Made where the loop runs. Bounds in time are the caller's, who cancels."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                limit_per_host=CONNECTIONS_MAX,
                keepalive_timeout=IDLE_SECONDS,
                ttl_dns_cache=DNS_SECONDS,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            trust_env=False,
            headers=_HEADERS,
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The body of the answer. Raises Unreachable, BadAnswer."""
        try:
            try:
                return await self._post(url, body, headers)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                # The service closed a kept connection just when it was used again; asking twice changes nothing there.
                return await self._post(url, body, headers)
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise BadAnswer(str(error) or type(error).__name__) from error

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        async with self._session.post(
            url, data=body, headers=headers, allow_redirects=False
        ) as response:
            if response.status != 200:
                raise BadAnswer(f"status {response.status}")
            chunks: list[bytes] = []
            size = 0
            async for chunk in response.content.iter_any():
                chunks.append(chunk)
                size += len(chunk)
                if size > ANSWER_BYTES_MAX:
                    raise BadAnswer(f"longer than {ANSWER_BYTES_MAX} bytes")
            return b"".join(chunks)

    async def close(self) -> None:
        await self._session.close()

"""
The floor: a plain ASGI callable on the same server that does the irreducible work and nothing else.

It checks the HMAC, looks a prepared document up in a dict, answers. A PUT is decoded, validated by type and kept in the
dict: nothing is stored. A recommendation is decoded, ten prepared hits are looked up and joined.
"""

import base64
import hashlib
import hmac
import os
from typing import Any

import msgspec

KEY = b"your_private_api_key"
_prepared = hmac.new(KEY, digestmod=hashlib.sha256)


class Pin(msgspec.Struct):
    position: int
    pin_type: str
    pin_identity: str | None = None
    active_from: str | None = None
    active_to: str | None = None


class Body(msgspec.Struct):
    model: str
    target_type: str
    pin_definitions: list[Pin]
    target_identity: str | None = None
    tags: list[str] = []


class Wish(msgspec.Struct):
    recommendation_type: str
    item_ids: list[str] = []
    size: int = 10


_body = msgspec.json.Decoder(Body)
_wishes = msgspec.json.Decoder(list[Wish])
DOCUMENT = msgspec.json.encode({"id": "x" * 36, "model": "basket", "text": "y" * 530})
HITS = [
    msgspec.json.encode({"url": f"/p/{number}", "type": "item", "attributes": {"title": "t" * 200}})
    for number in range(10)
]
documents: dict[str, bytes] = {}
JSON = [(b"content-type", b"application/json; charset=utf-8")]


def is_signed(scope: dict[str, Any]) -> bool:
    headers = dict(scope["headers"])
    _, _, claim = headers[b"authorization"].partition(b" ")
    _, _, signature = claim.rpartition(b":")
    check = _prepared.copy()
    check.update(
        b"\n".join(
            (
                scope["method"].encode(),
                headers[b"content-type"],
                headers[b"date"],
                scope["raw_path"],
            )
        )
    )
    return hmac.compare_digest(check.digest(), base64.b64decode(signature))


async def read(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


async def answer(send: Any, status: int, body: bytes) -> None:
    length = [] if status == 204 else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": JSON + length})
    await send({"type": "http.response.body", "body": body})


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    path = scope["path"]
    if scope["method"] == "GET":
        if path == "/readyz":
            await answer(send, 200, b"{}")
        elif is_signed(scope):
            await answer(send, 200, documents.get(path, DOCUMENT))
        else:
            await answer(send, 401, b"{}")
    elif scope["method"] == "PUT":
        if is_signed(scope):
            body = _body.decode(await read(receive))
            documents[path] = msgspec.json.encode(body)
            await answer(send, 204, b"")
        else:
            await answer(send, 401, b"{}")
    else:
        wishes = _wishes.decode(await read(receive))
        hits = b",".join([HITS[number] for number in range(wishes[0].size)])
        await answer(
            send,
            200,
            b'[{"recommendation_id":"%b","hits":[%b]}]' % (os.urandom(8).hex().encode(), hits),
        )

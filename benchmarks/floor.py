"""
The floor: a plain ASGI callable on the same server that does the irreducible work and nothing else.

It checks the HMAC, looks a prepared document up in a dict, answers. A PUT is decoded, validated by type and kept in the
dict: nothing is stored. A recommendation (signed here, as everything) is decoded, ten hits are built from
rows that a dict has ready, and the 3 kB answer is encoded.
"""

import base64
import hashlib
import hmac
from typing import Any
from uuid import uuid4

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


class Hit(msgspec.Struct):
    url: str
    type: str
    attributes: dict[str, object]
    nested: list[str]
    exact: bool


ITEMS = {
    f"/p/{number}": (
        f"Product {number} with a title of usual length",
        "brand-1",
        "category-7",
        "green",
        "6 EUR",
        f"https://shop.example/pictures/{number}.jpg",
    )
    for number in range(50)
}
RANKING = list(ITEMS)


def hit(identity: str) -> Hit:
    """A hit built from its item's row, as a server without prepared ones must."""
    title, brand, category, color, price, image_link = ITEMS[identity]
    attributes: dict[str, object] = {
        "title": title,
        "brand": [brand],
        "category": [category],
        "color": [color],
        "price": price,
        "image_link": image_link,
    }
    return Hit(identity, "item", attributes, [], True)


BARE = "/bare"
"""Answers without a look at anything: what the server alone costs."""

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
        body += bytes(message.get("body", b""))
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
        elif path == BARE:
            await answer(send, 200, DOCUMENT)
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
    elif is_signed(scope):
        (wish,) = _wishes.decode(await read(receive))
        hits = [hit(identity) for identity in RANKING[: wish.size]]
        made = {
            "recommendation_id": str(uuid4()),
            "recommendation_type": wish.recommendation_type,
            "hits": hits,
        }
        await answer(send, 200, msgspec.json.encode([made]))
    else:
        await answer(send, 401, b"{}")

"""
The verbs about events and past transactions. See `_calls`.
"""

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from msgspec import Struct

from endcap.client._calls import Call, segment_of
from endcap.client._reading import decoded
from endcap.client._values import Imported

CHUNK_BYTES = 1 << 16


class Upload(Struct, frozen=True):
    """A body that is made as it is sent: a file in a form."""

    head: bytes
    file: Path | bytes
    tail: bytes

    @property
    def length(self) -> int:
        held = len(self.file) if isinstance(self.file, bytes) else self.file.stat().st_size
        return len(self.head) + held + len(self.tail)

    def chunks(self) -> Iterator[bytes]:
        yield self.head
        if isinstance(self.file, bytes):
            yield self.file
        else:
            with self.file.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
        yield self.tail

    async def awaited(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks():
            yield chunk


def send_event(tracker: str, event: Mapping[str, Any]) -> Call[str]:
    """
    Tells what a shopper did, in the wire's words, and returns the event's id. Public: it is not signed.

    `tracker_id` is filled in, and so is an `id` that is missing. It may be repeated: of one id the first is kept.
    """
    said = {"id": str(uuid4()), "tracker_id": tracker, **event}
    return Call(
        method="POST",
        path="/v1",
        content=msgspec.json.encode(said),
        signed=False,
        read=lambda answer: str(said["id"]),
    )


def import_transactions(tracker: str, file: Path | bytes) -> Call[Imported]:
    """
    Uploads past order lines, JSON Lines or a CSV without a header, and returns what there was.

    All or nothing: raises FaultyRows with the first ten faulty lines. A file is read as it is sent; give the client a
    `timeout` that a large one may take to be checked. It may be repeated: lines that were there already count once.
    """
    boundary = secrets.token_hex(16)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="transactions"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    upload = Upload(head.encode(), file, f"\r\n--{boundary}--\r\n".encode())
    return Call(
        method="POST",
        path=f"/v1/interactions/{segment_of(tracker)}/files",
        headers=(
            ("Content-Type", f"multipart/form-data; boundary={boundary}"),
            ("Content-Length", str(upload.length)),
        ),
        upload=upload,
        read=lambda answer: decoded(answer.body, Imported),
    )

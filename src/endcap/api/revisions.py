"""
`Endcap-Revision`: what an answer shows, and what a reader has seen.

An answer names a revision at which all that it shows was written. Sent back, it makes the worker wait until what it
shows is as new, so that an editor behind several workers or hosts never sees an older state than before.
"""

import re

from endcap.api.http import Request
from endcap.errors import FaultyFields
from endcap.mirror import Mirror
from endcap.shops import Shop

REVISION_MAX = 10**18 - 1  # fits wherever a database or a client may keep it
REVISION_HEADER = b"endcap-revision"
EXPOSED = (b"access-control-expose-headers", b"Endcap-Revision")
"""Lets scripts of other origins read it."""
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


def shown_at(revision: int) -> tuple[bytes, bytes]:
    """The header of an answer."""
    return REVISION_HEADER, b"%d" % revision


async def as_seen(request: Request, shop: Shop, mirror: Mirror) -> Shop:
    """The shop, as new as the request's sender has seen it. Raises FaultyFields, RevisionNotReached."""
    seen = request.header(REVISION_HEADER)
    if seen is None:
        return shop
    if not _NUMBER.fullmatch(seen):
        details = {"Endcap-Revision": ["Must be a whole number, as an answer gave it"]}
        raise FaultyFields("Invalid Endcap-Revision provided", details)
    return await mirror.at(shop, int(seen))

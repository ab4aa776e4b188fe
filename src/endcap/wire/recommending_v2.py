"""
Recommendation requests and answers in the words of v2, which are also those of customizations.

Experimental: of the vendor's page only a part was published. The names of v1 are taken beside those of v2.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from endcap.errors import RecommenderNotFound
from endcap.wire.reading import Faults, json_value
from endcap.wire.recommending import Request, WishReader, read_each

V1_NAMES: Mapping[str, str] = {
    "model": "recommendation_type",
    "widget_id": "recommender_client_identifier",
    "auth_user_id": "user_id",
    "device_user_id": "user_id",
    "identities": "item_ids",
    "blacklisted_identities": "blacklisted_item_ids",
}
"""What v1 calls it. Of the two users the one who is signed in to the shop counts, where both are told."""
_ANSWERED: Mapping[str, str] = {V1_NAMES[name]: name for name in ("model", "widget_id")}


class _Hit(Struct):
    url: Raw


def read_requests(body: bytes) -> tuple[Request, ...]:
    """Raises MalformedBody for what is not an array, FaultyFields with every fault of every object."""
    return read_each(
        json_value(body),
        lambda wish, index, faults: _Reader(wish, index, faults).translated().request(),
    )


def answers_json(answer: bytes) -> bytes:
    """An answer of v1 in the words of v2: `model`, `widget_id`, and hits with their `identity` beside the `url`."""
    given = msgspec.json.decode(answer, type=list[dict[str, Raw]])
    return msgspec.json.encode([_answered(each) for each in given])


def not_found(problem: RecommenderNotFound) -> RecommenderNotFound:
    """The same in the words of v2."""
    named = {_ANSWERED.get(key, key): texts for key, texts in problem.details.items()}
    return RecommenderNotFound(details=named)


def _answered(given: Mapping[str, Raw]) -> Mapping[str, Raw]:
    hits = msgspec.json.decode(given["hits"], type=list[Raw])
    told = {_ANSWERED.get(name, name): value for name, value in given.items()}
    return told | {"hits": Raw(b"[%b]" % b",".join([_with_identity(bytes(hit)) for hit in hits]))}


def _with_identity(hit: bytes) -> bytes:
    identity = msgspec.json.decode(hit, type=_Hit).url
    return b'{"identity":%b,%b' % (bytes(identity), hit[1:])


class _Reader(WishReader):
    """Reads one object. What it says is put under the names of v1; faults are told under the names that were sent."""

    def __init__(self, shape: object, index: int, faults: Faults) -> None:
        self._sent_as: dict[str, str] = {}
        super().__init__(shape, index, faults)

    def translated(self) -> "_Reader":
        self.members = dict(self.members)
        for name in ("model", "widget_id", "identities", "blacklisted_identities"):
            self._put(name, self.members.get(name))
        users = [(name, self.text(name)) for name in ("auth_user_id", "device_user_id")]
        self._put(*next((each for each in users if each[1] is not None), users[0]))
        if self.members.get("recommender_client_identifier") is None:
            self.fault("widget_id", "Missing required field: widget_id")
        return self

    def _put(self, name: str, value: object) -> None:
        """Under the name of v1."""
        known = V1_NAMES[name]
        if value is None:
            return
        if self.members.get(known) is not None:
            self.fault(name, f"Means the same as {known}: send only one of the two")
            return
        self.members[known] = value
        self._sent_as[known] = name

    def fault(self, key: str, message: str) -> None:
        word = self._sent_as.get(key) or _ANSWERED.get(key, key)
        super().fault(word, message.replace(key, word))

"""
Requests of a caller that ranks by itself: those of a recommendation with a ranking added.

One object or an array of them. `model` and `widget_id`, the words of customizations, do as well as the names of v1.
The order of a ranking is its own, or where its objects have scores, the highest score first.
"""

from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta, Struct

from endcap.domain import IDENTITY_CHARACTERS_MAX, MODEL_CHARACTERS_MAX, POSITION_MAX
from endcap.wire.reading import UNREADABLE, json_value
from endcap.wire.recommending import (
    OBJECTS_MAX,
    SIZE_DEFAULT,
    OutOfTheOrdinary,
    PlainWish,
    Request,
    WishReader,
    plain_request,
    read_each,
)

RANKING_MAX = 1_000  # as many as there are positions to pin to
SIZE_MAX = POSITION_MAX
INVALID = "Invalid placement request"


class RankedRequest(Struct, frozen=True):
    """
    One widget's wish with the caller's own ranking: identities, best first. `fill` goes on with what the server would
    recommend where the ranking ends.
    """

    request: Request
    ranking: tuple[str, ...]
    fill: bool = False


_Model = Annotated[str, Meta(min_length=1, max_length=MODEL_CHARACTERS_MAX)]


class _Scored(Struct):
    identity: str
    score: float | None = None


class _PlainPlacement(PlainWish, kw_only=True):
    """The usual wish, without a fault; anything else is read the careful way."""

    ranking: Annotated[list[str | _Scored], Meta(max_length=RANKING_MAX)]
    recommendation_type: _Model = ""
    model: _Model = ""
    widget_id: Annotated[str, Meta(max_length=IDENTITY_CHARACTERS_MAX)] | None = None
    size: Annotated[int, Meta(ge=1, le=SIZE_MAX)] = SIZE_DEFAULT
    fill: bool = False


_MANY = msgspec.json.Decoder(
    Annotated[list[_PlainPlacement], Meta(min_length=1, max_length=OBJECTS_MAX)]
)
_ONE = msgspec.json.Decoder(_PlainPlacement)


def read_ranked_requests(body: bytes) -> tuple[RankedRequest, ...]:
    """Raises MalformedBody for what is neither object nor array, FaultyFields with every fault of every object."""
    try:
        wishes = [_ONE.decode(body)] if body[:1] == b"{" else _MANY.decode(body)
        return tuple([_plain(each) for each in wishes])
    except (*UNREADABLE, OutOfTheOrdinary):
        return _read_carefully(body)


def _plain(wish: _PlainPlacement) -> RankedRequest:
    """Raises OutOfTheOrdinary for what takes more than a look at types."""
    if wish.model:
        if wish.recommendation_type:
            raise OutOfTheOrdinary
        wish.recommendation_type = wish.model
    elif not wish.recommendation_type:
        raise OutOfTheOrdinary
    if wish.widget_id is not None:
        if wish.recommender_client_identifier is not None:
            raise OutOfTheOrdinary
        wish.recommender_client_identifier = wish.widget_id
    return RankedRequest(plain_request(wish, size_max=SIZE_MAX), _order(wish.ranking), wish.fill)


_TEXTS = {str}


def _order(ranking: list[str | _Scored]) -> tuple[str, ...]:
    """Raises OutOfTheOrdinary where only some have a score."""
    if set(map(type, ranking)) <= _TEXTS:
        return tuple(cast(list[str], ranking))
    named = [_Scored(each) if isinstance(each, str) else each for each in ranking]
    scores = [each.score for each in named if each.score is not None]
    if scores and len(scores) < len(named):
        raise OutOfTheOrdinary("Either all have a score or none")
    if scores:
        named.sort(key=_score, reverse=True)  # stable: of equals the one named first
    return tuple([each.identity for each in named])


def _score(ranked: _Scored) -> float:
    assert ranked.score is not None
    return ranked.score


def _read_carefully(body: bytes) -> tuple[RankedRequest, ...]:
    """Member by member, to be able to name all faults. A test holds the two ways to one result."""
    shape = json_value(body)
    return read_each(
        [shape] if isinstance(shape, dict) else shape,
        lambda wish, index, faults: _RankedReader(wish, index, faults).ranked_request(),
        invalid=INVALID,
        wanted="Must be a JSON object with a ranking, or an array of them",
    )


class _RankedReader(WishReader):
    """Reads one object; synonyms are put under the names of v1 first."""

    def ranked_request(self) -> RankedRequest:
        self.members = dict(self.members)
        self._same("recommendation_type", "model")
        self._same("recommender_client_identifier", "widget_id")
        return RankedRequest(self.request(), self._ranking(), self.flag("fill"))

    def _same(self, key: str, synonym: str) -> None:
        """Of two names for one thing either may be used."""
        said, again = self.members.get(key), self.members.get(synonym)
        if said is None:
            self.members[key] = again
        elif again is not None:
            self.fault(key, f"Means the same as {synonym}: send only one of the two")

    def model(self) -> str:
        model = super().model()
        if len(model) > MODEL_CHARACTERS_MAX:
            self.fault(
                "recommendation_type", f"Must have at most {MODEL_CHARACTERS_MAX} characters"
            )
        return model

    def size(self) -> int:
        value = self.members.get("size")
        if value is None:
            return SIZE_DEFAULT
        if type(value) is not int or not 1 <= value <= SIZE_MAX:
            self.fault("size", f"Must be a whole number from 1 to {SIZE_MAX}")
            return SIZE_DEFAULT
        return value

    def _ranking(self) -> tuple[str, ...]:
        value = self.members.get("ranking")
        if value is None:
            self.fault("ranking", "Missing required field: ranking")
            return ()
        if isinstance(value, list) and len(value) > RANKING_MAX:
            self.fault("ranking", f"Must have at most {RANKING_MAX} items")
            return ()
        try:
            return ranking_of(value)
        except ValueError as error:
            self.fault("ranking", str(error))
            return ()


def ranking_of(sent: object) -> tuple[str, ...]:
    """
    The identities of a decoded ranking, best first, at most RANKING_MAX. Raises ValueError with a message for people.
    """
    ranked = [_ranked(each) for each in sent] if isinstance(sent, list) else [None]
    known = [each for each in ranked if each is not None]
    if len(known) < len(ranked):
        raise ValueError('Must be a list of identities, or of {"identity", "score"}')
    return _order([*known])[:RANKING_MAX]


def _ranked(value: Any) -> _Scored | None:
    """One member of a ranking, in any of its spellings; None if it is none of them."""
    if type(value) in (str, int):
        return _Scored(str(value))
    if not isinstance(value, dict):
        return None
    identity, score = value.get("identity", value.get("url")), value.get("score")
    if type(identity) not in (str, int) or type(score) not in (int, float, type(None)):
        return None
    return _Scored(str(identity), score)

"""
What Schemathesis, a process of its own, loads: it signs requests, and helps where JSON Schema cannot say what is meant.
"""

import re
from time import time
from typing import Any
from uuid import uuid4

import requests
import schemathesis
from schemathesis.openapi.checks import UseAfterFree

from endcap import signing
from endcap.api.customizations import IDEMPOTENCY_KEY_CHARACTERS_MAX
from endcap.domain import Micros
from endcap.wire.reading import instant
from tests.api.driver import KEY, TRACKER


class Signature(requests.auth.AuthBase):
    """Signs each request at the moment it is sent, with the headers as they travel."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        date = signing.format_http_date(Micros(round(time() * 1_000_000)))
        signature = signing.sign(
            KEY,
            method=request.method or "",
            content_type=str(request.headers.get("Content-Type", "")),
            date=date,
            path=request.path_url.partition("?")[0],
        )
        request.headers["Date"] = date
        request.headers["Authorization"] = f"ApiAuth {TRACKER}:{signature}"
        return request


schemathesis.auth.set_from_requests(Signature())  # type: ignore[attr-defined]  # its types lag behind its manual


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """The last word on a case."""
    sound = _sound(case.body)
    if repr(sound) != repr(case.body):  # to set it makes Schemathesis judge the case anew
        case.body = sound
    headers: Any = case.headers
    key = headers.get("Idempotency-Key") if headers else None
    if isinstance(key, str) and 1 <= len(key) <= IDEMPOTENCY_KEY_CHARACTERS_MAX:
        headers["Idempotency-Key"] = str(uuid4())  # one key, two bodies: rightly refused
    seen = headers.get("Endcap-Revision") if headers else None
    if seen is not None and str(seen).isdigit():
        headers["Endcap-Revision"] = (
            "0"  # nobody has seen another: rightly waited for, then refused
        )


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Any,
    case: schemathesis.Case[Any],
    response: schemathesis.Response,
) -> bool:
    """
    Accepts that criteria are refused for their depth or number, and moments for what they are to now, which the
    description tells in words, that a header nobody knows is nobody's fault, and that a name of the reference outlives
    what a tracker means by it.
    """
    if isinstance(failure, UseAfterFree) and response.json().get("origin") == "reference":
        return False
    if "x-schemathesis-unknown-property" in {str(name).lower() for name in case.headers or {}}:
        return False
    if response.status_code != 422:
        return True
    messages = [each for texts in response.json()["exception_details"].values() for each in texts]
    return not all(re.search(_IN_WORDS, each) for each in messages)


_IN_WORDS = (
    "Nested deeper than|More than 100 rules|Must lie ahead|Must not lie ahead"
    "|has to be what the draft was made from|Must be an ISO 8601 moment"
)


@schemathesis.hook
def filter_headers(context: schemathesis.HookContext, headers: dict[str, Any] | None) -> bool:
    """Leaves out what is no HTTP: a server's parser refuses it before the API sees it."""
    return not any(
        ord(ch) < 32 or ord(ch) == 127 for each in (headers or {}).values() for ch in str(each)
    )


def _sound(value: Any) -> Any:
    """
    The same body with whole numbers spelled whole (to JSON Schema 190.0 is an integer, to this wire it is none) and
    without windows that close before they open.
    """
    if isinstance(value, list):
        return [_sound(each) for each in value]
    if not isinstance(value, dict):
        return value
    sound = {
        key: int(each) if _is_whole(key, each) else _sound(each) for key, each in value.items()
    }
    if _closes_first(sound.get("active_from"), sound.get("active_to")):
        del sound["active_from"]
    return sound


_WHOLE_NUMBERS = frozenset(
    {
        "position",
        "size",
        "id",
        "client_id",
        "customer_id",
        "order_id",
        "url",
        "resource_identifier",
        "type",
        "revision",
        "over",
    }
)


def _is_whole(key: str, value: Any) -> bool:
    return key in _WHOLE_NUMBERS and isinstance(value, float) and value.is_integer()


def _closes_first(opens: Any, closes: Any) -> bool:
    if not isinstance(opens, str) or not isinstance(closes, str):
        return False
    first, last = instant(opens), instant(closes)
    return first is not None and last is not None and first >= last

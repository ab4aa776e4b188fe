"""
Signatures: made as the vendor documents, taken apart leniently, compared strictly.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.domain import Micros
from endcap.signing import (
    JSON_CONTENT_TYPE,
    Credentials,
    Key,
    format_http_date,
    parse_authorization,
    parse_http_date,
    sign,
    string_to_sign,
    verify,
)

PRIVATE_KEY = "your_private_api_key"
DATE = "Mon, 20 Jan 2025 12:00:00 GMT"
DATE_MICROS = Micros(1_737_374_400_000_000)
SCOPE = "/v1/recommender/pin/1234-5678/scope/199620b4-df1a-46e8-ab59-9e9ed9af7106"
SCOPE_SIGNATURE = "e6gb0XVIotdiwhkDBBNTi5ILcg3YLRygjAdYwnvhKhQ="


@pytest.mark.parametrize(
    ("method", "path", "signature"),
    [
        ("GET", SCOPE, SCOPE_SIGNATURE),
        (
            "POST",
            "/v1/recommender/pin/1234-5678/scopes",
            "vSYspLbtpLNeCyZ3GQApb2hSd/5/6E33IL9aOI6FkTI=",
        ),
    ],
)
def test_the_documented_vectors(method: str, path: str, signature: str) -> None:
    """Made here, and made by other clients, they are the same text."""
    made = sign(PRIVATE_KEY, method=method, content_type=JSON_CONTENT_TYPE, date=DATE, path=path)

    assert made == signature


def test_the_signed_text_is_four_lines() -> None:
    """Byte for byte what travels, the path without a query."""
    text = string_to_sign(
        method="GET", content_type="application/json", date=DATE, path="/v1/x%20y"
    )

    assert text == f"GET\napplication/json\n{DATE}\n/v1/x%20y"


@pytest.mark.parametrize(
    ("content_type", "signed"),
    [
        ("multipart/form-data; boundary=abc", "multipart/form-data"),
        ("Multipart/Form-Data; boundary=abc", "multipart/form-data"),
        ("application/json", "application/json"),
        ("application/json;charset=UTF-8", "application/json;charset=UTF-8"),
        ("", ""),
    ],
)
def test_the_content_type_is_signed_as_received(content_type: str, signed: str) -> None:
    """But for the boundary of a multipart body, which HTTP libraries add after signing."""
    text = string_to_sign(method="POST", content_type=content_type, date=DATE, path="/")

    assert text.split("\n")[1] == signed


def text_of_scope() -> str:
    return string_to_sign(method="GET", content_type=JSON_CONTENT_TYPE, date=DATE, path=SCOPE)


def test_any_live_key_may_have_signed() -> None:
    """So that a key can be rotated without a gap; no key at all verifies nothing."""
    others = [Key("another"), Key("")]

    assert verify([*others, Key(PRIVATE_KEY)], text_of_scope(), SCOPE_SIGNATURE)
    assert not verify(others, text_of_scope(), SCOPE_SIGNATURE)
    assert not verify([], text_of_scope(), SCOPE_SIGNATURE)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        SCOPE_SIGNATURE.rstrip("="),
        SCOPE_SIGNATURE + "=",
        SCOPE_SIGNATURE + "\n",
        " " + SCOPE_SIGNATURE,
        SCOPE_SIGNATURE.lower(),
        SCOPE_SIGNATURE[:-5] + "AAAA=",
        "e6gb0XVIotdiwhkDBBNTi5ILcg3YLRygjAdYwnvhKhR=",
        "käse",
        "\ud800",
        "A" * 10_000,
    ],
)
def test_anything_else_is_not_the_signature(signature: str) -> None:
    """Neither other padding nor other bits behind the digest: one request has one signature."""
    assert not verify([Key(PRIVATE_KEY)], text_of_scope(), signature)


def test_a_signature_is_of_one_method_type_date_and_path() -> None:
    """A change of any of the four is another text."""
    keys = [Key(PRIVATE_KEY)]
    request = {"method": "GET", "content_type": JSON_CONTENT_TYPE, "date": DATE, "path": SCOPE}

    for name, value in request.items():
        changed = {**request, name: value + "x"}

        assert not verify(keys, string_to_sign(**changed), SCOPE_SIGNATURE), name


@pytest.mark.parametrize(
    "header",
    [
        "ApiAuth 1234-5678:abc=",
        "guzzle 1234-5678:abc=",
        "faraday 1234-5678:abc=",
        "Hello 1234-5678:abc=",
        "curl    1234-5678:abc=",
        "  ApiAuth 1234-5678:abc=  ",
        "; 1234-5678:abc=",
    ],
)
def test_the_first_word_is_not_looked_at(header: str) -> None:
    """Real clients write what they like there."""
    assert parse_authorization(header) == Credentials("1234-5678", "abc=")


def test_the_tracker_ends_at_the_last_colon() -> None:
    """A signature has none; a tracker may."""
    assert parse_authorization("ApiAuth shop:eu:1:abc=") == Credentials("shop:eu:1", "abc=")


@pytest.mark.parametrize(
    "header",
    ["", "ApiAuth", "ApiAuth ", "1234-5678:abc=", "ApiAuth abc=", "ApiAuth :abc=", "ApiAuth x:"],
)
def test_a_header_without_the_form_has_no_credentials(header: str) -> None:
    """A word, a tracker, a colon and a signature: nothing may be missing."""
    assert parse_authorization(header) is None


@given(st.text())
def test_any_header_at_all_is_taken_apart_or_refused(header: str) -> None:
    """It comes from outside."""
    credentials = parse_authorization(header)

    if credentials is not None:
        assert header.rstrip().endswith(f"{credentials.tracker}:{credentials.signature}")
        assert not verify([Key(PRIVATE_KEY)], text_of_scope(), credentials.signature)


@pytest.mark.parametrize("zone", ["GMT", "UTC", "Z", "+0000", "+00:00", "GMT+0000"])
def test_every_zone_that_clients_send_for_greenwich(zone: str) -> None:
    """They mean the same instant."""
    assert parse_http_date(f"Mon, 20 Jan 2025 12:00:00 {zone}") == DATE_MICROS


@pytest.mark.parametrize(
    "date",
    [
        "",
        "Mon, 20 Jan 2025 12:00:00",
        "Mon, 20 Jan 2025 12:00:00 CET",
        "Mon, 20 Jan 2025 12:00:00 +0100",
        "20 Jan 2025 12:00:00 GMT",
        "Monday, 20-Jan-25 12:00:00 GMT",
        "Mon Jan 20 12:00:00 2025",
        "2025-01-20T12:00:00Z",
        "Mon, 20 Foo 2025 12:00:00 GMT",
        "Mon, 32 Jan 2025 12:00:00 GMT",
        "Mon, 20 Jan 2025 24:00:00 GMT",
        "Mon, 20 Jan 2025 23:59:60 GMT",
        "Mon, 20 Jan 0000 12:00:00 GMT",
        "Mon, ٢٠ Jan 2025 12:00:00 GMT",
        "Mon, 20 Jan 2025 12:00:00 GMT\nX: y",
    ],
)
def test_an_unreadable_date(date: str) -> None:
    """Another form, another zone, or no such day."""
    assert parse_http_date(date) is None


@pytest.mark.parametrize(
    "date", ["Mon, 6 Jan 2025 12:00:00 GMT", " Mon, 06 Jan 2025 12:00:00 GMT "]
)
def test_a_day_of_one_digit_and_spaces_around(date: str) -> None:
    """As some clients send it."""
    assert parse_http_date(date) == DATE_MICROS - 14 * 86_400_000_000


@given(st.integers(0, 4_102_444_800))
def test_a_date_that_is_written_is_read(second: int) -> None:
    """Every second until 2100."""
    at = Micros(second * 1_000_000)

    assert parse_http_date(format_http_date(at)) == at


def test_a_date_is_written_as_in_the_vectors() -> None:
    """Microseconds are left out."""
    assert format_http_date(Micros(DATE_MICROS + 999_999)) == DATE

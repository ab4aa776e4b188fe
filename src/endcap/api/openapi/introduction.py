"""
What the API's description says before its operations: signing, refusals, concurrent changes, bodies.
"""

from inspect import cleandoc

from endcap.store.writes import IDEMPOTENCY_HOURS

SIGNING_SHELL = cleandoc(
    r"""
    host="http://127.0.0.1:8000"
    tracker_id="1234-5678"
    private_key="your_private_api_key"
    content_type="application/json; charset=utf-8"

    # signed METHOD PATH [options of curl]
    signed() {
      method=$1 target=$2; shift 2
      date=$(LC_ALL=C date -u "+%a, %d %b %Y %H:%M:%S GMT")
      signature=$(printf '%s\n%s\n%s\n%s' "$method" "$content_type" "$date" "${target%%\?*}" |
        openssl dgst -sha256 -hmac "$private_key" -binary | base64)
      curl -sS -X "$method" "$host$target" \
        -H "Content-Type: $content_type" -H "Date: $date" \
        -H "Authorization: ApiAuth $tracker_id:$signature" "$@"
    }
    """
)

DESCRIPTION = (
    cleandoc(
        """
        Endcap answers the HTTP API of Luigi's Box for recommendations and their customization on your own machine:
        a client moves over by changing its base URL.

        ## Signing

        Signed operations want three headers: `Authorization`, `Date` and `Content-Type`. The signature is

        ```
        base64(HMAC-SHA256(private key, METHOD "\\n" Content-Type "\\n" Date "\\n" path))
        ```

        - `Authorization: ApiAuth <tracker id>:<signature>`. The first word may be any.
        - `Content-Type` is signed byte for byte as it is sent, with GET and DELETE too; a header that is not sent
          counts as the empty text, multipart counts without its boundary.
        - `Date` is the time of the request, e.g. `Mon, 20 Jan 2025 12:00:00 GMT`. It may be 5 seconds off the
          server's clock, unless set otherwise (up to 300).
        - The path is signed as it is sent, without the query. The body is not signed.

        A refusal says which check failed: a missing header, an unreadable date, a clock that is off (with the
        server's time), an unknown key, or a signature that does not match (with the text that the server signed).
        In a shell:

        ```sh
        %(signing)s
        ```

        Public operations ignore a signature. For one with an explanation it is needed.

        ## Refusals

        Customizations and recommendations refuse in one shape, and name every faulty field at once:

        ```
        {"reason": "…", "exception_details": {field: [message, …]}}
        ```

        The catalog answers a batch in which something failed with `400` in its own; the rest was stored:

        ```
        {"ok_count": n, "errors_count": n, "errors": {identity: {"type", "reason", "caused_by"}}}
        ```

        An unknown path is `404`, a method that a path does not have `405` with `Allow`. Every answer has an
        `X-Request-Id`, by which the server's log knows it.

        ## Concurrent changes and repeats

        - A customization comes with an `ETag`. Sent back as `If-Match` with an update or a deletion, it keeps you from
          undoing someone else's change (`412`); as `If-None-Match` with a GET, it saves the body (`304`).
        - `Idempotency-Key` makes a creation safe to repeat for %(hours)d hours.
        - `Endcap-Revision` counts the writes of a tracker: what a write answers, what a customization was last written
          at, and what every other answer shows. Sent back with a read, it keeps you from being shown an older state
          by another worker or host: it waits until it is there (2 s at most, then `503`).

        ## Bodies

        JSON in UTF-8, plain or with `Content-Encoding: gzip` or `deflate`. A `Content-Type` that is not JSON is `415`;
        a body over its bound is `413`, inflated or not. Where there is a GET there is a HEAD.
        """
    )
    .replace("%(signing)s", SIGNING_SHELL)
    .replace("%(hours)d", str(IDEMPOTENCY_HOURS))
)

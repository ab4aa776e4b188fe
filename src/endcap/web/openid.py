"""
Signing in by a provider: OpenID Connect, the authorization code flow with PKCE.

Knows the protocol (https://openid.net/specs/openid-connect-core-1_0.html, RFC 7636, RFC 9207) and what a provider says
of somebody. Knows nothing of accounts or sessions. Between going to the provider and coming back nothing is kept here:
the browser keeps one random secret in a cookie, from which state, nonce and verifier follow, so any worker can go on.
"""

import asyncio
import base64
import hashlib
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, KeySetSerialization
from msgspec import Struct

from endcap import __version__
from endcap.clock import Clock
from endcap.config import Settings
from endcap.errors import ProviderUnavailable, SignInRefused, UsageFault
from endcap.telemetry import log

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""By which a token may be signed: with a key of the provider's alone, so neither `none` nor those with a shared one."""
SKEW_SECONDS = 60  # between the provider's clock and this one
TIMEOUT_SECONDS = 10.0  # of one answer of the provider's; somebody waits
ANSWER_BYTES_MAX = 1_000_000
METADATA_SECONDS = (
    3_600.0  # for how long what the provider says of itself, and its keys, are taken as read
)
FORCED_SECONDS = 30.0  # between two looks for a key that nobody has heard of
ASKING_MAX = 8  # at once, in this worker
TEXT_CHARACTERS_MAX = 255  # of a subject, says the protocol
NEXT_CHARACTERS_MAX = 500
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_MICROS = 1_000_000
T = TypeVar("T")


class Metadata(Struct):
    """What a provider says of itself (https://openid.net/specs/openid-connect-discovery-1_0.html)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class _Tokens(Struct):
    id_token: str
    access_token: str = ""


class Beginning(Struct, frozen=True):
    """Where to send the browser, and what it must bring back in a cookie."""

    url: str
    secret: str


class Claims(Struct, frozen=True):
    """Whom the provider vouches for, and all that it says of them. `next` is where they wanted to go."""

    issuer: str
    subject: str
    said: Mapping[str, Any]
    next: str


class Provider:
    """The one that settings name. One a process; it is asked when somebody signs in, and not before."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Raises UsageFault for a secret that cannot be read."""
        self.issuer = settings.oidc_issuer
        self.label = settings.oidc_label
        self._client_id = settings.oidc_client_id
        self._secret = _secret(settings)
        self._scopes = " ".join(dict.fromkeys(["openid", *settings.oidc_scopes.split()]))
        self._clock = clock
        if not self._client_id:
            raise UsageFault(
                "oidc_issuer is set, but oidc_client_id (ENDCAP_OIDC_CLIENT_ID) is not"
            )
        _check_url(self.issuer, self.issuer, "oidc_issuer (ENDCAP_OIDC_ISSUER)")
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._forced_at = -FORCED_SECONDS
        self._asking = asyncio.Semaphore(ASKING_MAX)

    # The way there and back

    async def begin(self, back: str, *, next: str) -> Beginning:
        """`back` is our address that the provider knows. Raises ProviderUnavailable."""
        metadata = await self._known()
        secret = secrets.token_urlsafe(32)
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": back,
            "scope": self._scopes,
            "state": _state(secret, next[:NEXT_CHARACTERS_MAX]),
            "nonce": _follows(secret, "nonce"),
            "code_challenge": _challenge(secret),
            "code_challenge_method": "S256",
        }
        return Beginning(_with_query(metadata.authorization_endpoint, query), secret)

    async def finish(
        self, query: Mapping[str, str], secret: str, back: str, wanted: Sequence[str]
    ) -> Claims:
        """
        Who came back, by what the browser brought. The provider is asked for more where the token has none of the
        claims that are wanted. Raises SignInRefused, ProviderUnavailable.
        """
        goes_on = _next_of(query.get("state", ""), secret)
        if goes_on is None:
            raise _refused("state", "This sign-in was not begun here, or is over. Begin again")
        metadata = await self._known()
        self._check_answer(query, metadata)
        tokens = await self._tokens(metadata, query["code"], secret, back)
        claims = await self._verified(tokens.id_token, _follows(secret, "nonce"))
        if metadata.userinfo_endpoint and any(value_of(claims, each) is None for each in wanted):
            claims = {**await self._userinfo(metadata, tokens, claims["sub"]), **claims}
        return Claims(self.issuer, claims["sub"], claims, goes_on)

    async def sign_out_url(self, after: str) -> str | None:
        """Where the session at the provider ends; None where it has no such page. Raises ProviderUnavailable."""
        metadata = await self._known()
        if not metadata.end_session_endpoint:
            return None
        query = {"client_id": self._client_id, "post_logout_redirect_uri": after}
        return _with_query(metadata.end_session_endpoint, query)

    def _check_answer(self, query: Mapping[str, str], metadata: Metadata) -> None:
        issuer = query.get("iss")
        if issuer is None and metadata.authorization_response_iss_parameter_supported:
            raise _refused("iss", "The answer does not say which provider it is of")
        if issuer not in (None, self.issuer):
            raise _refused("iss", "The answer is another provider's")
        if "error" in query:
            said = query.get("error_description") or query["error"]
            raise _refused("provider", f"{self.label} refused: {said[:200]}")
        if not query.get("code"):
            raise _refused("code", "The answer of the provider has no code")

    # Tokens

    async def _tokens(self, metadata: Metadata, code: str, secret: str, back: str) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": _verifier(secret),
        }
        headers = {}
        methods = metadata.token_endpoint_auth_methods_supported
        if not self._secret:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in methods or "client_secret_post" not in methods:
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        status, body = await self._ask("POST", metadata.token_endpoint, headers, form)
        if status in (400, 401, 403):
            log.warning("sign-in provider refused", what="token", status=status, said=_said(body))
            raise _refused(
                "code", "The provider does not accept this sign-in any more. Begin again"
            )
        return _read(status, body, _Tokens, "token")

    async def _verified(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token. Raises SignInRefused."""
        try:
            claims = await self._decoded(token)
            self._check_claims(claims, nonce)
        except (JoseError, ValueError, TypeError) as error:
            log.warning("sign-in refused", user="", address="", reason=f"token: {error}")
            raise SignInRefused(
                "What the provider says cannot be trusted: its token is not valid"
            ) from error
        return claims

    async def _decoded(self, token: str) -> dict[str, Any]:
        keys = await self._known_keys()
        try:
            return jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        except InvalidKeyIdError:
            renewed = await self._renewed_keys()
            return jwt.decode(token, renewed, algorithms=ALGORITHMS).claims

    def _check_claims(self, claims: dict[str, Any], nonce: str) -> None:
        """Raises JoseError."""
        registry = jwt.JWTClaimsRegistry(
            now=self._clock() // _MICROS,
            leeway=SKEW_SECONDS,
            iss={"essential": True, "value": self.issuer},
            sub={"essential": True},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(claims)
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
            raise ValueError("it is for several, and does not say who asked for it")
        if claims.get("azp", self._client_id) != self._client_id:
            raise ValueError("it was asked for by another client")
        if not isinstance(claims["nonce"], str) or not _is_text(claims["sub"]):
            raise ValueError("its nonce or its subject is no text")

    async def _userinfo(
        self, metadata: Metadata, tokens: _Tokens, subject: str
    ) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        status, body = await self._ask("GET", metadata.userinfo_endpoint, headers)
        found = _read(status, body, dict[str, Any], "userinfo")
        if found.get("sub") != subject:
            raise _refused("userinfo", "What the provider says of you is of somebody else")
        return found

    # What is remembered of the provider

    async def _known(self) -> Metadata:
        """Old news are better than none: what it said of itself rarely changes."""
        known = self._metadata
        if known is not None and time.monotonic() - known[0] < METADATA_SECONDS:
            return known[1]
        try:
            found = await self._discovered()
        except ProviderUnavailable:
            if known is None:
                raise
            return known[1]
        self._metadata = time.monotonic(), found
        return found

    async def _discovered(self) -> Metadata:
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        status, body = await self._ask("GET", url)
        found = _read(status, body, Metadata, "discovery")
        if found.issuer != self.issuer:
            raise _unavailable(
                "discovery",
                f"It calls itself {found.issuer[:200]}, and oidc_issuer is {self.issuer}",
            )
        for each in (
            found.authorization_endpoint,
            found.token_endpoint,
            found.jwks_uri,
            found.userinfo_endpoint or found.token_endpoint,
            found.end_session_endpoint or found.token_endpoint,
        ):
            try:
                _check_url(each, self.issuer, "an address of the provider's")
            except UsageFault as fault:
                raise _unavailable("discovery", fault.reason) from fault
        return found

    async def _known_keys(self) -> KeySet:
        known = self._keys
        if known is not None and time.monotonic() - known[0] < METADATA_SECONDS:
            return known[1]
        return await self._fetched_keys()

    async def _renewed_keys(self) -> KeySet:
        """For a key that is not known: providers change theirs. Not more often than bad tokens may make it."""
        now = time.monotonic()
        if now - self._forced_at < FORCED_SECONDS:
            return await self._known_keys()
        self._forced_at = now
        return await self._fetched_keys()

    async def _fetched_keys(self) -> KeySet:
        metadata = await self._known()
        status, body = await self._ask("GET", metadata.jwks_uri)
        said = _read(status, body, dict[str, Any], "keys")
        try:
            found = KeySet.import_key_set(cast(KeySetSerialization, said))
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _unavailable("keys", str(error)) from error
        self._keys = time.monotonic(), found
        return found

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Status and body. In a task of its own, which requests have none of and aiohttp wants. Raises as below."""
        asked = self._exchange(method, url, headers or {}, form)
        return await asyncio.get_running_loop().create_task(asked)

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> tuple[int, bytes]:
        """Within bounds; no redirect is followed. Raises ProviderUnavailable."""
        sent = {
            "Accept": "application/json",
            "User-Agent": f"endcap/{__version__}",
            **headers,
        }
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        try:
            async with (
                self._asking,
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as http,
                http.request(method, url, headers=sent, data=form, allow_redirects=False) as answer,
            ):
                chunks = bytearray()
                async for chunk in answer.content.iter_any():
                    chunks += chunk
                    if len(chunks) > ANSWER_BYTES_MAX:
                        raise _unavailable(url, f"longer than {ANSWER_BYTES_MAX} bytes")
                return answer.status, bytes(chunks)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unavailable(url, str(error) or type(error).__name__) from error


def value_of(claims: Mapping[str, Any], name: str) -> Any:
    """A claim of that name, or, where there is none, inside of others: `realm_access.roles`. None: not there."""
    if name in claims:
        return claims[name]
    outer, found, rest = name.partition(".")
    inside = claims.get(outer) if found else None
    return value_of(inside, rest) if isinstance(inside, dict) else None


def _secret(settings: Settings) -> str:
    """Raises UsageFault."""
    path = settings.oidc_client_secret_file
    if settings.oidc_client_secret or not path:
        return settings.oidc_client_secret
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFault(
            f"The file of oidc_client_secret_file ({path}) cannot be read: {error}"
        ) from error


def _check_url(url: str, issuer: str, what: str) -> None:
    """Encrypted, but on this very machine. Raises UsageFault."""
    parts = urlsplit(url)
    is_here = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_here):
        raise UsageFault(f"{what} must begin with https://, not {url[:200]}")
    if is_here and urlsplit(issuer).hostname not in _LOOPBACK:
        raise UsageFault(f"{what} must be on another host, not {url[:200]}")


def _with_query(endpoint: str, query: Mapping[str, str]) -> str:
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def _read(status: int, body: bytes, kind: type[T], what: str) -> T:
    """Raises ProviderUnavailable for another status, and for what is not as the protocol says."""
    if status != 200:
        raise _unavailable(what, f"status {status}: {_said(body)}")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise _unavailable(what, str(error)) from error


def _said(body: bytes) -> str:
    return body[:200].decode("utf-8", "replace")


def _unavailable(what: str, reason: str) -> ProviderUnavailable:
    log.warning("sign-in provider away", what=what, reason=reason)
    return ProviderUnavailable()


def _refused(check: str, said: str) -> SignInRefused:
    log.warning("sign-in refused", user="", address="", reason=check)
    return SignInRefused(said)


def _is_text(sent: object) -> bool:
    return isinstance(sent, str) and 0 < len(sent) <= TEXT_CHARACTERS_MAX and sent.isprintable()


# What follows from the secret of one sign-in


def _follows(secret: str, what: str) -> str:
    made = hashlib.sha256(f"{what}:{secret}".encode()).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _verifier(secret: str) -> str:
    """43 characters, as RFC 7636 wants them at least."""
    return _follows(secret, "verifier")


def _challenge(secret: str) -> str:
    made = hashlib.sha256(_verifier(secret).encode()).digest()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def _state(secret: str, next: str) -> str:
    """Where to go on is in it, and part of what is checked."""
    told = base64.urlsafe_b64encode(next.encode()).decode().rstrip("=")
    return f"{_follows(secret, f'state:{next}')}.{told}"


def _next_of(state: str, secret: str) -> str | None:
    """Where the browser with that secret wanted to go; None: it did not begin this."""
    _, _, told = state.partition(".")
    if not _SECRET.fullmatch(secret) or len(told) > 2 * NEXT_CHARACTERS_MAX:
        return None
    try:
        goes_on = base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)).decode()
    except ValueError:
        return None
    wanted = _state(secret, goes_on)
    return goes_on if secrets.compare_digest(state.encode(), wanted.encode()) else None

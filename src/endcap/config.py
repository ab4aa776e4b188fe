"""
The settings: one table, read from a file, the environment and flags, later ones winning.

Each field of `Settings` is the setting `ENDCAP_<NAME>`; its description is what `docs/settings.md` and `--help` say.
A TOML file named by `ENDCAP_CONFIG` may hold the same names in lower case.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from endcap.errors import UsageFault
from endcap.roles import read_role_map
from endcap.schedule import Schedule, read_schedule
from endcap.signing import CLOCK_SKEW_SECONDS_DEFAULT, CLOCK_SKEW_SECONDS_MAX
from endcap.wire.catalog import SCALAR_ATTRIBUTES

PREFIX = "ENDCAP_"
FILE_VARIABLE = "ENDCAP_CONFIG"

Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0)]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator can set."""

    database_url: Annotated[
        str,
        Meta(
            description="`sqlite:///path` or `postgresql://…`; empty: `endcap.db` in the data directory"
        ),
    ] = ""
    data_dir: Annotated[
        Path,
        Meta(
            description="Directory of the embedded database, built recommenders, imported orders, the key file"
        ),
    ] = Path("endcap-data")
    master_key: Annotated[
        str,
        Meta(
            description="Seals private keys at rest; empty: a key file with mode 600 in the data directory"
        ),
    ] = ""
    host: Annotated[str, Meta(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port to listen on")] = 8000
    public_url: Annotated[
        str,
        Meta(
            pattern="^(https?://[^/?#\\s]+/?)?$",
            description="`https://host` as clients call it, for links in answers; empty: as the request says",
        ),
    ] = ""
    workers: Annotated[
        int, Meta(ge=1, le=256, description="Worker processes that share the port")
    ] = 1
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least level that is logged")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "text"],
        Meta(description="`json` a line an event, `text` for people, `auto`: text on a terminal"),
    ] = "auto"
    access_log: Annotated[bool, Meta(description="Log a line for every request")] = False
    clock_skew_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=CLOCK_SKEW_SECONDS_MAX,
            description="How far a signed Date may be from the server's clock",
        ),
    ] = CLOCK_SKEW_SECONDS_DEFAULT
    body_bytes_max: Annotated[
        int, Meta(ge=1_024, description="Largest body of customization and recommend requests")
    ] = 1_000_000
    catalog_body_bytes_max: Annotated[
        int, Meta(ge=1_024, description="Largest body of catalog requests as sent")
    ] = 5_000_000
    inflated_bytes_max: Annotated[
        int, Meta(ge=1_024, description="Largest body after gzip or deflate was undone")
    ] = 10_000_000
    event_bytes_max: Annotated[int, Meta(ge=1_024, description="Largest body of an event")] = (
        100_000
    )
    transactions_bytes_max: Annotated[
        int, Meta(ge=1_024, description="Largest body of an upload of past transactions")
    ] = 1_000_000_000
    throttle_tracker_per_second: Annotated[
        Count, Meta(description="Signed requests a second a tracker may make; 0: no limit")
    ] = 0
    throttle_address_per_second: Annotated[
        Count, Meta(description="Public requests a second an address may make; 0: no limit")
    ] = 0
    throttle_client_events: Annotated[
        Count,
        Meta(description="Events that one `client_id` may send in 15 seconds; 0: no limit"),
    ] = 0
    events_ahead_seconds_max: Annotated[
        Count,
        Meta(description="How far a shopper's clock may be ahead; later events are dropped"),
    ] = 3_600
    events_age_days_max: Annotated[
        int, Meta(ge=1, description="How old an event may be when it is sent; others are dropped")
    ] = 7
    events_store_days: Annotated[
        int,
        Meta(ge=1, description="Days that events stay in the database before they are archived"),
    ] = 7
    events_url: Annotated[
        str,
        Meta(
            description="Where events are archived: `s3://bucket/prefix`; empty: `events/` in the data directory"
        ),
    ] = ""
    events_retention_days: Annotated[
        Count, Meta(description="Days that archived events are kept; 0: for ever")
    ] = 400
    events_archive_seconds: Annotated[
        Count,
        Meta(
            description="How often a server looks for events to archive; 0: only `endcap events archive` does"
        ),
    ] = 3_600
    unknown_models: Annotated[
        Literal["accept", "refuse"],
        Meta(
            description="What a customization of an unknown recommender gets: stored with a warning, or 422"
        ),
    ] = "accept"
    recommender_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Hosts that models may ask for rankings, `host` or `host:port` (with commas); empty: none"
        ),
    ] = ()
    creator: Annotated[
        str, Meta(min_length=1, description="`creator` of customizations made by the API")
    ] = "api"
    scalar_attributes: Annotated[
        tuple[str, ...],
        Meta(
            description="Text attributes that hits give as a text, not as a list (separated by commas)"
        ),
    ] = tuple(sorted(SCALAR_ATTRIBUTES))
    build_every: Annotated[
        str,
        Meta(
            description="When the server builds recommenders: every `30m`, `6h`, `1d`, or daily at `04:30` (UTC)"
        ),
    ] = ""
    build_memory_mb: Annotated[
        int, Meta(ge=128, description="Memory that a build may use before it spills to disk")
    ] = 1_024
    build_threads: Annotated[int, Meta(ge=1, le=256, description="Threads of a build")] = 2
    artifacts_kept: Annotated[
        int,
        Meta(
            ge=1, le=1_000, description="Built recommenders kept of a tracker beside those served"
        ),
    ] = 3
    poll_seconds: Annotated[
        Seconds, Meta(description="How often a worker asks the store for other workers' changes")
    ] = 0.05
    postgres_pool_size: Annotated[
        int,
        Meta(
            ge=2,
            le=1_000,
            description="Most PostgreSQL connections of a worker, beside two for events",
        ),
    ] = 8
    job_lease_seconds: Annotated[
        Seconds,
        Meta(
            description="How long a background job stays with a process that does not get on, or is gone"
        ),
    ] = 10.0
    cors_origin: Annotated[
        str, Meta(description="`Access-Control-Allow-Origin` of the public endpoints")
    ] = "*"

    console: Annotated[
        bool, Meta(description="Serve the console for merchandisers at `/console`")
    ] = True
    console_session_idle_minutes: Annotated[
        int,
        Meta(
            ge=1,
            le=60 * 24 * 30,
            description="A session of the console ends when unused for so long",
        ),
    ] = 480
    console_session_hours: Annotated[
        int,
        Meta(
            ge=1, le=24 * 90, description="A session of the console ends so long after signing in"
        ),
    ] = 168
    console_picture_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Origins that the console may load pictures of products from, e.g. "
            "`https://cdn.example.com` (separated by commas)"
        ),
    ] = ()
    console_time_zone: Annotated[
        str,
        Meta(
            description="Zone of the times that the console shows and asks for, by its name in the IANA database, e.g. "
            "`Europe/Prague`"
        ),
    ] = "UTC"
    console_upload_bytes_max: Annotated[
        int, Meta(ge=1_024, description="Largest file that may be uploaded to the console")
    ] = 20_000_000
    console_proxies: Annotated[
        int,
        Meta(
            ge=0,
            le=10,
            description="Proxies in front that add to `X-Forwarded-For`: how the console knows a browser's address",
        ),
    ] = 0

    console_passwords: Annotated[
        bool,
        Meta(
            description="Whether people may sign in with a password; if not, `endcap user link` is a way in for once"
        ),
    ] = True
    oidc_issuer: Annotated[
        str,
        Meta(
            pattern=r"^(https://[^\s?#]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(/[^\s?#]*)?)?$",
            description="OpenID Connect: the provider, as it calls itself, e.g. `https://login.example.com/`; empty: "
            "none",
        ),
    ] = ""
    oidc_client_id: Annotated[str, Meta(description="How the provider calls this server")] = ""
    oidc_client_secret: Annotated[
        str, Meta(description="What it knows this server by; empty: by PKCE alone")
    ] = ""
    oidc_client_secret_file: Annotated[str, Meta(description="A file with that secret instead")] = (
        ""
    )
    oidc_scopes: Annotated[
        str, Meta(description="What the provider is asked for, with spaces between")
    ] = "openid profile email"
    oidc_roles_claim: Annotated[
        str,
        Meta(
            min_length=1,
            description="The claim that lists somebody's groups, e.g. `groups` or `realm_access.roles`",
        ),
    ] = "groups"
    oidc_roles: Annotated[
        tuple[str, ...],
        Meta(
            description="Roles by group, `GROUP=ROLE` or `GROUP=ROLE@TRACKER` (with commas); empty: roles are given by "
            "`endcap user role`"
        ),
    ] = ()
    oidc_email_domains: Annotated[
        tuple[str, ...],
        Meta(
            description="Only people with a verified e-mail address of these domains (with commas); empty: whomever "
            "the provider knows"
        ),
    ] = ()
    oidc_link_by_email: Annotated[
        bool,
        Meta(
            description="Whether somebody whose verified e-mail address is a user's name is that user from then on"
        ),
    ] = False
    oidc_label: Annotated[
        str,
        Meta(min_length=1, max_length=60, description="What the button says after “Sign in with”"),
    ] = "single sign-on"

    @property
    def store_url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'endcap.db'}"

    @property
    def schedule(self) -> Schedule | None:
        """When trackers are built; None: by command alone."""
        return read_schedule(self.build_every)

    @property
    def zone(self) -> ZoneInfo:
        """That of the console's times. Raises UsageFault."""
        return read_zone(self.console_time_zone)


def read_zone(name: str) -> ZoneInfo:
    """By its name in the IANA time zone database (https://www.iana.org/time-zones). Raises UsageFault."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageFault(
            f"The setting console_time_zone ({variable('console_time_zone')}) cannot be used: {name!r} is no time zone "
            "known here. It is named like Europe/Prague; the system's package tzdata has the names"
        ) from error


_LISTS = (
    "scalar_attributes",
    "recommender_hosts",
    "console_picture_hosts",
    "oidc_roles",
    "oidc_email_domains",
)
_SWITCHES = ("access_log", "console", "console_passwords", "oidc_link_by_email")
NAMES = tuple(field.name for field in msgspec.structs.fields(Settings))


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def environment_of(settings: Settings) -> Mapping[str, str]:
    """The variables with which another process sees the same settings."""
    found = {name: getattr(settings, name) for name in NAMES}
    return {variable(name): _as_text(value) for name, value in found.items()}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)


def load(
    environment: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
) -> Settings:
    """Reads file, environment and flags (None: not given). Raises UsageFault that names the setting."""
    environment = os.environ if environment is None else environment
    given: dict[str, Any] = _from_file(environment.get(FILE_VARIABLE))
    given.update(
        {name: environment[variable(name)] for name in NAMES if variable(name) in environment}
    )
    given.update({name: value for name, value in (flags or {}).items() if value is not None})
    for name in _LISTS:
        if isinstance(given.get(name), str):
            given[name] = [each.strip() for each in given[name].split(",") if each.strip()]
    for name in _SWITCHES:
        if isinstance(given.get(name), str):
            given[name] = given[name].lower()
    if "data_dir" in given:
        given["data_dir"] = str(given["data_dir"])
    try:
        settings = msgspec.convert(given, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise UsageFault(f"{_fault(str(error))}. See docs/settings.md") from None
    read_schedule(settings.build_every)  # all said now, not by a worker
    read_zone(settings.console_time_zone)
    read_role_map(settings.oidc_roles)
    if settings.oidc_issuer and not settings.oidc_client_id:
        raise UsageFault(
            "The setting oidc_issuer (ENDCAP_OIDC_ISSUER) needs oidc_client_id (ENDCAP_OIDC_CLIENT_ID) beside it. "
            "See docs/settings.md"
        )
    return settings


_PLACE = re.compile(r" - at `\$\.(\w+).*`")


def _fault(said: str) -> str:
    """What msgspec says of a value, with the names that operators know it by."""
    found = _PLACE.search(said)
    if found is None:
        return f"A setting cannot be used: {said}"
    name = found[1]
    return f"The setting {name} ({variable(name)}) cannot be used: {said[: found.start()]}"


def _decode(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError  # msgspec's own signal for «no hook for this type»


def _from_file(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageFault(
            f"The settings file {path} ({FILE_VARIABLE}) cannot be read: {error}"
        ) from error

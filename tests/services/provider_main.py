"""
Canaille, an OpenID provider, as a process: `python -m tests.services.provider_main FILE`, with a JSON of what is in it.

The file says the port, the users with passwords and groups, and one client; a database beside it keeps them. It begins
with a signing key of its own each time, as a provider does that was given new keys.
"""

import datetime
import json
import secrets
import sys
from pathlib import Path
from typing import Any

from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from canaille.oidc.provider import authorization
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server


def main(path: str) -> None:
    told: dict[str, Any] = json.loads(Path(path).read_text())
    key = RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256"}, auto_kid=True)
    app = create_app(
        {
            "SECRET_KEY": "only for tests",
            "CANAILLE": {
                "DATABASE": "sql",
                "SMTP": None,
                "LOGGING": told.get("log"),
                "JAVASCRIPT": False,
            },
            "CANAILLE_SQL": {
                "DATABASE_URI": f"sqlite:///{Path(path).with_suffix('.sqlite').absolute()}",
                "AUTO_MIGRATE": True,
            },
            "CANAILLE_OIDC": {
                "ACTIVE_JWKS": [key.as_dict(private=True)],
            },
        }
    )
    with app.app_context():
        with Backend.instance.session():
            if not Backend.instance.query(models.Client):
                fill(Backend.instance, told)
    # Its own are made of the second and the user, so that signing in twice within one fails.
    authorization._token_generators["default"].access_token_generator = opaque_token
    server = make_server("127.0.0.1", told["port"], app, threaded=True)
    server.serve_forever()


def opaque_token(*_: object, **__: object) -> str:
    return secrets.token_urlsafe(32)


def fill(backend: Any, told: dict[str, Any]) -> None:
    groups: dict[str, list[Any]] = {}
    for name, user in told["users"].items():
        made = models.User(
            user_name=name,
            formatted_name=name,
            family_name=name,
            display_name=name,
            emails=[user["email"]],
            password=user["password"],
        )
        backend.save(made)
        for group in user["groups"]:
            groups.setdefault(group, []).append(made)
    for name, members in groups.items():
        backend.save(models.Group(display_name=name, members=members))
    client = models.Client(
        client_id=told["client_id"],
        client_id_issued_at=datetime.datetime.now(datetime.UTC),
        client_name="Endcap",
        client_uri="http://127.0.0.1",
        client_secret=told["client_secret"],
        redirect_uris=told["redirect_uris"],
        post_logout_redirect_uris=told["after_logout"],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_basic",
        application_type="web",
        id_token_signed_response_alg="RS256",
    )
    backend.save(client)
    client.audience = [client]
    backend.save(client)


if __name__ == "__main__":
    main(sys.argv[1])

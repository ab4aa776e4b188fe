"""
What each role may do: the one table, and the one place that looks at it.

Every route of the console names a verb. `look` and what follows are asked about the tracker that the path names.
"""

from collections.abc import Mapping
from typing import Literal

from endcap.accounts import Role, SignedIn
from endcap.errors import RoleLacking

Verb = Literal["enter", "own", "look", "tag", "draft", "undo", "change", "audit"]

LEAST: Mapping[Verb, Role] = {
    "look": Role.VIEWER,
    "tag": Role.EDITOR,
    "draft": Role.EDITOR,
    "undo": Role.EDITOR,
    "change": Role.PUBLISHER,
    "audit": Role.ADMIN,
}
"""Verb → the least role that may. Not here: `enter`, for everybody, and `own`, for everybody who is signed in."""


def may(who: SignedIn, verb: Verb, tracker: str) -> bool:
    least = LEAST[verb]
    role = who.role(tracker)
    return role is not None and role >= least


def check(who: SignedIn, verb: Verb, tracker: str) -> None:
    """Raises RoleLacking."""
    if not may(who, verb, tracker):
        least = LEAST[verb]
        role = who.role(tracker)
        raise RoleLacking(
            details={
                "role": [
                    f"You are {_article(role)} here; this takes {_article(least)}. Ask an administrator"
                ]
            }
        )


def _article(role: Role | None) -> str:
    if role is None:
        return "nobody"
    return f"an {role.word}" if role.word[0] in "ae" else f"a {role.word}"

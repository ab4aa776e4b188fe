"""
Roles: what somebody may do in a tracker, and which follow from the groups that somebody is in elsewhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

from msgspec import Struct

from endcap.errors import UsageFault

EVERY_TRACKER = "*"


class Role(IntEnum):
    """What somebody may do in a tracker; each may do all that the ones before may."""

    VIEWER = 1
    EDITOR = 2
    PUBLISHER = 3
    ADMIN = 4

    @property
    def word(self) -> str:
        return self.name.lower()


ROLES: Mapping[str, Role] = {role.word: role for role in Role}


class RoleMap(Struct, frozen=True):
    """Group → roles by tracker."""

    by_group: Mapping[str, Sequence[tuple[str, Role]]]

    def roles(self, groups: Iterable[str]) -> dict[str, str]:
        """The highest of each tracker."""
        found: dict[str, Role] = {}
        for group in groups:
            for tracker, role in self.by_group.get(group, ()):
                found[tracker] = max(role, found.get(tracker, role))
        return {tracker: role.word for tracker, role in sorted(found.items())}


def read_role_map(texts: Sequence[str]) -> RoleMap | None:
    """`editors=editor`, `shop-cz=publisher@1234-5678`; None for an empty list. Raises UsageFault."""
    found: dict[str, list[tuple[str, Role]]] = {}
    for text in texts:
        group, _, wish = text.rpartition("=")
        word, has_tracker, tracker = wish.partition("@")
        if not group or word not in ROLES or (has_tracker and not tracker):
            raise UsageFault(
                f"oidc_roles (ENDCAP_OIDC_ROLES) must be GROUP=ROLE or GROUP=ROLE@TRACKER, with one of "
                f"{', '.join(ROLES)}, not {text}"
            )
        found.setdefault(group, []).append((tracker or EVERY_TRACKER, ROLES[word]))
    return RoleMap(found) if found else None

"""
Templates, and what every page shows around its own content: who is signed in, which trackers there are, what they may.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from endcap import __version__
from endcap.accounts import SignedIn
from endcap.api.http import Response
from endcap.service import Service
from endcap.shops import Shop
from endcap.web import words
from endcap.web.access import Verb, may
from endcap.web.assets import Assets
from endcap.web.sections import Section
from endcap.web.visits import Visit, page


class TrackerLink(Struct, frozen=True):
    id: str
    name: str
    url: str
    is_here: bool


class Pages:
    """Renders templates; everything that goes into one is escaped."""

    def __init__(self, service: Service, assets: Assets, sections: Sequence[Section]) -> None:
        self._service = service
        self._sections = sorted(sections, key=lambda section: section.rank)
        self.counters: dict[Section, Callable[[Shop], int | None]] = {}
        """Numbers beside links of the navigation: what is known without looking, or None."""
        self._templates = _templates(assets)

    def render(self, template: str, visit: Visit, /, **content: Any) -> str:
        found = self._templates.get_template(f"{template}.html")
        return found.render({**self._frame(visit), **content})

    def answer(
        self,
        template: str,
        visit: Visit,
        /,
        *,
        status: int = 200,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        **content: Any,
    ) -> Response:
        """A page, or its inside alone where a script asked for that."""
        return page(self.render(template, visit, **content), status, *headers)

    def _frame(self, visit: Visit) -> Mapping[str, Any]:
        who, shop, may_here = visit.who, visit.shop, _asked(visit)
        return {
            "who": who,
            "csrf": who.csrf if who else "",
            "theme": visit.theme,
            "here": visit.here(),
            "is_part": visit.wants_part,
            "trackers": self.trackers(who, "" if shop is None else shop.tracker) if who else [],
            "tracker": None if shop is None else shop.tracker,
            "tracker_name": "" if shop is None else shop.row.name,
            "base": "" if shop is None else base_of(shop.tracker),
            "may": may_here,
            "sections": [each for each in self._sections if may_here(each.verb)],
            "section": visit.section,
            "section_counts": {}
            if shop is None
            else {s: c(shop) for s, c in self.counters.items()},
            "role": _role(visit),
        }

    def trackers(self, who: SignedIn, here: str = "") -> list[TrackerLink]:
        """Those that the user may look at, ordered by name."""
        shops = self._service.mirror.shops().values()
        links = [
            TrackerLink(
                shop.tracker,
                shop.row.name or shop.tracker,
                f"{base_of(shop.tracker)}/customizations",
                shop.tracker == here,
            )
            for shop in list(shops)
            if may(who, "look", shop.tracker)
        ]
        return sorted(links, key=lambda link: (link.name.casefold(), link.id))


@cache
def _templates(assets: Assets) -> Environment:
    """Compiled once a process, each when it is first rendered."""
    environment = Environment(
        loader=PackageLoader("endcap.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(asset=assets.url, version=__version__)
    environment.filters.update(plural=words.plural)
    return environment


def base_of(tracker: str) -> str:
    return f"/console/t/{tracker}"


def _asked(visit: Visit) -> Callable[[Verb], bool]:
    who, shop = visit.who, visit.shop
    return lambda verb: who is not None and shop is not None and may(who, verb, shop.tracker)


def _role(visit: Visit) -> str:
    if visit.who is None or visit.shop is None:
        return ""
    role = visit.who.role(visit.shop.tracker)
    return "" if role is None else role.word

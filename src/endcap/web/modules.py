"""
What a module of pages tells the console: its routes, and its place in the navigation.

A module of pages is a class that is made from the `Ground` and has `routes()`. It is named once, in `console.MODULES`;
nothing else has to know of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Literal

from msgspec import Struct

from endcap.accounts import Accounts
from endcap.api.app import Parts
from endcap.api.http import Response
from endcap.bulk import Bulk
from endcap.finders import Finders
from endcap.recommending import Recommending
from endcap.rosters import Rosters
from endcap.service import Service
from endcap.web.access import Verb
from endcap.web.pages import Pages
from endcap.web.sections import Section
from endcap.web.visits import Visit

TRACKER = "/console/t/{tracker}"
"""Paths of one tracker begin so; the console has checked tracker and role before a page is asked."""

Method = Literal["GET", "POST"]
Page = Callable[[Visit], Awaitable[Response]]


class Route(Struct, frozen=True):
    """
    One page or action. `section` marks the link of the navigation that leads here; `takes_files` says that its form may
    bring files, within `console_upload_bytes_max`.
    """

    method: Method
    path: str
    verb: Verb
    answer: Page
    section: Section | None = None
    takes_files: bool = False


class Ground(Struct, frozen=True):
    """What pages stand on: one of each a process."""

    parts: Parts
    pages: Pages
    rosters: Rosters
    bulk: Bulk
    finders: Finders

    @property
    def service(self) -> Service:
        return self.parts.service

    @property
    def recommending(self) -> Recommending:
        return self.parts.recommending

    @property
    def accounts(self) -> Accounts:
        return self.parts.accounts


class PageModule(ABC):
    sections: ClassVar[Sequence[Section]] = ()
    """Its links in the navigation of a tracker."""

    @abstractmethod
    def __init__(self, ground: Ground) -> None: ...

    @abstractmethod
    def routes(self) -> Sequence[Route]: ...

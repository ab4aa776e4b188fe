"""
The links of the navigation that every page of a tracker shows.
"""

from msgspec import Struct

from endcap.web.access import Verb


class Section(Struct, frozen=True):
    """A link: who may not do the verb does not see it. Lower ranks come first; leave room between them."""

    path: str
    """Below the tracker's path, e.g. `/customizations`."""
    word: str
    rank: int
    verb: Verb = "look"


CUSTOMIZATIONS = Section("/customizations", "Customizations", 100)
DRAFTS = Section("/drafts", "Drafts", 200)
CALENDAR = Section("/calendar", "Calendar", 300)
ATTENTION = Section("/health", "Needs attention", 400)
CHANGES = Section("/changes", "Changes", 800)

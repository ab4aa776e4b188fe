"""
What was just done, told on the page that an action leads back to.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from msgspec import Struct

from endcap.bulk import Done
from endcap.web.visits import Form

DONE_WORDS: Mapping[str, str] = {
    "delete": "deleted",
    "disable": "disabled",
    "discard": "left as it is; its draft is discarded",
    "draft": "kept as a draft",
    "enable": "enabled",
    "mend": "mended",
    "move": "moved",
    "publish": "published",
    "restore": "put back as they were then",
    "schedule": "to be published at its time",
    "shift": "shifted",
    "tag": "tagged",
    "undo": "put back as they were",
    "unpublish": "unpublished, and kept as a draft",
    "unschedule": "no longer to be published by itself",
    "untag": "untagged",
}
"""What `did` says in an address → what the toast says."""
_OF_ONE: Mapping[str, str] = {
    "restore": "put back as it was then",
    "undo": "put back as it was",
}


def told_query(did: str, changed: int, skipped: int, done: Done | None) -> str:
    """What an action adds to the address that it leads back to; with `done` it can be undone."""
    told = {"did": did, "changed": changed, "skipped": skipped}
    if done is not None:
        told |= {"at": done.at, "after": done.after, "through": done.through}
    return urlencode(told)


class Told(Struct, frozen=True):
    """
    For the toast; `undo` holds what its button sends, if there is one. `action` is the revision of an action that can
    be taken back on the page of changes instead, or 0.
    """

    text: str
    undo: Mapping[str, int]
    action: int = 0


def told_of(query: Form) -> Told | None:
    """From the address that an action leads back to. Only numbers and known words are taken from there."""
    did = query.get("did")
    if did == "apply":
        return _applied(query)
    verb = DONE_WORDS.get(did)
    if verb is None:
        return None
    changed, skipped = query.number("changed"), query.number("skipped")
    if changed == 1:
        verb = _OF_ONE.get(did, verb)
    noun = "customization" if changed == 1 else "customizations"
    text = f"{changed:,} {noun} {verb}."
    if skipped:
        was = "was" if skipped == 1 else "were"
        text += f" {skipped:,} {was} left alone, because somebody else has changed them, or they could not be."
    undo = {name: query.number(name) for name in ("at", "after", "through")}
    can = changed > 0 and did != "undo" and undo["at"] > 0
    return Told(text, undo if can else {})


def _applied(query: Form) -> Told:
    """Of a plan: any of three things may have been done by it."""
    counts = [(word, query.number(word)) for word in ("created", "changed", "deleted")]
    said = ", ".join(f"{count:,} {word}" for word, count in counts if count)
    text = f"Done: {said}." if said else "Done: there was nothing to change."
    return Told(text, {}, query.number("revision") if said else 0)

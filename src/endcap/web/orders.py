"""
What people bring to pages to have it planned: how it is kept for them, and what is said of it.
"""

from urllib.parse import quote
from uuid import uuid4

import msgspec

from endcap.api.threads import ask
from endcap.bulk import read_tags
from endcap.domain import Filter, Micros, TrackerId
from endcap.errors import AccountFault, FaultyFields
from endcap.planning.orders import Copy, Order
from endcap.store.accounts import AccountStore, Upload
from endcap.web.pages import base_of
from endcap.web.visits import Form, Visit

KEPT = 3  # of one user: some tabs
KEPT_MICROS = 3_600 * 1_000_000
SCOPES = ("", "tag", "model", "all")


async def held(
    store: AccountStore,
    visit: Visit,
    tracker: TrackerId,
    order: Order,
    content: bytes,
    *,
    now: Micros,
) -> Upload:
    """Keeps an order for its user to see its plan. Raises AccountFault for one who was disabled this very moment."""
    name = visit.user.name
    upload = Upload(str(uuid4()), name, tracker, now, msgspec.json.encode(order), content)
    since = Micros(now - KEPT_MICROS)
    if not await ask(lambda: store.hold(upload, kept=KEPT, since=since), inline=False):
        raise AccountFault("You cannot do this any more", {"user": [name]})
    return upload


def upload_url(upload: Upload) -> str:
    return f"{base_of(quote(upload.tracker, safe=''))}/import/{upload.id}"


def read_scope(form: Form) -> Filter | None:
    """Where what a file does not name is deleted. Raises FaultyFields."""
    match form.get("scope"):
        case "":
            return None
        case "tag":
            return Filter(tags=read_tags(form.get("scope_tags")))
        case "model":
            models = tuple(dict.fromkeys(form.all("scope_models")))
            if not models:
                told = "Choose the recommenders whose customizations may be deleted"
                raise FaultyFields("No recommender is chosen", {"recommenders": [told]})
            return Filter(models=models)
        case "all":
            return Filter()
        case _:
            raise FaultyFields("The form cannot be read", {"scope": ["Must be tag, model or all"]})


def form_of_scope(scope: Filter | None) -> Form:
    """The fields that would say it."""
    if scope is None:
        return Form(())
    if scope.models:
        return Form([("scope", "model"), *(("scope_models", each) for each in scope.models)])
    if scope.tags:
        return Form([("scope", "tag"), ("scope_tags", ", ".join(scope.tags))])
    return Form([("scope", "all")])


def scope_text(order: Order) -> str:
    """Empty where nothing is deleted."""
    scope = None if isinstance(order, Copy) else order.prune
    if scope is None:
        return ""
    if scope.models:
        return f"of {' or '.join(scope.models)}"
    return f"tagged {' or '.join(scope.tags)}" if scope.tags else "of this tracker"


def where_text(order: Order, where: str, name: str | None) -> str:
    """`line 12`, `row 12, winter-sale`: where a file says it, and what it calls it."""
    if isinstance(order, Copy):
        return ""
    unit = "row" if order.name.lower().endswith(".xlsx") else "line"
    number = where.rpartition(":")[2]
    told = f"{unit} {number}" if number.isdigit() else ""
    return ", ".join(each for each in (told, name or "") if each)

"""
The client's public surface: a name that slips in or out shows here.
"""

import inspect

import endcap.client
from endcap.client import AsyncClient, Client

VERBS = {
    "create",
    "delete",
    "delete_objects",
    "export",
    "export_as",
    "export_catalog",
    "export_page",
    "get",
    "get_if_changed",
    "health",
    "import_transactions",
    "list",
    "list_all",
    "patch_objects",
    "put_objects",
    "ready",
    "recommend",
    "replace",
    "send_event",
    "summary",
}


def test_exported_names() -> None:
    """What the package gives is this list, and all of it is there."""
    assert endcap.client.__all__ == [
        "AsyncClient",
        "CatalogPage",
        "Client",
        "Customization",
        "Definition",
        "Explanation",
        "ExportedObject",
        "Hit",
        "Imported",
        "ItemShown",
        "Page",
        "Pin",
        "PinShown",
        "Recommendation",
        "RecommendationRequest",
        "SignedAuth",
        "Summary",
    ]
    assert all(hasattr(endcap.client, name) for name in endcap.client.__all__)


def test_both_clients_have_the_same_verbs() -> None:
    """They differ in how they are closed, and in nothing else."""
    assert public(Client) == VERBS | {"close"}
    assert public(AsyncClient) == VERBS | {"aclose"}
    for name in VERBS:
        sync, awaited = getattr(Client, name), getattr(AsyncClient, name)
        assert inspect.signature(sync) == inspect.signature(awaited)
        assert inspect.getdoc(sync) == inspect.getdoc(awaited) != ""


def public(client: type) -> set[str]:
    return {name for name in dir(client) if not name.startswith("_")}

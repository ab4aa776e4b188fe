"""
The client's public surface: a name that slips in or out shows here.
"""

import inspect

import endcap.client
from endcap.client import AsyncClient, Client

VERBS = {
    "commit_generation",
    "create",
    "delete",
    "delete_model",
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
    "model",
    "models",
    "patch_objects",
    "place",
    "put_model",
    "put_objects",
    "ready",
    "recommend",
    "replace",
    "send_event",
    "summary",
    "update_by_query",
    "update_progress",
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
        "Model",
        "Page",
        "Pin",
        "PinShown",
        "Placement",
        "PlacementRequest",
        "Ranked",
        "Recommendation",
        "RecommendationRequest",
        "SignedAuth",
        "Summary",
        "UpdateProgress",
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

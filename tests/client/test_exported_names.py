"""
The client's public surface: a name that slips in or out shows here.
"""

import inspect

import endcap.client
from endcap.client import AsyncClient, Client

VERBS = {
    "commit_generation",
    "create",
    "create_draft",
    "delete",
    "delete_model",
    "delete_objects",
    "discard_draft",
    "draft",
    "drafts",
    "export",
    "export_as",
    "export_catalog",
    "export_page",
    "get",
    "get_if_changed",
    "health",
    "history",
    "import_transactions",
    "list",
    "list_all",
    "model",
    "models",
    "patch_objects",
    "publish",
    "publish_at",
    "place",
    "put_model",
    "put_objects",
    "ready",
    "recommend",
    "replace",
    "restore_tracker",
    "restore_version",
    "save_draft",
    "send_event",
    "summary",
    "undo",
    "unpublish",
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
        "Draft",
        "Drafts",
        "Explanation",
        "ExportedObject",
        "HistoryLine",
        "HistoryPage",
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
        "Reversal",
        "SignedAuth",
        "Step",
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

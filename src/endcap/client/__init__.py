"""
The client of the HTTP API, for Endcap and for the vendor's own host: the base URL is the only difference.

`Client` and `AsyncClient` have the same verbs, take and give the same values, and raise the problems of
`endcap.errors`, the very classes that the server raised. A connection that fails raises `httpx2.TransportError`.
"""

from endcap.client._shells import AsyncClient, Client
from endcap.client._signing import SignedAuth
from endcap.client._values import (
    CatalogPage,
    Customization,
    Definition,
    Draft,
    Drafts,
    Explanation,
    ExportedObject,
    HistoryLine,
    HistoryPage,
    Hit,
    Imported,
    ItemShown,
    Model,
    Page,
    Pin,
    PinShown,
    Placement,
    PlacementRequest,
    Ranked,
    Recommendation,
    RecommendationRequest,
    Reversal,
    Step,
    Summary,
    UpdateProgress,
)

__all__ = [
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

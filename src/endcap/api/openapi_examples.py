"""
Examples for the API's description, all of one shop: a guitar in the basket, and the strap that goes with it.
"""

from typing import Any

from endcap.api.openapi_schemas import CUSTOMIZATION

PIN = {
    "position": 1,
    "pin_type": "item",
    "pin_identity": "/p/555",
    "active_from": "2025-02-01T00:00:00Z",
}
INPUT = {
    "model": "basket",
    "target_type": "item",
    "target_identity": "/p/123",
    "tags": ["guitars"],
    "pin_definitions": [PIN],
}
STORED = {
    "id": CUSTOMIZATION,
    "created_at": "2025-01-22T08:49:58Z",
    "updated_at": "2025-01-22T08:49:58Z",
    **INPUT,
    "target_metadata": {
        "title": "Fender Telecaster",
        "image_link": "https://doe.com/123.jpg",
    },
    "creator": "api",
    "available": True,
}
INPUTS = {
    "item": INPUT,
    "criteria": {
        "model": "item_detail_complements",
        "target_type": "criteria",
        "target_criteria": {
            "brand": {"values": ["Fender", "Squier"]},
            "price_amount": {"values": ["500|"]},
        },
        "tags": ["guitars", "spring"],
        "pin_definitions": [
            {
                "position": 2,
                "pin_type": "criteria",
                "pin_criteria": [{"field": "category", "operator": "=", "value": "Straps"}],
                "widget_id": "detail-bottom",
                "active_to": "2025-06-01T00:00:00+02:00",
            },
            {"position": 0, "pin_type": "item", "pin_identity": "/p/900", "is_block_pin": True},
        ],
    },
    "all": {"model": "basket", "target_type": "all", "pin_definitions": []},
}
GUITAR = {
    "identity": "/p/123",
    "type": "item",
    "generation": "2025-01-20",
    "fields": {
        "title": "Fender Telecaster",
        "brand": "Fender",
        "price": "1 299,00 €",
        "availability": 1,
        "image_link": "https://doe.com/123.jpg",
        "_margin": 0.31,
    },
    "nested": [
        {
            "identity": "/c/electric",
            "type": "category",
            "fields": {"title": "Electric guitars", "ancestors": [{"title": "Guitars"}]},
        }
    ],
}
STRAP = {
    "identity": "/p/555",
    "type": "item",
    "generation": "2025-01-20",
    "fields": {
        "title": "Leather strap",
        "brand": "Fender",
        "price": "39,00 €",
        "color": ["black", "brown"],
    },
}
CONTENT_PAGE = {
    "total": 2,
    "objects": [
        {
            "url": "/p/123",
            "type": "item",
            "attributes": {
                "title": "Fender Telecaster",
                "brand": ["Fender"],
                "price": "1 299,00 €",
                "availability": 1,
                "image_link": "https://doe.com/123.jpg",
                "price_amount": 1299.0,
                "category": ["Electric guitars"],
                "category_lvl_1": ["Guitars"],
                "category_lvl_2": ["Electric guitars"],
            },
            "nested": [
                {
                    "url": "/c/electric",
                    "type": "category",
                    "attributes": {
                        "title": "Electric guitars",
                        "ancestors": [{"title": "Guitars"}],
                    },
                    "nested": [],
                    "exact": True,
                }
            ],
            "exact": True,
            "generation": "2025-01-20",
        }
    ],
    "links": [
        {
            "rel": "next",
            "href": "https://reco.example.com/v1/content_export?cursor=l6kxMjM0LTU2Nzj",
        }
    ],
}
WISH = {
    "recommendation_type": "basket",
    "recommender_client_identifier": "basket-sidebar",
    "item_ids": ["/p/123"],
    "size": 3,
    "hit_fields": ["title", "brand", "price"],
}
GIVEN: dict[str, Any] = {
    "generated_at": "2025-02-03T23:34:59.585570",
    "model_version": None,
    "recommendation_id": "6a0c5ab6-2a0e-4a8c-9b0f-0d6a4d1c7b11",
    "recommendation_type": "basket",
    "recommender": "basket",
    "recommender_client_identifier": "basket-sidebar",
    "recommender_version": "b36705710",
    "user_id": None,
    "hits": [
        {
            "url": "/p/555",
            "type": "item",
            "attributes": {"title": "Leather strap", "brand": ["Fender"], "price": "39,00 €"},
            "nested": [],
            "exact": True,
        }
    ],
}
WISH_V2 = {
    "model": "basket",
    "widget_id": "basket-sidebar",
    "device_user_id": "7138",
    "identities": ["/p/123"],
    "size": 3,
}
GIVEN_V2: dict[str, Any] = {
    **{name: GIVEN[name] for name in ("generated_at", "model_version", "recommendation_id")},
    "model": "basket",
    "recommender": "basket",
    "widget_id": "basket-sidebar",
    "recommender_version": "b36705710",
    "user_id": "7138",
    "hits": [{"identity": "/p/555", **each} for each in GIVEN["hits"]],
}
EXPLAINED: dict[str, Any] = {
    **GIVEN,
    "explanation": {
        "pins": [
            {
                "customization_id": CUSTOMIZATION,
                "pin": 0,
                "target_type": "item",
                "position": 1,
                "verdict": "placed",
                "item": "/p/555",
                "slot": 1,
                "because": "",
            }
        ],
        "items": [
            {"slot": 1, "url": "/p/555", "from": "pin", "pin": 0, "customization_id": CUSTOMIZATION}
        ],
    },
}
RANKED_WISH = {
    "model": "basket",
    "widget_id": "basket-sidebar",
    "item_ids": ["/p/123"],
    "size": 2,
    "hit_fields": ["title", "brand", "price"],
    "ranking": ["/p/124", "/p/gone", "/p/555"],
}
SCORED_WISH = {
    "model": "basket",
    "item_ids": ["/p/123"],
    "ranking": [{"identity": "/p/555", "score": 0.71}, {"identity": "/p/124", "score": 0.93}],
    "fill": True,
}
PLACED = {
    **EXPLAINED,
    "hits": [
        *GIVEN["hits"],
        {
            "url": "/p/124",
            "type": "item",
            "attributes": {"title": "Les Paul", "brand": ["Gibson"], "price": "999,00 €"},
            "nested": [],
            "exact": True,
        },
    ],
    "explanation": {
        "pins": EXPLAINED["explanation"]["pins"],
        "items": [
            *EXPLAINED["explanation"]["items"],
            {"slot": 2, "url": "/p/124", "from": "ranking", "place": 1},
        ],
    },
    "not_in_catalog": ["/p/gone"],
}

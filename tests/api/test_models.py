"""
The table of models over HTTP: `/api/trackers/{TRACKER_ID}/models`, and what recommendations make of it.
"""

from urllib.parse import quote

import pytest

from endcap.domain import ItemId, Micros, TrackerId
from endcap.recommend.models import REFERENCE
from endcap.recommend.shoppers import Act
from endcap.recommend.table import KINDS
from tests.api.driver import TRACKER, Json, Server, ToldClock, problem

MODELS = f"/api/trackers/{TRACKER}/models"


def put(server: Server, name: str, document: Json, **headers: str) -> Json:
    target = f"{MODELS}/{quote(name)}"
    return server.send(
        "PUT", target, document, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def test_the_reference_is_there_without_set_up(server: Server) -> None:
    """Every reference name with its whole document, none of them the tracker's own."""
    answer = server.send("GET", MODELS)

    assert answer.status_code == 200
    models = answer.json()["models"]
    assert [each["name"] for each in models] == sorted(REFERENCE)
    assert {each["origin"] for each in models} == {"reference"}
    (trends,) = [each for each in models if each["name"] == "trends"]
    assert trends["model"]["strategy"] == {"kind": "popular", "span": "recent"}


def test_a_model_that_is_set_is_the_next_answers(server: Server, clock: ToldClock) -> None:
    """The PUT answers with the whole document, its tag and revision; a recommendation at once goes by it."""
    clock.tell("2025-02-01T00:00:00Z")

    answer = put(server, "test_reco", {"strategy": {"kind": "discounted"}, "fallback": ["random"]})

    assert answer.status_code == 200
    told = answer.json()
    assert told["origin"] == "own"
    assert told["updated_at"] == "2025-02-01T00:00:00Z"
    assert told["model"]["strategy"] == {"kind": "discounted", "share_min": 0.0}
    assert answer.headers["etag"] == f'"{told["revision"]}"'
    assert answer.headers["endcap-revision"] == str(told["revision"])
    found = server.send("GET", f"{MODELS}/test_reco")
    assert (found.json(), found.headers["etag"]) == (told, answer.headers["etag"])
    explained = server.send(
        "POST",
        f"/v1/recommend?tracker_id={TRACKER}&explain=true",
        [{"recommendation_type": "test_reco", "size": 1}],
    ).json()
    assert explained[0]["explanation"]["items"][0]["stage"] == "random"


def test_a_name_of_the_shops_own_is_a_recommender(server: Server) -> None:
    """Unknown before, and after it was taken away; numbered names mean it as well."""
    wish = {"recommendation_type": "basket recommender_2", "size": 1}
    assert server.send("POST", f"/v1/recommend?tracker_id={TRACKER}", [wish]).status_code == 404

    put(server, "basket recommender", {"strategy": "bought_together"})
    (answer,) = server.recommend(wish)

    assert answer["recommender"] == "basket recommender"
    assert len(answer["hits"]) == 1
    gone = server.send("DELETE", f"{MODELS}/basket%20recommender")
    assert (gone.status_code, gone.content) == (204, b"")
    assert server.send("POST", f"/v1/recommend?tracker_id={TRACKER}", [wish]).status_code == 404


def test_a_customization_may_name_a_model_of_the_shops_own(server: Server) -> None:
    """Its pins act on that model alone."""
    put(server, "home", "popular")
    server.create(model="home", target_type="all", target_identity=None)

    assert server.shown(recommendation_type="home", size=1) == ["/p/555"]
    assert server.shown(size=1) == ["/p/123"]


def test_what_leaves_the_table_is_the_reference_again(server: Server) -> None:
    """A name of the reference means what it meant."""
    before = server.send("GET", f"{MODELS}/basket").json()
    put(server, "basket", "popular")

    server.send("DELETE", f"{MODELS}/basket")

    assert server.send("GET", f"{MODELS}/basket").json() == before


def test_an_editor_does_not_overwrite_another(server: Server) -> None:
    """If-Match holds PUT and DELETE to what was read; `"0"` is the tag of what nobody has set."""
    first = put(server, "basket", "popular", If_Match='"0"')
    assert first.status_code == 200

    problem(put(server, "basket", "newest", If_Match='"0"'), 412)
    stale = {"If-Match": '"1"'}
    problem(server.send("DELETE", f"{MODELS}/basket", headers=stale), 412)
    second = put(server, "basket", "newest", If_Match=first.headers["etag"])

    assert second.status_code == 200
    unchanged = {"If-None-Match": second.headers["etag"]}
    assert server.send("GET", f"{MODELS}/basket", headers=unchanged).status_code == 304


def test_the_same_document_again_changes_nothing(server: Server) -> None:
    """Neither revision nor tag."""
    first = put(server, "basket", {"strategy": "popular"})

    again = put(server, "basket", first.json()["model"])

    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["endcap-revision"] == first.headers["endcap-revision"]


def test_faults_are_told_all_at_once(server: Server) -> None:
    """422 by path; nothing is stored."""
    told = problem(
        put(server, "basket", {"strategy": {"kind": "newest", "age": 1}, "fallback": ["x"]}), 422
    )

    assert told["reason"] == "Invalid model provided"
    assert set(told["exception_details"]) == {"strategy.age", "fallback.0.kind"}
    assert server.send("GET", f"{MODELS}/basket").json()["origin"] == "reference"


@pytest.mark.parametrize("name", ["a%2Fb", "%20a", "a" * 101])
def test_a_name_that_cannot_be_is_refused(server: Server, name: str) -> None:
    """With what is wrong with it."""
    answer = server.send("PUT", f"{MODELS}/{name}", {"strategy": "popular"})

    assert list(problem(answer, 422)["exception_details"]) == ["name"]


def test_what_is_not_json_and_what_is_too_large(server: Server) -> None:
    """As every body of this API."""
    problem(server.send("PUT", f"{MODELS}/basket", b"strategy: popular"), 400)
    problem(server.send("PUT", f"{MODELS}/basket", b'"' + b"x" * 30_000 + b'"'), 413)


def test_unknown_names_are_not_found(server: Server) -> None:
    """To be read, or to be taken away; a reference name is not in the table either."""
    for method, name in (("GET", "cart"), ("DELETE", "cart"), ("DELETE", "basket")):
        told = problem(server.send(method, f"{MODELS}/{name}"), 404)
        assert told["reason"] == "Recommender not found"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_the_shop_may(server: Server, method: str) -> None:
    """A request without a signature is refused."""
    problem(server.send(method, f"{MODELS}/basket", "popular", signed=False), 401)
    problem(server.send("GET", MODELS, signed=False), 401)


def test_the_strategies_are_public(server: Server) -> None:
    """What a form or a person needs to write a document."""
    answer = server.send("GET", "/api/strategies", signed=False)

    told = answer.json()
    assert [each["kind"] for each in told["strategies"]] == list(KINDS)
    assert {each["name"] for each in told["variety"]["settings"]} == {
        "by",
        "most",
        "among",
        "diversity",
    }


# What recommendations make of shoppers


def view(item: str, consent: bool | None = None) -> Act:
    return Act("eve", "view", ItemId(item), Micros(1), consent)


def test_last_seen_is_what_the_user_saw(server: Server) -> None:
    """By the user's id; marked as the model's own, the rest as its fallback."""
    server.shoppers.note([view("/p/126")])

    (answer,) = server.recommend(
        {
            "recommendation_type": "last_seen",
            "user_id": "eve",
            "size": 2,
            "mark_fallback_results": True,
        }
    )

    assert [(hit["url"], hit["fallback"]) for hit in answer["hits"]] == [
        ("/p/126", False),
        ("/p/123", True),
    ]


@pytest.mark.parametrize(
    ("noted", "asked", "fitted"),
    [
        (None, None, False),
        (True, None, True),
        (False, None, False),
        (None, True, True),
        (True, False, False),
        (False, True, True),
    ],
)
def test_consent_decides_about_fitting(
    server: Server, noted: bool | None, asked: bool | None, *, fitted: bool
) -> None:
    """The request's word before the events', and no word is none: a Gibson fan sees it first, or not."""
    server.shoppers.note([view("/p/124", noted)])
    put(server, "fit", {"strategy": "popular", "personal": {"brand": 10}})
    wish: Json = {"recommendation_type": "fit", "user_id": "eve", "size": 1}

    shown = server.shown(**wish, **({} if asked is None else {"consent_granted": asked}))

    assert shown == (["/p/124"] if fitted else ["/p/123"])


def test_who_refused_is_a_stranger(server: Server) -> None:
    """To every model, also to those that live of a user's acts."""
    server.shoppers.note([view("/p/126", False)])

    assert server.shown(recommendation_type="last_seen", user_id="eve", size=1) == ["/p/123"]


def test_consent_is_true_or_false(server: Server) -> None:
    """Anything else is a fault, as every field is."""
    wish = {"recommendation_type": "trends", "consent_granted": "yes"}

    answer = server.send("POST", f"/v1/recommend?tracker_id={TRACKER}", [wish])

    assert problem(answer, 422)["exception_details"] == {
        "consent_granted": ["Must be true or false (object 0)"]
    }


def test_categories_are_hits_of_their_own_type(server: Server) -> None:
    """`top_categories` answers with category objects; an item that is pinned there says why it is not shown."""
    for title in ("Guitars", "Straps"):
        server.put_objects(
            {"identity": f"/c/{title}", "type": "category", "fields": {"title": title}}
        )
    server.put_objects(
        {
            "identity": "/p/126",
            "type": "item",
            "fields": {"title": "Ibanez"},
            "nested": [{"type": "category", "fields": {"title": "Straps"}}],
        }
    )
    server.create(model="top_categories", target_type="all", target_identity=None)
    server.shoppers.note([view("/p/126")])

    (answer,) = server.send(
        "POST",
        f"/v1/recommend?tracker_id={TRACKER}&explain=true",
        [{"recommendation_type": "top_categories", "user_id": "eve"}],
    ).json()

    assert [(hit["url"], hit["type"]) for hit in answer["hits"]] == [
        ("/c/Straps", "category"),
        ("/c/Guitars", "category"),
    ]
    assert [pin["verdict"] for pin in answer["explanation"]["pins"]] == ["wrong_type"]


def test_a_long_blacklist_does_not_turn_a_ranking_into_a_fallback(server: Server) -> None:
    """What the model itself ranks further down is still the model's."""
    server.put_objects(
        *({"identity": f"i{n:03}", "type": "item", "fields": {"title": "x"}} for n in range(400))
    )
    blacklist = [f"i{n:03}" for n in range(380)]

    (answer,) = server.recommend(
        {
            "recommendation_type": "bestsellers",
            "blacklisted_item_ids": blacklist,
            "size": 20,
            "mark_fallback_results": True,
        }
    )

    assert len(answer["hits"]) == 20
    assert {hit["fallback"] for hit in answer["hits"]} == {False}


def test_models_of_one_tracker_are_no_others(server: Server) -> None:
    """A table belongs to one shop."""
    server.create_tracker("other", "another key")
    put(server, "mine", "popular")

    answer = server.send(
        "GET", "/api/trackers/other/models/mine", tracker="other", key="another key"
    )

    problem(answer, 404)
    assert [row.name for row in server.parts.store.models(TrackerId(TRACKER))] == ["mine"]

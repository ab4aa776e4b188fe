"""
What verdicts and positions mean, in words for people: commands and the console say the same.
"""

from collections.abc import Mapping

from endcap.engine.place import Verdict

MEANINGS: Mapping[str, str] = {
    Verdict.ASLEEP: "its window is not open",
    Verdict.OTHER_WIDGET: "it is for another widget",
    Verdict.NOT_IN_CATALOG: "no item has this identity",
    Verdict.UNAVAILABLE: "sold out, or outside its own dates",
    Verdict.WRONG_TYPE: "it is no item",
    Verdict.BLACKLISTED: "the request excluded it",
    Verdict.CONTEXT: "the request's context excluded it",
    Verdict.INPUT_ITEM: "it is the item that is looked at",
    Verdict.SHOWN_ELSEWHERE: "another widget of the page shows it",
    Verdict.NO_MATCH: "no item that may be shown meets the criteria",
    Verdict.BEYOND_SIZE: "fewer slots are shown",
}
"""For verdicts that the engine leaves without a sentence, because they say it all to those who know them."""


def position(number: int) -> str:
    return {-1: "everywhere", 0: "block"}.get(number, str(number))


def meaning(verdict: str, because: str) -> str:
    """The engine's sentence, or what the verdict means by itself."""
    return because or MEANINGS.get(verdict, "")

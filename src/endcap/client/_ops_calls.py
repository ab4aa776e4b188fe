"""
The verbs about the process that answers. See `_calls`.
"""

from endcap.client._calls import UNAVAILABLE, Call


def health(tracker: str) -> Call[bool]:
    """Whether the process answers. Endcap only."""
    return Call(method="GET", path="/healthz", signed=False, read=lambda answer: True)


def ready(tracker: str) -> Call[bool]:
    """Whether the process has every rule in memory. Endcap only."""
    return Call(
        method="GET",
        path="/readyz",
        signed=False,
        understood=(UNAVAILABLE,),
        read=lambda answer: answer.status != UNAVAILABLE,
    )

"""
What time it is, for those at the edge who are allowed to ask.
"""

import time
from collections.abc import Callable
from uuid import uuid4

from endcap.domain import CustomizationId, Micros

Clock = Callable[[], Micros]
NewId = Callable[[], CustomizationId]


def system_clock() -> Micros:
    return Micros(time.time_ns() // 1_000)


def random_id() -> CustomizationId:
    return CustomizationId(str(uuid4()))

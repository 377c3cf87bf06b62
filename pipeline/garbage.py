"""Garbage of a worker's process, where units and shards make a great many objects and hardly a circle of them."""

import gc
from functools import cache
from typing import Final

THRESHOLDS: Final = (50_000, 20, 100)
"""Of CPython's generations, in place of 700, 10, 10 (Python 3.11): looking through the objects of a unit again and
again took a fifth of its time."""


@cache
def collect_seldom() -> None:
    """Lets this process look for circles of objects less often, and never again among what is there already."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)

"""The least a caption has to be: there, and neither a stump nor a flood."""

from collections.abc import Mapping

WORDS: Mapping[str, tuple[int, int]] = {
    "area": (10, 120),
    "non_area": (10, 120),
    "scene": (10, 160),
    "revision": (5, 100),
    "recaption": (5, 100),
}
"""Fewest and most words of each task. 10 to 120 for descriptions and at most 100 for revisions are RSTeller's
(its washing notebook); it lets revisions of two words pass, we ask for five, and of captions
from tags alone, which may have one thing to tell, as many."""


def length_reasons(task: str, text: str) -> tuple[str, ...]:
    """Why a text is refused for its length; empty if it is not."""
    low, high = WORDS[task]
    words = len(text.split())
    if not words:
        return ("empty",)
    if words < low:
        return (f"too short: {words} words, at least {low} are wanted",)
    if words > high:
        return (f"too long: {words} words, at most {high} are wanted",)
    return ()

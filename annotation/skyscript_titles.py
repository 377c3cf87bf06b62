"""Captions put together from tags by rule, after SkyScript's grammar (Wang et al., AAAI 2024): the baseline.

`title` tells the focus object only, its tags joined by commas: "road type of residential, surface of asphalt". Keys
in `COMPOUNDS` go before their value instead: "power pole". `title_multi_objects` tells the surroundings too:
"natural water with water of lake, surrounded by power pole; road type of residential". Order, direction and counts are
not expressed; equal objects are told once. What the paper does not say is decided here: "yes" says the key alone, and
values of a list are joined by "and".
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from annotation.facts import clean

COMPOUNDS: Final = frozenset(("power", "man_made", "natural"))
"""Keys that make a compound with their value."""
SPOKEN: Final[Mapping[str, str]] = {"highway": "road type"}
"""Keys that are put otherwise."""
MOST_OBJECTS: Final = 20
"""Most surrounding objects told."""


def title(focus: Mapping[str, str]) -> str:
    """The focus object's tags, joined by commas; nothing where it has none."""
    return ", ".join(_phrases(focus))


def title_multi_objects(focus: Mapping[str, str], surroundings: Sequence[Mapping[str, str]]) -> str:
    """The focus object and what surrounds it; nothing where the focus has no tags."""
    subject = _object(focus)
    others = [each for each in dict.fromkeys(map(_object, surroundings)) if each]
    if not subject or not others:
        return subject
    return f"{subject}, surrounded by {'; '.join(others[:MOST_OBJECTS])}"


def _object(tags: Mapping[str, str]) -> str:
    """`{tag1} with {tag2} and {tag3}`."""
    first, *rest = _phrases(tags) or [""]
    return f"{first} with {' and '.join(rest)}" if rest else first


def _phrases(tags: Mapping[str, str]) -> list[str]:
    return [said for said in (_phrase(key, value) for key, value in tags.items()) if said]


@lru_cache(maxsize=20_000)
def _phrase(key: str, value: str) -> str:
    """A tag in words: `key of value`, or the compound."""
    spoken = SPOKEN.get(key) or _plain(key)
    said = " and ".join(filter(None, map(_plain, value.split(";"))))
    if not spoken or not said or said == "no":
        return ""
    if said == "yes":
        return spoken
    return f"{spoken} {said}" if key in COMPOUNDS else f"{spoken} of {said}"


def _plain(text: str) -> str:
    return clean(text.replace("_", " ").replace(":", " "))

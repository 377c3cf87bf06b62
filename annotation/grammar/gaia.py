"""Task `gaia` without a model: five captions by rules, each from other fields of the record.

Rules cannot tell what a text means, so they quote it and never build on it; whatever else they say stands in a field.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, get_args

from annotation.facts import clean
from annotation.gaia import ALIKE, CAPTIONS, Resolution, likeness
from annotation.record import entries
from annotation.request import ElementFacts

TITLE = 110
"""Characters of the record's text that a caption quotes."""
SHORT = 6
"""Words of it that are quoted a second time."""

_DETAIL = {
    "Low": ("broad patterns of land, water and cloud", "anything smaller than a region"),
    "Moderate": ("a field, a lake or the outline of a town", "a single house"),
    "High": ("a street, a block of houses or a single field", "the smallest things"),
    "Very High": ("a single building, a vehicle or a tree", "whatever is smaller than a person"),
}
"""What would show at a resolution if it were there, and what would not."""
_TITLE = (
    "This view of the Earth from above was published under the words “{all}”, which name its subject.",
    "Looking down from above, the picture shows what those who published it call “{all}”.",
)
_PLACE = (
    "What is told of as “{subject}” lies in or around {place}, and the picture looks down on it from high above.",
    "The view is of {place}: the sensor looks down on that part of the Earth, and on “{subject}”.",
    "From above, this is {place} and whatever surrounds it, taken for the sake of “{subject}”.",
)
_THEME = (
    "Among the themes of Earth observation “{subject}” belongs under {themes}, by which its publishers sort it.",
    "Whoever looks for {themes} among views of the Earth from above finds this one, introduced as “{subject}”.",
    "The picture stands for {themes} as they show themselves from the sky; here it is “{subject}”.",
)
_PLATFORM = (
    "The scene “{subject}” was recorded {platform}, on a pass that carried the instrument high over the ground.",
    "These data on “{subject}” were gathered {platform}, far above the ground that they show.",
    "High over the ground, “{subject}” was observed {platform} and sent down as data.",
)
_SHARPNESS = (
    "At the {resolution} spatial resolution of this {kind} {seen} would show; {lost} would be lost in “{subject}”.",
    "The {kind} of “{subject}” has a {resolution} spatial resolution: it can show {seen}, but not {lost}.",
    "Of “{subject}” this {kind} keeps what {resolution} spatial resolution can hold, {seen}, and loses {lost}.",
)
_AGAIN = (
    "The words “{subject}” open the description that goes with this picture of the Earth as seen from far above.",
    "Among pictures that look down on our planet, this one is told apart by what is said of it: “{subject}”.",
    "Land, water or air fill the frame here, in a scene that its source begins to describe with “{subject}”.",
    "An eye in the sky took this in; “{subject}” is how the account of it begins.",
    "Nothing but a look from high above would give this picture, introduced to its readers with “{subject}” and more.",
)


def answer(elements: Sequence[ElementFacts], seed: int) -> str:
    """A structured answer of the task's shape, as JSON.

    Args:
        elements: one record.
        seed: the same seed and record give the same answer.
    """
    facts, rng = elements[0].facts, Random(seed)
    chosen: list[str] = []
    for caption in _sentences(facts, rng):
        if len(chosen) < CAPTIONS and all(likeness(caption, other) < ALIKE for other in chosen):
            chosen.append(caption)
    tags = entries(facts.get("tag"))[:3]
    resolution = facts.get("resolution")
    said = {
        "location": ", ".join(entries(facts.get("location")))[:200],
        "tag": tags or ["Earth observation"],
        "modalities": entries(facts.get("modalities"))[:6],
        "satellite": entries(facts.get("satellite")),
        "sensor": entries(facts.get("sensor")),
        "resolution": resolution if resolution in get_args(Resolution) else "Unknown",
        "captions": chosen,
    }
    return json.dumps(said, ensure_ascii=False)


def _sentences(facts: Mapping[str, Any], rng: Random) -> Iterator[str]:
    """What can be said, the most telling first; more than five, and each from its own pattern."""
    title, place = _quotable(clean(str(facts.get("alt") or ""), TITLE)), ", ".join(_names(facts, "location"))
    themes, kinds = _listed(_names(facts, "tag")[:3]), _listed(_names(facts, "modalities"))
    words, detail = title.split(), _DETAIL.get(str(facts.get("resolution")), ("", ""))
    opening = " ".join(words[:SHORT]).rstrip(",;:") + ("…" if len(words) > SHORT else "")
    said = {
        "all": title, "subject": opening or themes, "place": place, "themes": themes, "platform": _platform(facts),
        "kind": f"{kinds} picture".strip(), "seen": detail[0], "lost": detail[1],
        "resolution": str(facts.get("resolution")).lower(),
    }  # fmt: skip
    groups = ((_TITLE, "all"), (_PLACE, "place"), (_THEME, "themes"), (_PLATFORM, "platform"), (_SHARPNESS, "seen"))
    for patterns, needed in groups:
        if said[needed]:
            yield rng.choice(patterns).format(**said)
    for pattern in rng.sample(_AGAIN, len(_AGAIN)):
        yield pattern.format(**said)


def _platform(facts: Mapping[str, Any]) -> str:
    sensors, satellites = _listed(_names(facts, "sensor")), _listed(_names(facts, "satellite"))
    by, aboard = f"by {sensors}" if sensors else "", f"from aboard {satellites}" if satellites else ""
    return " ".join(filter(None, (by, aboard)))


def _names(facts: Mapping[str, Any], field: str) -> list[str]:
    return list(filter(None, map(_quotable, entries(facts.get(field)))))


def _quotable(text: str) -> str:
    """Without quotation marks of its own and without a full stop at its end."""
    return re.sub(r"[\"“”„«»]", "", text).strip().rstrip(".").strip()


def _listed(names: Sequence[str]) -> str:
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last

"""The compact sheet of facts that a language model gets: labelled lines in ordinary words, with the number beside.

A sheet has 60 to 160 tokens. Whatever mappers typed is cleaned, bounded and, where it is a name, quoted.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from annotation.facts import clean
from annotation.places import position_phrases
from annotation.quantities import area_phrases, length_phrases, share_phrases
from annotation.request import ElementFacts

Facts = Mapping[str, Any]

ATTRIBUTES = 4
"""Attributes told of one element; of a scene's elements two."""

_SIDES = {"north": "top", "east": "right", "south": "bottom", "west": "left"}
_CELL_WORDS = {"top": "upper", "bottom": "lower"}


def sheet(task: str, elements: Sequence[ElementFacts], gsd: float) -> str:
    """Facts as labelled lines.

    Args:
        task: a key of `TASKS`; a revision has the sheet of the caption that it rewrites.
        elements: what is to be told, the most important first.
        gsd: metres per pixel of the picture.

    Returns:
        Lines without a trailing newline.
    """
    told = [_lines(element, brief=len(elements) > 1) for element in elements]
    if len(told) == 1:
        return "\n".join(told[0])
    numbered = (f"{number}. {'; '.join(lines)}" for number, lines in enumerate(told, 1))
    return "\n".join(numbered)


def _lines(element: ElementFacts, *, brief: bool) -> list[str]:
    facts = element.facts
    lines = [f"{label}: {text}" for label, say in _LINES if (text := say(facts))]
    return lines


def _thing(facts: Facts) -> str:
    count = facts.get("count")
    return f"{count} {clean(facts['plural'])}" if count else clean(str(facts.get("noun", "feature")))


def _name(facts: Facts) -> str:
    name = clean(str(facts.get("name", ""))).replace('"', "'")
    return f'"{name}"' if name else ""


def _attributes(facts: Facts) -> str:
    return "; ".join(clean(str(each)) for each in facts.get("attributes", [])[:ATTRIBUTES])


def _place(facts: Facts) -> str:
    return _place_of(tuple(facts.get("position", ())))


@lru_cache(maxsize=1024)
def _place_of(cells: tuple[str, ...]) -> str:
    phrases = position_phrases(cells)
    return phrases[0] if phrases else ""


def _share(facts: Facts) -> str:
    share = facts.get("share")
    return _share_of(round(share, 3)) if share else ""


@lru_cache(maxsize=2048)
def _share_of(share: float) -> str:
    exact = f"{share:.0%}" if share >= 0.01 else f"{share:.1%}"
    return f"{share_phrases(share)[0]} ({exact.replace('%', ' %')})"


def _area(facts: Facts) -> str:
    area = facts.get("area_m2")
    return area_phrases(area)[0] if area else ""


def _length(facts: Facts) -> str:
    length = facts.get("length_m")
    return length_phrases(length)[0] if length else ""


def _edges(facts: Facts) -> str:
    edges = facts.get("edges") or ()
    if len(edges) == len(_SIDES):
        return "all four"
    return ", ".join(f"{edge} ({_SIDES[edge]})" for edge in edges)


def _end(place: str) -> str:
    if place in _SIDES:
        return f"{place}ern edge ({_SIDES[place]})"
    if place == "center":
        return "the centre"
    return " ".join(_CELL_WORDS.get(word, word) for word in place.split("-")) + " part"


def _ends(facts: Facts) -> str:
    if "from" not in facts or "to" not in facts:
        return ""
    return f"from the {_end(facts['from'])} to the {_end(facts['to'])}".replace("the the", "the")


def _plain(name: str) -> Callable[[Facts], str]:
    return lambda facts: str(facts.get(name) or "")


def _spacing(facts: Facts) -> str:
    spacing = facts.get("spacing_m")
    return f"{length_phrases(spacing)[0]} apart" if spacing else ""


_LINES: tuple[tuple[str, Callable[[Facts], str]], ...] = (
    ("What", _thing),
    ("Name", _name),
    ("Also visible", _attributes),
    ("Arrangement", _plain("arrangement")),
    ("Spacing", _spacing),
    ("Place in the picture", _place),
    ("Share of the picture", _share),
    ("Ground area in the picture", _area),
    ("Shape", _plain("shape")),
    ("Course", _plain("course")),
    ("Runs", _ends),
    ("Length in the picture", _length),
    ("Axis", _plain("orientation")),
    ("Separate parts", _plain("parts")),
    ("Goes on beyond these edges", _edges),
)

"""The compact sheet of facts that a language model gets: labelled lines in ordinary words, with the number beside.

A sheet has 60 to 160 tokens. Whatever mappers typed is one line of bounded length, and names are quoted.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from annotation import words
from annotation.facts import MEANING_LIMIT, clean
from annotation.record import KIND, record_sheet
from annotation.request import ElementFacts

Facts = Mapping[str, Any]

ATTRIBUTES = 4
"""Most attributes told of one element; half of that of each element in a scene."""
BRIEF = 600
"""Characters that a sheet of several elements may have: 150 tokens of four, and ten for where it is.

Beyond, facts are left out from the end of `_BRIEF_LINES`.
"""
MOST_PLACES, PLACE_LIMIT = 4, 40
"""Most names of areas around the picture, the smallest, and characters of each."""

_BEYOND = "Goes on beyond these edges of the picture"
_SIDES = {"north": "top", "east": "right", "south": "bottom", "west": "left"}
_RELATIONS = {"inside": "lies inside", "along": "runs along", "beside": "lies beside"}
_POINTS = {"N": "north", "E": "east", "S": "south", "W": "west"}


def sheet(elements: Sequence[ElementFacts], gsd: float, place: Sequence[str] = ()) -> str:
    """Facts as labelled lines.

    Args:
        elements: what is to be told, the most important first; `facts["relations"]` of each, a list of what
            `relations.relate` gives with the other's id as `to`, tells how they stand to each other.
        gsd: metres per pixel of the picture.
        place: names of the areas around the picture, the largest first; they are told the other way round.

    Returns:
        One fact a line for one element, one element a line for several; no trailing newline.
    """
    if elements[0].kind == KIND:
        return record_sheet(elements[0].facts)
    head = [f"Picture: seen from above, north up, {gsd:.3g} metres per pixel"]
    where = ", ".join(filter(None, (clean(name, PLACE_LIMIT) for name in reversed(place[-MOST_PLACES:]))))
    if where:
        head.append(f"Where: {where}")
    if len(elements) == 1:
        facts = elements[0].facts
        inside = (f"{_BEYOND}: none, it lies wholly inside",) if "edges" in facts and not facts["edges"] else ()
        return "\n".join((*head, *(f"{label}: {text}" for label, text in _said(facts, _LINES)), *inside))
    standing = _standing(elements)
    for kept in range(len(_BRIEF_LINES), 1, -1):
        lines = [_brief(number, element.facts, kept) for number, element in enumerate(elements, 1)]
        text = "\n".join((*head, *lines, *standing))
        if len(text) <= BRIEF:
            break
    return text


def _brief(number: int, facts: Facts, kept: int) -> str:
    parts = [f"{label}{text}" for label, text in _said(facts, _BRIEF_LINES[:kept])]
    return f"{number}. {'; '.join(parts)}"


def _standing(elements: Sequence[ElementFacts]) -> list[str]:
    """How the elements stand to each other, in one line, if `relations` between them are known."""
    numbers = {element.id: number for number, element in enumerate(elements, 1)}
    said = []
    for number, element in enumerate(elements, 1):
        for relation in element.facts.get("relations") or ():
            other, third = numbers.get(relation["to"]), numbers.get(relation.get("and"))
            if other and third:
                said.append(f"{number} lies between {other} and {third}")
            elif other and "relation" in relation:
                direction = f", {relation['direction']} of it" if "direction" in relation else ""
                said.append(f"{number} {_RELATIONS.get(relation['relation'], relation['relation'])} {other}{direction}")
    return [f"How they lie: {'; '.join(said[: 2 * len(elements)])}"] if said else []


def _said(facts: Facts, lines: Sequence["_Line"]) -> list[tuple[str, str]]:
    return [(label, text) for name, label, say in lines if facts.get(name) and (text := say(facts))]


def _thing(facts: Facts) -> str:
    count = facts.get("count")
    return f"{count} {clean(str(facts['plural']))}" if count else clean(str(facts["noun"]))


def _name(facts: Facts) -> str:
    name = clean(str(facts["name"])).replace('"', "'")
    return f'"{name}"' if name else ""


def _meaning(facts: Facts) -> str:
    return clean(str(facts["meaning"]), MEANING_LIMIT)


def _attributes(facts: Facts, most: int = ATTRIBUTES) -> str:
    return ", ".join([clean(str(each)) for each in facts["attributes"][:most]])


def _place(facts: Facts) -> str:
    return _place_of(tuple(facts["position"]))


@lru_cache(maxsize=1024)
def _place_of(cells: tuple[str, ...]) -> str:
    """Two ways to put it where there are two, one by sides and one by compass; a long list only once."""
    phrases = words.position_phrases(cells)
    return ", or ".join(phrases[: 1 if "," in phrases[0] and len(cells) > 1 else 2])


@lru_cache(maxsize=4096)
def _share_of(share: float) -> str:
    exact = f"{share:.0%}" if share >= 0.01 else f"{share:.1%}"
    phrases = words.share_phrases(min(share, 1.0))
    return f"{phrases[0]} ({exact.replace('%', ' %')})"


_length_of = lru_cache(maxsize=8192)(lambda metres: words.length_phrases(metres)[0])
_area_of = lru_cache(maxsize=8192)(lambda metres: words.area_phrases(metres)[0])


@lru_cache(maxsize=64)
def _edges_of(cut: tuple[str, ...]) -> str:
    if len(cut) == len(_SIDES):
        return "all four"
    return ", ".join(f"{edge} ({_SIDES[edge]})" for edge in cut)


@lru_cache(maxsize=64)
def _end_of(place: str) -> str:
    phrase = words.end_phrases(place)[0]
    return f"{phrase} ({_SIDES[place]})" if place in _SIDES else phrase


@lru_cache(maxsize=64)
def _axis_of(axis: str) -> str:
    one, other = ("-".join(map(_POINTS.__getitem__, end)) for end in axis.split("-"))
    return f"{one} to {other}"


_Line = tuple[str, str, Callable[[Facts], str]]
_LINES: tuple[_Line, ...] = (
    ("noun", "What", _thing),
    ("count", "Told as", lambda facts: f"one group of {facts['count']}, not one by one"),
    ("meaning", "Meaning", _meaning),
    ("name", "Name", _name),
    ("attributes", "Also visible", _attributes),
    ("arrangement", "Arrangement", lambda facts: ", or ".join(words.arrangement_phrases(facts["arrangement"])[:2])),
    ("spacing_m", "Spacing", lambda facts: f"{_length_of(facts['spacing_m'])} from one to the next"),
    ("position", "Place in the picture", _place),
    ("share", "Share of the picture", lambda facts: _share_of(round(facts["share"], 3))),
    ("area_m2", "Ground area in the picture", lambda facts: _area_of(facts["area_m2"])),
    ("shape", "Shape in the picture", lambda facts: str(facts["shape"])),
    ("course", "Course", lambda facts: str(facts["course"])),
    ("from", "Runs", lambda facts: f"from {_end_of(facts['from'])} to {_end_of(facts['to'])}"),
    ("length_m", "Length in the picture", lambda facts: _length_of(facts["length_m"])),
    ("orientation", "Direction", lambda facts: _axis_of(facts["orientation"])),
    ("parts", "Separate parts", lambda facts: str(facts["parts"])),
    ("edges", _BEYOND, lambda facts: _edges_of(tuple(facts["edges"]))),
)
_BRIEF_LINES: tuple[_Line, ...] = (
    ("noun", "", _thing),
    ("name", "named ", _name),
    ("position", "", lambda facts: _place(facts).partition(", or ")[0]),
    ("share", "takes ", lambda facts: f"{_share_of(round(facts['share'], 3))} of the picture"),
    ("from", "runs ", lambda facts: f"from {_end_of(facts['from'])} to {_end_of(facts['to'])}"),
    ("course", "", lambda facts: str(facts["course"])),
    ("arrangement", "", lambda facts: words.arrangement_phrases(facts["arrangement"])[0]),
    ("attributes", "", lambda facts: _attributes(facts, ATTRIBUTES // 2)),
    ("meaning", "that is: ", _meaning),
    ("shape", "", lambda facts: str(facts["shape"])),
    ("length_m", "", lambda facts: f"{_length_of(facts['length_m'])} in the picture"),
    ("edges", "goes on beyond: ", lambda facts: _edges_of(tuple(facts["edges"]))),
)

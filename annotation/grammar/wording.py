"""Slots of the lexicon: what is told of one element, in words drawn from the tables of `annotation.words`."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any, TypeVar

from annotation import words
from annotation.facts import clean
from annotation.grammar import english
from annotation.request import ElementFacts

T = TypeVar("T")
Texts = tuple[str, ...]

VIEWS = (
    "the picture", "this image", "the view", "the frame", "this scene",
    "this picture", "the image", "this view", "this frame", "the scene",
)  # fmt: skip
OF_VIEW = 0.15
"""How often a place is said to be one of the picture."""

_SHARPEST = 8
_SIDES = {"north": "top", "south": "bottom", "west": "left", "east": "right"}
_EXTENDED = ("along", "across", "down", "from", "through", "diagonally", "over", "all")
_PART_OF_VIEW = re.compile(r"(?:in|at|on|along|down|across|towards) the [a-z -]+")
_ADVERBS = ("in ", "with", "as ", "back ")
_STATES = frozenset(("on", "in", "through", "with", "carried", "dry", "holding", "made", "draining", "tidal"))
_MASSES = frozenset(
    (
        "turf grass wheat barley corn cotton rice tea coffee tobacco hay asparagus lavender fallow beet cane rape "
        "pasture parking fruit coal gravel limestone sand sewage water"
    ).split()
)
_NAME = re.compile(r"[^\W_](?:[\w '’.,&/()+-]{0,58}[\w)])?", re.UNICODE)
_LETTER = re.compile(r"[^\W\d_]")


@lru_cache(maxsize=4096)
def shares(share: float) -> Texts:
    """Ways to tell a share, the sharpest of them."""
    return words.share_phrases(share)[:_SHARPEST]


lengths = lru_cache(maxsize=8192)(words.length_phrases)
areas = lru_cache(maxsize=8192)(words.area_phrases)
counts = lru_cache(maxsize=1024)(words.count_phrases)
forms = lru_cache(maxsize=64)(words.shape_nouns)
arrangements = lru_cache(maxsize=64)(words.arrangement_phrases)


@lru_cache(maxsize=1024)
def places(cells: Texts) -> Texts:
    """Ways to tell a place, the sharpest of them; corners also without article."""
    if "whole" in cells:
        return words.position_phrases(cells)[:3]
    said = words.position_phrases(cells)
    plain = tuple(each for each in said[:8] if "," not in each) or said[:2]
    corners = (re.fullmatch(r"in the ((?:upper|lower|top|bottom) (?:left|right))(?: corner)?", each) for each in plain)
    return plain[:6] + tuple(f"at {corner[1]}" for corner in corners if corner)


@lru_cache(maxsize=1024)
def line_places(cells: Texts) -> Texts:
    """Ways to tell the place of a line, which runs from somewhere but towards nothing."""
    return tuple(each for each in places(cells) if not each.startswith("towards")) or places(cells)


@lru_cache(maxsize=1024)
def is_extended(cells: Texts) -> bool:
    """Whether a place is one to run through rather than one to lie in."""
    first = places(cells)[:1]
    return bool(first) and first[0].startswith(_EXTENDED)


@lru_cache(maxsize=1024)
def is_listed(cells: Texts) -> bool:
    """Whether a place is an enumeration, too long for anything but a predicate."""
    return any(", " in each or " and " in each for each in places(cells)[:1])


@lru_cache(maxsize=64)
def edges(cut: Texts) -> Texts:
    """Noun phrases for the edges that cut an element."""
    if len(cut) == len(_SIDES):
        return ("all four edges", "every edge", "all edges")
    many = "s" if len(cut) > 1 else ""
    compass = english.listed([f"{edge}ern" for edge in cut])
    return (f"the {compass} edge{many}", f"the {english.listed([_SIDES[edge] for edge in cut])} edge{many}")


@lru_cache(maxsize=64)
def sides(cut: Texts) -> Texts:
    """The same, to follow `at`, mostly without article."""
    if len(cut) == len(_SIDES):
        return ("all four edges", "every side", "all sides")
    return (english.listed([_SIDES[edge] for edge in cut]), *edges(cut))


@lru_cache(maxsize=64)
def ends(place: str) -> Texts:
    """Ways to tell where a line enters or leaves, to follow `from` and `to`."""
    said = tuple(each for each in words.end_phrases(place) if " of the frame" not in each)
    return said + tuple(each.removeprefix("the ") for each in said if "edge" in each or "-" in place)


@lru_cache(maxsize=64)
def end_points(place: str) -> Texts:
    """The same, to follow `at`: edges are named as such."""
    return tuple(each for each in ends(place) if "edge" in each) or ends(place)


@lru_cache(maxsize=64)
def axes(axis: str) -> Texts:
    """Ways to tell an axis, without the unwieldy ones."""
    return tuple(each for each in words.orientation_phrases(axis) if each.count("-") <= 2 or " to " in each)


@lru_cache(maxsize=64)
def shapes(shape: str) -> Texts:
    """Adjectives for a shape that can stand before a noun and after `is`."""
    said = words.shape_phrases(shape)
    return tuple(each for each in said if " " not in each or each in ("long and narrow", "irregularly shaped"))


@lru_cache(maxsize=64)
def courses(course: str) -> tuple[Texts, Texts]:
    """Adjectives and adverbs for how a line runs."""
    said = words.course_phrases(course)
    adverbs = tuple(each for each in said if each.startswith(_ADVERBS))
    adjectives = tuple(each for each in said if not each.startswith(_ADVERBS))
    return adjectives, adverbs + tuple(each for each in adjectives if each == "straight")


@lru_cache(maxsize=4096)
def qualities(attributes: Texts) -> tuple[Texts, Texts]:
    """Attributes that a thing has, with articles, and states that it is in; of several surfaces the first."""
    having: dict[str, str] = {}
    states = []
    for attribute in map(clean, attributes):
        if attribute.split(" ", 1)[0] in _STATES:
            states.append(attribute)
        else:
            last = english.head(attribute)
            having.setdefault(last, attribute if last in _MASSES else english.with_article(attribute))
    return tuple(having.values()), tuple(states)


@lru_cache(maxsize=4096)
def speakable(name: str) -> str:
    """A name that can stand in a sentence as it is, else nothing: letters, digits and the marks that names have."""
    name = clean(name)
    return name if _NAME.fullmatch(name) and _LETTER.search(name) else ""


class Wording:
    """Fills slots for one element, each time anew.

    Attributes:
        facts: of the element.
        noun: what one of it is called.
        name: its name, if it can be spoken.
        group: whether it is a group of repeated things.
        line: whether it is a line.
        many: whether its verbs are plural.
        cut: whether an edge of the frame cuts it.
        having: attributes that it has.
        states: attributes that it is in.
        cells: its position.
        verbs: those that were used of it.
    """

    def __init__(self, element: ElementFacts, rng: Random, views: Sequence[str]) -> None:
        """Takes the words for the picture in the order in which they are to be used."""
        facts = element.facts
        self.facts: Mapping[str, Any] = facts
        self.rng = rng
        self.views = list(views)
        self.noun = clean(str(facts.get("noun") or "feature"))
        self.plural = clean(str(facts.get("plural") or f"{self.noun}s"))
        self.name = speakable(str(facts.get("name") or ""))
        self.group = "count" in facts
        self.line = bool(facts.get("length_m"))
        self.many = self.group or english.is_plural(self.noun, self.plural)
        self.cut = bool(facts.get("edges"))
        self.having, self.states = qualities(tuple(facts.get("attributes") or ()))
        self.cells: Texts = tuple(facts.get("position") or ())
        self.verbs: set[str] = set()
        self._swapped = rng.random() < 0.5

    def __getitem__(self, slot: str) -> str:
        """Words for a slot of the lexicon."""
        return _SLOTS[slot](self)

    def pick(self, options: Sequence[T]) -> T:
        """One of several, each as likely."""
        return options[int(self.rng.random() * len(options))]

    def chance(self, odds: float) -> bool:
        """True with these odds."""
        return self.rng.random() < odds

    def view(self) -> str:
        """The picture, by another word than last time."""
        self.views.append(self.views.pop(0))
        return self.views[-1]

    def place(self) -> str:
        """Where it lies."""
        place = self.pick((line_places if self.line else places)(self.cells))
        return f"{place} of {self.view()}" if _PART_OF_VIEW.fullmatch(place) and self.chance(OF_VIEW) else place

    def end(self, table: Callable[[str], Texts], *, first: bool) -> str:
        """One end of a line; which comes first says nothing."""
        return self.pick(table(self.facts["from" if first != self._swapped else "to"]))

    def measured(self, name: str, table: Callable[[float], Texts]) -> str:
        """Words for a number."""
        return self.pick(table(self.facts[name]))

    def parts(self) -> str:
        """How many parts it has."""
        return words.number_words(int(self.facts["parts"]))

    def shape(self) -> str:
        """An adjective of shape."""
        return self.pick(shapes(self.facts["shape"]))

    def bent(self) -> str:
        """An adjective of course."""
        return self.pick(courses(self.facts["course"])[0])


_SLOTS: Mapping[str, Callable[[Wording], str]] = {
    "view": Wording.view,
    "place": Wording.place,
    "share": lambda told: told.measured("share", shares),
    "area": lambda told: told.measured("area_m2", areas),
    "length": lambda told: told.measured("length_m", lengths),
    "spacing": lambda told: told.measured("spacing_m", lengths),
    "parts": Wording.parts,
    "shape": Wording.shape,
    "a_shape": lambda told: english.an(told.shape()),
    "form": lambda told: told.pick(forms(told.facts["shape"])),
    "bent": Wording.bent,
    "a_bent": lambda told: english.an(told.bent()),
    "way": lambda told: told.pick(courses(told.facts["course"])[1]),
    "axis": lambda told: told.pick(axes(told.facts["orientation"])),
    "edges": lambda told: told.pick(edges(tuple(told.facts["edges"]))),
    "sides": lambda told: told.pick(sides(tuple(told.facts["edges"]))),
    "from_": lambda told: told.end(ends, first=True),
    "to": lambda told: told.end(ends, first=False),
    "at_from": lambda told: told.end(end_points, first=True),
    "at_to": lambda told: told.end(end_points, first=False),
    "arranged": lambda told: told.pick(arrangements(told.facts["arrangement"])),
    "qualities": lambda told: english.listed(told.having),
    "state": lambda told: english.listed(told.states),
    "it": lambda told: "they" if told.many else "it",
    "its": lambda told: "their" if told.many else "its",
    "it_object": lambda told: "them" if told.many else "it",
}

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

VIEWS = ("the picture", "this image", "the scene", "our view", "this frame", "the photograph", "this photo")
HERE = ("here", "in view", "in sight", "within {}")
WHOLES = ("what is visible", "what is shown", "what can be seen", "what is in sight")
"""Words for the picture, as different as they can be."""
WHOLE = 0.35
"""How often a share is one of what is visible instead."""
DRAWS = 4
"""How many phrases are drawn for one that is said: that with the fewest words used already."""
BORDERS = ("edge", "edge", "border", "margin", "side")
OF_VIEW = 0.1
"""How often a place is said to be one of the picture."""

_SHARPEST = 8
_SIDES = {"north": "top", "south": "bottom", "west": "left", "east": "right"}
_EXTENDED = ("along", "across", "down", "from", "through", "diagonally", "over", "all")
_PART_OF_VIEW = re.compile(r"(?:in|at|on|along|down|across|towards) the [a-z -]+")
_BARE = re.compile(
    r"(?:in|at|on) the ((?:upper|lower|top|bottom) (?:left|right)|left|right|top|bottom|centre)(?: corner)?"
)
_WORD = re.compile(r"[\w'\u2019-]+")
_SLOT = re.compile(r"\{\w*\}")
_NUMBERED = re.compile(r"(one|two|three|four|five|six|seven|eight)[ -](lane|storey|track)s?")
_ADVERBS = ("in ", "with", "as ", "back ")
_STATES = frozenset(("on", "in", "through", "with", "carried", "dry", "holding", "made", "draining", "tidal"))
_MASSES = {
    "asparagus", "barley", "beet", "cane", "coal", "coffee", "corn", "cotton", "fallow", "fruit", "grass", "gravel",
    "hay", "lavender", "limestone", "parking", "pasture", "rape", "rice", "sand", "sewage", "tea", "tobacco", "turf",
    "water", "wheat",
}  # fmt: skip
"""Last words of attributes that take no article."""
_NAME = re.compile(r"[^\W_](?:[\w '\u2019.,&/()+-]{0,58}[\w)])?", re.UNICODE)
_LETTER = re.compile(r"[^\W\d_]")


@lru_cache(maxsize=4096)
def shares(share: float) -> Texts:
    """Ways to tell a share, the sharpest of them, and in percent; things extend over it already."""
    said = tuple(each for each in words.share_phrases(share) if not each.startswith("over "))[:_SHARPEST]
    percent = round(share * 100)
    if not 1 < percent < 99:
        return said
    return (*said, *(f"{about}{percent} percent" for about in ("", "", "about ", "some ", "roughly ")))


lengths = lru_cache(maxsize=8192)(words.length_phrases)
areas = lru_cache(maxsize=8192)(words.area_phrases)
forms = lru_cache(maxsize=64)(words.shape_nouns)
arrangements = lru_cache(maxsize=64)(words.arrangement_phrases)


@lru_cache(maxsize=1024)
def counts(count: int) -> Texts:
    """Ways to tell a number of things, none of them in digits that words can stand for."""
    said = words.count_phrases(count)
    return (words.number_words(count), *(each for each in said if not each.isdecimal() or count > 100))


@lru_cache(maxsize=1024)
def places(cells: Texts) -> Texts:
    """Ways to tell a place, the sharpest of them; corners also without article."""
    if "whole" in cells:
        return words.position_phrases(cells)[:3]
    said = words.position_phrases(cells)
    plain = tuple(each for each in said[:8] if "," not in each) or said[:2]
    matches = map(_BARE.fullmatch, plain)
    bare = tuple(f"at {match[1]}" for match in matches if match)
    return (*plain[:6], *bare)


@lru_cache(maxsize=1024)
def sites(cells: Texts) -> Texts:
    """Places to lie in."""
    return tuple(each for each in places(cells) if not each.startswith(_EXTENDED))


@lru_cache(maxsize=1024)
def line_sites(cells: Texts) -> Texts:
    """Places for a line to lie in, which runs from somewhere but towards nothing."""
    return tuple(each for each in sites(cells) if not each.startswith("towards"))


@lru_cache(maxsize=1024)
def spans(cells: Texts) -> Texts:
    """Places to run through."""
    return tuple(each for each in places(cells) if each.startswith(_EXTENDED))


@lru_cache(maxsize=1024)
def is_listed(cells: Texts) -> bool:
    """Whether a place is an enumeration, too long for anything but a predicate."""
    return any(", " in each or " and " in each for each in places(cells)[:1])


@lru_cache(maxsize=64)
def edges(cut: Texts) -> Texts:
    """Noun phrases for the edges that cut an element."""
    if len(cut) == len(_SIDES):
        return ("all four edges", "every edge", "all edges", "every side", "all borders")
    words_for_it = ("edges", "borders", "margins") if len(cut) > 1 else ("edge", "border", "margin")
    compass, sided = english.listed([f"{edge}ern" for edge in cut]), english.listed([_SIDES[edge] for edge in cut])
    return tuple(f"the {which} {edge}" for which in (compass, sided) for edge in words_for_it)


@lru_cache(maxsize=64)
def sides(cut: Texts) -> Texts:
    """The same, to follow `at`, without article."""
    if len(cut) == len(_SIDES):
        return ("all four edges", "every side", "all sides")
    return (english.listed([_SIDES[edge] for edge in cut]),)


@lru_cache(maxsize=64)
def headings(cut: Texts) -> Texts:
    """Where an element goes on beyond the frame, to follow `continues`."""
    if len(cut) == len(_SIDES):
        return ("on all sides", "on every side", "all round")
    compass = english.listed(cut)
    return (compass, f"to {compass}", f"towards {compass}")


@lru_cache(maxsize=64)
def points(place: str) -> Texts:
    """Names for where a line enters or leaves: adjectives of edges, noun phrases for the rest."""
    if place in _SIDES:
        return (f"{place}ern", f"{place}ern", _SIDES[place])
    said = tuple(each for each in words.end_phrases(place) if "frame" not in each)
    return (*said, *(each.removeprefix("the ") for each in said[:1] if "-" in place))


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


@lru_cache(maxsize=32768)
def words_of(text: str) -> frozenset[str]:
    """The words of a phrase, without its slots."""
    return frozenset(_WORD.findall(_SLOT.sub(" ", text.lower())))


@lru_cache(maxsize=4096)
def adjectives(attributes: Texts) -> Texts:
    """Attributes that can stand before the noun: asphalt, two-lane, gabled-roofed is left out."""
    found = []
    for attribute in map(clean, attributes):
        surface = attribute.removesuffix(" surface")
        number = _NUMBERED.fullmatch(attribute)
        if surface != attribute and surface.count(" ") == 0:
            found.append(surface)
        elif number:
            found.append(f"{number[1]}-{number[2]}")
    return tuple(found)


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
        adjectives: attributes that can stand before the noun.
        cells: its position.
        verbs: those that were used of it.
        used: words of the caption so far; what comes next rather uses others.
    """

    def __init__(self, element: ElementFacts, rng: Random, views: Sequence[str], used: set[str]) -> None:
        """Takes the words for the picture in the order in which they are to be used, and words used already."""
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
        self.adjectives = adjectives(tuple(facts.get("attributes") or ()))
        self.cells: Texts = tuple(facts.get("position") or ())
        self.used = used
        self.verbs: set[str] = set()
        self._swapped = rng.random() < 0.5

    def __getitem__(self, slot: str) -> str:
        """Words for a slot of the lexicon."""
        return _SLOTS[slot](self)

    def pick(self, options: Sequence[str]) -> str:
        """One of several at random, rather one whose words have not been used yet."""
        text = self.freshest([self.any(options) for _ in range(min(DRAWS, len(options)))])
        self.used |= words_of(text)
        return text

    def freshest(self, options: Sequence[str]) -> str:
        """The first of those with the fewest words that have been used."""
        return min(options, key=self.staleness)

    def staleness(self, text: str) -> int:
        """How many words of a phrase have been used."""
        return len(words_of(text) & self.used)

    def any(self, options: Sequence[T]) -> T:
        """One of several, each as likely."""
        return options[int(self.rng.random() * len(options))]

    def chance(self, odds: float) -> bool:
        """True with these odds."""
        return self.rng.random() < odds

    def view(self) -> str:
        """The picture, by another word than last time."""
        view = self.freshest(self.views[:DRAWS])
        self.views.remove(view)
        self.views.append(view)
        self.used |= words_of(view)
        return view

    def all_of_it(self) -> str:
        """What a share is a share of."""
        return self.pick(WHOLES) if self.chance(WHOLE) else self.view()

    def here(self) -> str:
        """In the picture."""
        here = self.pick(HERE)
        return here.format(self.view()) if "{" in here else here

    def place(self) -> str:
        """Where it lies."""
        place = self.pick((line_sites if self.line else sites)(self.cells))
        return f"{place} of {self.view()}" if _PART_OF_VIEW.fullmatch(place) and self.chance(OF_VIEW) else place

    def run(self, first: str, last: str) -> str:
        """Both ends of a line, `from west to east edge`; which comes first says nothing."""
        start, end = (self.facts[name] for name in (("to", "from") if self._swapped else ("from", "to")))
        one, other = self.pick(points(start)), self.pick(points(end))
        border, the = self.pick(BORDERS), self.pick(("the ", "", ""))
        if start in _SIDES:
            one = f"{the}{one}" if end in _SIDES else f"{the}{one} {border}"
        if end in _SIDES:
            other = f"{the}{other} {border}"
        return f"{first} {one} {last} {other}"

    def measured(self, name: str, table: Callable[[float], Texts]) -> str:
        """Words for a number."""
        return self.pick(table(self.facts[name]))

    def parts(self) -> str:
        """How many parts it has."""
        return words.number_words(int(self.facts["parts"]))

    def shape(self) -> str:
        """An adjective of shape, to follow a noun."""
        return self.pick([each for each in shapes(self.facts["shape"]) if not each.endswith(" shaped")])

    def bent(self) -> str:
        """An adjective of course."""
        return self.pick(courses(self.facts["course"])[0])


_SLOTS: Mapping[str, Callable[[Wording], str]] = {
    "view": Wording.view,
    "here": Wording.here,
    "whole": Wording.all_of_it,
    "place": Wording.place,
    "span": lambda told: told.pick(spans(told.cells)),
    "share": lambda told: told.measured("share", shares),
    "area": lambda told: told.measured("area_m2", areas),
    "length": lambda told: told.measured("length_m", lengths),
    "spacing": lambda told: told.measured("spacing_m", lengths),
    "parts": Wording.parts,
    "shape": Wording.shape,
    "a_shape": lambda told: english.an(told.pick(shapes(told.facts["shape"]))),
    "shape_before": lambda told: told.pick(shapes(told.facts["shape"])),
    "form": lambda told: told.pick(forms(told.facts["shape"])),
    "bent": Wording.bent,
    "a_bent": lambda told: english.an(told.bent()),
    "way": lambda told: told.pick(courses(told.facts["course"])[1]),
    "axis": lambda told: told.pick(axes(told.facts["orientation"])),
    "edges": lambda told: told.pick(edges(tuple(told.facts["edges"]))),
    "headings": lambda told: told.pick(headings(tuple(told.facts["edges"]))),
    "sides": lambda told: told.pick(sides(tuple(told.facts["edges"]))),
    "from_to": lambda told: told.run("from", "to"),
    "between": lambda told: told.run("between", "and"),
    "with_and": lambda told: told.run("", "with").strip(),
    "ends": lambda told: told.run("", "and").strip(),
    "arranged": lambda told: told.pick(arrangements(told.facts["arrangement"])),
    "qualities": lambda told: english.listed(told.having),
    "state": lambda told: english.listed(told.states),
    "it": lambda told: "they" if told.many else "it",
    "its": lambda told: "their" if told.many else "its",
    "it_object": lambda told: "them" if told.many else "it",
}

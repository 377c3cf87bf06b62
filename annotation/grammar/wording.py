"""Slots of the lexicon: what is told of one element, phrase by phrase, in words that the caption has not used."""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, TypeVar

from annotation import words
from annotation.facts import clean
from annotation.grammar import english, tables
from annotation.request import ElementFacts

T = TypeVar("T")

VIEWS = ("the picture", "this image", "the scene", "our view", "this frame", "the photograph", "this photo")
HERE = ("here", "here", "in view", "in view", "within {}")
WHOLES = ("what is visible", "what can be seen", "what is in view", "the visible area")
"""Words for the picture, as different as they can be."""
WHOLE = 0.3
"""How often a share is one of the ground instead."""
PERCENT = 0.4
"""How often shares of a caption are in percent."""
DRAWS = 6
"""How many phrases are drawn for one that is said: that with the fewest words used already."""
WITH_ARTICLE = frozenset(("river", "canal"))
"""Things whose names take an article where they hold the noun."""
WAYS = ("highway", "railway", "aeroway")
"""Keys of things that lead somewhere."""
OF_VIEW = 0.15
"""How often a place is said to be one of the picture."""

_PART_OF_VIEW = re.compile(r"(?:in|at|on|along|down|across|towards) the [a-z -]+")


class Wording:
    """Fills slots for one element, each time anew.

    Attributes:
        facts: of the element.
        noun: what one of it is called.
        name: its name, if it can be spoken.
        says_itself: whether the name holds the noun: Lake Geneva.
        echoes: whether the name holds the last word of the noun: Mill Road, a minor road.
        proper: the name as it stands in a sentence: the Hudson River.
        group: whether it is a group of repeated things.
        line: whether it is a line.
        road: whether people or trains go along it, so that it leads somewhere.
        ends: whether it is a line whose two ends can be told.
        many: whether its verbs are plural.
        cut: whether an edge of the frame cuts it.
        having: attributes that it has.
        states: attributes that it is in.
        adjectives: attributes that can stand before the noun.
        cells: its position.
        pervasive: whether it lies all over the picture, so that share and place tell the same.
        verbs: those that were used of it.
        used: words of the caption so far; what comes next rather uses others.
        percent: whether shares are in percent, and not in words.
    """

    def __init__(
        self, element: ElementFacts, rng: Random, views: Sequence[str], used: set[str], *, percent: bool
    ) -> None:
        """Takes the words for the picture in the order in which they are to be used, and words used already."""
        facts = element.facts
        self.facts: Mapping[str, Any] = facts
        self.rng = rng
        self.views = list(views)
        self.noun = clean(str(facts.get("noun") or "feature"))
        self.plural = clean(str(facts.get("plural") or f"{self.noun}s"))
        self.name = tables.speakable(str(facts.get("name") or ""))
        in_name = set(self.name.lower().split())
        self.says_itself = bool(self.name) and in_name.issuperset(self.noun.lower().split())
        self.echoes = self.noun.lower().rpartition(" ")[2] in in_name
        self.proper = f"the {self.name}" if self.says_itself and self.noun in WITH_ARTICLE else self.name
        self.group = "count" in facts
        self.line = bool(facts.get("length_m"))
        self.road = any(key in element.tags for key in WAYS)
        start, end = facts.get("from"), facts.get("to")
        self.ends = bool(start and end and start != end)
        self.many = self.group or english.is_plural(self.noun, self.plural)
        self.cut = bool(facts.get("edges"))
        self.having, self.states = tables.qualities(tuple(facts.get("attributes") or ()))
        before_noun = tables.adjectives(tuple(facts.get("attributes") or ()))
        self.adjectives = [each for each in before_noun if each not in self.noun.split()]
        self.cells: tables.Texts = tuple(facts.get("position") or ())
        self.pervasive = not (self.line or self.group) and bool(facts.get("share")) and tables.is_wide(self.cells)
        self.used = used
        self.percent = percent
        self.verbs: set[str] = set()
        self._swapped = rng.random() < 0.5

    def __getitem__(self, slot: str) -> str:
        """Words for a slot of the lexicon."""
        return _SLOTS[slot](self)

    def pick(self, options: Sequence[str]) -> str:
        """One of several at random, rather one whose words have not been used yet."""
        text = options[0] if len(options) == 1 else self.freshest(self.rng.choices(options, k=DRAWS))
        self.used |= english.words_of(text)
        return text

    def freshest(self, options: Sequence[str]) -> str:
        """The first of those with the fewest words that have been used."""
        return min(options, key=self.staleness)

    def staleness(self, text: str) -> int:
        """How many words of a phrase have been used."""
        return len(english.words_of(text) & self.used)

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
        self.used |= english.words_of(view)
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
        place = self.pick((tables.line_sites if self.line else tables.sites)(self.cells))
        return f"{place} of {self.view()}" if _PART_OF_VIEW.fullmatch(place) and self.chance(OF_VIEW) else place

    def run(self) -> str:
        """Both ends of a line, `from the western to the eastern edge`; which comes first says nothing."""
        start, end = (self.facts[name] for name in (("to", "from") if self._swapped else ("from", "to")))
        axis = str(self.facts.get("orientation") or "")
        one, _, other = self.pick(tables.ends(start, end, axis)).partition("|")
        return f"from {one} to {other}"

    def both_ends(self) -> str:
        """The same as what it links or lies between."""
        start, end = (self.facts[name] for name in (("to", "from") if self._swapped else ("from", "to")))
        return self.pick(tables.pairs(start, end))

    def share(self) -> str:
        """How much of the picture it takes, in percent or in words throughout a caption."""
        return self.measured("share", tables.percents if self.percent else tables.shares)

    def measured(self, name: str, table: Callable[[float], tables.Texts]) -> str:
        """Words for a number."""
        return self.pick(table(self.facts[name]))

    def parts(self) -> str:
        """How many parts it has."""
        return words.number_words(int(self.facts["parts"]))

    def shape(self) -> str:
        """An adjective of shape, to follow a noun."""
        return self.pick([each for each in tables.shapes(self.facts["shape"]) if not each.endswith(" shaped")])

    def bent(self) -> str:
        """An adjective of course."""
        return self.pick(tables.courses(self.facts["course"])[0])


_SLOTS: Mapping[str, Callable[[Wording], str]] = {
    "view": Wording.view,
    "here": Wording.here,
    "whole": Wording.all_of_it,
    "place": Wording.place,
    "span": lambda told: told.pick(tables.spans(told.cells)),
    "share": Wording.share,
    "area": lambda told: told.measured("area_m2", tables.areas),
    "length": lambda told: told.measured("length_m", tables.lengths),
    "spacing": lambda told: told.measured("spacing_m", tables.lengths),
    "parts": Wording.parts,
    "shape": Wording.shape,
    "a_shape": lambda told: english.an(told.shape()),
    "shape_before": lambda told: told.pick(tables.shapes(told.facts["shape"])),
    "form": lambda told: told.pick(tables.forms(told.facts["shape"])),
    "bent": Wording.bent,
    "a_bent": lambda told: english.an(told.bent()),
    "way": lambda told: told.pick(tables.courses(told.facts["course"])[1]),
    "axis": lambda told: told.pick(tables.axes(told.facts["orientation"])),
    "edges": lambda told: told.pick(tables.edges(tuple(told.facts["edges"]))),
    "headings": lambda told: told.pick(tables.headings(tuple(told.facts["edges"]))),
    "from_to": Wording.run,
    "both_ends": Wording.both_ends,
    "arranged": lambda told: told.pick(tables.arrangements(told.facts["arrangement"])),
    "qualities": lambda told: english.listed(told.having),
    "state": lambda told: english.listed(told.states),
    "it": lambda told: "they" if told.many else "it",
    "its": lambda told: "their" if told.many else "its",
    "it_object": lambda told: "them" if told.many else "it",
}

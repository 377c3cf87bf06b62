"""What stands where in a caption: phrases, places, numbers, names and pronouns, from left to right."""

from collections.abc import Container
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from annotation.checks.claiming import numbers, places
from annotation.checks.claiming.lexicon import NUMBER, PHRASE, PLACE, PRONOUN, PRONOUNS, Found, Lexicon, Meaning
from annotation.checks.claiming.names import Name
from annotation.checks.claiming.text import Text
from annotation.checks.claiming.vocabulary import WORDS

DETERMINERS = WORDS["marks.determiners"]
FINITE = WORDS["binding.finite"]
_FINITES = [[word] for word in FINITE]
_ARTICLES = [["a"], ["an"], ["the"], ["some"], ["another"]]
_BREAKS = frozenset(";:")
_THINGS = frozenset(("class", "name", "generic", "pronoun"))
_JOINING = frozenset(("and", "with", "where"))
_PREPOSITIONS = frozenset(
    ("in", "on", "at", "along", "across", "through", "down", "towards", "to", "near", "over", "halfway")
)
_OVER_PLACES = frozenset(("axis", "skip", "class", "picture"))
_MAY_OPEN = frozenset((*".0123456789", *ascii_uppercase))
"""What a word that is in no list begins with if it may mean something: a number, or a point of the compass."""
_AFTER_ONE = frozenset(("of", "to", "another", "after", ","))
_CLAUSE_WORDS = frozenset(("while", "whereas", "whilst", "but", "although", "though"))


@dataclass(slots=True)
class Mark:
    """A stretch of words with a meaning.

    Attributes:
        kind: `name`, `place`, `quantity`, `pronoun`, `generic`, or the kind of a phrase of the lexicon.
        start: first word.
        stop: after its last word.
        content: the `Name`, `Place`, `Quantity` or `Found` that it is.
    """

    kind: str
    start: int
    stop: int
    content: Any

    def meaning(self, kind: str = "") -> Meaning | None:
        """Its meaning of a kind, where it is a phrase of the lexicon."""
        if not isinstance(self.content, Found):
            return None
        return self.content.as_(kind) if kind else self.content.first


def read_marks(text: Text, lexicon: Lexicon, names: dict[int, Name]) -> list[Mark]:
    """All marks of a caption, in order; none overlaps another."""
    found: list[Mark] = []
    openers = lexicon.openers
    stop = 0
    for at, (word, written) in enumerate(zip(text.words, text.written, strict=True)):
        if at < stop or word == ".":
            continue
        opens = openers.get(word, 0)
        if at in names:
            mark: Mark | None = Mark("name", at, names[at].stop, names[at])
        elif opens or written[0] in _MAY_OPEN:
            mark = _mark_at(text, at, lexicon, opens)
        else:
            continue
        if mark is None:
            continue
        while mark.kind == "quantity" and found and found[-1].stop > mark.content.start and found[-1].kind != "edge":
            found.pop()  # lie around twenty: a hedge; but not goes on beyond three edges
        found.append(mark)
        stop = mark.stop
    return found


def _mark_at(text: Text, at: int, lexicon: Lexicon, opens: int) -> Mark | None:
    """The mark that begins at a word of which is known what may begin with it; 0: a digit or a capital."""
    phrase = lexicon.at(text, at) if opens & PHRASE else None
    found = _place(text, at, phrase) if opens & PLACE or text.written[at] in places.ABBREVIATED else None
    if found is None and (opens & NUMBER or not opens) and numbers.may_begin(text.words, at):
        found = _quantity(text, at, phrase)
    if found is not None:
        return found
    if phrase is not None:
        return Mark(phrase.meanings[0].kind, at, phrase.stop, phrase)
    if opens & PRONOUN:
        return Mark("pronoun" if text.words[at] in PRONOUNS else "generic", at, at + 1, None)
    return None


def _place(text: Text, at: int, phrase: Found | None) -> Mark | None:
    """A place, unless a longer phrase that is none begins with it: left to right."""
    place = places.place_at(text, at)
    longer = phrase if place and phrase and phrase.stop > place.stop else None
    adverb = longer is not None and longer.first.kind == "skip" and at and text.words[at - 1] == "the"
    if place is None or (longer and longer.first.kind in _OVER_PLACES and not adverb):  # from the left to the right
        return None
    return Mark("place", at, place.stop, place)


def _quantity(text: Text, at: int, phrase: Found | None) -> Mark | None:
    """A number, unless a longer phrase begins with it."""
    quantity = numbers.quantity_at(text, at)
    if quantity is None or (phrase and phrase.stop > quantity.stop) or _names_a_part(text, quantity):
        return None
    return Mark("quantity", at, quantity.stop, quantity)


def _names_a_part(text: Text, quantity: numbers.Quantity) -> bool:
    """`One of`, `one to the next`: no number is meant."""
    words, stop = text.words, quantity.stop
    return quantity.kind == "count" and words[stop - 1] == "one" and stop < len(words) and words[stop] in _AFTER_ONE


def clauses(text: Text, marks: list[Mark]) -> list[int]:
    """Number of the clause of each word: sentences, and what semicolons, `while` and `, and a …` part."""
    starts = {mark.start: mark.stop for mark in marks if mark.kind in _THINGS}
    names = {mark.start for mark in marks if mark.kind == "name"}
    counts = {mark.start for mark in marks if mark.kind == "quantity" and mark.content.kind == "count"}
    sites = {mark.start for mark in marks if mark.kind in ("place", "axis")}
    words, sentence = text.words, text.sentence
    number, numbers_, told = 0, [0] * len(words), 0
    for at, (before, word, here) in enumerate(zip(words, words[1:], sentence[1:], strict=False), 1):
        parted = word in _CLAUSE_WORDS and not (at + 1 < len(words) and words[at + 1].endswith("ing"))
        if here != told or parted or before in _BREAKS:
            number, told = number + 1, here
        elif before == "," and word in _JOINING:
            number += _begins_thing(text, at + 1, starts, names) or _begins_place(text, at + 1, sites)
        elif (before == "," or word == "and") and _begins_sentence(words, at + (word == "and"), starts, counts):
            number += 1  # a wood fills the north, a strip of scree runs along the left
        numbers_[at] = number
    return numbers_


def _begins_place(text: Text, at: int, sites: set[int]) -> bool:
    """Whether a place with its preposition begins at a word: `in the upper left`."""
    if at >= len(text.words):
        return False
    return at in sites or (text.words[at] in _PREPOSITIONS and not sites.isdisjoint(range(at + 1, at + 4)))


def _begins_sentence(words: list[str], at: int, starts: dict[int, int], counts: set[int]) -> bool:
    """Whether a thing and its verb begin at a word: `a strip of scree runs`, `forest occupies`."""
    if words[at : at + 1] not in _ARTICLES and at not in starts and at not in counts:
        return False
    thing = next((place for place in range(at, min(at + 6, len(words))) if place in starts), None)
    return thing is not None and words[starts[thing] : starts[thing] + 1] in _FINITES


def _begins_thing(text: Text, at: int, starts: Container[int], names: set[int]) -> bool:
    """Whether a noun phrase with its article, or a pronoun, begins at a word."""
    if at >= len(text.words):
        return False
    if at in starts and text.words[at] in ("it", "they", "this", "its", "their"):
        return True
    if at in names:
        return True
    return text.words[at] in DETERMINERS and any(
        place in starts for place in range(at + 1, min(at + 5, len(text.words)))
    )

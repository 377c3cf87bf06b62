"""Where a thing is said not to be: the edges it leaves free, the corner that is the exception."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.marks import Mark
from annotation.checks.claiming.places import Place
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.vocabulary import WORDS

EXCEPT = frozenset(("except", "besides", "save", "barring", "bar", "excepting", "excluding"))
_APART = frozenset(("apart", "aside"))
_ABSENT = frozenset(("absent", "missing", "lacking"))
_PREPOSITIONS = WORDS["denied.prepositions"]
_WHOLES = WORDS["denied.wholes"]
_DENIALS = frozenset(("none", "nothing", "not", "never", "nowhere", "neither", "nor"))
_EDGES = WORDS["denied.edges"]
_LARGELY = frozenset(("largely", "mostly", "partly", "mainly", "hardly", "barely"))
_BUT = frozenset(("but", "except"))
_NONE = frozenset(("no", "none"))
_GOING_WITHIN = 4
_GOING = ("get", "reach", "touch", "com", "extend", "run", "meet", "stretch", "hit", "arriv", "mak", "quite", "cross")
_SPARING = ("leav", "miss", "spares", "spared", "sparing", "avoid")
_TWO_WORDS = (
    ("no", "contact"), ("without", "contact"), ("other", "than"), ("leav", "out"), ("clear", "of"), ("short", "of"),
    ("free", "of"), ("shy", "of"),
)  # fmt: skip
"""How two words before a place begin and end that say of it that a thing is not there."""
_UNTOUCHED = WORDS["denied.untouched"]
_TOUCHED = ("reach", "touch", "cross", "met", "cut", "cover", "fill", "occup")
_SIGNS = WORDS["denied.signs"] | EXCEPT | _APART | _ABSENT | _UNTOUCHED | _DENIALS
"""Without any of these words nothing is denied; quicker to ask than to read what stands where."""
_PARTING = frozenset((",", ";", ":", ".", "but", "while", "whereas", "though"))
_AFTER = 8
"""Words after a place within which it is said to be free."""


def is_left_out(reading: Reading, listed: Sequence[Place], before: int) -> bool:
    """Whether a place is one where the thing is not.

    Args:
        reading: of the caption.
        listed: the places.
        before: the last word before them that is more than an article.
    """
    if _SIGNS.isdisjoint(reading.text.words):
        return False
    return _denied_before(reading, listed[0], before) or _denied_after(reading, listed[-1].stop)


def has_exception(reading: Reading, start: int) -> bool:
    """Whether the sentence of a word excepts a place: apart from the corner, except in the north."""
    sentence = reading.text.sentence[start]
    here = [word for word, of in zip(reading.text.words, reading.text.sentence, strict=True) if of == sentence]
    return not EXCEPT.isdisjoint(here) or any(word in _APART and after == "from" for word, after in pairwise(here))


def left_free(reading: Reading, mark: Mark, listed: Sequence[Place], before: int) -> None:
    """Adds the claim that a thing is not in places, or that it keeps off edges.

    It is false if an edge by name cuts the thing, or if all of a place is its own.
    """
    while reading.word(before) in _PREPOSITIONS and reading.word(before - 1) in _BUT:
        before -= 1
    start = before - 1 if reading.word(before) in _BUT and before > 1 else mark.start  # everywhere but the corner
    targets = reading.binder.targets(start, listed[-1].stop, lambda element: element.cells)
    sentence = reading.text.sentence[mark.start]
    of_edges = any(
        word in _EDGES and of == sentence for word, of in zip(reading.text.words, reading.text.sentence, strict=True)
    )
    if not _LARGELY.isdisjoint(reading.text.words[max(0, mark.start - 4) : mark.start]):
        return
    places = [
        replace(place, scope="edge") if of_edges and not place.scope and len(place.points) == 1 else place
        for place in listed
    ]
    reading.settle("position", (mark.start, listed[-1].stop), targets, lambda e: _is_off(e, places), "position")


def _is_off(element: Known, listed: Sequence[Place]) -> bool | None:
    found = [_keeps_off(element, place) for place in listed if place.points or place.middle]
    return False if False in found else True if found and None not in found else None


def _keeps_off(element: Known, place: Place) -> bool | None:
    """Whether an element is not in a place, or does not reach an edge; None where only some of the place is its own."""
    inside = place.needs <= element.cells
    if place.edges and element.edges is not None:
        cut = not place.edges.isdisjoint(element.edges)
        if place.scope == "edge":
            return not cut
        if not cut:
            return None if inside else True
    if place.needs.isdisjoint(element.cells):
        return True
    return False if inside else None


def _denied_before(reading: Reading, place: Place, before: int) -> bool:
    """`Except the north`, `leaves only the lower right bare`, `but not by the south`, `every edge but the western`."""
    at = before
    while reading.word(at) in _PREPOSITIONS:
        at -= 1
    if reading.word(at) == "only" and reading.word(at - 1) in _ABSENT:
        at -= 1  # absent only from the top left
    word, earlier = reading.word(at), reading.word(at - 1)
    leaving = word.startswith("leav") and (place.scope == "edge" or not place.points or at < before or place.heading)
    return (
        word in EXCEPT
        or (word in _ABSENT and at < before)
        or (word in _APART and reading.word(at + 1) == "from")
        or word in ("neither", "nor")
        or (word in _DENIALS and (at < before or earlier in ("but", "and")))
        or (word.startswith(_SPARING) and not leaving)
        or any(word == last and earlier.startswith(first) for first, last in _TWO_WORDS)
        or (word == "only" and at == before and earlier.startswith(_SPARING))
        or (word == "but" and earlier in _WHOLES and reading.word(at - 2) not in _NONE)
        or _goes_not(reading.text.words[max(0, before - _GOING_WITHIN) : before + 1])
    )


def _goes_not(words: Sequence[str]) -> bool:
    """`Does not get to the top`: a denial and a verb of going, with no comma after them."""
    for number, word in enumerate(words):
        if word in ("not", "never") or word.endswith("n't"):
            going = any(each.startswith(_GOING) for each in words[number + 1 :])
            return going and "," not in words[number:]
    return False


def _denied_after(reading: Reading, stop: int) -> bool:
    """`Remains untouched`, `is not reached by it`, `is the exception`."""
    words = reading.text.words
    for at in range(stop, min(stop + _AFTER, len(words))):
        if words[at] in _PARTING or reading.text.sentence[at] != reading.text.sentence[stop - 1]:
            return False
        if words[at] in _UNTOUCHED:
            return at > stop or words[at] == "untouched"
        if words[at] == "not" and words[at + 1 : at + 2] in (["."], [","], [";"], ["part"], ["among"]):
            return True  # and its eastern one is not
        if words[at] in ("not", "never") and at + 1 < len(words) and words[at + 1].startswith(_TOUCHED):
            return True
    return False

"""Where a thing is said not to be: the edges it leaves free, the corner that is the exception."""

from collections.abc import Sequence

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.marks import Mark
from annotation.checks.claiming.places import Place
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.vocabulary import WORDS

EXCEPT = frozenset(("except", "besides", "save", "barring", "bar", "excepting", "excluding"))
_PREPOSITIONS = WORDS["denied.prepositions"]
_WHOLES = WORDS["denied.wholes"]
_DENIALS = frozenset(("none", "nothing", "not", "never", "nowhere", "neither", "nor"))
_GOING = ("get", "reach", "touch", "com", "extend", "run", "meet", "stretch", "hit", "arriv", "mak", "quite", "cross")
_SPARING = ("leav", "miss", "spares", "spared", "sparing", "avoid")
_SHORT = frozenset(("clear", "short", "free", "shy"))
_UNTOUCHED = WORDS["denied.untouched"]
_TOUCHED = ("reach", "touch", "cross", "met", "cut", "cover", "fill", "occup")
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
    return _denied_before(reading, listed[0], before) or _denied_after(reading, listed[-1].stop)


def left_free(reading: Reading, mark: Mark, listed: Sequence[Place]) -> None:
    """Adds the claim that a thing is not in places, or that it keeps off edges.

    It is false if an edge by name cuts the thing, or if all of a place is its own.
    """
    targets = reading.binder.targets(mark.start, listed[-1].stop, lambda element: element.cells)
    reading.settle("position", (mark.start, listed[-1].stop), targets, lambda e: _is_off(e, listed), "position")


def _is_off(element: Known, listed: Sequence[Place]) -> bool | None:
    found = [_keeps_off(element, place) for place in listed if place.points or place.middle]
    return False if False in found else True if found and None not in found else None


def _keeps_off(element: Known, place: Place) -> bool | None:
    cut = None if element.edges is None or not place.edges else not place.edges.isdisjoint(element.edges)
    if place.scope == "edge" and cut is not None:
        return not cut
    inside = place.needs <= element.cells
    if cut is False or place.needs.isdisjoint(element.cells):
        return None if inside and cut is False else True
    return False if inside and cut is not False else None


def _denied_before(reading: Reading, place: Place, before: int) -> bool:
    """`Except the north`, `leaves only the lower right bare`, `but not by the south`, `every edge but the western`."""
    at = before
    while reading.word(at) in _PREPOSITIONS:
        at -= 1
    word, earlier = reading.word(at), reading.word(at - 1)
    if word == "contact" and earlier in ("no", "without"):
        return True
    if word in EXCEPT or (word == "than" and earlier == "other") or word in ("neither", "nor"):
        return True
    if (word == "but" and earlier in _WHOLES) or (word == "out" and earlier.startswith("leav")):
        return True
    ahead = reading.text.words[max(0, before - 4) : before + 1]
    for number, each in enumerate(ahead):
        if (each in ("not", "never") or each.endswith("n't")) and any(
            w.startswith(_GOING) for w in ahead[number + 1 :]
        ):
            return "," not in ahead[number:]
    if word == "only" and earlier.startswith(_SPARING):
        return True
    if word in _DENIALS and (at < before or earlier in ("but", "and")):
        return True
    if word == "of" and earlier in _SHORT:
        return True
    leaving = word.startswith("leav") and (place.scope == "edge" or not place.points or at < before)
    return word.startswith(_SPARING) and not leaving


def _denied_after(reading: Reading, stop: int) -> bool:
    """`Remains untouched`, `is not reached by it`, `is the exception`."""
    words = reading.text.words
    for at in range(stop, min(stop + _AFTER, len(words))):
        if words[at] in _PARTING or reading.text.sentence[at] != reading.text.sentence[stop - 1]:
            return False
        if words[at] in _UNTOUCHED:
            return at > stop or words[at] == "untouched"
        if words[at] == "not" and words[at + 1 : at + 2] in (["."], [","], [";"]):
            return True  # and its eastern one is not
        if words[at] in ("not", "never") and at + 1 < len(words) and words[at + 1].startswith(_TOUCHED):
            return True
    return False

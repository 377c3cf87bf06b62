"""Mentions of things: which elements a class noun, a name or a pronoun may mean, and whether it is a mention at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lexicon import GENERIC, RELATIVE, Meaning
from annotation.checks.claiming.marks import DETERMINERS, Mark
from annotation.checks.claiming.names import Name
from annotation.checks.claiming.numerals import VALUES
from annotation.checks.claiming.text import Text
from annotation.checks.claiming.vocabulary import WORDS

_NEGATIONS = frozenset(("no", "without", "lacks", "lacking", "neither", "nor", "devoid"))
_VERB_LIKE = WORDS["mentions.verb_like"]
"""Nouns that are verbs as well: they are nouns after an article, an adjective or a preposition only."""
_AFTER_VERB = WORDS["mentions.after_verb"]
_COUNTED = WORDS["counts.counted"] - {"tracks", "track"}
_SURFACES = frozenset(("grass", "sand", "earth", "mud", "rock"))
_WAYS = (["track"], ["path"], ["road"], ["trail"], ["lane"], ["runway"], ["airstrip"])
_COURSE_NOUNS = WORDS["mentions.course_nouns"]
_COURSE_VERBS = (
    "follow", "tak", "traces", "traced", "tracing", "carv", "keep", "kept", "chart", "cut", "mark", "mak", "pursu",
    "describ", "hold", "has", "hav", "form", "draw", "its", "their", "wind", "etch",
)  # fmt: skip
_THINGS = frozenset(("class", "name", "pronoun", "generic"))
_PARTICLES = frozenset(("up", "off", "out"))
_PARTING = frozenset((",", ";", "."))
_NOT_LET = (["are", "banned"], ["are", "forbidden"], ["are", "barred"])
_LET = frozenset(("allowed", "permitted", "admitted", ",", ";", "."))
"""What may follow `cars are not`: bicycles are allowed and cars are not."""
_DENIED_WITHIN = 3
_LIKENESS = frozenset(("like", "shaped", "sized", "style", "type", "esque", "coloured", "size", "surfaced"))
_ADJECTIVES_BEFORE = 4
_HEDGES = frozenset(("around", "over", "under", "near", "to"))
_PHRASE = 6
"""Words of a noun phrase, and what governs it."""
ROLES = WORDS["mentions.roles"]


@dataclass(slots=True)
class Mention:
    """A thing spoken of.

    Attributes:
        mark: where it stands.
        kind: `class`, `name`, `pronoun` or `generic`.
        elements: what it may mean, the likeliest first; empty for a thing that no element is.
        subject: whether it is the subject of its clause, rather than what a verb or preposition governs.
        part: whether it is a part of its elements, as the trees of a wood.
        named: the name, where it is one.
        senses: classes that it may be, where it is a noun.
    """

    mark: Mark
    kind: str
    elements: list[Known]
    subject: bool = True
    part: bool = False
    named: Name | None = None
    senses: tuple[str, ...] = ()


def is_mention(text: Text, mark: Mark, stops: Mapping[int, Mark]) -> bool:
    """Whether a class noun is used as one: not as a verb, not as the course of something else, not denied.

    Args:
        text: the caption.
        mark: the noun.
        stops: marks by their last word.
    """
    words, start = text.words, mark.start
    if _is_denied(text, mark):
        return False
    if mark.stop - start > 1:
        return True
    if words[start] in _SURFACES and words[mark.stop : mark.stop + 1] in _WAYS:
        return False  # a grass track
    if words[start] in _COUNTED and start and (words[start - 1] in VALUES or words[start - 1].isdecimal()):
        return False  # the four-lane road
    verb = words[start] in _VERB_LIKE and _is_verb(text, start, stops)
    return not (verb or (words[start] in _COURSE_NOUNS and _is_course(text, start, stops)))


def _is_denied(text: Text, mark: Mark) -> bool:
    """`No houses`, `closed to cars`, `on which cars are not allowed`; a lake-like shape is no lake."""
    words = text.words
    before = words[max(0, mark.start - _DENIED_WITHIN) : mark.start]
    denied = not _NEGATIONS.isdisjoint(before) and _PARTING.isdisjoint(before)
    alike = mark.stop < len(words) and text.joined[mark.stop] and words[mark.stop] in _LIKENESS
    after = words[mark.stop : mark.stop + 3]
    refused = after[:2] in (["are", "not"], ["is", "not"]) and not _LET.isdisjoint(after[2:])
    kept_out = refused or after[:2] in _NOT_LET
    return denied or alike or kept_out or ("closed", "to") in pairwise(before)


def _is_verb(text: Text, start: int, stops: Mapping[int, Mark]) -> bool:
    """`The road bridges a stream`: a thing or pronoun stands before, an article or preposition follows."""
    if text.opens_sentence(start):
        return False
    before, after = text.words[start - 1], text.words[start + 1] if start + 1 < len(text.words) else ""
    thing = stops.get(start - 1)
    if before in _AFTER_VERB or (thing is not None and thing.kind in _THINGS):
        return (after in DETERMINERS and after not in RELATIVE) or after in ROLES or after in _PARTICLES
    return False


def _is_course(text: Text, start: int, stops: Mapping[int, Mark]) -> bool:
    """`Follows a winding path`: the way that something takes."""
    words = text.words
    if words[start] in ("route", "course", "path", "line") and words[start + 1 : start + 2] == ["of"] and start:
        return words[start - 1] in ("the", "its")  # such is the route of the power line
    for at in range(start - 1, max(-1, start - _ADJECTIVES_BEFORE - 2), -1):
        word = words[at]
        if word in (",", ";", ".") or text.sentence[at] != text.sentence[start]:
            return False
        if word.endswith("ing") and words[at - 1] in DETERMINERS:
            continue  # a winding path
        if word.startswith(_COURSE_VERBS) and at < start - (word not in ("its", "their")):
            moving = word.startswith(("wind", "follow"))
            return not moving or _is_told(text, at, stops)  # on the left winds a path
        if (
            word in ("in", "on", "along")
            and at < start - 1
            and words[start] in ("line", "path", "route", "way", "channel")
            and DETERMINERS.isdisjoint(words[at + 2 : start])  # on the left a winding path
        ):
            return any(words[k] in ("straight", "winding", "curved", "diagonal", "curving") for k in range(at, start))
    return False


def _is_told(text: Text, verb: int, stops: Mapping[int, Mark]) -> bool:
    """Whether a thing is told before a verb in its sentence."""
    parted = max((at for at in range(verb) if text.words[at] == ";"), default=-1)
    here = (mark for last, mark in stops.items()
            if parted < last < verb and text.sentence[last] == text.sentence[verb])  # fmt: skip
    return any(mark.kind in _THINGS and not governed(text, mark, stops) for mark in here)


def is_generic_mention(text: Text, mark: Mark) -> bool:
    """Whether `area` and the like stand for a thing told before: with an article, and not `an area of`."""
    words = text.words
    after = words[mark.stop] if mark.stop < len(words) else ""
    if after in ("of", "is") and after == "of":
        return False
    for at in range(mark.start - 1, max(-1, mark.start - 4), -1):
        if words[at] in ("the", "this", "these", "that"):
            return True
        if words[at] in ("a", "an", "its", "their") or not words[at].isalpha() or words[at] in GENERIC:
            return False
    return False


def governed(text: Text, mark: Mark, stops: Mapping[int, Mark]) -> bool:
    """Whether a preposition or a relation governs a thing, so that it is not the subject of a clause."""
    if text.words[mark.start] in RELATIVE:
        return False
    for at in range(mark.start - 1, max(-1, mark.start - _PHRASE), -1):
        before = stops.get(at)
        if text.sentence[at] != text.sentence[mark.start]:
            return False
        if text.words[at] == "with" and at and text.words[at - 1] == ",":
            return False  # , with a residential area bordering it
        following = text.words[at + 1]
        if text.words[at] in _HEDGES and (following in VALUES or following[0].isdigit()):
            continue  # around fifty garages
        measured = stops.get(at - 1) if text.words[at] == "of" else None
        amount = measured is not None and measured.kind == "quantity" and measured.content.kind != "share"
        if amount or (measured is not None and measured.kind == "shape"):
            continue  # an acre of residential land borders, a strip of farmland sits
        if text.words[at] in ROLES or (before is not None and before.kind == "rel"):
            return True
        if mark.kind == "name" and before is not None and before.kind == "class":
            continue  # the river Tamber: as the river
        if (before is not None and before.kind in _THINGS) or not text.words[at].isalnum():
            return False
    return False


def meant_by(
    text: Text, mark: Mark, meaning: Meaning, elements: Sequence[Known]
) -> tuple[list[Known], bool, bool] | None:
    """Elements of a class, whether it is only a part of them, whether only their look; None for a mere quality."""
    head = text.words[mark.start] if mark.stop - mark.start == 1 else ""
    direct = [each for each in elements if head in each.heads or not each.kinds.isdisjoint(meaning.senses)]
    if direct:
        wording = " ".join(text.words[mark.start : mark.stop])
        called = [element for element in direct if wording in element.nouns]  # school grounds, beside a school building
        if called:
            return called, False, False
        exact = [element for element in direct if element.own in meaning.senses]
        return exact or direct, False, False
    wording = " ".join(text.words[mark.start : mark.stop])
    part = [element for element in elements if wording in element.holds]
    if part:
        return part, True, False
    words = [{word, word.removesuffix("s"), f"{word}s"} for word in text.words[mark.start : mark.stop]]
    loose = [element for element in elements if all(not forms.isdisjoint(element.loose) for forms in words)]
    return (loose, True, True) if loose else None

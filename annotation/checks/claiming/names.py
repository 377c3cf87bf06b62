"""Proper names in a caption: those that the facts carry, and those that somebody made up."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from annotation.checks.claiming.known import Known
from annotation.checks.claiming.places import STARTERS
from annotation.checks.claiming.tagged import unit_of_tag
from annotation.checks.claiming.text import Text, fold
from annotation.checks.claiming.vocabulary import WORDS

_PARTICLES = WORDS["names.particles"]
_INNER = frozenset("'\u2019\u2018.&/,:()\"")
_NOT_NAMES = WORDS["names.not_names"]
_QUOTES = frozenset('"\u201c\u201d\u201e\u00ab\u00bb')
_NAMING = frozenset(("named", "called", "name", "titled", "dubbed"))
_NOT_IN_NAMES = _NOT_NAMES - {"north", "south", "east", "west"}
_OPENING_ENDS = ("ing", "ly")
_PLURAL_VERBS = (["are"], ["have"], ["were"])
_ROUTES = WORDS["names.routes"]
_MOST_PARTICLES = 2
_LONGEST_NUMBER = 3
_VERBS = WORDS["names.verbs"]
_OPENERS = WORDS["names.openers"]


@dataclass(slots=True)
class Name:
    """A name in a caption.

    Attributes:
        start: first word.
        stop: after the last.
        owners: ids of the elements that carry it; empty if none does.
        known: whether an element or the place carries it.
    """

    start: int
    stop: int
    owners: frozenset[str]
    known: bool


def names_in(
    text: Text, elements: Sequence[Known], place: Sequence[tuple[str, ...]], vocabulary: AbstractSet[str]
) -> dict[int, Name]:
    """Names by their first word.

    Args:
        text: the caption.
        elements: whose names and other tags are known.
        place: folded words of the names around the picture.
        vocabulary: words that are no names, whatever their case.
    """
    words = list(map(fold, text.words))
    taken = [False] * len(words)
    found: dict[int, Name] = {}
    for name in _carried(text, words, elements, place, vocabulary):
        if not any(taken[name.start : name.stop]):
            found[name.start] = name
            taken[name.start : name.stop] = [True] * (name.stop - name.start)
    stop = 0
    for start in _capitals(text):
        if start < stop or taken[start]:
            continue
        stop = _run(text, start, taken, vocabulary)
        if stop > start:
            owners, known = _owners(words[start:stop], elements, place)
            if not known and "and" in words[start:stop]:  # the Tamber Bridge and Quill Avenue
                stop = words.index("and", start)
                owners, known = _owners(words[start:stop], elements, place)
            found[start] = Name(start, stop, owners, known)
    return found


def _capitals(text: Text) -> Sequence[int]:
    """Words that a made-up name may begin with: with a capital, or in letters beyond ASCII; with quotes all."""
    if not _QUOTES.isdisjoint(text.words):
        return range(len(text.words))
    return [at for at, word in enumerate(text.written) if "A" <= word < "[" or word > "~"]


def _carried(
    text: Text,
    words: Sequence[str],
    elements: Sequence[Known],
    place: Sequence[tuple[str, ...]],
    vocabulary: AbstractSet[str],
) -> Iterator[Name]:
    """Places where names that are known stand, the longest names first."""
    here = set(words)
    carried: dict[tuple[str, ...], set[str]] = {name: set() for name in place if here.issuperset(name)}
    for element in elements:
        for name in element.names:
            if here.issuperset(name):
                carried.setdefault(name, set()).add(element.id)
    for name in sorted(carried, key=len, reverse=True):
        for start, word in enumerate(words):
            stop = _match(words, start, name) if word == name[0] else 0
            if stop and _looks_like_name(text, start, stop, vocabulary):
                yield Name(start, stop, frozenset(carried[name]), known=True)


def _match(words: Sequence[str], start: int, name: tuple[str, ...]) -> int:
    """Where a name that begins at a word ends; 0 if it does not stand there. Marks within it are passed over."""
    at = start
    for part in name:
        while at < len(words) and words[at] in _INNER and at > start:
            at += 1
        if at >= len(words) or words[at] != part:
            return 0
        at += 1
    return at


def _looks_like_name(text: Text, start: int, stop: int, vocabulary: AbstractSet[str]) -> bool:
    """Whether words that spell a name are written as one: with a capital, a digit, or in letters without case."""
    if stop - start == 1 and text.opens_sentence(start) and text.words[start] in vocabulary:
        return False
    return any(not text.written[at][0].islower() for at in range(start, stop) if text.words[at].isalnum())


def _run(text: Text, start: int, taken: Sequence[bool], vocabulary: AbstractSet[str]) -> int:
    """Where the run of capitalised words that begins at a word ends, if it is no known phrase; else `start`."""
    first = text.written[start][0]
    if first.islower() or not first.isalpha():
        quoted = start > 1 and text.words[start - 1] in _QUOTES and text.words[start - 2] in _NAMING
        return _quoted(text, start) if quoted else start
    if not first.isupper():  # a script without case
        return _end_of_run(text, start, taken, vocabulary)
    word, opens = text.words[start], text.opens_sentence(start)
    if opens and word.endswith("s") and text.words[start + 1 : start + 2] in _PLURAL_VERBS:
        return start  # bicycles are not allowed
    if word in _NOT_NAMES or word in STARTERS or (opens and (word in _OPENERS or word.endswith(_OPENING_ENDS))):
        return start
    stop = _end_of_run(text, start, taken, vocabulary)
    common = word in vocabulary or word in _OPENERS or (opens and not _heads_a_clause(text, stop))
    return start if stop - start == 1 and common else stop


def _end_of_run(text: Text, start: int, taken: Sequence[bool], vocabulary: AbstractSet[str]) -> int:
    """Where capitalised words end, small particles between them passed over: Lac du Saint-Sacrement."""
    stop = start + 1
    while True:
        ahead = stop
        while ahead < len(taken) and ahead - stop < _MOST_PARTICLES and text.words[ahead] in _PARTICLES:
            ahead += 1
        if ahead >= len(taken) or taken[ahead] or not _is_named(text, ahead):
            return stop
        if ahead > stop and text.words[start] in vocabulary:
            return stop
        stop = ahead + 1


def _is_named(text: Text, at: int) -> bool:
    """Whether a word may go on a name: with a capital, or a short number after one (Route 66)."""
    if text.words[at] in _NOT_IN_NAMES:
        return False
    written = text.written[at]
    if written[0].isupper():
        return True
    if not written[0].isdigit() or len(written) > _LONGEST_NUMBER or not text.is_capital(at - 1):
        return False
    possessive = text.written[at - 1].endswith(("'s", "\u2019s"))
    measured = unit_of_tag(text.words, at + 1) is not None  # the Swissgrid 220 kV line
    return not (possessive or measured) and text.words[at + 1 : at + 2] != ["%"]


def _heads_a_clause(text: Text, at: int) -> bool:
    """Whether what follows a single word shows that it is a subject: a verb or a comma."""
    return at >= len(text.words) or text.words[at] in _VERBS or text.words[at] in (",", "(", ":")


def _quoted(text: Text, start: int) -> int:
    """Where a name in quotes and small letters ends."""
    for stop in range(start, min(start + 12, len(text.words))):
        if text.words[stop] in _QUOTES:
            return stop
    return start


def _owners(
    words: list[str], elements: Sequence[Known], place: Sequence[tuple[str, ...]]
) -> tuple[frozenset[str], bool]:
    """Elements of which a value holds the words in this order."""
    sought = tuple(word for word in words if word not in _INNER)
    owners = frozenset(
        element.id for element in elements if any(_holds(value, sought) for value in (*element.names, *element.others))
    )
    joined = ("".join(sought),)  # Grade 3: grade3
    if not owners and len(sought) > 1:
        owners = frozenset(element.id for element in elements if joined in element.others)
    number = tuple(word for word in sought if word not in _ROUTES)
    if not owners and sought != number and all(word.isdecimal() for word in number) and number:  # State Route 16
        owners = frozenset(element.id for element in elements if any(_holds(name, number) for name in element.names))
    return owners, bool(owners) or any(_holds(value, sought) for value in place)


def _holds(value: tuple[str, ...], sought: tuple[str, ...]) -> bool:
    size = len(sought)
    return any(value[start : start + size] == sought for start in range(len(value) - size + 1))

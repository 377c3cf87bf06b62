"""Places that are told together: in lists, and in pairs of from and to."""

from collections.abc import Sequence
from dataclasses import replace

from annotation.checks.claiming import verdicts
from annotation.checks.claiming.marks import FINITE
from annotation.checks.claiming.places import Place
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.vocabulary import WORDS

FILLERS = WORDS["sites.fillers"]
POSSESSIVE = frozenset(("its", "their", "whose"))
PREPOSITIONS = frozenset(("in", "on", "at", "to", "along", "across", "near", "down", "towards"))
REACH = 7
"""Words between two places of one list or pair."""
_CONNECTORS = frozenset((",", "and", "or", "plus", "well"))
_LISTING = WORDS["sites.listing"]
_TO = frozenset(("to", "towards", "until", "into"))
_STAYING = frozenset(("keeps", "keep", "stays", "stay", "lies", "lie", "keeping", "staying"))
_VIA = frozenset(("via", "through", "past", "across", "over"))
_JOINING = frozenset(("and", "with", "to"))
_ORDERING = (["they", "are"], ["these", "are"], [",", "they"], [",", "these"], ["come", "a"], [":", "a"])
_PAIRING = ("between", "link", "connect", "join")


def before(reading: Reading, start: int) -> int:
    """The last word of the sentence before a place that is more than an article; -1 if there is none."""
    at = start - 1
    while at >= 0 and reading.text.words[at] in FILLERS:
        at -= 1
    return at if at >= 0 and reading.text.sentence[at] == reading.text.sentence[start] else -1


def pair(reading: Reading, number: int, word: str) -> bool:
    """`From the north to the south`, `between the upper left and the lower right`, `north-south`."""
    following = _partner(reading, number, word)
    if following is None:
        return False
    mark, other = reading.marks[number], reading.marks[following]
    between = reading.text.words[mark.stop : other.start]
    if word in POSSESSIVE:  # from its western to its eastern edge
        word = reading.word(before(reading, mark.start) - 1)
    pairing = word.startswith(_PAIRING) and not _JOINING.isdisjoint(between)
    started = pairing or (word == "from" and not _TO.isdisjoint(between))
    bare = between in (["to"], ["/"]) or (not between and reading.text.joined[other.start])
    if not (started or bare):
        return False
    reading.done.update(range(number + 1, following + 1))
    if started and reading.text.words[other.stop : other.stop + 2] in _ORDERING:
        return True  # from west to east they are a road, a path and a wood
    one, last = mark.content, other.content
    if pairing and between == ["and"] and last.scope == "edge":  # the northern and southern edges
        one = replace(one, scope="edge")
    _from_to(reading, (mark.start, other.stop), one, last, started=started)
    return True


def _from_to(reading: Reading, span: tuple[int, int], one: Place, last: Place, *, started: bool) -> None:
    """Adds the claim that something reaches from one place to another, or lies along such an axis."""
    targets = reading.binder.targets(*span, lambda each: each.axis is not None or each.ends is not None, place=True)
    if started or one.scope or last.scope or one.middle or last.middle:
        reading.settle("direction", span, targets, lambda e: verdicts.from_to(e, one, last), "from")
        return
    vector = last.vector[0] - one.vector[0], last.vector[1] - one.vector[1]
    reading.settle("direction", span, targets, lambda e: verdicts.along_axis(e, vector), "orientation")


def _partner(reading: Reading, number: int, word: str) -> int | None:
    """Number of the place to which something goes, past a middle on its way; None where another verb begins."""
    following = _next_place(reading, number, ("picture", "pronoun", "rel", "skip"))
    if following is None:
        return None
    mark = reading.marks[number]
    between = reading.text.words[mark.stop : reading.marks[following].start]
    if word == "from" and _is_middle(reading, following) and not _VIA.isdisjoint(between):  # via the centre
        following = _next_place(reading, following, ("picture", "pronoun", "rel")) or following
    if _goes_on(reading, following):  # to the middle of the bottom
        following += 1
    stop = reading.marks[following].start
    between = reading.text.words[mark.stop : stop]
    pronoun = any(told.kind == "pronoun" and mark.stop <= told.mark.start < stop for told in reading.mentions)
    another = not _STAYING.isdisjoint(between) or (pronoun and not FINITE.isdisjoint(between))
    return None if another else following  # from the west, keeps to the north; towards it and meets it from the west


def _is_middle(reading: Reading, number: int) -> bool:
    place: Place = reading.marks[number].content
    return place.middle and not place.points


def _goes_on(reading: Reading, number: int) -> bool:
    """`The middle of` the bottom, `the right-hand part of` the top edge."""
    mark = reading.marks[number]
    after = reading.marks[number + 1] if number + 1 < len(reading.marks) else None
    return after is not None and after.kind == "place" and reading.text.words[mark.stop : after.start] == ["of", "the"]


def listed(reading: Reading, number: int) -> list[Place]:
    """Places in one enumeration; those that follow are spoken for, and lend their scope to those before."""
    mark = reading.marks[number]
    places: list[Place] = [mark.content]
    fronted = reading.binder.is_fronted(mark.start, mark.stop)
    at: int | None = number
    while at is not None:
        last, at = at, _next_place(reading, at, ("picture", "rel", "skip"))
        if at is None or not _joins(reading, last, at, fronted=fronted):
            break
        places.append(reading.marks[at].content)
        reading.done.add(at)
    scope = places[-1].scope  # the northern and western edges
    return [replace(each, scope=each.scope or scope) for each in places] if len(places) > 1 else places


def lent_scope(reading: Reading, number: int) -> str:
    """The scope that the next place of a pair lends: its upper and lower corners."""
    after = reading.marks[number + 1] if number + 1 < len(reading.marks) else None
    joined = after is not None and after.kind == "place"
    if after is None or not joined or reading.text.words[reading.marks[number].stop : after.start] != ["and"]:
        return ""
    scope: str = after.content.scope
    return scope


def _joins(reading: Reading, last: int, following: int, *, fronted: bool) -> bool:
    """Whether a place goes on the list: not half of a pair (N-S), and not before a thing of its own."""
    mark = reading.marks[following]
    between = reading.text.words[reading.marks[last].stop : mark.start]
    if _CONNECTORS.isdisjoint(between) or not _LISTING.issuperset(between):
        return False
    if between == [","] and _is_another(reading, last, following):
        return False
    after = reading.marks[following + 1] if following + 1 < len(reading.marks) else None
    if after is not None and after.kind == "place" and reading.text.joined[after.start]:
        return False
    own_article = "the" in between
    if reading.binder.is_passive(mark.stop) or (own_article and not fronted and reading.word(mark.stop) in FINITE):
        return False  # the left is covered by, the left belongs to
    own = not fronted and not PREPOSITIONS.isdisjoint(between)
    return not (own and reading.binder.is_fronted(mark.start, mark.stop))


def _is_another(reading: Reading, last: int, following: int) -> bool:
    """`The bottom, west edge to south edge`, `the bottom edge, right of the centre`, `the corner, west of a path`."""
    mark = reading.marks[following]
    scopes = reading.marks[last].content.scope, mark.content.scope
    after = reading.word(mark.stop)
    return after == "to" or scopes == ("edge", "half") or (after == "of" and not _of_picture(reading, following))


def _of_picture(reading: Reading, number: int) -> bool:
    """Whether a place is said to be one of the picture's."""
    after = reading.marks[number + 1] if number + 1 < len(reading.marks) else None
    return after is not None and after.kind == "picture" and after.start <= reading.marks[number].stop + 2


def _next_place(reading: Reading, number: int, passing: Sequence[str]) -> int | None:
    """Number of the next place in the same sentence, if it is near and only marks of some kinds stand between."""
    mark = reading.marks[number]
    for at in range(number + 1, len(reading.marks)):
        other = reading.marks[at]
        if other.kind == "place":
            near = other.start - mark.stop <= REACH
            return at if near and reading.same_sentence(mark, other) else None
        if other.kind not in passing:
            return None
    return None

"""Edges of the frame that cut things: which, all, some, none."""

from collections.abc import Sequence

from annotation.checks.claiming import verdicts
from annotation.checks.claiming.denied import EXCEPT
from annotation.checks.claiming.known import Known
from annotation.checks.claiming.lexicon import Meaning
from annotation.checks.claiming.marks import Mark
from annotation.checks.claiming.places import Place
from annotation.checks.claiming.reading import Reading
from annotation.checks.claiming.relating import object_of, relate
from annotation.checks.claiming.subjects import subjects_of
from annotation.checks.claiming.vocabulary import WORDS
from annotation.measuring.frame import EDGES

_REACH = 7
"""Words between a verb and the edges that it governs."""
_BETWEEN = WORDS["edges.between"]
_EDGE_WORDS = frozenset(("edge", "edges", "border", "borders", "margin", "margins", "boundary", "limits", "bounds"))
_STRICT = ("continu", "cut", "clip", "beyond", "crop", "extend", "leav", "exit", "past", "enter", "truncat")
_LEAVING = ("beyond", "past", "out", "leav", "exit", "bleed", "spill", "cut", "clip", "crop", "truncat")
_OUT = frozenset(("beyond", "past", "out", "off", "outside"))
_NOT = frozenset(("not", "without", "never", "nor", "no", "none", "nothing", "neither"))
_BUT = frozenset(("but", "except", "save"))
_ARTICLES = (["a"], ["an"], ["any"])


def at_edges(reading: Reading, number: int, places: Sequence[Place]) -> bool:
    """Whether places are edges that cut something: a verb of cutting or leaving governs them. Adds the claim."""
    mark = reading.marks[number]
    verb = _verb(reading, number)
    if verb is None or any(not place.points for place in places):
        return False
    between = reading.text.words[verb.stop : mark.start]
    if len(between) > _REACH or any(word not in _BETWEEN for word in between):
        return False
    if _is_where(reading.text.words[verb.start : verb.stop], between, places):
        return False
    edges = frozenset().union(*(place.edges for place in places))
    strict = any(place.scope == "edge" for place in places) or reading.word(verb.start).startswith(_STRICT)
    denied = _denied(reading, verb)
    cornered = len(places) == 1 and not denied
    cornered = cornered and (
        places[0].scope == "corner"
        or (
            len(places[0].points) > 1
            and ("at" in (*between, reading.word(verb.stop - 1)) or reading.word(verb.start).startswith("reach"))
        )
    )

    def holds(element: Known) -> bool | None:
        cut = verdicts.cut_at(element, places)
        if cornered and verdicts.at_places(element, places) is False:
            return False
        if denied:
            return None if element.edges is None else edges.isdisjoint(element.edges)
        if cut or strict:
            return cut
        if cornered and places[0].scope != "corner" and not places[0].needs.isdisjoint(element.cells):
            return True  # also reaches the top right
        return True if all(verdicts.heads_for(element, place) for place in places) else cut

    span = (mark.start, places[-1].stop)
    targets = reading.binder.targets(verb.start, span[1], lambda element: element.edges is not None)
    reading.settle("edge", span, targets, holds, "edges")
    return True


def _is_where(verb: Sequence[str], between: Sequence[str], places: Sequence[Place]) -> bool:
    """`Leaves the frame in the upper left`, `continues on the right`, `reaches into the bottom part`."""
    corner = any(len(place.edges) > 1 for place in places) and ("in" in between or "on" in between)
    leaves = not _OUT.isdisjoint((*verb, *between))
    aside = verb[0].startswith("continu") and "on" in between and not leaves and places[-1].scope != "edge"
    into = not {"into", "beyond", "past"}.isdisjoint((*between, verb[0]))
    return corner or aside or (into and all(place.scope in ("part", "half") for place in places))


def edge(reading: Reading, mark: Mark, number: int, _: Meaning) -> bool:
    """`Extends beyond the frame`: cut by some edge. Edges by name are told by their places."""
    at, named = mark.stop, False
    while at < mark.stop + _REACH and (
        reading.word(at) in _BETWEEN or reading.word(at) == "no" or reading.word(at) in _EDGE_WORDS
    ):
        named = named or reading.word(at) in _EDGE_WORDS
        at += 1
    if reading.word(at) in _BUT:
        return True  # touches no edge but the northern one
    following = [each for each in reading.marks[number + 1 : number + 4] if each.start <= at]
    if any(each.kind in ("place", "all edges") for each in following):
        return True
    pictured = any(each.kind == "picture" for each in following)
    leaving = any(word.startswith(_LEAVING) for word in reading.text.words[mark.start : mark.stop])
    if (pictured, leaving, named).count(True) < 2:
        return False
    denied = _denied(reading, mark)

    def holds(element: Known) -> bool | None:
        return None if element.edges is None else bool(element.edges) != denied

    targets = reading.binder.targets(mark.start, at, lambda element: element.edges is not None)
    reading.settle("edge", (mark.start, at), targets, holds, "edges")
    return True


def all_edges(reading: Reading, mark: Mark, number: int, _: Meaning) -> bool:
    """`Cut off by all four edges`; without such a verb they claim nothing."""
    before = reversed(reading.marks[max(0, number - 3) : number])
    verb = next((each for each in before if each.meaning("edge")), None)
    if verb is None or mark.start - verb.stop > _REACH or not reading.same_sentence(verb, mark):
        return True
    edges = frozenset(EDGES)
    if not EXCEPT.isdisjoint(reading.text.words[mark.stop : mark.stop + 3]) or reading.word(mark.stop) == "but":
        following = (each.content for each in reading.marks[number + 1 : number + 4] if each.kind == "place")
        edges -= next((place.edges for place in following), edges)
    targets = reading.binder.targets(verb.start, mark.stop, lambda element: element.edges is not None)
    reading.settle("edge", (mark.start, mark.stop), targets, lambda e: verdicts.cut_by(e, edges), "edges")
    return True


def whole(reading: Reading, mark: Mark, _: int, __: Meaning) -> bool:
    """`Lies entirely within the frame`; within a thing it is a relation."""
    mention = object_of(reading, mark)
    if mention is not None:
        relate(
            reading, (mark.start, mention.mark.stop), subjects_of(reading, mark, mention), "inside", mention.elements
        )
        return True
    targets = reading.binder.targets(mark.start, mark.stop, lambda element: element.edges is not None)
    reading.settle(
        "edge", (mark.start, mark.stop), targets, lambda e: None if e.edges is None else not e.edges, "edges"
    )
    return True


def _verb(reading: Reading, number: int) -> Mark | None:
    """The phrase of cutting or leaving before a place; words for the picture and prepositions may stand between."""
    place = reading.marks[number]
    for mark in reversed(reading.marks[max(0, number - 4) : number]):
        if mark.meaning("edge"):
            return mark if mark.start not in reading.by_start else None
        preposition = mark.kind == "rel" and mark.stop - mark.start == 1
        article = mark.kind == "pronoun" and (mark.start not in reading.by_start or mark.stop == place.start)
        number = mark.kind == "quantity" and mark.content.kind == "count"
        if not (mark.kind == "picture" or preposition or article or number):
            return None
    return None


def _denied(reading: Reading, verb: Mark) -> bool:
    before = reading.text.words[max(0, verb.start - 5) : verb.start]
    return any(
        word in _NOT and "," not in before[at:] and before[at + 1 : at + 2] not in _ARTICLES
        for at, word in enumerate(before)
    )

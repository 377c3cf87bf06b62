"""Phrases for each fact, from the tables of `annotation.words`, sorted by what a sentence can do with them."""

import re
from functools import lru_cache

from annotation import words
from annotation.facts import clean
from annotation.grammar import english

Texts = tuple[str, ...]

EDGES = {"north": "top", "south": "bottom", "west": "left", "east": "right"}
"""Edges of the frame by compass and by side."""
_SHARPEST = 8
_EXTENDED = ("along", "across", "down", "from", "through", "diagonally", "over", "all")
_BARE = re.compile(
    r"(?:in|at|on) the ((?:upper|lower|top|bottom) (?:left|right)|left|right|top|bottom|centre)(?: corner)?"
)
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
    share = min(share, 1.0)
    said = tuple(each for each in words.share_phrases(share) if not each.startswith("over "))[:_SHARPEST]
    percent = round(share * 100)
    if not 1 < percent < 99:
        return said
    return (*said, *(f"{about}{percent} percent" for about in ("", "", "about ", "some ", "roughly ")))


lengths = lru_cache(maxsize=8192)(words.length_phrases)
areas = lru_cache(maxsize=8192)(words.area_phrases)
relations = lru_cache(maxsize=64)(words.relation_phrases)
arrangements = lru_cache(maxsize=64)(words.arrangement_phrases)


@lru_cache(maxsize=64)
def forms(shape: str) -> Texts:
    """Nouns, with article, that a thing can form or have the shape of."""
    return tuple(each for each in words.shape_nouns(shape) if not each.endswith("outline"))


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
    if len(cut) == len(EDGES):
        return ("all four edges", "every edge", "all edges", "every side", "all borders")
    words_for_it = ("edges", "borders", "margins") if len(cut) > 1 else ("edge", "border", "margin")
    compass, sided = english.listed([f"{edge}ern" for edge in cut]), english.listed([EDGES[edge] for edge in cut])
    return tuple(f"the {which} {edge}" for which in (compass, sided) for edge in words_for_it)


@lru_cache(maxsize=64)
def sides(cut: Texts) -> Texts:
    """The same, to follow `at`, without article."""
    if len(cut) == len(EDGES):
        return ("all four edges", "every side", "all sides")
    return (english.listed([EDGES[edge] for edge in cut]),)


@lru_cache(maxsize=64)
def headings(cut: Texts) -> Texts:
    """Where an element goes on beyond the frame, to follow `continues`."""
    if len(cut) == len(EDGES):
        return ("on all sides", "on every side", "all round")
    compass = english.listed(cut)
    return (compass, f"to {compass}", f"towards {compass}")


@lru_cache(maxsize=64)
def points(place: str) -> Texts:
    """Names for where a line enters or leaves: adjectives of edges, noun phrases for the rest."""
    if place in EDGES:
        return (f"{place}ern", f"{place}ern", EDGES[place])
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

"""Phrases for each fact, from the tables of `annotation.words`, sorted by what a sentence can do with them."""

import re
from functools import lru_cache

from annotation import words
from annotation.facts import clean
from annotation.grammar import english

Texts = tuple[str, ...]

EDGES = {"north": "top", "south": "bottom", "west": "left", "east": "right"}
"""Edges of the frame by compass and by side."""
_OPPOSITE = {"north": "south", "south": "north", "west": "east", "east": "west"}
_SHARPEST = 8
MOST_LISTED = 2
"""Most places in an enumeration."""
_EXTENDED = ("along", "across", "down", "from", "through", "diagonally", "over", "all")
_UNWIELDY_AXIS = re.compile(r"(?:north|south|east|west)[a-z-]* to |.* the frame")
_PLAIN_AXES = ("north-south", "east-west", "diagonally")
_COMPASS = re.compile(r"\b(?:north|south|east|west)")
_NUMBERED = re.compile(r"(one|two|three|four|five|six|seven|eight)[ -](lane|storey|track)s?")
_ADVERBS = ("in ", "with", "as ", "back ")
_STATES = frozenset(("along", "on", "in", "through", "carried", "dry", "holding", "made", "draining", "tidal"))
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
    """Ways to tell a share in words, the sharpest of them; things extend over it already."""
    said = (each for each in words.share_phrases(min(share, 1.0)) if not each.startswith("over "))
    return tuple(each for each in said if "percent" not in each)[:_SHARPEST]


@lru_cache(maxsize=4096)
def percents(share: float) -> Texts:
    """Ways to tell a share in percent; in words where that would be none or all."""
    percent = round(share * 100)
    if not 1 < percent < 99:
        return shares(share)
    return tuple(f"{about}{percent} percent" for about in ("about ", "some ", "roughly ", "around "))


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
    spelled = (words.number_words(count),) if count <= 100 else ()
    return (*spelled, *(each for each in said if not each.isdecimal()))


@lru_cache(maxsize=1024)
def places(cells: Texts) -> Texts:
    """Ways to tell a place, the sharpest of them."""
    said = words.position_phrases(cells)
    if "whole" in cells:
        return said[:3]
    plain = (tuple(each for each in said[:8] if "," not in each) or said[:2])[:6]
    return (*plain, *(f"{each}-hand side" for each in plain if each in ("on the left", "on the right")))


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


@lru_cache(maxsize=1024)
def is_wide(cells: Texts) -> bool:
    """Whether a place is all or most of the picture and nothing narrower."""
    return "whole" in cells or places(cells)[:1] == words.position_phrases(cells)[-2:-1]


def is_scattered(cells: Texts) -> bool:
    """Whether a place is an enumeration of more than two."""
    return len(cells) > MOST_LISTED and is_listed(cells)


@lru_cache(maxsize=64)
def edges(cut: Texts) -> Texts:
    """Noun phrases for the edges that cut an element."""
    if len(cut) == len(EDGES):
        return ("all four edges", "every edge", "all four borders", "every margin")
    words_for_it = ("edges", "borders", "margins") if len(cut) > 1 else ("edge", "border", "margin")
    compass, sided = english.listed([f"{edge}ern" for edge in cut]), english.listed([EDGES[edge] for edge in cut])
    return tuple(f"the {which} {edge}" for which in (compass, sided) for edge in words_for_it)


@lru_cache(maxsize=64)
def headings(cut: Texts) -> Texts:
    """Where an element goes on beyond the frame, to follow `continues`."""
    if len(cut) == len(EDGES):
        return ("on all sides", "on every side", "all round")
    compass = english.listed(cut)
    wards = english.listed([f"{edge}wards" for edge in cut])
    return (compass, f"to the {compass}", f"towards the {compass}", wards, wards)


@lru_cache(maxsize=1024)
def ends(start: str, end: str, axis: str) -> Texts:
    """Both ends of a line, divided by `|`, to follow `from` and `to`: both by compass or both by side of the frame.

    Args:
        start: edge of the frame, or cell.
        end: another.
        axis: orientation of the line; if that of its mere direction, `south|north` may be said as well.
    """
    both = [f"{one}|{other}" for one, other in _end_pairs(start, end)]
    if end == _OPPOSITE.get(start):
        straight = ((start, end), (EDGES[start], EDGES[end]))
        mere = [f"{one}|{other}" for one, other in straight if axis in _axes_of(f"from {one} to {other}")]
        both += mere * (len(both) // 4)
    return tuple(both)


@lru_cache(maxsize=1024)
def pairs(start: str, end: str) -> Texts:
    """Both ends of a line as one phrase: `the northern and southern edges`."""
    both = _end_pairs(start, end)
    if start in EDGES and end in EDGES:
        return tuple(f"{one} and {other.removeprefix('the ')}s" for one, other in both)
    return tuple(f"{one} and {other}" for one, other in both)


def _end_pairs(start: str, end: str) -> list[tuple[str, str]]:
    """Words for both ends in either vocabulary; of two edges only the second is called so."""
    both: list[tuple[str, str]] = []
    for of_compass in (True, False):
        one, other = _end_words(start, of_compass=of_compass), _end_words(end, of_compass=of_compass)
        if start in EDGES and end in EDGES:
            one = tuple(each.rpartition(" ")[0] for each in one[:1])
        both += [(first, last) for first in one for last in other]
    return both


def _end_words(place: str, *, of_compass: bool) -> Texts:
    if place in EDGES:
        name = f"{place}ern" if of_compass else EDGES[place]
        return tuple(f"the {name} {border}" for border in ("edge", "border", "margin", "side"))
    said = words.end_phrases(place)
    return said if place == "center" else tuple(each for each in said if bool(_COMPASS.search(each)) == of_compass)


def _axes_of(phrase: str) -> frozenset[str]:
    return words.read_orientation(phrase) or frozenset()


@lru_cache(maxsize=64)
def axes(axis: str) -> Texts:
    """Ways to tell an axis, without the unwieldy ones and those that want a preposition."""
    said = (each for each in words.orientation_phrases(axis) if each.count("-") <= 2 or " to " in each)
    return tuple(each for each in said if each in _PLAIN_AXES or (" " in each and not _UNWIELDY_AXIS.match(each)))


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
    """Attributes that a thing has, with articles, and states that it is in.

    Of several surfaces the first is taken, of several bridges the last, which says which kind.
    """
    having: dict[str, str] = {}
    states: dict[str, str] = {}
    for attribute in map(clean, attributes):
        first = attribute.split(" ", 1)[0]
        if first in _STATES:
            states["carried" if first == "carried" else attribute] = attribute
        else:
            last = english.head(attribute)
            having.setdefault(last, attribute if last in _MASSES else english.with_article(attribute))
    return tuple(having.values()), tuple(states.values())


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

"""What measures are called, and what words mean: the one table between facts and captions.

Every kind of measure has a function that gives phrases (most precise first) and one that reads a phrase back
to all that it may mean. A caption is made with the first and checked with the second. Numbers are in
`quantities`, places in the frame in `places`; names of shapes, courses, axes, directions, distances and
arrangements stand here.
"""

from itertools import chain

from annotation.measuring.frame import CELLS
from annotation.phrasing.phrases import Term, plain, read, say, terms
from annotation.phrasing.places import (
    cells_of,
    edge_phrases,
    position_holds,
    position_phrases,
    read_edges,
    read_position,
)
from annotation.phrasing.quantities import (
    area_interval,
    area_phrases,
    count_interval,
    count_phrases,
    length_interval,
    length_phrases,
    number_words,
    read_number,
    share_interval,
    share_phrases,
)

__all__ = [
    "ARRANGEMENTS", "COURSES", "DIRECTIONS", "DISTANCES", "ORIENTATIONS", "RELATIONS", "SHAPES",
    "SHAPE_NOUNS", "area_interval", "area_phrases", "arrangement_phrases", "cells_of", "count_interval",
    "count_phrases", "course_phrases", "direction_phrases", "distance_phrases", "edge_phrases",
    "end_phrases", "length_interval", "length_phrases", "number_words", "orientation_phrases",
    "position_holds", "position_phrases", "read_arrangement", "read_course", "read_direction",
    "read_distance", "read_edges", "read_end", "read_number", "read_orientation", "read_position",
    "read_relation", "read_shape", "relation_phrases", "shape_nouns", "shape_phrases", "share_interval",
    "share_phrases",
]  # fmt: skip

SHAPES = (
    *terms("square", ("square", "square-shaped")),
    *terms("rectangular", ("rectangular", "oblong"), also=("square", "elongated")),
    *terms("elongated", ("elongated", "long and narrow", "strip-like", "narrow")),
    *terms("circular", ("circular", "round", "rounded"), also=("oval",)),
    *terms("oval", ("oval", "oval-shaped"), also=("circular",)),
    *terms("triangular", ("triangular", "three-cornered", "wedge-shaped")),
    *terms("L-shaped", ("L-shaped", "angled", "shaped like an L")),
    *terms("ring", ("ring-shaped", "enclosing a hollow", "hollow in the middle")),
    *terms("irregular", ("irregular", "irregularly shaped", "of irregular outline"), also=("several parts",)),
    *terms("several parts", ("in several parts", "broken into parts", "in separate pieces", "fragmented")),
)
"""Adjectives of areas."""

SHAPE_NOUNS = (
    *terms("square", ("a square",)),
    *terms("rectangular", ("a rectangle", "an oblong"), also=("square", "elongated")),
    *terms("elongated", ("a strip", "a long band", "a narrow band")),
    *terms("circular", ("a circle", "a disc"), also=("oval",)),
    *terms("oval", ("an oval", "an ellipse"), also=("circular",)),
    *terms("triangular", ("a triangle", "a wedge")),
    *terms("L-shaped", ("an L", "an L shape")),
    *terms("ring", ("a ring", "a loop with a hollow")),
    *terms("irregular", ("an irregular patch", "an uneven outline"), also=("several parts",)),
    *terms("several parts", ("several parts", "separate pieces")),
)
"""Nouns for the same: an area forms, or has the form of, such a thing."""

_BENT = ("gently curved", "curved", "winding")
COURSES = (
    *terms("straight", ("straight", "in a straight line", "without a bend")),
    *terms(
        "gently curved",
        ("gently curved", "gently curving", "in a gentle curve", "slightly bent"),
    ),
    *terms("curved", ("curved", "curving", "in a curve", "bending", "with a bend"), also=_BENT),
    *terms("winding", ("winding", "in several bends", "twisting", "snaking", "meandering")),
    *terms(
        "closed",
        ("in a closed loop", "as a closed ring", "back to where it begins", "in a loop"),
    ),
)
"""How lines run."""

_AXES = ("N-S", "NNE-SSW", "NE-SW", "ENE-WSW", "E-W", "WNW-ESE", "NW-SE", "NNW-SSE")
_IN_FRAME = {
    "N-S": ("from top to bottom", "from bottom to top", "up and down the frame", "vertically"),
    "E-W": ("from left to right", "from right to left", "across the frame from side to side", "horizontally"),
    "NE-SW": ("from the lower left to the upper right", "from the upper right to the lower left"),
    "NW-SE": ("from the upper left to the lower right", "from the lower right to the upper left"),
}
_POINTS = {"N": "north", "E": "east", "S": "south", "W": "west"}


def _spelled(point: str) -> str:
    """A compass point in words: `NNE` is north-north-east."""
    return "-".join(_POINTS[letter] for letter in point)


def _axis_terms() -> tuple[Term, ...]:
    """Phrases for the eight axes; those of the four main ones are not wrong of an axis next to them."""
    table: list[Term] = []
    for index, axis in enumerate(_AXES):
        one, other = map(_spelled, axis.split("-"))
        own = frozenset((axis,))
        beside = own | {_AXES[index - 1], _AXES[(index + 1) % 8]}
        runs = (f"from {one} to {other}", f"from {other} to {one}", f"{one} to {other}", f"{other} to {one}")
        if index % 2:
            table += [Term(text, own, own) for text in runs]
            continue
        article = "an" if one.startswith("e") else "a"
        table += [
            Term(text, beside, own)
            for text in (
                *runs,
                f"{one}-{other}",
                f"{other}-{one}",
                f"in {article} {one}-{other} direction",
                *_IN_FRAME[axis],
            )
        ]
        table += [Term(f"{word} {runs[0]}", beside, beside) for word in ("roughly", "more or less")]
    slanting = frozenset(_AXES) - {"N-S", "E-W"}
    table += [Term(text, slanting, frozenset(("NE-SW", "NW-SE"))) for text in ("diagonally", "at a slant")]
    return tuple(table)


ORIENTATIONS = _axis_terms()
"""Along which axis something lies or runs."""

COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
_FRAME_SIDES = {"north": "above", "south": "below", "east": "to the right", "west": "to the left"}


def _direction_terms() -> tuple[Term, ...]:
    """Phrases for the eight directions; each is not wrong of those next to it."""
    table: list[Term] = []
    for index, name in enumerate(COMPASS):
        beside = (COMPASS[index - 1], COMPASS[(index + 1) % 8])
        table += terms(name, (f"to the {name}", f"{name} of", f"on the {name}ern side", name), also=beside)
        if name in _FRAME_SIDES:
            table += terms(name, (_FRAME_SIDES[name],), also=beside)
    return tuple(table)


DIRECTIONS = _direction_terms()
"""In which direction of one thing another lies."""

DISTANCES = (
    *terms("touching", ("touching", "right against", "directly on"), also=("next to",)),
    *terms("next to", ("next to", "right beside", "close by", "adjacent to"), also=("touching", "near")),
    *terms("near", ("near", "not far from", "a short way from", "close to"), also=("next to", "touching")),
    *terms(
        "some way from",
        ("some way from", "at some distance from", "a little way off from"),
        also=("near", "far from"),
    ),
    *terms("far from", ("far from", "a long way from", "well away from"), also=("some way from",)),
)
"""How far one thing lies from another, see `relations`."""

RELATIONS = (
    *terms("inside", ("inside", "within", "surrounded by", "enclosed by")),
    *terms("contains", ("containing", "surrounding", "enclosing", "around")),
    *terms("crosses", ("crossing", "cutting across", "running across", "running through", "passing through")),
    *terms("borders", ("bordering", "adjoining", "sharing an edge with", "next to"), also=("beside", "along")),
    *terms(
        "along",
        ("along", "running along", "running alongside", "following", "lining"),
        also=("beside", "borders"),
    ),
    *terms("beside", ("beside", "close to", "by", "near", "alongside"), also=("borders", "along")),
    *terms("between", ("between", "in between", "set between", "flanked by")),
)
"""How two (or, for `between`, three) things stand to each other."""

ARRANGEMENTS = (
    *terms("row", ("in a row", "in a line", "lined up", "one after another")),
    *terms(
        "cluster",
        ("in a cluster", "clustered together", "close together", "in a tight group"),
    ),
    *terms("scattered", ("scattered", "spread out", "here and there", "dotted about", "loosely spread")),
)
"""How things of one kind are spread."""

_SIDES = {"north": "top", "south": "bottom", "west": "left", "east": "right"}
_CORNERS = {
    cell: cell.replace("top", "upper").replace("bottom", "lower").replace("-", " ") for cell in CELLS if "-" in cell
}
ENDS = (
    *chain.from_iterable(
        terms(
            edge,
            (
                f"the {edge}ern edge",
                f"the {edge}",
                f"the {edge} edge",
                f"the {side} edge",
                f"the {side} of the frame",
            ),
        )
        for edge, side in _SIDES.items()
    ),
    *chain.from_iterable(terms(cell, (f"the {name}", f"the {name} part")) for cell, name in _CORNERS.items()),
    *terms("top", ("the upper part", "the upper middle")),
    *terms("bottom", ("the lower part", "the lower middle")),
    *terms("left", ("the left part", "the western part")),
    *terms("right", ("the right part", "the eastern part")),
    *terms("center", ("the centre", "the middle")),
)
"""Where lines enter and leave."""


def shape_phrases(shape: str) -> tuple[str, ...]:
    """Adjectives for a shape."""
    return say(SHAPES, shape)


def shape_nouns(shape: str) -> tuple[str, ...]:
    """Nouns, with article, for a shape."""
    return say(SHAPE_NOUNS, shape)


def read_shape(phrase: str) -> frozenset[str] | None:
    """Shapes for which an adjective or noun is true."""
    return read(SHAPES, phrase) or read(SHAPE_NOUNS, phrase)


def course_phrases(course: str) -> tuple[str, ...]:
    """Phrases for how a line runs."""
    return say(COURSES, course)


def read_course(phrase: str) -> frozenset[str] | None:
    """Courses for which a phrase is true."""
    return read(COURSES, phrase)


def orientation_phrases(axis: str) -> tuple[str, ...]:
    """Phrases for a compass axis."""
    return say(ORIENTATIONS, axis)


def read_orientation(phrase: str) -> frozenset[str] | None:
    """Axes for which a phrase is true."""
    return read(ORIENTATIONS, phrase)


def direction_phrases(direction: str) -> tuple[str, ...]:
    """Phrases for a compass direction."""
    return say(DIRECTIONS, direction)


def read_direction(phrase: str) -> frozenset[str] | None:
    """Directions for which a phrase is true."""
    return read(DIRECTIONS, phrase)


def distance_phrases(distance: str) -> tuple[str, ...]:
    """Phrases for a distance class."""
    return say(DISTANCES, distance)


def read_distance(phrase: str) -> frozenset[str] | None:
    """Distance classes for which a phrase is true."""
    return read(DISTANCES, phrase)


def relation_phrases(relation: str) -> tuple[str, ...]:
    """Participles and prepositions for a relation, from subject to object."""
    return say(RELATIONS, relation)


def read_relation(phrase: str) -> frozenset[str] | None:
    """Relations for which a phrase is true; a wording of several rows means any of them."""
    sought = plain(phrase)
    found = [term.true for term in RELATIONS if plain(term.text) == sought]
    return frozenset().union(*found) if found else None


def arrangement_phrases(arrangement: str) -> tuple[str, ...]:
    """Phrases for how things are spread."""
    return say(ARRANGEMENTS, arrangement)


def read_arrangement(phrase: str) -> frozenset[str] | None:
    """Arrangements for which a phrase is true."""
    return read(ARRANGEMENTS, phrase)


def end_phrases(place: str) -> tuple[str, ...]:
    """Phrases for where a line enters or leaves, to follow `from` and `to`."""
    return say(ENDS, place)


def read_end(phrase: str) -> frozenset[str] | None:
    """Edges or cells that a phrase for an end may mean."""
    return read(ENDS, phrase)

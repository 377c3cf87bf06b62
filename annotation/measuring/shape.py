"""Shape and orientation of areas, from their outlines on the ground."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from annotation.measuring.parts import DIGITS, Floats, Objects, cross, flatten, lengths, segments, total

SHAPES = (
    "several parts", "ring", "elongated", "square", "rectangular",
    "triangular", "circular", "oval", "L-shaped", "irregular",
)  # fmt: skip
"""In the order in which they are asked; the first that holds is told."""

AXES = ("E-W", "ENE-WSW", "NE-SW", "NNE-SSW", "N-S", "NNW-SSE", "NW-SE", "WNW-ESE")
"""Compass axes, counter-clockwise from east in steps of 22.5°."""

ONE_PART = 0.9
"""Below this share in its largest part, an element has several parts; above, that part is the shape."""

RING_HOLE = 0.25
"""A ring's hole takes at least a quarter of its outline: half the width. Smaller holes are passed over."""

ELONGATED = 3.0
"""Long side by short side of the minimum rotated rectangle from which an area is elongated."""

ORIENTED = 2.0
"""Aspect from which an area has a direction that a person would name."""

SQUARE = 1.2
"""Aspect up to which a rectangle passes as square, an ellipse as circle."""

RECTANGULARITY = 0.9
"""Area by minimum rotated rectangle (Rosin, 1999): 1 for rectangles, 0.785 for
ellipses, 0.5 for triangles. A tenth may be missing: porches, clipped corners."""

TRIANGULARITY = 0.06
"""How far from 0.5 a convex outline's rectangularity may be for a triangle; a trapezium whose top is an
eighth of its base comes to 0.56."""

CONVEX = 0.92
"""Area by convex hull from which an outline has no dent worth a word."""

ROUNDNESS = 0.93
"""Compactness 4πA/P² (Polsby and Popper, 1991) relative to that of the ellipse of the same aspect: 0.95 for a
regular octagon, 0.91 for a hexagon, 0.79 for a square."""

L_CONVEXITY = 0.04
"""A rectangle of which one corner rectangle is missing and a share r is left has convexity 2r / (1 + r); this
is how far an L may be from it, and `L_SHARES` the shares that show as an L."""
L_SHARES = (0.3, 0.88)

L_NOTCH = 0.9
"""One dent makes at least this share of all that an L lacks to its hull: T and Z have two."""

RIGHT_ANGLED = 0.8
"""Share of an L's outline within 10° of the sides of its rectangle: crescents have far less."""


_MANY = 64
_PAIRS = 2_000_000
_TIE = 1e-6


@dataclass(frozen=True, slots=True)
class Box:
    """Minimum rotated rectangles of outlines.

    Attributes:
        long: (k,) longer side, metres.
        short: (k,) shorter side, metres.
        axis: (k,) direction of the longer side, radians counter-clockwise from east.
    """

    long: Floats
    short: Floats
    axis: Floats

    @property
    def aspect(self) -> Floats:
        """Long by short side; infinite where there is no width."""
        with np.errstate(divide="ignore", invalid="ignore"):
            aspect: Floats = np.where(self.short > 0, np.round(self.long / self.short, DIGITS), np.inf)
        return aspect


def boxes(hulls: Objects) -> Box:
    """Minimum-area rotated rectangles of (k,) convex polygons on the ground.

    One side of the smallest rectangle lies on an edge of the hull (Freeman and Shapira, 1975). Several may be
    equally small (a triangle has one on each side): the longest is taken, and of equally long ones the mean
    axis, so that the result turns with the polygon and has no favourites.
    """
    many = shapely.get_num_coordinates(hulls) > _MANY
    hulls = np.where(many, shapely.simplify(hulls, 1e-3 * np.sqrt(shapely.area(hulls))), hulls)
    work = np.cumsum(shapely.get_num_coordinates(hulls) ** 2) // _PAIRS
    found = [_boxes(hulls[work == chunk]) for chunk in np.unique(work)]
    long, short, axis = (
        np.concatenate([np.zeros(0), *column]) for column in (zip(*found, strict=True) if found else ((),) * 3)
    )
    return Box(long, short, axis)


def _boxes(hulls: Objects) -> tuple[Floats, Floats, Floats]:
    """Long side, short side and axis of smallest rectangles, by trying every edge of every hull."""
    edges = segments(hulls)
    step = (edges.end - edges.start) / lengths(edges.end - edges.start)[:, None]
    first = np.flatnonzero(np.diff(edges.line, prepend=-1))
    corners = np.bincount(edges.line)[edges.line]
    begin = np.cumsum(corners) - corners
    edge = np.repeat(np.arange(len(corners)), corners)
    corner = edges.start[first[edges.line[edge]] + np.arange(len(edge)) - begin[edge]]
    along = (step[edge] * corner).sum(axis=1)
    across = cross(step[edge], corner)
    length, width = (np.maximum.reduceat(v, begin) - np.minimum.reduceat(v, begin) for v in (along, across))
    long, short = np.maximum(length, width), np.minimum(length, width)
    angle = np.arctan2(step[:, 1], step[:, 0]) + np.where(length >= width, 0, np.pi / 2)

    smallest = long * short <= np.minimum.reduceat(long * short, first)[edges.line] * (1 + _TIE)
    longest = np.maximum.reduceat(long * smallest, first)
    best = smallest & (long >= longest[edges.line] * (1 - _TIE))
    x, y = (np.add.reduceat(best * turn(2 * angle), first) for turn in (np.cos, np.sin))
    some = np.maximum.reduceat(np.where(best, angle, -np.inf), first)  # for squares, whose axes cancel out
    axis = np.where(np.hypot(x, y) > _TIE, np.arctan2(y, x) / 2, some)
    return longest, np.minimum.reduceat(np.where(best, short, np.inf), first), axis


def shapes(outlines: Objects, hulls: Objects, box: Box, hole: Floats) -> NDArray[np.str_]:
    """Name the shapes of single outlines.

    Args:
        outlines: (k,) polygons on the ground, metres, their holes filled.
        hulls: their convex hulls.
        box: their minimum rotated rectangles.
        hole: (k,) share of the largest hole in the area of the outline.

    Returns:
        (k,) names out of `SHAPES`; what clipping cuts off is no part of the shape.
    """
    area = shapely.area(outlines)
    rectangularity = _ratio(area, box.long * box.short)
    convexity = _ratio(area, shapely.area(hulls))
    compactness = _ratio(4 * np.pi * area, shapely.length(outlines) ** 2)
    aspect = box.aspect
    convex = convexity >= CONVEX
    rectangular = rectangularity >= RECTANGULARITY
    round_ = convex & (compactness >= ROUNDNESS * _ellipse_compactness(aspect))
    tests = {
        "ring": hole >= RING_HOLE,
        "elongated": aspect >= ELONGATED,
        "square": rectangular & (aspect <= SQUARE),
        "rectangular": rectangular,
        "triangular": convex & (np.abs(rectangularity - 0.5) <= TRIANGULARITY),
        "circular": round_ & (aspect <= SQUARE),
        "oval": round_,
    }
    names: NDArray[np.str_] = np.select(list(tests.values()), list(tests), "irregular").astype("U13")
    open_ = np.flatnonzero((names == "irregular") & _l_proportions(rectangularity, convexity))
    if len(open_):
        names[open_[_one_notch(outlines[open_], hulls[open_], box.axis[open_])]] = "L-shaped"
    return names


def axis_names(angles: Floats) -> NDArray[np.str_]:
    """Compass axes of angles in radians counter-clockwise from east; opposite directions share one."""
    return np.array(AXES)[np.round(angles / (np.pi / 8)).astype(np.intp) % 8]


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Rounded quotient; 0 where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = np.where(whole > 0, part / whole, 0)
    return ratio.round(DIGITS)


def _ellipse_compactness(aspect: Floats) -> Floats:
    """4πA/P² of ellipses, their perimeter after Ramanujan (1914)."""
    flat = 1 / np.maximum(aspect, 1)
    perimeter = np.pi * (3 * (1 + flat) - np.sqrt((3 + flat) * (1 + 3 * flat)))
    compactness: Floats = 4 * np.pi**2 * flat / perimeter**2
    return compactness


def _l_proportions(rectangularity: Floats, convexity: Floats) -> NDArray[np.bool_]:
    """Whether a corner rectangle could be what an outline lacks to its rectangle."""
    expected = 2 * rectangularity / (1 + rectangularity)
    low, high = L_SHARES
    return (np.abs(convexity - expected) <= L_CONVEXITY) & (rectangularity >= low) & (rectangularity <= high)


def _one_notch(outlines: Objects, hulls: Objects, axes: Floats) -> NDArray[np.bool_]:
    """Whether outlines are right-angled and have one dent only."""
    sides = segments(outlines)
    step = sides.end - sides.start
    angle = np.arctan2(step[:, 1], step[:, 0]) - axes[sides.line]
    off = np.abs((angle + np.pi / 4) % (np.pi / 2) - np.pi / 4)
    metres = np.hypot(step[:, 0], step[:, 1])
    straight = total(metres * (off <= np.radians(10)), sides.line, len(outlines))
    dents, owner = flatten(shapely.difference(hulls, outlines))
    size = shapely.area(dents)
    deepest = np.zeros(len(outlines))
    np.maximum.at(deepest, owner, size)
    one: NDArray[np.bool_] = deepest >= L_NOTCH * total(size, owner, len(outlines))
    return one & (straight >= RIGHT_ANGLED * shapely.length(outlines))

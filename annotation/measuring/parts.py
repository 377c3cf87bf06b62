"""Geometries taken apart: simple parts, their rings and segments, as flat arrays with owners.

Whatever clipping hands over (multi-parts, collections, bow-ties, nothing at all) becomes parts of one
dimension here, so that the measures need not care.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Objects = NDArray[np.object_]

DIGITS = 6
"""Decimals of ratios before they meet a threshold, so that a moved or mirrored element keeps its words."""

DIMENSIONS = {"point": 0, "line": 1, "area": 2}
LINEAR_RING, POLYGON, FIRST_COLLECTION = 2, 3, 4  # geometry type ids of shapely
NOT_LINEAR = (-1, 0, POLYGON, 4, 6)  # missing, points, polygons, and several of them


@dataclass(frozen=True, slots=True)
class Parts:
    """Simple geometries of many elements in one row.

    Attributes:
        simple: (p,) polygons, line strings or points, each valid and not empty.
        owner: (p,) ascending index of the element that each belongs to.
        dimension: (n,) per element: 2 areas, 1 lines, 0 points, -1 nothing there.
    """

    simple: Objects
    owner: Ints
    dimension: NDArray[np.int8]

    def of(self, dimension: int) -> tuple[Objects, Ints]:
        """Parts of the elements that have this dimension, with their owners."""
        here = self.dimension[self.owner] == dimension
        return self.simple[here], self.owner[here]


@dataclass(frozen=True, slots=True)
class Segments:
    """Straight pieces of lines or rings.

    Attributes:
        line: (m,) index of the line or ring.
        start: (m, 2) coordinates.
        end: (m, 2) coordinates.
    """

    line: Ints
    start: Floats
    end: Floats


def take_apart(geometries: Objects, kinds: NDArray[np.str_]) -> Parts:
    """Split geometries into simple parts of the dimension that their kind asks for.

    Invalid areas are mended (`shapely.make_valid`), lines are merged where exactly two ends meet, parts of a
    lower dimension (the touching point beside a real intersection) are dropped. An element that has nothing
    but such remains keeps the highest of them, so that it still has a place: its area or length is 0. A
    polygon that is told as a line counts with its boundary, and anything that is told as a point with its
    centroid. Missing geometries, empty ones and those with coordinates that are no numbers have no parts.

    Args:
        geometries: (n,) shapely geometries, also None.
        kinds: (n,) `area`, `line` or `point`.

    Returns:
        The parts, ordered by owner.
    """
    wanted = np.select([kinds == kind for kind in DIMENSIONS], list(DIMENSIONS.values()), -1)
    simple, owner = _finite_parts(geometries)
    simple, index = flatten(_cast(simple, wanted[owner]))
    simple, owner = _collapse(simple), owner[index]
    dimension = shapely.get_dimensions(simple)
    highest = np.full(len(geometries), -1, dtype=np.int8)
    np.maximum.at(highest, owner, dimension.astype(np.int8))
    keep = dimension == highest[owner]
    return _merge_lines(Parts(simple[keep], owner[keep], highest))


def flatten(geometries: Objects) -> tuple[Objects, Ints]:
    """Simple parts of (nested) collections, without empty ones, and the index of what they come from."""
    simple = np.asarray(geometries, dtype=object)
    owner = np.arange(len(simple), dtype=np.intp)
    while (shapely.get_type_id(simple) >= FIRST_COLLECTION).any():
        simple, index = shapely.get_parts(simple, return_index=True)
        owner = owner[index]
    there = ~(shapely.is_empty(simple) | shapely.is_missing(simple))
    return simple[there], owner[there]


def segments(lines: Objects) -> Segments:
    """Straight pieces of (l,) line strings or rings."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    inside = line[1:] == line[:-1]
    return Segments(line[1:][inside], points[:-1][inside], points[1:][inside])


def ends(lines: Objects) -> tuple[Floats, Floats]:
    """First and last coordinates, (l, 2) each, of (l,) line strings that are not empty."""
    points, line = shapely.get_coordinates(lines, return_index=True)
    first = np.flatnonzero(np.diff(line, prepend=-1))
    last = np.append(first[1:], len(points)) - 1
    return points[first], points[last[: len(first)]]


def total(values: Floats, owner: Ints, count: int) -> Floats:
    """Sum of the values of each of `count` owners."""
    return np.bincount(owner, weights=values, minlength=count).astype(np.float64)


def largest(values: Floats, owner: Ints) -> Ints:
    """Index of the largest value of each owner that has one, the first of equals; owners ascending."""
    order = np.lexsort((-values, owner))
    largest_of_each: Ints = order[np.flatnonzero(np.diff(owner[order], prepend=-1))]
    return largest_of_each


def to_ground(vectors: Floats, matrices: Floats) -> Floats:
    """Multiply (m, 2) vectors of the unit frame by their (m, 2, 2) matrices: metres."""
    return np.stack(
        [
            matrices[:, 0, 0] * vectors[:, 0] + matrices[:, 0, 1] * vectors[:, 1],
            matrices[:, 1, 0] * vectors[:, 0] + matrices[:, 1, 1] * vectors[:, 1],
        ],
        axis=1,
    )


def ground_copies(lines: Objects, matrices: Floats) -> Objects:
    """(l,) lines or rings of the unit frame, on the ground by their (l, 2, 2) matrices: metres."""
    points, index = shapely.get_coordinates(lines, return_index=True)
    return np.asarray(shapely.set_coordinates(lines.copy(), to_ground(points, matrices[index])), dtype=object)


def lengths(vectors: Floats) -> Floats:
    """Length of (m, 2) vectors."""
    return np.hypot(vectors[:, 0], vectors[:, 1])


def cross(first: Floats, second: Floats) -> Floats:
    """Cross products of (m, 2) vectors: twice the areas that they turn over."""
    product: Floats = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return product


def _finite_parts(geometries: Objects) -> tuple[Objects, Ints]:
    """Simple parts, and their owners, of the geometries whose coordinates are all numbers."""
    points, index = shapely.get_coordinates(geometries, return_index=True)
    finite = np.ones(len(geometries), dtype=np.bool_)
    finite[index[~np.isfinite(points).all(axis=1)]] = False
    here = np.flatnonzero(finite)
    simple, owner = flatten(_mend(geometries[here]))
    return simple, here[owner]


def _mend(geometries: Objects) -> Objects:
    """Make areas valid; other geometries have nothing to mend. Parts that overlap become one."""
    areal = np.flatnonzero(shapely.get_dimensions(geometries) == DIMENSIONS["area"])
    broken = areal[~shapely.is_valid(geometries[areal])]
    mended = geometries.copy()
    mended[broken] = shapely.make_valid(geometries[broken], method="structure", keep_collapsed=True)
    return mended


def _cast(simple: Objects, wanted: Ints) -> Objects:
    """Bring parts down to the wanted dimension: areas told as lines, anything told as points."""
    dimension = shapely.get_dimensions(simple)
    cast = simple.copy()
    outlined = (wanted == DIMENSIONS["line"]) & (dimension == DIMENSIONS["area"])
    cast[outlined] = shapely.boundary(simple[outlined])
    pointed = (wanted == DIMENSIONS["point"]) & (dimension > DIMENSIONS["point"])
    cast[pointed] = shapely.centroid(simple[pointed])
    return cast


def _collapse(simple: Objects) -> Objects:
    """Lines without length become points, rings become line strings."""
    points, index = shapely.get_coordinates(simple, return_index=True)
    first = points[np.diff(index, prepend=-1) > 0]
    linear = shapely.get_dimensions(simple) == DIMENSIONS["line"]
    flat = linear & (shapely.length(simple) == 0)
    rings = ~flat & (shapely.get_type_id(simple) == LINEAR_RING)
    collapsed = simple.copy()
    collapsed[flat] = shapely.points(first[flat])
    if rings.any():
        points, index = shapely.get_coordinates(simple[rings], return_index=True)
        collapsed[rings] = shapely.linestrings(points, indices=index)
    return collapsed


def _merge_lines(parts: Parts) -> Parts:
    """Join the lines of each element end to end."""
    count = np.bincount(parts.owner, minlength=len(parts.dimension))
    several = ((parts.dimension == DIMENSIONS["line"]) & (count > 1))[parts.owner]
    if not several.any():
        return parts
    owners, index = np.unique(parts.owner[several], return_inverse=True)
    merged, joined = flatten(shapely.line_merge(shapely.multilinestrings(parts.simple[several], indices=index)))
    simple = np.concatenate([parts.simple[~several], merged])
    owner = np.concatenate([parts.owner[~several], owners[joined]])
    order = np.argsort(owner, kind="stable")
    return Parts(simple[order], owner[order], parts.dimension)

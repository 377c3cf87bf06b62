"""From clipped geometries to numbers and names: the facts of an element in a patch.

Geometries come in the patch's unit frame ([0, 1]², origin in the lower left, x to the east, y to the north),
with a matrix per geometry that turns unit steps into metres (`frame.ground_matrices`). Shares, places and
edges are measured in the frame, everything else on the ground. `extents` is cheap and meant for every pair of
patch and element, `details` for the few that are told.

Remains have defined results. What only touches the patch, and what vanishes to less than `NOTHING` in it, has
extent 0 and `touches` set, and a position but no shape, course or edge. Geometries without coordinates (also
None) have extent 0, an empty position list and nothing else.
"""

from dataclasses import dataclass
from itertools import compress
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from annotation.measuring import course, frame, shape
from annotation.measuring.parts import (
    DIMENSIONS,
    NOT_LINEAR,
    Floats,
    Ints,
    Objects,
    Parts,
    cross,
    ends,
    flatten,
    ground_copies,
    largest,
    lengths,
    segments,
    take_apart,
    to_ground,
    total,
)

NOTHING = 1e-9
"""Share of the frame that counts as nothing: 0.7 cm² in a patch of 270 m."""

COUNTED_PART = 0.01
"""Parts below this share of the element are not counted as parts: crumbs at the frame."""

FRAMED = 0.4
"""From this share of its outline on the frame's edges, an area's shape is the frame's and not its own."""

ROW = 0.15
"""Width by length of a row: seven houses in line, each up to half a plot out of it."""

CLUSTER = 1 / 3
"""A cluster fits into a square of the size of a cell."""

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Extents:
    """How much of each element a patch shows.

    Attributes:
        share: (n,) area inside by area of the patch.
        area_m2: (n,) area inside, square metres on the ground.
        length_m: (n,) length of lines inside, metres on the ground; 0 for areas.
        sides: (n,) the same in sides of the patch (of a square of its size).
        dimension: (n,) 2 for areas, 1 lines, 0 points, -1 nothing.
        touches: (n,) neither area nor length.
    """

    share: Floats
    area_m2: Floats
    length_m: Floats
    sides: Floats
    dimension: NDArray[np.int8]
    touches: NDArray[np.bool_]


def extents(geometries: Objects, matrices: Floats) -> Extents:
    """Measure many clipped geometries, cheaply.

    Areas are taken as they come: validity costs more than all the rest, so mend elements once when they are
    read. (`details` mends again what clipping may have broken.)

    Args:
        geometries: (n,) in the unit frame; also None, empty or collections.
        matrices: (n, 2, 2) unit frame to ground, see `frame.ground_matrices`.

    Returns:
        The extents, in the order given.
    """
    count = len(geometries)
    size = np.abs(np.linalg.det(matrices))
    share = np.nan_to_num(shapely.area(geometries))
    lines, owner = _linear(geometries)
    pieces = segments(lines)
    element = owner[pieces.line]
    with np.errstate(invalid="ignore"):  # coordinates that are no numbers; their length becomes 0 below
        metres = total(lengths(to_ground(pieces.end - pieces.start, matrices[element])), element, count)
    metres[~np.isfinite(metres)] = 0
    sides = metres / np.sqrt(size)
    dimension = shapely.get_dimensions(geometries).astype(np.int8)
    dimension[shapely.is_empty(geometries)] = -1
    return Extents(share, share * size, metres, sides, dimension, (share <= NOTHING) & (sides <= frame.EPSILON))


def details(geometries: Objects, matrices: Floats, kinds: NDArray[np.str_]) -> list[Facts]:
    """All measured facts of elements, ready for JSON.

    Args:
        geometries: (n,) in the unit frame; also None, invalid, empty or collections.
        matrices: (n, 2, 2) unit frame to ground.
        kinds: (n,) `area`, `line` or `point`: what the element is told as (`parts.take_apart` on the rest).

    Returns:
        Per element a dict with the names of the contract, facts that do not apply left out:

        - `share` (areas; 4 decimals), `area_m2`, `length_m` (1 decimal).
        - `position`: cells out of `frame.CELLS` in reading order (see `frame.positions`), or `["whole"]` for
          an area of more than `frame.WHOLE` of the frame. Areas lie where their area is, lines their length,
          points their number.
        - `edges`: out of north, east, south, west. Areas: a piece of their boundary lies on the edge. Lines:
          an end of the merged line lies on it.
        - `parts`: number of parts of at least `COUNTED_PART` of the element, if more than one.
        - `shape`, `orientation` (areas): see `shape`, left out above `FRAMED`; `course`, `orientation`,
          `from`, `to` (lines): see `course`. `from` and `to` are those of the longest part, and left out for
          closed ones.
    """
    kinds = np.asarray(kinds)
    parts = take_apart(geometries, kinds)
    facts: list[Facts] = [{} for _ in kinds]
    for kind, names in (("area", ("share", "area_m2")), ("line", ("length_m",))):
        for name in names:
            _tell(facts, name, np.flatnonzero(kinds == kind), np.zeros(len(kinds)))
    contents = _areas(facts, parts, matrices) + _lines(facts, parts, matrices, kinds) + _points(parts)
    listed = frame.positions(contents).tolist()
    whole = (contents.sum(axis=1) > frame.WHOLE) & (parts.dimension == DIMENSIONS["area"])
    for fact, cells, everywhere in zip(facts, listed, whole.tolist(), strict=True):
        fact["position"] = ["whole"] if everywhere else list(compress(frame.CELLS, cells))
    return facts


def arrangement(points: Floats, side: float) -> Facts:
    """How things of one kind are spread.

    Args:
        points: (n, 2) one point for each thing, on the ground, metres.
        side: side of the patch, metres.

    Returns:
        `count`; from two on `spacing_m`, the median distance to the nearest other (1 decimal; things in one
        place are passed over); from three on `arrangement`: `row` if the band about their principal axis is
        at most `ROW` of its length, `cluster` if they lie within `CLUSTER` of the side in every direction,
        else `scattered`.
    """
    facts: Facts = {"count": len(points)}
    if len(points) > 1:
        sites = np.asarray(shapely.points(points), dtype=object)
        _, distances = shapely.STRtree(sites).query_nearest(
            sites, exclusive=True, all_matches=False, return_distance=True
        )
        facts["spacing_m"] = round(float(np.median(distances)), 1) if len(distances) else 0.0
    if len(points) > 2:
        centred = points - points.mean(axis=0)
        _, axes = np.linalg.eigh(centred.T @ centred)
        across, along = np.ptp(centred @ axes, axis=0)
        near = max(across, along) <= CLUSTER * side
        facts["arrangement"] = "row" if across < ROW * along else "cluster" if near else "scattered"
    return facts


def _areas(facts: list[Facts], parts: Parts, matrices: Floats) -> Floats:
    """Tell the facts of areas; returns the share of the frame that each takes in each cell."""
    count = len(facts)
    polygons, owner = parts.of(DIMENSIONS["area"])
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    outer = np.diff(polygon, prepend=-1) > 0
    pieces = segments(rings)
    turning = total(cross(pieces.start, pieces.end) / 2, pieces.line, len(rings))
    counts = np.where(outer, 1, -1)
    part = total(np.abs(turning) * counts, polygon, len(polygons))
    share = total(part, owner, count)
    element = owner[polygon[pieces.line]]
    here = np.flatnonzero(share > NOTHING)
    size = np.abs(np.linalg.det(matrices[here]))
    _tell(facts, "share", here, share[here], digits=4)
    _tell(facts, "area_m2", here, share[here] * size, digits=1)
    along = frame.edges_along(pieces)
    cut = np.stack([total(edge, element, count) for edge in along.T], axis=1)
    _tell_edges(facts, here, cut > frame.EPSILON)
    _tell_parts(facts, here, part, owner)

    main = largest(part, owner)
    main = main[share[owner[main]] > NOTHING]
    hole = np.zeros(len(polygons))
    np.maximum.at(hole, polygon[~outer], np.abs(turning[~outer]))
    outline = total(lengths(pieces.end - pieces.start), element, count)
    main = main[(cut.sum(axis=1) < FRAMED * outline)[owner[main]]]
    rim = shapely.polygons(ground_copies(rings[outer][main], matrices[owner[main]]))
    ground = np.asarray(rim, dtype=object)
    single = part[main] >= shape.ONE_PART * share[owner[main]]
    hulls = shapely.convex_hull(ground)
    box = shape.boxes(hulls)
    names = shape.shapes(ground, hulls, box, hole[main] / np.abs(turning[outer])[main])
    long = single & (box.aspect >= shape.ORIENTED)
    _tell(facts, "shape", owner[main], np.where(single, names, "several parts"))
    _tell(facts, "orientation", owner[main][long], shape.axis_names(box.axis[long]))
    return frame.area_contents(pieces, element, (np.sign(turning) * counts)[pieces.line], count)


def _lines(facts: list[Facts], parts: Parts, matrices: Floats, kinds: NDArray[np.str_]) -> Floats:
    """Tell the facts of lines; returns the metres of each in each cell, also of what is left of areas."""
    count = len(facts)
    lines, owner = parts.of(DIMENSIONS["line"])
    pieces = segments(lines)
    element = owner[pieces.line]
    contents = frame.line_contents(pieces, element, matrices)
    part = total(lengths(to_ground(pieces.end - pieces.start, matrices[element])), pieces.line, len(lines))
    length = total(part, owner, count)
    side = np.sqrt(np.abs(np.linalg.det(matrices)))
    real = (kinds == "line") & (length > frame.EPSILON * side)
    lines, part, owner = lines[real[owner]], part[real[owner]], owner[real[owner]]
    here = np.flatnonzero(real)
    starts, stops = ends(lines)
    chords = to_ground(stops - starts, matrices[owner])
    chord = lengths(chords)
    open_ = np.isfinite(course.sinuosities(part, chord))
    angles, directed = course.orientations(chords, part, owner, count)
    ground = ground_copies(lines, matrices[owner])
    directed &= real

    _tell(facts, "length_m", here, length[here], digits=1)
    _tell_edges(facts, here, course.line_edges(starts, stops, open_, owner, count))
    _tell_parts(facts, here, part, owner)
    _tell(facts, "course", here, course.courses(ground, part, chord, owner, count)[here])
    _tell(facts, "orientation", np.flatnonzero(directed), shape.axis_names(angles[directed]))
    main = largest(part, owner)
    main = main[open_[main]]
    for name, places in zip(("from", "to"), course.end_names(starts[main], stops[main]), strict=True):
        _tell(facts, name, owner[main], places)
    return contents


def _points(parts: Parts) -> Floats:
    """Number of points in each cell."""
    count = len(parts.dimension)
    points, owner = parts.of(DIMENSIONS["point"])
    cells = frame.cell_of(shapely.get_coordinates(points))
    return total(np.ones(len(owner)), owner * 9 + cells, count * 9).reshape(count, 9)


def _tell(facts: list[Facts], name: str, elements: Ints, values: NDArray[Any], digits: int | None = None) -> None:
    """Enter one fact of some elements, as values of plain Python."""
    rounded = values if digits is None else np.round(values, digits)
    for element, value in zip(elements.tolist(), rounded.tolist(), strict=False):
        facts[element][name] = value


def _tell_edges(facts: list[Facts], elements: Ints, cut: NDArray[np.bool_]) -> None:
    """Enter the edges that cut elements, out of (n, 4); an empty list where none does."""
    for element, edges in zip(elements.tolist(), cut[elements].tolist(), strict=True):
        facts[element]["edges"] = list(compress(frame.EDGES, edges))


def _tell_parts(facts: list[Facts], elements: Ints, part: Floats, owner: Ints) -> None:
    """Enter the number of parts that are more than crumbs, where there is more than one."""
    whole = total(part, owner, len(facts))
    number = np.bincount(owner[part >= COUNTED_PART * whole[owner]], minlength=len(facts))
    several = elements[number[elements] > 1]
    _tell(facts, "parts", several, number[several])


def _linear(geometries: Objects) -> tuple[Objects, Ints]:
    """Lines among the parts of geometries, and the geometry of each; areas are passed over cheaply."""
    candidates = np.flatnonzero(~np.isin(shapely.get_type_id(geometries), NOT_LINEAR))
    simple, owner = flatten(geometries[candidates])
    linear = shapely.get_dimensions(simple) == DIMENSIONS["line"]
    return simple[linear], candidates[owner[linear]]

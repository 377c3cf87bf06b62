"""How two or three elements of a patch stand to each other: relation, direction, distance.

Geometries come as in `measure`: clipped, in the unit frame, with their matrices. All is judged on the ground.
Only what lies in the patch counts, so a relation is true of what the picture shows.
"""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from annotation.measuring.ground import on_ground
from annotation.measuring.parts import DIMENSIONS, Floats, Objects, cross, ends, lengths

RELATIONS = ("crosses", "inside", "contains", "along", "borders", "beside")
"""In the order in which they are asked. `between` takes three, see `between`."""

DIRECTIONS = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")

DISTANCES = ("touching", "next to", "near", "some way from", "far from")

TOUCHING = 1.0
"""Metres that two elements may be mapped apart (or over each other) and still touch: a common mapping error."""

NEXT_TO, NEAR, AWAY = (0.05, 50.0), (0.15, 200.0), (0.4, 1000.0)
"""Upper bounds of `next to`, `near` and `some way from`: share of the patch's side, at most so many metres."""

MOSTLY = 0.9
"""Share of an element inside another from which it is inside."""

THROUGH = 0.1
"""A line that crosses an area runs in it for at least this share of the area's width (of a square of its size)."""

ALONGSIDE = 15.0
"""Metres from its middle line up to which a road still accompanies something: half a carriageway, verge, footway."""

HALF = 0.5
"""Share of a line that must be accompanied for `along`."""

SHARED = 0.1
"""Share of the shorter outline that two areas have in common for `borders`; a corner is not enough."""

PARALLEL = np.radians(30)
"""Largest angle between the end-to-end vectors of lines of which one runs along the other."""

OPPOSITE = np.radians(120)
"""Smallest angle at which two things stand on either side of what is between them."""

POINT, LINE, AREA = (DIMENSIONS[kind] for kind in ("point", "line", "area"))

_CROSSED = "crossed"
_TOGETHER = ("inside", "contains", "crosses", _CROSSED)

Relation = dict[str, Any]
Flags = NDArray[np.bool_]


def relate(
    subjects: Objects, objects: Objects, kinds: tuple[NDArray[np.str_], NDArray[np.str_]], matrices: Floats
) -> list[Relation | None]:
    """Relations of subjects to objects, pair by pair: `subject` is `relation` `object`.

    - `inside`, `contains`: at least `MOSTLY` of one lies in the other, which is the larger.
    - `crosses`: a line that enters and leaves an area, running in it for `THROUGH`; a line that meets a line
      and goes on beyond it. (Said of the line: the area that it crosses has no relation to it.)
    - `along`: a line of which `HALF` lies within `ALONGSIDE` of an area, or of a line that runs the same way.
    - `borders`: areas whose outlines run together (within `TOUCHING`) for `SHARED` of the shorter one; an
      area that a line runs along.
    - `beside`: none of these, but touching or next to each other.

    Args:
        subjects: (n,) geometries in the unit frame.
        objects: (n,) likewise.
        kinds: `area`, `line` or `point` of each subject and of each object.
        matrices: (n, 2, 2) unit frame to ground.

    Returns:
        Per pair None if one of both has no extent in the patch (see `measure.Extents.touches`; points have
        none to lose), else `distance_m` (between the nearest parts, 1 decimal), `distance` (of `DISTANCES`),
        and where there is one `relation` and `direction`: where the subject lies, seen from the object, from
        the nearest part of the larger to the middle of the smaller. What is inside, contains or crosses has
        no direction.
    """
    (subject, own), (object_, other) = on_ground((subjects, objects), kinds, matrices)
    there = np.flatnonzero((own >= 0) & (other >= 0))
    subject, object_ = subject[there], object_[there]
    side = np.sqrt(np.abs(np.linalg.det(matrices[there])))
    distance = shapely.distance(subject, object_)
    classes = distance_classes(distance, side)
    names = _names(subject, object_, own[there], other[there])
    names[(names == "") & (classes <= DISTANCES.index("next to"))] = "beside"
    directions = np.where(np.isin(names, _TOGETHER), -1, _directions(subject, object_))
    found: list[Relation | None] = [None] * len(subjects)
    for i, pair in enumerate(there.tolist()):
        told: Relation = {"distance_m": round(float(distance[i]), 1), "distance": DISTANCES[classes[i]]}
        if names[i] not in ("", _CROSSED):
            told["relation"] = str(names[i])
        if directions[i] >= 0:
            told["direction"] = DIRECTIONS[directions[i]]
        found[pair] = told
    return found


def between(
    subjects: Objects,
    first: Objects,
    second: Objects,
    kinds: tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.str_]],
    matrices: Floats,
) -> Flags:
    """Whether subjects lie between two others.

    Seen from the middle of the subject, the nearest parts of the two stand at least `OPPOSITE` apart; both
    are near or nearer (`NEAR`), and neither holds, nor lies in, the subject.

    Args:
        subjects: (n,) geometries in the unit frame.
        first: (n,) geometries on one side.
        second: (n,) geometries on the other.
        kinds: `area`, `line` or `point` of each of the three.
        matrices: (n, 2, 2) unit frame to ground.

    Returns:
        (n,) true where it is so; false where one of the three has no extent in the patch.
    """
    middle, *sides = on_ground((subjects, first, second), kinds, matrices)
    there = np.flatnonzero((middle[1] >= 0) & (sides[0][1] >= 0) & (sides[1][1] >= 0))
    found = np.zeros(len(subjects), dtype=np.bool_)
    subject = middle[0][there]
    centre = shapely.centroid(subject)
    limit = NEAR[0] * np.sqrt(np.abs(np.linalg.det(matrices[there])))
    close = np.ones(len(there), dtype=np.bool_)
    views = []
    for geometry, _ in sides:
        aside = geometry[there]
        views.append(_vectors(centre, aside))
        close &= shapely.distance(subject, aside) <= np.minimum(limit, NEAR[1])
        close &= ~shapely.intersects(centre, aside) & ~shapely.contains(subject, shapely.centroid(aside))
    angle = np.abs(np.arctan2(cross(*views), (views[0] * views[1]).sum(axis=1)))
    found[there] = close & (angle >= OPPOSITE)
    return found


def distance_classes(metres: Floats, side: Floats) -> NDArray[np.intp]:
    """Index into `DISTANCES` of distances in patches of a side, both in metres."""
    bounds = [np.full_like(side, TOUCHING), *(np.minimum(share * side, most) for share, most in (NEXT_TO, NEAR, AWAY))]
    classes: NDArray[np.intp] = (metres > np.stack(bounds)).sum(axis=0)
    return classes


def _names(subject: Objects, object_: Objects, own: NDArray[np.int8], other: NDArray[np.int8]) -> NDArray[np.str_]:
    """The relation that holds, `beside` excepted; empty where none does."""
    met = shapely.intersection(subject, object_)
    areas, lines = (own == AREA) & (other == AREA), (own == LINE) & (other == LINE)
    line_area, area_line = (own == LINE) & (other == AREA), (own == AREA) & (other == LINE)
    inside, contains = _covered(met, subject, own) & (other == AREA), _covered(met, object_, other) & (own == AREA)
    smaller = shapely.area(subject) <= shapely.area(object_)
    tests = {
        "crosses": _crosses(subject, object_, met, line_area, inside) | (lines & _goes_on(subject, object_, met)),
        _CROSSED: _crosses(object_, subject, met, area_line, contains),
        "inside": inside & (~areas | smaller),
        "contains": contains & (~areas | ~smaller),
        "along": _along(subject, object_, line_area | _parallel(subject, object_, lines)),
        "borders": _border(subject, object_, areas) | _along(object_, subject, area_line),
    }
    names: NDArray[np.str_] = np.select(list(tests.values()), list(tests), "").astype("U8")
    return names


def _crosses(lines: Objects, areas: Objects, met: Objects, asked: Flags, inside: Flags) -> Flags:
    """Whether lines run through areas: out on one side at least, or from outline to outline within the patch."""
    deep = shapely.length(met) >= THROUGH * np.sqrt(shapely.area(areas))
    return asked & deep & (~inside | _passes(lines, areas, asked & inside))


def _goes_on(first: Objects, second: Objects, met: Objects) -> Flags:
    """Whether lines meet in points, and both go on beyond them: no end lies there."""
    tips = np.stack([shapely.distance(met, shapely.boundary(lines)) for lines in (first, second)])
    beyond = np.where(np.isnan(tips), np.inf, tips) > TOUCHING  # a closed line has no ends
    on: Flags = ~shapely.is_empty(met) & (shapely.get_dimensions(met) == POINT) & beyond.all(axis=0)
    return on


def _covered(met: Objects, whole: Objects, dimension: NDArray[np.int8]) -> Flags:
    """Whether an intersection is most of one of both."""
    met_size = np.select([dimension == AREA, dimension == LINE], [shapely.area(met), shapely.length(met)], 0)
    size = np.select([dimension == AREA, dimension == LINE], [shapely.area(whole), shapely.length(whole)], 1)
    dot = (dimension == POINT) & ~shapely.is_empty(met)
    covered: Flags = dot | ((dimension != POINT) & (met_size >= MOSTLY * size))
    return covered


def _passes(lines: Objects, areas: Objects, asked: Flags) -> Flags:
    """Whether single lines inside of areas begin and end at their outline: they come in and go out."""
    asked = asked & (shapely.get_num_geometries(lines) == 1)
    passes = np.zeros(len(lines), dtype=np.bool_)
    if asked.any():
        outline = shapely.boundary(areas[asked])
        tips = [shapely.points(tip) for tip in ends(shapely.get_geometry(lines[asked], 0))]
        passes[asked] = np.all([shapely.distance(np.asarray(tip), outline) <= TOUCHING for tip in tips], axis=0)
        apart = shapely.distance(np.asarray(tips[0]), np.asarray(tips[1])) > TOUCHING
        passes[asked] &= apart
    return passes


def _along(lines: Objects, others: Objects, asked: Flags) -> Flags:
    """Whether half of a line lies within `ALONGSIDE` of the other, but not in it."""
    along = np.zeros(len(lines), dtype=np.bool_)
    near = asked & shapely.dwithin(lines, others, ALONGSIDE)
    if near.any():
        line, other = lines[near], others[near]
        accompanied = shapely.length(shapely.intersection(line, shapely.buffer(other, ALONGSIDE, quad_segs=16)))
        within = np.where(shapely.get_dimensions(other) == AREA, shapely.length(shapely.intersection(line, other)), 0)
        along[near] = accompanied - within >= HALF * shapely.length(line)
    return along


def _border(first: Objects, second: Objects, asked: Flags) -> Flags:
    """Whether the outlines of areas run together."""
    border = np.zeros(len(first), dtype=np.bool_)
    near = asked & shapely.dwithin(first, second, TOUCHING)
    if near.any():
        a, b = shapely.boundary(first[near]), shapely.boundary(second[near])
        a_shorter = shapely.length(a) <= shapely.length(b)
        short, long = np.where(a_shorter, a, b), np.where(a_shorter, b, a)
        common = shapely.length(shapely.intersection(short, shapely.buffer(long, TOUCHING, quad_segs=16)))
        border[near] = common >= SHARED * shapely.length(short)
    return border


def _parallel(first: Objects, second: Objects, asked: Flags) -> Flags:
    """Whether the end-to-end vectors of the longest parts of lines point the same way, or the opposite."""
    parallel = np.zeros(len(first), dtype=np.bool_)
    if asked.any():
        chords = [np.subtract(*ends(shapely.get_geometry(lines[asked], 0))) for lines in (first, second)]
        angle = np.arctan2(np.abs(cross(*chords)), np.abs((chords[0] * chords[1]).sum(axis=1)))
        parallel[asked] = angle <= PARALLEL
    return parallel


def _directions(subject: Objects, object_: Objects) -> NDArray[np.intp]:
    """Index into `DIRECTIONS` of subjects seen from objects, -1 where they are too near for one."""
    small = _diagonal(subject) <= _diagonal(object_)
    middle = shapely.centroid(np.where(small, subject, object_))
    vector = _vectors(middle, np.where(small, object_, subject)) * np.where(small, -1, 1)[:, None]
    index = np.round(np.arctan2(vector[:, 1], vector[:, 0]) / (np.pi / 4)).astype(np.intp) % 8
    directions: NDArray[np.intp] = np.where(lengths(vector) > TOUCHING, index, -1)
    return directions


def _vectors(points: Objects, geometries: Objects) -> Floats:
    """Vectors from points to the nearest parts of geometries."""
    paths = shapely.get_coordinates(shapely.shortest_line(points, geometries)).reshape(-1, 2, 2)
    return paths[:, 1] - paths[:, 0]


def _diagonal(geometries: Objects) -> Floats:
    """Diagonals of bounding boxes."""
    bounds = shapely.bounds(geometries)
    return lengths(bounds[:, 2:] - bounds[:, :2])

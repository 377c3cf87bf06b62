"""A patch as a frame: its true size on the ground, its nine cells and its four edges."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from annotation.errors import AnnotationError
from annotation.measuring.parts import Floats, Ints, Segments, lengths, to_ground, total

CELLS = (
    "top-left", "top", "top-right",
    "left", "center", "right",
    "bottom-left", "bottom", "bottom-right",
)  # fmt: skip
EDGES = ("north", "east", "south", "west")

EPSILON = 1e-6
"""Tolerance in the unit frame: a third of a millimetre in a patch of 270 m; clipping is exact to 1e-11."""

MOST = 0.6
"""The listed cells hold at least this share of the element: most of it."""

WHOLE = 0.9
"""An area that takes more than this share of the frame is everywhere, not in a cell."""

_CUTS = np.array([1 / 3, 2 / 3])
_ON_CUT = 1e-9


def ground_matrices(crs: Any, boxes: Floats) -> Floats:
    """Matrices from the unit frames of patches to metres on the ground.

    A patch's mid-lines (west to east, south to north) are measured as geodesics on the ellipsoid of the CRS,
    so that the result holds in any projection and unit. Turned so that the frame's up is (0, height): the
    picture's top is north, whatever the convergence of the meridians.

    The matrix is exact in the middle of a patch. Away from it, lengths follow the change of the projection's
    scale: less than 0.1 % over 5 km in Web Mercator at 60° latitude, and far less in UTM or state plane
    systems.

    Args:
        crs: the patches' coordinate system: EPSG code, WKT or CRS, projected (any unit) or geographic.
        boxes: (n, 4) left, bottom, right, top in units of the CRS.

    Returns:
        (n, 2, 2) matrices: the columns are the ground vectors, in metres, of the unit steps right and up.

    Raises:
        AnnotationError: a patch lies where the CRS has no place on earth, or has no size.
    """
    system = CRS.from_user_input(crs)
    geographic = system.geodetic_crs
    geod = system.get_geod()
    if geographic is None or geod is None:
        raise AnnotationError(f"{system.name} is no system on earth: patches need a geographic or projected CRS")
    boxes = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    left, bottom, right, top = boxes.T
    across, along = (left + right) / 2, (bottom + top) / 2
    x = np.stack([left, right, across, across])
    y = np.stack([along, along, bottom, top])
    to_degrees = Transformer.from_crs(system, geographic, always_xy=True)
    west_east_south_north = np.stack(to_degrees.transform(x, y))
    if not np.isfinite(west_east_south_north).all():
        bad = np.flatnonzero(~np.isfinite(west_east_south_north).all(axis=(0, 1)))[0]
        raise AnnotationError(f"patch {bad} with bounds {boxes[bad].tolist()} lies outside of {system.name}")
    (west, east, south, north), (lat_w, lat_e, lat_s, lat_n) = west_east_south_north
    width, right_bearing = _vector(geod.inv(west, lat_w, east, lat_e))
    height, up_bearing = _vector(geod.inv(south, lat_s, north, lat_n))
    if not ((width > 0) & (height > 0)).all():
        bad = np.flatnonzero((width <= 0) | (height <= 0))[0]
        raise AnnotationError(f"patch {bad} with bounds {boxes[bad].tolist()} has no size on the ground")
    turn = right_bearing - up_bearing
    matrices = np.zeros((len(boxes), 2, 2))
    matrices[:, 0, 0] = width * np.sin(turn)
    matrices[:, 1, 0] = width * np.cos(turn)
    matrices[:, 1, 1] = height
    return matrices


def _vector(inverse: tuple[Any, Any, Any]) -> tuple[Floats, Floats]:
    """Length and bearing (radians) in the middle of geodesics, from the result of `Geod.inv`."""
    ahead, back, distance = (np.asarray(part, dtype=np.float64) for part in inverse)
    change = (back + 180 - ahead + 180) % 360 - 180
    return distance, np.radians(ahead + change / 2)


def cell_of(points: Floats) -> Ints:
    """Index into `CELLS` of (m, 2) points of the unit frame; the lines of the grid belong to its middle."""
    place: Ints = (points > _CUTS[1] + _ON_CUT).astype(np.intp) + (points >= _CUTS[0] - _ON_CUT)
    cell: Ints = (2 - place[:, 1]) * 3 + place[:, 0]
    return cell


def line_contents(parts: Segments, owner: Ints, matrices: Floats) -> Floats:
    """Metres of each element in each cell.

    Args:
        parts: segments of all lines, in the unit frame.
        owner: (m,) element of each segment.
        matrices: (n, 2, 2) unit frame to ground, per element.

    Returns:
        (n, 9) lengths.
    """
    start, end, index = _cut(parts.start, parts.end)
    element = owner[index]
    metres = lengths(to_ground(end - start, matrices[element]))
    count = len(matrices)
    return total(metres, element * 9 + cell_of((start + end) / 2), count * 9).reshape(count, 9)


def area_contents(rings: Segments, owner: Ints, sign: Floats, count: int) -> Floats:
    """Share of the frame that each element takes in each cell.

    By Green's theorem the area below y = Y in a column is the sum of -dx · min(y, Y) along the boundary,
    exact as every piece lies in one cell; rows are differences of two such sums. No polygon is clipped.

    Args:
        rings: segments of all rings, in the unit frame.
        owner: (m,) element of each segment.
        sign: (m,) 1 where the ring's own direction makes its area count as it should, else -1.
        count: number of elements n.

    Returns:
        (n, 9) areas; they add up to the element's share.
    """
    start, end, index = _cut(rings.start, rings.end)
    middle = (start + end) / 2
    step = -(end - start)[:, 0] * sign[index]
    key = owner[index] * 3 + cell_of(middle) % 3
    low, high, full = (
        total(step * np.minimum(middle[:, 1], level), key, count * 3).reshape(count, 3) for level in (*_CUTS, np.inf)
    )
    rows: Floats = np.concatenate([full - high, high - low, low], axis=1)
    return np.maximum(rows, 0)


def _cut(start: Floats, end: Floats) -> tuple[Floats, Floats, Ints]:
    """Cut segments where they cross the grid; the pieces and the index of the segment of each."""
    index = np.arange(len(start), dtype=np.intp)
    crossing = cell_of(start) != cell_of(end)
    if not crossing.any():
        return start, end, index
    begin, step = start[crossing, None, :], (end - start)[crossing, None, :]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        stops = ((_CUTS[None, :, None] - begin) / step).reshape(-1, 4)
    stops = np.clip(np.where(np.isfinite(stops), stops, 0), 0, 1)
    stops = np.sort(np.pad(stops, ((0, 0), (1, 1)), constant_values=(0, 1)), axis=1)
    points = begin + stops[:, :, None] * step
    return (
        np.concatenate([start[~crossing], points[:, :-1].reshape(-1, 2)]),
        np.concatenate([end[~crossing], points[:, 1:].reshape(-1, 2)]),
        np.concatenate([index[~crossing], np.repeat(index[crossing], 5)]),
    )


def positions(contents: Floats) -> NDArray[np.bool_]:
    """Cells where most of each element lies.

    A cell is listed if it holds at least half as much as the fullest cell, or if it belongs to the fullest
    cells that together hold `MOST` of the element; cells that hold the same are listed together, so that a
    mirrored element has mirrored cells.

    Args:
        contents: (n, 9) length, area or number per cell.

    Returns:
        (n, 9) true where the cell is listed; nothing where an element has no content.
    """
    falling = -np.sort(-contents, axis=1)
    held = np.cumsum(falling, axis=1)
    enough = np.argmax(held >= MOST * held[:, -1:] * (1 - _ON_CUT), axis=1)
    needed = np.take_along_axis(falling, enough[:, None], axis=1)
    level = np.minimum(needed, falling[:, :1] / 2) * (1 - EPSILON)
    listed: NDArray[np.bool_] = (contents >= level) & (contents > 0)
    return listed


def edges_at(points: Floats) -> NDArray[np.bool_]:
    """(m, 4) which of `EDGES` each of (m, 2) points of the unit frame lies on."""
    x, y = points.T
    return np.stack([y >= 1 - EPSILON, x >= 1 - EPSILON, y <= EPSILON, x <= EPSILON], axis=1)


def edges_along(rings: Segments) -> Floats:
    """(m, 4) length of each segment along each of `EDGES`, 0 where it does not lie on it."""
    on = edges_at(rings.start) & edges_at(rings.end)
    return on * lengths(rings.end - rings.start)[:, None]

"""Outlines as SVG paths."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

SIDE = 1000
"""Units along a side of a picture's box."""
DOT = 6
"""Half the diagonal of the diamond that marks a point."""


def svg_path(geometry: Any, tolerance: float = 0.0015) -> str:
    """An outline in the unit frame as an SVG path in a box of 1000 x 1000, y down.

    Args:
        geometry: in the unit frame, y up.
        tolerance: how far the drawn line may stray, in sides.
    """
    simple = shapely.simplify(geometry, tolerance)
    return path_of(simple, np.array([SIDE, -SIDE]), np.array([0, SIDE]))


def path_of(geometry: Any, scale: NDArray[Any], shift: NDArray[Any]) -> str:
    """Any geometry as an SVG path in whole units, after `x * scale + shift`."""
    pieces = []
    for part in shapely.get_parts(shapely.get_parts(np.atleast_1d(geometry))):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            points = np.rint(shapely.get_coordinates(ring) * scale + shift).astype(np.int64)
            if part.geom_type == "Point":
                points = points + np.array([[-DOT, 0], [0, -DOT], [DOT, 0], [0, DOT], [-DOT, 0]])
            pieces.append(_relative(points))
    return "".join(pieces)


def _relative(points: NDArray[np.int64]) -> str:
    """A line from step to step, which is shorter to write; steps of nothing are left out."""
    if not len(points):
        return ""
    steps = np.diff(points, axis=0)
    steps = steps[steps.any(axis=1)]
    start = f"M{points[0, 0]} {points[0, 1]}"
    return f"{start}l{' '.join(f'{x} {y}' for x, y in steps.tolist())}" if len(steps) else start

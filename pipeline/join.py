"""Elements of a patch: one spatial query per unit, clipped on the scene's grid."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which element lies in which patch, as arrays of equal length; sorted by patch, then element.

    Attributes:
        patch: index of the patch.
        element: index of the element.
        clipped: the part of the element inside the patch, in the CRS of both.
    """

    patch: NDArray[np.int64]
    element: NDArray[np.int64]
    clipped: NDArray[np.object_]


def to_crs(geometries: NDArray[np.object_], crs: str) -> NDArray[np.object_]:
    """Geometries from degrees (EPSG:4326) to a CRS; the originals stay as they are."""
    transformer = _from_degrees(crs)

    def project(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(coordinates[:, 0], coordinates[:, 1]))

    return np.asarray(shapely.transform(geometries, project), dtype=object)


@lru_cache(maxsize=64)
def _from_degrees(crs: str) -> Transformer:
    return Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def join(boxes: NDArray[np.float64], geometries: NDArray[np.object_]) -> Pairs:
    """Clips every element to every patch that it meets; what runs along a frame's very edge is in neither patch.

    Args:
        boxes: (n, 4) left, bottom, right, top of the patches.
        geometries: elements in the same CRS.
    """
    frames = np.asarray(shapely.box(*boxes.T), dtype=object)
    patch, element = shapely.STRtree(geometries).query(frames)
    patch, element, crossing = _meeting(frames, geometries, patch, element)
    clipped = geometries[element]
    for index in np.unique(patch[crossing]):
        first, last = np.searchsorted(patch, [index, index + 1])
        here = first + np.flatnonzero(crossing[first:last])
        clipped[here] = shapely.clip_by_rect(clipped[here], *boxes[index])
    inside = ~shapely.is_empty(clipped)
    return Pairs(patch[inside], element[inside], clipped[inside])


def _meeting(
    frames: NDArray[np.object_], geometries: NDArray[np.object_], patch: NDArray[np.int64], element: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Of pairs whose boxes meet, those that truly do, sorted; and which of them cross the frame."""
    box, frame = shapely.bounds(geometries)[element], shapely.bounds(frames)[patch]
    beyond = np.hstack([box[:, :2] < frame[:, :2], box[:, 2:] > frame[:, 2:]])
    crossing: NDArray[np.bool_] = np.asarray(beyond.any(axis=1))
    shapely.prepare(geometries[np.unique(element[crossing])])
    meets = ~crossing
    meets[crossing] = shapely.intersects(geometries[element[crossing]], frames[patch[crossing]])
    order = np.flatnonzero(meets)[np.lexsort((element[meets], patch[meets]))]
    return patch[order], element[order], crossing[order]


def to_unit_frame(geometries: NDArray[np.object_], boxes: NDArray[np.float64]) -> NDArray[np.object_]:
    """Geometries in the frames of their patches: [0, 1] x [0, 1], y up.

    Args:
        geometries: (n,) geometries.
        boxes: (n, 4) left, bottom, right, top of the patch of each, in the same CRS.
    """
    coordinates, owner = shapely.get_coordinates(geometries, return_index=True)
    origin, side = boxes[owner, :2], boxes[owner, 2:] - boxes[owner, :2]
    return np.asarray(shapely.set_coordinates(geometries.copy(), (coordinates - origin) / side), dtype=object)

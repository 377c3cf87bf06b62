"""Rectangles of tiles, and the tiles of an area."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from download.imagery.tiles.scheme import HALF, Tile, lon_lat, place
from download.scene import Bounds

NEXT_TO: Final = 1e-6
"""In tiles: what reaches no farther over a tile's edge does so by rounding."""


@dataclass(frozen=True, slots=True, order=True)
class Extent:
    """A rectangle of tiles.

    Attributes:
        z: zoom.
        x0: first column.
        y0: first row.
        x1: column after the last.
        y1: row after the last.
    """

    z: int
    x0: int
    y0: int
    x1: int
    y1: int

    @classmethod
    def under(cls, tile: Tile, zoom: int) -> "Extent":
        """What lies in a tile at a deeper zoom."""
        down = zoom - tile.z
        return cls(zoom, tile.x << down, tile.y << down, tile.x + 1 << down, tile.y + 1 << down)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    @property
    def box(self) -> Bounds:
        """Left, bottom, right and top in metres of EPSG:3857."""
        side = 2 * HALF / (1 << self.z)
        return self.x0 * side - HALF, HALF - self.y1 * side, self.x1 * side - HALF, HALF - self.y0 * side

    @property
    def bounds(self) -> Bounds:
        """West, south, east and north in degrees."""
        west, north = lon_lat(self.x0, self.y0, self.z)
        east, south = lon_lat(self.x1, self.y1, self.z)
        return west, south, east, north

    def __iter__(self) -> Iterator[Tile]:
        return (Tile(self.z, x, y) for y in range(self.y0, self.y1) for x in range(self.x0, self.x1))

    def joined(self, other: "Extent") -> "Extent":
        """The smallest rectangle around two of one zoom."""
        return Extent(
            self.z,
            min(self.x0, other.x0),
            min(self.y0, other.y0),
            max(self.x1, other.x1),
            max(self.y1, other.y1),
        )

    def clipped(self, area: BaseGeometry) -> "Extent | None":
        """The smallest rectangle of its tiles around what an area in degrees shares with it; None for nothing."""
        shared = shapely.clip_by_rect(area, *self.bounds)
        if shared.is_empty:
            return None
        west, south, east, north = shared.bounds
        (left, top), (right, bottom) = place(west, north, self.z), place(east, south, self.z)
        clipped = Extent(
            self.z,
            max(self.x0, math.floor(left + NEXT_TO)),
            max(self.y0, math.floor(top + NEXT_TO)),
            min(self.x1, math.ceil(right - NEXT_TO)),
            min(self.y1, math.ceil(bottom - NEXT_TO)),
        )
        return clipped if min(clipped.shape) > 0 else None


def extents_of(tiles: Iterable[Tile], zoom: int, up: int) -> list[Extent]:
    """Rectangles around the tiles of a zoom, one for each tile `up` zooms farther out that has some."""
    found: dict[Tile, Extent] = {}
    for tile in tiles:
        parent, one = tile.parent(up), Extent(zoom, tile.x, tile.y, tile.x + 1, tile.y + 1)
        found[parent] = one.joined(found.get(parent, one))
    return sorted(found.values())


def tiles_in(area: BaseGeometry, zoom: int) -> list[Tile]:
    """The tiles that share more than an edge with an area.

    Args:
        area: in degrees, from -180 to 180; of what lies beyond 85.05° north or south there are no tiles.
        zoom: of the tiles.

    Returns:
        Row by row.
    """
    shapely.prepare(area)
    x, y = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for z in range(zoom + 1):
        if z:
            x = (2 * x[:, None] + np.array([0, 1, 0, 1])).ravel()
            y = (2 * y[:, None] + np.array([0, 0, 1, 1])).ravel()
        met = _met(area, x, y, z, NEXT_TO / (1 << zoom - z))
        x, y = x[met], y[met]
    order = np.lexsort((x, y))
    return [Tile(zoom, col, row) for col, row in zip(x[order].tolist(), y[order].tolist(), strict=True)]


def _met(area: BaseGeometry, x: Any, y: Any, z: int, edge: float) -> Any:
    west, north = lon_lat(x + edge, y + edge, z)
    east, south = lon_lat(x + 1 - edge, y + 1 - edge, z)
    return shapely.intersects(area, shapely.box(west, south, east, north))

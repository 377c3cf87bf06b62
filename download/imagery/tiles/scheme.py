"""Arithmetic of map tiles in Web Mercator (EPSG:3857): places, corners, sizes on the ground, names.

Tiles are counted as OGC's `WebMercatorQuad` (Two Dimensional Tile Matrix Set, 17-083r4, annex D.1) and all web maps do:
column x from 180° west, row y from the north; TMS counts rows from the south. Quadkeys are those of Microsoft's
Bing Maps Tile System.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from download.scene import GEOD, Bounds

HALF: Final = math.pi * 6_378_137.0
"""Metres in EPSG:3857 from the middle of the map to its edges."""

CRS: Final = "EPSG:3857"
DEEPEST: Final = 30
Point = tuple[float, float]
"""Longitude and latitude in degrees."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile.

    Attributes:
        z: zoom, 0 to 30.
        x: column, from the west.
        y: row, from the north.

    Raises:
        TypeError: these are no integers.
        ValueError: there is no such tile.
    """

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not all(isinstance(number, int) for number in (self.z, self.x, self.y)):
            raise TypeError(f"a tile has whole numbers, not {self.z!r}, {self.x!r}, {self.y!r}")
        if not 0 <= self.z <= DEEPEST or not 0 <= self.x < 1 << self.z or not 0 <= self.y < 1 << self.z:
            raise ValueError(f"there is no tile {self.x}, {self.y} at zoom {self.z}")

    @classmethod
    def at(cls, lon: float, lat: float, z: int) -> "Tile":
        """The tile that holds a place; beyond 85.05° north and south the outermost."""
        last = (1 << z) - 1
        col, row = place(lon, lat, z)
        return cls(z, min(max(math.floor(col), 0), last), min(max(math.floor(row), 0), last))

    @classmethod
    def parse(cls, name: str) -> "Tile":
        """From `z_x_y`, as Git-10M's `Google_location` has it."""
        z, x, y = map(int, name.split("_"))
        return cls(z, x, y)

    @classmethod
    def of_quadkey(cls, key: str) -> "Tile":
        """From a quadkey."""
        if set(key) - set("0123"):
            raise ValueError(f"{key!r} is no quadkey: it has digits 0 to 3 only")
        digits = [int(digit) for digit in key]
        x = sum((digit & 1) << place for place, digit in enumerate(reversed(digits)))
        y = sum((digit >> 1) << place for place, digit in enumerate(reversed(digits)))
        return cls(len(key), x, y)

    @property
    def name(self) -> str:
        """`z_x_y`."""
        return f"{self.z}_{self.x}_{self.y}"

    @property
    def quadkey(self) -> str:
        """One digit for each zoom, from the outside in; empty for the whole world."""
        return "".join(str((self.x >> bit & 1) + 2 * (self.y >> bit & 1)) for bit in reversed(range(self.z)))

    @property
    def tms_y(self) -> int:
        """Row counted from the south."""
        return (1 << self.z) - 1 - self.y

    @property
    def box(self) -> Bounds:
        """Left, bottom, right and top in metres of EPSG:3857."""
        side = 2 * HALF / (1 << self.z)
        return self.x * side - HALF, HALF - (self.y + 1) * side, (self.x + 1) * side - HALF, HALF - self.y * side

    @property
    def bounds(self) -> Bounds:
        """West, south, east and north in degrees; equal to those of the neighbours to the last bit."""
        west, north = lon_lat(self.x, self.y, self.z)
        east, south = lon_lat(self.x + 1, self.y + 1, self.z)
        return west, south, east, north

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        """North-west, north-east, south-east and south-west."""
        west, south, east, north = self.bounds
        return (west, north), (east, north), (east, south), (west, south)

    @property
    def centre(self) -> Point:
        """The place in the middle of the picture (its latitude is not the mean of the edges')."""
        lon, lat = lon_lat(self.x + 0.5, self.y + 0.5, self.z)
        return lon, lat

    def gsd(self, size: int = 256) -> float:
        """Metres on the ground per pixel at the tile's centre, on the ellipsoid WGS 84.

        Web Mercator stretches by 1 / cos(latitude) as if the earth were a sphere of the equator's radius; so a pixel
        covers cos(latitude) times N / a across and M / a down, N and M being the radii of curvature (Snyder,
        Map Projections, USGS PP 1395, 4-20 and 4-21). This is the geometric mean of the two.

        Args:
            size: pixels of a side.
        """
        lat = math.radians(self.centre[1])
        flat = 1 - GEOD.es * math.sin(lat) ** 2
        prime, meridian = 1 / math.sqrt(flat), (1 - GEOD.es) / flat**1.5
        return 2 * HALF / (size << self.z) * math.cos(lat) * math.sqrt(prime * meridian)

    @property
    def children(self) -> tuple["Tile", "Tile", "Tile", "Tile"]:
        """The four tiles of the next zoom: north-west, north-east, south-west, south-east."""
        z, x, y = self.z + 1, 2 * self.x, 2 * self.y
        return Tile(z, x, y), Tile(z, x + 1, y), Tile(z, x, y + 1), Tile(z, x + 1, y + 1)

    @property
    def parents(self) -> tuple["Tile", ...]:
        """The tiles around it, the next zoom first, the whole world last."""
        return tuple(self.parent(up) for up in range(1, self.z + 1))

    def parent(self, up: int = 1) -> "Tile":
        """The tile around it, some zooms farther out."""
        return Tile(self.z - up, self.x >> up, self.y >> up)


def lon_lat(x: Any, y: Any, z: int) -> Any:
    """Degrees of places in tiles, numbers or arrays."""
    n = 1 << z
    lon, lat = x / n * 360 - 180, np.degrees(np.arctan(np.sinh(math.pi * (1 - 2 * y / n))))
    return (lon, lat) if isinstance(lat, np.ndarray) else (float(lon), float(lat))


def place(lon: float, lat: float, z: int) -> Point:
    """Column and row, with fractions, of a place in degrees; the poles are far outside, but somewhere."""
    lat = min(max(lat, -89.9999), 89.9999)
    n = 1 << z
    return (lon + 180) / 360 * n, (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n

"""A scene: what is known of one source image without reading its pixels."""

from datetime import date, datetime
from functools import cached_property
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict
from pyproj import CRS, Geod, Transformer

Bounds = tuple[float, float, float, float]
"""West, south, east, north."""

GEOD = Geod(ellps="WGS84")


class Window(NamedTuple):
    """A rectangle of a scene's pixels; rows count from the top."""

    col: int
    row: int
    width: int
    height: int


class Scene(BaseModel):
    """One source image, north up.

    Attributes:
        id: unique among the scenes of a run; becomes `image_name`.
        source: collection or provider.
        path: where the pixels are: a file or an address.
        acquired: day the picture was taken, if known.
        taken: moment it was taken (UTC), if known.
        crs: coordinate reference system, as an authority code where there is one, else WKT.
        transform: pixel to CRS, row-major affine (a, b, c, d, e, f), with b = d = 0, a > 0 and e < 0.
        width: columns.
        height: rows.
        bands: 1-based indices of red, green and blue.
        masked: whether the file says of pixels that they are missing (nodata, alpha, mask).
        footprint: where there are pixels, as WKT in degrees (EPSG:4326), if known; inside it nothing is missing.
        stretch: values shown as black and as white, for data that is not 8 bit.
        digest: fingerprint of the content.
        licence: licence of the imagery.
        attribution: credit line of the imagery.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    source: str
    path: str
    acquired: date | None = None
    taken: datetime | None = None
    crs: str
    transform: tuple[float, float, float, float, float, float]
    width: int
    height: int
    bands: tuple[int, int, int]
    masked: bool = False
    footprint: str | None = None
    stretch: tuple[float, float] | None = None
    digest: str
    licence: str = ""
    attribution: str = ""

    def window_bounds(self, window: Window) -> Bounds:
        """Left, bottom, right and top of a window, in the scene's CRS."""
        a, _, c, _, e, f = self.transform
        left, top = c + window.col * a, f + window.row * e
        return left, top + window.height * e, left + window.width * a, top

    @property
    def extent(self) -> Bounds:
        """Left, bottom, right and top of the scene, in its CRS."""
        return self.window_bounds(Window(0, 0, self.width, self.height))

    @cached_property
    def bounds(self) -> Bounds:
        """West, south, east and north of the scene in degrees (EPSG:4326)."""
        to_degrees = Transformer.from_crs(CRS(self.crs), "EPSG:4326", always_xy=True)
        west, south, east, north = to_degrees.transform_bounds(*self.extent)
        return west, south, east, north

    @cached_property
    def gsd(self) -> tuple[float, float]:
        """Metres on the ground per pixel, across and down, at the scene's centre (geodesic on WGS 84)."""
        left, bottom, right, top = self.extent
        x, y = (left + right) / 2, (bottom + top) / 2
        dx, dy = self.transform[0] / 2, -self.transform[4] / 2
        to_degrees = Transformer.from_crs(CRS(self.crs), "EPSG:4326", always_xy=True)
        lon, lat = to_degrees.transform([x - dx, x + dx, x, x], [y, y, y - dy, y + dy])
        _, _, across = GEOD.inv(lon[0], lat[0], lon[1], lat[1])
        _, _, down = GEOD.inv(lon[2], lat[2], lon[3], lat[3])
        return across, down

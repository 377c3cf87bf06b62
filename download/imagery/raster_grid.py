"""Where the pixels of a raster lie, as a file or a catalogue says it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from download.errors import DownloadError

Affine = tuple[float, float, float, float, float, float]

SAME_PLACE = 0.01
"""Two grids agree if their corners differ by at most this share of a pixel."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels of a file lie.

    Attributes:
        crs: authority code, or WKT.
        transform: pixel to CRS, row-major affine.
        width: columns.
        height: rows.
    """

    crs: str
    transform: Affine
    width: int
    height: int

    @classmethod
    def of(cls, dataset: Any, name: str) -> "Grid":
        """That of a file which rasterio opened.

        Raises:
            DownloadError: it has none.
        """
        if not dataset.crs or dataset.transform.is_identity:
            raise DownloadError(f"{name} does not say where it lies. Use another asset or collection.")
        authority = dataset.crs.to_authority()
        a, b, c, d, e, f = tuple(dataset.transform)[:6]
        crs = ":".join(authority) if authority else dataset.crs.to_wkt()
        return cls(crs, (a, b, c, d, e, f), dataset.width, dataset.height)

    def check_north_up(self, name: str) -> None:
        """Raises a DownloadError unless the raster is north up."""
        a, b, _, d, e, _ = self.transform
        if b or d or a <= 0 or e >= 0:
            raise DownloadError(
                f"{name} is not north up. Leave it out with samples.imagery.query, or turn a copy of it."
            )

    def agrees(self, other: "Grid") -> bool:
        """Whether both say the same; codes of coordinate reference systems are compared, their definitions are not."""
        codes = {grid.crs for grid in (self, other) if grid.crs.startswith("EPSG:")}
        apart = np.abs(np.subtract(self.corners, other.corners)).max()
        same_size = (self.width, self.height) == (other.width, other.height)
        return same_size and len(codes) < 2 and bool(apart <= SAME_PLACE * self.transform[0])

    @property
    def corners(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        a, _, c, _, e, f = self.transform
        return c, f, c + a * self.width, f + e * self.height

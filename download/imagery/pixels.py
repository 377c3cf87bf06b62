"""From pixels as they are stored to patches as they are shown: the same for every source."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_bytes(pixels: NDArray[Any], stretch: tuple[float, float] | None) -> NDArray[np.uint8]:
    """8 bit values: as they are, or with a stretch from black (0) to white (255), rounded half to even."""
    if stretch is None:
        return pixels.astype(np.uint8, copy=False)
    low, high = stretch
    scaled = (pixels.astype(np.float32) - low) * (255.0 / (high - low))
    clipped: NDArray[np.uint8] = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return clipped


def patch(pixels: NDArray[Any], size: int, stretch: tuple[float, float] | None) -> NDArray[np.uint8]:
    """A patch out of a window's stored pixels, equal to what reading the window from a file gives.

    Args:
        pixels: (3, rows, columns) as stored.
        size: of the patch; smaller windows are repeated (nearest), larger ones averaged, as GDAL does.
        stretch: values shown as black and white.

    Returns:
        (size, size, 3).
    """
    import rasterio
    from rasterio.enums import Resampling

    bands, rows, cols = pixels.shape
    if (rows, cols) != (size, size):
        profile = {"driver": "GTiff", "count": bands, "height": rows, "width": cols, "dtype": pixels.dtype}
        profile["transform"] = rasterio.Affine(1, 0, 0, 0, -1, rows)  # any; none warns
        with rasterio.MemoryFile() as memory, memory.open(**profile) as dataset:
            dataset.write(pixels)
            pixels = dataset.read(out_shape=(bands, size, size), resampling=Resampling.average)
    return np.ascontiguousarray(np.moveaxis(to_bytes(pixels, stretch), 0, 2))

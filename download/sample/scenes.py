"""The picture as GeoTIFFs in the manner of NAIP, and their footprint."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

from download.sample.layout import CRS, GSD, HEIGHT_M, ORIGIN, WIDTH_M, box

ACQUIRED = "2021:09:14 15:42:00"
PROFILE = {
    "driver": "GTiff",
    "dtype": "uint8",
    "crs": CRS,
    "tiled": True,
    "blockxsize": 448,
    "blockysize": 448,
    "interleave": "pixel",
    "compress": "deflate",
    "predictor": 2,
    "zlevel": 1,
    "photometric": "RGB",
    "alpha": "unspecified",
}


def write_scenes(picture: NDArray[np.uint8], paths: Sequence[Path]) -> None:
    """Cut a picture into equal scenes, side by side.

    Args:
        picture: (rows, columns, bands), north up, `GSD` metres a pixel.
        paths: The files to write, from west to east; each is replaced whole.
    """
    for number, (path, pixels) in enumerate(zip(paths, np.split(picture, len(paths), axis=1), strict=True)):
        rows, columns, bands = pixels.shape
        west, north = ORIGIN[0] + number * columns * GSD, ORIGIN[1] + HEIGHT_M
        place = {"height": rows, "width": columns, "count": bands, "transform": from_origin(west, north, GSD, GSD)}
        beside = path.with_name(f".{path.name}")
        with rasterio.open(beside, "w", **PROFILE, **place) as scene:
            scene.write(pixels.transpose(2, 0, 1))
            scene.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.undefined)
            scene.update_tags(TIFFTAG_DATETIME=ACQUIRED, TIFFTAG_IMAGEDESCRIPTION="Synthetic; no real place")
        beside.replace(path)


def write_region(path: Path) -> None:
    """Write the outline of the imagery as GeoJSON, longitude and latitude; the file is replaced whole."""
    corners = np.array(ORIGIN) + shapely.get_coordinates(box(0, 0, WIDTH_M, HEIGHT_M))
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    outline = np.column_stack(to_degrees.transform(*corners.T)).round(7).tolist()
    feature = {
        "type": "Feature",
        "properties": {"name": "Tell County"},
        "geometry": {"type": "Polygon", "coordinates": [outline]},
    }
    beside = path.with_name(f".{path.name}")
    text = json.dumps({"type": "FeatureCollection", "features": [feature]}, indent=1)
    beside.write_text(f"{text}\n", encoding="utf-8")
    beside.replace(path)

"""Windows of a scene: gathered into few requests, and taken apart again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import groupby
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from download.errors import PassingError
from download.scene import Scene, Window

REQUEST_BYTES = 48 << 20
"""Of an answer's pixels, not compressed (https://developers.google.com/earth-engine/apidocs/ee-data-getpixels)."""

REQUEST_SIDE = 32_768
"""Pixels across and down, likewise."""

FOOTPRINT_PIXELS = 2.0
"""How far a window may lie outside a footprint, whose corners are rounded and whose edges are straightened."""


EDGE_DEGREES = 0.001
"""Pieces of a footprint's edges, which are straight in degrees and not in the scene's CRS."""


@dataclass(frozen=True, slots=True)
class Bunch:
    """Adjoining windows that one request answers: together they are a rectangle.

    Attributes:
        window: the rectangle.
        parts: the windows.
    """

    window: Window
    parts: tuple[Window, ...]


def bunches(windows: Sequence[Window], pixel_bytes: int) -> list[Bunch]:
    """Windows in as few rectangles as a simple rule finds; a rectangle holds no pixel that no window asks for.

    Neighbours in a row are joined first, then rows of the same columns.

    Args:
        windows: which may adjoin, but do not overlap.
        pixel_bytes: all bands of a pixel.
    """
    area = REQUEST_BYTES // pixel_bytes
    bands = sorted(set(windows), key=lambda window: (window.row, window.height, window.col))
    runs = [
        run for _, row in groupby(bands, key=lambda window: (window.row, window.height)) for run in _across(row, area)
    ]
    runs.sort(key=lambda run: (run.window.col, run.window.width, run.window.row))
    columns = groupby(runs, key=lambda run: (run.window.col, run.window.width))
    joined = [bunch for _, column in columns for bunch in _down(column, area)]
    return sorted(joined, key=lambda bunch: (bunch.window.row, bunch.window.col))


def _across(row: Iterator[Window], area: int) -> Iterator[Bunch]:
    run: list[Window] = []
    for window in row:
        width = window.col + window.width - run[0].col if run else 0
        if run and (run[-1].col + run[-1].width != window.col or width > REQUEST_SIDE or width * window.height > area):
            yield _bunch(run)
            run = []
        run.append(window)
    yield _bunch(run)


def _down(column: Iterator[Bunch], area: int) -> Iterator[Bunch]:
    stack: list[Bunch] = []
    for bunch in column:
        _, row, width, height = bunch.window
        tall = row + height - stack[0].window.row if stack else 0
        if stack and (
            stack[-1].window.row + stack[-1].window.height != row or tall > REQUEST_SIDE or tall * width > area
        ):
            yield _bunch([part for run in stack for part in run.parts])
            stack = []
        stack.append(bunch)
    yield _bunch([part for run in stack for part in run.parts])


def _bunch(parts: Sequence[Window]) -> Bunch:
    left, top = min(part.col for part in parts), min(part.row for part in parts)
    right = max(part.col + part.width for part in parts)
    bottom = max(part.row + part.height for part in parts)
    return Bunch(Window(left, top, right - left, bottom - top), tuple(parts))


def grid_of(scene: Scene, window: Window) -> dict[str, Any]:
    """A window as Earth Engine's `PixelGrid`: pixels of the scene's own grid."""
    a, _, _, _, e, _ = scene.transform
    left, _, _, top = scene.window_bounds(window)
    return {
        "dimensions": {"width": window.width, "height": window.height},
        "affineTransform": {
            "scaleX": a, "shearX": 0, "translateX": left, "shearY": 0, "scaleY": e, "translateY": top,
        },
        "crsCode" if ":" in scene.crs[:12] else "crsWkt": scene.crs,
    }  # fmt: skip


def decoded(body: bytes, bands: Sequence[str], window: Window) -> NDArray[Any]:
    """Pixels of an answer in NumPy's format, with one field for each band.

    Args:
        body: the answer.
        bands: names of the bands.
        window: that was asked for.

    Returns:
        (bands, rows, columns).

    Raises:
        PassingError: it is something else.
    """
    try:
        pixels = np.load(BytesIO(body), allow_pickle=False)
        stacked = np.stack([pixels[name] for name in bands])
    except (ValueError, EOFError, IndexError) as error:
        raise PassingError("Earth Engine sent something else than pixels") from error
    if stacked.shape[1:] != (window.height, window.width):
        raise PassingError(f"Earth Engine sent {stacked.shape[2]} x {stacked.shape[1]} pixels of another window")
    return stacked


def cut(pixels: NDArray[Any], whole: Window, part: Window) -> NDArray[Any]:
    """The pixels of a part, out of those (bands, rows, columns) of the whole."""
    top, left = part.row - whole.row, part.col - whole.col
    return np.ascontiguousarray(pixels[:, top : top + part.height, left : left + part.width])


def inside_footprint(scene: Scene, windows: Sequence[Window]) -> NDArray[np.bool_]:
    """Which windows the scene's footprint covers; all of them where no footprint is known."""
    if scene.footprint is None or not windows:
        return np.ones(len(windows), dtype=bool)
    a, _, left, _, e, top = scene.transform
    to_scene = Transformer.from_crs("EPSG:4326", scene.crs, always_xy=True)
    edges = shapely.segmentize(shapely.from_wkt(scene.footprint), EDGE_DEGREES)
    shape = shapely.transform(edges, lambda points: np.column_stack(to_scene.transform(*points.T)))
    shape = shapely.buffer(shape, FOOTPRINT_PIXELS * a, join_style="mitre")
    shapely.prepare(shape)
    cols, rows, widths, heights = np.array(windows, dtype=float).T
    boxes = shapely.box(left + cols * a, top + (rows + heights) * e, left + (cols + widths) * a, top + rows * e)
    covered: NDArray[np.bool_] = shapely.covers(shape, boxes)
    return covered

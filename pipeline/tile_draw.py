"""Tiles drawn by lot.

A cell is drawn by its weight, a place in it evenly over the ground, and the tile that holds the place is taken; a tile
that was taken before is drawn anew. Of each zoom the lots are a sequence of their own that depends on the seed alone,
so a larger number takes the same tiles and more.
"""

from hashlib import blake2b
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from download.imagery.tiles.scheme import lon_lat
from pipeline.tile_weights import Cells, Weights

LOTS: Final = 4096
"""Drawn together."""

PATIENCE: Final = 64
"""Rounds of lots without a new tile until the rest counts as taken."""

Places = NDArray[np.int64]
"""(n, 2): columns and rows of tiles of one zoom."""


class Draw(BaseModel):
    """Tiles by lot instead of all.

    Attributes:
        tiles: how many of each zoom.
        weights: where from; left out: all ground alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tiles: int = Field(ge=1)
    weights: Weights | None = None


def draw_tiles(cells: Cells, area: Any, zoom: int, number: int, seed: int) -> Places:
    """Tiles of a zoom whose middles lie in an area, in the order of their lots.

    Args:
        cells: where places are drawn.
        area: shapely, degrees.
        zoom: of the tiles.
        number: how many are wanted; fewer come where there are no more.
        seed: of the run.
    """
    cells = cells.near(area)
    taken: Places = np.zeros((0, 2), dtype=np.int64)
    if not len(cells.weights):
        return taken
    chance = np.random.default_rng(_uint64(f"{seed}/tiles/{zoom}"))
    idle = 0
    while len(taken) < number and idle < PATIENCE:
        drawn = inside(area, _drawn(cells, chance.random((LOTS, 3)), zoom), zoom)
        both = np.concatenate([taken, drawn])
        _, first = np.unique(both, axis=0, return_index=True)
        idle = 0 if len(first) > len(taken) else idle + 1
        taken = both[np.sort(first)]
    wanted: Places = taken[:number]
    return wanted


def inside(area: Any, places: Places, zoom: int) -> Places:
    """The tiles whose middles lie in an area."""
    shapely.prepare(area)
    lon, lat = lon_lat(places[:, 0] + 0.5, places[:, 1] + 0.5, zoom)
    there: Places = places[shapely.contains_xy(area, lon, lat)]
    return there


def in_order(places: Places, up: int) -> Places:
    """Tiles within the same tile so many zooms farther out stand together, row by row."""
    x, y = places.T
    ordered: Places = places[np.lexsort((x, y, x >> up, y >> up))]
    return ordered


def _drawn(cells: Cells, lots: NDArray[np.float64], zoom: int) -> Places:
    sums = np.cumsum(cells.weights)
    cell = np.searchsorted(sums, lots[:, 0] * sums[-1], side="right").clip(max=len(sums) - 1)
    west, south, east, north = cells.boxes[cell].T
    lon = west + lots[:, 1] * (east - west)
    low, high = np.sin(np.radians(south)), np.sin(np.radians(north))
    sine = (low + lots[:, 2] * (high - low)).clip(-1 + 1e-9, 1 - 1e-9)
    side = 1 << zoom
    col, row = (lon + 180) / 360 * side, (1 - np.arctanh(sine) / np.pi) / 2 * side
    places = np.floor(np.stack([col, row], axis=1)).astype(np.int64)
    there: Places = places[((places >= 0) & (places < side)).all(axis=1)]
    return there


def _uint64(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")

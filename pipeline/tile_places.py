"""Where tiles are: all of a region or drawn ones, and roughly."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from download.imagery.tiles.cover import Extent
from download.imagery.tiles.scheme import HALF, Tile
from download.imagery.xyz import XyzImagery
from download.scene import Scene
from pipeline.errors import PipelineError
from pipeline.tile_draw import Draw, Places, draw_tiles, in_order, inside
from pipeline.tile_weights import Cells, MapWeights

WORLD: Final = (-180.0, -85.0511287, 180.0, 85.0511287)

ROW: Final = 6
"""Zooms from a tile to the one that says which tiles stand in a row: up to 64."""

Tiles = Mapping[int, Places]
"""By zoom, in order."""


def all_tiles(imagery: XyzImagery, zooms: Iterable[int], region: Any) -> Tiles:
    """The tiles of imagery whose middles lie in a region (shapely, degrees; None for everywhere).

    Raises:
        DownloadError: the imagery has none of a zoom, or no end.
        PipelineError: none lies there.
    """
    found = {}
    for zoom in zooms:
        scenes = imagery.model_copy(update={"zoom": zoom}).scenes(region)
        places = np.concatenate([np.zeros((0, 2), dtype=np.int64), *(_under(scene, zoom) for scene in scenes)])
        found[zoom] = in_order(places if region is None else inside(region, places, zoom), ROW)
    return _some(found)


def drawn_tiles(draw: Draw, zooms: Iterable[int], area: Any, seed: int, elements: Path | None = None) -> Tiles:
    """Tiles by lot.

    Args:
        draw: how many, and how likely.
        zooms: of the tiles.
        area: shapely, degrees.
        seed: of the run.
        elements: the map as GeoParquet, for weights by its density.

    Raises:
        PipelineError: weights cannot be used, or there is nothing to draw.
    """
    if draw.weights is None:
        cells = Cells.even(area)
    elif isinstance(draw.weights, MapWeights):
        if elements is None:
            raise ValueError("the map has not been read")
        cells = draw.weights.cells(elements)
    else:
        cells = draw.weights.cells(area)
    return _some({zoom: in_order(draw_tiles(cells, area, zoom, draw.tiles, seed), ROW) for zoom in zooms})


def area_of(imagery: XyzImagery, region: Any) -> Any:
    """The region; without one, the box around the files of the imagery, or of a server's the world."""
    if region is not None:
        return region
    if imagery.path is None:
        return shapely.box(*WORLD)
    return shapely.box(*shapely.total_bounds(shapely.box(*np.array([scene.bounds for scene in imagery.scenes()]).T)))


def around(tiles: Tiles, zoom: int) -> list[Tile]:
    """Tiles no deeper than a zoom that hold all others."""
    found: set[Tile] = set()
    for own, places in tiles.items():
        up = max(0, own - zoom)
        found.update(Tile(own - up, x, y) for x, y in np.unique(places >> up, axis=0).tolist())
    return sorted(found)


def ground(tiles: Iterable[Tile]) -> Any:
    """What tiles cover, in degrees."""
    return shapely.union_all(shapely.box(*np.array([tile.bounds for tile in tiles]).T))


def scene_of(imagery: XyzImagery, tile: Tile) -> Scene:
    """A tile as a scene that says where something is, whether or not there is a picture of it."""
    scene = imagery.scene(Extent.under(tile, tile.z), "")
    return scene.model_copy(update={"id": f"around-{tile.name}"})


def row_of(imagery: XyzImagery, tile: Tile) -> Scene:
    """The row of up to 64 tiles that a tile stands in, as a scene."""
    first = first_of(tile)
    extent = Extent(tile.z, first, tile.y, first + (1 << min(ROW, tile.z)), tile.y + 1)
    return imagery.scene(extent, "").model_copy(update={"id": f"row-{tile.z}-{first}-{tile.y}"})


def first_of(tile: Tile) -> int:
    """Column of the first tile of a tile's row."""
    return tile.x >> ROW << ROW


def _under(scene: Scene, zoom: int) -> Places:
    """The tiles of a scene."""
    side = 2 * HALF / (1 << zoom)
    left, bottom, right, top = scene.extent
    x, y = (np.arange(round(low / side), round(high / side)) for low, high in
            ((left + HALF, right + HALF), (HALF - top, HALF - bottom)))  # fmt: skip
    return np.stack([column.ravel() for column in np.meshgrid(x, y)], axis=1).astype(np.int64)


def _some(tiles: Tiles) -> Tiles:
    if not any(map(len, tiles.values())):
        raise PipelineError(
            f"No tile of the zooms {', '.join(map(str, tiles))} lies there. "
            "Correct region, samples.zooms or samples.draw."
        )
    return tiles

"""Map tiles with the map under them: all of a region, or drawn by lot.

In Web Mercator the ground size of pixels depends on the row of tiles alone. So the tiles of a row are looked at
together, as a scene of one row, and what can be seen of the map follows from their true GSD.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from download.imagery.tiles.cover import tiles_in
from download.imagery.tiles.scheme import Tile
from download.imagery.xyz import XyzImagery
from download.scene import Window
from pipeline.config import Config, GridSamples
from pipeline.fingerprint import digest
from pipeline.grid import Block, Patches, PatchGrid
from pipeline.grid_source import GridLook, GridSource
from pipeline.json_cells import from_json, to_json
from pipeline.looks import Looks, look_through
from pipeline.region import check_overlap, load_region
from pipeline.source import Row
from pipeline.tile_draw import Places
from pipeline.tile_places import ROW, Tiles, all_tiles, area_of, around, drawn_tiles, first_of, ground, row_of, scene_of
from pipeline.tile_weights import MapWeights
from pipeline.tiles_samples import TilesSamples

TILES_PER_UNIT: Final = 512

WIDE: Final = 9
"""Zoom of the tiles that say roughly where all others are."""

NEAR: Final = 14
"""The same for the map that is fetched."""


@dataclass(frozen=True, slots=True)
class TileUnit:
    """Tiles of one zoom.

    Attributes:
        zoom: of all.
        number: of the unit among those of its zoom.
        first_id: patch id of the first tile; the others follow.
        places: columns and rows, ordered.
        imagery: digest of what their pixels come from.
    """

    zoom: int
    number: int
    first_id: int
    places: Places
    imagery: str

    @property
    def id(self) -> str:
        """Name of the unit, fit for a file name."""
        return f"z{self.zoom:02d}-{self.number:07d}"

    @property
    def laid(self) -> int:
        """Number of tiles."""
        return len(self.places)

    def fingerprint(self, run: str) -> str:
        """Changes with the run's fingerprint, the imagery's content and the tiles."""
        tiles = blake2b(np.ascontiguousarray(self.places, dtype="<i8").tobytes(), digest_size=16).hexdigest()
        return digest([run, self.imagery, self.zoom, self.first_id, tiles])

    @property
    def rows(self) -> Iterator[tuple[int, Places]]:
        """Tiles that stand in a row, and the patch id of the first."""
        x, y = self.places.T
        ends = np.flatnonzero((np.diff(y) != 0) | (np.diff(x >> ROW) != 0)) + 1
        starts = [0, *ends.tolist()]
        return zip((self.first_id + start for start in starts), np.split(self.places, ends), strict=True)


@dataclass(frozen=True, slots=True)
class TilesSource:
    """Tiles of a region or of the world, and the map under them.

    Attributes:
        samples: of the configuration.
        grid: looks at rows of tiles as at scenes.
        imagery: digest of what the pixels come from.
        tiles: by zoom, ordered; None until the map has been read, where tiles are drawn by its density.
    """

    samples: TilesSamples
    grid: GridSource
    imagery: str
    tiles: Tiles | None

    @classmethod
    def of(cls, config: Config, samples: TilesSamples) -> "TilesSource":
        """Looks at imagery, map and region, and draws.

        Raises:
            PipelineError: imagery, map and region do not fit together, or weights cannot be used.
            DownloadError: imagery or map cannot be used.
        """
        samples.imagery.check()
        region, draw = load_region(config.region), samples.draw
        tiles: Tiles | None = None
        if draw is None:
            tiles = all_tiles(samples.imagery, samples.zooms, region)
        elif not isinstance(draw.weights, MapWeights):
            tiles = drawn_tiles(draw, samples.zooms, area_of(samples.imagery, region), config.seed)
        wide = tiles_in(area_of(samples.imagery, region), WIDE) if tiles is None else around(tiles, WIDE)
        rough = [scene_of(samples.imagery, tile) for tile in wide]
        under = area_of(samples.imagery, region) if tiles is None else ground(around(tiles, NEAR))
        osm = samples.osm.on_disk(under)
        osm.check(history=samples.as_of == "picture")
        known = osm.bounds()
        if known:
            check_overlap(rough, known)
        cut = GridSamples(
            kind="grid",
            imagery=samples.imagery,
            osm=samples.osm,
            as_of=samples.as_of,
            patch=PatchGrid(size=samples.imagery.tile_size),
        )
        said = rough[0].model_dump(mode="json", include={"source", "acquired", "licence", "attribution"})
        grid = GridSource(config, cut, {scene.id: scene for scene in rough}, osm)
        return cls(samples, grid, digest([said, samples.imagery.digest()]), tiles)

    @property
    def inputs(self) -> Mapping[str, str]:
        """Digests of map, region and weights."""
        draw = self.samples.draw
        return {**self.grid.inputs, "weights": draw.weights.digest() if draw and draw.weights else ""}

    @property
    def units(self) -> list[TileUnit]:
        """So many tiles each, zoom by zoom."""
        found: list[TileUnit] = []
        first_id = 0
        for zoom, places in (self.tiles or {}).items():
            for number, start in enumerate(range(0, len(places), TILES_PER_UNIT)):
                some = places[start : start + TILES_PER_UNIT]
                found.append(TileUnit(zoom, number, first_id + start, some, self.imagery))
            first_id += len(places)
        return found

    @property
    def info(self) -> Mapping[str, Any]:
        """Tiles of each zoom, and what became of the map's elements."""
        tiles = {str(zoom): len(places) for zoom, places in (self.tiles or {}).items()}
        return {
            "origin": self.samples.origin,
            "scenes": sum(tiles.values()),
            "tiles": tiles,
            "map": self.grid.map_counts,
        }

    @property
    def summary(self) -> str:
        """Tiles of each zoom."""
        if self.tiles is None:
            return "Which tiles are drawn shows when the map has been read."
        each = ", ".join(f"{len(places):,} of zoom {zoom}" for zoom, places in self.tiles.items())
        return f"{len(self.units):,} units, {sum(map(len, self.tiles.values())):,} tiles: {each}."

    def ready(self, folder: Path, console: Console) -> "TilesSource":
        """Reads the map into a folder, unless it is there already, and draws by its density where that is asked for.

        Raises:
            PipelineError: there is nothing to draw.
            DownloadError: the map cannot be used.
        """
        grid = self.grid.ready(folder, console)
        tiles, draw = self.tiles, self.samples.draw
        if tiles is None and draw is not None and grid.maps is not None:
            area = area_of(self.samples.imagery, load_region(grid.config.region))
            elements = grid.maps.of(next(iter(grid.scenes.values())))
            tiles = drawn_tiles(draw, self.samples.zooms, area, grid.config.seed, elements)
        for zoom, places in (tiles or {}).items():
            if draw and len(places) < draw.tiles:
                console.print(f"Of zoom {zoom} there are {len(places):,} tiles to draw, not {draw.tiles:,}.")
        return replace(self, grid=grid, tiles=tiles)

    def look(self, unit: TileUnit, limit: int | None = None) -> "TilesLook":
        """Looks at row after row.

        Args:
            unit: one of `units`.
            limit: tell no more than this many tiles, for a preview.
        """
        return TilesLook(unit, look_through(unit.rows, partial(self._look, unit.zoom), limit))

    def _look(self, zoom: int, row: tuple[int, Places], limit: int | None) -> GridLook:
        first_id, places = row
        tiles = [Tile(zoom, x, y) for x, y in places.tolist()]
        scene, size = row_of(self.samples.imagery, tiles[0]), self.samples.imagery.tile_size
        windows = [Window((tile.x - first_of(tile)) * size, 0, size, size) for tile in tiles]
        boxes, bounds = np.array([tile.box for tile in tiles]), np.array([tile.bounds for tile in tiles])
        patches = Patches(np.arange(first_id, first_id + len(tiles)), windows, boxes, bounds)
        return self.grid.look_at(Block(scene, self.grid.samples.patch, first_id, (0, 1)), patches, limit)

    def pictures(self) -> "TilePictures":
        """The tiles themselves."""
        return TilePictures(self.samples.imagery)


@dataclass(frozen=True, slots=True)
class TilesLook(Looks):
    """Rows of tiles and what is to be told of them."""

    unit: TileUnit

    def patch_rows(self, fates: Mapping[int, str]) -> list[Row]:
        """One for each tile, named `z_x_y` as its picture is."""
        rows = Looks.patch_rows(self, fates)
        names = [Tile(self.unit.zoom, x, y).name for x, y in self.unit.places[: len(rows)].tolist()]
        return [_named(row, name) for row, name in zip(rows, names, strict=True)]


@dataclass(frozen=True, slots=True)
class TilePictures:
    """Tiles as pictures.

    Attributes:
        imagery: where they come from.
    """

    imagery: XyzImagery

    def fetch(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """They were fetched when it was found out whether they are there."""

    def read(self, row: Mapping[str, Any]) -> NDArray[np.uint8]:
        """The pixels of a tile."""
        tile = Tile.parse(row["scene"])
        size = row["size"]
        return self.imagery.read(
            row_of(self.imagery, tile), Window((tile.x - first_of(tile)) * size, 0, size, size), size
        )


def _named(row: Row, name: str) -> Row:
    metadata = from_json(row["metadata"])
    size = row["size"]
    return row | {
        "scene": name,
        "window": [0, 0, size, size],
        "metadata": to_json(metadata | {"image_name": name}),
    }

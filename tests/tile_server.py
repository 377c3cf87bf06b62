"""A tile server, and pyramids of tiles to serve and to keep in files."""

import gzip
import io
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from rasterio.transform import from_bounds

from download.imagery.tiles.scheme import Tile
from download.scene import Bounds
from tests.stand_in import Answer, Asked, Faults, StandIn

TYPES = {b"\x89": "image/png", b"\xff": "image/jpeg"}

Tiles = Mapping[Tile, bytes]


class TileServer(StandIn):
    """Serves tiles at `/Z/X/Y.png`, with 404 where there is none; the content type goes by the ending, as often.

    Attributes:
        template: address, with placeholders.
    """

    def __init__(self, tiles: Tiles, faults: Faults | None = None) -> None:
        self.tiles = tiles
        super().__init__(self._tile, faults)
        self.template = f"{self.url}/{{z}}/{{x}}/{{y}}.png"

    def _tile(self, asked: Asked) -> Answer:
        found = re.fullmatch(r"/(\d+)/(\d+)/(\d+)\.png", asked.path)
        content = self.tiles.get(Tile(*map(int, found.groups()))) if found else None
        return Answer(404) if content is None else Answer(200, content, {"Content-Type": "image/png"})


def ground(rows: int, cols: int, seed: int = 0) -> NDArray[np.uint8]:
    """(rows, columns, 3) pixels of which no two are alike."""
    return np.random.default_rng(seed).integers(1, 255, (rows, cols, 3), dtype=np.uint8)


def encoded(pixels: NDArray[np.uint8], form: str = "PNG", **options: object) -> bytes:
    """A picture as a file; (rows, columns) with 3 or 4 channels."""
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, form, **options)
    return target.getvalue()


def cut(pixels: NDArray[np.uint8], corner: Tile, side: int = 256, form: str = "PNG") -> dict[Tile, bytes]:
    """A picture as tiles, of which one is its north-western corner."""
    rows, cols = pixels.shape[0] // side, pixels.shape[1] // side
    return {
        Tile(corner.z, corner.x + col, corner.y + row): encoded(
            pixels[row * side : (row + 1) * side, col * side : (col + 1) * side], form
        )
        for row in range(rows)
        for col in range(cols)
    }


def kampala(shared_data: Path) -> dict[Tile, bytes]:
    """The real tiles of all their zooms."""
    found = {}
    for file in (shared_data / "tiles" / "kampala").glob("OAM-*.png"):
        x, y, z = map(int, file.stem.split("-")[1:])
        found[Tile(z, x, y)] = file.read_bytes()
    return found


def write_mbtiles(path: Path, tiles: Tiles) -> Path:
    """As MBTiles 1.3 has it; rows count from the south."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE metadata (name text, value text)")
        database.execute(
            "CREATE TABLE tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)"
        )
        zooms = sorted({tile.z for tile in tiles})
        facts = {"name": "test", "format": "png", "minzoom": str(zooms[0]), "maxzoom": str(zooms[-1])}
        database.executemany("INSERT INTO metadata VALUES (?, ?)", facts.items())
        rows = [(tile.z, tile.x, tile.tms_y, content) for tile, content in tiles.items()]
        database.executemany("INSERT INTO tiles VALUES (?, ?, ?, ?)", rows)
    return path


def write_pmtiles(path: Path, tiles: Tiles) -> Path:
    """With the package of those who made the format."""
    with path.open("wb") as file:
        make: Any = Writer  # the package has no types
        writer = make(file)
        for tile in sorted(tiles, key=lambda each: zxy_to_tileid(each.z, each.x, each.y)):
            writer.write_tile(zxy_to_tileid(tile.z, tile.x, tile.y), tiles[tile])
        zooms = [tile.z for tile in tiles]
        header = {
            "version": 3,
            "tile_type": TileType.PNG,
            "tile_compression": Compression.NONE,
            "min_zoom": min(zooms),
            "max_zoom": max(zooms),
        }
        writer.finalize(header, {"name": "test"})
    return path


def write_folder(folder: Path, tiles: Tiles) -> str:
    """`Z/X/Y.png`; returns the pattern."""
    for tile, content in tiles.items():
        file = folder / str(tile.z) / str(tile.x) / f"{tile.y}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return f"{folder}/{{z}}/{{x}}/{{y}}.png"


def write_geotiff(path: Path, pixels: NDArray[np.uint8], box: Bounds) -> Path:
    """The same ground as a raster in Web Mercator."""
    rows, cols, bands = pixels.shape
    profile = {
        "driver": "GTiff", "height": rows, "width": cols, "count": bands, "dtype": "uint8",
        "crs": "EPSG:3857", "transform": from_bounds(*box, cols, rows),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.moveaxis(pixels, 2, 0))
    return path


def packed(content: bytes) -> bytes:
    """As vector tiles lie in files."""
    return gzip.compress(content, mtime=0)

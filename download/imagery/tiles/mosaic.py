"""Pixels of tiles, side by side."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from download.errors import DownloadError
from download.imagery.tiles import sniff
from download.imagery.tiles.cover import Extent
from download.imagery.tiles.scheme import Tile
from download.imagery.tiles.server import TileServer
from download.imagery.tiles.store import TileStore

KEPT_TILES: Final = 64
"""Decoded tiles that a process holds."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Mosaic:
    """Tiles as one picture.

    Attributes:
        tiles: where they are.
        side: pixels of a side of each.
        no_data: SHA-256 of files that stand for a missing tile.
        concurrency: tiles asked for at once by this process.
    """

    tiles: TileStore | TileServer
    side: int
    no_data: tuple[str, ...]
    concurrency: int

    def whole(self, tiles: Sequence[Tile]) -> dict[Tile, bool | None]:
        """Whether no pixel of a tile is missing; None where the whole tile is."""
        return dict(zip(tiles, self._at_once(self._is_whole, tiles), strict=True))

    def stitched(self, extent: Extent) -> NDArray[np.uint8] | None:
        """(rows, columns, 4) of a rectangle of tiles; None where a tile is missing."""
        found = self._at_once(self._pixels, list(extent))
        if any(pixels is None for pixels in found):
            return None
        rows, cols = extent.shape
        grid = np.stack([pixels for pixels in found if pixels is not None])
        grid = grid.reshape(rows, cols, self.side, self.side, 4).swapaxes(1, 2)
        return grid.reshape(rows * self.side, cols * self.side, 4)

    def _is_whole(self, tile: Tile) -> bool | None:
        pixels = self._pixels(tile)
        return None if pixels is None else bool((pixels[..., 3] == 255).all())

    def _pixels(self, tile: Tile) -> NDArray[np.uint8] | None:
        return _pixels(self.tiles, tile, self.side, self.no_data)

    def _at_once(self, work: Callable[[Tile], Result], tiles: Sequence[Tile]) -> list[Result]:
        return list(_pool(self.concurrency).map(work, tiles))


@lru_cache(maxsize=4)
def _pool(concurrency: int) -> ThreadPoolExecutor:
    """One for each process, whoever asks."""
    return ThreadPoolExecutor(concurrency, thread_name_prefix="tiles")


@lru_cache(maxsize=KEPT_TILES)
def _pixels(tiles: TileStore | TileServer, tile: Tile, side: int, no_data: tuple[str, ...]) -> NDArray[np.uint8] | None:
    """(side, side, 4) of a tile; None where there is none, or one that shows nothing."""
    content = tiles.get(tile)
    if not content or hashlib.sha256(content).hexdigest() in no_data:
        return None
    where = f"Tile {tile.name} of {tiles.shown}"
    pixels = sniff.decode(content, where)
    if sniff.is_blank(pixels):
        return None
    if pixels.shape[:2] != (side, side):
        raise DownloadError(
            f"{where} has {pixels.shape[1]} x {pixels.shape[0]} pixels, not {side}. Set samples.imagery.tile_size."
        )
    return pixels

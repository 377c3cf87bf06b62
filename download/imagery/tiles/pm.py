"""PMTiles 3 (https://github.com/protomaps/PMTiles): tiles in one file with directories, unpacked by its own package."""

import mmap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from download.errors import DownloadError
from download.imagery.tiles.content import content_digest
from download.imagery.tiles.cover import Extent, extents_of
from download.imagery.tiles.scheme import Tile

DIRECTORIES: Final = 64
"""Directories that are kept unpacked; one holds thousands of tiles."""


@dataclass(frozen=True, slots=True)
class PmTiles:
    """A PMTiles file."""

    path: Path

    @property
    def shown(self) -> str:
        """Where they are, for people."""
        return str(self.path)

    def zooms(self) -> Sequence[int]:
        """Zooms that it says to have."""
        header = _header(self.path)
        return range(header["min_zoom"], header["max_zoom"] + 1)

    def extents(self, zoom: int, up: int) -> list[Extent]:
        """Rectangles that hold all tiles of a zoom."""
        from pmtiles.tile import tileid_to_zxy, zxy_to_tileid

        first = zxy_to_tileid(zoom, 0, 0)
        last = first + 4**zoom
        tiles = (
            Tile(*tileid_to_zxy(number))
            for entry in self._entries()
            for number in range(max(first, entry.tile_id), min(last, entry.tile_id + entry.run_length))
        )
        return extents_of(tiles, zoom, up)

    def get(self, tile: Tile) -> bytes | None:
        """Content of a tile, None where there is none."""
        from pmtiles.tile import find_tile, zxy_to_tileid

        header, number = _header(self.path), zxy_to_tileid(tile.z, tile.x, tile.y)
        offset, length = header["root_offset"], header["root_length"]
        while entry := find_tile(_directory(self.path, offset, length), number):
            if entry.run_length:
                return _pm(self.path, header["tile_data_offset"] + entry.offset, entry.length)
            offset, length = header["leaf_directory_offset"] + entry.offset, entry.length
        return None

    def digest(self) -> str:
        """Fingerprint of the content."""
        return content_digest([self.path])

    def _entries(self, offset: int | None = None, length: int = 0) -> Iterator[Any]:
        header = _header(self.path)
        if offset is None:
            offset, length = header["root_offset"], header["root_length"]
        for entry in _directory(self.path, offset, length):
            if entry.run_length:
                yield entry
            else:
                yield from self._entries(header["leaf_directory_offset"] + entry.offset, entry.length)


@lru_cache(maxsize=4)
def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _pm(path: Path, offset: int, length: int) -> bytes:
    content = _mapped(path)[offset : offset + length]
    if len(content) != length:
        raise DownloadError(f"{path} was cut off: it ends before the tiles do. Fetch it again.")
    return content


@lru_cache(maxsize=4)
def _header(path: Path) -> Any:
    deserialize = _package().deserialize_header
    return _parsed(path, lambda: deserialize(_pm(path, 0, 127)))


@lru_cache(maxsize=DIRECTORIES)
def _directory(path: Path, offset: int, length: int) -> Any:
    deserialize = _package().deserialize_directory
    return _parsed(path, lambda: deserialize(_pm(path, offset, length)))


def _parsed(path: Path, parse: Callable[[], Any]) -> Any:
    from pmtiles.tile import SpecVersionUnsupported

    try:
        return parse()
    except SpecVersionUnsupported as error:
        raise DownloadError(f"{path} is of an old version of PMTiles. Bring it up: pmtiles convert.") from error
    except (OSError, EOFError, ValueError) as error:
        raise DownloadError(f"{path} is damaged PMTiles: {error}. Fetch it again.") from error


def _package() -> Any:
    try:
        from pmtiles import tile
    except ImportError as error:
        raise DownloadError("PMTiles need a package: pip install 'mapteller[tiles]'") from error
    return tile

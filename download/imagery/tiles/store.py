"""Tiles on disk: MBTiles, PMTiles, and folders of files.

MBTiles 1.3 (https://github.com/mapbox/mbtiles-spec) is an SQLite database whose rows count from the south.
"""

import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from glob import escape, iglob
from pathlib import Path
from typing import Any, Protocol

from download.errors import DownloadError
from download.imagery.tiles.content import content_digest
from download.imagery.tiles.cover import Extent, extents_of
from download.imagery.tiles.pm import PmTiles
from download.imagery.tiles.scheme import Tile
from download.imagery.tiles.template import PLACEHOLDER, faults, filled, placeholders, read


class TileStore(Protocol):
    """Tiles on disk."""

    def __hash__(self) -> int:
        """Equal ones lie at the same place."""

    @property
    def shown(self) -> str:
        """Where they are, for people."""

    def zooms(self) -> Sequence[int]:
        """Zooms that it has tiles of."""

    def extents(self, zoom: int, up: int) -> list[Extent]:
        """Rectangles that hold all tiles of a zoom, one for each tile `up` zooms farther out."""

    def get(self, tile: Tile) -> bytes | None:
        """Content of a tile, None where there is none."""

    def digest(self) -> str:
        """Fingerprint of the content."""


@lru_cache(maxsize=8)
def open_store(path: Path) -> TileStore:
    """Looks what lies at a path, by its content.

    Args:
        path: an MBTiles or PMTiles file, or a pattern of files such as `tiles/{z}/{x}/{y}.png`.

    Raises:
        DownloadError: it is none of these.
    """
    if placeholders(str(path)):
        wrong = faults(str(path), set())
        if wrong:
            raise DownloadError(f"samples.imagery.path: {path}: {wrong[0]}.")
        return TileFolder(str(path))
    if path.is_dir():
        raise DownloadError(f"{path} is a folder: say how its tiles are named, such as {path}/{{z}}/{{x}}/{{y}}.png")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise DownloadError(
            f"No tiles at {path}: {error.strerror}. Correct samples.imagery.path; "
            "a relative path starts at the configuration's folder."
        ) from error
    if start == b"SQLite format 3\0":
        return MbTiles(path)
    if start.startswith(b"PMTiles"):
        return PmTiles(path)
    raise DownloadError(f"{path} is neither MBTiles nor PMTiles. If it should be, it is damaged: fetch it again.")


@dataclass(frozen=True, slots=True)
class MbTiles:
    """An MBTiles file."""

    path: Path

    @property
    def shown(self) -> str:
        """Where they are, for people."""
        return str(self.path)

    def zooms(self) -> list[int]:
        """Zooms that it has tiles of."""
        return [zoom for (zoom,) in self._ask("SELECT DISTINCT zoom_level FROM tiles ORDER BY zoom_level")]

    def extents(self, zoom: int, up: int) -> list[Extent]:
        """Rectangles that hold all tiles of a zoom."""
        found = self._ask(
            "SELECT min(x), min(y), max(x) + 1, max(y) + 1 FROM "
            "(SELECT tile_column AS x, ? - tile_row AS y FROM tiles WHERE zoom_level = ?) GROUP BY x >> ?, y >> ?",
            ((1 << zoom) - 1, zoom, up, up),
        )
        return sorted(Extent(zoom, *row) for row in found)

    def get(self, tile: Tile) -> bytes | None:
        """Content of a tile, None where there is none."""
        found = self._ask(
            "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
            (tile.z, tile.x, tile.tms_y),
        )
        return bytes(found[0][0]) if found else None

    def digest(self) -> str:
        """Fingerprint of the content."""
        return content_digest([self.path])

    def _ask(self, query: str, values: Sequence[int] = ()) -> list[Any]:
        try:
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", uri=True)) as database:
                return database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise DownloadError(f"{self.path} cannot be read as MBTiles: {error}. Fetch it again.") from error


@dataclass(frozen=True, slots=True)
class TileFolder:
    """Files with a tile's place in their names."""

    template: str

    @property
    def shown(self) -> str:
        """Where they are, for people."""
        return self.template

    def zooms(self) -> list[int]:
        """Zooms that there are files of."""
        return sorted({tile.z for tile in _tiles(self.template)})

    def extents(self, zoom: int, up: int) -> list[Extent]:
        """Rectangles that hold all tiles of a zoom."""
        return extents_of((tile for tile in _tiles(self.template) if tile.z == zoom), zoom, up)

    def get(self, tile: Tile) -> bytes | None:
        """Content of a tile, None where there is none."""
        file = Path(filled(self.template, tile))
        return file.read_bytes() if file.exists() else None

    def digest(self) -> str:
        """Fingerprint of names and contents."""
        return content_digest([Path(filled(self.template, tile)) for tile in _tiles(self.template)])


@lru_cache(maxsize=4)
def _tiles(template: str) -> Collection[Tile]:
    """The tiles of a folder, in order."""
    pieces = PLACEHOLDER.split(template)
    pattern = "*".join(escape(literal) for literal in pieces[::2])
    found = sorted(tile for name in iglob(pattern) if (tile := read(template, name)))  # noqa: PTH207 - absolute patterns
    if not found:
        raise DownloadError(
            f"No file is named like {template}. Correct samples.imagery.path; "
            "a relative path starts at the configuration's folder."
        )
    return found

"""Scenes from map tiles: servers, MBTiles, PMTiles and folders."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator
from shapely.geometry.base import BaseGeometry

from download.errors import DownloadError, MissingError
from download.imagery.pixels import patch
from download.imagery.source import ImagerySource
from download.imagery.tiles.cover import Extent, tiles_in
from download.imagery.tiles.mosaic import Mosaic
from download.imagery.tiles.scheme import CRS, DEEPEST, HALF, Tile
from download.imagery.tiles.server import TileServer, wrong_address
from download.imagery.tiles.sniff import LARGEST
from download.imagery.tiles.store import TileStore, open_store
from download.paths import ConfigPath
from download.patience import Patience
from download.scene import Scene, Window
from download.web import USER_AGENT

SCENE_ZOOMS: Final = 6
"""A scene is a tile so many zooms farther out: 64 by 64 tiles."""

WIDEST_SCENE: Final = 9
"""Zoom of the widest such tile: over a scene the ground size of pixels should change by no more than some percent."""

TWICE: Final = 512
"""Pixels of a side from which `{r}` is `@2x`."""


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError(
            "is missing. Tiles belong to somebody: say whom to credit (attribution) and what the terms of use allow "
            "(terms, a sentence or the page where they stand); both are written into each sample"
        )
    return text


Said = Annotated[str, AfterValidator(_said)]


class XyzImagery(ImagerySource):
    """Map tiles in Web Mercator; a block of tiles is a scene.

    Attributes:
        kind: `xyz`.
        url: address of a server's tiles, with `{z}`, `{x}` and `{y}` (or `{-y}`: counted from the south, as TMS does;
            or `{q}`: quadkey), and where wanted `{s}` (subdomain), `{r}` (`@2x` for tiles of 512 pixels or more) and
            `{key}` in the query.
        path: instead of `url`: an MBTiles or PMTiles file, or a pattern of files such as `tiles/{z}/{x}/{y}.png`.
        zoom: of the tiles; two numbers are the first and the last. Left out: the deepest of the files.
        tile_size: pixels of a side.
        subdomains: what `{s}` stands for, in turn.
        key_from: environment variable that holds what `{key}` stands for.
        source: provider's name, written into each sample.
        acquired: day of acquisition, if it is known.
        licence: licence of the imagery, if it has a name.
        attribution: whom to credit; written into each sample.
        terms: what the terms of use allow, or where they stand; written into each sample.
        most_missing: share of a patch's pixels that may be transparent; orthophotos lose a few in deep shadow.
        no_data: SHA-256 of pictures that a server sends where it has none, besides blank ones.
        concurrency: tiles asked for at once by each worker.
        user_agent: how MapTeller introduces itself to the server.
        patience: how often and how long is tried.
    """

    kind: Literal["xyz"]
    url: str | None = None
    path: ConfigPath | None = None
    zoom: int | tuple[int, int] | None = None
    tile_size: int = Field(default=256, ge=64, le=LARGEST)
    subdomains: tuple[str, ...] = ()
    key_from: str | None = None
    source: str = "xyz"
    acquired: date | None = None
    licence: str = ""
    attribution: Said = Field(default="", validate_default=True)
    terms: Said = Field(default="", validate_default=True)
    most_missing: float = Field(default=0.01, ge=0, lt=1)
    no_data: tuple[str, ...] = ()
    concurrency: int = Field(default=2, ge=1, le=32)
    user_agent: str = USER_AGENT
    patience: Patience = Patience()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.url is None) == (self.path is None):
            raise ValueError("say where the tiles are: either url (a server) or path (files)")
        if self.zoom is not None and not 0 <= self._first <= self._last <= DEEPEST:
            raise ValueError(f"zoom: {self.zoom} is no zoom; it goes from 0 to {DEEPEST}, the first before the last")
        wrong = self.url and wrong_address(self.url, key=self.key_from is not None, subdomains=bool(self.subdomains))
        if wrong:
            raise ValueError(f"url: {wrong}")
        if self.url and self.zoom is None:
            raise ValueError("a server does not say which zooms it has: set zoom")
        return self

    def check(self) -> None:
        """Looks whether files and keys are there; asks no server.

        Raises:
            DownloadError: they are not.
        """
        if isinstance(self._tiles, TileServer):
            self._tiles.key()
        else:
            self._zooms(self._tiles)

    def scenes(self, area: BaseGeometry | None = None) -> list[Scene]:
        """Blocks of tiles, by id; no tile is read.

        Args:
            area: in degrees; the blocks hold what touches it.

        Raises:
            DownloadError: the files cannot be used, or a server is asked for the whole world.
        """
        tiles = self._tiles
        if isinstance(tiles, TileServer):
            if area is None:
                raise DownloadError(
                    f"The tiles of {tiles.shown} have no end. Set region: a GeoJSON file, or "
                    "[west, south, east, north] in degrees."
                )
            zooms: Sequence[int] = range(self._first, self._last + 1)
            extents = [Extent.under(tile, zoom) for zoom in zooms for tile in tiles_in(area, zoom - _scene_zooms(zoom))]
        else:
            extents = [each for zoom in self._zooms(tiles) for each in tiles.extents(zoom, _scene_zooms(zoom))]
        inside = extents if area is None else [each.clipped(area) for each in extents]
        digest = self.digest()
        return sorted((self.scene(extent, digest) for extent in inside if extent), key=lambda scene: scene.id)

    def read(self, scene: Scene, window: Window, size: int) -> NDArray[np.uint8]:
        """The pixels of a window as an array (size, size, 3) of 8 bit; equal to the tiles' where sizes agree.

        Raises:
            MissingError: a tile is not there.
            DownloadError: a tile cannot be had.
        """
        stitched = self._stitched(scene, window)
        if stitched is None:
            raise MissingError(f"{self._tiles.shown} lacks a tile under {window} of {scene.id}.")
        return patch(np.moveaxis(stitched[..., :3], 2, 0), size, None)

    def complete(self, scene: Scene, windows: Sequence[Window]) -> NDArray[np.bool_]:
        """Which windows lie on tiles that are there and show something; those that they touch are fetched."""
        wanted = [self._touched(scene, window) for window in windows]
        whole = self._mosaic.whole(sorted({tile for tiles in wanted for tile in tiles}))
        return np.array(
            [self._is_complete(scene, window, {whole[tile] for tile in tiles})
             for window, tiles in zip(windows, wanted, strict=True)],
            dtype=bool,
        )  # fmt: skip

    def _is_complete(self, scene: Scene, window: Window, whole: set[bool | None]) -> bool:
        if whole == {True}:
            return True
        stitched = None if None in whole else self._stitched(scene, window)
        return stitched is not None and bool((stitched[..., 3] < 255).mean() <= self.most_missing)

    def _stitched(self, scene: Scene, window: Window) -> NDArray[np.uint8] | None:
        """(rows, columns, 4) of a window; None where a tile is missing."""
        whole = self._mosaic.stitched(self._touched(scene, window))
        top, left = window.row % self.tile_size, window.col % self.tile_size
        return None if whole is None else whole[top : top + window.height, left : left + window.width]

    def _touched(self, scene: Scene, window: Window) -> Extent:
        """The tiles that a window touches."""
        a, _, left, _, _, top = scene.transform
        side = self.tile_size
        z = round(np.log2(2 * HALF / (side * a)))
        x, y = round((left + HALF) / (side * a)), round((HALF - top) / (side * a))
        return Extent(
            z,
            x + window.col // side,
            y + window.row // side,
            x - (-(window.col + window.width) // side),
            y - (-(window.row + window.height) // side),
        )

    def digest(self) -> str:
        """Fingerprint of the tiles; of a server, of its address."""
        return self._tiles.digest()

    def scene(self, extent: Extent, digest: str) -> Scene:
        """A rectangle of tiles as a scene, named after the block of its first tile."""
        left, _, _, top = extent.box
        rows, cols = extent.shape
        pixel = (2 * HALF) / (self.tile_size << extent.z)
        parent = Tile(extent.z, extent.x0, extent.y0).parent(_scene_zooms(extent.z))
        name = re.sub(r"[^\w-]+", "-", self.source).strip("-").lower()
        return Scene(
            id=f"{name}-z{extent.z}-{parent.x}-{parent.y}",
            source=self.source,
            path=self._tiles.shown,
            acquired=self.acquired,
            crs=CRS,
            transform=(pixel, 0.0, left, 0.0, -pixel, top),
            width=cols * self.tile_size,
            height=rows * self.tile_size,
            bands=(1, 2, 3),
            masked=True,
            digest=digest,
            licence="; ".join(filter(None, (self.licence, self.terms))),
            attribution=self.attribution,
        )

    def _zooms(self, store: TileStore) -> Sequence[int]:
        there = store.zooms()
        if not there:
            raise DownloadError(f"{store.shown} holds no tile.")
        if self.zoom is None:
            return [there[-1]]
        wanted = [zoom for zoom in there if self._first <= zoom <= self._last]
        if not wanted:
            raise DownloadError(
                f"{store.shown} has tiles of the zooms {there[0]} to {there[-1]}, not of {self.zoom}. "
                "Correct samples.imagery.zoom."
            )
        return wanted

    @property
    def _first(self) -> int:
        return self.zoom[0] if isinstance(self.zoom, tuple) else self.zoom or 0

    @property
    def _last(self) -> int:
        return self.zoom[1] if isinstance(self.zoom, tuple) else self.zoom or 0

    @property
    def _tiles(self) -> TileStore | TileServer:
        if self.path is not None:
            return open_store(self.path)
        large = self.tile_size >= TWICE
        return TileServer(
            str(self.url), self.source, large, self.subdomains, self.key_from, self.user_agent, self.patience
        )

    @property
    def _mosaic(self) -> Mosaic:
        return Mosaic(self._tiles, self.tile_size, self.no_data, self.concurrency)


def _scene_zooms(zoom: int) -> int:
    """How many zooms farther out the tile is that makes a scene; two at least, for patches larger than a tile."""
    return min(zoom, SCENE_ZOOMS, max(2, zoom - WIDEST_SCENE))

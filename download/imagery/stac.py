"""Scenes of a STAC catalogue: cloud-optimised GeoTIFF that are read where they lie."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from download.cache import Cache
from download.errors import DownloadError, NoScenesError
from download.imagery import aws
from download.imagery.pixels import patch
from download.imagery.raster_grid import Grid
from download.imagery.remote_access import PLANETARY_COMPUTER_TOKENS, Store
from download.imagery.remote_file import RemoteFile
from download.imagery.remote_raster import RemoteRaster
from download.imagery.source import ImagerySource
from download.imagery.stac_items import Described
from download.imagery.stac_search import search
from download.patience import Patience
from download.scene import Scene, Window
from download.web import Web, shown

EDGE = 32
"""Pixels: footprints of catalogues are simplified, so windows this near to their edges are looked at."""


class StacImagery(ImagerySource):
    """Scenes that a STAC API finds.

    Items are listed with the catalogue's own words; a file's header is read for the first patch of it. Patches have
    the file's stored pixels. The catalogue's answers, headers and blocks are kept in the cache.

    Attributes:
        kind: `stac`.
        url: of the API's landing page.
        collection: its id.
        dates: first and last day of acquisition.
        asset: key of the file among an item's assets.
        bands: 1-based indices of red, green and blue in it.
        query: conditions on item properties, such as `{"eo:cloud_cover": {"lt": 10}}`.
        grid: who says where the pixels lie: `catalogue`, where it does, or `file`: each header is read at once.
        stretch: values shown as black and white; needed for data that is not 8 bit.
        sign: `planetary_computer` adds its tokens to the addresses of files.
        tokens: address under which those are given out.
        requester_pays: files lie in S3 buckets whose readers pay, with the AWS account that the environment names.
        region: of S3 buckets.
        source: provider's name, written into each sample; left out: the collection.
        licence: licence of the imagery, written into each sample.
        attribution: credit line of the imagery, written into each sample.
        patience: how often and how long is tried.
    """

    kind: Literal["stac"]
    url: str
    collection: str
    dates: tuple[date, date]
    asset: str = "visual"
    bands: tuple[int, int, int] = (1, 2, 3)
    query: dict[str, Any] = Field(default_factory=dict)
    grid: Literal["catalogue", "file"] = "catalogue"
    stretch: tuple[float, float] | None = None
    sign: Literal["none", "planetary_computer"] = "none"
    tokens: str = PLANETARY_COMPUTER_TOKENS
    requester_pays: bool = False
    region: str = "us-west-2"
    source: str = ""
    licence: str = ""
    attribution: str = ""
    patience: Patience = Patience()

    @model_validator(mode="after")
    def _fits(self) -> "StacImagery":
        if self.dates[0] > self.dates[1]:
            raise ValueError("dates: the first day comes after the last one")
        if min(self.bands) < 1:
            raise ValueError("bands: the first band is number 1")
        if self.sign != "none" and self.requester_pays:
            raise ValueError("sign and requester_pays are two ways to the same file: choose one")
        return self

    def check(self) -> None:
        """Looks at settings and credentials, not at the network.

        Raises:
            DownloadError: the address is none, pystac-client is missing, or an AWS account is needed.
        """
        from importlib.util import find_spec

        if urlsplit(self.url).scheme not in ("http", "https"):
            raise DownloadError(f"samples.imagery.url: {shown(self.url)} is no web address.")
        if find_spec("pystac_client") is None:
            raise DownloadError("kind: stac needs pystac-client. Install it: pip install 'mapteller[stac]'")
        if self.requester_pays:
            aws.credentials()

    def scenes(self, area: BaseGeometry | None = None) -> list[Scene]:
        """All scenes that touch an area, sorted by id; no pixel is read.

        Args:
            area: in degrees.

        Raises:
            NoScenesError: the catalogue finds nothing.
            DownloadError: there is no area, the catalogue cannot be had, or a scene is of no use.
        """
        if area is None:
            raise DownloadError("A catalogue has too much to take all of it. Set region in the configuration.")
        self.check()
        found = search(self._web, self.url, self.collection, self.dates, area, self.query, self.asset)
        if not found:
            first, last = self.dates
            raise NoScenesError(
                f"{shown(self.url)} has nothing with an asset {self.asset!r} in collection {self.collection!r} for "
                f"this region from {first} to {last}. Look at samples.imagery.collection, asset, dates and query."
            )
        return sorted((self._scene(Described(item, self.asset)) for item in found), key=lambda scene: scene.id)

    def read(self, scene: Scene, window: Window, size: int) -> NDArray[np.uint8]:
        """The pixels of a window as an array (size, size, 3) of 8 bit; equal to the file's where sizes agree.

        Raises:
            DownloadError: they cannot be had, or the file is not what the catalogue says.
        """
        raster = self._raster(scene)
        return patch(raster.read(window, scene.bands), size, scene.stretch)

    def prefetch(self, scene: Scene, windows: Sequence[Window]) -> None:
        """Fetches what `read` will need for several windows, with fewer requests than one by one."""
        self._raster(scene).fetch(windows, scene.bands)

    def complete(self, scene: Scene, windows: Sequence[Window]) -> NDArray[np.bool_]:
        """Which windows hold no nodata or transparent pixel; only those at the footprint's edge are read for it."""
        inside = _inside(scene, windows)
        if inside.all():
            return inside
        raster = self._raster(scene)
        if not raster.masked(scene.bands):
            return np.ones(len(windows), dtype=bool)
        at_edge = [window for window, known in zip(windows, inside, strict=True) if not known]
        raster.fetch(at_edge, scene.bands)
        inside[~inside] = [raster.whole(window, scene.bands) for window in at_edge]
        return inside

    @property
    def _web(self) -> Web:
        return Web(self.source or self.collection, self.patience)

    def _scene(self, found: Described) -> Scene:
        if found.had_query and self.sign == "none":
            raise DownloadError(
                f"Item {found.id}: the address of its asset carries a query, often a token that soon ends, and such "
                "are not kept. Use a catalogue with plain addresses, or sign: planetary_computer."
            )
        grid = found.grid if self.grid == "catalogue" else None
        if grid is None:
            raster = self._opened(found.href, found.digest)
            grid = Grid.of(raster.dataset, raster.name)
        grid.check_north_up(found.id)
        return Scene(
            id=found.id,
            source=self.source or self.collection,
            path=found.href,
            acquired=found.acquired,
            taken=found.taken,
            crs=grid.crs,
            transform=grid.transform,
            width=grid.width,
            height=grid.height,
            bands=self.bands,
            masked=True,
            footprint=found.footprint,
            stretch=self.stretch,
            digest=found.digest,
            licence=self.licence,
            attribution=self.attribution,
        )

    def _raster(self, scene: Scene) -> RemoteRaster:
        raster = self._opened(scene.path, scene.digest)
        _check(raster, scene)
        return raster

    def _opened(self, href: str, digest: str) -> RemoteRaster:
        tokens = self.tokens if self.sign == "planetary_computer" else None
        store = Store(
            self._web.source, self.patience, self.collection, tokens, self.region, requester_pays=self.requester_pays
        )
        return _open(str(Cache.usual().folder), href, digest, store)


@lru_cache(maxsize=16)
def _open(cache: str, href: str, digest: str, store: Store) -> RemoteRaster:
    name = blake2b(f"{href}\0{digest}".encode(), digest_size=16).hexdigest()
    copy = Path(cache) / "remote" / name[:2] / f"{name}.tif"
    return RemoteRaster(RemoteFile(store.ranges(href), copy, shown(href)), shown(href))


def _check(raster: RemoteRaster, scene: Scene) -> None:
    dataset = raster.dataset
    if max(scene.bands) > dataset.count:
        raise DownloadError(
            f"{raster.name} has {dataset.count} bands, but samples.imagery.bands asks for {list(scene.bands)}."
        )
    kinds = {dataset.dtypes[band - 1] for band in scene.bands}
    if kinds != {"uint8"} and scene.stretch is None:
        raise DownloadError(
            f"{raster.name} holds {', '.join(sorted(kinds))} values. Set samples.imagery.stretch: [black, white]."
        )
    if not Grid.of(dataset, raster.name).agrees(Grid(scene.crs, scene.transform, scene.width, scene.height)):
        raise DownloadError(
            f"{raster.name} lies elsewhere than its catalogue says. Set samples.imagery.grid: file to believe the file."
        )


def _inside(scene: Scene, windows: Sequence[Window]) -> NDArray[np.bool_]:
    """Which windows lie within the footprint, and not near its edge."""
    if scene.footprint is None or not windows:
        return np.zeros(len(windows), dtype=bool)
    to_degrees = Transformer.from_crs(CRS(scene.crs), "EPSG:4326", always_xy=True)
    grown = [Window(w.col - EDGE, w.row - EDGE, w.width + 2 * EDGE, w.height + 2 * EDGE) for w in windows]
    boxes = shapely.box(*np.array([scene.window_bounds(window) for window in grown]).T)
    outlines = shapely.set_coordinates(boxes, np.column_stack(to_degrees.transform(*shapely.get_coordinates(boxes).T)))
    covered: NDArray[np.bool_] = shapely.covers(shapely.from_wkt(scene.footprint), outlines)
    return covered

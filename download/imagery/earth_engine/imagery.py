"""Scenes from an image collection of Google Earth Engine."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from pydantic import Field, model_validator
from shapely.geometry.base import BaseGeometry

from download.cache import Cache
from download.errors import NoScenesError
from download.imagery.earth_engine.collections import COLLECTIONS
from download.imagery.earth_engine.listing import Listed, fits_gsd, scene_of, touches
from download.imagery.earth_engine.pixels import Bunch, bunches, cut, decoded, grid_of, inside_footprint
from download.imagery.earth_engine.session import HIGH_VOLUME, Session
from download.imagery.pixels import patch
from download.imagery.source import ImagerySource
from download.patience import Patience
from download.scene import Scene, Window

WIDEST_VALUE = 8
"""Bytes of a double, the widest value that Earth Engine sends."""

Question = Callable[[Any, Scene, Window], bytes]
Answer = TypeVar("Answer")


class EarthEngineImagery(ImagerySource):
    """An image collection of Earth Engine, each image one scene.

    What is not said is taken from the table of `COLLECTIONS`, if the collection stands there.

    Attributes:
        kind: `earth_engine`.
        collection: its id, such as `USDA/NAIP/DOQQ`.
        dates: first and last day of acquisition.
        gsd: finest and coarsest nominal metres per pixel; others are left out.
        filter: further condition, such as `properties.CLOUDY_PIXEL_PERCENTAGE < 10`.
        bands: names of red, green and blue.
        scale: factor and offset by which Earth Engine turns stored values into those that `stretch` is about.
        stretch: values shown as black and white; needed for data that is not 8 bit.
        masked: whether pixels inside a footprint may be missing, so that masks are asked for before captions are made.
        source: provider's name, written into each sample.
        licence: licence of the imagery, written into each sample.
        attribution: credit line of the imagery, written into each sample.
        project: Cloud project that is billed; else `EARTHENGINE_PROJECT`, or what the credentials name.
        url: of the service.
        concurrency: requests under way at once in a process.
        quota: the same for all processes that share the cache folder, on this machine or on several; a project has 40
            unless Google grants more. Machines with folders of their own divide it.
        patience: how often and how long is tried.
    """

    kind: Literal["earth_engine"]
    collection: str = Field(min_length=1)
    dates: tuple[date, date] | None = None
    gsd: tuple[float, float] | None = None
    filter: str = ""
    bands: tuple[str, str, str]
    scale: tuple[float, float] | None = None
    stretch: tuple[float, float] | None = None
    masked: bool = True
    source: str
    licence: str
    attribution: str
    project: str | None = None
    url: str = HIGH_VOLUME
    concurrency: int = Field(default=4, ge=1, le=40)
    quota: int = Field(default=40, ge=1, le=1000)
    patience: Patience = Patience()

    @model_validator(mode="before")
    @classmethod
    def _from_table(cls, given: Any) -> Any:
        """Fills in what the table knows of the collection."""
        if not isinstance(given, dict):
            return given
        known = COLLECTIONS.get(str(given.get("collection")))
        if known is None:
            if "bands" not in given:
                raise ValueError(
                    f"bands: name red, green and blue of {given.get('collection')}; "
                    f"they are known only of {', '.join(COLLECTIONS)}"
                )
            return {"source": given.get("collection"), "licence": "", "attribution": "", **given}
        defaults = {
            "bands": known.bands, "stretch": known.stretch, "masked": known.masked,
            "source": given["collection"], "licence": known.licence, "attribution": known.attribution,
        }  # fmt: skip
        return {**defaults, **given}

    @model_validator(mode="after")
    def _in_order(self) -> "EarthEngineImagery":
        for name in ("dates", "gsd", "stretch"):
            pair = getattr(self, name)
            if pair and pair[0] > pair[1]:
                raise ValueError(f"{name}: {pair[0]} comes after {pair[1]}")
        if self.scale and not self.stretch:
            raise ValueError("scale needs a stretch: [black, white]")
        return self

    def check(self) -> None:
        """Looks at package, credentials and project; without network.

        Raises:
            DownloadError: one is missing.
        """
        self._session.check()

    def scenes(self, area: BaseGeometry | None = None) -> list[Scene]:
        """Scenes that meet an area (in degrees), sorted by id; metadata only, and from the cache the second time.

        Raises:
            NoScenesError: there are none.
            DownloadError: they cannot be listed, or they lack a band.
        """
        listed = Listed(self.collection, self.dates, self.filter)
        key = ("earth_engine_lists", self.url, self.collection, str(self.dates), listed.query(area))
        content = Cache.usual().content(
            key, ".json", self.source, lambda: json.dumps(listed.records(self._session, area)).encode()
        )
        known = {name: getattr(self, name) for name in ("source", "stretch", "masked", "licence", "attribution")}
        all_scenes = [scene_of(record, self.collection, self.bands, **known) for record in json.loads(content)]
        scenes = [scene for scene in all_scenes if fits_gsd(scene, self.gsd) and touches(scene, area)]
        if not scenes:
            raise NoScenesError(
                f"{self.collection} has no image there and then ({len(all_scenes)} before looking at the "
                "ground sample distance). Correct region, or samples.imagery.dates, gsd or filter."
            )
        return sorted(scenes, key=lambda scene: scene.id)

    def read(self, scene: Scene, window: Window, size: int) -> NDArray[np.uint8]:
        """The pixels of a window as an array (size, size, 3) of 8 bit; equal to the stored ones where sizes agree.

        Raises:
            DownloadError: they cannot be had.
        """
        (pixels,) = self._kept(scene, [window], self._pixels, np.load).values()
        return patch(pixels, size, scene.stretch)

    def prefetch(self, scene: Scene, windows: Sequence[Window]) -> None:
        """Brings windows into the cache, in as few requests as the service's limits allow.

        Raises:
            DownloadError: they cannot be had.
        """
        self._kept(scene, windows, self._pixels, Path.exists)

    def complete(self, scene: Scene, windows: Sequence[Window]) -> NDArray[np.bool_]:
        """Which windows the footprint covers and, where the collection has holes, hold no masked pixel.

        Raises:
            DownloadError: masks cannot be had.
        """
        whole = inside_footprint(scene, windows)
        if not scene.masked:
            return whole
        inside = [window for window, covered in zip(windows, whole, strict=True) if covered]
        masks = self._kept(scene, inside, self._mask, lambda file: bool(np.load(file).all()))
        return np.array([masks.get(window, False) for window in windows], dtype=bool)

    @property
    def _session(self) -> Session:
        return Session(self.source, self.url, self.project, self.concurrency, self.quota, self.patience)

    def _kept(
        self, scene: Scene, windows: Sequence[Window], what: Question, use: Callable[[Path], Answer]
    ) -> dict[Window, Answer]:
        """What becomes of windows' files (3, rows, columns); they are fetched first where they are not in the cache."""
        pixel_bytes = len(self.bands) * (1 if scene.stretch is None else WIDEST_VALUE)
        gathered = bunches(windows, pixel_bytes)
        with ThreadPoolExecutor(min(self.concurrency, max(1, len(gathered)))) as pool:
            used = pool.map(lambda bunch: self._kept_bunch(scene, bunch, what, use), gathered)
            return {window: answer for part in used for window, answer in part.items()}

    def _kept_bunch(
        self, scene: Scene, bunch: Bunch, what: Question, use: Callable[[Path], Answer]
    ) -> dict[Window, Answer]:
        kept, kind = Cache.usual(), f"earth_engine{what.__name__}"
        about = (kind, self.url, scene.path, scene.digest, *self.bands, str(self.scale))

        @cache
        def whole() -> NDArray[Any]:
            return self._session.ask(lambda ee: decoded(what(ee, scene, bunch.window), self.bands, bunch.window))

        def write(part: Window, target: Path) -> None:
            with target.open("wb") as file:
                np.save(file, cut(whole(), bunch.window, part), allow_pickle=False)

        def file(part: Window) -> Path:
            return kept.file((*about, str(tuple(part))), ".npy", self.source, partial(write, part))

        lock = kept.folder / kind / f"{blake2b(repr((*about, bunch)).encode(), digest_size=16).hexdigest()}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(lock):
            return {part: use(file(part)) for part in bunch.parts}

    def _pixels(self, ee: Any, scene: Scene, window: Window) -> bytes:
        params = {"fileFormat": "NPY", "grid": grid_of(scene, window)}
        if self.scale is None:
            return bytes(ee.data.getPixels({"assetId": scene.path, "bandIds": list(self.bands), **params}))
        factor, offset = self.scale
        image = ee.Image(scene.path).select(list(self.bands)).multiply(factor).add(offset)
        return bytes(ee.data.computePixels({"expression": image, **params}))

    def _mask(self, ee: Any, scene: Scene, window: Window) -> bytes:
        image = ee.Image(scene.path).select(list(self.bands)).mask().gt(0)
        params = {"fileFormat": "NPY", "grid": grid_of(scene, window)}
        return bytes(ee.data.computePixels({"expression": image, **params}))

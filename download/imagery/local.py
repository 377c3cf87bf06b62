"""Scenes from files on disk: whatever GDAL reads."""

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from glob import glob, has_magic
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from download.errors import DownloadError
from download.imagery.fgdc import Acquired, acquired, day_of, metadata_beside
from download.imagery.pixels import patch
from download.imagery.source import ImagerySource
from download.paths import ConfigPath
from download.scene import Scene, Window

RASTER_SUFFIXES = {".tif", ".tiff", ".vrt", ".jp2", ".img", ".png", ".jpg"}
TRUE_ALPHA = 0.99
"""Share of an alpha band that is fully transparent or fully opaque, at least."""

FEW = 5
HASHED_WHOLE = 64 << 20
HASHED_PIECE = 1 << 20


class LocalImagery(ImagerySource):
    """Rasters on disk, each file one scene.

    Attributes:
        kind: `local`.
        path: a raster, a folder of rasters, or a pattern such as `tiles/*.tif`.
        bands: 1-based indices of red, green and blue.
        stretch: values shown as black and white; needed for float data, and taken from the 2nd and 98th percentile
            of each scene for other data that is not 8 bit.
        source: provider's name, written into each sample.
        acquired: day of acquisition of all files; where it is not set, the metadata beside a file, its name (of NAIP)
            or its tags say it.
        licence: licence of the imagery, written into each sample.
        attribution: credit line of the imagery, written into each sample.
    """

    kind: Literal["local"]
    path: ConfigPath
    bands: tuple[int, int, int] = (1, 2, 3)
    stretch: tuple[float, float] | None = None
    source: str = "local"
    acquired: date | None = None
    licence: str = ""
    attribution: str = ""

    def scenes(self, area: BaseGeometry | None = None) -> list[Scene]:  # noqa: ARG002 - files are what they are
        """All scenes, sorted by id; metadata only, no pixel is read unless a stretch has to be found.

        Args:
            area: in degrees; sources that have too much list only what touches it.

        Raises:
            DownloadError: a file is missing, broken, has no CRS or geotransform, is rotated, or lacks a band.
        """
        files = self._files()
        names, metadata = _scene_ids(files), metadata_beside(files)
        return sorted((self._scene(file, names[file], metadata[file]) for file in files), key=lambda scene: scene.id)

    def notices(self, scenes: Sequence[Scene]) -> list[str]:
        """What the user should know of the days of acquisition: what metadata lack, and where they differ.

        Args:
            scenes: some of `scenes`; metadata of others are not read.

        Returns:
            Sentences, a few; how many more there are is said by the last one.
        """
        beside = {} if self.acquired else metadata_beside(Path(scene.path) for scene in scenes)
        found = [
            notice for file, metadata in beside.items() if metadata for notice in _acquired(file, metadata).notices
        ]
        more = [f"So it is with the metadata of {len(found) - FEW:,} more."] if len(found) > FEW else []
        return [*found[:FEW], *more]

    def read(self, scene: Scene, window: Window, size: int) -> NDArray[np.uint8]:
        """The pixels of a window as an array (size, size, 3) of 8 bit; equal to the file's where sizes agree.

        Raises:
            DownloadError: the file cannot be read there.
        """
        return patch(self._read(scene, window, indexes=list(scene.bands)), size, scene.stretch)

    def complete(self, scene: Scene, windows: Sequence[Window]) -> NDArray[np.bool_]:
        """Which windows hold no nodata or transparent pixel; files without a mask are not read at all."""
        if not scene.masked:
            return np.ones(len(windows), dtype=bool)
        return np.array([bool(self._read(scene, window, mask=True).all()) for window in windows], dtype=bool)

    def _read(self, scene: Scene, window: Window, *, mask: bool = False, **options: Any) -> NDArray[Any]:
        import rasterio
        from rasterio.windows import Window as RasterWindow

        dataset, where = _open(scene.path), RasterWindow(*window)
        try:
            pixels: NDArray[Any] = dataset.dataset_mask(window=where) if mask else dataset.read(window=where, **options)
        except rasterio.errors.RasterioError as error:
            place = f"column {window.col}, row {window.row}"
            raise DownloadError(f"{scene.path} cannot be read at {place}: {error}. Fetch the file again.") from error
        return pixels

    def _files(self) -> list[Path]:
        if has_magic(str(self.path)):
            files = [Path(name) for name in sorted(glob(str(self.path), recursive=True))]  # noqa: PTH207 - absolute patterns
        elif self.path.is_dir():
            files = sorted(file for file in self.path.rglob("*") if file.suffix.lower() in RASTER_SUFFIXES)
        elif self.path.exists():
            files = [self.path]
        else:
            raise DownloadError(
                f"No raster at {self.path}. Correct samples.imagery.path; "
                "a relative path starts at the configuration's folder."
            )
        if not files:
            raise DownloadError(
                f"No raster matches {self.path} (looked for {', '.join(sorted(RASTER_SUFFIXES))}). "
                "Correct samples.imagery.path."
            )
        return files

    def _scene(self, file: Path, name: str, metadata: Sequence[Path]) -> Scene:
        dataset = _open(str(file))
        _check(dataset, file, self.bands)
        crs, authority = dataset.crs, dataset.crs.to_authority()
        return Scene(
            id=name,
            source=self.source,
            path=str(file),
            acquired=self.acquired or _acquired(file, metadata).day,
            crs=":".join(authority) if authority else crs.to_wkt(),
            transform=tuple(dataset.transform)[:6],
            width=dataset.width,
            height=dataset.height,
            bands=self.bands,
            masked=_masked(dataset, file, self.bands),
            stretch=self._stretch(dataset, file),
            digest=_digest(file),
            licence=self.licence,
            attribution=self.attribution,
        )

    def _stretch(self, dataset: Any, file: Path) -> tuple[float, float] | None:
        kinds = {np.dtype(dataset.dtypes[band - 1]) for band in self.bands}
        if kinds == {np.dtype("uint8")} or self.stretch:
            return self.stretch
        if not all(np.issubdtype(kind, np.integer) for kind in kinds):
            raise DownloadError(
                f"{file} holds {', '.join(map(str, kinds))} values. Set samples.imagery.stretch: [black, white]."
            )
        sample = _thumbnail(dataset, file, list(self.bands)).compressed()
        if not sample.size:
            raise DownloadError(f"{file} holds nothing but nodata. Take it out of samples.imagery.path.")
        low, high = np.percentile(sample, [2, 98])
        return float(low), float(max(high, low + 1))


@lru_cache(maxsize=8)
def _open(path: str) -> Any:
    import rasterio

    try:
        return rasterio.open(path)
    except rasterio.errors.RasterioIOError as error:
        raise DownloadError(
            f"{path} is no raster that GDAL can open: {error}. If it should be one, it was cut off: fetch it again."
        ) from error


def _check(dataset: Any, file: Path, bands: Sequence[int]) -> None:
    a, b, _, d, e, _ = tuple(dataset.transform)[:6]
    if not dataset.crs:
        raise DownloadError(
            f"{file} has no coordinate reference system. Give it one: gdal_edit.py -a_srs EPSG:CODE {file}"
        )
    if dataset.transform.is_identity:
        raise DownloadError(
            f"{file} has no geotransform, so nobody knows where it lies. "
            f"Give it one: gdal_edit.py -a_ullr LEFT TOP RIGHT BOTTOM {file}"
        )
    if b or d or a <= 0 or e >= 0:
        raise DownloadError(f"{file} is not north up. Turn it: gdalwarp {file} {file.stem}_north_up.tif")
    if max(bands) > dataset.count or min(bands) < 1:
        raise DownloadError(f"{file} has {dataset.count} bands, but samples.imagery.bands asks for {list(bands)}.")
    _check_whole(dataset, file)


def _masked(dataset: Any, file: Path, bands: Sequence[int]) -> bool:
    """Whether pixels can be missing.

    Copies of NAIP often call their near-infrared band an alpha band; a true one is black or white nearly everywhere.
    """
    from rasterio.enums import ColorInterp, MaskFlags

    flags = [dataset.mask_flag_enums[band - 1] for band in bands]
    if all(MaskFlags.all_valid in flag for flag in flags):
        return False
    if not any(MaskFlags.alpha in flag for flag in flags):
        return True
    alpha = dataset.colorinterp.index(ColorInterp.alpha) + 1
    sample = _thumbnail(dataset, file, [alpha])
    return bool(np.isin(sample.data, [0, np.iinfo(sample.dtype).max]).mean() >= TRUE_ALPHA)


def _thumbnail(dataset: Any, file: Path, bands: list[int]) -> Any:
    """A masked array of every so many pixels, at most some 512 a side."""
    import rasterio

    scale = max(1, max(dataset.width, dataset.height) // 512)
    shape = (len(bands), max(1, dataset.height // scale), max(1, dataset.width // scale))
    try:
        return dataset.read(bands, out_shape=shape, masked=True)
    except rasterio.errors.RasterioError as error:
        raise DownloadError(f"{file} cannot be read: {error}. Fetch the file again.") from error


def _check_whole(dataset: Any, file: Path) -> None:
    """TIFF says where each block lies: one that ends behind the file's end was cut off."""
    if dataset.driver != "GTiff":
        return
    size, (rows, cols) = file.stat().st_size, dataset.block_shapes[0]
    for row in range(-(-dataset.height // rows)):
        for col in range(-(-dataset.width // cols)):
            offset = dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=1)
            length = dataset.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=1)
            if offset and length and int(offset) + int(length) > size:
                raise DownloadError(
                    f"{file} is cut off: it needs {int(offset) + int(length):,} bytes or more and has {size:,}. "
                    "Fetch it again."
                )


def _scene_ids(files: Sequence[Path]) -> dict[Path, str]:
    stems = [file.stem for file in files]
    if len(set(stems)) == len(stems):
        return dict(zip(files, stems, strict=True))
    return {file: "_".join((*file.parent.parts[-2:], file.stem)).strip("/") for file in files}


def _acquired(file: Path, metadata: Sequence[Path]) -> Acquired:
    said = re.match(r"(\d{4}):(\d{2}):(\d{2})", _open(str(file)).tags().get("TIFFTAG_DATETIME", ""))
    return acquired(file, metadata, in_file=day_of(*said.groups()) if said else None)


def _digest(file: Path) -> str:
    """Of the whole file, or of its size and 64 pieces spread over it where it is large."""
    size, content = file.stat().st_size, blake2b(digest_size=16)
    content.update(str(size).encode())
    with file.open("rb") as stream:
        if size <= HASHED_WHOLE:
            content.update(stream.read())
        else:
            for offset in np.linspace(0, size - HASHED_PIECE, HASHED_WHOLE // HASHED_PIECE, dtype=np.int64):
                stream.seek(int(offset))
                content.update(stream.read(HASHED_PIECE))
    return content.hexdigest()

"""Windows of rasters behind addresses: whole blocks are fetched, each once; GDAL itself never sees the network.

GDAL could read over HTTP by itself (`/vsicurl/`). But rasterio then says neither which status came nor how much was
fetched, a failure is remembered as "no such file", waits and tries are set for the whole process, and what was read
stays in memory only. Here all of that is the business of `Web` and `RemoteFile`; GDAL decodes what lies on the disk.
"""

import io
import weakref
from collections.abc import Callable, Sequence
from contextvars import Context, copy_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from download.errors import DownloadError
from download.imagery.local import TRUE_ALPHA
from download.imagery.remote_file import RemoteFile, Span
from download.scene import Window

GDAL = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no looking for side files (.aux.xml, .ovr, .msk): each is a request
}
ALPHA_SAMPLE = 512


class RemoteRaster:
    """A raster of which only header and needed blocks are fetched.

    Attributes:
        name: of the raster, for people.
        dataset: as rasterio opened it.
    """

    def __init__(self, file: RemoteFile, name: str) -> None:
        """Opens the raster; fetches its header if it is not here.

        Raises:
            DownloadError: the header cannot be had, or is none that GDAL knows.
        """
        import rasterio

        self.name = name
        self._file = file
        self._reader = _Reader(file)
        self._context = copy_context()
        self.dataset: Any = self._watched(
            lambda: self._context.run(rasterio.open, name, opener=_opener(name, self._reader))
        )
        # GDAL must let go of the reader while Python still runs, else the process ends with a crash.
        weakref.finalize(self, _run, self._context, self.dataset.close)
        self._tiff = self.dataset.driver == "GTiff"

    def fetch(self, windows: Sequence[Window], bands: Sequence[int]) -> None:
        """Fetches the blocks that windows touch, those that lie side by side with one request."""
        if self._tiff:
            self._file.need(self.blocks(windows, bands))

    def read(self, window: Window, bands: Sequence[int]) -> NDArray[Any]:
        """The stored pixels, (bands, rows, columns)."""
        from rasterio.windows import Window as RasterWindow

        self.fetch([window], bands)
        pixels: NDArray[Any] = self._watched(
            lambda: self.dataset.read(list(bands), window=RasterWindow(*window)), window
        )
        return pixels

    def whole(self, window: Window, bands: Sequence[int]) -> bool:
        """Whether no pixel of a window is missing."""
        from rasterio.windows import Window as RasterWindow

        self.fetch([window], bands)
        return bool(self._watched(lambda: self.dataset.dataset_mask(window=RasterWindow(*window)), window).all())

    def masked(self, bands: Sequence[int]) -> bool:
        """Whether pixels can be missing; as `LocalImagery` finds it, but an alpha band is looked at in the middle."""
        from rasterio.enums import ColorInterp, MaskFlags

        of_all = self._watched(lambda: self.dataset.mask_flag_enums)
        flags = [of_all[band - 1] for band in bands]
        if all(MaskFlags.all_valid in flag for flag in flags):
            return False
        if not any(MaskFlags.alpha in flag for flag in flags):
            return True
        width, height = (min(ALPHA_SAMPLE, length) for length in (self.dataset.width, self.dataset.height))
        middle = Window((self.dataset.width - width) // 2, (self.dataset.height - height) // 2, width, height)
        alpha = self.read(middle, [self.dataset.colorinterp.index(ColorInterp.alpha) + 1])
        return bool(np.isin(alpha, [0, np.iinfo(alpha.dtype).max]).mean() >= TRUE_ALPHA)

    def blocks(self, windows: Sequence[Window], bands: Sequence[int]) -> list[Span]:
        """Where the blocks lie that windows touch, each once; blocks that the file leaves out are not among them."""
        rows, cols = self.dataset.block_shapes[0]
        places = {
            (col, row)
            for window in windows
            for row in range(window.row // rows, -(-(window.row + window.height) // rows))
            for col in range(window.col // cols, -(-(window.col + window.width) // cols))
        }
        apart = self.dataset.profile.get("interleave") == "band"
        spans = (self._block(col, row, band) for band in (bands if apart else bands[:1]) for col, row in sorted(places))
        return [span for span in spans if span]

    def _block(self, col: int, row: int, band: int) -> Span | None:
        offset, length = self._watched(
            lambda: [
                self.dataset.get_tag_item(f"BLOCK_{what}_{col}_{row}", "TIFF", bidx=band) for what in ("OFFSET", "SIZE")
            ]
        )
        return (int(offset), int(offset) + int(length)) if offset and length else None

    def _watched(self, ask: Callable[[], Any], window: Window | None = None) -> Any:
        """GDAL knows errors only as failed reads: what really went wrong is kept by the reader."""
        import rasterio

        self._reader.error = None
        try:
            with rasterio.Env(**GDAL):
                answer = _run(self._context, ask)
        except rasterio.errors.RasterioError as error:
            if self._reader.error:
                raise self._reader.error from None
            place = f" at column {window.col}, row {window.row}" if window else ""
            raise DownloadError(
                f"{self.name} cannot be read{place}: {error}. If it is no raster, correct samples.imagery.asset."
            ) from error
        if self._reader.error:
            raise self._reader.error
        return answer


def _run(context: Context, ask: Callable[[], Any]) -> Any:
    """In the context that opened the raster.

    rasterio keeps its openers in context variables: another thread that reads or closes the raster, be it the one that
    happens to collect garbage, finds none there (rasterio issues 3438 and 3636). A copy, as two cannot be in one
    context at a time; what the variables hold is the same.
    """
    return context.copy().run(ask)


def _opener(name: str, reader: "_Reader") -> Callable[..., "_Reader"]:
    def opened(path: str, mode: str = "rb", **_: object) -> _Reader:
        if path != name or "w" in mode:
            raise FileNotFoundError(path)
        return reader

    return opened


class _Reader(io.RawIOBase):
    """What GDAL reads from."""

    def __init__(self, file: RemoteFile) -> None:
        self.error: DownloadError | None = None
        self._file = file
        self._at = 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            content = self._file.read(self._at, size if size >= 0 else self._file.size)
        except DownloadError as error:
            self.error = error
            return b""
        self._at += len(content)
        return content

    def close(self) -> None:
        """Stays open: GDAL opens and closes one file several times."""

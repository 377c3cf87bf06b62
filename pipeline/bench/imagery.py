"""What reading patches of a cloud-optimised GeoTIFF over HTTP costs, beside plain rasterio."""

import hashlib
import multiprocessing
import platform
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from download.errors import DownloadError
from download.imagery.remote_access import Store
from download.imagery.remote_file import RemoteFile
from download.imagery.remote_raster import RemoteRaster
from download.patience import Patience
from download.scene import Window

ACROSS: Final = 25
BANDS: Final = (1, 2, 3)

TUNED: Final = {
    "GDAL_HTTP_TIMEOUT": "30",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no side files
    "CPL_VSIL_CURL_USE_HEAD": "NO",  # the size comes with the first range
    "GDAL_INGESTED_BYTES_AT_OPEN": "65536",  # the whole header at once
    "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",  # blocks side by side are one request
    "GDAL_HTTP_MULTIPLEX": "YES",
    "VSI_CACHE": "TRUE",
    "VSI_CACHE_SIZE": str(64 << 20),
}
"""What guides to reading COGs over HTTP recommend."""


def run(raster: Path | None = None, *, patches: int = 500, size: int = 224, block: int = 256) -> dict[str, Any]:
    """Reads adjoining patches, row by row and one by one, over HTTP on this machine; the server counts.

    Args:
        raster: a tiled GeoTIFF of 8 bit; left out, a made-up one (three bands, deflate, 25 patches across).
        patches: how many.
        size: pixels of a side.
        block: of the made-up raster's blocks.

    Returns:
        For each way of reading: `requests_per_patch`; `bytes_per_window_byte`, what was sent by what the windows hold
        uncompressed; `bytes_per_block_byte`, what was sent by what the blocks that they touch take up in the file,
        each counted once: an ideal reader has 1; `seconds`. And whether all ways gave the same pixels; settings.

    Raises:
        DownloadError: the raster has fewer patches.
    """
    with TemporaryDirectory(prefix="mapteller-") as name:
        folder = Path(name)
        file = raster or make_raster(folder / "made.tif", patches, size, block)
        with _serving(file) as server:
            first = _remote(server, folder / "laid")
            windows = _windows(first.dataset.width, first.dataset.height, size, patches)
            stored = sum(end - start for start, end in first.blocks(windows, BANDS))
            measured = {
                way: _measured(server, windows, read)
                for way, read in {
                    "mapteller": lambda: _one_by_one(server, folder / "one", windows),
                    "mapteller_prefetch": lambda: _ahead(server, folder / "ahead", windows),
                    "mapteller_again": lambda: _one_by_one(server, folder / "one", windows),
                    "rasterio": lambda: _plain(f"{server.url}/plain.tif", windows, {}),
                    "rasterio_tuned": lambda: _plain(f"{server.url}/tuned.tif", windows, TUNED),
                }.items()
            }
        held = len(windows) * len(BANDS) * size**2
        return {
            **{way: one.figures(len(windows), held, stored) for way, one in measured.items()},
            "same_pixels": len({one.digest for one in measured.values()}) == 1,
            "settings": {
                "raster": raster.name if raster else "made up",
                "patches": len(windows),
                "size": size,
                "block": first.dataset.block_shapes[0][1],
                "window_bytes": held,
                "block_bytes": stored,
                "python": platform.python_version(),
                "rasterio": version("rasterio"),
            },
        }


def make_raster(target: Path, patches: int, size: int, block: int) -> Path:
    """A cloud-optimised GeoTIFF that holds so many patches; slopes and noise compress about as photographs do."""
    import rasterio
    from rasterio.transform import from_origin

    random = np.random.default_rng(0)
    width, height = ACROSS * size, -(-patches // ACROSS) * size
    rows, cols = np.sin(np.arange(height) / 31)[:, None], np.cos(np.arange(width) / 47)[None, :]
    profile = {
        "driver": "COG", "compress": "deflate", "blocksize": block, "count": 3, "dtype": "uint8", "width": width,
        "height": height, "crs": "EPSG:26911", "transform": from_origin(485_000, 3_600_000, 0.6, 0.6),
    }  # fmt: skip
    with rasterio.open(target, "w", **profile) as raster:
        for band in BANDS:
            noise = random.integers(0, 16, (height, width), dtype=np.uint8)
            raster.write((100 + 50 * rows + 40 * cols).astype(np.uint8) + noise, band)
    return target


@dataclass(frozen=True, slots=True)
class _Measured:
    requests: int
    sent: int
    seconds: float
    digest: str

    def figures(self, patches: int, held: int, stored: int) -> dict[str, Any]:
        return {
            "requests_per_patch": round(self.requests / patches, 3),
            "bytes_per_window_byte": round(self.sent / held, 3),
            "bytes_per_block_byte": round(self.sent / stored, 3),
            "requests": self.requests,
            "bytes": self.sent,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True, slots=True)
class _Server:
    """A file under any address, and what was asked of it."""

    url: str
    requests: Any
    sent: Any


def _measured(server: _Server, windows: Sequence[Window], read: Callable[[], Iterator[NDArray[Any]]]) -> _Measured:
    requests, sent, content = server.requests.value, server.sent.value, hashlib.sha256()
    started = time.perf_counter()
    for pixels in read():
        content.update(pixels.tobytes())
    seconds = time.perf_counter() - started
    return _Measured(
        server.requests.value - requests, server.sent.value - sent, seconds, f"{len(windows)}{content.hexdigest()}"
    )


def _remote(server: _Server, copy: Path) -> RemoteRaster:
    url = f"{server.url}/raster.tif"
    return RemoteRaster(RemoteFile(Store("bench", Patience()).ranges(url), copy, url), url)


def _one_by_one(server: _Server, copy: Path, windows: Sequence[Window]) -> Iterator[NDArray[Any]]:
    raster = _remote(server, copy)
    return (raster.read(window, BANDS) for window in windows)


def _ahead(server: _Server, copy: Path, windows: Sequence[Window]) -> Iterator[NDArray[Any]]:
    raster = _remote(server, copy)
    raster.fetch(windows, BANDS)
    return (raster.read(window, BANDS) for window in windows)


def _plain(url: str, windows: Sequence[Window], options: Mapping[str, str]) -> Iterator[NDArray[Any]]:
    import rasterio
    from rasterio.windows import Window as RasterWindow

    with rasterio.Env(**options), rasterio.open(url) as raster:
        for window in windows:
            yield raster.read(list(BANDS), window=RasterWindow(*window))


def _windows(width: int, height: int, size: int, patches: int) -> list[Window]:
    """Patches side by side, no more across than keeps them in a compact piece of the raster."""
    across = min(ACROSS, width // size)
    if across * (height // size) < patches:
        raise DownloadError(f"The raster has {across * (height // size)} patches of {size} pixels, not {patches}.")
    return [Window(number % across * size, number // across * size, size, size) for number in range(patches)]


@contextmanager
def _serving(file: Path) -> Iterator[_Server]:
    """In a process of its own: rasterio keeps Python's lock while it opens a file, so a thread could not answer."""
    context = multiprocessing.get_context("spawn")
    requests, sent = context.Value("q", 0), context.Value("q", 0)
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(file, theirs, requests, sent), daemon=True)
    process.start()
    try:
        yield _Server(f"http://127.0.0.1:{ours.recv()}", requests, sent)
    finally:
        process.terminate()
        process.join()


def _serve(file: Path, told: Any, requests: Any, sent: Any) -> None:
    state = {"file": file, "requests": requests, "sent": sent}
    server = _Quiet(("127.0.0.1", 0), type("Handler", (_Handler,), state))
    told.send(server.server_address[1])
    server.serve_forever()


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: whoever asked has hung up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    file: Path
    requests: Any
    sent: Any

    def do_GET(self) -> None:
        size = self.file.stat().st_size
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        found = self.path.endswith(".tif")
        start, end = (int(wanted[1]), min(int(wanted[2]) + 1, size)) if wanted else (0, size)
        body = b""
        if found and self.command == "GET":
            with self.file.open("rb") as file:
                file.seek(start)
                body = file.read(end - start)
        for counter, more in ((self.requests, 1), (self.sent, len(body))):
            with counter.get_lock():
                counter.value += more
        self.send_response((206 if wanted else 200) if found else 404)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - start if found else 0))
        if wanted and found:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - likewise

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Says nothing."""

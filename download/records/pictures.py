"""Pictures of records: fetched one by one, as img2dataset would, or out of what it has fetched already."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from download.cache import Cache
from download.errors import DownloadError, MissingError, PassingError
from download.paths import ConfigPath
from download.patience import Patience
from download.web import Web, shown

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP")
"""What is taken for a picture, by its content; names and headers do not count."""
PIXELS = 80_000_000
"""Most pixels of a picture; more are refused before they are unpacked."""

Kept = TypeVar("Kept")


class WebPictures(BaseModel):
    """Pictures where their addresses say; what was fetched once is kept.

    Attributes:
        kind: `web`.
        patience: how often and how long is tried; a page instead of a picture is tried again too, since overloaded
            servers send such.
        threads: fetched at once, by each process.
        most_bytes: larger files are refused before they are read to their end.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["web"] = "web"
    patience: Patience = Patience(tries=4, longest_wait_s=10, timeout_s=30)
    threads: int = Field(default=8, ge=1, le=64)
    most_bytes: int = Field(default=50_000_000, ge=1_000)

    def get(self, url: str) -> bytes:
        """The picture's file, as published.

        Raises:
            MissingError: it is not there any more.
            DownloadError: it is no picture, too large, or cannot be fetched.
        """
        web = _Bounded("gaia", self.patience, most=self.most_bytes)
        return Cache.usual().content(("pictures", url), "", shown(url), lambda: self._get(web, url))

    def get_all(self, urls: Sequence[str], keep: Callable[[bytes], Kept]) -> list[Kept | DownloadError]:
        """What is kept of each of several files, in order; what cannot be had is an error in its place."""
        with ThreadPoolExecutor(self.threads, "pictures") as pool:
            return list(pool.map(lambda url: _tried(self, url, keep), urls))

    def check(self) -> None:
        """Nothing is needed."""

    def _get(self, web: Web, url: str) -> bytes:
        def check(content: bytes, headers: Mapping[str, str]) -> None:  # noqa: ARG001 - they are often wrong
            try:
                _decoded(content)
            except (PassingError, DownloadError) as error:
                raise type(error)(f"{shown(url)}: {error}") from None

        return web.get(url, check)


class TarPictures(BaseModel):
    """Pictures out of img2dataset's `webdataset` output.

    Attributes:
        kind: `img2dataset`.
        path: folder of its tar files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["img2dataset"]
    path: ConfigPath

    def get(self, url: str) -> bytes:
        """The picture's file, as img2dataset left it.

        Raises:
            MissingError: it fetched no such picture.
            DownloadError: a tar file is damaged.
        """
        place = _places(self.path).get(url)
        if place is None:
            raise MissingError(f"{shown(url)} is not in {self.path}: img2dataset could not fetch it.")
        with (self.path / place.tar).open("rb") as stream:
            stream.seek(place.offset)
            content = stream.read(place.size)
        try:
            _decoded(content)
        except PassingError as error:
            raise DownloadError(f"{self.path / place.tar}, byte {place.offset:,}: {error}") from None
        return content

    def get_all(self, urls: Sequence[str], keep: Callable[[bytes], Kept]) -> list[Kept | DownloadError]:
        """What is kept of each of several files, in order; what cannot be had is an error in its place."""
        return [_tried(self, url, keep) for url in urls]

    def check(self) -> None:
        """Looks for the folder.

        Raises:
            DownloadError: it holds no tar file.
        """
        if not any(self.path.glob("*.tar")):
            raise DownloadError(
                f"{self.path} holds no tar file; let img2dataset write there (output_format webdataset)."
            )


def fitted(content: bytes, size: int) -> bytes:
    """A picture as PNG in RGB, its shorter side no longer than `size`, ratio kept (img2dataset's `keep_ratio`).

    Raises:
        DownloadError: it is no picture.
    """
    try:
        image = _decoded(content)
    except PassingError as error:
        raise DownloadError(str(error)) from None
    scale = size / min(image.size)
    if scale < 1:
        from PIL import Image

        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _tried(pictures: WebPictures | TarPictures, url: str, keep: Callable[[bytes], Kept]) -> Kept | DownloadError:
    try:
        return keep(pictures.get(url))
    except DownloadError as error:
        return error


@dataclass(frozen=True, slots=True)
class _Bounded(Web):
    """A way that gives up on answers that are too long, said or not."""

    most: int = 0

    def _body(self, url: str, answer: Any) -> Iterator[bytes]:
        said, received = answer.headers.get("Content-Length", ""), 0
        if said.isdigit() and int(said) > self.most:
            raise DownloadError(f"{shown(url)} has {int(said):,} bytes, more than most_bytes ({self.most:,}) allows.")
        for piece in super(_Bounded, self)._body(url, answer):  # a bare super() does not find its class within slots
            received += len(piece)
            if received > self.most:
                raise DownloadError(f"{shown(url)} has more than {self.most:,} bytes (most_bytes).")
            yield piece


def _decoded(content: bytes) -> Any:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > PIXELS:
                raise DownloadError(f"a picture of {image.width:,} x {image.height:,} pixels is too large.")
            return image.convert("RGB")
    except Image.DecompressionBombError:
        raise DownloadError("a picture of so many pixels that it may be an attack.") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        page = content[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml"))
        raise PassingError("a web page, not a picture" if page else f"no whole picture: {error}") from None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a picture lies."""

    tar: str
    offset: int
    size: int


@lru_cache(maxsize=4)
def _places(folder: Path) -> Mapping[str, _Place]:
    """Pictures of all tar files by the address they came from."""
    found: dict[str, _Place] = {}
    for path in sorted(folder.glob("*.tar")):
        pictures: dict[str, _Place] = {}
        addresses: dict[str, str] = {}
        try:
            with tarfile.open(path) as tar:
                for member in tar:
                    key, _, suffix = member.name.rpartition(".")
                    if suffix == "json" and member.size < 1 << 22:
                        addresses[key] = str(json.loads(tar.extractfile(member).read()).get("url", ""))  # type: ignore[union-attr]
                    elif suffix in ("jpg", "png", "webp"):
                        pictures[key] = _Place(path.name, member.offset_data, member.size)
        except (tarfile.TarError, OSError, EOFError, ValueError, AttributeError) as error:
            raise DownloadError(f"{path} is no whole tar file of img2dataset: {error}") from error
        found |= {addresses[key]: place for key, place in pictures.items() if key in addresses}
    return found

"""What a tile holds, by its content: endings and content types of tile servers are often wrong."""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from download.errors import DownloadError

LARGEST: Final = 4096
"""Pixels of a side; what claims more is no tile."""

TRACES: Final = 6
"""Grey levels by which a lossy file of one colour may waver; ground wavers more."""

_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
)
_OTHERS: Final = (
    (b"\x1f\x8b", "gzip data, as vector tiles are; MapTeller reads pictures"),
    (b"<", "text with markup, such as a page that reports an error"),
    (b"{", "JSON text"),
)


def picture_format(content: bytes) -> str | None:
    """`PNG`, `JPEG`, `WEBP`, `GIF` or `AVIF`; None for what is no picture."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WEBP"
    if content[4:12] in (b"ftypavif", b"ftypavis"):
        return "AVIF"
    return next((name for magic, name in _MAGIC if content.startswith(magic)), None)


def decode(content: bytes, where: str) -> NDArray[np.uint8]:
    """The pixels of a tile, whatever it is called.

    Args:
        content: of the file.
        where: for the message.

    Returns:
        (rows, columns, 4): red, green, blue and opacity.

    Raises:
        DownloadError: it is no picture, or a broken one.
    """
    name = picture_format(content)
    if name is None:
        held = next((held for magic, held in _OTHERS if content.lstrip().startswith(magic)), "no known form of picture")
        raise DownloadError(f"{where} holds {held}.")
    try:
        with Image.open(io.BytesIO(content), formats=[name]) as picture:
            if max(picture.size) > LARGEST:
                raise DownloadError(f"{where} claims {picture.width} x {picture.height} pixels; that is no tile.")
            return np.asarray(picture.convert("RGBA"))
    except (OSError, SyntaxError, ValueError) as error:
        raise DownloadError(f"{where} is a broken {name}: {error}.") from error


def is_blank(pixels: NDArray[np.uint8]) -> bool:
    """Whether a tile shows nothing: it is transparent, or of one colour but for traces of its compression.

    Args:
        pixels: (rows, columns, 4).
    """
    seen = pixels[pixels[..., 3] > 0]
    return len(seen) == 0 or bool(np.ptp(seen[:, :3], axis=0).max() <= TRACES)

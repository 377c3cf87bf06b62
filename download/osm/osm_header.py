"""What an OSM file says about itself before its elements begin, and whether it is whole at a glance."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import osmium

from download.errors import DownloadError
from download.scene import Bounds

_MAX_BLOB_HEADER: Final = 64 * 1024
"""Bytes; the PBF format forbids more."""


def check(path: Path, *, history: bool = False) -> None:
    """Looks at the header of an OSM file, and whether the file ends where it should.

    Args:
        path: The file.
        history: Whether the full history of elements is welcome.

    Raises:
        DownloadError: It is empty, no OSM file, cut short, or the full history of its elements.
    """
    if not path.stat().st_size:
        raise DownloadError(f"The map extract {path} is empty. Fetch it again.")
    if header(path).has_multiple_object_versions and not history:
        raise DownloadError(
            f"{path} holds the full history of its elements, not their state at one time. Set `samples.as_of: picture` "
            f"to use them as they stood when a picture was taken, or cut a state out of it by hand with: "
            f"osmium time-filter {path} 2022-01-01T00:00:00Z -o state.osm.pbf"
        )
    if path.suffix == ".pbf":
        for _ in blob_ends(path):
            pass
    elif path.suffix == ".osm":
        _check_closing_tag(path)


def bounds(path: Path) -> Bounds | None:
    """The box in the header, None where there is none."""
    box = header(path).box()
    if not box.valid():
        return None
    return (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat)


def header(path: Path) -> "osmium.io.Header":
    """What the file says about itself.

    Raises:
        DownloadError: It is no OSM file.
    """
    try:
        with osmium.io.Reader(path, osmium.osm.NOTHING) as reader:
            return reader.header()
    except RuntimeError as error:
        raise DownloadError(f"{path} is no OSM file, or a damaged one: {error}. Fetch it again.") from error


def blob_ends(path: Path) -> Iterator[int]:
    """Walks from blob to blob of a PBF file, without reading them; gives the byte after each.

    The file is a chain of: length of the header (4 bytes, big-endian), header, blob
    (https://wiki.openstreetmap.org/wiki/PBF_Format). The first blob is about the file, the others hold elements.

    Raises:
        DownloadError: The chain is broken, or the last blob is not whole.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        while file.tell() < size:
            start = file.tell()
            length = int.from_bytes(file.read(4), "big")
            if length > _MAX_BLOB_HEADER:
                raise DownloadError(f"The map extract {path} is damaged at byte {start:,}. Fetch it again.")
            end = file.tell() + length
            end += _blob_size(file.read(length))
            if end > size:
                raise DownloadError(
                    f"The map extract {path} was cut short: a block needs {end:,} bytes, the file has {size:,}. "
                    "Fetch it again."
                )
            file.seek(end)
            yield end


def _blob_size(header: bytes) -> int:
    """Reads `datasize`, field 3 of a BlobHeader message; its other fields are texts. A header cut short gives 0."""
    at = 0
    while at < len(header):
        field, at = _varint(header, at)
        value, at = _varint(header, at)
        if field == 3 << 3:
            return value
        at += value
    return 0


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Reads a number in protobuf's variable length; gives it and where the next one begins."""
    number = shift = 0
    for byte in message[at:]:
        number |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:
            break
    return number, at


def _check_closing_tag(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(-min(200, path.stat().st_size), os.SEEK_END)
        if not file.read().rstrip().endswith((b"</osm>", b"/>")):
            raise DownloadError(f"The map extract {path} was cut short: it has no closing tag. Fetch it again.")

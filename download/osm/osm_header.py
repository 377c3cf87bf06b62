"""What an OSM file says about itself before its elements begin, and whether it is whole at a glance."""

import os
from pathlib import Path
from typing import Final

import osmium

from download.errors import DownloadError
from download.scene import Bounds

_MAX_BLOB_HEADER: Final = 64 * 1024
"""Bytes; the PBF format forbids more."""


def check(path: Path) -> None:
    """Looks at the header of an OSM file, and whether the file ends where it should.

    Raises:
        DownloadError: It is empty, no OSM file, cut short, or the full history of its elements.
    """
    if not path.stat().st_size:
        raise DownloadError(f"The map extract {path} is empty. Fetch it again.")
    header = _header(path)
    if header.has_multiple_object_versions:
        raise DownloadError(
            f"{path} holds the full history of its elements, not their state at one time. Cut a state out of it "
            f"with: osmium time-filter {path} 2022-01-01T00:00:00Z -o state.osm.pbf"
        )
    if path.suffix == ".pbf":
        _check_blobs(path)
    elif path.suffix == ".osm":
        _check_closing_tag(path)


def bounds(path: Path) -> Bounds | None:
    """The box in the header, None where there is none."""
    box = _header(path).box()
    if not box.valid():
        return None
    return (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat)


def _header(path: Path) -> "osmium.io.Header":
    try:
        with osmium.io.Reader(path, osmium.osm.NOTHING) as reader:
            return reader.header()
    except RuntimeError as error:
        raise DownloadError(f"{path} is no OSM file, or a damaged one: {error}. Fetch it again.") from error


def _check_blobs(path: Path) -> None:
    """Walks from blob to blob, without reading them, to see whether the last one is whole.

    A PBF file is a chain of: length of the header (4 bytes, big-endian), header, blob
    (https://wiki.openstreetmap.org/wiki/PBF_Format).
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

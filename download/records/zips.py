"""Members of large zip files without unpacking them: a directory on disk, and bounded reads.

The central directory of a part with a million members takes the standard library half a gigabyte of memory. Here it is
read once, in order, into a sorted table on disk that is mapped into memory; a member is one read at its place. Layout
and field numbers: APPNOTE.TXT 6.3.10 of the ZIP specification (PKWARE).
"""

import os
import struct
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from download.errors import DownloadError
from download.records.refused import Refused

STORED, DEFLATED = 0, 8
"""Ways of storing a member that are read."""

_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_SENTINEL: Final = 0xFFFFFFFF
_TAIL: Final = (1 << 16) + _END.size + _LOCATOR.size
_BLOCK: Final = 1 << 20
_SLACK: Final = 512
"""Bytes read beyond a member, for its name and extra fields."""
_ENCRYPTED: Final = 0x1

KeyOf = Callable[[str], int]
"""A member's key from its name; raises `Refused` for what is none of ours."""


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member lies.

    Attributes:
        offset: of its local header.
        compressed: bytes in the archive.
        size: bytes unpacked, as declared.
        crc: of the unpacked bytes.
        method: how it is stored; -1 where it cannot be read.
    """

    offset: int
    compressed: int
    size: int
    crc: int
    method: int


@dataclass(frozen=True, slots=True)
class ZipPart:
    """A zip file and its sorted directory.

    Attributes:
        archive: the zip file.
        directory: a NumPy file: (5, n) int64 rows of key, offset, compressed size, size, and CRC with method.
    """

    archive: Path
    directory: Path

    def find(self, keys: NDArray[np.int64]) -> list[Member | None]:
        """Members by key, None where there is none."""
        table = _mapped(self.directory)
        places = np.searchsorted(table[0], keys)
        if not table.shape[1]:
            return [None] * len(keys)
        places = np.minimum(places, table.shape[1] - 1)
        columns = table[:, places]
        return [
            Member(offset, compressed, size, packed >> 16, (packed & 0xFFFF) - 1) if there else None
            for offset, compressed, size, packed, there in zip(
                *columns[1:].tolist(), (columns[0] == keys).tolist(), strict=True
            )
        ]

    def read(self, member: Member, most: int) -> bytes:
        """A member's bytes.

        Args:
            member: one that was found.
            most: bytes that it may have when unpacked; no more are ever unpacked.

        Raises:
            Refused: it is too large, damaged, encrypted or packed in another way.
        """
        return read_member(_opened(self.archive), member, most)


def index_zip(archive: Path, folder: Path, key_of: KeyOf) -> tuple[ZipPart, Mapping[str, int]]:
    """Makes the sorted directory of a zip file, unless the folder holds it already.

    Args:
        archive: the zip file.
        folder: where directories are kept, by digest of what the archive says of itself.
        key_of: a member's key from its name.

    Returns:
        The part, and how many of its members are left out, by reason; of members with one key the first is kept.

    Raises:
        DownloadError: the file is no zip file, or is cut off.
    """
    with archive.open("rb") as stream:
        start, size = _central_directory(stream, archive)
        digest = _digest(stream, start, size)
        target = folder / f"{archive.stem}-{digest}.npy"
        part = ZipPart(archive, target)
        left_out = folder / f"{target.stem}.txt"
        if not left_out.exists():
            table, reasons = _table(stream, start, size, key_of)
            folder.mkdir(parents=True, exist_ok=True)
            beside = folder / f"{target.stem}.{os.getpid()}.tmp.npy"
            np.save(beside, table)
            beside.replace(target)
            text = "".join(f"{count}\t{reason}\n" for reason, count in sorted(reasons.items()))
            left_out.write_text(text, encoding="utf-8")
    lines = (line.split("\t", 1) for line in left_out.read_text(encoding="utf-8").splitlines())
    return part, {reason: int(count) for count, reason in lines}


def read_member(descriptor: int, member: Member, most: int) -> bytes:
    """See `ZipPart.read`; for an open file."""
    if member.method == -1:
        raise Refused("zip entry encrypted")
    if member.method not in (STORED, DEFLATED):
        raise Refused("zip entry packed in another way", f"method {member.method}")
    if member.size > most or member.compressed > most + _SLACK:
        raise Refused("zip entry too large", f"{member.size:,} bytes, at most {most:,} are read")
    content = os.pread(descriptor, _LOCAL.size + member.compressed + _SLACK, member.offset)
    if len(content) < _LOCAL.size or content[:4] != b"PK\x03\x04":
        raise Refused("zip entry cut off")
    name, extra = _LOCAL.unpack_from(content)[9:]
    start = _LOCAL.size + name + extra
    packed = content[start : start + member.compressed]
    if len(packed) < member.compressed:
        packed = os.pread(descriptor, member.compressed, member.offset + start)
    if len(packed) < member.compressed:
        raise Refused("zip entry cut off")
    unpacked = packed if member.method == STORED else _inflated(packed, most)
    if len(unpacked) != member.size or zlib.crc32(unpacked) != member.crc:
        raise Refused("zip entry damaged", "size or checksum differ")
    return unpacked


def _inflated(packed: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(-15)
    try:
        unpacked = inflater.decompress(packed, most + 1)
    except zlib.error as error:
        raise Refused("zip entry damaged", str(error)) from error
    if len(unpacked) > most:
        raise Refused("zip entry too large", f"unpacks to more than {most:,} bytes")
    return unpacked


def _central_directory(stream: BinaryIO, archive: Path) -> tuple[int, int]:
    """Where the central directory begins, and its length."""
    length = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, length - _TAIL))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise DownloadError(
            f"{archive} is no zip file or was cut off: there is no directory at its end. Download it again."
        )
    size, start = _END.unpack_from(tail, at)[5:7]
    locator = at - _LOCATOR.size
    if _SENTINEL in (size, start) and locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        stream.seek(_LOCATOR.unpack_from(tail, locator)[2])
        end = stream.read(_END_64.size)
        if len(end) == _END_64.size and end[:4] == b"PK\x06\x06":
            size, start = _END_64.unpack(end)[8:10]
    if start + size > length:
        raise DownloadError(f"{archive} is damaged: its directory lies beyond its end. Download it again.")
    return start, size


def _digest(stream: BinaryIO, start: int, size: int) -> str:
    """Of the central directory: names, sizes and checksums of all members."""
    digest = blake2b(digest_size=8)
    stream.seek(start)
    while size and (block := stream.read(min(size, _BLOCK))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


def _table(stream: BinaryIO, start: int, size: int, key_of: KeyOf) -> tuple[NDArray[np.int64], Counter[str]]:
    columns, reasons = [array("q") for _ in range(5)], Counter[str]()
    for name, member in _entries(stream, start, size, reasons):
        try:
            key = key_of(name)
        except Refused as refused:
            reasons[refused.reason] += 1
            continue
        packed = (member.crc << 16) | (min(member.method, 0xFFFE) + 1)
        for column, value in zip(columns, (key, member.offset, member.compressed, member.size, packed), strict=True):
            column.append(value)
    table = np.stack([np.frombuffer(column, dtype=np.int64) if column else np.zeros(0, np.int64) for column in columns])
    table = table[:, np.argsort(table[0], kind="stable")]
    first = np.ones(table.shape[1], dtype=bool)
    first[1:] = table[0, 1:] != table[0, :-1]
    if not first.all():
        reasons["zip entry twice"] += int((~first).sum())
    return np.ascontiguousarray(table[:, first]), reasons


def _entries(stream: BinaryIO, start: int, size: int, reasons: Counter[str]) -> Iterator[tuple[str, Member]]:
    """Names and places in the order of the central directory; folders are passed over."""
    stream.seek(start)
    left = size
    while left >= _CENTRAL.size:
        header = stream.read(_CENTRAL.size)
        if len(header) < _CENTRAL.size or header[:4] != b"PK\x01\x02":
            reasons["zip directory damaged"] += 1
            return
        fields = _CENTRAL.unpack(header)
        flags, method, crc, compressed, plain = fields[3], fields[4], *fields[7:10]
        variable = stream.read(sum(fields[10:13]))
        name, extra = variable[: fields[10]], variable[fields[10] : fields[10] + fields[11]]
        left -= _CENTRAL.size + len(variable)
        plain, compressed, offset = _large(extra, plain, compressed, fields[16])
        if not name.endswith(b"/"):
            readable = -1 if flags & _ENCRYPTED else method
            yield name.decode("utf-8", "replace"), Member(offset, compressed, plain, crc, readable)


def _large(extra: bytes, *sizes: int) -> tuple[int, int, int]:
    """Size, compressed size and offset, taken from the extra field for large files where they do not fit."""
    values = list(sizes)
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1:
            wide = iter(struct.unpack_from(f"<{length // 8}Q", extra[4 : 4 + length].ljust(length, b"\0")))
            values = [next(wide, value) if value == _SENTINEL else value for value in values]
        extra = extra[4 + length :]
    most = 1 << 62
    return min(values[0], most), min(values[1], most), min(values[2], most)


@lru_cache(maxsize=32)
def _opened(archive: Path) -> int:
    """A descriptor of the archive, once in each process."""
    return os.open(archive, os.O_RDONLY)


@lru_cache(maxsize=32)
def _mapped(directory: Path) -> NDArray[np.int64]:
    table: NDArray[np.int64] = np.load(directory, mmap_mode="r", allow_pickle=False)
    return table

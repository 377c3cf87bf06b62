"""A part of pictures or of metadata: a folder of files or a zip file, read the same way."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from download.records.refused import Refused
from download.records.zips import Member, ZipPart

SUFFIXES = (".pickle", ".jpg", ".pkl", ".jpeg", ".png")


class Keyed(Protocol):
    """A name with its number."""

    @property
    def stem(self) -> str:
        """File name without ending."""

    @property
    def key(self) -> int:
        """A number that no other name has."""


class Part(Protocol):
    """Files by name."""

    def find(self, names: Sequence[Keyed]) -> list[Any]:
        """Where each file is; None where there is none."""

    def read(self, found: Any, most: int) -> bytes:
        """The bytes of a file that was found; raises `Refused` where there are more or they are damaged."""

    def mark(self, found: Any) -> str:
        """Changes when the content of a metadata file does."""


@dataclass(frozen=True, slots=True)
class FolderPart:
    """Files in a folder.

    Attributes:
        folder: the folder.
    """

    folder: Path

    def find(self, names: Sequence[Keyed]) -> list[str | None]:
        """Paths."""
        folder = str(self.folder)
        return [_path(f"{folder}/{name.stem}") for name in names]

    def read(self, found: str, most: int) -> bytes:
        """The file, if it is not too large."""
        try:
            with open(found, "rb", buffering=0) as stream:  # noqa: PTH123 - millions of files: no Path for each
                large = os.fstat(stream.fileno()).st_size > most
                content = b"" if large else stream.read()
        except OSError as error:
            raise Refused("file cannot be read", f"{found}: {error.strerror}") from error
        if large:
            raise Refused("file too large", f"{found}: more than {most:,} bytes")
        return content

    def mark(self, found: str) -> str:
        """Digest of a small file."""
        try:
            return blake2b(self.read(found, 1 << 20), digest_size=8).hexdigest()
        except Refused as refused:
            return refused.reason


@dataclass(frozen=True, slots=True)
class ZipStore:
    """Members of a zip file.

    Attributes:
        part: the file and its directory.
    """

    part: ZipPart

    def find(self, names: Sequence[Keyed]) -> list[Member | None]:
        """Members."""
        return self.part.find(np.array([name.key for name in names], dtype=np.int64))

    def read(self, found: Member, most: int) -> bytes:
        """The member, unpacked."""
        return self.part.read(found, most)

    def mark(self, found: Member) -> str:
        """Checksum and size, as the archive has them."""
        return f"{found.crc:08x}{found.size:x}"


def _path(stem: str) -> str | None:
    return next((stem + suffix for suffix in SUFFIXES if os.path.exists(stem + suffix)), None)  # noqa: PTH110 - as above

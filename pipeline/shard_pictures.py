"""Pictures out of finished shards, of outputs that hold them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from download.errors import DownloadError
from pipeline.source import Encoded

PICTURED: Mapping[str, str] = {"webdataset": ".tar", "git10m": ".git10m.parquet"}
"""Outputs whose shards hold each picture in one piece, where the index says, and how these shards' names end."""


@dataclass(frozen=True, slots=True)
class ShardPictures:
    """Pictures out of finished shards.

    Attributes:
        shards: folder of the shards.
    """

    shards: Path

    def fetch(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Everything is there."""

    def read(self, row: Mapping[str, Any]) -> Encoded:
        """The bytes of a sample's picture.

        Raises:
            DownloadError: the shard is gone or cut off.
        """
        name, offset, size = self._place(row["patch_id"])
        try:
            with (self.shards / name).open("rb") as shard:
                shard.seek(offset)
                content = shard.read(size)
        except OSError as error:
            raise DownloadError(f"{self.shards / name} cannot be read: {error.strerror}.") from error
        suffix = {b"\xff\xd8": "jpg", b"\x89P": "png"}.get(content[:2])
        if len(content) != size or suffix is None:
            raise DownloadError(f"{self.shards / name} is damaged at byte {offset:,}; make that run's shards again.")
        return Encoded(content, suffix)

    def _place(self, patch_id: int) -> tuple[str, int, int]:
        try:
            return _places(self.shards)[patch_id]
        except KeyError:
            raise DownloadError(f"no shard in {self.shards} holds patch {patch_id}.") from None


def index_of(shard: Path) -> Path:
    """The index beside a shard."""
    return shard.with_name(f"{shard.name.partition('.')[0]}.parquet")


def pictured(shards: Path) -> list[Path]:
    """Finished shards that hold pictures, by name."""
    files = (file for file in shards.glob("Patches*") if file.name.endswith(tuple(PICTURED.values())))
    return sorted(file for file in files if index_of(file).exists())


@cache
def _places(shards: Path) -> Mapping[int, tuple[str, int, int]]:
    """Shard, offset and size of each picture, by patch."""
    columns = ["patch_id", "offset", "bytes"]
    return {
        row["patch_id"]: (shard.name, row["offset"], row["bytes"])
        for shard in pictured(shards)
        for row in pq.read_table(index_of(shard), columns=columns, partitioning=None).to_pylist()
    }

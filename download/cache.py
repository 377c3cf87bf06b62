"""What was fetched once is kept: files under the key of what was asked for."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock

from download.errors import DownloadError

FOLDER = "MAPTELLER_CACHE"
"""Environment variable that names the folder."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of fetched files that all processes of a machine share.

    Beside each file lies `….json` with its source, when it was fetched, its size and its SHA-256.

    Attributes:
        folder: is made when something is kept.
    """

    folder: Path

    @classmethod
    def usual(cls) -> "Cache":
        """The folder that `MAPTELLER_CACHE` names, else the user's `~/.cache/mapteller`."""
        named = os.environ.get(FOLDER)
        return cls(Path(named).expanduser() if named else Path.home() / ".cache" / "mapteller")

    def file(self, key: Sequence[str], suffix: str, source: str, make: Callable[[Path], None]) -> Path:
        """A kept file; it is made now unless it is there, by one process at a time.

        Args:
            key: what was asked for, the kind first (it becomes a folder); secrets do not belong in it.
            suffix: of the file's name, such as `.tif`.
            source: where it comes from, for people; without secrets.
            make: writes the file. What it leaves when it fails is found by the next try, at the same place.

        Returns:
            The file.

        Raises:
            DownloadError: a kept file was changed behind our back, or `make` says so.
        """
        name = blake2b("\0".join(key).encode(), digest_size=16).hexdigest()
        kept = self.folder / key[0] / name[:2] / f"{name}{suffix}"
        if self._is_whole(kept):
            return kept
        kept.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{kept}.lock"):
            if not self._is_whole(kept):
                unfinished = kept.with_name(f"{kept.name}.part")
                make(unfinished)
                self._keep(unfinished, kept, source)
        return kept

    def content(self, key: Sequence[str], suffix: str, source: str, fetch: Callable[[], bytes]) -> bytes:
        """As `file`, for what fits into memory."""
        return self.file(key, suffix, source, lambda target: _write(target, fetch())).read_bytes()

    def _is_whole(self, kept: Path) -> bool:
        record = _record(kept)
        if not kept.exists() or not record.exists():
            return False
        said = json.loads(record.read_text(encoding="utf-8"))
        if kept.stat().st_size != said["bytes"]:
            raise DownloadError(f"{kept} was changed after it was fetched. Delete it, then run again.")
        return True

    def _keep(self, unfinished: Path, kept: Path, source: str) -> None:
        with unfinished.open("rb") as content:
            checksum = hashlib.file_digest(content, "sha256").hexdigest()
        said = {
            "source": source,
            "fetched": datetime.now(tz=UTC).isoformat(timespec="seconds"),
            "bytes": unfinished.stat().st_size,
            "sha256": checksum,
        }
        record = _record(kept)
        _write(record.with_name(f"{record.name}.part"), json.dumps(said, indent=2).encode())
        record.with_name(f"{record.name}.part").replace(record)
        unfinished.replace(kept)


def _record(kept: Path) -> Path:
    return kept.with_name(f"{kept.name}.json")


def _write(target: Path, content: bytes) -> None:
    target.write_bytes(content)

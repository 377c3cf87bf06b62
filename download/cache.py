"""What was fetched once is kept: files under the key of what was asked for."""

import errno
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

from filelock import FileLock

from download.errors import DownloadError

FOLDER = "MAPTELLER_CACHE"
"""Environment variable that names the folder."""

UNWRITABLE = (errno.EACCES, errno.EDQUOT, errno.ENOSPC, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of fetched files that all processes of a machine share.

    Beside each file lies `….json` with its source, when it was fetched, its size, time and SHA-256. A file whose size
    and time are those is taken for unchanged; one of another time is read to see.

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
            DownloadError: a kept file was changed behind our back, the folder cannot be written, or `make` says so.
        """
        name = blake2b("\0".join(key).encode(), digest_size=16).hexdigest()
        kept = self.folder / key[0] / name[:2] / f"{name}{suffix}"
        if _is_whole(kept):
            return kept
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{kept}.lock"):  # the system lets go of it when a process dies
                if not _is_whole(kept):
                    unfinished = kept.with_name(f"{kept.name}.part")
                    make(unfinished)
                    _keep(unfinished, kept, source)
        except OSError as error:
            if error.errno not in UNWRITABLE:
                raise
            raise DownloadError(
                f"{kept} cannot be written: {error.strerror or error}. "
                f"Set {FOLDER} to a folder that can be written and has room."
            ) from error
        return kept

    def content(self, key: Sequence[str], suffix: str, source: str, fetch: Callable[[], bytes]) -> bytes:
        """As `file`, for what fits into memory."""

        def make(target: Path) -> None:
            target.write_bytes(fetch())

        return self.file(key, suffix, source, make).read_bytes()


def _is_whole(kept: Path) -> bool:
    """Whether a file is there as it was fetched.

    Raises:
        DownloadError: it was changed since.
    """
    record = _record(kept)
    if not kept.exists() or not record.exists():
        return False
    try:
        said = json.loads(record.read_text(encoding="utf-8"))
        size, changed, checksum = said["bytes"], said["changed_ns"], said["sha256"]
    except (ValueError, KeyError, TypeError):
        raise DownloadError(f"{record} was changed after it was written. Delete it, then run again.") from None
    now = kept.stat()
    same = now.st_size == size and (now.st_mtime_ns == changed or _checksum(kept, now.st_mtime_ns) == checksum)
    if not same:
        raise DownloadError(f"{kept} was changed after it was fetched. Delete it, then run again.")
    return True


def _keep(unfinished: Path, kept: Path, source: str) -> None:
    now = unfinished.stat()
    said = {
        "source": source,
        "fetched": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "bytes": now.st_size,
        "changed_ns": now.st_mtime_ns,
        "sha256": _checksum(unfinished, now.st_mtime_ns),
    }
    record = _record(kept)
    written = record.with_name(f"{record.name}.part")
    written.write_text(json.dumps(said, indent=2), encoding="utf-8")
    kept.unlink(missing_ok=True)  # one without a record
    written.replace(record)
    unfinished.replace(kept)


@lru_cache(maxsize=1024)
def _checksum(file: Path, changed_ns: int) -> str:  # noqa: ARG001 - of that moment
    """SHA-256; calculated once for a file that a copy has given another time."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _record(kept: Path) -> Path:
    return kept.with_name(f"{kept.name}.json")

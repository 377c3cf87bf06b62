"""Looking at what a run left."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def shard_digests(folder: Path) -> dict[str, str]:
    """Digest of every file of the finished dataset."""
    files = sorted((folder / "shards").iterdir())
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def run_info(folder: Path) -> dict[str, Any]:
    """Content of run.json."""
    return dict(json.loads((folder / "run.json").read_text()))


def samples(folder: Path) -> list[dict[str, Any]]:
    """JSON of every sample, in the order of the shards; the picture's bytes are under `picture`."""
    found = []
    for shard in sorted((folder / "shards").glob("*.tar")):
        with tarfile.open(shard) as tar:
            content = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
        for name in (name for name in content if name.endswith(".json")):
            stem = Path(name).stem
            picture = next(content[f"{stem}{end}"] for end in (".jpg", ".png") if f"{stem}{end}" in content)
            found.append({**json.loads(content[name]), "picture": picture})
    return found


def committed(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of the committing part of every finished unit: both change when it is written again."""
    return {
        file.stem: (file.stat().st_ino, file.stat().st_mtime_ns)
        for file in (folder / "captions").glob("*.parquet")
        if pq.read_schema(file).metadata
    }

"""Pictures beside the page, copied out of the shards."""

from pathlib import Path

from pipeline.atomic import replacing
from pipeline.errors import PipelineError
from pipeline.report.look import Finished

SUFFIXES = {b"\xff\xd8": "jpg", b"\x89P": "png"}
"""File endings by the first two bytes."""


def copy_pictures(run: Finished, wanted: set[int], target: Path) -> dict[int, str]:
    """Copies the pictures of some patches; those that are there already with the same size stay.

    Args:
        run: the run.
        wanted: patch ids.
        target: folder of the pictures; what else lies in it is removed.

    Returns:
        File names, by patch id.

    Raises:
        PipelineError: a shard is gone or damaged.
    """
    names = {}
    for shard, row in run.index_rows():
        if row["patch_id"] in wanted:
            content = _cut(shard, row["offset"], row["bytes"])
            names[row["patch_id"]] = name = f"{row['patch_id']}.{SUFFIXES[content[:2]]}"
            _put(target / name, content)
    for file in target.glob("*"):
        if file.name not in names.values():
            file.unlink()
    return names


def _cut(shard: Path, offset: int, size: int) -> bytes:
    try:
        with shard.open("rb") as stream:
            stream.seek(offset)
            content = stream.read(size)
    except OSError as error:
        raise PipelineError(f"{shard} cannot be read: {error.strerror}. Give the run's command again.") from error
    if len(content) != size or content[:2] not in SUFFIXES:
        raise PipelineError(f"{shard} is damaged at byte {offset:,}. Delete it and give the run's command again.")
    return content


def _put(target: Path, content: bytes) -> None:
    if not target.exists() or target.stat().st_size != len(content):
        with replacing(target) as beside:
            beside.write_bytes(content)

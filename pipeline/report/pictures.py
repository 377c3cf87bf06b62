"""Pictures beside the page, copied out of the shards, or from where the samples have them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from download.errors import DownloadError
from pipeline.atomic import replacing
from pipeline.errors import PipelineError
from pipeline.report.look import Finished
from pipeline.report.originals import pictures_of, read_all
from pipeline.shard_pictures import PICTURED

SUFFIXES = {b"\xff\xd8": "jpg", b"\x89P": "png"}
"""File endings by the first two bytes."""
MOST_ORIGINALS = 500
"""Pictures of a run whose shards hold none; of more, as many are copied, spread evenly."""


def copy_pictures(run: Finished, wanted: Sequence[int], target: Path) -> tuple[dict[int, str], str]:
    """Copies the pictures of some patches; those that are there already with the same size stay.

    Args:
        run: the run.
        wanted: patch ids.
        target: folder of the pictures; what else lies in it is removed.

    Returns:
        File names, by patch id, and what a reader should know where some are missing.

    Raises:
        PipelineError: a shard is gone or damaged.
    """
    names, note = _from_shards(run, set(wanted), target), ""
    if run.output not in PICTURED and wanted:
        names, note = _from_originals(run, wanted, target)
    for file in target.glob("*"):
        if file.name not in names.values():
            file.unlink()
    return names, note


def _from_shards(run: Finished, wanted: set[int], target: Path) -> dict[int, str]:
    names = {}
    for shard, row in run.index_rows() if run.output in PICTURED else ():
        if row["patch_id"] in wanted:
            content = _cut(shard, row["offset"], row["bytes"])
            names[row["patch_id"]] = name = f"{row['patch_id']}.{SUFFIXES[content[:2]]}"
            _put(target / name, content)
    return names


def _from_originals(run: Finished, wanted: Sequence[int], target: Path) -> tuple[dict[int, str], str]:
    places = np.unique(np.linspace(0, len(wanted) - 1, min(MOST_ORIGINALS, len(wanted))).astype(int)).tolist()
    names: dict[int, str] = {}
    cause = ""
    try:
        pictures = pictures_of(run.folder, run.info)
        for patch, picture in read_all(pictures, run.folder, [wanted[place] for place in places]) if pictures else ():
            if isinstance(picture, DownloadError):
                cause = cause or str(picture)
            else:
                names[patch] = f"{patch}.{picture.suffix}"
                _put(target / names[patch], picture.content)
    except (DownloadError, PipelineError) as error:
        cause = str(error)
    note = (
        f"The dataset holds no pictures; {len(names):,} of {len(wanted):,} are shown from where the samples have them."
    )
    return names, f"{note} {cause}".strip()


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

"""Pictures of runs whose output holds none, from where the samples have them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from pydantic import ValidationError

from download.errors import DownloadError
from download.records.skyscript import SkyScriptParts
from pipeline.errors import PipelineError
from pipeline.gaia_samples import GaiaSamples
from pipeline.gaia_source import RecordPictures
from pipeline.measuring.told import rows
from pipeline.shard_pictures import PICTURED, ShardPictures
from pipeline.skyscript_samples import SkyScriptSamples
from pipeline.skyscript_source import SkyScriptPictures
from pipeline.source import Encoded, Pictures, Row
from pipeline.store import RunFolder

BATCH = 24
"""Pictures that are asked for together; when none of them can be had, no more are asked for."""


def pictures_of(folder: RunFolder, info: Mapping[str, Any]) -> Pictures | None:
    """Where the pictures of a run are: in its shards, or where its samples have them; None where that is not known.

    Raises:
        DownloadError: nothing is left where the samples were.
        PipelineError: the earlier run is gone.
    """
    config = info["config"]
    if config.get("output", {}).get("kind") in PICTURED:
        return ShardPictures(folder.shards)
    samples = config.get("samples", {})
    try:
        if samples.get("kind") == "skyscript":
            parts = SkyScriptParts.open(SkyScriptSamples.model_validate(samples).path, folder.map / "zips")
            return SkyScriptPictures(parts)
        if samples.get("kind") == "gaia":
            return RecordPictures(GaiaSamples.model_validate(samples))
    except ValidationError as error:
        raise PipelineError(f"{folder.info_file}: its samples are not understood: {error}") from error
    if samples.get("kind") == "run":
        earlier = RunFolder(Path(samples["path"]))
        known = earlier.info()
        if known is None:
            raise PipelineError(f"{earlier.path} holds no run any more.")
        return pictures_of(earlier, known)
    return None


def read_all(
    pictures: Pictures, folder: RunFolder, wanted: Sequence[int]
) -> Iterator[tuple[int, Encoded | DownloadError]]:
    """Pictures of some patches, or why they cannot be had, until a whole batch cannot."""
    among = pc.field("patch_id").isin(list(wanted))
    found = list(rows(folder, "patches", ("patch_id", "scene", "metadata", "window", "size"), among))
    for start in range(0, len(found), BATCH):
        several = [(row["patch_id"], each) for row, each in _batch(pictures, found[start : start + BATCH])]
        yield from several
        if all(isinstance(each, DownloadError) for _, each in several):
            return


def _batch(pictures: Pictures, several: Sequence[Row]) -> Iterator[tuple[Row, Encoded | DownloadError]]:
    try:
        pictures.fetch(several)
    except DownloadError as error:
        yield from ((row, error) for row in several)
        return
    for row in several:
        try:
            picture = pictures.read(row)
        except DownloadError as error:
            yield row, error
        else:
            if isinstance(picture, Encoded):
                yield row, picture

"""A finished run as the report sees it: what it says of itself, and where its patches lie."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.atomic import read_json
from pipeline.errors import PipelineError
from pipeline.json_cells import from_json
from pipeline.shard_pictures import index_of
from pipeline.store import RunFolder

TOLD = ("captioned", "rejected")
"""What becomes of a patch that an engine was asked about."""
NOWHERE = (np.nan,) * 4


@dataclass(frozen=True, slots=True)
class Patches:
    """All patches of a run, as columns of equal length, by unit and patch id.

    Attributes:
        ids: patch ids.
        units: which unit each belongs to.
        status: what became of each.
        bounds: (n, 4) west, south, east, north in degrees (EPSG:4326); NaN where nobody knows.
        metadata: of each, as in the shards.
    """

    ids: NDArray[np.int64]
    units: Sequence[str]
    status: NDArray[np.str_]
    bounds: NDArray[np.float64]
    metadata: Sequence[Mapping[str, Any]]

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Which patches have a known place."""
        return np.asarray(np.isfinite(self.bounds).all(axis=1))

    def spread(self, most: int) -> NDArray[np.int64]:
        """Places of the patches that were told, at most so many, spread evenly."""
        told = np.flatnonzero(np.isin(self.status, TOLD))
        return told[np.unique(np.linspace(0, len(told) - 1, min(most, len(told))).astype(np.int64))]


@dataclass(frozen=True, slots=True)
class Finished:
    """A run with finished shards.

    Attributes:
        folder: where it lies.
        info: content of run.json.
        shards: lines of dataset.json.
        metrics: content of metrics.json; empty where there is none.
        patches: all of them.
    """

    folder: RunFolder
    info: Mapping[str, Any]
    shards: Sequence[Mapping[str, Any]]
    metrics: Mapping[str, Any]
    patches: Patches

    @classmethod
    def of(cls, folder: RunFolder) -> "Finished":
        """Looks at a run folder.

        Raises:
            PipelineError: it holds no finished shards, or a file in it is damaged.
        """
        info, listed = folder.info(), folder.shards / "dataset.json"
        if info is None or not listed.exists():
            raise PipelineError(
                f"{folder.path} holds no finished shards to show. Finish the run first: "
                f"`mapteller status {folder.path}`."
            )
        metrics = folder.path / "metrics.json"
        measured = _json(metrics) if metrics.exists() else {}
        return cls(folder, info, _json(listed)["shards"], measured, _patches(folder))

    @property
    def origin(self) -> Mapping[str, Any]:
        """Imagery and map that the samples were made from, also where an earlier run made them."""
        return dict(self.info.get("origin") or self.info["config"]["samples"])

    @property
    def kind(self) -> str:
        """Of the samples: `grid`, `skyscript` or `gaia`, also where an earlier run made them."""
        return str(self.origin["kind"])

    @property
    def output(self) -> str:
        """Kind of the output."""
        return str(self.info["config"]["output"]["kind"])

    @property
    def earlier(self) -> str | None:
        """Folder name of the run whose samples were captioned again; None where none was."""
        samples = self.info["config"]["samples"]
        return Path(samples["path"]).name if samples["kind"] == "run" else None

    def index_rows(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Each shard with the rows of its index."""
        for line in self.shards:
            shard = self.folder.shards / str(line["file"])
            for row in pq.read_table(index_of(shard), partitioning=None).to_pylist():
                yield shard, row


def _json(file: Path) -> Any:
    try:
        return read_json(file)
    except ValueError as error:
        raise PipelineError(f"{file} is damaged: {error}. Delete it and give the command again.") from error


def _patches(folder: RunFolder) -> Patches:
    units, rows = [], []
    for file in sorted((folder.path / "patches").glob("*.parquet")):
        table = pq.read_table(file, columns=["patch_id", "metadata", "status"], partitioning=None)
        found = table.sort_by("patch_id").to_pylist()
        rows += found
        units += [file.stem] * len(found)
    metadata = [from_json(row["metadata"]) for row in rows]
    return Patches(
        np.array([row["patch_id"] for row in rows], dtype=np.int64),
        units,
        np.array([row["status"] for row in rows], dtype=np.str_),
        np.array([said.get("bounds") or NOWHERE for said in metadata], dtype=np.float64).reshape(-1, 4),
        metadata,
    )

"""The map of a run: its patches over the outline of the region."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from pipeline.errors import PipelineError
from pipeline.region import load_region
from pipeline.report.look import Finished
from pipeline.report.outlines import path_of

WIDTH = 10_000
"""Units along the longer side of the map."""
MARGIN = 200
PAD = 0.1
"""Degrees around scattered samples, which may be one point."""
SMALLEST = 30
"""A patch is drawn no smaller than this."""
MOST = 20_000
"""Patches that are drawn; of more, as many are drawn, spread evenly."""


@dataclass(frozen=True, slots=True)
class RegionMap:
    """A map in an equirectangular projection that is true in the middle of the run.

    Attributes:
        width: units across, with margin.
        height: units down, with margin.
        outline: SVG path of the region, or of the ground that the patches cover.
        statuses: SVG path of the patches of each status.
        boxes: left, top, width, height of every patch of the run; None where nobody knows its place.
        note: what a reader should know of the outline.
    """

    width: int
    height: int
    outline: str
    statuses: Mapping[str, str]
    boxes: Sequence[list[int] | None]
    note: str


def draw_map(run: Finished) -> RegionMap:
    """Draws the patches of a run over its region."""
    placed = np.flatnonzero(run.patches.placed)
    bounds = run.patches.bounds[placed]
    region, note = _region(run, bounds)
    west, south, east, north = region.bounds
    if len(bounds):
        west, south = np.minimum((west, south), bounds[:, :2].min(axis=0))
        east, north = np.maximum((east, north), bounds[:, 2:].max(axis=0))
    narrow = np.cos(np.radians((south + north) / 2))
    unit = WIDTH / max((east - west) * narrow, north - south, 1e-9)
    scale = np.array([unit * narrow, -unit])
    shift = np.array([MARGIN - west * scale[0], MARGIN - north * scale[1]])
    boxes = _boxes(bounds, scale, shift)
    drawn = np.unique(np.linspace(0, len(boxes) - 1, min(MOST, len(boxes))).astype(np.int64))
    status = run.patches.status[placed][drawn]
    known = dict(zip(placed.tolist(), boxes.tolist(), strict=True))
    unknown = len(run.patches.ids) - len(placed)
    return RegionMap(
        width=int((east - west) * scale[0]) + 2 * MARGIN,
        height=int((south - north) * scale[1]) + 2 * MARGIN,
        outline=path_of(shapely.simplify(region, 5 / unit), scale, shift),
        statuses={name: _path(boxes[drawn[status == name]]) for name in np.unique(status).tolist()},
        boxes=[known.get(place) for place in range(len(run.patches.ids))],
        note=f"{note} Nobody knows where {unknown:,} others lie." if unknown else note,
    )


def _boxes(bounds: NDArray[np.float64], scale: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.int64]:
    size = np.maximum(np.abs((bounds[:, 2:] - bounds[:, :2]) * scale), SMALLEST)
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2 * scale + shift
    boxes: NDArray[np.int64] = np.rint(np.hstack([middle - size / 2, size])).astype(np.int64)
    return boxes


def _path(boxes: NDArray[np.int64]) -> str:
    return "".join(f"M{x} {y}h{width}v{height}h-{width}z" for x, y, width, height in boxes.tolist())


def _region(run: Finished, bounds: NDArray[np.float64]) -> tuple[Any, str]:
    """The region asked for; where there is none to read, the ground that the patches cover."""
    asked = run.info["config"].get("region")
    ground = "The outline is the ground that the patches cover."
    if asked is not None:
        try:
            return load_region(Path(asked) if isinstance(asked, str) else tuple(asked)), "The outline is the region."
        except PipelineError as error:
            ground = f"{ground} {error}"
    if not len(bounds):
        return shapely.box(-180, -90, 180, 90), "No patch has a known place."
    if run.kind != "grid":  # scattered, perhaps all over the world
        (west, south), (east, north) = bounds[:, :2].min(axis=0).tolist(), bounds[:, 2:].max(axis=0).tolist()
        frame = shapely.box(west - PAD, max(-90, south - PAD), east + PAD, min(90, north + PAD))
        return frame, "The frame is what holds all of them."
    size = (bounds[:, 2:] - bounds[:, :2]).mean(axis=0)
    covered = shapely.union_all(shapely.box(*bounds.T))
    gap = float(size.max())
    return shapely.buffer(shapely.buffer(covered, gap, join_style="mitre"), -gap, join_style="mitre"), ground

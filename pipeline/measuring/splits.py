"""How far apart the splits are: on the ground, in words, and in what they hold."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from annotation.checks.diversity import near_duplicates
from pipeline.measuring.told import rows
from pipeline.measuring.variety import COMPARED, drawn
from pipeline.store import RunFolder
from pipeline.tables import tag_table

LISTED = 12
"""Classes whose shares are told."""


@dataclass(slots=True)
class Side:
    """One split.

    Attributes:
        patches: ids of its captioned patches.
        bounds: of each, in degrees.
        years: of their pictures.
        classes: of the largest things in them.
    """

    patches: list[int] = field(default_factory=list)
    bounds: list[tuple[float, ...]] = field(default_factory=list)
    years: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)


def splits(folder: RunFolder, overlay: Path | None) -> dict[str, Any]:
    """Patches, dates and land use of each split; distance and near-duplicates between each two.

    Patches of the split `none` are in nobody's way and are counted only.

    Args:
        folder: of the run.
        overlay: the CSV that was laid over the tag table, if any.

    Returns:
        `within` each: `patches`, shares of `years` and of land-use `classes`; `smallest_distance_m` between pictures
        of different splits (WGS 84, 0 if they touch) and `near_duplicates`: captions of one split whose near-duplicate
        is in another; both None where there is but one.
    """
    sides = _sides(folder, overlay)
    dealt = {name: side for name, side in sides.items() if name != "none"}
    pairs = list(combinations(sorted(dealt), 2))
    distances = {
        f"{one}-{other}": distance_m(dealt[one].bounds, dealt[other].bounds)
        for one, other in pairs
        if dealt[one].bounds and dealt[other].bounds
    }
    return {
        "within": {
            name: {"patches": len(side.patches), "years": _shares(side.years), "classes": _shares(side.classes)}
            for name, side in sorted(sides.items())
        },
        "distances_m": distances,
        "smallest_distance_m": min(distances.values(), default=None),
        "near_duplicates": _across(folder, dealt) if pairs else None,
    }


def distance_m(first: list[tuple[float, ...]], second: list[tuple[float, ...]]) -> float:
    """Metres between the nearest of two sets of boxes (west, south, east, north in degrees).

    Nearest pairs are found in Mercator's projection, which keeps shapes, and measured on the ellipsoid.
    """
    near, far = _mercator(first), _mercator(second)
    tree = shapely.STRtree(near)
    of_second, of_first = tree.query_nearest(far, all_matches=False)
    ends = shapely.get_coordinates(shapely.shortest_line(near[of_first], far[of_second])).reshape(-1, 2, 2)
    lon, lat = np.degrees(ends[..., 0]), np.degrees(np.arctan(np.sinh(ends[..., 1])))
    columns = [column.tolist() for column in (lon[:, 0], lat[:, 0], lon[:, 1], lat[:, 1])]
    metres: list[float] = Geod(ellps="WGS84").inv(*columns)[2]
    return round(min(metres), 1)


def _mercator(bounds: list[tuple[float, ...]]) -> NDArray[np.object_]:
    west, south, east, north = np.radians(np.array(bounds)).T
    boxes: NDArray[np.object_] = shapely.box(west, np.arcsinh(np.tan(south)), east, np.arcsinh(np.tan(north)))
    return boxes


def _sides(folder: RunFolder, overlay: Path | None) -> dict[str, Side]:
    sides: defaultdict[str, Side] = defaultdict(Side)
    split_of: dict[int, str] = {}
    captioned = pc.field("status") == "captioned"
    for row in rows(folder, "patches", ("patch_id", "metadata"), captioned):
        metadata = json.loads(row["metadata"])
        split_of[row["patch_id"]] = metadata["split"]
        side = sides[metadata["split"]]
        side.patches.append(row["patch_id"])
        if metadata["bounds"]:
            side.bounds.append(tuple(metadata["bounds"]))
        side.years[metadata["acquired"][:4] if metadata["acquired"] else "unknown"] += 1
    for patch_id, name in _land_use(folder, overlay).items():
        if patch_id in split_of:
            sides[split_of[patch_id]].classes[name] += 1
    return dict(sides)


def _land_use(folder: RunFolder, overlay: Path | None) -> dict[int, str]:
    """Class of the largest area in each patch."""
    table = tag_table(overlay)
    largest: dict[int, tuple[float, str]] = {}
    areas = pc.field("kind") == "area"
    for row in rows(folder, "elements", ("patch_id", "tags", "facts"), areas):
        share = json.loads(row["facts"]).get("share") or 0.0
        if share > largest.get(row["patch_id"], (0.0, ""))[0]:
            main = table.main_tag(dict(row["tags"]))
            if main:
                largest[row["patch_id"]] = (share, f"{main[0]}={main[1]}")
    return {patch_id: name for patch_id, (_, name) in largest.items()}


def _shares(counts: Counter[str]) -> dict[str, float]:
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:LISTED]
    return {name: round(count / counts.total(), 6) for name, count in common}


def _across(folder: RunFolder, sides: dict[str, Side]) -> dict[str, Any]:
    """Captions, of a sample of 100,000 where there are more, that come in groups with captions of other splits."""
    split_of = {patch_id: name for name, side in sides.items() for patch_id in side.patches}
    told = [
        (split_of[row["patch_id"]], row["text"])
        for row in rows(folder, "captions", ("patch_id", "text"))
        if row["patch_id"] in split_of
    ]
    sample = drawn(told, COMPARED)
    groups = near_duplicates([text for _, text in sample]).groups
    mixed = [group for group in groups if len({sample[place][0] for place in group}) > 1]
    captions = sum(map(len, mixed))
    return {"texts": len(sample), "captions": captions, "share": round(captions / len(sample), 6), "groups": len(mixed)}

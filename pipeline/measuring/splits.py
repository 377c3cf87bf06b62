"""How far apart the splits are: on the ground, in words, and in what they hold."""

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from math import cosh, inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import Geod

from annotation.tags import TagTable
from pipeline.json_cells import from_json
from pipeline.measuring.texts import Captions
from pipeline.measuring.told import part, unit_rows, units
from pipeline.measuring.variety import Near
from pipeline.store import RunFolder
from pipeline.tables import tag_table

LISTED = 12
"""Classes whose shares are told."""
BOXES = 50_000
"""Pictures in a tree; more are sorted from south to north, and trees that are too far away are left out."""
METRES = 6_335_439.0
"""Least radius of curvature of WGS 84: metres of one unit of Mercator's projection at the equator, at the least."""
SLACK = 1.01

Boxes = NDArray[np.float64]


@dataclass(slots=True)
class Side:
    """One split.

    Attributes:
        patches: how many are captioned.
        bounds: of each, four numbers in degrees, one after the other.
        years: of their pictures.
        classes: of the largest things in them.
    """

    patches: int = 0
    bounds: "array[float]" = field(default_factory=lambda: array("d"))
    years: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)

    def add(self, metadata: Mapping[str, Any], land_use: str | None) -> None:
        """Counts one more patch."""
        self.patches += 1
        self.bounds.extend(metadata["bounds"] or ())
        self.years[metadata["acquired"][:4] if metadata["acquired"] else "unknown"] += 1
        if land_use:
            self.classes[land_use] += 1

    @property
    def boxes(self) -> Boxes:
        """The bounds as rows."""
        return np.frombuffer(self.bounds, dtype=np.float64).reshape(-1, 4)


def splits(captions: Captions, near: Near, overlay: Path | None) -> dict[str, Any]:
    """Patches, dates and land use of each split; distance and near-duplicates between each two.

    Patches of the split `none` are in nobody's way and are counted only.

    Args:
        captions: of the run.
        near: near-duplicates among all of them, which are taken where those between splits are the same.
        overlay: the CSV that was laid over the tag table, if any.

    Returns:
        `within` each: `patches`, shares of `years` and of land-use `classes`; `smallest_distance_m` between pictures
        of different splits (WGS 84, 0 if they touch) and `near_duplicates`: captions of one split whose near-duplicate
        is in another; both None where there is but one.
    """
    sides, split_of = _sides(captions.folder, overlay)
    dealt = {name: side for name, side in sides.items() if name != "none"}
    pairs = list(combinations(sorted(dealt), 2))
    distances = {
        f"{one}-{other}": distance_m(dealt[one].boxes, dealt[other].boxes)
        for one, other in pairs
        if dealt[one].bounds and dealt[other].bounds
    }
    return {
        "within": {
            name: {"patches": side.patches, "years": _shares(side.years), "classes": _shares(side.classes)}
            for name, side in sorted(sides.items())
        },
        "distances_m": distances,
        "smallest_distance_m": min(distances.values(), default=None),
        "near_duplicates": _across(captions, near, np.array(list(sides)), split_of) if pairs else None,
    }


def distance_m(first: ArrayLike, second: ArrayLike) -> float:
    """Metres between the nearest of two sets of boxes: (boxes, 4), west, south, east, north in degrees.

    Nearest pairs are found in Mercator's projection, which keeps shapes, and measured on the ellipsoid.
    """
    best = inf
    for near in _strips(_mercator(first)):
        tree = shapely.STRtree(_drawn(near))
        for far in _strips(_mercator(second)):
            reach = _reach(best, near, far)
            if max(near[:, 1].min() - far[:, 3].max(), far[:, 1].min() - near[:, 3].max()) <= reach:
                best = min(best, _nearest_m(tree, _drawn(far), reach))
    return round(best, 1)


def _nearest_m(tree: shapely.STRtree, boxes: NDArray[np.object_], reach: float) -> float:
    """Metres from some boxes to the nearest in a tree; infinite where none is within reach."""
    within = reach if isfinite(reach) else None
    of_boxes, of_tree = tree.query_nearest(boxes, max_distance=within, all_matches=False)
    ends = shapely.get_coordinates(shapely.shortest_line(tree.geometries[of_tree], boxes[of_boxes])).reshape(-1, 2, 2)
    lon, lat = np.degrees(ends[..., 0]), np.degrees(np.arctan(np.sinh(ends[..., 1])))
    columns = [column.tolist() for column in (lon[:, 0], lat[:, 0], lon[:, 1], lat[:, 1])]
    metres: list[float] = Geod(ellps="WGS84").inv(*columns)[2]
    return min(metres, default=inf)


def _drawn(boxes: Boxes) -> NDArray[np.object_]:
    return np.asarray(shapely.box(*boxes.T), dtype=np.object_)


def _reach(metres: float, *boxes: Boxes) -> float:
    """How far in Mercator's projection that distance can lead among boxes; above 0."""
    farthest = max(float(np.abs(each[:, (1, 3)]).max()) for each in boxes)
    return max(metres, 0.1) * SLACK * cosh(farthest) / METRES


def _mercator(bounds: ArrayLike) -> Boxes:
    west, south, east, north = np.radians(np.asarray(bounds, dtype=np.float64)).T
    return np.stack([west, np.arcsinh(np.tan(south)), east, np.arcsinh(np.tan(north))], axis=1)


def _strips(boxes: Boxes) -> Iterator[Boxes]:
    """The boxes as they are, or many in strips from south to north."""
    if len(boxes) > BOXES:
        boxes = boxes[np.argsort(boxes[:, 1], kind="stable")]
    yield from (boxes[start : start + BOXES] for start in range(0, len(boxes), BOXES))


def _sides(folder: RunFolder, overlay: Path | None) -> tuple[dict[str, Side], NDArray[np.int8]]:
    """The splits, and of each caption, in the order of the parts, which of them it is in; -1 in none."""
    sides: dict[str, Side] = {}
    numbers: dict[str, int] = {}
    split_of = array("b")
    captioned = pc.field("status") == "captioned"
    for unit in units(folder):
        land_use, mine = _land_use(folder, unit, tag_table(overlay)), dict[int, int]()
        for row in unit_rows(folder, unit, "patches", ("patch_id", "metadata"), captioned):
            metadata = from_json(row["metadata"])
            name, patch_id = metadata["split"], row["patch_id"]
            mine[patch_id] = numbers.setdefault(name, len(numbers))
            sides.setdefault(name, Side()).add(metadata, land_use.get(patch_id))
        patches = part(folder, unit, "captions", ("patch_id",))["patch_id"]
        split_of.extend(mine.get(patch_id, -1) for patch_id in patches.to_pylist())
    return sides, np.frombuffer(split_of, dtype=np.int8)


def _land_use(folder: RunFolder, unit: str, table: TagTable) -> dict[int, str]:
    """Class of the largest area in each patch of a unit."""
    largest: dict[int, tuple[float, str]] = {}
    areas = pc.field("kind") == "area"
    for row in unit_rows(folder, unit, "elements", ("patch_id", "tags", "facts"), areas):
        share = from_json(row["facts"]).get("share") or 0.0
        if share > largest.get(row["patch_id"], (0.0, ""))[0]:
            main = table.main_tag(dict(row["tags"]))
            if main:
                largest[row["patch_id"]] = (share, f"{main[0]}={main[1]}")
    return {patch_id: name for patch_id, (_, name) in largest.items()}


def _shares(counts: Counter[str]) -> dict[str, float]:
    common = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:LISTED]
    return {name: round(count / counts.total(), 6) for name, count in common}


def _across(captions: Captions, near: Near, names: NDArray[np.str_], split_of: NDArray[np.int8]) -> dict[str, Any]:
    """Captions, of a sample of 100,000 where there are more, that come in groups with captions of other splits."""
    places = np.flatnonzero((split_of >= 0) & (names[split_of] != "none"))
    sample = Near.sampled(places)
    groups = (near if np.array_equal(sample, near.places) else Near.among(captions, places)).repeats.groups
    mixed = [group for group in groups if len(set(split_of[sample[list(group)]].tolist())) > 1]
    told = sum(map(len, mixed))
    return {"texts": len(sample), "captions": told, "share": round(told / len(sample), 6), "groups": len(mixed)}

"""Where a patch lies, in words: the administrative areas around it. They are known, not seen."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

FINEST_LEVEL = 8
"""Towns and municipalities in most countries (OSM wiki, Key:admin_level); finer ones are quarters and districts."""


def places(elements: Path, bounds: NDArray[np.float64]) -> list[list[str]]:
    """Names of the administrative areas around the middle of each box, the largest first: country, state, county, town.

    Args:
        elements: the map as GeoParquet.
        bounds: (n, 4) west, south, east, north in degrees.
    """
    names, tree = _boundaries(elements)
    middles = shapely.points((bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2)
    found: list[list[str]] = [[] for _ in bounds]
    box, area = tree.query(middles, predicate="within")
    for index, inside in sorted(zip(box.tolist(), area.tolist(), strict=True)):
        if names[inside] not in found[index]:
            found[index].append(names[inside])
    return found


@lru_cache(maxsize=2)
def _boundaries(elements: Path) -> tuple[list[str], shapely.STRtree]:
    """Names by level, and their areas; there are few, so a process keeps them."""
    wanted = (pc.field("hidden") == "administrative boundary") & (pc.field("kind") == "area")
    table = pq.read_table(elements, columns=["id", "tags", "geometry"], filters=wanted)
    rows = []
    for key, tags, outline in zip(*(table[name].to_pylist() for name in ("id", "tags", "geometry")), strict=True):
        said = dict(tags)
        level, name = said.get("admin_level", ""), said.get("name")
        if said.get("boundary") == "administrative" and name and level.isdigit() and int(level) <= FINEST_LEVEL:
            rows.append((int(level), key, name, outline))
    rows.sort()
    return [name for _, _, name, _ in rows], shapely.STRtree(shapely.from_wkb([outline for *_, outline in rows]))

"""Whose ground it is where scenes overlap, so that no place is shown twice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer

from download.scene import Scene
from pipeline.grid import PatchGrid, laid_extent

EDGE_POINTS = 32
"""Of a side of a scene that is drawn in degrees, where straight lines of its CRS are not straight."""


def taken_before(scenes: Sequence[Scene], grid: PatchGrid) -> dict[str, Any]:
    """The ground of each scene that earlier scenes of the same source and year show.

    A patch whose middle lies there is theirs. Grids of two scenes do not fit together, so along a seam up to half a
    patch is shown twice or not at all.

    Args:
        scenes: in the order in which they are cut.
        grid: how patches are laid on them.

    Returns:
        Geometries in degrees (EPSG:4326) by scene id; scenes that have all their ground for themselves are left out.
    """
    grounds = np.array([_ground(scene, grid) for scene in scenes], dtype=object)
    tree = shapely.STRtree(grounds)
    taken = {}
    for number, scene in enumerate(scenes):
        near = tree.query(grounds[number], predicate="intersects")
        earlier = [grounds[other] for other in sorted(near) if other < number and _same_series(scene, scenes[other])]
        if earlier:
            taken[scene.id] = shapely.union_all(earlier)
    return taken


def _same_series(scene: Scene, other: Scene) -> bool:
    return (scene.source, scene.acquired and scene.acquired.year) == (
        other.source,
        other.acquired and other.acquired.year,
    )


def _ground(scene: Scene, grid: PatchGrid) -> Any:
    """Where patches of a scene are sure to hold pixels, in degrees; empty where only its pixels can tell."""
    extent = laid_extent(scene, grid)
    if extent is None or (scene.masked and scene.footprint is None):
        return shapely.Polygon()
    side = max(extent[2] - extent[0], extent[3] - extent[1])
    ring = shapely.get_coordinates(shapely.segmentize(shapely.box(*extent), side / EDGE_POINTS))
    lon, lat = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True).transform(*ring.T)
    if np.ptp(lon) > 180:
        return shapely.Polygon()
    ground = shapely.make_valid(shapely.Polygon(np.column_stack([lon, lat])))
    return ground if scene.footprint is None else ground.intersection(shapely.from_wkt(scene.footprint))

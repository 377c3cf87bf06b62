"""The region: which part of the earth is asked for."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from download.scene import Bounds, Scene
from pipeline.errors import PipelineError


def load_region(region: Bounds | Path | None) -> Any:
    """The region as a geometry in degrees (EPSG:4326), or None for everywhere.

    Raises:
        PipelineError: the file is missing, no GeoJSON, or the box is upside down.
    """
    if region is None:
        return None
    if not isinstance(region, Path):
        west, south, east, north = region
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise PipelineError(f"region: {list(region)} is no [west, south, east, north] in degrees.")
        return shapely.box(west, south, east, north)
    try:
        content = json.loads(region.read_text(encoding="utf-8"))
        features = content.get("features", [content])
        shapes = [shapely.geometry.shape(feature.get("geometry", feature)) for feature in features]
    except OSError as error:
        raise PipelineError(f"region: {region} cannot be read: {error.strerror}.") from error
    except (ValueError, AttributeError, KeyError, TypeError, shapely.errors.ShapelyError) as error:
        raise PipelineError(f"region: {region} is no GeoJSON of polygons: {error}.") from error
    whole = shapely.make_valid(shapely.union_all(shapes))
    if whole.is_empty or whole.area == 0:
        raise PipelineError(f"region: {region} holds no area.")
    return whole


def inside(region: Any, bounds: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the middle of each (west, south, east, north) box lies in the region."""
    if region is None:
        return np.ones(len(bounds), dtype=bool)
    shapely.prepare(region)
    return np.asarray(shapely.contains_xy(region, (bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2))


def scenes_inside(scenes: list[Scene], region: Any) -> list[Scene]:
    """Scenes that meet the region.

    Raises:
        PipelineError: none does.
    """
    if region is None:
        return scenes
    met = [scene for scene in scenes if region.intersects(shapely.box(*scene.bounds))]
    if not met:
        raise PipelineError(
            f"The region {show(region.bounds)} lies outside of the imagery {show(together(scenes))} "
            "(west, south, east, north). Correct region or samples.imagery."
        )
    return met


def together(scenes: Sequence[Scene]) -> Bounds:
    """Smallest box in degrees around all scenes."""
    west, south, east, north = np.array([scene.bounds for scene in scenes]).T
    return float(west.min()), float(south.min()), float(east.max()), float(north.max())


def show(bounds: Bounds) -> str:
    """A box for people."""
    return f"[{', '.join(f'{value:.4f}' for value in bounds)}]"


def check_overlap(scenes: Sequence[Scene], map_bounds: Bounds) -> None:
    """Imagery and map must share some ground.

    Raises:
        PipelineError: they do not; both boxes are said.
    """
    box = shapely.box(*map_bounds)
    if not any(box.intersects(shapely.box(*scene.bounds)) for scene in scenes):
        raise PipelineError(
            f"Imagery and map do not overlap: the imagery covers {show(together(scenes))}, the map {show(map_bounds)} "
            "(west, south, east, north). Correct samples.imagery.path or samples.osm.path."
        )

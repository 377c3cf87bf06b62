"""The map of a run: the extract as GeoParquet; of a history file, one state for each day that pictures were taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import shapely
from rich.console import Console

from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from download.scene import Scene
from pipeline.atomic import UNFINISHED, read_json, write_json
from pipeline.elements import ElementStore, write_elements
from pipeline.errors import PipelineError
from pipeline.fingerprint import digest
from pipeline.grid import PatchGrid
from pipeline.region import check_overlap

METRES_OF_DEGREE: Final = 110_000
"""Of latitude, rounded down (110,574 at the equator, 111,694 at the poles)."""

MERIDIANS_END: Final = 89.0
"""Degrees; nearer to a pole a degree of longitude means nothing for a margin."""


@dataclass(frozen=True, slots=True)
class Maps:
    """Elements on disk.

    Attributes:
        files: GeoParquet by day of the picture; a single one under None where the extract is no history.
    """

    files: Mapping[date | None, Path]

    def of(self, scene: Scene) -> Path:
        """The elements under a scene."""
        return self.files[scene.acquired if scene.acquired in self.files else None]


def map_area(scenes: Sequence[Scene], region: Any, patch: PatchGrid) -> Any:
    """Where the map is needed: under the scenes; of a region, under the patches whose middles lie in it.

    Args:
        scenes: pictures.
        region: shapely, degrees; None for everywhere.
        patch: how patches are laid.

    Returns:
        A shapely geometry in degrees.
    """
    boxes = np.array([scene.bounds for scene in scenes])
    under = shapely.union_all(shapely.box(*boxes.T))
    if region is None:
        return under
    side_m = max(float(np.max(np.array(patch.window_size(scene)) * scene.gsd)) for scene in scenes)
    nearest_pole = min(float(np.abs(boxes[:, 1::2]).max()), MERIDIANS_END)
    margin = side_m / METRES_OF_DEGREE / float(np.cos(np.radians(nearest_pole)))
    return under.intersection(region.buffer(margin))


def read_maps(
    osm: OsmExtract, table: TagTable, scenes: Sequence[Scene], folder: Path, console: Console
) -> tuple[Maps, dict[str, Any]]:
    """Reads the map into a folder, unless it is there already.

    Args:
        osm: the map.
        table: tells what can be seen.
        scenes: pictures that lie on it.
        folder: where to.
        console: where to say so.

    Returns:
        The maps, and what became of the elements, by file.

    Raises:
        DownloadError: the extract cannot be used.
        PipelineError: no element can be used, imagery and map do not overlap, or a history meets undated pictures.
    """
    version = digest([osm.digest(), table.digest])
    days: Sequence[date | None] = _days(scenes) if osm.is_history else [None]
    files = {day: folder / f"elements-{version}{f'-{day}' if day else ''}.parquet" for day in days}
    for day, target in files.items():
        if not target.exists():
            _say(console, f"Reading the map {osm.path}{f' as of {day}' if day else ''} …")
            _read(osm, day, table, target, console)
    counts = {target.stem: read_json(target.with_suffix(".json")) for target in files.values()}
    for target in files.values():
        check_overlap(scenes, ElementStore(target).bounds)
    return Maps(files), counts


def _days(scenes: Sequence[Scene]) -> list[date]:
    undated = [scene.id for scene in scenes if scene.acquired is None]
    if undated:
        raise PipelineError(
            f"A map history needs the day of each picture, and {undated[0]} has none. Set samples.imagery.acquired."
        )
    return sorted({scene.acquired for scene in scenes if scene.acquired})


def _read(osm: OsmExtract, day: date | None, table: TagTable, target: Path, console: Console) -> None:
    if day is None:
        counts = write_elements(osm, table, target)
    else:
        from download.osm.history import snapshot

        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".history.", suffix=UNFINISHED, dir=target.parent) as scratch:
            state = Path(scratch) / "state.osm.pbf"
            kept = snapshot(osm.path, datetime.combine(day, time.max, tzinfo=UTC), state)
            counts = write_elements(OsmExtract(path=state), table, target)
        _say(console, f"{kept.later_tagged:,} elements appeared later and are left out; {kept.deleted:,} were gone.")
    write_json(target.with_suffix(".json"), counts.as_json())
    for notice in counts.notices:
        _say(console, notice)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)

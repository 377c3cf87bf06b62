"""Patches cut from scenes, with the map under them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rich.console import Console

from annotation.tasks import Plan
from download.osm.extract import OsmExtract
from download.scene import Scene, Window
from pipeline.config import Config, GridSamples
from pipeline.elements import ElementStore
from pipeline.fingerprint import digest
from pipeline.grid import Block, Patches, blocks
from pipeline.ground import taken_before
from pipeline.json_cells import to_json, to_sorted_json
from pipeline.maps import Maps, map_area, read_maps
from pipeline.place import places
from pipeline.region import check_overlap, load_region, scenes_inside
from pipeline.samples import Met, UnitElements, as_of, make_plans, meet, patch_gsd, unit_elements, unit_patches
from pipeline.scene_imagery import Imagery
from pipeline.scribe import Brief, Scribe
from pipeline.source import Assignment, Row
from pipeline.split import Cell
from pipeline.strata import strata_of, years_of
from pipeline.tables import tag_table

Planner = Callable[[Config, Block, Patches, UnitElements, Met], Sequence[Plan]]
"""Says what is told of each patch."""


@dataclass(frozen=True, slots=True)
class GridSource:
    """Scenes of a region and the map under them.

    Attributes:
        config: the configuration.
        samples: its samples.
        scenes: scenes of the region, by id.
        osm: the map, on disk.
        taken: ground that earlier scenes show, by scene id.
        maps: the map as GeoParquet, once it has been read.
        map_counts: what became of its elements, by file.
        strata: what lies in each cell of the splits, where there is more than one split.
    """

    config: Config
    samples: GridSamples
    scenes: Mapping[str, Scene]
    osm: OsmExtract
    taken: Mapping[str, Any] = field(default_factory=dict)
    maps: Maps | None = None
    map_counts: Mapping[str, Any] | None = None
    strata: Mapping[Cell, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, samples: GridSamples) -> "GridSource":
        """Looks at imagery, map and region.

        Raises:
            PipelineError: imagery, map and region do not fit together.
            DownloadError: imagery or map cannot be used.
        """
        region = load_region(config.region)
        samples.imagery.check()
        scenes = scenes_inside(samples.imagery.scenes(region), region)
        osm = samples.osm.on_disk(map_area(scenes, region, samples.patch))
        osm.check(history=samples.as_of == "picture")
        known = osm.bounds()
        if known:
            check_overlap(scenes, known)
        for scene in scenes:
            samples.patch.window_size(scene)
        taken = taken_before(scenes, samples.patch) if samples.overlaps == "drop" else {}
        return cls(config, samples, {scene.id: scene for scene in scenes}, osm, taken)

    @property
    def inputs(self) -> Mapping[str, str]:
        """Digests of map and region; each unit knows its scene for itself, but for what splits depend on."""
        region, split = load_region(self.config.region), self.config.split
        years = {} if split.is_one else years_of(list(self.scenes.values()), split.cell)
        return {
            "map": self.osm.digest(),
            "region": "" if region is None else digest(region.wkt),
            "years": digest(sorted(years.items())),
        }

    @property
    def units(self) -> list[Block]:
        """Rows of patches of one scene each."""
        return list(blocks(list(self.scenes.values()), self.samples.patch, self.taken))

    @property
    def info(self) -> Mapping[str, Any]:
        """Number of scenes, and what became of the map's elements."""
        return {"scenes": len(self.scenes), "map": self.map_counts}

    @property
    def summary(self) -> str:
        """Scenes, units and patches."""
        units = self.units
        return f"{len(self.scenes):,} scenes, {len(units):,} units, {sum(unit.laid for unit in units):,} patches."

    def ready(self, folder: Path, console: Console) -> "GridSource":
        """Reads the map into a folder, unless it is there already."""
        table = tag_table(self.config.tags)
        for line in self.samples.imagery.notices(list(self.scenes.values())):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        maps, counts = read_maps(self.osm, table, list(self.scenes.values()), folder, console)
        strata = {} if self.config.split.is_one else strata_of(maps, list(self.scenes.values()), self.config.split.cell)
        return replace(self, maps=maps, map_counts=counts, strata=strata)

    def look(self, unit: Block, limit: int | None = None) -> "GridLook":
        """Lays, joins, measures and chooses.

        Args:
            unit: one of `units`.
            limit: tell no more than this many patches, for a preview.
        """
        return self.look_at(unit, unit_patches(self.config, unit), limit)

    def look_at(
        self, unit: Block, patches: Patches, limit: int | None = None, planned: Planner = make_plans
    ) -> "GridLook":
        """The same for patches that were laid otherwise, or of which other things are told."""
        if self.maps is None:
            raise ValueError("the map has not been read")
        config, map_file = self.config, self.maps.of(unit.scene)
        if not len(patches):
            return GridLook(self, unit, patches, [], np.zeros(0, dtype=bool), None, [])
        elements = unit_elements(ElementStore(map_file), patches, unit, as_of(self.samples, unit))
        met = meet(unit, patches, elements)
        plans = planned(config, unit, patches, elements, met)
        complete = np.ones(len(patches), dtype=bool)
        wanted = [plan.patch for plan in plans]
        complete[wanted] = self.samples.imagery.complete(unit.scene, [patches.windows[index] for index in wanted])
        scribe = Scribe.of(config, unit, elements, met)
        briefs = scribe.briefs([plan for plan in plans if complete[plan.patch]][:limit])
        return GridLook(self, unit, patches, places(map_file, patches.bounds), complete, scribe, briefs)

    def pictures(self) -> "ScenePictures":
        """Windows of the scenes."""
        return ScenePictures(self.samples.imagery, self.scenes)


@dataclass(frozen=True, slots=True)
class ScenePictures:
    """Reads patches out of scenes.

    Attributes:
        imagery: where the scenes come from.
        scenes: by id.
    """

    imagery: Imagery
    scenes: Mapping[str, Scene]

    def fetch(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Asks for the windows of each scene together."""
        windows: defaultdict[str, list[Window]] = defaultdict(list)
        for row in rows:
            windows[row["scene"]].append(Window(*row["window"]))
        for scene, wanted in windows.items():
            self.imagery.prefetch(self.scenes[scene], wanted)

    def read(self, row: Mapping[str, Any]) -> NDArray[np.uint8]:
        """The pixels of a row of the patches part."""
        return self.imagery.read(self.scenes[row["scene"]], Window(*row["window"]), row["size"])


@dataclass(frozen=True, slots=True)
class GridLook:
    """Patches of a unit and what is to be told of them.

    Attributes:
        source: where they come from.
        unit: which unit it is.
        patches: its patches.
        places: administrative names of each.
        complete: which of them hold no nodata.
        scribe: knows the unit's elements; None without patches.
        briefs: what is to be told, of complete patches.
    """

    source: GridSource
    unit: Block
    patches: Patches
    places: Sequence[Sequence[str]]
    complete: NDArray[np.bool_]
    scribe: Scribe | None
    briefs: Sequence[Brief]

    @property
    def assignments(self) -> list[Assignment]:
        """One for each brief."""
        gsd = patch_gsd(self.unit)
        return [
            Assignment(
                self._id(brief), brief.plan.task, brief.plan.revisions, brief.told, gsd, self.places[brief.patch]
            )
            for brief in self.briefs
        ]

    @property
    def counts(self) -> Mapping[str, int]:
        """Patches laid and kept, and elements that were not there yet when the picture was taken."""
        newer = self.scribe.elements.newer if self.scribe else 0
        return {"laid": self.unit.laid, "kept": len(self.patches), "newer": newer}

    def patch_rows(self, fates: Mapping[int, str]) -> list[Row]:
        """One for each patch; `nodata` and `nothing` (to tell) are fates of those that were not assigned."""
        tasks = {self._id(brief): brief.plan.task for brief in self.briefs}
        return [
            self._patch_row(index, fates.get(patch_id, "nothing" if whole else "nodata"), tasks.get(patch_id))
            for index, (patch_id, whole) in enumerate(
                zip(self.patches.ids.tolist(), self.complete.tolist(), strict=True)
            )
        ]

    def element_rows(self, captioned: AbstractSet[int]) -> list[Row]:
        """What captions are about, and what else is known of their patches."""
        if self.scribe is None:
            return []
        briefs = [brief for brief in self.briefs if self._id(brief) in captioned]
        known = iter(self.scribe.facts([subject for brief in briefs for subject in brief.others]))
        return [
            {"patch_id": self._id(brief), "id": element.id, "kind": element.kind, "tags": list(element.tags.items()),
             "facts": to_sorted_json(element.facts),
             "told": subject in brief.plan.told, "outline": shapely.to_wkb(self.scribe.outline(subject))}
            for brief in briefs
            for subject, element in zip(
                (*brief.plan.told, *brief.others), (*brief.told, *(next(known) for _ in brief.others)), strict=True
            )
        ]  # fmt: skip

    def _id(self, brief: Brief) -> int:
        return int(self.patches.ids[brief.patch])

    def _patch_row(self, index: int, status: str, task: str | None) -> Row:
        config, osm = self.source.config, self.source.osm
        scene, window, size = self.unit.scene, self.patches.windows[index], self.unit.grid.size
        a, b, _, d, e, _ = scene.transform
        left, _, _, top = self.patches.boxes[index].tolist()
        west, south, east, north = self.patches.bounds[index].tolist()
        metadata = {
            "patch_id": int(self.patches.ids[index]),
            "image_name": scene.id,
            "bounds": [round(value, 7) for value in (west, south, east, north)],
            "crs": scene.crs,
            "transform": [a * window.width / size, b, left, d, e * window.height / size, top],
            "gsd": round(patch_gsd(self.unit), 4),
            "acquired": scene.acquired.isoformat() if scene.acquired else None,
            **({"taken": scene.taken.isoformat()} if scene.taken else {}),
            "source": scene.source,
            "place": list(self.places[index]),
            "licence": _both(scene.licence, osm.licence),
            "attribution": _both(scene.attribution, osm.attribution),
            "split": config.split.of_box((west, south, east, north), config.seed, self.source.strata),
        }
        return {
            "patch_id": metadata["patch_id"], "scene": scene.id, "window": list(window), "size": size,
            "metadata": to_json(metadata), "status": status, "task": task,
        }  # fmt: skip


def _both(imagery: str, map_: str) -> str:
    """One line from what the imagery and the map say."""
    return "; ".join(f"{of}: {said}" for of, said in (("imagery", imagery), ("map", map_)) if said)

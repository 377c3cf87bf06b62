"""Objects of a map, each in a window of its own, with the map around it: new data in the manner of SkyScript."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console

from download.scene import Scene
from pipeline.config import Config, GridSamples
from pipeline.errors import PipelineError
from pipeline.fingerprint import digest
from pipeline.focus import focus_plans
from pipeline.grid import Block, Patches, PatchGrid
from pipeline.grid_source import GridLook, GridSource, ScenePictures
from pipeline.looks import Looks, look_through
from pipeline.object_choice import CHOSEN, DRAWN, NEWER, OUTSIDE, TOO_FINE, UNFIT, VISIBLE, Chooser, Focus
from pipeline.object_samples import ObjectSamples
from pipeline.region import load_region
from pipeline.spatial_sort import hilbert

OBJECTS_PER_UNIT: Final = 256


@dataclass(frozen=True, slots=True)
class ObjectUnit:
    """Objects of one scene that lie near to each other.

    Attributes:
        scene: where the pixels are.
        number: of the unit among those of its scene.
        first_id: patch id of the first object; the others follow.
        objects: and their windows.
    """

    scene: Scene
    number: int
    first_id: int
    objects: tuple[Focus, ...]

    @property
    def id(self) -> str:
        """Name of the unit, fit for a file name."""
        return f"{self.scene.id}-o{self.number:05d}"

    @property
    def laid(self) -> int:
        """Number of objects."""
        return len(self.objects)

    def fingerprint(self, run: str) -> str:
        """Changes with the run's fingerprint, the scene's content (not its place on disk), objects and windows."""
        return digest([run, self.scene.model_dump(mode="json", exclude={"path"}), self.first_id, self.objects])

    @property
    def by_side(self) -> Iterator[tuple[int, list[tuple[int, Focus]]]]:
        """Objects with windows of one size, each with its patch id."""
        groups: defaultdict[int, list[tuple[int, Focus]]] = defaultdict(list)
        for patch_id, focus in enumerate(self.objects, self.first_id):
            groups[focus.side].append((patch_id, focus))
        yield from sorted(groups.items())


@dataclass(frozen=True, slots=True)
class ObjectSource:
    """Objects of a region.

    Attributes:
        samples: of the configuration.
        grid: looks at windows of one size as at patches.
        units: of chosen objects; none until the map has been read.
        counts: what became of the map's objects.
    """

    samples: ObjectSamples
    grid: GridSource
    units: Sequence[ObjectUnit] = ()
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, samples: ObjectSamples) -> "ObjectSource":
        """Looks at imagery, map and region.

        Raises:
            PipelineError: imagery, map and region do not fit together.
            DownloadError: imagery or map cannot be used.
        """
        largest = GridSamples(
            kind="grid",
            imagery=samples.imagery,
            osm=samples.osm,
            as_of=samples.as_of,
            patch=PatchGrid(size=samples.window.most),
            overlaps="keep",
        )
        return cls(samples, GridSource.of(config, largest))

    @property
    def inputs(self) -> Mapping[str, str]:
        """Digests of map and region; each unit knows scene and objects for itself."""
        return self.grid.inputs

    @property
    def info(self) -> Mapping[str, Any]:
        """Number of scenes, and what became of the map's elements and objects."""
        return {**self.grid.info, "objects": dict(self.counts)}

    @property
    def summary(self) -> str:
        """Scenes; what is drawn shows later."""
        return f"{len(self.grid.scenes):,} scenes. Which objects are drawn shows when the map has been read."

    def ready(self, folder: Path, console: Console) -> "ObjectSource":
        """Reads the map into a folder, unless it is there already, and draws.

        Raises:
            PipelineError: there is nothing to draw.
            DownloadError: the map cannot be used.
        """
        grid = self.grid.ready(folder, console)
        if grid.maps is None:
            raise ValueError("the map has not been read")
        chooser = Chooser(self.samples, grid.scenes, load_region(grid.config.region), grid.config.seed)
        chosen, counts = chooser.choose(grid.maps)
        if not counts[CHOSEN]:
            raise PipelineError(_nothing(counts, list(grid.scenes.values())))
        units = list(_units([(scene, chosen[scene.id]) for scene in grid.scenes.values() if scene.id in chosen]))
        console.print(_told(counts), markup=False, highlight=False, soft_wrap=True)
        return replace(self, grid=grid, units=units, counts=dict(sorted(counts.items())))

    def look(self, unit: ObjectUnit, limit: int | None = None) -> Looks:
        """Looks at windows of one size after the other.

        Args:
            unit: one of `units`.
            limit: tell no more than this many objects, for a preview.
        """
        return Looks(unit, look_through(unit.by_side, partial(self._look, unit.scene), limit))

    def _look(self, scene: Scene, part: tuple[int, Sequence[tuple[int, Focus]]], limit: int | None) -> GridLook:
        side, objects = part
        ids = [patch_id for patch_id, _ in objects]
        windows = [focus.window for _, focus in objects]
        boxes = np.array([scene.window_bounds(window) for window in windows])
        patches = Patches(np.array(ids), windows, boxes, np.array([focus.bounds for _, focus in objects]))
        block = Block(scene, self.samples.picture(scene, side), ids[0], (0, 1))
        return self.grid.look_at(block, patches, limit, partial(focus_plans, [focus.id for _, focus in objects]))

    def pictures(self) -> ScenePictures:
        """Windows of the scenes."""
        return self.grid.pictures()


def _units(chosen: Sequence[tuple[Scene, Sequence[Focus]]]) -> Iterator[ObjectUnit]:
    """Neighbours together; patch ids run on through the scenes."""
    first_id = 0
    for scene, objects in chosen:
        west, south, east, north = np.array([focus.bounds for focus in objects]).T
        places = hilbert((west + east) / 2, (south + north) / 2).tolist()
        ordered = [
            focus
            for _, _, focus in sorted((place, focus.id, focus) for place, focus in zip(places, objects, strict=True))
        ]
        for number, start in enumerate(range(0, len(ordered), OBJECTS_PER_UNIT)):
            some = tuple(ordered[start : start + OBJECTS_PER_UNIT])
            yield ObjectUnit(scene, number, first_id, some)
            first_id += len(some)


def _told(counts: Counter[str]) -> str:
    lost = ", ".join(f"{counts[reason]:,} {reason}" for reason in (NEWER, UNFIT, OUTSIDE) if counts[reason])
    return (
        f"{counts[VISIBLE]:,} objects, {counts[DRAWN]:,} drawn, {counts[CHOSEN]:,} chosen{f'; {lost}' if lost else ''}."
    )


def _nothing(counts: Counter[str], scenes: Sequence[Scene]) -> str:
    """Why there are no samples, and what helps."""
    if not counts[VISIBLE]:
        return (
            "The map holds nothing that can be seen from above where region and imagery meet. "
            "Correct region or samples.osm."
        )
    if counts[TOO_FINE] == counts[VISIBLE]:
        finest = min(max(scene.gsd) for scene in scenes)
        return (
            f"At a GSD of {finest:.3g} m none of the {counts[VISIBLE]:,} objects can be told apart. "
            "Take finer imagery (samples.imagery)."
        )
    if not counts[DRAWN]:
        return f"None of {counts[VISIBLE]:,} objects was drawn. Raise samples.draw.cells or samples.draw.rare."
    return (
        f"No window can be laid: {_told(counts)} Change samples.window, take other scenes, or set "
        "samples.as_of: extract."
    )

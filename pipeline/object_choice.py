"""Which objects of a map become samples, and the window of a scene around each."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from download.osm.dates import periods, stood
from download.scene import Bounds, Scene, Window
from pipeline.decide import SIDES
from pipeline.draw import draw
from pipeline.maps import Maps
from pipeline.object_samples import ObjectSamples
from pipeline.skyscript_draw import Chosen, Thing

INNER: Final = 0.9
"""Share of a window's side in whose middle a point, or a node of a line, has to lie."""

VISIBLE, TOO_FINE, DRAWN, CHOSEN = "visible", "too fine for any scene", "drawn", "chosen"
"""What becomes of the objects of a map: of those that can be seen from above some are too fine, some are drawn, and of
these some are chosen."""
NEWER = "not surely there when a picture was taken"
UNFIT = "too small or too fine for the GSD, or too large for a window"
OUTSIDE = "windows outside of scenes or region"
"""Why others that were drawn are not chosen."""


class Focus(NamedTuple):
    """An object and the window around it.

    Attributes:
        id: `way/123`.
        side: of the window in pixels of its scene; where these are not square, in the longer of their sides.
        window: of the scene.
        bounds: of the window, west, south, east, north in degrees (EPSG:4326).
    """

    id: str
    side: int
    window: Window
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses among the objects of a map.

    Attributes:
        samples: of the configuration.
        scenes: pictures, by id.
        region: shapely, degrees (EPSG:4326); None for everywhere.
        seed: of the run.
    """

    samples: ObjectSamples
    scenes: Mapping[str, Scene]
    region: Any
    seed: int

    def choose(self, maps: Maps) -> tuple[dict[str, list[Focus]], Counter[str]]:
        """Chosen objects by scene id, each once, and what became of the others; lots fall by seed and OSM id.

        Maps of several days are gone through one after the other: an object belongs to the first that shows it.
        """
        by_map: defaultdict[Path, list[Scene]] = defaultdict(list)
        for scene in self.scenes.values():
            by_map[maps.of(scene)].append(scene)
        found: defaultdict[str, list[Focus]] = defaultdict(list)
        counts: Counter[str] = Counter()
        taken: set[str] = set()
        for file, scenes in by_map.items():
            for thing, shown in self._things(file, scenes, counts):
                if thing.id in taken:
                    continue
                chosen = self._around(thing, shown)
                if isinstance(chosen, str):
                    counts[chosen] += 1
                    continue
                scene_id, focus = chosen
                found[scene_id].append(focus)
                taken.add(focus.id)
        counts[CHOSEN] = len(taken)
        return found, counts

    def _things(
        self, file: Path, scenes: Sequence[Scene], counts: Counter[str]
    ) -> Iterator[tuple[Thing, Sequence[Scene]]]:
        """Drawn objects, each with the scenes that it may be seen in."""
        grounds = shapely.box(*np.array([scene.bounds for scene in scenes]).T)
        ground = shapely.union_all(grounds)
        ground = ground if self.region is None else ground.intersection(self.region)
        shapely.prepare(ground)
        drawn = self._drawn(file, ground, min(max(scene.gsd) for scene in scenes), counts)
        if not len(drawn):
            return
        start, end = periods(drawn["tags"].combine_chunks())
        edited = drawn["timestamp"].to_numpy().astype("datetime64[s]")
        there = {day: stood(day, start, end, edited) for scene in scenes if (day := self._day(scene))}
        tree = shapely.STRtree(grounds)
        shapes = shapely.from_wkb(drawn["geometry"].to_numpy())
        columns = (drawn[name].to_pylist() for name in ("id", "kind", "seen_from"))
        for row, (key, kind, seen_from) in enumerate(zip(*columns, strict=True)):
            near = [scenes[place] for place in sorted(tree.query(shapely.envelope(shapes[row])))]
            shown = [scene for scene in near if not (day := self._day(scene)) or there[day][row]]
            if near and not shown:
                counts[NEWER] += 1
                continue
            points = _points(shapes[row], kind)
            inside = points if kind == "area" else points[shapely.contains_xy(ground, *points.T)]
            yield Thing(key, kind, seen_from, (inside if len(inside) else points).tolist()), shown

    def _day(self, scene: Scene) -> Any:
        return scene.acquired if self.samples.as_of == "picture" else None

    def _drawn(self, file: Path, ground: Any, finest: float, counts: Counter[str]) -> pa.Table:
        """Rows of the elements that are drawn, among those that lie on the ground and can be seen there."""
        table = pq.read_table(file, columns=["main", "seen_from", "hidden", "bbox"], partitioning=None)
        boxes = table["bbox"].combine_chunks()
        bounds = np.stack([boxes.field(side).to_numpy() for side in SIDES], axis=1)
        seen_from = table["seen_from"].to_numpy()
        rows = np.flatnonzero(table["hidden"].is_null().to_numpy() & table["main"].is_valid().to_numpy())
        rows = rows[_meets(bounds[rows], ground.bounds)] if not ground.is_empty else rows[:0]
        rows = rows[shapely.intersects(ground, shapely.box(*bounds[rows].T))]
        counts[VISIBLE] += len(rows)
        fine = seen_from[rows] * 1.01 >= finest
        counts[TOO_FINE] += int((~fine).sum())
        rows = rows[fine]
        places = (bounds[rows, :2] + bounds[rows, 2:]) / 2
        rows = rows[self.samples.draw.drawn(table["main"].take(rows).to_pylist(), places, self.seed)]
        counts[DRAWN] += len(rows)
        return _rows(file, rows)

    def _around(self, thing: Thing, scenes: Sequence[Scene]) -> tuple[str, Focus] | str:
        """Scene and window of an object, or why there are none.

        First the source falls by lot and then one of its scenes, so that one with many scenes is as likely as another;
        what cannot show the object or hold the window is passed over.
        """
        by_source: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for scene in scenes:
            by_source[scene.source][scene.id] = max(scene.gsd)
        why = UNFIT if scenes else OUTSIDE
        for source in sorted(by_source, key=lambda source: draw(f"{self.seed}/{thing.id}/source/{source}")):
            left = by_source[source]
            while chosen := self.samples.window.chosen(thing, left, self.seed):
                focus = self._laid(thing, chosen)
                if focus:
                    return chosen.code, focus
                why = OUTSIDE
                del left[chosen.code]
        return why

    def _laid(self, thing: Thing, chosen: Chosen) -> Focus | None:
        """A window on the scene's own pixels, moved into the scene where it juts out; None where that loses it."""
        scene = self.scenes[chosen.code]
        width, height = self.samples.picture(scene, chosen.size).window_size(scene)
        if width > scene.width or height > scene.height:
            return None
        to_scene, to_degrees = _transformers(scene.crs)
        west, south, east, north = chosen.bounds
        x, y = to_scene.transform((west + east) / 2, (south + north) / 2)
        a, _, c, _, e, f = scene.transform
        col = min(max(0, round((x - c) / a - width / 2)), scene.width - width)
        row = min(max(0, round((y - f) / e - height / 2)), scene.height - height)
        window = Window(col, row, width, height)
        lon, lat = zip(*thing.points, strict=True)
        xs, ys = map(np.array, to_scene.transform(lon, lat))
        across, down = ((xs - c) / a - col) / width, ((ys - f) / e - row) / height
        bounds = to_degrees.transform_bounds(*scene.window_bounds(window))
        if not _holds(across, down, thing.kind == "area") or not self._shown(scene, bounds):
            return None
        return Focus(thing.id, chosen.size, window, bounds)

    def _shown(self, scene: Scene, bounds: Bounds) -> bool:
        """Whether the scene has pixels all over the window, as far as is known, and its middle lies in the region."""
        west, south, east, north = bounds
        if self.region is not None and not shapely.contains_xy(self.region, (west + east) / 2, (south + north) / 2):
            return False
        return scene.footprint is None or bool(shapely.contains(_footprint(scene.footprint), shapely.box(*bounds)))


def _holds(across: NDArray[np.float64], down: NDArray[np.float64], whole: bool) -> bool:  # noqa: FBT001 - two rules
    """Whether all points lie in the unit square, or one of them well inside."""
    if whole:
        return bool(min(across.min(), down.min()) >= 0 and max(across.max(), down.max()) <= 1)
    return bool(((np.abs(across - 0.5) < INNER / 2) & (np.abs(down - 0.5) < INNER / 2)).any())


def _points(shape: Any, kind: str) -> NDArray[np.float64]:
    """Corners of an area's box; nodes of others."""
    return shapely.get_coordinates(shapely.box(*shape.bounds) if kind == "area" else shape)


def _meets(boxes: NDArray[np.float64], other: Bounds) -> NDArray[np.bool_]:
    west, south, east, north = boxes.T
    return np.asarray((west <= other[2]) & (east >= other[0]) & (south <= other[3]) & (north >= other[1]))


def _rows(file: Path, rows: NDArray[np.int64]) -> pa.Table:
    """Some rows of a file of elements, by number, ascending; groups without any are not read."""
    columns = ["id", "kind", "tags", "geometry", "timestamp", "seen_from"]
    with pq.ParquetFile(file) as source:
        sizes = [source.metadata.row_group(group).num_rows for group in range(source.metadata.num_row_groups)]
        firsts = np.cumsum([0, *sizes])
        tables = [
            source.read_row_group(group, columns).take(rows[(rows >= first) & (rows < first + size)] - first)
            for group, (first, size) in enumerate(zip(firsts.tolist(), sizes, strict=False))
            if ((rows >= first) & (rows < first + size)).any()
        ]
        return pa.concat_tables(tables) if tables else source.schema_arrow.empty_table()


@lru_cache(maxsize=64)
def _transformers(crs: str) -> tuple[Transformer, Transformer]:
    """From degrees and to degrees."""
    return (
        Transformer.from_crs("EPSG:4326", crs, always_xy=True),
        Transformer.from_crs(crs, "EPSG:4326", always_xy=True),
    )


@lru_cache(maxsize=64)
def _footprint(text: str) -> Any:
    shape = shapely.from_wkt(text)
    shapely.prepare(shape)
    return shape

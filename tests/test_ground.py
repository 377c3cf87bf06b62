"""Overlapping scenes: whose ground it is."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Transformer

from download.imagery.local import LocalImagery
from download.osm.extract import OsmExtract
from download.scene import Scene
from pipeline.config import Config, GridSamples
from pipeline.grid import Patches, PatchGrid, blocks
from pipeline.grid_source import GridSource
from pipeline.ground import taken_before
from pipeline.samples import unit_patches

ANYWHERE = Config.model_construct(seed=7, region=None)
SPRING, NEXT_YEAR = date(2020, 4, 15), date(2021, 5, 1)


def scene(name: str, east: float = 0, north: float = 0, **other: Any) -> Scene:
    """A scene of 1 m, 500 m wide and high unless said otherwise."""
    fields = {"source": "made", "width": 500, "height": 500, "acquired": SPRING, **other}
    transform = (1, 0, 500_000 + east, 0, -1, 4_700_000 + north)
    return Scene(id=name, path="-", crs="EPSG:26915", transform=transform, bands=(1, 2, 3), digest=name, **fields)


def shown(scenes: list[Scene], size: int, *, drop: bool = True) -> dict[str, Patches]:
    """The patches of each scene, of which there is one block each."""
    grid = PatchGrid(size=size)
    found = blocks(scenes, grid, taken_before(scenes, grid) if drop else {})
    return {block.scene.id: unit_patches(ANYWHERE, block) for block in found}


def boxes(patches: Patches) -> NDArray[np.object_]:
    return np.asarray(shapely.box(*patches.boxes.T), dtype=np.object_)


@given(
    places=st.lists(st.tuples(st.integers(-600, 600), st.integers(-600, 600)), min_size=2, max_size=4),
    size=st.integers(50, 250),
)
@settings(max_examples=30, deadline=None)
def test_no_patch_has_its_middle_in_another_one(places: list[tuple[int, int]], size: int) -> None:
    scenes = [scene(str(number), *place) for number, place in enumerate(places)]
    by_scene = [boxes(patches) for patches in shown(scenes, size).values()]
    everything = [boxes(patches) for patches in shown(scenes, size, drop=False).values()]
    assert len(by_scene[0]) == len(everything[0]), "the first scene has the ground for itself"
    for number, ours in enumerate(by_scene):
        for theirs in by_scene[:number]:
            assert not shapely.contains_properly(theirs[:, None], shapely.centroid(ours)[None]).any()
    gone = shapely.union_all(np.concatenate(everything)).difference(shapely.union_all(np.concatenate(by_scene)))
    assert gone.buffer(-size / 2 - 1).is_empty, "what is left out is no wider than a patch"


def test_scenes_of_other_years_and_sources_have_their_own_ground() -> None:
    first, others = scene("a"), [scene("b", acquired=NEXT_YEAR), scene("c", source="else"), scene("d", acquired=None)]
    for other in others:
        assert taken_before([first, other], PatchGrid(size=100)) == {}
    assert set(taken_before([first, scene("e", 250)], PatchGrid(size=100))) == {"e"}
    assert len(shown([first, scene("e", 250)], 100)["e"]) == 15  # of 25: three columns of which one is half the first's


def test_ground_is_taken_only_where_there_are_pixels() -> None:
    later = scene("later")
    assert taken_before([scene("a", masked=True), later], PatchGrid(size=100)) == {}
    west, south, east, north = later.bounds
    left_half = shapely.box(west - 1, south - 1, (west + east) / 2, north + 1).wkt
    found = shown([scene("a", masked=True, footprint=left_half), later], 100)["later"]
    assert {300, 400} <= {window.col for window in found.windows} <= {200, 300, 400}


def test_units_change_with_the_ground_that_others_take() -> None:
    grid = PatchGrid(size=100)

    def fingerprint(*scenes: Scene) -> str:
        *_, last = blocks(list(scenes), grid, taken_before(scenes, grid))
        return last.fingerprint("run")

    alone = fingerprint(scene("far", 5000), scene("b"))
    assert alone == fingerprint(scene("far", -5000), scene("b"))
    assert len({alone, fingerprint(scene("a", 250), scene("b")), fingerprint(scene("a", 150), scene("b"))}) == 3


@pytest.mark.parametrize("overlaps", ["drop", "keep"])
@pytest.mark.parametrize("size", [25, 60, 100, 300])
def test_the_seam_of_two_utm_zones(shared_data: Path, size: int, overlaps: str) -> None:
    """Two NAIP scenes hold a strip of 20 m. Dropped, no middle of a patch lies in another one.

    Two grids that are turned against each other then leave or share a strip, of half a patch at most. Kept, all ground
    is shown, and the strip twice.
    """
    imagery = LocalImagery(kind="local", path=shared_data / "naip" / "m_360*_subset.tif")
    samples = {"kind": "grid", "imagery": imagery.model_dump(), "patch": {"size": size}, "overlaps": overlaps,
               "osm": {"kind": "extract", "path": shared_data / "osm" / "beatty.osm"}}  # fmt: skip
    osm = OsmExtract(kind="extract", path=shared_data / "osm" / "beatty.osm")
    grid_samples = GridSamples.model_validate(samples)
    scenes = imagery.scenes()
    assert [each.crs for each in scenes] == ["EPSG:26918", "EPSG:26917"]
    taken = taken_before(scenes, grid_samples.patch) if overlaps == "drop" else {}
    source = GridSource(ANYWHERE, grid_samples, {each.id: each for each in scenes}, osm, taken)
    ours, theirs = (
        np.array([_on_the_ground(each.crs, box) for unit in source.units if unit.scene.id == each.id
                  for box in unit_patches(ANYWHERE, unit).boxes])
        for each in scenes
    )  # fmt: skip
    west, east = (_on_the_ground(each.crs, each.extent) for each in scenes)
    gap = west.union(east).difference(shapely.union_all([*ours, *theirs])).area / 300
    twice = shapely.area(shapely.intersection(ours[:, None], theirs[None])).sum() / 300
    middles = shapely.contains(ours[:, None], shapely.centroid(theirs)[None])
    if overlaps == "drop":
        assert not middles.any()
        assert gap + twice <= max(20, size / 2) + 0.5
        assert gap <= size / 2
    else:
        assert gap < 0.01
        assert twice == pytest.approx(20, abs=0.5)
        assert middles.any() == (size == 25)


def _on_the_ground(crs: str, box: Any) -> Any:
    """A box in metres around the seam."""
    to_seam = Transformer.from_crs(crs, "+proj=tmerc +lat_0=36.622 +lon_0=-78 +ellps=WGS84", always_xy=True)

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_seam.transform(*points.T))

    return shapely.transform(shapely.segmentize(shapely.box(*box), 10), move)

"""Objects as samples: which are drawn, what their windows show, and whole runs of them."""

import io
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from PIL import Image
from pydantic import ValidationError
from rich.console import Console

from annotation.request import ElementFacts
from download.sample import SampleCounty
from download.scene import Window
from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.object_choice import CHOSEN, Focus
from pipeline.object_samples import ObjectSamples
from pipeline.object_source import ObjectSource
from pipeline.report import write_report
from pipeline.store import RunFolder
from tests.conftest import CommandLine, WriteConfig
from tests.run_folder import run_info, samples, shard_digests
from tests.test_report_kinds import finish

SOME = {"cells": 0.2, "rare": 10}


def _config(county: SampleCounty, imagery: dict[str, Any] | None = None, **changes: Any) -> Config:
    top = {key: changes.pop(key) for key in ("seed", "region", "captions") if key in changes}
    given = {
        "kind": "objects",
        "imagery": {"kind": "local", "path": str(county.folder / "m_*.tif"), **(imagery or {})},
        "osm": {"kind": "extract", "path": str(county.extract)},
        "draw": SOME,
        **changes,
    }
    return Config.model_validate({"name": "o", "seed": 3, "samples": given, "output": {"kind": "webdataset"}, **top})


def _source(config: Config, folder: Path) -> ObjectSource:
    assert isinstance(config.samples, ObjectSamples)
    return ObjectSource.of(config, config.samples).ready(folder, Console(quiet=True))


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the county's map is read once."""
    return tmp_path_factory.mktemp("maps")


@pytest.fixture(scope="module")
def source(county: SampleCounty, maps: Path) -> ObjectSource:
    tasks = {"area": 0.5, "non_area": 0.5, "scene": 1, "revision": 0.5}
    return _source(_config(county, captions={"tasks": tasks}), maps)


def _objects(source: ObjectSource) -> dict[int, Focus]:
    """By patch id."""
    return {unit.first_id + place: focus for unit in source.units for place, focus in enumerate(unit.objects)}


def _mapped(maps: Path) -> dict[str, dict[str, Any]]:
    """What can be seen of the map, by id."""
    (file,) = maps.glob("elements-*.parquet")
    rows = pq.read_table(file).to_pylist()
    return {row["id"]: row for row in rows if row["hidden"] is None and row["main"]}


def _told(source: ObjectSource) -> Iterator[tuple[Focus, dict[str, Any], str, tuple[ElementFacts, ...], Any]]:
    """Each object with its patch row, task, what is told, and its outline."""
    objects = _objects(source)
    for unit in source.units:
        look = source.look(unit)
        ids = {each.patch_id for each in look.assignments}
        rows = {row["patch_id"]: row for row in look.patch_rows(dict.fromkeys(ids, "captioned"))}
        outlines = {(row["patch_id"], row["id"]): row["outline"] for row in look.element_rows(ids)}
        for each in look.assignments:
            outline = shapely.from_wkb(outlines[each.patch_id, each.told[0].id])
            yield objects[each.patch_id], rows[each.patch_id], each.task, each.told, outline


def test_the_object_is_in_its_window_and_told_first(source: ObjectSource, maps: Path) -> None:
    mapped, tasks = _mapped(maps), Counter[str]()
    for focus, row, task, told, outline in _told(source):
        element, scene = mapped[focus.id], source.grid.scenes[row["scene"]]
        assert told[0].id == focus.id
        assert task == "scene" or len(told) == 1
        assert len(told) <= 5
        assert len({facts.facts["noun"] for facts in told}) == len(told)
        assert not outline.is_empty
        assert shapely.box(-1e-9, -1e-9, 1 + 1e-9, 1 + 1e-9).covers(outline)
        col, line, width, height = row["window"]
        assert width == height == row["size"] == focus.side
        assert focus.side in range(128, 769, 32)
        assert min(col, line) >= 0
        assert (col + width <= scene.width) & (line + height <= scene.height)
        assert json.loads(row["metadata"])["gsd"] == pytest.approx(0.6, rel=0.01)
        assert json.loads(row["metadata"])["transform"][0] == pytest.approx(0.6, rel=1e-6)
        if element["kind"] == "area":
            assert "edges" not in told[0].facts or not told[0].facts["edges"], "an area is shown whole"
        tasks[task if len(told) == 1 else "scene", element["kind"]] += 1  # type: ignore[index]
    assert {("area", "area"), ("non_area", "line"), ("non_area", "point"), ("scene", "point")} <= set(tasks)
    assert sum(tasks.values()) == source.counts[CHOSEN] > 50


def test_pixels_are_those_of_the_scene(source: ObjectSource, county: SampleCounty) -> None:
    look = source.look(source.units[0])
    for row in look.patch_rows({})[::9]:
        with rasterio.open(county.folder / f"{row['scene']}.tif") as scene:
            pixels = scene.read([1, 2, 3], window=rasterio.windows.Window(*row["window"]))
        assert np.array_equal(source.pictures().read(row), np.moveaxis(pixels, 0, 2))


def test_rare_tags_are_shown_more_often_than_they_are_mapped(source: ObjectSource, maps: Path) -> None:
    mapped = _mapped(maps)
    everywhere = Counter(element["main"] for element in mapped.values())
    shown = Counter(mapped[focus.id]["main"] for focus in _objects(source).values())
    rare = {main for main, count in everywhere.items() if count <= SOME["rare"]}
    share = sum(everywhere[main] for main in rare) / everywhere.total()
    assert share < 0.35
    assert sum(shown[main] for main in rare) / shown.total() > 2 * share
    assert len(shown) > 0.8 * len(everywhere)
    assert set(shown) - rare, "cells bring in the others"


def test_each_object_once_where_scenes_overlap(county: SampleCounty, maps: Path, tmp_path: Path) -> None:
    for number in range(3):
        shutil.copy(county.rasters[0], tmp_path / f"{number}.tif")
    source = _source(_config(county, {"path": str(tmp_path), "acquired": "2024-06-01"}), maps)
    ids = [focus.id for unit in source.units for focus in unit.objects]
    assert len(ids) == len(set(ids)) == source.counts[CHOSEN]
    assert {unit.scene.id for unit in source.units} == {"0", "1", "2"}


def test_lots_fall_by_seed_and_change_units(county: SampleCounty, maps: Path, source: ObjectSource) -> None:
    again = _source(_config(county), maps)
    assert [unit.objects for unit in again.units] == [unit.objects for unit in source.units]
    other = _source(_config(county, seed=4), maps)
    assert {focus.id for focus in _objects(other).values()} != {focus.id for focus in _objects(source).values()}
    unit, changed = source.units[0], other.units[0]
    assert unit.fingerprint("run") == again.units[0].fingerprint("run") != changed.fingerprint("run")
    assert unit.fingerprint("run") != unit.fingerprint("other run")


def test_a_region_holds_the_middles(county: SampleCounty, maps: Path, source: ObjectSource) -> None:
    west, south, east, north = source.grid.scenes[county.rasters[0].stem].bounds
    region = (west, south, (west + east) / 2, north)
    inside = _source(_config(county, region=region, draw={"cells": 1}), maps)
    middles = np.array([focus.bounds for focus in _objects(inside).values()]).reshape(-1, 2, 2).mean(axis=1)
    assert len(middles) > 20
    assert (middles >= region[:2]).all()
    assert (middles <= region[2:]).all()


def test_all_pictures_of_one_size(county: SampleCounty, maps: Path) -> None:
    source = _source(_config(county, size=96, window={"least": 96, "most": 480, "step": 96}), maps)
    gsds = set()
    for focus, row, _, _, _ in _told(source):
        metadata = json.loads(row["metadata"])
        gsds.add(round(metadata["gsd"], 2))
        assert row["size"] == 96
        assert metadata["gsd"] == pytest.approx(0.6 * focus.side / 96, rel=0.01)
        assert metadata["transform"][0] == pytest.approx(0.6 * focus.side / 96, rel=1e-6)
        assert source.pictures().read(row).shape == (96, 96, 3)
    assert gsds >= {0.6, 1.2}
    with pytest.raises(ValidationError, match=r"size \(224\) is more than window.least \(128\)"):
        _config(county, size=224)


def test_pixels_that_are_not_square(county: SampleCounty, maps: Path, tmp_path: Path) -> None:
    """Windows cover as much ground across as down."""
    with rasterio.open(county.rasters[0]) as scene:
        half = scene.read(out_shape=(scene.count, scene.height, scene.width // 2))
        wide = scene.transform @ scene.transform.scale(2, 1)
        profile = {**scene.profile, "width": scene.width // 2, "transform": wide, "alpha": "unspecified"}
    with rasterio.open(tmp_path / "wide.tif", "w", **profile) as target:
        target.write(half)
    source = _source(_config(county, {"path": str(tmp_path), "acquired": "2024-06-01"}), maps)
    for focus, row, _, _, _ in _told(source):
        _, _, width, height = row["window"]
        assert (width, height, row["size"]) == (focus.side, 2 * focus.side, focus.side)
        assert json.loads(row["metadata"])["gsd"] == pytest.approx(1.2, rel=0.01)
        assert source.pictures().read(row).shape == (focus.side, focus.side, 3)


@pytest.mark.parametrize(
    ("imagery", "changes", "wrong"),
    [
        ({}, {"region": (-91.95, 43.2139, -91.9499, 43.214)}, "holds nothing .* where region and imagery meet"),
        ({"acquired": "1990-01-01"}, {}, "not surely there when a picture was taken.*samples.as_of: extract"),
        ({}, {"draw": {"cells": 0, "rare": 0}}, "None of [0-9]+ objects was drawn. Raise samples.draw.cells"),
        ({}, {"window": {"least": 4096, "most": 8192}}, "No window can be laid: .* outside of scenes or region"),
    ],
)
def test_nothing_to_show_is_an_error(
    imagery: dict[str, Any], changes: dict[str, Any], wrong: str, county: SampleCounty, maps: Path
) -> None:
    with pytest.raises(PipelineError, match=wrong):
        _source(_config(county, imagery, **changes), maps)


def test_imagery_too_coarse_for_everything(county: SampleCounty, maps: Path, tmp_path: Path) -> None:
    with rasterio.open(county.rasters[0]) as scene:
        small = scene.read(out_shape=(scene.count, 20, 20))
        coarse = scene.transform @ scene.transform.scale(scene.width / 20 * 3, scene.height / 20 * 3)
        profile = {**scene.profile, "width": 20, "height": 20, "transform": coarse, "alpha": "unspecified"}
    with rasterio.open(tmp_path / "coarse.tif", "w", **profile) as target:
        target.write(small)
    with pytest.raises(PipelineError, match=r"At a GSD of [0-9.]+ m none of the [0-9,]+ objects can be told apart"):
        _source(_config(county, {"path": str(tmp_path), "acquired": "2024-06-01"}), maps)


def test_whole_runs(
    small_scenes: Path, county: SampleCounty, write_config: WriteConfig, mapteller: CommandLine, tmp_path: Path
) -> None:
    """The same bytes from two workers, and from one where half of the work was there already; and a report."""
    given = {
        "kind": "objects",
        "imagery": {"kind": "local", "path": str(small_scenes / "a*.tif")},
        "osm": {"kind": "extract", "path": str(county.extract)},
        "draw": {"cells": 1},
        "window": {"least": 96, "most": 320, "step": 32},
    }
    config, whole, resumed = write_config(samples=given, output__image="png"), tmp_path / "whole", tmp_path / "resumed"
    mapteller("run", config, "--out", whole)
    shutil.copytree(whole, resumed)
    for part in sorted((resumed / "captions").glob("*.parquet"))[::2]:
        part.unlink()
    shutil.rmtree(resumed / "shards")
    mapteller("run", config, "--out", resumed, "--set", "workers=1")
    assert shard_digests(resumed) == shard_digests(whole)
    units = run_info(resumed)["units"]
    assert min(units["reused"], units["computed"]) > 1

    info, found = run_info(whole), samples(whole)
    assert info["counts"]["kept"] == info["objects"]["chosen"] == len(found) + info["counts"].get("rejected", 0)
    assert len({sample["metadata"]["patch_id"] for sample in found}) == len(found) > 20
    sizes = {Image.open(io.BytesIO(sample["picture"])).size for sample in found}
    assert len(sizes) > 2
    assert sizes <= {(side, side) for side in range(96, 321, 32)}
    mapteller("report", whole)
    assert (whole / "report" / "index.html").stat().st_size > 10_000
    card = (whole / "README.md").read_text()
    assert "windows of 96 to 320 pixels" in card
    assert "taken for the sake of one object" in card
    assert "sake of one of them" in json.loads((whole / "croissant.json").read_text())["description"]


def test_told_again(county: SampleCounty, tmp_path: Path) -> None:
    """Another run tells the same objects with other captions, and its card says whose they are."""
    first = finish(_config(county, draw={"cells": 0, "rare": 3}), tmp_path / "first")
    config = {"name": "again", "samples": {"kind": "run", "path": str(first)}, "output": {"kind": "webdataset"}}
    again = finish(Config.model_validate(config), tmp_path / "again")
    assert [sample["elements"] for sample in samples(again)] == [sample["elements"] for sample in samples(first)]
    write_report(RunFolder(again))
    assert "taken for the sake of one object" in (again / "README.md").read_text()


def test_preview_and_validate(county: SampleCounty, write_config: WriteConfig, mapteller: CommandLine) -> None:
    samples = _config(county).model_dump(mode="json")["samples"]
    config = write_config(samples=samples, captions__tasks={"revision": 0})
    assert "2 scenes" in mapteller("validate", config).stdout
    assert mapteller("preview", config, "-n", "3").stdout.count("(grammar)") == 3
    refused = mapteller("validate", config, "--set", "samples.draw.cels=0.5", code=None)
    assert "did you mean 'cells'" in refused.stdout + refused.stderr
    assert refused.returncode


def test_windows_are_plain_numbers(source: ObjectSource) -> None:
    """As what they are written into units and fingerprints."""
    for focus in _objects(source).values():
        assert isinstance(focus.window, Window)
        assert {type(number) for number in (*focus.window, focus.side)} == {int}
        assert {type(number) for number in focus.bounds} == {float}

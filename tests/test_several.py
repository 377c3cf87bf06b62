"""Several sources of imagery in one run: each object takes one that can show it, and pixels are its source's own."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
from pydantic import ValidationError
from rich.console import Console

from download.errors import DownloadError, NoScenesError
from download.imagery.several import SeveralImagery
from download.sample import SampleCounty
from download.scene import Window
from pipeline.config import Config
from pipeline.object_choice import CHOSEN
from pipeline.object_samples import ObjectSamples
from pipeline.object_source import ObjectSource
from pipeline.report import write_report
from pipeline.store import RunFolder
from tests.stac_server import StacServer
from tests.test_report_kinds import finish

COARSER = 8


@pytest.fixture(scope="module")
def coarse(county: SampleCounty, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the county's first scene at an eighth of its resolution."""
    folder = tmp_path_factory.mktemp("coarse")
    _shrink(county.rasters[0], folder / "from_afar.tif", COARSER)
    return folder


def _shrink(raster: Path, to: Path, times: int) -> None:
    """The same ground in fewer pixels."""
    with rasterio.open(raster) as scene:
        height, width = scene.height // times, scene.width // times
        pixels = scene.read(out_shape=(scene.count, height, width))
        transform = scene.transform @ scene.transform.scale(scene.width / width, scene.height / height)
        profile = {**scene.profile, "width": width, "height": height, "transform": transform, "alpha": "unspecified"}
    with rasterio.open(to, "w", **profile) as target:
        target.write(pixels)


@pytest.fixture
def given(county: SampleCounty, coarse: Path) -> dict[str, Any]:
    """Settings of two sources over the same ground."""
    near = {"kind": "local", "path": str(county.rasters[0]), "source": "near", "attribution": "N", "licence": "free"}
    afar = {"kind": "local", "path": str(coarse), "source": "afar", "attribution": "A", "licence": "A's own"}
    afar["acquired"] = "2024-06-01"
    return {"kind": "several", "sources": {"US": near, "S2": afar}}


def _config(county: SampleCounty, imagery: dict[str, Any]) -> Config:
    samples = {
        "kind": "objects",
        "imagery": imagery,
        "osm": {"kind": "extract", "path": str(county.extract)},
        "draw": {"cells": 1},
        "window": {"least": 64, "most": 320, "step": 32},
    }
    return Config.model_validate({"name": "s", "seed": 3, "samples": samples, "output": {"kind": "webdataset"}})


def _source(config: Config, folder: Path) -> ObjectSource:
    assert isinstance(config.samples, ObjectSamples)
    return ObjectSource.of(config, config.samples).ready(folder, Console(quiet=True))


def test_each_object_takes_a_source_that_can_show_it(
    county: SampleCounty, given: dict[str, Any], tmp_path: Path
) -> None:
    source = _source(_config(county, given), tmp_path)
    (file,) = tmp_path.glob("elements-*.parquet")
    seen_from = dict(zip(*pq.read_table(file, columns=["id", "seen_from"]).to_pydict().values(), strict=True))
    shown = {unit.scene.id: max(unit.scene.gsd) for unit in source.units}
    assert set(shown) == {f"US-{county.rasters[0].stem}", "S2-from_afar"}
    taken = [(focus.id, shown[unit.scene.id]) for unit in source.units for focus in unit.objects]
    assert len(taken) == len(dict(taken)) == source.counts[CHOSEN]
    assert all(gsd * 0.99 <= seen_from[key] for key, gsd in taken)
    assert sum(gsd < 1 for _, gsd in taken) > sum(gsd > 1 for _, gsd in taken) > 5, "most things are small"
    assert len({row["scene"] for unit in source.units for row in source.look(unit).patch_rows({})}) == 2


def test_many_scenes_make_a_source_no_more_likely(county: SampleCounty, given: dict[str, Any], tmp_path: Path) -> None:
    one = _source(_config(county, given), tmp_path)
    for number in range(3):
        shutil.copy(county.rasters[0], tmp_path / f"{number}.tif")
    (scene,) = (scene for scene in one.grid.scenes.values() if scene.source == "near")
    given["sources"]["US"] |= {"path": str(tmp_path), "acquired": scene.acquired}
    three = _source(_config(county, given), tmp_path)
    from_afar = [
        {focus.id for unit in source.units if unit.scene.id == "S2-from_afar" for focus in unit.objects}
        for source in (one, three)
    ]
    assert len({unit.scene.id for unit in three.units}) == 4
    assert from_afar[0] == from_afar[1]


def test_pixels_are_those_of_the_source(given: dict[str, Any]) -> None:
    several = SeveralImagery.model_validate(given)
    scenes = {scene.id.partition("-")[0]: scene for scene in several.scenes()}
    assert [scenes["S2"].width * COARSER // 100, scenes["US"].width // 100] == [scenes["US"].width // 100] * 2
    for code, scene in scenes.items():
        alone = several.sources[code]
        (same,) = alone.scenes()
        assert same == scene.model_copy(update={"id": same.id})
        windows = [Window(0, 0, 64, 64), Window(100, 50, 96, 96)]
        assert several.complete(scene, windows).tolist() == alone.complete(same, windows).tolist()
        for window in windows:
            assert np.array_equal(several.read(scene, window, 64), alone.read(same, window, 64))


def test_the_card_credits_those_that_samples_come_from(
    county: SampleCounty, given: dict[str, Any], tmp_path: Path
) -> None:
    _shrink(county.rasters[0], tmp_path / "too_small.tif", 60)
    unused = {"path": str(tmp_path / "too_small.tif"), "source": "nobody", "licence": "unused", "attribution": "NN"}
    given["sources"]["L8"] = {**given["sources"]["S2"], **unused}
    write_report(RunFolder(finish(_config(county, given), tmp_path / "run")))
    card = (tmp_path / "run" / "README.md").read_text()
    assert "A's own" in card
    assert "free" in card
    assert "unused" not in card


def test_the_card_knows_a_collection_without_a_name_of_its_own(
    county: SampleCounty, given: dict[str, Any], tmp_path: Path
) -> None:
    folder = RunFolder(finish(_config(county, given), tmp_path / "run"))
    info = folder.info()
    assert info is not None
    catalogue = {"kind": "stac", "collection": "sentinel-2", "source": "", "licence": "A's own", "attribution": "ESA"}
    info["config"]["samples"]["imagery"]["sources"]["S2"] = catalogue
    folder.write_info(info)
    write_report(folder)
    card = (folder.path / "README.md").read_text()
    assert "A's own" in card
    assert "ESA" in card
    assert "sentinel-2" in card


class TestWithoutPictures:
    """A source may have none of the region, as long as another has."""

    REGION = shapely.box(10, 50, 11, 51)

    def _catalogue(self, server: StacServer) -> dict[str, Any]:
        return {
            "kind": "stac", "url": server.url, "collection": "naip", "dates": ["2020-01-01", "2020-12-31"],
            "asset": "image",
        }  # fmt: skip

    def test_is_told(self, given: dict[str, Any]) -> None:
        server = StacServer({})
        with server.running():
            given["sources"]["ES"] = self._catalogue(server)
            several = SeveralImagery.model_validate(given)
            scenes = several.scenes(self.REGION)
            assert {scene.id[:2] for scene in scenes} == {"US", "S2"}
            (told,) = (line for line in several.notices(scenes) if line.startswith("ES"))
            assert "no picture there; if it should, look at all of samples.imagery.sources.ES" in told
            assert not any(line.startswith("US") for line in several.notices(scenes))

    def test_none_at_all_is_an_error(self) -> None:
        server = StacServer({})
        with server.running():
            catalogue = self._catalogue(server)
            several = SeveralImagery.model_validate(
                {"kind": "several", "sources": {"ES": catalogue, "CH": {**catalogue, "collection": "other"}}}
            )
            with pytest.raises(NoScenesError) as raised:
                several.scenes(self.REGION)
        assert "samples.imagery.sources.ES" in str(raised.value)
        assert "samples.imagery.sources.CH" in str(raised.value)


def test_errors_name_the_source(given: dict[str, Any], tmp_path: Path) -> None:
    given["sources"]["DE"] = {"kind": "local", "path": str(tmp_path / "nowhere")}
    with pytest.raises(DownloadError, match=r"No raster at .* Correct samples\.imagery\.sources\.DE\.path"):
        SeveralImagery.model_validate(given).scenes()
    given["sources"]["DE"] = {"kind": "stac", "url": "no address", "collection": "c", "dates": ["2020-01-01"] * 2}
    with pytest.raises(DownloadError, match=r"samples\.imagery\.sources\.DE\.url: no address is no web address"):
        SeveralImagery.model_validate(given).check()


def test_names_tell_sources_apart(given: dict[str, Any]) -> None:
    given["sources"]["S2"]["source"] = "near"
    with pytest.raises(ValidationError, match="US, S2 are all called 'near'"):
        SeveralImagery.model_validate(given)


@pytest.mark.parametrize("sources", [{}, {"C-H": {"kind": "local", "path": "x"}}, {"CH": {"kind": "several"}}])
def test_what_is_no_source(sources: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SeveralImagery.model_validate({"kind": "several", "sources": sources})

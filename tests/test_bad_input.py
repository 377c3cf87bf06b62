"""Bad input: each gives one clear error (what, where, what to do), the right exit code, and loses nothing."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
import rasterio
import yaml
from osmium.osm import mutable
from pyproj import Transformer

from download.sample import SampleCounty
from tests.conftest import CommandLine, WriteConfig
from tests.run_folder import run_info, samples


def _fails(mapteller: CommandLine, config: Path, out: Path, *says: str, code: int = 1) -> str:
    """The run must end with one error that says all this, before any work is left behind."""
    ended = mapteller("run", config, "--out", out, code=code)
    assert ended.stderr.startswith("Error: "), ended.stderr
    assert "Traceback" not in ended.stderr
    for words in says:
        assert words in ended.stderr, ended.stderr
    assert not list(out.rglob("*.tar"))
    return ended.stderr


def test_missing_raster(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    _fails(mapteller, write_config(imagery=tmp_path / "no.tif"), tmp_path / "run", "No raster at", "no.tif")


def test_missing_extract(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    _fails(mapteller, write_config(osm=tmp_path / "no.osm.pbf"), tmp_path / "run", "no.osm.pbf")


def test_truncated_extract(
    county: SampleCounty, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    content = county.extract.read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(content[: len(content) * 2 // 3])
    _fails(mapteller, write_config(osm=cut), tmp_path / "run", "cut.osm.pbf")


def test_truncated_raster(
    county: SampleCounty, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    content = county.rasters[0].read_bytes()
    cut = tmp_path / "cut.tif"
    cut.write_bytes(content[: len(content) - 100_000])
    _fails(mapteller, write_config(imagery=cut), tmp_path / "run", "cut.tif", "cut off", "etch it again")


def test_no_overlap_is_said_with_both_boxes(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    elsewhere = _extract(tmp_path / "far.osm.pbf", lon=10.0, lat=47.0)
    said = _fails(
        mapteller,
        write_config(osm=elsewhere),
        tmp_path / "run",
        "do not overlap",
        "the map [10.",
        "the imagery covers [-91.",
    )
    assert "samples.osm.path" in said


def test_region_outside_of_the_imagery(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    config = write_config(region=[7.0, 46.0, 8.0, 47.0])
    _fails(
        mapteller, config, tmp_path / "run", "The region [7.0000, 46.0000, 8.0000, 47.0000] lies outside of the imagery"
    )


def test_region_upside_down_and_no_geojson(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    _fails(mapteller, write_config(region=[8.0, 46.0, 7.0, 47.0]), tmp_path / "run", "is no [west, south, east, north]")
    (tmp_path / "r.geojson").write_text('{"type": "Oval"}')
    _fails(mapteller, write_config(region="r.geojson"), tmp_path / "run", "r.geojson is no GeoJSON")


def test_region_keeps_the_patches_inside(
    county: SampleCounty, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    with rasterio.open(county.rasters[0]) as scene:
        box = scene.bounds
        to_degrees = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True)
    middle_x, middle_y = (box.left + box.right) / 2, (box.bottom + box.top) / 2
    west, south = to_degrees.transform(box.left, box.bottom)
    east, north = to_degrees.transform(middle_x, middle_y)
    mapteller("run", write_config(region=[west, south, east, north]), "--out", tmp_path / "run")
    kept = samples(tmp_path / "run")
    assert 0 < len(kept) <= 25
    for sample in kept:
        left, bottom, right, top = sample["metadata"]["bounds"]
        assert west < (left + right) / 2 < east
        assert south < (bottom + top) / 2 < north


def test_extract_without_usable_elements(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    bare = _extract(tmp_path / "bare.osm.pbf", lon=-93.0, lat=43.0, tags={"note": "nothing here"})
    _fails(mapteller, write_config(osm=bare), tmp_path / "run", "bare.osm.pbf")


def test_unsorted_extract_is_sorted(shared_data: Path, tmp_path: Path, mapteller: CommandLine) -> None:
    """Columbus in Ohio, ids in disorder, under a picture made for the place."""
    extract = shared_data / "osm" / "columbus_unsorted.osm.pbf"
    raster, config = tmp_path / "columbus.tif", tmp_path / "c.yaml"
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:32617", always_xy=True).transform(*_middle(extract))
    profile = {"driver": "GTiff", "width": 900, "height": 900, "count": 3, "dtype": "uint8", "crs": "EPSG:32617"}
    with rasterio.open(raster, "w", **profile, transform=rasterio.Affine(0.6, 0, x - 270, 0, -0.6, y + 270)) as target:
        target.write(np.random.default_rng(1).integers(0, 255, (3, 900, 900), dtype=np.uint8))
    config.write_text(yaml.safe_dump(_config(raster, extract)))
    mapteller("run", config, "--out", tmp_path / "run")
    assert samples(tmp_path / "run")


def test_damaged_blocks_fail_alone(
    small_scenes: Path, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    """Pixels that cannot be decoded: their patches fail and are named, all others are there; mended, it goes on."""
    scenes = tmp_path / "scenes"
    scenes.mkdir()
    for name in ("a00", "a01", "a02", "a05"):
        (scenes / f"{name}.tif").write_bytes((small_scenes / f"{name}.tif").read_bytes())
    whole = (scenes / "a01.tif").read_bytes()
    with rasterio.open(scenes / "a01.tif") as scene:
        block = int(scene.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    (scenes / "a01.tif").write_bytes(whole[:block] + b"x" * 64 + whole[block + 64 :])
    config, out = write_config(imagery=scenes), tmp_path / "run"
    ended = mapteller("run", config, "--out", out, code=1)
    info = run_info(out)
    assert info["state"] == "incomplete"
    assert {failure["kind"] for failure in info["failures"]} == {"patch"}
    assert all("a01.tif cannot be read" in failure["error"] for failure in info["failures"])
    assert "Ended with failures" in ended.stdout
    assert "a01.tif cannot be read" in mapteller("status", out).stdout
    names = {sample["metadata"]["image_name"] for sample in samples(out)}
    assert names >= {"a00", "a02", "a05"}
    (scenes / "a01.tif").write_bytes(whole)
    mapteller("run", config, "--out", out)
    mended = run_info(out)
    assert mended["state"] == "complete"
    assert mended["units"]["reused"] == 3
    assert mended["units"]["computed"] == 1
    assert mended["counts"]["read"] == mended["counts"]["captioned"]


def test_a_unit_that_raises_is_recorded_and_the_run_goes_on(
    small_scenes: Path, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    """A folder in the place of a unit's part: the unit cannot commit, the others can."""
    config, out = write_config(imagery=small_scenes / "a0*.tif"), tmp_path / "run"
    mapteller("run", config, "--out", out)
    expected = len(samples(out))
    part = out / "captions" / "a05-r00000.parquet"
    part.unlink()
    (part / "in the way").mkdir(parents=True)
    ended = mapteller("run", config, "--out", out, code=1)
    info = run_info(out)
    (failure,) = (failure for failure in info["failures"] if failure["kind"] == "unit")
    assert failure["name"] == "a05-r00000"
    assert "Traceback" in failure["traceback"] or "caption_unit" in failure["traceback"]
    assert "a05-r00000" in ended.stdout
    assert info["units"] == {"total": 10, "done": 9, "reused": 9, "computed": 0, "failed": 1}
    assert 0 < len(samples(out)) < expected
    (part / "in the way").rmdir()
    part.rmdir()
    mapteller("run", config, "--out", out)
    assert len(samples(out)) == expected


def test_unwritable_folder(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    (tmp_path / "file").write_text("no folder")
    ended = mapteller("run", write_config(), "--out", tmp_path / "file" / "run", code=1)
    assert "cannot be written" in ended.stderr
    assert "another --out" in ended.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_full_disk_stops_the_run_and_keeps_what_is_there(
    small_disk: Path, small_scenes: Path, write_config: WriteConfig, mapteller: CommandLine
) -> None:
    config = write_config(imagery=small_scenes)
    ended = mapteller("run", config, "--out", small_disk / "run", code=1)
    assert "No space left on device" in ended.stderr
    assert "run the same command again" in ended.stderr
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    before = len(list((small_disk / "run").glob("captions/*.parquet")))
    mapteller("run", config, "--out", small_disk / "run")
    info = run_info(small_disk / "run")
    assert info["state"] == "complete"
    assert info["units"]["reused"] == before


def test_wrong_calls_exit_with_two(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    for arguments in (["run"], ["fly"], ["run", tmp_path / "c.yaml", "--out", tmp_path, "--resume", "maybe"]):
        mapteller(*arguments, code=2)
    config = write_config(samples__patch={"sise": 3})
    assert "did you mean 'size'" in mapteller("validate", config, code=2).stderr
    assert "cannot be read" in mapteller("validate", tmp_path / "none.yaml", code=2).stderr
    assert "holds no run" in mapteller("status", tmp_path, code=1).stderr


def _config(raster: Path, extract: Path) -> dict[str, Any]:
    return {
        "name": "test",
        "samples": {
            "kind": "grid",
            "imagery": {"kind": "local", "path": str(raster)},
            "osm": {"kind": "extract", "path": str(extract)},
            "patch": {"size": 224},
        },
        "output": {"kind": "webdataset"},
        "workers": 2,
    }


def _extract(file: Path, lon: float, lat: float, tags: dict[str, str] | None = None) -> Path:
    with osmium.SimpleWriter(str(file)) as writer:
        for number, (dx, dy) in enumerate([(0, 0), (0.001, 0), (0.001, 0.001), (0, 0.001)], start=1):
            writer.add_node(mutable.Node(id=number, version=1, location=(lon + dx, lat + dy)))
        writer.add_way(mutable.Way(id=1, version=1, nodes=[1, 2, 3, 4, 1], tags=tags or {"landuse": "forest"}))
    return file


def _middle(extract: Path) -> tuple[float, float]:
    nodes = osmium.FileProcessor(str(extract), osmium.osm.NODE)
    places = [(node.lon, node.lat) for node in nodes if isinstance(node, osmium.osm.Node)]
    lon, lat = np.median(np.array(places), axis=0)
    return float(lon), float(lat)


def test_no_credentials_no_machine_paths_in_environment(mapteller: CommandLine) -> None:
    """`doctor` names what is there and never shows a secret."""
    mapteller.environment["OPENAI_API_KEY"] = "sk-very-secret"
    try:
        said = mapteller("doctor").stdout
    finally:
        del mapteller.environment["OPENAI_API_KEY"]
    assert "OPENAI_API_KEY" in said
    assert "sk-very-secret" not in said
    assert "osmium" in said
    assert str(os.cpu_count()) in said

"""Rasters on disk, read by the real GDAL."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine, from_origin

from download.errors import DownloadError
from download.imagery.local import LocalImagery
from download.scene import Window

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a raster of random content; keywords go to rasterio."""

    def raster(name: str = "scene.tif", bands: int = 3, side: int = 300, dtype: str = "uint8", **options: Any) -> Path:
        pixels = np.random.default_rng(3).integers(1, 250, (bands, side, side)).astype(dtype)
        profile = {"crs": "EPSG:26915", "transform": from_origin(500_000, 4_700_000, 0.6, 0.6), **options}
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.open(
            file, "w", driver="GTiff", width=side, height=side, count=bands, dtype=dtype, **profile
        ) as out:
            out.write(pixels)
        return file

    return raster


def _imagery(path: Path, **options: Any) -> LocalImagery:
    return LocalImagery(kind="local", path=path, **options)


def test_pixels_equal_the_file(write: Write) -> None:
    file = write(bands=4)
    imagery = _imagery(file)
    (scene,) = imagery.scenes()
    with rasterio.open(file) as source:
        expected = source.read([1, 2, 3])[:, 40:104, 100:164]
    got = imagery.read(scene, Window(100, 40, 64, 64), 64)
    assert np.array_equal(np.moveaxis(got, 2, 0), expected)


def test_finer_imagery_is_averaged(write: Write) -> None:
    imagery = _imagery(write())
    (scene,) = imagery.scenes()
    full = imagery.read(scene, Window(0, 0, 128, 128), 128).astype(float)
    half = imagery.read(scene, Window(0, 0, 128, 128), 64).astype(float)
    assert np.abs(half - full.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))).max() <= 1


def test_what_a_scene_knows(write: Write) -> None:
    imagery = _imagery(write("m_4209301_ne_15_060_20210914.tif"), licence="CC0-1.0")
    (scene,) = imagery.scenes()
    assert (scene.id, scene.acquired, scene.crs) == (
        "m_4209301_ne_15_060_20210914",
        date(2021, 9, 14),
        "EPSG:26915",
    )
    assert scene.gsd == pytest.approx((0.6, 0.6), rel=1e-3)
    assert scene.licence == "CC0-1.0"
    west, south, east, north = scene.bounds
    assert -180 < west < east < 0 < south < north


def test_gsd_is_on_the_ground_in_any_crs(write: Write) -> None:
    (mercator,) = _imagery(
        write("mercator.tif", crs="EPSG:3857", transform=from_origin(1_000_000, 8_399_737, 1, 1))
    ).scenes()
    (degrees,) = _imagery(write("degrees.tif", crs="EPSG:4326", transform=from_origin(10, 60, 1e-5, 1e-5))).scenes()
    assert mercator.gsd == pytest.approx((0.5, 0.5), rel=5e-3)  # cos 60°
    assert degrees.gsd == pytest.approx((0.558, 1.114), rel=5e-3)


def test_sixteen_bits_are_stretched(write: Write) -> None:
    file = write(dtype="uint16")
    by_itself, told = _imagery(file), _imagery(file, stretch=(0, 500))
    (scene,) = by_itself.scenes()
    assert scene.stretch is not None
    assert 1 <= scene.stretch[0] < scene.stretch[1] <= 250
    (scene,) = told.scenes()
    with rasterio.open(file) as source:
        raw = source.read()[:, :32, :32].astype(float)
    expected = np.rint(raw * 255 / 500)
    assert np.array_equal(np.moveaxis(told.read(scene, Window(0, 0, 32, 32), 32), 2, 0), expected)


def _overwrite(file: Path, change: Callable[[Any], None]) -> None:
    with rasterio.open(file, "r+") as target:
        pixels = target.read()
        change(pixels)
        target.write(pixels)


def test_nodata_and_alpha_make_a_window_incomplete(write: Write) -> None:
    plain, holes, alpha = (
        write("plain.tif"),
        write("holes.tif", nodata=0),
        write("alpha.tif", bands=4, photometric="RGB", alpha="yes"),
    )

    def hole(pixels: Any) -> None:
        pixels[:, 10, 10] = 0

    def transparent(pixels: Any) -> None:
        pixels[3] = 255
        pixels[3, 10, 10] = 0

    _overwrite(holes, hole)
    _overwrite(alpha, transparent)
    for path, expected in ((plain, [True, True]), (holes, [False, True]), (alpha, [False, True])):
        imagery = _imagery(path)
        (scene,) = imagery.scenes()
        assert imagery.complete(scene, [Window(0, 0, 64, 64), Window(64, 64, 64, 64)]).tolist() == expected, path.name


def test_infrared_that_calls_itself_alpha_hides_nothing(write: Write) -> None:
    file = write(bands=4, photometric="RGB", alpha="yes")

    def water(pixels: Any) -> None:
        pixels[3, 10:40, 10:40] = 0

    _overwrite(file, water)
    imagery = _imagery(file)
    (scene,) = imagery.scenes()
    assert imagery.complete(scene, [Window(0, 0, 64, 64)]).tolist() == [True]


def test_folder_pattern_and_equal_names(write: Write, tmp_path: Path) -> None:
    write("2020/a.tif")
    write("2021/a.tif")
    write("2021/b.tif")
    assert [scene.id for scene in _imagery(tmp_path / "2021").scenes()] == ["a", "b"]
    assert [scene.id for scene in _imagery(tmp_path / "*" / "b.tif").scenes()] == ["b"]
    ids = [scene.id for scene in _imagery(tmp_path).scenes()]
    assert len(set(ids)) == 3
    assert all("202" in name for name in ids)


def test_content_decides_the_digest(write: Write) -> None:
    first, copy, other = write("a.tif"), write("b.tif"), write("c.tif", dtype="uint16")
    digests = [_imagery(file).scenes()[0].digest for file in (first, copy, other)]
    assert digests[0] == digests[1] != digests[2]


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"No raster at .*nowhere.tif.*samples.imagery.path"):
        _imagery(tmp_path / "nowhere.tif").scenes()
    with pytest.raises(DownloadError, match=r"No raster matches"):
        _imagery(tmp_path / "*.tif").scenes()


def test_truncated(write: Write) -> None:
    file = write(tiled=True, blockxsize=64, blockysize=64)
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(DownloadError, match=r"cut off.*Fetch it again|no raster that GDAL can open"):
        _imagery(file).scenes()


def test_truncated_behind_the_header(write: Write) -> None:
    file = write(tiled=True, blockxsize=64, blockysize=64)
    content = file.read_bytes()
    file.write_bytes(content[:-20_000])
    with pytest.raises(DownloadError, match=r"cut off.*Fetch it again|no raster that GDAL can open"):
        _imagery(file).scenes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crs": None}, r"no coordinate reference system.*gdal_edit.py -a_srs"),
        ({"transform": Affine.identity()}, r"no geotransform.*gdal_edit.py -a_ullr"),
        (
            {"transform": Affine.translation(500_000, 4_700_000) * Affine.rotation(20) * Affine.scale(0.6, -0.6)},
            r"not north up.*gdalwarp",
        ),
        ({"bands": 1}, r"has 1 bands, but samples.imagery.bands asks for \[1, 2, 3\]"),
        ({"dtype": "float32"}, r"holds float32 values.*stretch"),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_unusable(write: Write, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DownloadError, match=message):
        _imagery(write("bad.tif", **options)).scenes()


def test_no_raster_at_all(tmp_path: Path) -> None:
    file = tmp_path / "text.tif"
    file.write_text("not a picture")
    with pytest.raises(DownloadError, match=r"no raster that GDAL can open"):
        _imagery(file).scenes()

"""Imagery from map tiles: servers that behave and misbehave, and files."""

import hashlib
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from pydantic import ValidationError
from rasterio.windows import Window as RasterWindow

from download import traffic
from download.errors import DownloadError, MissingError
from download.imagery.local import LocalImagery
from download.imagery.tiles.scheme import Tile
from download.imagery.xyz import XyzImagery
from download.patience import Patience
from download.scene import GEOD, Window
from pipeline.config import ConfigError, load_config
from tests.stand_in import ALL, Faults
from tests.tile_server import (
    TileServer,
    cut,
    encoded,
    ground,
    kampala,
    write_folder,
    write_geotiff,
    write_mbtiles,
    write_pmtiles,
)

CORNER = Tile(17, 77400, 65408)
GROUND = ground(4 * 256, 6 * 256)
HURRIED = Patience(tries=12, first_wait_s=0.01, longest_wait_s=0.05, timeout_s=0.4)


pytestmark = pytest.mark.usefixtures("own_cache")


def imagery(**settings: Any) -> XyzImagery:
    usual = {"kind": "xyz", "attribution": "© somebody", "terms": "https://tiles.example/terms", "patience": HURRIED}
    return XyzImagery.model_validate(usual | settings)


def around(*tiles: Tile) -> Any:
    return shapely.union_all([shapely.box(*tile.bounds) for tile in tiles])


BLOCK = around(CORNER, Tile(17, CORNER.x + 5, CORNER.y + 3))
BOX = (*CORNER.box[:1], Tile(17, CORNER.x, CORNER.y + 3).box[1], Tile(17, CORNER.x + 5, CORNER.y).box[2], CORNER.box[3])
WINDOWS = [Window(0, 0, 256, 256), Window(200, 100, 448, 448), Window(1024, 512, 512, 512), Window(3, 700, 224, 224)]


def test_a_server_gives_what_a_raster_of_the_same_ground_gives(tmp_path: Path) -> None:
    """Scene, transform and pixels agree with GDAL's on a GeoTIFF; each tile is asked for once."""
    raster = write_geotiff(tmp_path / "ground.tif", GROUND, BOX)
    local = LocalImagery(kind="local", path=raster)
    with TileServer(cut(GROUND, CORNER)) as server:
        tiles = imagery(url=server.template, zoom=17, source="The Tiles")
        (scene,), (other,) = tiles.scenes(BLOCK), local.scenes()
        assert (scene.id, scene.width, scene.height) == ("the-tiles-z17-1209-1022", 1536, 1024)
        assert scene.crs == other.crs == "EPSG:3857"
        np.testing.assert_allclose(scene.transform, other.transform, rtol=1e-12)
        assert not server.asked
        assert tiles.complete(scene, WINDOWS).all()
        for window in WINDOWS:
            for size in (224, window.width):
                np.testing.assert_array_equal(tiles.read(scene, window, size), local.read(other, window, size))
        assert max(Counter(asked.path for asked in server.asked).values()) == 1
        assert len(server.asked) == 14


@pytest.mark.parametrize("write", [write_mbtiles, write_pmtiles, write_folder])
def test_files_give_what_a_raster_gives(write: Any, tmp_path: Path) -> None:
    tiles = imagery(path=Path(write(tmp_path / "tiles", cut(GROUND, CORNER))))
    tiles.check()
    (scene,) = tiles.scenes()
    with rasterio.open(write_geotiff(tmp_path / "ground.tif", GROUND, BOX)) as raster:
        for window in WINDOWS:
            rows = raster.read(window=RasterWindow(window.col, window.row, 256, 256))
            found = tiles.read(scene, window._replace(width=256, height=256), 256)
            np.testing.assert_array_equal(found, np.moveaxis(rows, 0, 2))


def test_mbtiles_are_read_as_gdal_reads_them(tmp_path: Path) -> None:
    """GDAL's own MBTiles driver, on a synthetic pyramid of two zooms."""
    half = np.asarray(GROUND.reshape(512, 2, 768, 2, 3).mean(axis=(1, 3)), dtype=np.uint8)
    path = write_mbtiles(tmp_path / "pyramid.mbtiles", cut(GROUND, CORNER) | cut(half, CORNER.parent()))
    (scene,) = imagery(path=path).scenes()
    with rasterio.open(path) as raster:
        window = raster.window(*BOX)
        expected = raster.read([1, 2, 3], window=window, boundless=True)
        np.testing.assert_allclose(scene.transform[0], raster.transform.a, rtol=1e-9)
    found = imagery(path=path).read(scene, Window(0, 0, 1024, 1024), 1024)
    np.testing.assert_array_equal(found, np.moveaxis(expected, 0, 2)[:, :1024])
    (coarse,) = imagery(path=path, zoom=16).scenes()
    assert (coarse.width, coarse.height) == (768, 512)
    assert len(imagery(path=path, zoom=(10, 17)).scenes()) == 2
    with pytest.raises(DownloadError, match="zooms 16 to 17, not of 12"):
        imagery(path=path, zoom=12).check()


def test_scenes_are_blocks_clipped_to_the_area() -> None:
    tiles = imagery(url="https://tiles.example/{z}/{x}/{y}", zoom=17)
    edge = Tile(17, 77439, 65408)
    area = around(edge, Tile(17, edge.x + 1, edge.y), Tile(17, edge.x + 2, edge.y + 1))
    first, second = tiles.scenes(area)
    assert (first.width, first.height) == (256, 256)
    assert (second.width, second.height) == (512, 512)
    assert first.extent[2] == pytest.approx(second.extent[0], abs=1e-6)
    assert first.bounds == pytest.approx(edge.bounds)
    assert tiles.scenes(shapely.box(0, 87, 10, 89)) == []


@pytest.mark.parametrize(("zoom", "change"), [(9, 0.05), (12, 0.02), (15, 0.02), (18, 0.003)])
def test_the_size_of_pixels_changes_little_over_a_scene(zoom: int, change: float) -> None:
    """At 60° north, from the middle of the largest scenes to their edges."""
    scenes = imagery(url="https://tiles.example/{z}/{x}/{y}", zoom=zoom).scenes(shapely.box(10, 60, 10.6, 60.6))
    scene = max(scenes, key=lambda each: each.height)
    _, south, _, north = scene.bounds
    lat = Tile.at(0, (south + north) / 2, zoom).centre[1]
    assert abs(Tile.at(0, north - 1e-9, zoom).gsd() / Tile.at(0, lat, zoom).gsd() - 1) < change


def test_the_address_has_whatever_form_the_server_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = encoded(ground(512, 512))
    monkeypatch.setenv("TILES_KEY", "hush")
    with TileServer({}) as server:
        server.answer = lambda asked: type(server._tile(asked))(200, picture)
        tiles = imagery(
            url=f"{server.url}/{{s}}/{{q}}/{{z}}-{{x}}-{{-y}}{{r}}.jpg?k={{key}}", zoom=17, tile_size=512,
            subdomains=["a", "b"], key_from="TILES_KEY", user_agent="somebody (me@example.org)",
        )  # fmt: skip
        (scene,) = tiles.scenes(around(CORNER))
        np.testing.assert_array_equal(tiles.read(scene, Window(0, 0, 512, 512), 512), ground(512, 512))
        (asked,) = server.asked
    assert asked.path == f"/a/{CORNER.quadkey}/17-{CORNER.x}-{CORNER.tms_y}@2x.jpg"
    assert asked.query == {"k": "hush"}
    assert asked.headers["user-agent"] == "somebody (me@example.org)"
    assert "hush" not in repr(tiles) + scene.model_dump_json()


def test_missing_tiles_are_seen_and_remembered() -> None:
    """404, an empty answer, a transparent, a plain and a known picture are no ground; patches on them are left out."""
    tiles = cut(GROUND, CORNER)
    names = sorted(tiles, key=lambda tile: (tile.y, tile.x))
    notice = encoded(ground(256, 256, 9))
    plain = np.full((256, 256, 3), 204, dtype=np.uint8)
    del tiles[names[0]]
    tiles |= {names[1]: b"", names[2]: encoded(np.zeros((256, 256, 4), np.uint8)), names[3]: encoded(plain, "JPEG"),
              names[4]: notice}  # fmt: skip
    windows = [Window(256 * col, 256 * row, 256, 256) for row in range(2) for col in range(6)]
    with TileServer(tiles) as server:
        settings = {
            "url": server.template,
            "zoom": 17,
            "no_data": [hashlib.sha256(notice).hexdigest()],
            "concurrency": 3,
        }
        there = imagery(**settings)
        (scene,) = there.scenes(BLOCK)
        expected = [False] * 5 + [True] * 7
        assert there.complete(scene, windows).tolist() == expected
        assert not there.complete(scene, [Window(1200, 200, 100, 100), Window(1150, 10, 200, 20)]).any()
        with pytest.raises(MissingError, match="lacks a tile"):
            there.read(scene, windows[0], 256)
        asked = len(server.asked)
        assert pickle.loads(pickle.dumps(there)).complete(scene, windows).tolist() == expected
        assert len(server.asked) == asked == 12


def test_a_few_transparent_pixels_are_forgiven(tmp_path: Path) -> None:
    pixels = np.dstack([ground(256, 256), np.full((256, 256), 255, np.uint8)])
    pixels[0, :200, 3] = 0
    path = Path(write_folder(tmp_path / "tiles", {CORNER: encoded(pixels)}))
    (scene,) = imagery(path=path).scenes()
    windows = [Window(0, 0, 256, 256), Window(0, 1, 256, 255), Window(0, 0, 64, 64)]
    assert imagery(path=path).complete(scene, windows).tolist() == [True, True, False]
    assert imagery(path=path, most_missing=0).complete(scene, windows).tolist() == [False, True, False]
    assert imagery(path=path, most_missing=0.1).complete(scene, windows).all()


def test_a_storm_of_faults_changes_nothing() -> None:
    with TileServer(cut(GROUND, CORNER), Faults(0.3, seed=5, hang_s=0.6)) as server:
        tiles = imagery(url=server.template, zoom=17, concurrency=6, source="storm")
        before = traffic.fetched()
        (scene,) = tiles.scenes(BLOCK)
        assert tiles.complete(scene, [Window(0, 0, 1536, 1024)]).all()
        np.testing.assert_array_equal(tiles.read(scene, Window(0, 0, 1024, 1024), 1024), GROUND[:, :1024])
        assert sum(server.failed.values()) >= 5
        assert set(server.failed) <= set(ALL)
        assert traffic.since(before)["fetched_requests.storm"] == len(server.asked)
        assert len(server.asked) >= 24 + sum(server.failed.values())  # more where a busy machine answered too late


def test_servers_that_always_fail_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    few = Patience(tries=2, first_wait_s=0.01, longest_wait_s=0.02, timeout_s=1)
    monkeypatch.setenv("TILES_KEY", "hush")
    for kind, said in [("html", "web page"), ("503", "503"), ("truncated", "broke off")]:
        with TileServer(cut(GROUND, CORNER), Faults(1, kinds=(kind,), in_a_row=100)) as server:
            tiles = imagery(url=f"{server.template}?k={{key}}", zoom=17, patience=few, key_from="TILES_KEY")
            (scene,) = tiles.scenes(around(CORNER))
            with pytest.raises(DownloadError, match=f"{said}.*tried 2 times") as error:
                tiles.complete(scene, WINDOWS[:1])
            assert "hush" not in str(error.value)


def test_tiles_of_another_size_are_refused() -> None:
    with TileServer(cut(GROUND, CORNER)) as server:
        tiles = imagery(url=server.template, zoom=17, tile_size=512)
        (scene,) = tiles.scenes(around(CORNER))
        with pytest.raises(DownloadError, match=r"256 x 256 pixels, not 512. Set samples.imagery.tile_size"):
            tiles.read(scene, Window(0, 0, 512, 512), 512)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"terms": ""}, "Tiles belong to somebody"),
        ({"attribution": "  "}, "whom to credit"),
        ({}, "either url"),
        ({"url": "https://a/{z}/{x}/{y}", "path": "x.mbtiles"}, "either url"),
        ({"url": "https://a/{z}/{x}/{y}"}, "set zoom"),
        ({"url": "https://a/{z}/{x}/{y}", "zoom": 31}, "from 0 to 30"),
        ({"url": "https://a/{z}/{x}/{y}", "zoom": [9, 8]}, "the first before the last"),
        ({"url": "https://a/{z}/{x}", "zoom": 9}, "name the tile"),
        ({"url": "https://{s}.a/{z}/{x}/{y}", "zoom": 9}, "subdomains"),
        ({"url": "ftp://a/{z}/{x}/{y}", "zoom": 9}, "https://"),
        ({"url": "https://a/{z}/{x}/{y}?access_token=abc", "zoom": 9}, "keys do not belong"),
        ({"url": "https://me:pw@a/{z}/{x}/{y}", "zoom": 9}, "keys do not belong"),
        ({"url": "https://a/{key}/{z}/{x}/{y}", "zoom": 9, "key_from": "K"}, "behind a question mark"),
        ({"url": "https://a/{z}/{x}/{y}?k={key}", "zoom": 9}, "key_from"),
    ],
)
def test_wrong_settings_are_said(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        imagery(**settings)


def test_a_server_wants_a_region_and_its_key() -> None:
    tiles = imagery(url="https://tiles.example/{z}/{x}/{y}?key={key}", zoom=9, key_from="NO_SUCH_KEY")
    with pytest.raises(DownloadError, match="Set region"):
        tiles.scenes(None)
    with pytest.raises(DownloadError, match="NO_SUCH_KEY is not set"):
        tiles.check()
    assert XyzImagery.model_validate(tiles.model_dump()) == tiles


def test_credits_travel_with_the_scene() -> None:
    tiles = imagery(url="https://tiles.example/{z}/{x}/{y}", zoom=17, licence="CC-BY-4.0", acquired="2020-05-01")
    (scene,) = tiles.scenes(around(CORNER))
    assert scene.attribution == "© somebody"
    assert scene.licence == "CC-BY-4.0; https://tiles.example/terms"
    assert str(scene.acquired) == "2020-05-01"


def test_real_tiles_are_read_by_content(shared_data: Path) -> None:
    """24 of the files that are called PNG hold JPEG; the three zooms show the same ground."""
    content = kampala(shared_data)
    assert sum(each.startswith(b"\xff\xd8\xff") for each in content.values()) == 24
    path = shared_data / "tiles" / "kampala" / "OAM-{x}-{y}-{z}.png"
    tiles = imagery(path=path, zoom=(19, 21), most_missing=0.05)
    coarse, middle, fine = tiles.scenes()
    assert [round(scene.gsd[0], 3) for scene in (coarse, middle, fine)] == [0.299, 0.149, 0.075]
    assert Tile(20, 619225, 523264).gsd() == pytest.approx(middle.gsd[0], rel=0.01)
    for tile in (tile for tile in content if tile.z == 20):
        x, y = tile.x - 619212, tile.y - 523264
        window = Window(256 * x, 256 * y, 256, 256)
        near = tiles.read(middle, window, 128).astype(float)
        far = tiles.read(coarse, Window(128 * x, 128 * y, 128, 128), 128).astype(float)
        assert np.abs(near - far).mean() < 12
        assert np.corrcoef(near.ravel(), far.ravel())[0, 1] > 0.9
    assert tiles.complete(middle, [Window(0, 0, 256, 256), Window(0, 8 * 256, 256, 256)]).tolist() == [False, True]


def test_corners_agree_with_gdal_and_the_geodesic(tmp_path: Path) -> None:
    path = Path(write_folder(tmp_path / "tiles", cut(GROUND, CORNER)))
    (scene,) = imagery(path=path).scenes()
    west, south, east, north = scene.bounds
    assert (west, north) == pytest.approx(CORNER.corners[0])
    lat = (south + north) / 2
    assert scene.gsd[0] == pytest.approx(GEOD.inv(west, lat, east, lat)[2] / scene.width, rel=1e-3)


def test_a_configuration_without_terms_says_why(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("""
name: test
samples:
  kind: grid
  imagery: {kind: xyz, url: "https://tiles.example/{z}/{x}/{y}", zoom: 9, attribution: somebody}
  osm: {kind: extract, path: map.osm.pbf}
captions: {engines: [{kind: grammar}]}
output: {kind: webdataset}
""")
    with pytest.raises(ConfigError, match=r"samples.imagery.terms: is missing. Tiles belong to somebody"):
        load_config(file)

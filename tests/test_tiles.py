"""Arithmetic of tiles, names of tiles, what tiles hold, and where they lie."""

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.warp import transform_bounds

from download.errors import DownloadError
from download.imagery.tiles import sniff, template
from download.imagery.tiles.cover import Extent, tiles_in
from download.imagery.tiles.scheme import Tile
from download.imagery.tiles.store import open_store
from download.scene import GEOD
from tests.tile_server import cut, encoded, ground, packed, write_folder, write_mbtiles, write_pmtiles

METRES = Transformer.from_crs(4326, 3857, always_xy=True)


@st.composite
def tiles(draw: st.DrawFn, deepest: int = 24) -> Tile:
    z = draw(st.integers(0, deepest))
    last = (1 << z) - 1
    return Tile(z, draw(st.integers(0, last)), draw(st.integers(0, last)))


def test_known_tiles() -> None:
    """Microsoft's own example of a quadkey (Bing Maps Tile System: tile 3, 5 at level 3), and the whole world."""
    assert Tile(3, 3, 5).quadkey == "213"
    assert Tile(0, 0, 0).quadkey == ""
    assert Tile(0, 0, 0).bounds == pytest.approx((-180, -85.0511287798, 180, 85.0511287798))
    assert Tile(0, 0, 0).parents == ()
    assert Tile(2, 1, 0).tms_y == 3


@given(tiles())
def test_a_tile_and_its_names(tile: Tile) -> None:
    assert Tile.parse(tile.name) == tile
    assert Tile.of_quadkey(tile.quadkey) == tile
    assert Tile.at(*tile.centre, tile.z) == tile


@given(tiles())
def test_a_tile_and_its_family(tile: Tile) -> None:
    assert all(child.parent() == tile for child in tile.children)
    assert [child.quadkey for child in tile.children] == [tile.quadkey + digit for digit in "0123"]
    assert len(tile.parents) == tile.z
    west, south, east, north = tile.bounds
    assert tile.children[0].corners[0] == (west, north)
    assert tile.children[3].corners[2] == (east, south)
    assert tile.children[0].corners[2] == tile.children[3].corners[0] == tile.centre


@given(tiles())
def test_corners_agree_with_the_projection(tile: Tile) -> None:
    left, bottom, right, top = tile.box
    box = [METRES.transform(*corner) for corner in tile.corners]
    np.testing.assert_allclose(box, [(left, top), (right, top), (right, bottom), (left, bottom)], atol=1e-6)
    np.testing.assert_allclose(METRES.transform(*tile.centre), ((left + right) / 2, (bottom + top) / 2), atol=1e-6)


@given(tiles().filter(lambda tile: tile.z >= 12), st.sampled_from((256, 512)))
def test_gsd_is_that_of_the_ellipsoid(tile: Tile, size: int) -> None:
    west, south, east, north = tile.bounds
    lon, lat = tile.centre
    across, down = GEOD.inv(west, lat, east, lat)[2], GEOD.inv(lon, south, lon, north)[2]
    assert tile.gsd(size) == pytest.approx(math.sqrt(across * down) / size, rel=1e-4)


@pytest.mark.parametrize(("lat", "metres"), [(0, 1.194), (33, 1.0), (60, 0.6)])
def test_gsd_shrinks_with_the_latitude(lat: float, metres: float) -> None:
    """At zoom 17, for which Git-10M says one metre everywhere."""
    assert Tile.at(10, lat, 17).gsd() == pytest.approx(metres, rel=0.01)


def test_the_location_as_the_card_of_git_10m_has_it() -> None:
    """Git-10M's card computes longitude and latitude of a tile from the parts of its name, which are texts.

    What its formula says, given numbers, is the north-western corner of the tile: half a tile, 54 m here, from
    where the picture is. Given texts, as the card calls it, it fails.
    """

    def as_published(x: float, y: float, z: float) -> tuple[float, float]:
        count = 2**z * 1.0
        return x / count * 360.0 - 180.0, math.degrees(math.atan(math.sinh(math.pi * (1 - 2.0 * y / count))))

    location = "17_77403_65408"
    zoom, x, y = location.split("_")
    with pytest.raises(TypeError):
        as_published(x, y, zoom)  # type: ignore[arg-type]  # that is what the card does
    theirs = as_published(int(x), int(y), int(zoom))
    ours = Tile.parse(location)
    assert theirs == pytest.approx(ours.corners[0], abs=1e-12)
    *_, metres = GEOD.inv(*theirs, *ours.centre)
    assert metres == pytest.approx(ours.gsd() * 256 / math.sqrt(2), rel=1e-3)


def test_a_tile_is_made_of_numbers_that_fit() -> None:
    with pytest.raises(TypeError, match="whole numbers"):
        Tile("1", "0", "0")  # type: ignore[arg-type]
    for wrong in ((3, 8, 0), (3, 0, -1), (31, 0, 0)):
        with pytest.raises(ValueError, match="no tile"):
            Tile(*wrong)
    with pytest.raises(ValueError, match="quadkey"):
        Tile.of_quadkey("124")


@given(tiles(20), st.integers(0, 3))
def test_a_tile_holds_its_descendants_and_no_neighbour(tile: Tile, down: int) -> None:
    found = tiles_in(shapely.box(*tile.bounds), tile.z + down)
    assert len(found) == 4**down
    assert all(child.parent(down) == tile for child in found)


@given(st.floats(-170, 160), st.floats(-80, 75), st.floats(0.01, 9), st.integers(0, 9))
def test_the_tiles_of_an_area_are_those_that_meet_it(lon: float, lat: float, radius: float, zoom: int) -> None:
    area = shapely.Point(lon, lat).buffer(radius, quad_segs=2)
    every = Extent.under(Tile(0, 0, 0), zoom).clipped(area)
    assert every is not None
    met = [tile for tile in every if shapely.box(*tile.bounds).intersection(area).area > 1e-9]
    found = tiles_in(area, zoom)
    assert set(met) <= set(found) <= set(every)
    assert found == sorted(found, key=lambda tile: (tile.y, tile.x))


def test_there_are_no_tiles_at_the_poles() -> None:
    assert tiles_in(shapely.box(0, 86, 10, 90), 8) == []
    assert Tile.at(0, 90, 5).y == 0
    assert Extent.under(Tile(0, 0, 0), 4).clipped(shapely.box(0, 86, 10, 90)) is None


@given(tiles())
def test_addresses_are_read_as_they_were_written(tile: Tile) -> None:
    for pattern in ("a/{z}/{x}/{y}.png", "{x}-{-y}-{z}.jpg", "q{q}.webp", "{z}/{z}_{x}_{y}.png"):
        if tile.z or "{q}" not in pattern:
            assert template.read(pattern, template.filled(pattern, tile)) == tile


def test_addresses_that_are_none() -> None:
    assert template.read("{z}/{x}/{y}.png", "3/9/0.png") is None
    assert template.read("{z}/{x}/{y}.png", "3/07/0.png") is None
    assert template.read("{z}/{z}_{x}_{y}.png", "3/4_1_1.png") is None
    assert template.faults("{z}/{x}/{y}.png", set()) == []
    assert "{y}" in template.faults("{z}/{x}.png", set())[0]
    assert "{w}" in template.faults("{z}/{x}/{y}/{w}", set())[0]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_pictures_are_known_by_their_content(form: str) -> None:
    pixels = np.full((16, 16, 3), (200, 40, 40), dtype=np.uint8)
    content = encoded(pixels, form)
    assert sniff.picture_format(content) == form
    decoded = sniff.decode(content, "here")
    assert decoded.shape == (16, 16, 4)
    assert abs(decoded[..., :3].astype(int) - pixels).max() <= 4
    assert sniff.is_blank(decoded)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>Sign in</html>", "markup"),
        (b'{"error": 1}', "JSON"),
        (packed(b"vector"), "vector tiles"),
        (b"\0" * 40, "no known form"),
        (encoded(ground(64, 64))[:400], "broken PNG"),
        (encoded(ground(64, 64), "JPEG")[:900], "broken JPEG"),
        (encoded(np.zeros((1, 5000, 3), dtype=np.uint8)), "5000 x 1 pixels"),
    ],
)
def test_what_is_no_picture_is_said(content: bytes, said: str) -> None:
    with pytest.raises(DownloadError, match=said):
        sniff.decode(content, "here")


def test_what_shows_something_is_not_blank() -> None:
    seen = np.zeros((8, 8, 4), dtype=np.uint8)
    assert sniff.is_blank(seen)
    seen[0, 0] = (1, 2, 3, 255)
    assert sniff.is_blank(seen)
    seen[5, 5] = (1, 2, 30, 255)
    assert not sniff.is_blank(seen)


@pytest.mark.parametrize("kind", ["mbtiles", "pmtiles", "folder"])
def test_stores_hold_the_same(kind: str, tmp_path: Path) -> None:
    near, far = Tile(12, 2400, 2040), Tile(12, 2433, 2050)
    content = cut(ground(512, 768), near) | cut(ground(256, 256, 1), far) | cut(ground(256, 256, 2), near.parent())
    where = {
        "mbtiles": lambda: write_mbtiles(tmp_path / "tiles.db", content),
        "pmtiles": lambda: write_pmtiles(tmp_path / "tiles.bin", content),
        "folder": lambda: Path(write_folder(tmp_path / "[odd] name", content)),
    }[kind]()
    store = open_store(where)
    assert list(store.zooms()) == [11, 12]
    assert {tile: store.get(tile) for tile in content} == content
    assert store.get(Tile(12, 2403, 2040)) is None
    assert store.get(Tile(5, 0, 0)) is None
    assert store.extents(12, 5) == [Extent(12, 2400, 2040, 2403, 2042), Extent(12, 2433, 2050, 2434, 2051)]
    assert store.extents(12, 12) == [Extent(12, 2400, 2040, 2434, 2051)]
    assert store.digest() == open_store(where).digest()


def test_many_tiles_of_pmtiles_lie_in_several_directories(tmp_path: Path) -> None:
    world = Extent.under(Tile(0, 0, 0), 7)
    content = {tile: f"{tile.name}{'.' * (tile.x * 37 % 101)}".encode() for tile in world}
    store = open_store(write_pmtiles(tmp_path / "many.pmtiles", content))
    assert all(store.get(tile) == content[tile] for tile in list(world)[::97])
    assert store.extents(7, 7) == [world]


def test_files_that_are_no_stores(tmp_path: Path) -> None:
    text = tmp_path / "tiles.mbtiles"
    text.write_text("something else entirely")
    broken = tmp_path / "broken.mbtiles"
    broken.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20)
    short = tmp_path / "short.pmtiles"
    short.write_bytes(b"PMTiles\x03" + bytes(40))
    for path, said in [
        (text, "neither MBTiles nor PMTiles"),
        (tmp_path, "how its tiles are named"),
        (tmp_path / "none.mbtiles", "No tiles at"),
        (tmp_path / "{z}/{x}.png", "name the tile"),
    ]:
        with pytest.raises(DownloadError, match=said):
            open_store(path)
    with pytest.raises(DownloadError, match="MBTiles"):
        open_store(broken).zooms()
    with pytest.raises(DownloadError, match="cut off"):
        open_store(short).zooms()
    with pytest.raises(DownloadError, match="No file is named like"):
        open_store(tmp_path / "{z}/{x}/{y}.png").zooms()


def test_bounds_are_those_of_rasterio() -> None:
    tile = Tile(14, 8185, 5447)
    assert tile.bounds == pytest.approx(transform_bounds("EPSG:3857", "EPSG:4326", *tile.box), abs=1e-9)

"""The made county: its files, its map, and that picture and map tell the same."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
import rasterio
import shapely
import shapely.geometry
from numpy.typing import NDArray
from osmium.geom import WKBFactory
from pyproj import Transformer
from rasterio.features import geometry_mask
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry
from shapely.ops import substring

from download.sample import SCENES, SampleCounty, make_county
from download.sample.county import lay_out
from download.sample.layout import ORIGIN, connected

ACQUIRED = datetime(2021, 9, 14, tzinfo=UTC)
TO_METRES = Transformer.from_crs("EPSG:4326", "EPSG:26915", always_xy=True)
PATCH_M = 448 * 0.6


@dataclass(frozen=True)
class Element:
    id: str
    tags: dict[str, str]
    edited: datetime
    nodes: tuple[int, ...]
    geometry: BaseGeometry


@dataclass(frozen=True)
class Picture:
    bands: NDArray[np.float32]
    transform: rasterio.Affine

    def under(self, geometry: BaseGeometry) -> NDArray[np.float32]:
        """Pixels whose centre a polygon covers: (4, n)."""
        west, south, east, north = geometry.bounds
        (left, right), (top, bottom) = ~self.transform @ (np.array([west, east]), np.array([north, south]))
        rows = slice(max(int(top), 0), max(int(bottom) + 1, 0))
        columns = slice(max(int(left), 0), max(int(right) + 1, 0))
        window = self.bands[:, rows, columns]
        corner = self.transform @ rasterio.Affine.translation(columns.start, rows.start)
        outside = geometry_mask([geometry], window.shape[1:], corner)
        assert not outside.all(), "the geometry lies outside the picture"
        return window[:, ~outside]

    def ndvi(self, geometry: BaseGeometry) -> float:
        red, _, _, near = self.under(geometry)
        return float(((near - red) / (near + red)).mean())


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> SampleCounty:
    return make_county(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def picture(county: SampleCounty) -> Picture:
    with rasterio.open(county.rasters[0]) as west, rasterio.open(county.rasters[1]) as east:
        return Picture(np.concatenate([west.read(), east.read()], axis=2).astype(np.float32), west.transform)


def _items(path: Path, *, areas: bool = False) -> Iterator[Any]:
    reader = osmium.FileProcessor(str(path))
    yield from reader.with_locations().with_areas() if areas else reader


def _metres(shape: BaseGeometry) -> BaseGeometry:
    def project(places: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(TO_METRES.transform(*places.T))

    return shapely.transform(shape, project)


def _read(path: Path) -> list[Element]:
    """Every tagged element, areas assembled, in the picture's CRS."""
    wkb, found = WKBFactory(), []
    for item in _items(path, areas=True):
        nodes: tuple[int, ...] = ()
        if item.is_area() and not item.from_way():
            name, shape = f"relation/{item.orig_id()}", wkb.create_multipolygon(item)
        elif item.is_way():
            name, shape = f"way/{item.id}", wkb.create_linestring(item)
            nodes = tuple(node.ref for node in item.nodes)
        elif item.is_node() and item.tags:
            name, shape = f"node/{item.id}", wkb.create_point(item)
        else:
            continue
        found.append(Element(name, dict(item.tags), item.timestamp, nodes, _metres(shapely.from_wkb(shape))))
    return found


@pytest.fixture(scope="module")
def elements(county: SampleCounty) -> list[Element]:
    return _read(county.extract)


def _with(elements: list[Element], **tags: str) -> list[Element]:
    wanted = {key.replace("__", ":"): value for key, value in tags.items()}
    return [element for element in elements if wanted.items() <= element.tags.items()]


def _one(elements: list[Element], **tags: str) -> Element:
    found = _with(elements, **tags)
    assert len(found) == 1, f"{len(found)} elements with {tags}"
    return found[0]


def _area(element: Element) -> BaseGeometry:
    if element.geometry.geom_type == "LineString":
        return shapely.Polygon(element.geometry.coords)
    return element.geometry


def test_two_runs_make_the_same_files(county: SampleCounty, tmp_path: Path) -> None:
    again = make_county(tmp_path / "again")
    for first, second in zip(
        (*county.rasters, county.extract, county.region), (*again.rasters, again.extract, again.region), strict=True
    ):
        assert first.read_bytes() == second.read_bytes(), first.name
    assert {path.name for path in again.folder.iterdir()} == {*SCENES, "county.osm.pbf", "region.geojson"}


def test_another_seed_makes_another_county() -> None:
    def outlines(seed: int) -> set[bytes]:
        return {shapely.to_wkb(thing.geometry) for thing in lay_out(seed).things if "building" in thing.tags}

    assert outlines(7) == outlines(7)
    assert outlines(7) != outlines(8)


def test_scenes_are_like_naip(county: SampleCounty) -> None:
    for path in county.rasters:
        with rasterio.open(path) as scene:
            assert scene.crs.to_epsg() == 26915
            assert scene.res == pytest.approx((0.6, 0.6))
            assert scene.count == 4
            assert set(scene.dtypes) == {"uint8"}
            assert scene.nodata is None
            assert (scene.width, scene.height) == (2240, 2240)
            assert scene.profile["tiled"]
            assert scene.profile["compress"] == "deflate"
            assert scene.tags()["TIFFTAG_DATETIME"].startswith("2021:09:14")
            assert path.stem.endswith("_060_20210914")


def test_scenes_abut_on_one_pixel_grid(county: SampleCounty) -> None:
    with rasterio.open(county.rasters[0]) as west, rasterio.open(county.rasters[1]) as east:
        column, row = ~west.transform @ (east.transform.c, east.transform.f)
        assert (column, row) == pytest.approx((west.width, 0), abs=1e-6)
        assert west.transform.c / 0.6 == pytest.approx(round(west.transform.c / 0.6), abs=1e-6)
        seam = np.abs(west.read()[:, :, -1].astype(int) - east.read()[:, :, 0])
        inside = np.abs(np.diff(west.read()[:, :, -2:].astype(int), axis=2))
    assert seam.mean() == pytest.approx(inside.mean(), rel=0.5)


def test_no_pixel_looks_like_nodata(picture: Picture) -> None:
    assert picture.bands.min() >= 1
    assert picture.bands.max() <= 254
    assert picture.bands[:3].std() > 15


def test_region_is_the_footprint(county: SampleCounty) -> None:
    feature = json.loads(county.region.read_text())["features"][0]
    west, south, east, north = _metres(shapely.geometry.shape(feature["geometry"])).bounds
    with rasterio.open(county.rasters[0]) as first, rasterio.open(county.rasters[1]) as last:
        wanted = (first.bounds.left, first.bounds.bottom, last.bounds.right, last.bounds.top)
    assert (west, south, east, north) == pytest.approx(wanted, abs=0.05)


def test_extract_is_sorted_and_dated(county: SampleCounty) -> None:
    order = {"n": 0, "w": 1, "r": 2}
    keys, years, versions, known = [], set(), set(), set()
    for item in _items(county.extract):
        keys.append((order[item.type_str()], item.id))
        years.add(item.timestamp.year)
        versions.add(item.version)
        known.add(f"{item.type_str()}{item.id}")
        if item.is_way():
            assert {f"n{node.ref}" for node in item.nodes} <= known
        if item.is_relation():
            assert {f"{member.type}{member.ref}" for member in item.members} <= known
    assert keys == sorted(set(keys))
    assert min(key[1] for key in keys) > 0
    assert years == {*range(2012, 2022), 2023}
    assert len(versions) > 3


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "service", "tunnel": "yes", "layer": "-1"},
        {"waterway": "drain", "tunnel": "yes", "layer": "-1"},
        {"waterway": "stream", "tunnel": "culvert"},
        {"highway": "proposed", "proposed": "trunk"},
        {"railway": "abandoned"},
        {"railway": "rail"},
        {"railway": "rail", "bridge": "yes"},
        {"highway": "secondary", "bridge": "yes"},
        {"highway": "secondary", "junction": "roundabout"},
        {"highway": "tertiary", "name": "Dvořák Avenue"},
        {"highway": "track", "surface": "dirt"},
        {"highway": "residential", "tiger:reviewed": "no"},
        {"highway": "pedestrian", "area": "yes"},
        {"man_made": "pipeline", "location": "underground"},
        {"power": "line"},
        {"power": "tower"},
        {"power": "plant"},
        {"barrier": "hedge"},
        {"barrier": "fence"},
        {"natural": "tree"},
        {"natural": "wood", "leaf_type": "broadleaved"},
        {"landuse": "farmland", "crop": "corn"},
        {"landuse": "farmland", "crop": "soybean"},
        {"landuse": "orchard"},
        {"landuse": "cemetery"},
        {"leisure": "swimming_pool"},
        {"leisure": "pitch", "sport": "soccer"},
        {"amenity": "bench"},
        {"amenity": "parking"},
        {"amenity": "school"},
        {"building": "church"},
        {"building": "barn"},
        {"building": "yes"},
        {"building": "detached"},
        {"building": "house", "start_date": "2023"},
        {"man_made": "silo"},
        {"man_made": "water_tower"},
        {"source": "Bing"},
        {"boundary": "administrative", "admin_level": "6"},
        {"boundary": "administrative", "admin_level": "8"},
    ],
    ids=lambda tags: "-".join(tags.values()),
)
def test_map_holds(elements: list[Element], tags: dict[str, str]) -> None:
    assert any(tags.items() <= element.tags.items() for element in elements)


def test_route_relation_follows_the_main_road(county: SampleCounty) -> None:
    routes = [
        [member.type for member in item.members]
        for item in _items(county.extract)
        if item.is_relation() and item.tags.get("type") == "route"
    ]
    assert routes == [["w"] * 5]


def test_tags_are_of_mixed_completeness(elements: list[Element]) -> None:
    houses = [e for e in elements if e.tags.get("building") in ("yes", "house", "detached")]
    for key in ("addr:street", "building:levels"):
        share = sum(key in house.tags for house in houses) / len(houses)
        assert 0.1 < share < 0.7


def test_lake_is_a_ring_round_an_island(elements: list[Element]) -> None:
    lake = _one(elements, natural="water", water="lake")
    island = _one(elements, place="islet")
    assert lake.id.startswith("relation/")
    assert lake.geometry.is_valid
    assert [len(part.interiors) for part in shapely.get_parts(lake.geometry)] == [1]
    assert not lake.geometry.intersects(_area(island).buffer(-0.1))
    assert shapely.convex_hull(lake.geometry).contains(_area(island))


def test_boundaries_enclose_picture_and_village(elements: list[Element]) -> None:
    border = [e for e in elements if e.id.startswith("relation/") and e.tags.get("boundary") == "administrative"]
    levels = {e.tags["admin_level"]: e.geometry for e in border}
    x, y = ORIGIN
    assert levels["6"].contains(shapely.box(x, y, x + 2688, y + 1344))
    assert levels["8"].contains(_one(elements, place="village").geometry)
    assert levels["6"].contains(levels["8"])


@pytest.mark.parametrize("tags", [{"junction": "roundabout"}, {"barrier": "hedge"}, {"barrier": "fence"}])
def test_some_lines_are_closed(elements: list[Element], tags: dict[str, str]) -> None:
    line = _one(elements, **tags)
    assert line.nodes[0] == line.nodes[-1]
    assert len(line.nodes) > 4


def test_a_road_leaves_a_patch_and_comes_back(elements: list[Element]) -> None:
    x, y = ORIGIN
    patches = [
        shapely.box(x + c * PATCH_M, y + r * PATCH_M, x + (c + 1) * PATCH_M, y + (r + 1) * PATCH_M)
        for r in range(5)
        for c in range(10)
    ]
    tracks = _with(elements, highway="track")
    parts = [len(shapely.get_parts(track.geometry.intersection(patch))) for track in tracks for patch in patches]
    assert max(parts) >= 2


def test_roads_that_meet_share_a_node(elements: list[Element]) -> None:
    street, circle = _one(elements, name="Main Street"), _one(elements, junction="roundabout")
    for other in (_one(elements, name="Dvořák Avenue"), circle, *_with(elements, highway="residential")):
        if other.geometry.intersects(street.geometry):
            assert set(other.nodes) & set(street.nodes), other.tags
    assert set(circle.nodes) & set(_one(elements, name="Lake Road").nodes)


def test_connected_keeps_the_course_of_lines() -> None:
    roads = [thing for thing in lay_out(7).things if thing.tags.get("highway") and thing.width]
    for before, after in pairwise([roads, connected(roads), connected(connected(roads))]):
        for old, new in zip(before, after, strict=True):
            assert new.line.length == pytest.approx(old.line.length, abs=1e-6)
            assert new.line.is_simple == old.line.is_simple


def test_vegetation_is_green_in_the_near_infrared(elements: list[Element], picture: Picture) -> None:
    woods = [_area(wood).buffer(-5) for wood in _with(elements, natural="wood")]
    lake = _one(elements, water="lake").geometry.buffer(-15)
    assert min(picture.ndvi(wood) for wood in woods if wood.area > 2000) > 0.2
    assert picture.ndvi(lake) < 0
    assert picture.ndvi(_area(_one(elements, amenity="parking", capacity="62"))) < 0.05


def test_houses_stand_out_from_their_gardens(elements: list[Element], picture: Picture) -> None:
    older = [e for e in elements if e.tags.get("building") in ("house", "detached", "yes") and e.edited < ACQUIRED]
    frame = shapely.box(ORIGIN[0], ORIGIN[1], ORIGIN[0] + 2688, ORIGIN[1] + 1344)
    differences = [
        picture.ndvi(_area(e).buffer(9).difference(_area(e).buffer(2))) - picture.ndvi(_area(e).buffer(-1))
        for e in older
        if frame.contains(e.geometry)
    ]
    assert len(differences) > 80
    assert np.quantile(differences, 0.1) > 0.05


def test_what_was_mapped_later_is_not_in_the_picture(elements: list[Element], picture: Picture) -> None:
    later = [e for e in elements if e.edited > ACQUIRED and "building" in e.tags]
    assert len(later) >= 3
    for house in later:
        assert picture.ndvi(_area(house).buffer(-1)) > 0.05, house.id


def test_roads_are_grey_where_the_map_has_them(elements: list[Element], picture: Picture) -> None:
    for road in (*_with(elements, highway="tertiary"), *_with(elements, name="County Road E16")):
        red, green, blue, near = picture.under(road.geometry.buffer(2)).mean(1)
        assert max(red, green, blue) - min(red, green, blue) < 25, road.tags
        assert near < red + 5, road.tags


def _hidden(element: Element) -> bool:
    return "tunnel" in element.tags or bool({"proposed", "abandoned"} & set(element.tags.values()))


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "service", "tunnel": "yes"},
        {"waterway": "drain", "tunnel": "yes"},
        {"highway": "proposed"},
        {"railway": "abandoned"},
        {"man_made": "pipeline"},
    ],
    ids=lambda tags: "-".join(tags.values()),
)
def test_hidden_ways_leave_no_trace(elements: list[Element], picture: Picture, tags: dict[str, str]) -> None:
    way = _one(elements, **tags)
    drawn = [e.geometry.buffer(9) for e in elements if {"highway", "railway"} & set(e.tags) and not _hidden(e)]
    assert isinstance(way.geometry, shapely.LineString)
    inner = substring(way.geometry, 0.15, 0.85, normalized=True).difference(shapely.union_all(drawn))
    on, beside = picture.under(inner.buffer(2)), picture.under(inner.buffer(9).difference(inner.buffer(4)))
    assert np.abs(on.mean(1) - beside.mean(1)).max() < 8
    assert np.abs(on.std(1) - beside.std(1)).max() < 8


def test_shadows_fall_to_the_north_west(elements: list[Element], picture: Picture) -> None:
    for tall in (_one(elements, building="church"), _one(elements, man_made="water_tower")):
        around = _area(tall)
        shadow = translate(around, -7, 7).difference(around.buffer(1))
        lit = translate(around, 7, -7).difference(around.buffer(1))
        assert picture.under(shadow)[:3].mean() < 0.7 * picture.under(lit)[:3].mean()

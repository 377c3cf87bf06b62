"""Reading map extracts with the real pyosmium and GDAL: what comes out, what is counted, what is refused."""

import bz2
import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pytest
import shapely
from pydantic import ValidationError
from shapely.geometry.base import BaseGeometry

from download.errors import DownloadError
from download.osm.extract import OsmExtract
from download.osm.raw import ORIGINS, Tally, UnsortedExtract

KEYS = frozenset({"building", "highway", "landuse", "natural", "waterway"})

Tags = dict[str, str]


def osm_xml(
    path: Path,
    *,
    nodes: dict[int, tuple[float, float]],
    ways: dict[int, tuple[list[int], Tags]] | None = None,
    relations: dict[int, tuple[list[tuple[str, int, str]], Tags]] | None = None,
    node_tags: dict[int, Tags] | None = None,
) -> Path:
    """Write an OSM XML file in the order given; nodes are (longitude, latitude)."""

    def tag_lines(tags: Tags) -> str:
        return "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())

    lines = ['<osm version="0.6">']
    for number, (lon, lat) in nodes.items():
        tags = tag_lines((node_tags or {}).get(number, {}))
        lines.append(f'<node id="{number}" version="1" lat="{lat}" lon="{lon}">{tags}</node>')
    for number, (refs, tags_of_way) in (ways or {}).items():
        members = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        lines.append(
            f'<way id="{number}" version="2" timestamp="2020-05-17T08:09:10Z">{members}{tag_lines(tags_of_way)}</way>'
        )
    for number, (parts, tags_of_relation) in (relations or {}).items():
        members = "".join(f'<member type="{kind}" ref="{ref}" role="{role}"/>' for kind, ref, role in parts)
        lines.append(f'<relation id="{number}" version="1">{members}{tag_lines(tags_of_relation)}</relation>')
    path.write_text("\n".join([*lines, "</osm>"]), encoding="utf-8")
    return path


def square(first: int, west: float, south: float, side: float) -> tuple[dict[int, tuple[float, float]], list[int]]:
    """Nodes of a square, numbered from `first`, and the closed ring of their ids."""
    corners = [(west, south), (west + side, south), (west + side, south + side), (west, south + side)]
    ids = list(range(first, first + 4))
    return dict(zip(ids, corners, strict=True)), [*ids, first]


def read(path: Path, scratch: Path) -> tuple[dict[str, tuple[Tags, BaseGeometry]], Tally]:
    """Read elements by id."""
    tally = Tally()
    found = {}
    for batch in OsmExtract(path=path).read(KEYS, scratch, tally):
        for origin, osm_id, tags, geometry in zip(
            batch.origin, batch.osm_id, batch.tags.to_pylist(), batch.geometry, strict=True
        ):
            found[f"{ORIGINS[origin]}/{osm_id}"] = (dict(tags), geometry)
    return found, tally


def test_labels_are_those_of_pyosmium(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "osm" / "queens_village_ny.osm.pbf"
    tally = Tally()
    rows = {}
    for batch in OsmExtract(path=path).read(KEYS, tmp_path, tally):
        for origin, osm_id, tags, edited in zip(
            batch.origin.tolist(),
            batch.osm_id.tolist(),
            batch.tags.to_pylist(),
            batch.timestamp.to_pylist(),
            strict=True,
        ):
            rows[origin, osm_id] = (dict(tags), edited)
    wkb = osmium.geom.WKBFactory()
    plain = osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_locations()
    tagged: Iterable[Any] = plain.with_filter(osmium.filter.EmptyTagFilter())
    expected = {}
    for element in tagged:
        try:
            wkb.create_linestring(element) if element.is_way() else None
        except (RuntimeError, osmium.InvalidLocationError):
            continue
        expected[int(element.is_way()), element.id] = (dict(element.tags), element.timestamp)
    assert len(expected) > 50_000
    assert {key: row for key, row in rows.items() if key[0] < 2} == expected


def test_odd_characters_in_tags(tmp_path: Path) -> None:
    nodes, ring = square(1, 0, 0, 1)
    odd = {"building": "yes", "name": "Žlutý kůň, 東京 100%=%20% @ a;b", "note": "tab&#9;line&#10;end", "ref:x=y": ""}
    path = osm_xml(tmp_path / "odd.osm", nodes=nodes, ways={7: (ring, odd)})
    elements, _ = read(path, tmp_path)
    assert elements["way/7"][0] == odd | {"note": "tab\tline\nend"}


def test_island_of_a_multipolygon(tmp_path: Path) -> None:
    lake, shore = square(1, 0, 0, 10)
    island, beach = square(5, 4, 4, 2)
    path = osm_xml(
        tmp_path / "lake.osm",
        nodes=lake | island,
        ways={1: (shore, {}), 2: (beach, {"natural": "scrub"})},
        relations={
            3: ([("w", 1, "outer"), ("w", 2, "inner")], {"type": "multipolygon", "natural": "water"}),
            4: ([("w", 1, "")], {"type": "route", "route": "ferry"}),
        },
    )
    elements, tally = read(path, tmp_path)
    assert elements.keys() == {"way/2", "relation/3"}
    geometry = elements["relation/3"][1]
    assert geometry.equals(shapely.box(0, 0, 10, 10) - shapely.box(4, 4, 6, 6))
    assert tally.left_out == {"route relation": 1}
    assert tally.read == 3


def test_crossing_rings_and_missing_members(tmp_path: Path) -> None:
    nodes = {1: (0.0, 0.0), 2: (2.0, 2.0), 3: (2.0, 0.0), 4: (0.0, 2.0)}
    area = {"type": "multipolygon", "landuse": "forest"}
    path = osm_xml(
        tmp_path / "broken.osm",
        nodes=nodes,
        ways={1: ([1, 2, 3, 4, 1], {}), 2: ([1, 2], {})},
        relations={
            1: ([("w", 1, "outer")], area),
            2: ([("w", 1, "outer"), ("w", 99, "inner")], area),
            3: ([("w", 2, "outer")], area),
            4: ([("n", 1, "")], {"type": "site"}),
        },
    )
    elements, tally = read(path, tmp_path)
    assert elements.keys() == {"relation/1"}
    assert elements["relation/1"][1].area == pytest.approx(2.0)
    assert tally.repaired == 1
    assert tally.left_out == {
        "relation with missing members": 1,
        "relation that encloses nothing": 1,
        "relation of another type": 1,
    }


def test_ways_without_all_nodes_are_counted(tmp_path: Path) -> None:
    road = {"highway": "track"}
    path = osm_xml(
        tmp_path / "cut.osm",
        nodes={1: (0.0, 0.0), 2: (1.0, 0.0)},
        ways={1: ([1, 2], road), 2: ([1, 3], road), 3: ([3, 4], road), 4: ([1], road), 5: ([2, 2], road)},
    )
    elements, tally = read(path, tmp_path)
    assert elements.keys() == {"way/1"}
    assert tally.left_out == {"way with missing nodes": 2, "way of a single place": 2}
    assert tally.read == 5


@pytest.mark.parametrize(("suffix", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress)])
def test_compressed_xml(shared_data: Path, tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]) -> None:
    source = shared_data / "osm" / "beatty.osm"
    packed = tmp_path / f"beatty.osm.{suffix}"
    packed.write_bytes(compress(source.read_bytes()))
    assert read(packed, tmp_path) == read(source, tmp_path)


def test_large_files_keep_node_locations_on_disk(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shared_data / "boston" / "boston.osm.pbf"
    in_memory = read(source, tmp_path)
    monkeypatch.setattr("download.osm.osm_file.NODES_IN_MEMORY", 0)
    assert read(source, tmp_path) == in_memory
    assert (tmp_path / "nodes.index").stat().st_size > 0


def test_bounds_and_digest(shared_data: Path, tmp_path: Path) -> None:
    extract = OsmExtract(path=shared_data / "osm" / "liechtenstein.osm.pbf")
    assert extract.bounds() == pytest.approx((9.471078, 47.04774, 9.636217, 47.2712800))
    assert OsmExtract(path=shared_data / "osm" / "columbus_unsorted.osm.pbf").bounds() is None
    one, two = (osm_xml(tmp_path / f"{name}.osm", nodes={1: (0.0, lat)}) for name, lat in (("a", 1.0), ("b", 2.0)))
    assert OsmExtract(path=one).digest() != OsmExtract(path=two).digest()
    two.write_bytes(one.read_bytes())
    assert OsmExtract(path=one).digest() == OsmExtract(path=two).digest()


def test_a_relative_path_is_beside_the_configuration(tmp_path: Path) -> None:
    extract = OsmExtract.model_validate({"kind": "extract", "path": "a.osm"}, context={"base": tmp_path})
    assert extract.path == tmp_path / "a.osm"
    with pytest.raises(ValidationError):
        OsmExtract.model_validate({"kind": "extract", "path": "a.osm", "format": "pbf"})


def test_refused_at_a_glance(shared_data: Path, tmp_path: Path) -> None:
    pbf = (shared_data / "osm" / "liechtenstein.osm.pbf").read_bytes()
    xml = (shared_data / "osm" / "beatty.osm").read_bytes()
    bad = {
        "cut.osm.pbf": (pbf[: len(pbf) // 2], "cut short"),
        "header.osm.pbf": (pbf[:10], "damaged"),
        "last.osm.pbf": (pbf[:-1], "cut short"),
        "noise.osm.pbf": (b"no map at all" * 99, "damaged"),
        "empty.osm.pbf": (b"", "empty"),
        "cut.osm": (xml[: len(xml) // 2], "cut short"),
        "page.osm": (b"<html>404</html>", "no OSM file"),
        "cut.osm.bz2": (bz2.compress(xml)[:9000], "damaged"),
        "map.geojson": (b"{}", "unknown"),
        "noise.gpkg": (b"no map at all", "no GeoPackage"),
        "noise.parquet": (b"no map at all", "no Parquet"),
    }
    for name, (content, complaint) in bad.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(DownloadError, match=complaint) as refusal:
            OsmExtract(path=path).check()
        assert str(path) in str(refusal.value)
    with pytest.raises(DownloadError, match="no map extract at"):
        OsmExtract(path=tmp_path / "nowhere.osm.pbf").check()
    with pytest.raises(DownloadError, match="folder"):
        OsmExtract(path=tmp_path).check()
    with pytest.raises(DownloadError, match="osmium time-filter"):
        OsmExtract(path=shared_data / "osm" / "andorra.osh.pbf").check()


def test_refused_while_reading(shared_data: Path, tmp_path: Path) -> None:
    pbf = (shared_data / "osm" / "liechtenstein.osm.pbf").read_bytes()
    xml = gzip.compress((shared_data / "osm" / "beatty.osm").read_bytes())
    damaged = {"hole.osm.pbf": pbf[:600_000] + bytes(2_000) + pbf[602_000:], "cut.osm.gz": xml[: len(xml) // 2]}
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DownloadError, match=r"Cannot read the map extract .*fetch it again"):
            read(tmp_path / name, tmp_path)


def test_unsorted_extracts_are_told_apart_and_sorted(shared_data: Path, tmp_path: Path) -> None:
    extract = OsmExtract(path=shared_data / "osm" / "columbus_unsorted.osm.pbf")
    with pytest.raises(UnsortedExtract, match="not sorted"):
        list(extract.read(KEYS, tmp_path, Tally()))
    tally = Tally()
    in_order = extract.sorted_copy(tmp_path, tally)
    elements, _ = read(in_order.path, tmp_path)
    assert tally.left_out == {}
    assert len(elements) > 16_000


def test_the_newest_of_duplicates_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "twice.osm"
    path.write_text(
        '<osm version="0.6"><node id="1" version="1" lat="0" lon="0"/><node id="2" version="1" lat="1" lon="0"/>'
        '<way id="5" version="2"><nd ref="1"/><nd ref="2"/><tag k="highway" v="track"/></way>'
        '<way id="5" version="3"><nd ref="1"/><nd ref="2"/><tag k="highway" v="service"/></way></osm>',
        encoding="utf-8",
    )
    with pytest.raises(UnsortedExtract):
        read(path, tmp_path)
    tally = Tally()
    elements, _ = read(OsmExtract(path=path).sorted_copy(tmp_path, tally).path, tmp_path)
    assert elements["way/5"][0] == {"highway": "service"}
    assert tally.left_out == {"older version of an element": 1}


def test_too_large_to_sort_says_how(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("download.osm.osm_file.SORTABLE", 1000)
    with pytest.raises(DownloadError, match=r"osmium sort .*columbus_unsorted\.osm\.pbf -o"):
        OsmExtract(path=shared_data / "osm" / "columbus_unsorted.osm.pbf").sorted_copy(tmp_path, Tally())


def frame(columns: Mapping[str, Sequence[object]], geometry: Sequence[BaseGeometry | None]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326)


def test_ids_and_tags_of_tables(tmp_path: Path) -> None:
    line, spot = shapely.LineString([(0, 0), (1, 1)]), shapely.Point(2, 2)
    house = shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])
    tables: dict[str, tuple[dict[str, list[str | int | None]], list[BaseGeometry]]] = {
        "json": ({"id": ["w1", "node/2"], "tags": ['{"highway": "path", "x": null}', "{}"]}, [line, spot]),
        "typed": ({"osm_id": [1, 2], "osm_type": ["way", "N"], "highway": ["path", None]}, [line, spot]),
        "gdal": (
            {
                "osm_id": ["1", None, "4"],
                "osm_way_id": [None, "3", None],
                "highway": ["path", None, None],
                "other_tags": [None, r'"building"=>"yes","name"=>"a \"b\", c"', '"natural"=>"water"'],
            },
            [line, house, house],
        ),
    }
    expected = {
        "json": {"way/1": {"highway": "path"}, "node/2": {}},
        "typed": {"way/1": {"highway": "path"}, "node/2": {}},
        "gdal": {
            "way/1": {"highway": "path"},
            "way/3": {"building": "yes", "name": 'a "b", c'},
            "relation/4": {"natural": "water"},
        },
    }
    for name, (columns, geometry) in tables.items():
        for suffix in ("gpkg", "parquet"):
            path = tmp_path / f"{name}.{suffix}"
            table = frame(columns, geometry)
            table.to_file(path) if suffix == "gpkg" else table.to_parquet(path)
            elements, tally = read(path, tmp_path)
            assert {osm_id: tags for osm_id, (tags, _) in elements.items()} == expected[name], path.name
            assert tally.read == len(geometry)
            if name == "gdal":
                assert elements["way/3"][1].geom_type == "Polygon"


def test_layers_and_other_crs(tmp_path: Path) -> None:
    path = tmp_path / "layers.gpkg"
    roads = frame({"id": ["way/1"], "tags": ['{"highway": "path"}']}, [shapely.LineString([(9, 47), (9.1, 47.1)])])
    houses = frame({"id": ["way/2"], "tags": ['{"building": "yes"}']}, [shapely.box(9.2, 47.2, 9.3, 47.3)])
    roads.to_crs(32632).to_file(path, layer="roads")
    houses.to_file(path, layer="houses")
    elements, _ = read(path, tmp_path)
    assert shapely.equals_exact(elements["way/1"][1], roads.geometry[0], tolerance=1e-9)
    assert OsmExtract(path=path).bounds() == pytest.approx((9, 47, 9.3, 47.3), abs=0.01)


def test_rows_that_are_no_elements_are_counted(tmp_path: Path) -> None:
    spot = shapely.Point(0, 0)
    two = shapely.MultiPoint([(0, 0), (1, 1)])
    columns = {
        "id": ["node/1", "node/1", "node/2", "x", "node/3", "relation/4"],
        "tags": ["{}"] * 6,
    }
    path = tmp_path / "rows.parquet"
    frame(columns, [spot, spot, two, spot, None, spot]).to_parquet(path)
    elements, tally = read(path, tmp_path)
    assert elements.keys() == {"node/1"}
    assert tally.left_out == {
        "second row of an id": 1,
        "row with a geometry that no element has": 1,
        "row without an OSM id and type": 1,
        "row without a geometry": 1,
        "relation of another type": 1,
    }


def test_tables_that_lack_something_name_their_columns(tmp_path: Path) -> None:
    spot = [shapely.Point(0, 0)]
    frame({"number": [1], "tags": ["{}"]}, spot).to_file(tmp_path / "ids.gpkg")
    frame({"id": ["node/1"], "size": [3.5]}, spot).to_parquet(tmp_path / "tags.parquet")
    gpd.GeoDataFrame({"id": ["node/1"], "tags": ["{}"]}, geometry=spot).to_parquet(tmp_path / "crs.parquet")
    frame({"id": ["node/1"], "tags": ["highway=path"]}, spot).to_parquet(tmp_path / "text.parquet")
    complaints = {
        "ids.gpkg": "lacks OSM ids .*columns are: number, tags",
        "tags.parquet": "lacks tags .*columns are: id, size",
        "crs.parquet": "CRS of .* is unknown",
    }
    for name, complaint in complaints.items():
        with pytest.raises(DownloadError, match=complaint):
            OsmExtract(path=tmp_path / name).check()
    with pytest.raises(DownloadError, match="neither JSON nor hstore"):
        read(tmp_path / "text.parquet", tmp_path)


def test_pairs_of_json_and_numbers(tmp_path: Path) -> None:
    tags = json.dumps({"building": "yes", "building:levels": 3})
    path = tmp_path / "numbers.parquet"
    frame({"osm_id": np.array([5.0]).tolist(), "@type": ["w"], "tags": [tags]}, [shapely.box(0, 0, 1, 1)]).to_parquet(
        path
    )
    elements, _ = read(path, tmp_path)
    assert elements["way/5"][0] == {"building": "yes", "building:levels": "3"}

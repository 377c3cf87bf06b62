"""A map extract as GeoParquet: decided, ordered, counted, read by box."""

import json
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.tags import TagTable
from download.errors import DownloadError
from download.osm.extract import OsmExtract
from download.osm.raw import RawElements, Tally
from pipeline.bench import elements as elements_bench
from pipeline.decide import Decider
from pipeline.elements import ELEMENT_SCHEMA, ElementCounts, ElementStore, write_elements
from pipeline.errors import PipelineError
from pipeline.spatial_sort import SpatialSort, hilbert
from tests.test_extract import osm_xml, square


@pytest.fixture(scope="session")
def table() -> TagTable:
    return TagTable.load()


@pytest.fixture(scope="session")
def liechtenstein(
    shared_data: Path, table: TagTable, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ElementCounts]:
    target = tmp_path_factory.mktemp("elements") / "liechtenstein.parquet"
    return target, write_elements(OsmExtract(path=shared_data / "osm" / "liechtenstein.osm.pbf"), table, target)


def village(path: Path) -> Path:
    """A map with one of everything that has to be decided."""
    nodes: dict[int, tuple[float, float]] = {}
    rings = []
    for place in range(5):
        corners, ring = square(10 * place + 1, 9 + place / 10, 47, 0.01)
        nodes |= corners
        rings.append(ring)
    house, roundabout, fence, lake, island = rings
    bow = [41, 43, 44, 42, 41]
    return osm_xml(
        path,
        nodes=nodes,
        node_tags={1: {"natural": "tree"}, 2: {"entrance": "yes"}},
        ways={
            1: (house, {"building": "house"}),
            2: (roundabout, {"highway": "residential", "junction": "roundabout"}),
            3: (fence, {"barrier": "fence"}),
            4: (lake, {}),
            5: (island, {}),
            6: (house[:3], {"highway": "primary", "tunnel": "yes"}),
            7: (house[:3], {"source": "survey"}),
            8: (bow, {"landuse": "meadow"}),
            9: ([1, 2, 1], {"building": "yes"}),
        },
        relations={
            1: ([("w", 4, "outer")], {"type": "multipolygon", "natural": "water"}),
            2: ([("w", 5, "outer")], {"type": "boundary", "boundary": "administrative", "name": "Ödön"}),
            3: ([("w", 6, "")], {"type": "route", "route": "bus"}),
        },
    )


def test_what_is_decided(table: TagTable, tmp_path: Path) -> None:
    target = tmp_path / "out" / "village.parquet"
    counts = write_elements(OsmExtract(path=village(tmp_path / "village.osm")), table, target)
    store = ElementStore(target)
    rows = {row["id"]: row for row in store.read(store.bounds, hidden=True).to_pylist()}
    assert {osm_id: row["kind"] for osm_id, row in rows.items()} == {
        "node/1": "point",
        "relation/1": "area",
        "relation/2": "area",
        "way/1": "area",
        "way/2": "line",
        "way/3": "line",
        "way/6": "line",
        "way/8": "area",
    }
    assert {osm_id: row["hidden"] for osm_id, row in rows.items() if row["hidden"]} == {
        "relation/2": "administrative boundary",
        "way/6": "tunnel",
    }
    assert dict(rows["relation/2"]["tags"])["name"] == "Ödön"
    assert rows["way/1"]["timestamp"].isoformat() == "2020-05-17T08:09:10+00:00"
    assert rows["way/1"]["seen_from"] == np.float32(table.seen_from({"building": "house"}))
    bow = shapely.from_wkb(rows["way/8"]["geometry"])
    assert bow.is_valid
    assert bow.area == pytest.approx(0.01**2 / 2)
    assert shapely.from_wkb(rows["way/2"]["geometry"]).is_closed
    assert counts == ElementCounts(
        read=12,
        written={"area": 4, "line": 3, "point": 1},
        hidden={"administrative boundary": 1, "tunnel": 1},
        left_out={"no physical tag": 2, "outline that encloses nothing": 1, "route relation": 1},
        repaired=1,
        notices=(),
    )


@pytest.mark.parametrize(
    "extract", ["osm/liechtenstein.osm.pbf", "osm/columbus_unsorted.osm.pbf", "boston/boston.osm.pbf", "osm/beatty.osm"]
)
def test_counts_add_up(shared_data: Path, table: TagTable, tmp_path: Path, extract: str) -> None:
    target = tmp_path / "elements.parquet"
    counts = write_elements(OsmExtract(path=shared_data / extract), table, target)
    rows = pq.read_table(target)
    assert counts.read == sum(counts.written.values()) + sum(counts.left_out.values())
    assert counts.written == Counter(rows["kind"].to_pylist())
    assert counts.hidden == Counter(rows["hidden"].drop_null().to_pylist())
    assert pa.compute.count_distinct(rows["id"]).as_py() == len(rows)
    assert ("sorted" in " ".join(counts.notices)) == ("unsorted" in extract)
    assert json.loads(json.dumps(counts.as_json()))["read"] == counts.read
    assert list(tmp_path.iterdir()) == [target]


def test_nothing_below_ground_in_boston_is_visible(shared_data: Path, table: TagTable, tmp_path: Path) -> None:
    target = tmp_path / "boston.parquet"
    write_elements(OsmExtract(path=shared_data / "boston" / "boston.osm.pbf"), table, target)
    store = ElementStore(target)
    below = [
        dict(tags)
        for tags in store.read(store.bounds)["tags"].to_pylist()
        if dict(tags).get("tunnel", "no") != "no" or dict(tags).get("highway") == "proposed"
    ]
    assert below == []


def test_labels_decide_nothing(
    shared_data: Path, table: TagTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shared_data / "osm" / "queens_village_ny.osm.pbf"
    batches = list(OsmExtract(path=path).read(table.physical_keys, tmp_path, Tally()))
    decided = [Decider(table)(batch, Tally()) for batch in batches]
    monkeypatch.setattr("pipeline.decide.LABELS", ("no such key",))
    assert [Decider(table)(batch, Tally()) for batch in batches] == decided


def test_geoparquet(liechtenstein: tuple[Path, ElementCounts]) -> None:
    frame = gpd.read_parquet(liechtenstein[0], columns=["id", "kind", "geometry"])
    assert frame.crs.to_epsg() == 4326
    assert frame.geometry.is_valid.all()
    areas = frame.geometry.geom_type.isin({"Polygon", "MultiPolygon"})
    assert (areas == (frame["kind"] == "area")).all()
    store = ElementStore(liechtenstein[0])
    assert store.bounds == pytest.approx(tuple(frame.total_bounds))
    part = gpd.read_parquet(liechtenstein[0], bbox=(9.5, 47.1, 9.52, 47.12))
    assert set(part["id"]) == set(store.read((9.5, 47.1, 9.52, 47.12), hidden=True)["id"].to_pylist())


def test_same_bytes_every_time(
    shared_data: Path, table: TagTable, tmp_path: Path, liechtenstein: tuple[Path, ElementCounts]
) -> None:
    again = tmp_path / "again.parquet"
    counts = write_elements(OsmExtract(path=shared_data / "osm" / "liechtenstein.osm.pbf"), table, again)
    assert again.read_bytes() == liechtenstein[0].read_bytes()
    assert counts == liechtenstein[1]


def test_same_rows_in_runs_as_in_memory(
    shared_data: Path,
    table: TagTable,
    tmp_path: Path,
    liechtenstein: tuple[Path, ElementCounts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.spatial_sort.RUN_BYTES", 2**21)
    monkeypatch.setattr("pipeline.spatial_sort.BLOCK", 100)
    merged = tmp_path / "merged.parquet"
    write_elements(OsmExtract(path=shared_data / "osm" / "liechtenstein.osm.pbf"), table, merged)
    assert merged.read_bytes() == liechtenstein[0].read_bytes()


Box = tuple[float, float, float, float]


@pytest.fixture(scope="session")
def every_row(liechtenstein: tuple[Path, ElementCounts]) -> list[tuple[str, Box, bool]]:
    """Id, box and visibility of every element, in the order of ids."""
    rows = pq.read_table(liechtenstein[0], columns=["id", "bbox", "hidden"]).sort_by("id").to_pylist()
    return [(row["id"], tuple(row["bbox"].values()), row["hidden"] is None) for row in rows]


corner = st.tuples(st.floats(9.4, 9.7), st.floats(47.0, 47.3))


@settings(max_examples=60, deadline=None)
@given(one=corner, other=corner, hidden=st.booleans())
def test_a_box_gives_exactly_what_meets_it(
    liechtenstein: tuple[Path, ElementCounts],
    every_row: list[tuple[str, Box, bool]],
    one: tuple[float, float],
    other: tuple[float, float],
    hidden: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    west, east = sorted((one[0], other[0]))
    south, north = sorted((one[1], other[1]))
    expected = [
        osm_id
        for osm_id, (xmin, ymin, xmax, ymax), visible in every_row
        if (hidden or visible) and xmin <= east and xmax >= west and ymin <= north and ymax >= south
    ]
    found = ElementStore(liechtenstein[0]).read((west, south, east, north), hidden=hidden)
    assert found.schema.equals(ELEMENT_SCHEMA)
    assert found["id"].to_pylist() == expected


def test_a_box_far_away_is_empty(liechtenstein: tuple[Path, ElementCounts]) -> None:
    found = ElementStore(liechtenstein[0]).read((-80, 20, -70, 30))
    assert len(found) == 0
    assert found.schema.equals(ELEMENT_SCHEMA)


def test_a_small_box_reads_few_row_groups(liechtenstein: tuple[Path, ElementCounts]) -> None:
    store = ElementStore(liechtenstein[0])
    groups = pq.ParquetFile(liechtenstein[0]).metadata.num_row_groups
    middles = np.random.default_rng(0).uniform((9.48, 47.06), (9.62, 47.26), (50, 2))
    read = [len(store.groups_of((x - 0.001, y - 0.001, x + 0.001, y + 0.001))) for x, y in middles]
    assert groups > 5
    assert np.mean(read) < 0.4 * groups


def test_round_trip(shared_data: Path, table: TagTable, tmp_path: Path) -> None:
    first = tmp_path / "first.parquet"
    write_elements(OsmExtract(path=shared_data / "osm" / "beatty.osm"), table, first)
    second = tmp_path / "second.parquet"
    write_elements(OsmExtract(path=first), table, second)
    assert second.read_bytes() == first.read_bytes()
    frame = gpd.read_parquet(first)
    frame["tags"] = [json.dumps(dict(tags)) for tags in frame["tags"]]
    package = tmp_path / "first.gpkg"
    frame[["id", "tags", "timestamp", "geometry"]].to_file(package, layer="elements")
    third = tmp_path / "third.parquet"
    write_elements(OsmExtract(path=package), table, third)
    assert pq.read_table(third).equals(pq.read_table(first))


def test_nothing_to_write(table: TagTable, tmp_path: Path) -> None:
    path = osm_xml(
        tmp_path / "bare.osm",
        nodes={1: (0.0, 0.0)},
        node_tags={1: {"note": "here"}},
        ways={1: ([1, 2], {"highway": "path"})},
    )
    target = tmp_path / "bare.parquet"
    with pytest.raises(PipelineError, match=r"No element of .*bare.osm.* 1 no physical tag, 1 way with missing nodes"):
        write_elements(OsmExtract(path=path), table, target)
    empty = osm_xml(tmp_path / "empty.osm", nodes={})
    with pytest.raises(PipelineError, match="No element"):
        write_elements(OsmExtract(path=empty), table, target)
    assert not target.exists()


class _Interrupted(OsmExtract):
    def read(self, keys: Collection[str], scratch: Path, tally: Tally) -> Iterator[RawElements]:
        yield from super().read(keys, scratch, tally)
        raise KeyboardInterrupt


def test_an_interrupted_write_leaves_what_was_there(table: TagTable, tmp_path: Path) -> None:
    source = village(tmp_path / "village.osm")
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        write_elements(_Interrupted(path=source), table, out / "village.parquet")
    assert list(out.iterdir()) == []
    write_elements(OsmExtract(path=source), table, out / "village.parquet")
    before = (out / "village.parquet").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_elements(_Interrupted(path=source), table, out / "village.parquet")
    assert [path.read_bytes() for path in out.iterdir()] == [before]


def test_a_broken_extract_leaves_nothing(shared_data: Path, table: TagTable, tmp_path: Path) -> None:
    pbf = (shared_data / "osm" / "liechtenstein.osm.pbf").read_bytes()
    (tmp_path / "hole.osm.pbf").write_bytes(pbf[:1_600_000] + bytes(2_000) + pbf[1_602_000:])
    out = tmp_path / "out"
    with pytest.raises(DownloadError, match="fetch it again"):
        write_elements(OsmExtract(path=tmp_path / "hole.osm.pbf"), table, out / "hole.parquet")
    assert list(out.iterdir()) == []


def test_a_broken_store(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 or not")
    with pytest.raises(PipelineError, match=r"Cannot read the elements .*broken.parquet"):
        ElementStore(tmp_path / "broken.parquet").read((0, 0, 1, 1))


def test_hilbert_neighbours_are_neighbours() -> None:
    cells = 64
    middle = (np.arange(cells) + 0.5) / cells
    longitude, latitude = (side.ravel() for side in np.meshgrid(middle * 360 - 180, middle * 180 - 90))
    order = np.argsort(hilbert(longitude, latitude))
    steps = np.abs(np.diff(longitude[order])) / 360 * cells + np.abs(np.diff(latitude[order])) / 180 * cells
    assert np.allclose(steps, 1)
    assert hilbert(np.array([180.0, -180.0]), np.array([90.0, -90.0])).max() < 4**20


@given(
    runs=st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=30), max_size=6),
    size=st.integers(1, 7),
)
def test_runs_are_merged_in_order(tmp_path_factory: pytest.TempPathFactory, runs: list[list[int]], size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.spatial_sort.RUN_BYTES", 0)
        patch.setattr("pipeline.spatial_sort.BLOCK", size)
        ordered = SpatialSort(tmp_path_factory.mktemp("runs"))
        rows: list[tuple[int, str]] = []
        for number, keys in enumerate(runs):
            names = [f"{number}-{row}" for row in range(len(keys))]
            rows += zip(keys, names, strict=True)
            ordered.add(pa.table({"id": names}), np.array(keys, np.uint64))
        merged = [osm_id for piece in ordered.rows() for osm_id in piece["id"].to_pylist()]
    assert merged == [name for _, name in sorted(rows)]


def test_bench(shared_data: Path, tmp_path: Path) -> None:
    beatty = shared_data / "osm" / "beatty.osm"
    once = elements_bench.run(beatty, repeats=1)
    thrice = elements_bench.run(beatty, times=3, repeats=1)
    assert thrice["counts"]["read"] == 3 * once["counts"]["read"]
    assert thrice["counts"]["written"] == {kind: 3 * count for kind, count in once["counts"]["written"].items()}
    assert once["ratio"] == pytest.approx(once["elements_s"] / once["bare_s"], rel=0.2)
    assert 50 < once["peak_mb"] < 600
    drawn = elements_bench.bare_pass(beatty)
    copies = elements_bench.copies(beatty, tmp_path / "copies.osm.pbf", 3)
    assert elements_bench.bare_pass(copies) == 3 * drawn

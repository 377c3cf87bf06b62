"""Outlines without tags as a map."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyarrow.parquet as pq
import pytest
import shapely
from pydantic import ValidationError

from download.errors import DownloadError
from download.osm.labels import OURS, LabelMap
from download.osm.raw import Tally

TOP = shapely.box(10, 50, 10.001, 50.001)
HOUSES = shapely.MultiPolygon([TOP, shapely.box(11, 50, 11.001, 50.001)])
LANE = shapely.LineString([(10, 50), (10.01, 50.01)])


pytestmark = pytest.mark.usefixtures("own_cache")


def labels(path: Path, tags: dict[str, Any] | None = None) -> LabelMap:
    return LabelMap.model_validate({"kind": "labels", "path": path, "tags": tags or {"building": "yes"}})


def write(path: Path, rows: list[tuple[Any, Any]], crs: int = 4326) -> Path:
    frame = gpd.GeoDataFrame({"osm_id": [row[0] for row in rows]}, geometry=[row[1] for row in rows], crs=4326)
    frame.to_crs(crs).to_file(path)
    return path


def read(path: Path) -> dict[str, Any]:
    extract = labels(path).on_disk()
    extract.check()
    return {f"{('node', 'way', 'relation')[origin]}/{number}": geometry
            for batch in extract.read([], path.parent, Tally())
            for origin, number, geometry in zip(batch.origin, batch.osm_id, batch.geometry, strict=True)}  # fmt: skip


def test_kinds_of_outlines_are_kinds_of_elements(tmp_path: Path) -> None:
    rows = [(5, TOP), ("relation/7", HOUSES), (None, LANE), (9, shapely.Point(10, 50)), (9, shapely.Point(11, 50))]
    found = read(
        write(tmp_path / "labels.geojson", [(None if each is None else str(each), shape) for each, shape in rows])
    )
    assert {"way/5", "relation/7", "node/9"} < set(found)
    ours = [name for name in found if int(name.partition("/")[2]) >= OURS]
    assert sorted(name.partition("/")[0] for name in ours) == ["node", "way"]
    assert found["way/5"].equals(TOP)


def test_ids_of_our_own_go_by_the_outline_alone(tmp_path: Path) -> None:
    first = read(write(tmp_path / "a.geojson", [(None, TOP), (None, LANE)]))
    second = read(write(tmp_path / "b.geojson", [(None, LANE), (3, HOUSES), (None, TOP)]))
    assert set(first) < set(second)


def test_other_forms_and_coordinates(tmp_path: Path) -> None:
    found = read(write(tmp_path / "labels.gpkg", [(5, TOP)], crs=3857))
    assert shapely.hausdorff_distance(found["way/5"], TOP) < 1e-9


def test_tags_are_text_and_part_of_what_is_made(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.geojson", [(5, TOP)])
    told = labels(path, {"building": True, "building:levels": 2})
    assert told.tags == {"building": "yes", "building:levels": "2"}
    assert json.loads(pq.read_table(told.on_disk().path)["tags"][0].as_py()) == told.tags
    assert told.on_disk().digest() != labels(path).on_disk().digest()


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    text = tmp_path / "labels.geojson"
    with pytest.raises(DownloadError, match="no labels at"):
        labels(text).on_disk()
    text.write_text("no outlines")
    with pytest.raises(DownloadError, match="GDAL can read"):
        labels(text).on_disk()
    table = tmp_path / "table.csv"
    table.write_text("osm_id,name\n1,a\n")
    with pytest.raises(DownloadError, match="holds no outlines"):
        labels(table).on_disk()
    with pytest.raises(ValidationError, match="at least 1 item"):
        LabelMap.model_validate({"kind": "labels", "path": text, "tags": {}})

"""Whole tiles as samples: of real tiles into Git-10M's format and back, and tiles by lot."""

import io
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import shapely
import yaml
from PIL import Image
from pydantic import ValidationError
from rasterio.transform import from_bounds
from rich.console import Console

from download.imagery.tiles.scheme import Tile
from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.tile_draw import Draw, Places, draw_tiles, in_order
from pipeline.tile_places import row_of
from pipeline.tile_weights import Cells, CellWeights, RasterWeights
from pipeline.tiles_samples import TilesSamples
from pipeline.tiles_source import TilesSource
from pipeline.writers.git10m import tile_of
from tests.conftest import CommandLine
from tests.tile_server import TileServer, kampala

KAMPALA = shapely.box(32.589, 0.348, 32.596, 0.352)


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def folder(shared_data: Path) -> Path:
    return shared_data / "tiles" / "kampala"


def _config(folder: Path, **samples: Any) -> dict[str, Any]:
    return {
        "name": "kampala",
        "seed": 7,
        "samples": {
            "kind": "tiles",
            "zooms": [19, 20],
            "imagery": {
                "kind": "xyz",
                "path": str(folder / "OAM-{x}-{y}-{z}.png"),
                "source": "OpenAerialMap",
                "attribution": "OpenAerialMap contributors",
                "terms": "https://openaerialmap.org",
                "most_missing": 0.05,
            },
            "osm": {"kind": "labels", "path": str(folder / "labels.geojson"), "tags": {"building": "house"}},
            **samples,
        },
        "captions": {"engines": [{"kind": "grammar"}]},
        "output": {"kind": "git10m"},
        "workers": 1,
    }


def _run(mapteller: CommandLine, config: dict[str, Any], out: Path) -> Path:
    file = out.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(config))
    mapteller("run", file, "--out", out)
    return out


def _rows(out: Path, part: str) -> list[dict[str, Any]]:
    return [row for file in sorted((out / part).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def test_round_trip(folder: Path, tmp_path: Path, mapteller: CommandLine) -> None:
    """Each row is a tile of its file's name, pixel for pixel; bounds and GSD are the tile's own."""
    out = _run(mapteller, _config(folder), tmp_path / "out")
    there = {f"{z}_{x}_{y}": file for file in folder.glob("OAM-*.png") for x, y, z in [file.stem.split("-")[1:]]}
    patches = {row["patch_id"]: row for row in _rows(out, "patches")}
    for row in patches.values():
        metadata, tile = json.loads(row["metadata"]), Tile.parse(row["scene"])
        assert metadata["bounds"] == [round(side, 7) for side in tile.bounds]
        assert tile_of(metadata["bounds"]) == (tile.z, tile.x, tile.y)
        assert metadata["gsd"] == round(tile.gsd(), 4)
        assert metadata["image_name"] == tile.name
    files = sorted(str(file) for file in (out / "shards").glob("*.git10m.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    assert Counter(row["Google_location"].split("_")[0] for row in rows) == {"19": 7, "20": 28}
    assert len({row["Google_location"] for row in rows}) == 35
    for row in rows:
        tile = Tile.parse(row["Google_location"])
        shown = np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])))
        assert (shown == np.asarray(Image.open(there[tile.name]).convert("RGB"))).all()
        assert patches[int(row["img_name"].split(".")[0])]["scene"] == tile.name
        assert 0 < row["img_quality_score"] <= 10
        assert row["caption_length"] == len(row["caption"].split())
        assert row["resolution"] == 2.0 ** (17 - tile.z)
        assert row["ground_resolution"] == pytest.approx(tile.gsd(), rel=0.007)
        assert (row["longitude"], row["latitude"]) == pytest.approx(tile.centre, abs=1e-7)
        assert "house" in row["caption"].lower()
    _check_datasets(files, rows)


def _check_datasets(files: list[str], rows: list[dict[str, Any]]) -> None:
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset("parquet", data_files=files, split="train")
    assert [row["Google_location"] for row in loaded] == [row["Google_location"] for row in rows]
    assert all(row["image"].size == (256, 256) for row in loaded)


def _source(config: dict[str, Any], folder: Path) -> TilesSource:
    """Samples, looked at and ready."""
    whole = Config.model_validate(config)
    assert isinstance(whole.samples, TilesSamples)
    return TilesSource.of(whole, whole.samples).ready(folder, Console(quiet=True))


def test_drawn_by_the_density_of_the_map(folder: Path, tmp_path: Path) -> None:
    """Every drawn tile meets a cell in which a label has its middle; without a region that of the files is taken."""
    draw = {"tiles": 12, "weights": {"kind": "map", "cell": 0.0005}}
    source = _source(_config(folder, zooms=[20], draw=draw), tmp_path)
    assert source.info["tiles"] == {"20": 12}
    boxes = pq.read_table(next(tmp_path.glob("elements-*.parquet")))["bbox"].combine_chunks()
    west, south, east, north = (boxes.field(side).to_numpy() for side in ("xmin", "ymin", "xmax", "ymax"))
    middles = np.floor(np.stack([west + east, south + north], axis=1) / 2 / 0.0005) * 0.0005
    dense = shapely.union_all(shapely.box(*middles.T, *(middles + 0.0005).T))
    (unit,) = source.units
    assert all(dense.intersects(shapely.box(*Tile(20, x, y).bounds)) for x, y in unit.places.tolist())


def test_drawn_from_a_server_without_a_region(folder: Path, tmp_path: Path) -> None:
    """Cells are all over the world; only tiles with something to tell are asked for, and those told are there."""
    cells = tmp_path / "cells.csv"
    cells.write_text("west,south,east,north,weight\n32.589,0.348,32.596,0.352,9\n-10,-10,10,10,1\n")
    config = _config(folder, zooms=[19, 20], draw={"tiles": 40, "weights": {"kind": "cells", "path": str(cells)}})
    with TileServer(kampala(folder.parents[1])) as server:
        del config["samples"]["imagery"]["path"]
        config["samples"]["imagery"]["url"] = server.template
        source = _source(config, tmp_path)
        looks = [source.look(unit) for unit in source.units]
        assigned = [each for look in looks for each in look.assignments]
        rows = {
            row["patch_id"]: row
            for look in looks
            for row in look.patch_rows({each.patch_id: "captioned" for each in assigned})
        }
        told = [rows[each.patch_id] for each in assigned]
        pictures = [source.pictures().read(row) for row in told]
    assert sorted(rows) == list(range(80))
    assert source.info["tiles"] == {"19": 40, "20": 40}
    assert len(told) >= 5
    assert {asked.path for asked in server.asked} >= {"/{}/{}/{}.png".format(*row["scene"].split("_")) for row in told}
    for row, picture in zip(told, pictures, strict=True):
        z, x, y = row["scene"].split("_")
        assert (picture == np.asarray(Image.open(folder / f"OAM-{x}-{y}-{z}.png").convert("RGB"))).all()


@pytest.mark.parametrize("tile", [Tile(20, 600000, 300000), Tile(12, 1000, 700), Tile(9, 300, 130), Tile(3, 5, 2)])
def test_a_row_has_the_gsd_of_its_tiles(folder: Path, tile: Tile) -> None:
    imagery = TilesSamples.model_validate(_config(folder)["samples"]).imagery
    across, down = row_of(imagery, tile).gsd
    assert (across * down) ** 0.5 == pytest.approx(tile.gsd(), rel=1e-3 if tile.z < 6 else 1e-6)


def _cells(*boxes: tuple[float, float, float, float, float]) -> Cells:
    values = np.array(boxes)
    return Cells(values[:, :4], values[:, 4])


def test_more_tiles_are_the_same_and_others() -> None:
    few, many = (draw_tiles(Cells.even(KAMPALA), KAMPALA, 19, number, 3) for number in (5, 12))
    assert (many[:5] == few).all()
    assert len({tuple(place) for place in many.tolist()}) == 12
    assert not np.array_equal(few, draw_tiles(Cells.even(KAMPALA), KAMPALA, 19, 5, 4))
    assert not np.array_equal(few, draw_tiles(Cells.even(KAMPALA), KAMPALA, 20, 5, 3) >> 1)


def test_no_more_than_there_are() -> None:
    drawn = draw_tiles(Cells.even(KAMPALA), KAMPALA, 17, 1000, 3)
    inside = [
        (tile.x, tile.y)
        for x in range(77400, 77450)
        for y in range(65370, 65450)
        if (tile := Tile(17, x, y)) and KAMPALA.contains(shapely.Point(tile.centre))
    ]
    assert sorted(map(tuple, drawn.tolist())) == sorted(inside)


def test_weights_are_met() -> None:
    """A cell of three times the weight has three times the tiles, as long as tiles are plenty."""
    cells = _cells((0, 0, 1, 1, 1), (50, 50, 51, 51, 3), (90, 0, 91, 1, 0))
    drawn = draw_tiles(cells, shapely.box(-180, -85, 180, 85), 20, 4000, 1)
    east = drawn[:, 0] > Tile.at(40, 0, 20).x
    assert east.mean() == pytest.approx(0.75, abs=0.03)
    assert (drawn[:, 0] < Tile.at(80, 0, 20).x).all()


def test_even_means_over_the_ground() -> None:
    """On the globe half of it lies within 30° of the equator; Mercator's tiles would have it otherwise."""
    world = shapely.box(-180, -85.0511287, 180, 85.0511287)
    drawn = draw_tiles(Cells.even(world), world, 17, 4000, 1)
    rows = drawn[:, 1]
    assert ((rows > Tile.at(0, 30, 17).y) & (rows < Tile.at(0, -30, 17).y)).mean() == pytest.approx(0.5, abs=0.03)


def test_order_keeps_rows_together() -> None:
    places: Places = np.array([[65, 3], [2, 3], [64, 0], [1, 3], [0, 64]])
    assert in_order(places, 6).tolist() == [[1, 3], [2, 3], [64, 0], [65, 3], [0, 64]]
    assert all(a != b for a, b in pairwise(in_order(places, 6).tolist()))


def _raster(path: Path, values: list[list[float]], **more: Any) -> Path:
    pixels = np.array(values, dtype=np.float32)
    rows, cols = pixels.shape
    place = from_bounds(10, 50, 10 + cols, 50 + rows, cols, rows)
    profile = {
        "driver": "GTiff", "height": rows, "width": cols, "count": 1, "dtype": "float32", "nodata": -9,
        "crs": "EPSG:4326", "transform": place, **more,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(pixels, 1)
    return path


def test_raster_of_people(tmp_path: Path) -> None:
    path = _raster(tmp_path / "people.tif", [[7, -9, np.nan], [0, 2, -3]])
    cells = RasterWeights(kind="raster", path=path, amounts=True).cells(shapely.box(0, 0, 90, 90))
    assert cells.boxes.tolist() == [[10, 51, 11, 52], [11, 50, 12, 51]]
    assert cells.weights.tolist() == [7, 2]
    part = RasterWeights(kind="raster", path=path, amounts=True).cells(shapely.box(11.2, 50.2, 11.4, 50.4))
    assert part.boxes.tolist() == [[11, 50, 12, 51]]
    assert not len(RasterWeights(kind="raster", path=path).cells(shapely.box(0, 0, 1, 1)).weights)


def test_raster_of_land_cover(tmp_path: Path) -> None:
    """Classes weigh by their ground, which shrinks towards the pole."""
    path = _raster(tmp_path / "cover.tif", [[50, 10], [50, 80]])
    cells = RasterWeights(kind="raster", path=path, classes={50: 2, 10: 1}).cells(shapely.box(0, 0, 90, 90))
    assert cells.boxes[:, :2].tolist() == [[10, 51], [11, 51], [10, 50]]
    assert cells.weights / cells.weights[1] == pytest.approx(
        [2, 1, 2 * np.cos(np.radians(50.5)) / np.cos(np.radians(51.5))], rel=1e-6
    )


def test_raster_in_metres_is_refused(tmp_path: Path) -> None:
    path = _raster(tmp_path / "metres.tif", [[1, 1]], crs="EPSG:3857")
    with pytest.raises(PipelineError, match=r"not in degrees.*gdalwarp"):
        RasterWeights(kind="raster", path=path).cells(KAMPALA)
    with pytest.raises(PipelineError, match="cannot be read"):
        RasterWeights(kind="raster", path=tmp_path / "none.tif").cells(KAMPALA)


def test_table_of_cells(tmp_path: Path) -> None:
    file = tmp_path / "cells.csv"
    file.write_text("name,west,south,east,north,weight\na,1,2,3,4,5\nb,6,7,8,9,0\n")
    cells = CellWeights(kind="cells", path=file).cells(KAMPALA)
    assert cells.boxes.tolist() == [[1, 2, 3, 4], [6, 7, 8, 9]]
    assert cells.near(shapely.box(0, 0, 20, 20)).weights.tolist() == [5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("west,south,east,north\n1,2,3,4\n", "is no CSV of numbers with the columns"),
        ("west,south,east,north,weight\n1,2,3,x,1\n", "is no CSV of numbers"),
        ("west,south,east,north,weight\n1,2,3,4,1\n3,2,1,4,1\n", "line 3: west 3, south 2, east 1"),
        ("west,south,east,north,weight\n1,2,3,4,-1\n", "line 2: .*weight -1"),
        ("west,south,east,north,weight\n1,2,3,4,\n", "line 2: .*weight nan"),
        ("", "is no CSV"),
    ],
)
def test_wrong_tables(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "cells.csv"
    file.write_text(content)
    with pytest.raises(PipelineError, match=message):
        CellWeights(kind="cells", path=file).cells(KAMPALA)


def test_zooms(tmp_path: Path) -> None:
    samples = _config(tmp_path)["samples"]
    assert TilesSamples.model_validate(samples).imagery.zoom == (19, 20)
    again = TilesSamples.model_validate(samples).model_dump(mode="json")
    assert TilesSamples.model_validate(again) == TilesSamples.model_validate(samples)
    with pytest.raises(ValidationError, match=r"imagery\.zoom is said by zooms"):
        TilesSamples.model_validate({**samples, "imagery": {**samples["imagery"], "zoom": 18}})
    with pytest.raises(ValidationError, match="names a zoom twice"):
        TilesSamples.model_validate({**samples, "zooms": [19, 19]})
    with pytest.raises(ValidationError, match="zooms"):
        TilesSamples.model_validate({**samples, "zooms": []})
    assert Draw(tiles=3).weights is None

"""Real tiles of Kampala at zoom 20 and the buildings that OpenStreetMap has there, from files and through a storm."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from rasterio.features import rasterize
from rasterio.transform import Affine

from download.imagery.tiles.cover import Extent
from download.imagery.tiles.scheme import Tile
from download.imagery.xyz import XyzImagery
from download.osm.labels import OURS, LabelMap
from download.scene import Window
from tests.conftest import CommandLine
from tests.stand_in import Faults
from tests.tile_server import TileServer, kampala

FIRST = Tile(20, 619212, 523264)
REACH = 40
"""Pixels, six metres."""


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def folder(shared_data: Path) -> Path:
    return shared_data / "tiles" / "kampala"


def tiles(folder: Path) -> dict[str, Any]:
    return {
        "kind": "xyz",
        "path": str(folder / "OAM-{x}-{y}-{z}.png"),
        "zoom": 20,
        "source": "OpenAerialMap",
        "attribution": "OpenAerialMap contributors",
        "terms": "https://openaerialmap.org",
        "most_missing": 0.05,
    }


def test_buildings_lie_where_the_labels_say(folder: Path) -> None:
    """Outlines, moved over the pictures, fit best within a metre of their places: for all 7 blocks of 2 x 2 tiles.

    The fit is the sum of the picture's gradient under the outlines, for each way of moving them by whole pixels.
    """
    imagery = XyzImagery.model_validate(tiles(folder))
    (scene,) = imagery.scenes()
    labels = gpd.read_file(folder / "labels.geojson").to_crs(3857).boundary.buffer(0.3)
    blocks = [tile for tile in kampala(folder.parents[1]) if tile.z == 19]
    assert len(blocks) == 7
    for block in blocks:
        window = Window(256 * (2 * block.x - FIRST.x), 256 * (2 * block.y - FIRST.y), 512, 512)
        left, _, _, top = block.box
        place = Affine(scene.transform[0], 0, left, 0, scene.transform[4], top)
        outlines = rasterize(labels, (512, 512), transform=place).astype(float)
        moved = _fit(_edges(imagery.read(scene, window, 512)), outlines)
        assert np.hypot(*moved) * scene.gsd[0] < 1


def _edges(pixels: NDArray[np.uint8]) -> NDArray[Any]:
    grey = np.asarray(Image.fromarray(pixels).convert("L").filter(ImageFilter.GaussianBlur(2)), dtype=float)
    strength = np.hypot(*np.gradient(grey))
    strength = np.minimum(strength, np.percentile(strength, 95))
    return np.asarray(strength - strength.mean())


def _fit(edges: NDArray[Any], outlines: NDArray[Any]) -> tuple[int, int]:
    """Rows and columns by which the outlines have to be moved (by correlation, through Fourier's transform)."""
    fits = np.fft.irfft2(np.fft.rfft2(edges) * np.conj(np.fft.rfft2(outlines)))
    near = np.roll(fits, (REACH, REACH), (0, 1))[: 2 * REACH + 1, : 2 * REACH + 1]
    row, col = np.unravel_index(near.argmax(), near.shape)
    return int(row) - REACH, int(col) - REACH


def test_labels_without_ids_get_lasting_ones(folder: Path) -> None:
    """105 of the 206 outlines have no OSM id; the others keep theirs."""
    path = folder / "labels.geojson"
    extract = LabelMap.model_validate({"kind": "labels", "path": path, "tags": {"building": True}}).on_disk()
    extract.check()
    table = pq.read_table(extract.path).to_pandas()
    said = {each["properties"]["osm_id"] for each in json.loads(path.read_text())["features"]} - {None}
    numbers = table["id"].str.removeprefix("way/").astype(int)
    assert len(table) == table["id"].nunique() == 206
    assert set(numbers[numbers < OURS]) == said
    assert (numbers >= OURS).sum() == 105
    assert set(table["tags"]) == {'{"building": "yes"}'}


def test_captions_of_houses_and_their_counts(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 28 tiles are captioned; counts are those of the outlines in the tile; a storm changes no byte of a shard."""
    config: dict[str, Any] = {
        "name": "kampala",
        "seed": 7,
        "samples": {
            "kind": "grid",
            "imagery": tiles(folder),
            "osm": {"kind": "labels", "path": str(folder / "labels.geojson"), "tags": {"building": "house"}},
            "patch": {"size": 256},
        },
        "captions": {"engines": [{"kind": "grammar"}]},
        "output": {"kind": "webdataset"},
        "workers": 1,
    }
    calm = _run(config, tmp_path / "calm")
    _check_counts(calm, folder)
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path / "another"))
    with TileServer(kampala(folder.parents[1]), Faults(0.3, seed=2, hang_s=0.6)) as server:
        del config["samples"]["imagery"]["path"]
        config["samples"]["imagery"] |= {
            "url": server.template,
            "concurrency": 4,
            "patience": {"tries": 12, "first_wait_s": 0.01, "longest_wait_s": 0.05, "timeout_s": 0.5},
        }
        config["region"] = Extent(20, FIRST.x, FIRST.y, FIRST.x + 18, FIRST.y + 10).bounds
        stormy = _run(config, tmp_path / "stormy")
        assert sum(server.failed.values()) >= 5
    assert _shards(stormy) == _shards(calm)


def _run(config: dict[str, Any], out: Path) -> Path:
    file = out.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(json.loads(json.dumps(config))))
    CommandLine()("run", file, "--out", out)
    return out


def _shards(out: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (out / "shards").glob("*.tar")}


def _rows(out: Path, part: str) -> list[dict[str, Any]]:
    return [row for file in sorted((out / part).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def _check_counts(out: Path, folder: Path) -> None:
    patches = {row["patch_id"]: row for row in _rows(out, "patches")}
    captioned = {patch_id for patch_id, row in patches.items() if row["status"] == "captioned"}
    told: dict[int, int] = {}
    for row in _rows(out, "elements"):
        if row["told"]:
            told[row["patch_id"]] = told.get(row["patch_id"], 0) + json.loads(row["facts"]).get("count", 1)
    outlines = shapely.make_valid(np.asarray(gpd.read_file(folder / "labels.geojson").geometry))
    assert len(captioned) == 28
    for patch_id in captioned:
        metadata = json.loads(patches[patch_id]["metadata"])
        west, south, east, north = metadata["bounds"]
        tile = Tile.at((west + east) / 2, (south + north) / 2, 20)
        here = shapely.intersects(outlines, shapely.box(*tile.bounds)).sum()
        assert 0 < told[patch_id] <= here
        assert metadata["bounds"] == pytest.approx(tile.bounds, abs=1e-7)
        assert "OpenAerialMap contributors" in metadata["attribution"]
        assert "https://openaerialmap.org" in metadata["licence"]
    groups = [count for count in told.values() if count > 1]
    assert len(groups) >= 10
    texts = [row["text"] for row in _rows(out, "captions")]
    assert len(texts) == 56
    assert all("house" in text.lower() for text in texts)
    assert any("Nine houses" in text for text in texts)

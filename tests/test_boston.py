"""The main job on real imagery and a real map: three tiles of Boston."""

import io
from pathlib import Path

import numpy as np
import osmium
import pytest
import rasterio
from PIL import Image

from tests.conftest import CommandLine
from tests.run_folder import run_info, samples

HARBOUR = {18, 22, 26, 30}
"""Patches that show nothing but water; two road tunnels and a railway tunnel run below them."""


@pytest.fixture(scope="module")
def boston(shared_data: Path, tmp_path_factory: pytest.TempPathFactory, mapteller: CommandLine) -> Path:
    """A run over the three tiles."""
    folder = tmp_path_factory.mktemp("boston")
    config = folder / "boston.yaml"
    config.write_text(f"""
name: boston
samples:
  kind: grid
  imagery: {{kind: local, path: "{shared_data / "boston" / "*.tif"}"}}
  osm: {{kind: extract, path: "{shared_data / "boston" / "boston.osm.pbf"}"}}
  patch: {{size: 224, gsd: 1.4648, stride: 1.0, keep: 1.0}}
captions:
  tasks: {{area: 0.6, non_area: 0.4, revision: 1}}
output: {{kind: webdataset, samples_per_shard: 20, image: png}}
workers: 2
""")
    mapteller("run", config, "--out", folder / "run")
    return folder / "run"


def _not_there(extract: Path) -> dict[str, set[str]]:
    """Ways that nobody can see, by plain reading: below ground, proposed, abandoned."""
    found: dict[str, set[str]] = {"below ground": set(), "proposed": set(), "abandoned": set()}
    for way in osmium.FileProcessor(str(extract), osmium.osm.WAY):
        tags = dict(way.tags)
        layer = tags.get("layer", "0")
        below = layer.lstrip("-").isdigit() and int(layer) < 0 and tags.get("bridge", "no") == "no"
        if tags.get("tunnel", "no") != "no" or tags.get("location") == "underground" or below:
            found["below ground"].add(f"way/{way.id}")
        for word in ("proposed", "abandoned"):
            if word in (tags.get("highway"), tags.get("railway")):
                found[word].add(f"way/{way.id}")
    return found


def test_counts(boston: Path) -> None:
    info = run_info(boston)
    assert info["scenes"] == 3
    assert info["counts"]["laid"] == 48
    assert info["counts"]["captioned"] == info["counts"]["captions"] / 2 == info["counts"]["read"]
    assert info["counts"].get("rejected", 0) == 0


def test_pixels_are_the_files_own(boston: Path, shared_data: Path) -> None:
    for sample in samples(boston):
        patch_id = sample["metadata"]["patch_id"]
        with rasterio.open(shared_data / "boston" / f"{sample['metadata']['image_name']}.tif") as scene:
            row, column = divmod(patch_id % 16, 4)
            window = np.moveaxis(scene.read(), 0, 2)[row * 224 : row * 224 + 224, column * 224 : column * 224 + 224]
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(sample["picture"]))), window)


def test_nothing_below_ground_proposed_or_abandoned_is_told(boston: Path, shared_data: Path) -> None:
    hidden = _not_there(shared_data / "boston" / "boston.osm.pbf")
    assert len(hidden["below ground"]) >= 77
    assert len(hidden["proposed"]) == 15
    assert len(hidden["abandoned"]) == 3
    told = {element["id"] for sample in samples(boston) for element in sample["elements"]}
    asked = {element for sample in samples(boston) for note in sample["annotations"] for element in note["elements"]}
    for reason, ways in hidden.items():
        assert not ways & (told | asked), reason


def test_the_harbour_stays_without_roads(boston: Path) -> None:
    assert not HARBOUR & {sample["metadata"]["patch_id"] for sample in samples(boston)}


def test_every_patch_with_something_long_enough_has_a_caption_and_a_revision(boston: Path, shared_data: Path) -> None:
    """Roads from residential street up, clipped by plain shapely: each patch with one of 0.3 sides has captions."""
    import shapely
    from pyproj import Transformer

    roads = {"residential", "tertiary", "secondary", "primary", "trunk", "motorway"}
    project = Transformer.from_crs("EPSG:4326", "EPSG:26986", always_xy=True)
    hidden = set().union(*_not_there(shared_data / "boston" / "boston.osm.pbf").values())
    lines = []
    for way in osmium.FileProcessor(str(shared_data / "boston" / "boston.osm.pbf")).with_locations():
        if not isinstance(way, osmium.osm.Way) or way.tags.get("highway") not in roads or f"way/{way.id}" in hidden:
            continue
        points = [project.transform(node.lon, node.lat) for node in way.nodes if node.location.valid()]
        if len(points) > 1 and way.tags.get("indoor", "no") == "no" and way.tags.get("covered", "no") == "no":
            lines.append(shapely.LineString(points))
    captioned = {sample["metadata"]["patch_id"]: len(sample["annotations"]) for sample in samples(boston)}
    names = sorted(file.stem for file in (shared_data / "boston").glob("*.tif"))
    for number, name in enumerate(names):
        with rasterio.open(shared_data / "boston" / f"{name}.tif") as scene:
            for place in range(16):
                row, column = divmod(place, 4)
                left, top = scene.transform @ (column * 224, row * 224)
                right, bottom = scene.transform @ (column * 224 + 224, row * 224 + 224)
                longest = max(line.intersection(shapely.box(left, bottom, right, top)).length for line in lines)
                if longest > 0.301 * (right - left):
                    assert captioned.get(number * 16 + place) == 2, (name, place)

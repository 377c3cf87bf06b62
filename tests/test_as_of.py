"""Only what stood when the picture was taken is told."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pytest
import rasterio
import yaml
from osmium.osm import mutable
from pyproj import Transformer

from tests.conftest import CommandLine
from tests.run_folder import run_info, samples

LEFT, TOP, SIDE = 500_000.0, 4_700_000.0, 600.0
Version = tuple[int, int, dict[str, str], tuple[float, float, float, float]]
"""Way id, year, tags, and left, bottom, right, top as shares of the picture."""


def _picture(folder: Path) -> Path:
    file = folder / "picture.tif"
    profile = {"driver": "GTiff", "width": 600, "height": 600, "count": 3, "dtype": "uint8", "crs": "EPSG:26915"}
    with rasterio.open(file, "w", **profile, transform=rasterio.Affine(1, 0, LEFT, 0, -1, TOP)) as target:
        target.write(np.random.default_rng(1).integers(0, 255, (3, 600, 600), dtype=np.uint8))
    return file


def _map(file: Path, versions: Sequence[Version], *, history: bool = False) -> Path:
    """Squares, each with nodes of its own; of a history, versions of a way count up."""
    to_degrees = Transformer.from_crs("EPSG:26915", "EPSG:4326", always_xy=True)
    header = osmium.io.Header()
    header.has_multiple_object_versions = history
    nodes, ways, counts = [], [], dict[int, int]()
    for place, (way, year, tags, (left, bottom, right, top)) in enumerate(versions):
        corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
        moment = datetime(year, 6, 1, tzinfo=UTC)
        ids = [place * 4 + number + 1 for number in range(4)]
        for number, (x, y) in zip(ids, corners, strict=True):
            location = to_degrees.transform(LEFT + x * SIDE, TOP - (1 - y) * SIDE)
            nodes.append(mutable.Node(id=number, version=1, visible=True, timestamp=moment, location=location))
        counts[way] = counts.get(way, 0) + 1
        ways.append(
            mutable.Way(id=way, version=counts[way], visible=True, timestamp=moment, nodes=[*ids, ids[0]], tags=tags)
        )
    with osmium.SimpleWriter(str(file), header=header) as writer:
        for node in nodes:
            writer.add_node(node)
        for made in sorted(ways, key=lambda made: (made.id, made.version)):
            writer.add_way(made)
    return file


def _config(folder: Path, extract: Path, **samples_keys: Any) -> Path:
    file = folder / "config.yaml"
    config = {
        "name": "as of",
        "samples": {
            "kind": "grid",
            "imagery": {"kind": "local", "path": str(_picture(folder)), "acquired": "2018-07-01"},
            "osm": {"kind": "extract", "path": str(extract)},
            "patch": {"size": 600},
            **samples_keys,
        },
        "output": {"kind": "webdataset"},
        "workers": 1,
    }
    file.write_text(yaml.safe_dump(config))
    return file


def _told(folder: Path) -> dict[str, str]:
    return {element["id"]: element["facts"]["noun"] for sample in samples(folder) for element in sample["elements"]}


PLAIN: list[Version] = [
    (1, 2015, {"landuse": "forest"}, (0.1, 0.1, 0.5, 0.5)),
    (2, 2020, {"landuse": "meadow"}, (0.5, 0.1, 0.9, 0.5)),
    (3, 2015, {"natural": "water", "start_date": "2019"}, (0.1, 0.5, 0.5, 0.9)),
    (4, 2015, {"landuse": "orchard", "end_date": "2017-03"}, (0.5, 0.5, 0.9, 0.9)),
]


def test_later_and_gone_elements_are_left_out_and_counted(tmp_path: Path, mapteller: CommandLine) -> None:
    config = _config(tmp_path, _map(tmp_path / "m.osm.pbf", PLAIN))
    mapteller("run", config, "--out", tmp_path / "run")
    assert set(_told(tmp_path / "run")) == {"way/1"}
    assert run_info(tmp_path / "run")["counts"]["newer"] == 3


def test_the_extract_as_it_is_on_request(tmp_path: Path, mapteller: CommandLine) -> None:
    config = _config(tmp_path, _map(tmp_path / "m.osm.pbf", PLAIN), as_of="extract")
    mapteller("run", config, "--out", tmp_path / "run")
    assert set(_told(tmp_path / "run")) == {"way/1", "way/2", "way/3", "way/4"}


HISTORY: list[Version] = [
    (1, 2010, {"landuse": "forest"}, (0.1, 0.1, 0.5, 0.9)),
    (1, 2016, {"landuse": "meadow"}, (0.1, 0.1, 0.7, 0.9)),
    (1, 2020, {"landuse": "residential"}, (0.1, 0.1, 0.9, 0.9)),
    (2, 2019, {"natural": "water"}, (0.7, 0.1, 0.9, 0.9)),
]


def test_a_history_gives_the_state_of_the_day(tmp_path: Path, mapteller: CommandLine) -> None:
    history = _map(tmp_path / "m.osh.pbf", HISTORY, history=True)
    config = _config(tmp_path, history)
    said = mapteller("run", config, "--out", tmp_path / "run").stdout
    assert _told(tmp_path / "run") == {"way/1": "meadow"}
    (sample,) = samples(tmp_path / "run")
    assert sample["elements"][0]["facts"]["share"] == pytest.approx(0.48, abs=0.001)
    assert "appeared later" in said
    mapteller("run", config, "--out", tmp_path / "later", "--set", "samples.imagery.acquired=2021-01-01")
    later = _told(tmp_path / "later")
    assert set(later) == {"way/1", "way/2"}
    assert later["way/1"] == "residential area"


def test_a_history_needs_a_day(tmp_path: Path, mapteller: CommandLine) -> None:
    config = _config(tmp_path, _map(tmp_path / "m.osh.pbf", HISTORY, history=True))
    undated = mapteller("run", config, "--out", tmp_path / "a", "--set", "samples.imagery.acquired=null", code=1)
    assert "Set samples.imagery.acquired" in undated.stderr
    plain = mapteller("run", config, "--out", tmp_path / "b", "--set", "samples.as_of=extract", code=1)
    assert "samples.as_of: picture" in plain.stderr

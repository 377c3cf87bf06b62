"""In which country, county and town a patch lies."""

from pathlib import Path

import numpy as np
import pytest

from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from pipeline.elements import write_elements
from pipeline.place import places
from tests.conftest import CommandLine, WriteConfig
from tests.run_folder import samples


@pytest.fixture(scope="module")
def liechtenstein(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("map") / "elements.parquet"
    write_elements(OsmExtract(path=shared_data / "osm" / "liechtenstein.osm.pbf"), TagTable.load(), target)
    return target


def test_largest_first(liechtenstein: Path) -> None:
    town = [9.52, 47.137, 9.523, 47.139]
    border = [9.4, 47.0, 9.41, 47.01]
    north = [9.526, 47.238, 9.53, 47.242]
    assert places(liechtenstein, np.array([town, border, north])) == [
        ["Liechtenstein", "Oberland", "Vaduz"],
        [],
        ["Liechtenstein", "Unterland", "Ruggell"],
    ]
    assert places(liechtenstein, np.zeros((0, 4))) == []


def test_place_is_metadata_and_prompts_hold_it_on_request(
    write_config: WriteConfig, small_scenes: Path, tmp_path: Path, mapteller: CommandLine
) -> None:
    config = write_config(imagery=small_scenes / "a00.tif")
    mapteller("run", config, "--out", tmp_path / "run")
    named = {tuple(sample["metadata"]["place"]) for sample in samples(tmp_path / "run")}
    (place,) = named
    assert place
    line = f"Where: {', '.join(reversed(place))}"
    assert line in mapteller("preview", config, "-n", 1, "--set", "captions.place=true").stdout
    assert "Where:" not in mapteller("preview", config, "-n", 1).stdout

"""What the configuration accepts, and what it says about the rest."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from download.imagery.local import LocalImagery
from download.osm.extract import OsmExtract
from pipeline.config import ConfigError, GridSamples, load_config

GOOD: dict[str, Any] = {
    "name": "n",
    "seed": 1,
    "samples": {
        "kind": "grid",
        "imagery": {"kind": "local", "path": "imagery/*.tif"},
        "osm": {"kind": "extract", "path": "m.osm.pbf"},
        "patch": {"size": 224},
    },
    "captions": {"tasks": {"area": 1, "non_area": 0, "revision": 2}, "engines": [{"kind": "grammar", "name": "g"}]},
    "output": {"kind": "webdataset"},
}


def _write(folder: Path, change: dict[str, Any] | None = None) -> Path:
    file = folder / "c.yaml"
    file.write_text(yaml.safe_dump({**GOOD, **(change or {})}))
    return file


def test_paths_start_at_the_configuration(tmp_path: Path) -> None:
    config = load_config(_write(tmp_path))
    assert isinstance(config.samples, GridSamples)
    assert isinstance(config.samples.osm, OsmExtract)
    assert isinstance(config.samples.imagery, LocalImagery)
    assert config.samples.osm.path == tmp_path / "m.osm.pbf"
    assert config.samples.imagery.path == tmp_path / "imagery/*.tif"


def test_set_reaches_everything(tmp_path: Path) -> None:
    overrides = ["captions.engines.0.name=other", "samples.patch.size=96", "region=[7, 46, 8, 47]", "workers=3"]
    config = load_config(_write(tmp_path), overrides)
    assert config.captions.engines[0].name == "other"
    assert isinstance(config.samples, GridSamples)
    assert (config.samples.patch.size, config.region, config.workers) == (96, (7, 46, 8, 47), 3)


@pytest.mark.parametrize(
    "name",
    [
        "ablation.yaml",
        "demo.yaml",
        "gaia.yaml",
        "git10m.yaml",
        "local.yaml",
        "rsteller_gee.yaml",
        "rsteller_stac.yaml",
        "xyz.yaml",
    ],
)
def test_shipped_configurations_are_understood(name: str) -> None:
    assert load_config(Path(__file__).parents[1] / "configs" / name).name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sampels": {}}, r"sampels: unknown key; did you mean 'samples'\?"),
        (
            {"samples": {**GOOD["samples"], "patch": {"sise": 3}}},
            r"samples.patch.sise: unknown key; did you mean 'size'",
        ),
        (
            {"samples": {**GOOD["samples"], "patch": {"zzz": 3}}},
            r"samples.patch.zzz: unknown key; known are gsd, keep, size, stride",
        ),
        ({"captions": {"engines": [{"kind": "grammar", "nmae": "x"}]}}, r"nmae: unknown key; did you mean 'name'"),
        ({"seed": "seven"}, r"seed: .*integer.*'seven'"),
        (
            {"samples": {**GOOD["samples"], "imagery": {"kind": "balloon", "path": "x"}}},
            r"samples.imagery: no kind 'balloon'; there are .*'local'",
        ),
        ({"output": {"kind": "floppy"}}, r"output: no kind 'floppy'; there are .*'webdataset'"),
        ({"output": {}}, r"output: has no kind"),
        ({"captions": {"tasks": {"area": 0, "non_area": 0}}}, r"captions.tasks: .*all 0"),
        ({"captions": {"engines": []}}, r"captions.engines: .*at least 1"),
        ({"captions": {"engines": [{"kind": "grammar"}, {"kind": "grammar"}]}}, r"two engines are called 'grammar'"),
    ],
)
def test_wrong_configurations_say_what_is_wrong(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(_write(tmp_path, change))


@pytest.mark.parametrize(
    "override", ["seed", "=3", "captions.engines.7.name=x", "name.first=x", "captions.engines.x=1"]
)
def test_wrong_overrides(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigError, match=r"--set"):
        load_config(_write(tmp_path), [override])


def test_no_file_no_yaml_no_keys(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read.*mapteller init"):
        load_config(tmp_path / "nowhere.yaml")
    for content in ("a: [1", "- 1\n- 2", ""):
        (tmp_path / "c.yaml").write_text(content)
        with pytest.raises(ConfigError, match=r"is no YAML|holds no keys"):
            load_config(tmp_path / "c.yaml")

"""What many tests need: real data, a synthetic county, and runs of the command line."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rasterio
import yaml
from rasterio.windows import Window, transform

from download.sample import SampleCounty, make_county
from tests.vllm_here import ENVIRONMENT

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
PATIENCE_S = 400


LONG = (
    "test_boston_vllm.py",
    "test_run.py",
    "test_sources.py",
    "test_vllm.py",
    "test_skyscript_vllm.py",
    "test_bad_input.py",
)
"""Files that take minutes and come first, so that nobody waits for them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long files first."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache that no other test fills."""
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def one_thread_engines() -> Iterator[None]:
    """vLLM as tests run it."""
    with pytest.MonkeyPatch.context() as patch:
        for key, value in ENVIRONMENT.items():
            patch.setenv(key, value)
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real imagery, OSM and captions; not part of the project, so tests that need it may skip."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data is missing: {SHARED_DATA} is no folder")
    return SHARED_DATA


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> SampleCounty:
    """The demo's county, made once."""
    return make_county(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="session")
def small_scenes(county: SampleCounty, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 24 scenes of 448 x 448 pixels, cut from the county: many units of little work."""
    folder = tmp_path_factory.mktemp("scenes")
    for letter, raster in zip("ab", county.rasters, strict=True):
        with rasterio.open(raster) as source:
            for place in range(12):
                window = Window(448 * (place % 4), 448 * (place // 4), 448, 448)
                profile = {
                    **source.profile,
                    "alpha": "unspecified",
                    "width": 448,
                    "height": 448,
                    "transform": transform(window, source.transform),
                }
                with rasterio.open(folder / f"{letter}{place:02d}.tif", "w", **profile) as target:
                    target.write(source.read(window=window))
    return folder


class CommandLine:
    """Runs `mapteller` as people do: in a process of its own."""

    def __init__(self) -> None:
        self.environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """A running command, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment, start_new_session=True,
        )  # fmt: skip

    def __call__(self, *arguments: object, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        """A finished command, which must have ended with this exit code."""
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        if code is not None:
            assert process.returncode == code, f"exit code {process.returncode}, not {code}\n{out}\n{err}"
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture(scope="session")
def mapteller() -> CommandLine:
    """The command line."""
    return CommandLine()


WriteConfig = Callable[..., Path]


@pytest.fixture
def write_config(tmp_path: Path, county: SampleCounty) -> WriteConfig:
    """Writes a configuration; keywords replace parts of it, dots written as double underscores."""

    def write(imagery: Path | None = None, osm: Path | None = None, **changes: Any) -> Path:
        config: dict[str, Any] = {
            "name": "test",
            "seed": 3,
            "samples": {
                "kind": "grid",
                "imagery": {"kind": "local", "path": str(imagery or county.folder / "m_*.tif")},
                "osm": {"kind": "extract", "path": str(osm or county.extract)},
                "patch": {"size": 224, "gsd": 0.6},
            },
            "captions": {"engines": [{"kind": "grammar"}]},
            "output": {"kind": "webdataset", "samples_per_shard": 16},
            "workers": 2,
        }
        for key, value in changes.items():
            place = config
            *parents, last = key.split("__")
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(config))
        return file

    return write

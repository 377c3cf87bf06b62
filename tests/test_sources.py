"""The same ground through every source, in whole runs: same pixels, same captions, nothing fetched twice or told."""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from rasterio.windows import Window, transform

from download.imagery.local import LocalImagery
from download.imagery.tiles.scheme import Tile
from download.sample import SampleCounty
from pipeline.config import load_config
from tests.conftest import CommandLine
from tests.ee_server import EarthEngine, Image
from tests.run_folder import run_info, samples, shard_digests
from tests.stac_server import StacServer, as_cog
from tests.stand_in import Answer, Asked, Faults, StandIn
from tests.tile_server import TileServer, cut, ground

CONFIGS = Path(__file__).parents[1] / "configs"
TAKEN = "2021-09-14T15:42:00Z"
SCENES = 6
SIDE = 448
NAIP = {"source": "naip", "licence": "of the pictures", "attribution": "their makers"}
QUICK = {"tries": 12, "first_wait_s": 0.01, "longest_wait_s": 0.05, "timeout_s": 10}
HURRIED = {**QUICK, "timeout_s": 0.5}

SECRET = "NobodyMaySeeThis"
UNUSED = {"EARTHENGINE_TOKEN": f'{{"refresh_token": "{SECRET}"}}', "PC_SDK_SUBSCRIPTION_KEY": f"{SECRET}-key"}
CREDENTIALS = (
    "EARTHENGINE_KEY_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "EARTHENGINE_TOKEN", "CLOUDSDK_CONFIG",
    "EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT",
)  # fmt: skip


class Runs:
    """Runs of the command line, with all they write in one folder.

    Attributes:
        folder: holds configurations, runs, the cache and Ray's own files.
        said: what was printed.
    """

    def __init__(self, folder: Path, ray: Path, extract: Path) -> None:
        self.folder, self.ray, self.extract = folder, ray, extract
        self.said: list[str] = []
        self.mapteller = CommandLine()
        for name in CREDENTIALS:
            self.mapteller.environment.pop(name, None)
        self.mapteller.environment |= {**UNUSED, "HOME": str(folder / "home"), "RAY_TMPDIR": str(ray)}

    def config(self, name: str, imagery: Mapping[str, Any], **changes: Any) -> Path:
        """Writes a configuration."""
        config = {
            "name": "county",
            "seed": 3,
            "samples": {
                "kind": "grid",
                "imagery": dict(imagery),
                "osm": {"kind": "extract", "path": str(self.extract)},
                "patch": {"size": 224},
            },
            "output": {"kind": "webdataset", "samples_per_shard": 8, "image": "png"},
            "workers": 2,
            **changes,
        }
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(json.loads(json.dumps(config))))
        return file

    def do(self, command: str, config: Path, *more: object, cache: str = "cache", code: int = 0, **env: str) -> str:
        """Runs a command; returns what it printed."""
        self.mapteller.environment |= {"MAPTELLER_CACHE": str(self.folder / cache), **env}
        done = self.mapteller(command, config, *more, code=code)
        self.said.append(done.stdout + done.stderr)
        return self.said[-1]

    def run(self, name: str, imagery: Mapping[str, Any], *, code: int = 0, **changes: Any) -> Path:
        """Makes a dataset; returns its folder."""
        cache = changes.pop("cache", "cache")
        config, out = self.config(name, imagery, **changes), self.folder / "runs" / name
        self.do("run", config, "--out", out, cache=cache, code=code)
        return out


@dataclass(frozen=True)
class Found:
    """What runs left, and what their servers saw.

    Attributes:
        runs: all of them.
        asked: requests, by run.
        sent: bytes of answers, by run.
        failed: how many requests were made to fail in the storm.
        refused: what was printed where a server let nobody in.
        secrets: that the servers were sent.
    """

    runs: Runs
    asked: Mapping[str, int]
    sent: Mapping[str, int]
    failed: int
    refused: tuple[str, ...]
    secrets: frozenset[str]

    def of(self, name: str) -> Path:
        """A run's folder."""
        return self.runs.folder / "runs" / name


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, county: SampleCounty) -> Iterator[Runs]:
    """Ray's sockets need a short path."""
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as ray:
        yield Runs(tmp_path_factory.mktemp("sources"), Path(ray), county.extract)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, county: SampleCounty) -> Path:
    """Six scenes of 448 x 448 pixels, cut from the county, as cloud-optimised GeoTIFF."""
    folder, pieces = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("pieces")
    with rasterio.open(county.rasters[0]) as source:
        for number in range(SCENES):
            window = Window(SIDE * (1 + number % 3), SIDE * (1 + number // 3), SIDE, SIDE)
            place = transform(window, source.transform)
            profile = {**source.profile, "alpha": "unspecified", "width": SIDE, "height": SIDE, "transform": place}
            piece = pieces / f"scene{number}.tif"
            with rasterio.open(piece, "w", **profile) as target:
                target.write(source.read(window=window))
            as_cog(piece, folder / piece.name, overviews="none")
    return folder


@pytest.fixture(scope="module")
def region(files: Path) -> list[float]:
    """A box around the scenes, in degrees."""
    bounds = np.array([scene.bounds for scene in LocalImagery(kind="local", path=files).scenes()])
    return [*(bounds[:, :2].min(0) - 0.001).tolist(), *(bounds[:, 2:].max(0) + 0.001).tolist()]


@pytest.fixture(scope="module")
def found(runs: Runs, files: Path, region: list[float]) -> Found:
    """The same scenes from disk, Earth Engine and STAC; twice from those two, and from STAC in a storm."""
    asked, sent = {}, {}
    runs.run("local", {"kind": "local", "path": str(files), "acquired": TAKEN[:10], **NAIP}, region=region, workers=1)

    engine = EarthEngine([Image(file, TAKEN) for file in sorted(files.glob("*.tif"))], tokens=[f"{SECRET}-ee"] * 99)
    with StandIn(engine) as server:
        runs.mapteller.environment["EARTHENGINE_KEY_FILE"] = str(_key_file(runs.folder, f"{server.url}/token"))
        earth_engine = {
            "kind": "earth_engine", "collection": engine.collection, "url": server.url, "patience": QUICK, **NAIP,
        }  # fmt: skip
        runs.run("earth_engine", earth_engine, region=region)
        asked["earth_engine"], sent["earth_engine"] = len(server.asked), server.sent
        bearer = {each.headers.get("authorization", "") for each in server.asked} - {""}
        engine.refused.add(f"{SECRET}-ee")
        config = runs.config("no_entry_ee", earth_engine, region=region)
        refused = [runs.do("validate", config, cache="empty", code=1)]
    runs.run("earth_engine_again", earth_engine, region=region, workers=1)

    catalogue = StacServer(
        {file.stem: file for file in files.glob("*.tif")},
        properties={file.stem: {"datetime": TAKEN} for file in files.glob("*.tif")},
        guarded=True,
    )
    with catalogue.running() as server:
        stac = {
            "kind": "stac", "url": server.url, "collection": "naip", "dates": ["2021-01-01", "2021-12-31"],
            "asset": "image", "sign": "planetary_computer", "tokens": f"{server.url}/sas", "patience": QUICK, **NAIP,
        }  # fmt: skip
        runs.run("stac", stac, region=region)
        asked["stac"], sent["stac"] = len(server.asked), server.sent
        tokens = {each.query.get("sig", "") for each in server.asked} - {""}
        catalogue.expired |= {f"sig=secret{number}" for number in range(99)}
        config = runs.config("no_entry_stac", {**stac, "grid": "file"}, region=region)
        refused.append(runs.do("validate", config, cache="empty", code=1))
        catalogue.expired.clear()
    runs.run("stac_again", stac, region=region, workers=1)

    catalogue.guarded = False  # tokens differ from run to run, and with them what the storm would take
    with catalogue.running(Faults(0.3, seed=5, hang_s=0.6)) as server:
        stormy = {**stac, "url": server.url, "sign": "none", "patience": HURRIED}
        runs.run("storm", stormy, region=region, cache="storm")
        failed = sum(server.failed.values())
    secrets = frozenset({*(each.removeprefix("Bearer ") for each in bearer), *tokens})
    return Found(runs, asked, sent, failed, tuple(refused), secrets)


@pytest.fixture(scope="module")
def tiles(runs: Runs, files: Path) -> Path:
    """Tiles of two zooms from a server that wants a key and refuses one tile of the deeper zoom."""
    scene = LocalImagery(kind="local", path=files).scenes()[0]
    west, south, east, north = scene.bounds
    coarse = Tile.at((west + east) / 2, (south + north) / 2, 16)
    deep = coarse.children[0]
    content = cut(ground(256, 256), coarse) | cut(ground(512, 512), deep)
    with TileServer(content) as known, StandIn(_guarded(known, deep)) as server:
        imagery = {
            "kind": "xyz", "url": f"{server.url}/{{z}}/{{x}}/{{y}}.png?key={{key}}", "key_from": "TILES_KEY",
            "zoom": [16, 17], "source": "the tiles", "attribution": "their makers", "terms": "none",
            "acquired": TAKEN[:10], "patience": {**QUICK, "tries": 2},
        }  # fmt: skip
        runs.mapteller.environment["TILES_KEY"] = f"{SECRET}-tiles"
        inside = np.array(coarse.bounds) + np.array([1, 1, -1, -1]) * 1e-6
        out = runs.run("tiles", imagery, region=inside.tolist(), workers=1, code=1)
        assert {each.query["key"] for each in server.asked} == {f"{SECRET}-tiles"}
    return out


def _guarded(known: TileServer, closed: Tile) -> Callable[[Asked], Answer]:
    return lambda asked: Answer(403) if asked.path == f"/{closed.z}/{closed.x}/{closed.y}.png" else known.answer(asked)


def _key_file(folder: Path, token_url: str) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    content = {
        "type": "service_account", "project_id": "a-project", "client_email": "reader@example.com",
        "token_uri": token_url, "private_key_id": "1", "private_key": key.decode(),
    }  # fmt: skip
    file = folder.parent / f"{folder.name}-key.json"
    file.write_text(json.dumps(content))
    return file


def test_all_sources_give_the_same_pixels_and_captions(found: Found) -> None:
    """PNG files byte for byte; between the two services, which also know the hour, whole shards."""
    local, earth_engine, stac = (samples(found.of(name)) for name in ("local", "earth_engine", "stac"))
    assert len(local) >= SCENES
    assert len({sample["picture"] for sample in local}) == len(local)
    for other in (earth_engine, stac):
        for mine, theirs in zip(local, other, strict=True):
            assert theirs["metadata"].pop("taken", TAKEN).startswith(TAKEN[:19])
            assert theirs == mine
    assert shard_digests(found.of("earth_engine")) == shard_digests(found.of("stac"))


def test_a_storm_changes_no_shard(found: Found) -> None:
    assert run_info(found.of("storm"))["state"] == "complete"
    assert found.failed >= 8
    assert shard_digests(found.of("storm")) == shard_digests(found.of("stac"))


@pytest.mark.parametrize("source", ["earth_engine", "stac"])
def test_what_was_fetched_is_stated_and_not_fetched_again(found: Found, source: str) -> None:
    """The servers had gone when the second runs began; their figures are those of the first."""
    info = run_info(found.of(source))
    assert info["fetched"] == {
        "naip": {
            "bytes": found.sent[source],
            "requests": found.asked[source],
            "bytes_per_caption": round(found.sent[source] / info["counts"]["captions"]),
        }
    }
    assert run_info(found.of(f"{source}_again"))["fetched"] == {}
    assert shard_digests(found.of(f"{source}_again")) == shard_digests(found.of(source))
    assert run_info(found.of("local"))["fetched"] == {}


def test_credentials_are_shown_nowhere(found: Found, tiles: Path) -> None:
    """Not printed, and in no file of runs, cache and Ray (compressed tables are looked into), failures included."""
    assert f"{SECRET}-ee" in found.secrets
    assert "secret0" in found.secrets
    assert ["invalid authentication" in found.refused[0], "HTTP 403" in found.refused[1]] == [True, True]
    assert "HTTP 403" in json.dumps(run_info(tiles)["failures"])
    assert samples(tiles)
    key = json.loads(Path(found.runs.mapteller.environment["EARTHENGINE_KEY_FILE"]).read_text())["private_key"]
    secrets = [SECRET, *found.secrets, key.splitlines()[1]]
    forbidden = re.compile("|".join(map(re.escape, secrets)).encode())
    kept = [file for folder in (found.runs.folder, found.runs.ray) for file in folder.rglob("*") if file.is_file()]
    assert {".json", ".parquet", ".tar", ".html", ".md", ".tif", ".npy", ".log"} <= {file.suffix for file in kept}
    assert [str(file) for file in kept if forbidden.search(_content(file))] == []
    assert not forbidden.search("\n".join(found.runs.said).encode())


def _content(file: Path) -> bytes:
    if file.suffix != ".parquet":
        return file.read_bytes()
    table = pq.read_table(file)
    return repr((table.to_pylist(), table.schema.metadata)).encode()


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("rsteller_gee.yaml", "earthengine authenticate"),
        ("skyscript_new.yaml", "samples.imagery.sources.CH: No Earth Engine credentials"),
        ("rsteller_stac.yaml", ""),
        ("xyz.yaml", "region.osm.pbf"),
    ],
)
def test_shipped_configurations_lack_only_what_is_the_users(
    name: str, lacks: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are understood, their imagery has what it needs but for credentials; nothing is asked of the world."""
    for variable in CREDENTIALS:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config(CONFIGS / name).name
    if not lacks:
        load_config(CONFIGS / name).samples.imagery.check()  # type: ignore[union-attr]
        return
    command = CommandLine()
    command.environment = dict(os.environ)
    said = command("validate", CONFIGS / name, code=1)
    assert lacks in said.stderr
    assert "Traceback" not in said.stderr

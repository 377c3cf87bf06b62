"""Maps and the tag wiki from servers: kept, resumed, checked, cut."""

import bz2
import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from hashlib import md5, sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import shapely
from pydantic import ValidationError

from annotation.tags import TagTable
from download.cache import Cache
from download.errors import DownloadError
from download.osm.cut import cut, widened
from download.osm.extract import OsmExtract, OsmHistory
from download.osm.overpass import OverpassMap
from download.osm.taginfo import wiki_database
from download.patience import Patience
from pipeline.config import Config, GridSamples, load_config
from pipeline.elements import ElementStore, write_elements
from pipeline.grid import PatchGrid
from pipeline.grid_source import GridSource
from pipeline.maps import map_area
from pipeline.tables import tag_wiki, wiki_digest
from pipeline.terminal import open_console
from tests.conftest import CommandLine, WriteConfig
from tests.stand_in import Answer, Asked, Faults, StandIn
from tests.test_as_of import HISTORY
from tests.test_as_of import _config as as_of_config
from tests.test_as_of import _map as as_of_map
from tests.test_extract import osm_xml, square
from tests.test_wiki import PAGES, database

QUICK = Patience(tries=12, first_wait_s=0.01, longest_wait_s=0.05, timeout_s=10)
VADUZ = shapely.box(9.51, 47.13, 9.53, 47.15)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def liechtenstein(shared_data: Path) -> Path:
    return shared_data / "osm" / "liechtenstein.osm.pbf"


class Shelf:
    """Files of a server by path; what it does not have, is not there."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files

    def __call__(self, asked: Asked) -> Answer:
        return Answer(body=self.files[asked.path], ranges=True) if asked.path in self.files else Answer(404)


def published(name: str, content: bytes) -> dict[str, bytes]:
    return {f"/{name}": content, f"/{name}.md5": f"{md5(content).hexdigest()}  {name}\n".encode()}


def extract(server: StandIn, name: str = "land.osm.pbf", **changes: Any) -> OsmExtract:
    return OsmExtract(url=f"{server.url}/{name}", patience=QUICK, **changes)


@pytest.fixture
def land(liechtenstein: Path) -> bytes:
    return liechtenstein.read_bytes()


def test_fetched_once_with_the_published_checksum(land: bytes) -> None:
    with StandIn(Shelf(published("land.osm.pbf", land))) as server:
        local = extract(server).on_disk(VADUZ)
        assert [asked.path for asked in server.asked] == ["/land.osm.pbf.md5", "/land.osm.pbf"]
        assert extract(server).on_disk(None) == local
        assert len(server.asked) == 2
    assert local.path.read_bytes() == land
    local.check()
    record = json.loads(local.path.with_name(f"{local.path.name}.json").read_text())
    assert record["sha256"] == sha256(land).hexdigest()
    assert record["source"].endswith("/land.osm.pbf")


def test_a_broken_transfer_goes_on(land: bytes) -> None:
    faults = Faults(probability=0.9, kinds=("truncated",), seed=3)
    with StandIn(Shelf(published("land.osm.pbf", land)), faults) as server:
        assert extract(server).on_disk(None).path.read_bytes() == land
        starts = [asked.headers["range"] for asked in server.asked if "range" in asked.headers]
        assert starts
        assert all(start != "bytes=0-" for start in starts)
        assert server.sent < len(land) + 1000, "nothing is sent twice but the checksum"


@pytest.mark.parametrize("seed", range(3))
def test_storm(land: bytes, seed: int) -> None:
    hasty = QUICK.model_copy(update={"timeout_s": 0.7})
    with StandIn(Shelf(published("land.osm.pbf", land)), Faults(seed=seed, probability=0.5)) as server:
        local = OsmExtract(url=f"{server.url}/land.osm.pbf", patience=hasty).on_disk(None)
    assert local.path.read_bytes() == land


def test_wrong_checksums(land: bytes) -> None:
    files = {"/land.osm.pbf": land, "/land.osm.pbf.md5": b"0" * 32 + b"  land.osm.pbf", "/bare.osm.pbf": land}
    files["/page.osm.pbf"], files["/page.osm.pbf.md5"] = land, b"no such file"
    with StandIn(Shelf(files)) as server:
        with pytest.raises(DownloadError, match="has the md5"):
            extract(server).on_disk(None)
        with pytest.raises(DownloadError, match="has the sha256"):
            extract(server, sha256="0" * 64).on_disk(None)
        with pytest.raises(DownloadError, match="holds no checksum; set `md5` or `sha256`"):
            extract(server, "page.osm.pbf").on_disk(None)
        before = len(server.asked)
        assert extract(server, sha256=sha256(land).hexdigest()).on_disk(None).path.read_bytes() == land
        assert len(server.asked) == before + 1, "whoever gives a checksum does not ask for another"
        assert extract(server, "bare.osm.pbf").on_disk(None).path.read_bytes() == land


def _fetch(url: str) -> str:
    return str(OsmExtract(url=url, patience=QUICK).on_disk(None).path)


def test_parallel_workers_fetch_once(land: bytes) -> None:
    with (
        StandIn(Shelf(published("land.osm.pbf", land))) as server,
        ProcessPoolExecutor(3, get_context("spawn")) as pool,
    ):
        assert len(set(pool.map(_fetch, [f"{server.url}/land.osm.pbf"] * 3))) == 1
        assert len(server.asked) == 2


def test_regions_by_name(land: bytes) -> None:
    index: dict[str, Any] = {}
    shelf = Shelf({})
    with StandIn(shelf) as server:
        regions = [
            ("liechtenstein", "Liechtenstein", {"pbf": f"{server.url}/europe/liechtenstein-latest.osm.pbf"}),
            ("asia/georgia", "Georgia", {"pbf": f"{server.url}/asia/georgia-latest.osm.pbf"}),
            ("us/georgia", "Georgia", {"pbf": f"{server.url}/us/georgia-latest.osm.pbf"}),
            ("planet", "Planet", {"shp": "x"}),
        ]
        index["features"] = [{"properties": {"id": id_, "name": name, "urls": urls}} for id_, name, urls in regions]
        shelf.files = {
            "/index.json": json.dumps(index).encode(),
            **published("europe/liechtenstein-latest.osm.pbf", land),
        }

        def region(name: str) -> OsmExtract:
            return OsmExtract(region=name, index=f"{server.url}/index.json", patience=QUICK)

        local = region("liechtenstein").on_disk(None)
        assert local.path.read_bytes() == land
        assert region("LIECHTENSTEIN").on_disk(None) == local
        assert [asked.path for asked in server.asked].count("/index.json") == 1
        assert len(server.asked) == 3
        with pytest.raises(DownloadError, match="did you mean liechtenstein"):
            region("lichtenstein").on_disk(None)
        with pytest.raises(DownloadError, match="did you mean asia/georgia, us/georgia"):
            region("GEORGIA").on_disk(None)
        with pytest.raises(DownloadError, match="no PBF file of 'planet'"):
            region("planet").on_disk(None)


def test_a_page_is_no_index() -> None:
    few = QUICK.model_copy(update={"tries": 2})
    with StandIn(lambda _: Answer(body=b"{}")) as server, pytest.raises(DownloadError, match="something else than"):
        OsmExtract(region="x", index=f"{server.url}/index.json", patience=few).on_disk(None)


def elements(path: Path, area: Any, target: Path) -> pa.Table:
    write_elements(OsmExtract(path=path), TagTable.load(), target)
    return ElementStore(target).read(area.bounds, hidden=True)


def test_a_cut_holds_the_same_elements(
    land: bytes, liechtenstein: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("download.osm.extract.CUT_ABOVE", 1000)
    with StandIn(Shelf(published("land.osm.pbf", land))) as server:
        part = extract(server).on_disk(VADUZ)
        assert extract(server).on_disk(VADUZ.buffer(-0.001)) == part, "boxes are widened, so this is the same one"
        assert len(server.asked) == 2
    part.check()
    assert part.bounds() == widened(VADUZ.bounds)
    assert part.path.stat().st_size < 0.7 * len(land)
    known = elements(liechtenstein, VADUZ, tmp_path / "whole.parquet")
    assert len(known) > 1000
    assert elements(part.path, VADUZ, tmp_path / "part.parquet").equals(known)


def test_what_is_not_in_order_is_not_cut(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("download.osm.extract.CUT_ABOVE", 1000)
    names = ("columbus_unsorted.osm.pbf", "andorra.osh.pbf")
    with StandIn(Shelf({f"/{name}": (shared_data / "osm" / name).read_bytes() for name in names})) as server:
        for name in names:
            whole = extract(server, name).on_disk(shapely.box(-180, -90, 180, 90)).path
            assert whole.read_bytes() == (shared_data / "osm" / name).read_bytes()


def test_areas_around_the_box_stay_and_relations_are_whole(tmp_path: Path) -> None:
    forest, ring = square(1, 9.0, 47.0, 1.0)
    lake, shore = square(11, 9.0, 47.0, 0.9)
    house, walls = square(21, 9.5, 47.5, 0.001)
    far, fence = square(31, 12.0, 47.0, 0.1)
    source = osm_xml(
        tmp_path / "all.osm",
        nodes={**forest, **lake, **house, **far},
        ways={
            1: (ring, {"landuse": "forest"}),
            2: (shore[:3], {}),
            3: (shore[2:], {}),
            4: (walls, {"building": "yes"}),
            5: (fence, {"barrier": "fence"}),
        },
        relations={7: ([("w", 2, "outer"), ("w", 3, "outer")], {"type": "multipolygon", "natural": "water"})},
    )
    cut(source, (9.49, 47.49, 9.51, 47.51), tmp_path / "part.osm.pbf")
    found = elements(tmp_path / "part.osm.pbf", shapely.box(0, 0, 90, 90), tmp_path / "part.parquet")
    assert found["id"].to_pylist() == ["relation/7", "way/1", "way/4"]
    assert found["kind"].to_pylist() == ["area", "area", "area"]


def test_a_history_is_fetched_and_is_one(shared_data: Path, land: bytes) -> None:
    history = (shared_data / "osm" / "andorra.osh.pbf").read_bytes()
    with StandIn(Shelf({"/a.osh.pbf": history, "/a.osm.pbf": land})) as server:
        local = OsmHistory(url=f"{server.url}/a.osh.pbf", patience=QUICK).on_disk(VADUZ)
        assert local.is_history
        assert local.path.read_bytes() == history
        with pytest.raises(DownloadError, match="is no history"):
            OsmHistory(url=f"{server.url}/a.osm.pbf", patience=QUICK).on_disk(VADUZ)


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({}, "exactly one of path, url, region"),
        ({"path": "a.osm", "url": "https://example.org/a.osm"}, "there is path and url"),
        ({"url": "https://example.org/a.osm", "region": "a"}, "there is url and region"),
        ({"path": "a.osm", "md5": "0" * 32}, "they go with url"),
        ({"url": "https://example.org/a.osm", "md5": "0"}, "md5"),
    ],
)
def test_one_place(keys: dict[str, str], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        OsmExtract.model_validate(keys)


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("https://me:secret@example.org/a.osm.pbf", "user or a password"),
        ("ftp://example.org/a.osm.pbf?token=secret", "is no address"),
        ("https://example.org/a.zip?token=secret", "form of https://example.org/a.zip is unknown"),
    ],
)
def test_addresses_that_are_refused(url: str, wrong: str) -> None:
    with pytest.raises(DownloadError, match=wrong) as error:
        OsmExtract(url=url).on_disk(None)
    assert "secret" not in str(error.value)


def test_a_history_by_its_address_in_a_run(tmp_path: Path) -> None:
    history = as_of_map(tmp_path / "m.osh.pbf", HISTORY, history=True)
    with StandIn(Shelf({"/m.osh.pbf": history.read_bytes()})) as server:
        config = load_config(as_of_config(tmp_path, history, osm={"kind": "history", "url": f"{server.url}/m.osh.pbf"}))
        assert isinstance(config.samples, GridSamples)
        source = GridSource.of(config, config.samples).ready(tmp_path, open_console())
        assert len(server.asked) == 2
    known = as_of_config(tmp_path, history)
    config = load_config(known)
    assert isinstance(config.samples, GridSamples)
    assert GridSource.of(config, config.samples).inputs == source.inputs
    assert source.maps
    assert [str(day) for day in source.maps.files] == ["2018-07-01"]


def test_kinds_in_a_configuration(write_config: WriteConfig, tmp_path: Path) -> None:
    def osm(**said: Any) -> Any:
        config = load_config(write_config(samples__osm=said, tag_wiki="https://example.org/taginfo-wiki.db.bz2"))
        assert config.tag_wiki == "https://example.org/taginfo-wiki.db.bz2"
        assert isinstance(config.samples, GridSamples)
        return config.samples.osm

    assert osm(kind="extract", path="a.osm.pbf").path == tmp_path / "a.osm.pbf"
    assert osm(kind="extract", region="liechtenstein").region == "liechtenstein"
    assert isinstance(osm(kind="history", url="https://example.org/a.osh.pbf"), OsmHistory)
    assert isinstance(osm(kind="overpass", date="2019-07-01"), OverpassMap)
    assert load_config(write_config(tag_wiki="wiki.db")).tag_wiki == tmp_path / "wiki.db"


def test_the_tag_wiki_is_unpacked(tmp_path: Path) -> None:
    plain = database(tmp_path / "taginfo-wiki.db", PAGES).read_bytes()
    files = {"/wiki.db.bz2": bz2.compress(plain), "/wiki.db": plain, "/bad.db.bz2": bz2.compress(plain)[:-20]}
    with StandIn(Shelf(files)) as server:
        assert wiki_database(f"{server.url}/wiki.db.bz2", QUICK).read_bytes() == plain
        wiki = tag_wiki(f"{server.url}/wiki.db.bz2")
        assert wiki
        assert wiki.definition("surface", "") == "What the surface is made of"
        assert len(server.asked) == 1
        assert wiki_digest(f"{server.url}/wiki.db") == wiki_digest(tmp_path / "taginfo-wiki.db") != ""
        with pytest.raises(DownloadError, match="cannot be unpacked"):
            wiki_database(f"{server.url}/bad.db.bz2", QUICK)
    left = [file for file in Cache.usual().folder.rglob("*") if file.name.endswith((".bz2", ".part"))]
    assert not left


def test_the_map_is_asked_for_under_pictures_and_region(write_config: WriteConfig) -> None:
    config: Config = load_config(write_config())
    assert isinstance(config.samples, GridSamples)
    scenes = config.samples.imagery.scenes(None)
    every = map_area(scenes, None, PatchGrid(size=224))
    middle = shapely.box(*every.centroid.buffer(1e-4).bounds)
    near = map_area(scenes, middle, PatchGrid(size=224))
    assert every.contains(near)
    assert near.area < 0.2 * every.area
    side = max(scenes[0].gsd) * 224 / 111_320
    assert near.contains(middle.buffer(side / 2).intersection(every)), "patches reach out of the region by a half"


def test_second_run_fetches_nothing(
    write_config: WriteConfig, mapteller: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, county: Any
) -> None:
    monkeypatch.setitem(mapteller.environment, "MAPTELLER_CACHE", str(tmp_path / "cache"))
    with StandIn(Shelf(published("county.osm.pbf", county.extract.read_bytes()))) as server:
        config = write_config(samples__osm={"kind": "extract", "url": f"{server.url}/county.osm.pbf"})
        mapteller("preview", config, "-n", 1)
        assert len(server.asked) == 2
        mapteller("preview", config, "-n", 1)
        assert len(server.asked) == 2

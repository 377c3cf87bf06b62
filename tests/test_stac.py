"""STAC: what a catalogue finds is what the files hold, at a bounded cost, whatever the network does."""

import gc
import json
import pickle
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from shapely.geometry import mapping

from download import traffic
from download.errors import DownloadError, MissingError
from download.imagery import aws, remote_access
from download.imagery.local import LocalImagery
from download.imagery.remote_file import Piece, RemoteFile, Span, joined
from download.imagery.remote_raster import RemoteRaster
from download.imagery.stac import StacImagery, _open
from download.patience import Patience
from download.scene import Scene, Window
from tests.stac_server import StacServer, as_cog, make_cog
from tests.stand_in import Answer, Faults, StandIn

HURRIED = Patience(tries=12, first_wait_s=0.01, longest_wait_s=0.05, timeout_s=0.4)
CALIFORNIA = shapely.box(-125, 30, -110, 42)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path / "cache"))
    _forget()
    yield
    _forget()


def _forget() -> None:
    """As a new process does."""
    _open.cache_clear()
    remote_access._known.clear()


def _imagery(server: StacServer, **changes: Any) -> StacImagery:
    settings: dict[str, Any] = {
        "kind": "stac", "url": server.url, "collection": "naip", "dates": ("2020-01-01", "2020-12-31"),
        "asset": "image", "patience": HURRIED,
    }  # fmt: skip
    return StacImagery.model_validate({**settings, **changes})


def _local(file: Path, **changes: Any) -> tuple[LocalImagery, Scene]:
    imagery = LocalImagery.model_validate({"kind": "local", "path": file, **changes})
    return imagery, imagery.scenes()[0]


def _grid(scene: Scene, size: int) -> list[Window]:
    return [
        Window(col, row, size, size)
        for row in range(0, scene.height - size + 1, size)
        for col in range(0, scene.width - size + 1, size)
    ]


@pytest.mark.parametrize("name", ["m_3211605_ne_11_060_20200415.tif", "m_4208701_ne_16_060_20200902.tif"])
def test_the_patches_of_real_naip_are_those_of_the_file(shared_data: Path, tmp_path: Path, name: str) -> None:
    cog = as_cog(shared_data / "naip" / name, tmp_path / name, overviews="none")
    server = StacServer({"chip": cog})
    with server.running():
        for bands in ((1, 2, 3), (4, 1, 2)):
            imagery, (local, file) = _imagery(server, bands=bands), _local(cog, bands=bands)
            (scene,) = imagery.scenes(shapely.box(-180, -90, 180, 90))
            assert (scene.crs, scene.width, scene.height) == (file.crs, file.width, file.height)
            assert scene.transform == pytest.approx(file.transform)
            for window in (*_grid(scene, 64), Window(scene.width - 100, scene.height - 100, 100, 100)):
                for size in (window.width, window.width // 2):
                    assert np.array_equal(imagery.read(scene, window, size), local.read(file, window, size))
            windows = _grid(scene, 64)
            assert np.array_equal(imagery.complete(scene, windows), local.complete(file, windows))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"count": 4, "blocksize": 256},
        {"interleave": "band"},
        {"dtype": "uint16"},
        {"compress": "jpeg", "quality": 90},
        {"bigtiff": "yes", "predictor": 2},
        {"driver": "GTiff", "overviews": None, "blocksize": None},
    ],
    ids=str,
)
def test_the_patches_of_any_layout_are_those_of_the_file(tmp_path: Path, options: dict[str, Any]) -> None:
    cog = make_cog(tmp_path / "a.tif", 700, 500, **options)
    stretch = {"stretch": (0, 250)} if options.get("dtype") == "uint16" else {}
    local, file = _local(cog, **stretch)
    server = StacServer({"a": cog})
    with server.running():
        imagery = _imagery(server, **stretch)
        (scene,) = imagery.scenes(CALIFORNIA)
        for window in _grid(scene, 112):
            assert np.array_equal(imagery.read(scene, window, 112), local.read(file, window, 112))


def test_scenes_are_what_the_catalogue_says(tmp_path: Path) -> None:
    cog = make_cog(tmp_path / "any.tif", 300, 200)
    files = dict.fromkeys(("c", "a", "b/1", "late", "coarse", "old"), cog)
    server = StacServer(
        files,
        properties={
            "late": {"datetime": "2021-01-01T00:00:00Z"},
            "coarse": {"gsd": 30},
            "a": {
                "datetime": None,
                "start_datetime": "2020-05-01T23:30:00-02:00",
                "end_datetime": "2020-06-01T00:00:00Z",
            },
            "old": {"proj:code": None, "proj:epsg": 26911},
        },
        page=2,
    )
    with server.running() as stand_in:
        imagery = _imagery(
            server, query={"gsd": {"lte": 1}}, licence="public domain", attribution="USDA", source="naip!"
        )
        scenes = imagery.scenes(CALIFORNIA)
        assert [scene.id for scene in scenes] == ["a", "b_1", "c", "old"]
        assert not [asked for asked in stand_in.asked if asked.path.startswith("/files")], "no file is touched"
        a, _, c, old = scenes
        assert c.taken == datetime(2020, 4, 15, 16, tzinfo=UTC)
        assert (c.acquired, a.taken, a.acquired) == (date(2020, 4, 15), None, date(2020, 5, 2))
        assert old.crs == c.crs == "EPSG:26911"
        assert c.transform == (0.6, 0, 485_000, 0, -0.6, 3_600_000)
        assert (c.source, c.licence, c.attribution) == ("naip!", "public domain", "USDA")
        assert c.footprint is not None
        assert shapely.from_wkt(c.footprint).area > 0
        with pytest.raises(DownloadError, match="nothing with an asset 'image'"):
            imagery.scenes(shapely.box(10, 50, 11, 51))
        with pytest.raises(DownloadError, match="Set region"):
            imagery.scenes(None)


@pytest.mark.parametrize("missing", ["proj:code", "proj:transform", "proj:shape"])
def test_what_the_catalogue_does_not_say_the_header_does(tmp_path: Path, missing: str) -> None:
    cog = make_cog(tmp_path / "a.tif", 300, 200)
    server = StacServer({"a": cog}, properties={"a": {missing: None}})
    with server.running() as stand_in:
        (scene,) = _imagery(server).scenes(CALIFORNIA)
        _, file = _local(cog)
        assert (scene.crs, scene.transform, scene.width, scene.height) == (
            file.crs, file.transform, file.width, file.height,
        )  # fmt: skip
        assert [asked.path for asked in stand_in.asked].count("/files/a.tif") == 1, "the header, once"


def test_a_catalogue_that_contradicts_the_file_is_not_believed(tmp_path: Path) -> None:
    cog = make_cog(tmp_path / "a.tif", 300, 200)
    moved = [0.6, 0, 485_003, 0, -0.6, 3_600_000]
    server = StacServer({"a": cog}, properties={"a": {"proj:transform": moved}})
    with server.running():
        imagery = _imagery(server)
        (scene,) = imagery.scenes(CALIFORNIA)
        with pytest.raises(DownloadError, match="grid: file"):
            imagery.read(scene, Window(0, 0, 64, 64), 64)
        imagery = _imagery(server, grid="file")
        (scene,) = imagery.scenes(CALIFORNIA)
        assert scene.transform[2] == 485_000
        assert imagery.read(scene, Window(0, 0, 64, 64), 64).any()


def test_500_adjoining_patches_cost_no_more_than_their_blocks(tmp_path: Path) -> None:
    """At most 1.3 requests for each, and 1.5 x the bytes of the windows: here against what is stored, compressed."""
    cog = make_cog(tmp_path / "a.tif", 25 * 112, 20 * 112, overviews="auto")
    server = StacServer({"a": cog})
    with server.running() as stand_in:
        imagery = _imagery(server)
        (scene,) = imagery.scenes(CALIFORNIA)
        windows = _grid(scene, 112)
        assert len(windows) == 500
        stand_in.asked.clear()
        before, sent = traffic.fetched(), stand_in.sent
        for window in windows:
            imagery.read(scene, window, 112)
        ideal = sum(end - start for start, end in imagery._raster(scene).blocks(windows, scene.bands))
        assert len(stand_in.asked) <= 1.3 * 500
        assert stand_in.sent - sent <= 1.1 * ideal
        assert stand_in.sent - sent <= 1.5 * 500 * 3 * 112 * 112
        booked = traffic.since(before)
        assert booked["fetched_requests.naip"] == len(stand_in.asked)
        assert booked["fetched_bytes.naip"] == stand_in.sent - sent


def test_fetching_ahead_takes_few_requests(tmp_path: Path) -> None:
    cog = make_cog(tmp_path / "a.tif", 1000, 900)
    server = StacServer({"a": cog})
    local, file = _local(cog)
    with server.running() as stand_in:
        imagery = _imagery(server)
        (scene,) = imagery.scenes(CALIFORNIA)
        windows = [window for window in _grid(scene, 100) if window.row in (100, 500)]
        imagery.prefetch(scene, windows)
        asked = len(stand_in.asked)
        assert asked <= 7, "landing page, search, header, and four rows of blocks at most"
        for window in windows:
            assert np.array_equal(imagery.read(scene, window, 100), local.read(file, window, 100))
        assert len(stand_in.asked) == asked


def test_a_second_run_fetches_nothing(tmp_path: Path) -> None:
    cog = make_cog(tmp_path / "a.tif", 600, 500, nodata=0)
    server = StacServer({"a": cog})
    with server.running() as stand_in:
        runs, asked = [], []
        for _ in range(2):
            _forget()
            imagery = pickle.loads(pickle.dumps(_imagery(server)))
            (scene,) = imagery.scenes(CALIFORNIA)
            complete = imagery.complete(scene, _grid(scene, 100))
            runs.append((complete.tolist(), [imagery.read(scene, window, 100) for window in _grid(scene, 100)]))
            asked.append(len(stand_in.asked))
        assert asked[0] == asked[1]
        assert runs[0][0] == runs[1][0]
        assert np.array_equal(runs[0][1], runs[1][1])
    journals = list((tmp_path / "cache" / "remote").rglob("*.jsonl"))
    first, *kept = [json.loads(line) for line in journals[0].read_text().splitlines()]
    assert first["source"].endswith("/files/a.tif")
    assert all(set(said) == {"from", "to", "sha256", "fetched"} for said in kept)


def test_a_storm_changes_nothing(tmp_path: Path) -> None:
    files = {name: make_cog(tmp_path / f"{name}.tif", 448, 448, seed) for seed, name in enumerate("ab")}
    server = StacServer(files, guarded=True, page=1)
    with server.running(Faults(probability=0.3, seed=5, hang_s=0.6)) as stand_in:
        imagery = _imagery(server, sign="planetary_computer", tokens=f"{server.url}/sas")
        scenes = imagery.scenes(CALIFORNIA)
        assert [scene.id for scene in scenes] == ["a", "b"]
        for scene in scenes:
            local, file = _local(files[scene.id])
            for window in _grid(scene, 112):
                assert np.array_equal(imagery.read(scene, window, 112), local.read(file, window, 112))
        assert sum(stand_in.failed.values()) > 5


def test_only_windows_at_the_footprints_edge_are_looked_at(tmp_path: Path) -> None:
    cog = make_cog(tmp_path / "a.tif", 700, 700, nodata=0, hole=(slice(0, 200), slice(0, 90)))
    with rasterio.open(cog) as raster:
        assert raster.nodata == 0
    local, file = _local(cog)
    west, south, east, north = file.bounds
    third = (east - west) / 3
    server = StacServer({"a": cog}, geometries={"a": mapping(shapely.box(west + third, south, east, north))})
    with server.running() as stand_in:
        imagery = _imagery(server)
        (scene,) = imagery.scenes(CALIFORNIA)
        asked = len(stand_in.asked)
        inside = [Window(400, 300, 100, 100), Window(500, 400, 100, 100)]
        assert imagery.complete(scene, inside).all()
        assert len(stand_in.asked) == asked, "inside the footprint no pixel is fetched"
        windows = _grid(scene, 100)
        expected = local.complete(file, windows)
        assert 0 < expected.sum() < len(windows)
        assert np.array_equal(imagery.complete(scene, windows), expected)


def test_threads_that_did_not_open_a_raster_read_and_close_it(tmp_path: Path) -> None:
    file = make_cog(tmp_path / "a.tif", 300, 200)
    with StacServer({"a": file}).running() as stand_in, ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        source = remote_access.Store("a", HURRIED, "naip").ranges(f"{stand_in.url}/files/a.tif")
        raster = one.submit(lambda: RemoteRaster(RemoteFile(source, tmp_path / "copy", "a"), "a")).result()
        pixels = other.submit(raster.read, Window(0, 0, 300, 200), [1]).result()
        with rasterio.open(file) as dataset:
            assert (pixels == dataset.read([1])).all()
        closed = weakref.ref(raster.dataset)
        del raster
        other.submit(gc.collect).result()
        assert closed() is None


class TestTokens:
    def test_an_expired_one_is_renewed(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 600, 300)}, guarded=True)
        with server.running():
            imagery = _imagery(server, sign="planetary_computer", tokens=f"{server.url}/sas")
            (scene,) = imagery.scenes(CALIFORNIA)
            imagery.read(scene, Window(0, 0, 100, 100), 100)
            imagery.read(scene, Window(100, 0, 100, 100), 100)
            assert len(server.tokens) == 1, "one token serves until it expires"
            server.expired.add(server.tokens[0])
            imagery.read(scene, Window(400, 150, 100, 100), 100)
            assert len(server.tokens) == 2

    def test_a_short_lived_one_is_not_used_up_to_its_end(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 600, 500)}, guarded=True, lifetime=timedelta(seconds=30))
        with server.running() as stand_in:
            imagery = _imagery(server, sign="planetary_computer", tokens=f"{server.url}/sas")
            (scene,) = imagery.scenes(CALIFORNIA)
            imagery.read(scene, Window(400, 400, 100, 100), 100)
            asked = [asked for asked in stand_in.asked if asked.path == "/files/a.tif"]
            assert len(server.tokens) == len(asked) > 1

    def test_they_are_never_shown_nor_kept(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PC_SDK_SUBSCRIPTION_KEY", "subscription-secret")
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 600, 300)}, guarded=True)
        with server.running() as stand_in:
            imagery = _imagery(server, sign="planetary_computer", tokens=f"{server.url}/sas")
            (scene,) = imagery.scenes(CALIFORNIA)
            imagery.read(scene, Window(0, 0, 100, 100), 100)
            keys = {asked.headers.get("ocp-apim-subscription-key") for asked in stand_in.asked if "/sas" in asked.path}
            assert keys == {"subscription-secret"}
            server.expired = {f"sig=secret{number}" for number in range(9)}
            with pytest.raises(DownloadError, match="refused") as error:
                imagery.read(scene, Window(400, 150, 100, 100), 100)
        said = [str(error.value), repr(imagery), repr(scene), scene.model_dump_json(), caplog.text]
        kept = [file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file()]
        assert kept
        assert not any("secret" in text for text in said)
        assert not any(b"secret" in content for content in kept)

    def test_no_other_host_gets_them(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 300, 200)})
        other = StacServer({"a": server.files["a"]})
        with server.running(), other.running() as stand_in:
            elsewhere = other.url.replace("127.0.0.1", "localhost")
            server.assets = {"a": {"href": f"{elsewhere}/files/a.tif"}}
            imagery = _imagery(server, sign="planetary_computer", tokens=f"{server.url}/sas")
            (scene,) = imagery.scenes(CALIFORNIA)
            imagery.read(scene, Window(0, 0, 100, 100), 100)
            assert stand_in.asked
            assert not any(asked.query for asked in stand_in.asked)

    def test_one_in_the_catalogues_address_is_refused_and_not_kept(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 300, 200)})
        with server.running():
            server.assets = {"a": {"href": f"{server.url}/files/a.tif?sig=hidden"}}
            with pytest.raises(DownloadError, match="carries a query") as error:
                _imagery(server).scenes(CALIFORNIA)
        kept = [file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file()]
        assert "hidden" not in str(error.value)
        assert not any(b"hidden" in content for content in kept)


class TestAmazon:
    def test_signatures_are_those_of_the_documentation(self) -> None:
        """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Example: GET Object"."""
        account = aws.Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
        headers = aws.signed(
            "https://examplebucket.s3.amazonaws.com/test.txt", {"Range": "bytes=0-9"}, "us-east-1", account,
            datetime(2013, 5, 24, tzinfo=UTC),
        )  # fmt: skip
        signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        assert headers["Authorization"].endswith(f"Signature={signature}")
        assert "SECRET" not in repr(account).upper().replace("SECRET=", "")

    @pytest.mark.parametrize(
        ("href", "url"),
        [
            (
                "s3://naip-analytic/ca/2020/a b.tif",
                "https://naip-analytic.s3.us-west-2.amazonaws.com/ca/2020/a%20b.tif",
            ),
            ("s3://some.bucket/a.tif", "https://s3.us-west-2.amazonaws.com/some.bucket/a.tif"),
            ("https://example.org/a.tif", "https://example.org/a.tif"),
        ],
    )
    def test_addresses(self, href: str, url: str) -> None:
        assert aws.https(href, "us-west-2") == url

    def test_the_reader_pays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        cog = make_cog(tmp_path / "a.tif", 300, 200)
        server = StacServer({"a": cog}, assets={"a": {"href": "s3://bucket/deep/a.tif"}})
        with server.running() as stand_in:
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
            monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
            imagery = _imagery(server, requester_pays=True)
            with pytest.raises(DownloadError, match="AWS_ACCESS_KEY_ID"):
                imagery.check()
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
            (scene,) = imagery.scenes(CALIFORNIA)
            imagery.read(scene, Window(0, 0, 100, 100), 100)
            asked = [asked for asked in stand_in.asked if asked.path == "/bucket/deep/a.tif"]
            assert asked
            assert all(one.headers["x-amz-request-payer"] == "requester" for one in asked)
            assert all("Signature=" in one.headers["authorization"] for one in asked)


class TestBadServers:
    def test_a_file_that_is_gone(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 300, 200)})
        with server.running():
            imagery = _imagery(server)
            (scene,) = imagery.scenes(CALIFORNIA)
            del server.files["a"]
            with pytest.raises(MissingError, match=r"files/a\.tif is not there"):
                imagery.read(scene, Window(0, 0, 100, 100), 100)

    def test_a_file_that_was_replaced(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 600, 500)})
        with server.running():
            imagery = _imagery(server)
            (scene,) = imagery.scenes(CALIFORNIA)
            imagery.read(scene, Window(0, 0, 100, 100), 100)
            server.files["a"] = make_cog(tmp_path / "b.tif", 600, 500, seed=1)
            with pytest.raises(DownloadError, match="replaced at its source"):
                imagery.read(scene, Window(450, 350, 100, 100), 100)

    def test_no_byte_ranges(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 300, 200)}, ranges=False)
        with server.running():
            imagery = _imagery(server)
            (scene,) = imagery.scenes(CALIFORNIA)
            with pytest.raises(DownloadError, match="does not do byte ranges"):
                imagery.read(scene, Window(0, 0, 100, 100), 100)

    def test_a_file_that_is_no_raster(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 300, 200)})
        with server.running():
            imagery = _imagery(server)
            (scene,) = imagery.scenes(CALIFORNIA)
            server.files["a"] = tmp_path / "text"
            server.files["a"].write_text("not a raster")
            with pytest.raises(DownloadError, match=r"correct samples\.imagery\.asset"):
                imagery.read(scene, Window(0, 0, 100, 100), 100)

    def test_a_server_that_stays_broken_is_named(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 300, 200)})
        patience = Patience(tries=3, first_wait_s=0.01, timeout_s=0.4)
        with server.running(Faults(probability=1, kinds=("503",), in_a_row=1000)) as stand_in:
            with pytest.raises(DownloadError, match=r"answered HTTP 503 \(tried 3 times"):
                _imagery(server, patience=patience).scenes(CALIFORNIA)
            assert len(stand_in.asked) == 3

    def test_what_is_no_api(self) -> None:
        with StandIn(lambda _: Answer(body=b'{"name": "something else"}')) as stand_in:
            server = StacServer({}, url=stand_in.url)
            with pytest.raises(DownloadError, match="no STAC API that can be searched"):
                _imagery(server).scenes(CALIFORNIA)

    def test_16_bit_without_a_stretch(self, tmp_path: Path) -> None:
        server = StacServer({"a": make_cog(tmp_path / "a.tif", 300, 200, dtype="uint16")})
        with server.running():
            imagery = _imagery(server)
            (scene,) = imagery.scenes(CALIFORNIA)
            with pytest.raises(DownloadError, match="holds uint16 values"):
                imagery.read(scene, Window(0, 0, 100, 100), 100)


@pytest.mark.parametrize(
    "changes",
    [
        {"dates": ("2020-02-01", "2020-01-01")},
        {"bands": (0, 1, 2)},
        {"sign": "planetary_computer", "requester_pays": True},
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _imagery(StacServer({}, url="http://localhost"), **changes)


class _Source:
    """Some bytes, and how often they were asked for."""

    def __init__(self, size: int) -> None:
        self.content = np.random.default_rng(size).bytes(size)
        self.asked: list[Span] = []

    def __call__(self, span: Span) -> Piece:
        self.asked.append(span)
        return Piece(self.content[slice(*span)], len(self.content), "v1")


class TestRemoteFile:
    @settings(max_examples=40, deadline=None)
    @given(spans=st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 50_000)), max_size=8))
    def test_any_bytes_come_once(self, tmp_path_factory: pytest.TempPathFactory, spans: list[tuple[int, int]]) -> None:
        source = _Source(300_000)
        file = RemoteFile(source, tmp_path_factory.mktemp("copy") / "a", "a")
        for start, length in spans:
            file.need([(start, start + length)])
            assert file.read(start, length) == source.content[start : start + length]
        asked = sorted(source.asked)
        assert all(end <= start for (_, end), (start, _) in pairwise(asked))

    def test_half_a_line_of_a_process_that_died(self, tmp_path: Path) -> None:
        source, copy = _Source(300_000), tmp_path / "a"
        RemoteFile(source, copy, "a").read(100_000, 10)
        journal = tmp_path / "a.jsonl"
        whole = journal.read_bytes()
        journal.write_bytes(whole + b'{"from": 0, "to": 3000')
        again = RemoteFile(source, copy, "a")
        assert again.read(200_000, 50_000) == source.content[200_000:250_000]
        assert journal.read_bytes().startswith(whole + b'{"from": 200000')
        assert RemoteFile(source, copy, "a").read(200_000, 50_000) == source.content[200_000:250_000]
        assert len(source.asked) == 3

    def test_a_changed_copy_is_not_used(self, tmp_path: Path) -> None:
        source, copy = _Source(300_000), tmp_path / "a"
        RemoteFile(source, copy, "a")
        copy.write_bytes(b"short")
        with pytest.raises(DownloadError, match="was changed after it was fetched"):
            RemoteFile(source, copy, "a")

    def test_several_at_once_fetch_nothing_twice(self, tmp_path: Path) -> None:
        source, copy = _Source(3_000_000), tmp_path / "a"

        def work() -> None:
            file = RemoteFile(source, copy, "a")
            for start in range(0, 3_000_000, 100_000):
                assert file.read(start, 90_000) == source.content[start : start + 90_000]

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        asked = sorted(source.asked)
        assert all(end <= start for (_, end), (start, _) in pairwise(asked))

    def test_spans_are_joined(self) -> None:
        assert joined([(5, 9), (0, 2), (2, 4)]) == [(0, 4), (5, 9)]
        assert joined([(5, 9), (0, 2), (2, 4)], near=1) == [(0, 9)]


def test_the_bench_says_what_reading_costs() -> None:
    from pipeline.bench.imagery import run

    figures = run(patches=40, size=112, block=128)
    assert figures["same_pixels"]
    assert figures["mapteller"]["requests_per_patch"] <= 1.3
    assert figures["mapteller"]["bytes_per_window_byte"] <= 1.5
    assert figures["mapteller_prefetch"]["requests"] < figures["mapteller"]["requests"]
    assert figures["mapteller_again"]["requests"] == 0
    assert figures["rasterio"]["requests"] > 0


def test_a_process_that_read_ends_well(tmp_path: Path) -> None:
    """GDAL holds on to Python's reader; one that outlives the interpreter would crash."""
    server = StacServer({"a": make_cog(tmp_path / "a.tif", 300, 200)})
    program = (
        "import sys, shapely; from download.imagery.stac import StacImagery; from download.scene import Window;"
        "imagery = StacImagery.model_validate_json(sys.argv[1]);"
        "(scene,) = imagery.scenes(shapely.box(-125, 30, -110, 42));"
        "print(imagery.read(scene, Window(0, 0, 64, 64), 64).shape)"
    )
    with server.running():
        command = [sys.executable, "-c", program, _imagery(server).model_dump_json()]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (0, "(64, 64, 3)\n"), ended.stderr

"""Earth Engine, asked by its real client; a stand-in on this machine answers."""

import json
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Barrier, Lock
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from rasterio.transform import from_origin

from download import traffic
from download.errors import DownloadError
from download.imagery.earth_engine import COLLECTIONS, EarthEngineImagery, credentials_found
from download.imagery.earth_engine import pixels as limits
from download.imagery.earth_engine.pixels import bunches
from download.imagery.local import LocalImagery
from download.patience import Patience
from download.scene import Window
from tests.ee_server import EarthEngine, Image
from tests.stand_in import Answer, Asked, Faults, StandIn

NAIP = "USDA/NAIP/DOQQ"
QUICK = Patience(tries=12, first_wait_s=0.01, longest_wait_s=0.05, timeout_s=0.4)
ENVIRONMENT = (
    "EARTHENGINE_KEY_FILE", "GOOGLE_APPLICATION_CREDENTIALS", "EARTHENGINE_TOKEN", "CLOUDSDK_CONFIG",
    "EARTHENGINE_PROJECT", "GOOGLE_CLOUD_PROJECT",
)  # fmt: skip
NORTH_WEST = (500_000, 4_700_000)
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without credentials and with an empty cache."""
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a raster of four bands of random content."""

    def raster(
        name: str, side: int = 200, dtype: str = "uint8", east: float = 0, gsd: float = 0.6, **more: Any
    ) -> Path:
        top = {"uint8": 256, "uint16": 5000, "float32": 1}[dtype]
        pixels = (np.random.default_rng(5).random((4, side, side)) * top).astype(dtype)
        file, (left, up) = tmp_path / f"{name}.tif", NORTH_WEST
        profile = {"crs": "EPSG:26915", "transform": from_origin(left + east, up, gsd, gsd), **more}
        with rasterio.open(
            file,
            "w",
            driver="GTiff",
            width=side,
            height=side,
            count=4,
            dtype=dtype,
            photometric="MINISBLACK",
            **profile,
        ) as out:
            out.write(pixels)
        return file

    return raster


@pytest.fixture
def serve() -> Iterator[Callable[..., StandIn]]:
    """Starts stand-ins, which end with the test."""
    running: list[StandIn] = []

    def start(engine: EarthEngine, faults: Faults | None = None) -> StandIn:
        running.append(StandIn(engine, faults).__enter__())
        return running[-1]

    yield start
    for server in running:
        server.__exit__(None, None, None)


def on_the_web(**options: Any) -> EarthEngineImagery:
    return EarthEngineImagery(**{"kind": "earth_engine", "collection": NAIP, **options})


def imagery(server: StandIn, **options: Any) -> EarthEngineImagery:
    return on_the_web(**{"url": server.url, "patience": QUICK, **options})


def calls(server: StandIn, method: str) -> int:
    return sum(asked.path.endswith(f":{method}") for asked in server.asked)


def stored(file: Path, window: Window, bands: Sequence[int] = (1, 2, 3)) -> Any:
    with rasterio.open(file) as source:
        pixels = source.read(list(bands))
    return pixels[:, window.row : window.row + window.height, window.col : window.col + window.width]


def test_real_naip_as_from_disk(shared_data: Path, serve: Any) -> None:
    files = sorted((shared_data / "naip").glob("m_36*_1_20160620_subset.tif"))
    files.append(shared_data / "naip" / "m_4208701_ne_16_060_20200902.tif")
    server = serve(EarthEngine([Image(file, start="2016-06-20T00:00:00Z") for file in files]))
    from_ee = imagery(server, attribution="", licence="")
    from_disk = {scene.id: scene for file in files for scene in LocalImagery(kind="local", path=file).scenes()}
    for scene in from_ee.scenes(shapely.box(-90, 30, -70, 50)):
        local = from_disk.pop(scene.id)
        same = ("crs", "transform", "width", "height", "bands", "masked", "stretch")
        assert [getattr(scene, name) for name in same] == [getattr(local, name) for name in same]
        for window, size in ((Window(3, 5, 64, 64), 64), (Window(0, 0, 128, 128), 64), (Window(40, 9, 50, 50), 100)):
            disk = LocalImagery(kind="local", path=Path(local.path)).read(local, window, size)
            assert np.array_equal(from_ee.read(scene, window, size), disk)
        assert from_ee.complete(scene, [Window(0, 0, scene.width, scene.height)]).all()
    assert not from_disk


def test_scenes_by_place_date_condition_and_gsd(write: Write, serve: Any) -> None:
    images = [
        Image(write("here"), "2021-08-01T00:00:00Z"),
        Image(write("late"), "2021-08-31T23:59:00Z"),
        Image(write("later"), "2021-09-01T00:00:00Z"),
        Image(write("whole_year"), "2021-08-01T00:00:00Z", end="2022-08-01T00:00:00Z"),
        Image(write("far", east=90_000), "2021-08-02T00:00:00Z"),
        Image(write("coarse", gsd=1.0), "2021-08-02T00:00:00Z"),
        Image(write("cloudy"), "2021-08-02T00:00:00Z", {"CLOUDS": 80}),
    ]
    server = serve(EarthEngine([replace(image, properties={"CLOUDS": 3, **image.properties}) for image in images]))
    summer = imagery(
        server, dates=("2021-08-01", "2021-08-31"), gsd=(0.5, 0.6), filter="properties.CLOUDS < 10", source="test"
    )
    here = shapely.box(-93.01, 42.43, -92.98, 42.46)
    assert [scene.id for scene in summer.scenes(here)] == ["here", "late", "whole_year"]
    first, late, _ = summer.scenes(here)
    assert (first.acquired, first.taken) == (date(2021, 8, 1), None)
    assert late.taken == datetime(2021, 8, 31, 23, 59, tzinfo=UTC)
    assert (first.source, first.licence) == ("test", "public domain")
    assert first.gsd == pytest.approx((0.6, 0.6), rel=1e-3)
    assert first.footprint is not None
    assert calls(server, "listAssets") == 3  # pages of two; the second time from the cache
    with pytest.raises(DownloadError, match=r"no image there and then \(5 before looking at the ground sample"):
        imagery(server, dates=("2021-08-01", "2021-08-31"), gsd=(2, 3)).scenes(here)


def test_adjoining_windows_are_one_request(write: Write, serve: Any) -> None:
    file = write("scene")
    server = serve(EarthEngine([Image(file)]))
    source = imagery(server, source="counted")
    (scene,) = source.scenes()
    grid = [Window(col, row, 20, 20) for row in range(0, 200, 20) for col in range(0, 200, 20)]
    alone = Window(170, 3, 13, 13)
    before = traffic.fetched()
    source.prefetch(scene, grid)
    assert calls(server, "getPixels") == 1
    booked = traffic.since(before)
    assert 3 * 200 * 200 <= booked["fetched_bytes.counted"] <= 3 * 200 * 200 + 1000
    assert booked["fetched_requests.counted"] == 1
    for window in (*grid[::7], alone):
        assert np.array_equal(np.moveaxis(source.read(scene, window, window.width), 2, 0), stored(file, window))
    assert calls(server, "getPixels") == 2


def test_a_second_run_fetches_nothing(write: Write, serve: Any) -> None:
    server = serve(EarthEngine([Image(write("scene"))]))
    source = imagery(server, masked=True)
    windows = [Window(0, 0, 50, 50), Window(100, 100, 50, 50)]

    def run() -> list[Any]:
        again = pickle.loads(pickle.dumps(source))
        (scene,) = again.scenes(shapely.box(-93.01, 42.43, -92.98, 42.46))
        assert again.complete(scene, windows).all()
        return [again.read(scene, window, 50).tolist() for window in windows]

    first, asked = run(), len(server.asked)
    assert run() == first
    assert len(server.asked) == asked


def test_workers_do_not_fetch_the_same_twice(write: Write, serve: Any) -> None:
    server = serve(EarthEngine([Image(write("scene"))]))
    source = imagery(server)
    (scene,) = source.scenes()
    grid = [Window(col, 0, 20, 20) for col in range(0, 200, 20)]
    with ThreadPoolExecutor(6) as workers:
        list(workers.map(lambda _: source.prefetch(scene, grid), range(6)))
    assert calls(server, "getPixels") == 1


def test_so_many_requests_at_once_and_no_more(write: Write) -> None:
    engine, together = EarthEngine([Image(write("scene"))]), Barrier(3)
    under_way: list[int] = [0]
    most: list[int] = []
    lock = Lock()

    def answer(asked: Asked) -> Answer:
        if not asked.path.endswith(":getPixels"):
            return engine(asked)
        with lock:
            under_way[0] += 1
            most.append(under_way[0])
        together.wait(10)  # fewer than three at once would never get past
        with lock:
            under_way[0] -= 1
        together.wait(10)
        return engine(asked)

    with StandIn(answer) as server:
        source = imagery(server, concurrency=3, patience=Patience(tries=1))
        (scene,) = source.scenes()
        with ThreadPoolExecutor(9) as workers:
            apart = [Window(col, 0, 9, 9) for col in range(0, 90, 10)]
            assert len(list(workers.map(lambda window: source.read(scene, window, 9), apart))) == 9
    assert max(most) == 3


windows = st.builds(
    Window, st.integers(0, 9).map(lambda n: n * 10), st.integers(0, 9).map(lambda n: n * 10), st.just(10), st.just(10)
)


@given(st.lists(windows, max_size=60), st.sampled_from([3, 24, 240_000]))
def test_bunches_hold_what_was_asked_and_no_more(asked: list[Window], pixel_bytes: int) -> None:
    gathered = bunches(asked, pixel_bytes)
    parts = [part for bunch in gathered for part in bunch.parts]
    assert sorted(parts) == sorted(set(asked))
    for bunch in gathered:
        assert bunch.window.width * bunch.window.height == sum(part.width * part.height for part in bunch.parts)
        assert len(bunch.parts) == 1 or bunch.window.width * bunch.window.height * pixel_bytes <= limits.REQUEST_BYTES


def test_bunches_keep_the_limits() -> None:
    strip = [Window(col * 512, 0, 512, 4) for col in range(100)]
    square = [Window(col * 1024, row * 1024, 1024, 1024) for col in range(8) for row in range(8)]
    assert [bunch.window.width for bunch in bunches(strip, 3)] == [32_768, 18_432]
    gathered = bunches(square, 3)
    assert len(gathered) == 4
    assert all(bunch.window.width * bunch.window.height * 3 <= 48 << 20 for bunch in gathered)


def test_values_are_stretched_and_scaled(write: Write, serve: Any) -> None:
    file, window = write("deep", dtype="uint16"), Window(20, 30, 40, 40)
    server = serve(EarthEngine([Image(file)]))
    plain = imagery(server, stretch=(200, 4000))
    (scene,) = plain.scenes()
    local = LocalImagery(kind="local", path=file, stretch=(200, 4000))
    (on_disk,) = local.scenes()
    assert np.array_equal(plain.read(scene, window, 40), local.read(on_disk, window, 40))
    assert calls(server, "computePixels") == 0
    scaled = imagery(server, scale=(0.5, 100), stretch=(200, 2100))  # the same, but for the rounding of halves
    (scene,) = scaled.scenes()
    difference = scaled.read(scene, window, 40).astype(int) - local.read(on_disk, window, 40)
    assert np.abs(difference).max() <= 1
    assert calls(server, "computePixels") == 1
    with pytest.raises(DownloadError, match=r"deep is not 8 bit. Set samples.imagery.stretch"):
        imagery(server).scenes()


def test_bands_by_name_in_any_order(write: Write, serve: Any) -> None:
    file, window = write("scene"), Window(20, 30, 40, 40)
    server = serve(EarthEngine([Image(file)]))
    infrared = imagery(server, bands=("N", "R", "G"))
    (scene,) = infrared.scenes()
    assert scene.bands == (4, 1, 2)
    got = np.moveaxis(infrared.read(scene, window, 40), 2, 0)
    assert np.array_equal(got, stored(file, window, (4, 1, 2)))
    with pytest.raises(DownloadError, match=r"scene has no band B4 but R, G, B, N. Correct samples.imagery.bands"):
        imagery(server, bands=("B4", "R", "G")).scenes()


def test_footprint_and_masks_tell_what_is_complete(write: Write, serve: Any) -> None:
    file = write("holes", nodata=0)
    with rasterio.open(file, "r+") as raster:
        pixels = np.maximum(raster.read(), 1)
        pixels[:, 70, 70] = 0
        raster.write(pixels)
    whole = Image(file).record(NAIP)["geometry"]["coordinates"]
    (west, north), (east, south) = whole[3], whole[1]
    left_half = shapely.geometry.mapping(shapely.box(west, south, (west + east) / 2, north))
    server = serve(EarthEngine([Image(file, footprint=left_half)]))
    windows = [Window(0, 0, 60, 60), Window(60, 60, 30, 30), Window(120, 0, 60, 60), Window(80, 0, 40, 40)]
    by_footprint, by_mask = imagery(server), imagery(server, masked=True)
    assert by_footprint.complete(by_footprint.scenes()[0], windows).tolist() == [True, True, False, False]
    assert calls(server, "computePixels") == 0
    assert by_mask.complete(by_mask.scenes()[0], windows).tolist() == [True, False, False, False]
    assert by_mask.complete(by_mask.scenes()[0], []).tolist() == []


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_changes_nothing(write: Write, serve: Any, seed: int) -> None:
    file = write("scene")
    calm, storm = serve(EarthEngine([Image(file)])), serve(EarthEngine([Image(file)]), Faults(0.3, seed))
    for server in (calm, storm):
        source = imagery(server, masked=True)
        (scene,) = source.scenes()
        apart = [Window(col, row, 9, 9) for col in range(0, 60, 20) for row in range(0, 60, 20)]
        assert source.complete(scene, apart[:3]).all()
        source.prefetch(scene, apart)
        for window in apart:
            assert np.array_equal(np.moveaxis(source.read(scene, window, 9), 2, 0), stored(file, window))
    failed = sum(storm.failed.values())
    assert failed
    assert (
        len(calm.asked) < len(storm.asked) <= len(calm.asked) + 2 * failed
    )  # the client introduces itself in two steps


def test_quota_passes_and_refusals_do_not(write: Write, serve: Any) -> None:
    engine = EarthEngine([Image(write("scene"))])
    server = serve(engine)
    source = imagery(server)
    (scene,) = source.scenes()
    engine.busy = ["Too many concurrent aggregations.", "Earth Engine capacity exceeded.", "Computation timed out."]
    assert source.read(scene, Window(0, 0, 8, 8), 8).shape == (8, 8, 3)
    assert calls(server, "getPixels") == 4
    engine.busy = ["User memory limit exceeded."]
    with pytest.raises(DownloadError, match=r"refused: User memory limit exceeded. Choose smaller patches"):
        source.read(scene, Window(8, 8, 8, 8), 8)
    engine.busy = ["Caller does not have required permission to use project mine."]
    with pytest.raises(DownloadError, match=r"permission.*Register the Cloud project.*docs/sources.md"):
        source.read(scene, Window(8, 8, 8, 8), 8)
    engine.busy = ["Quota exceeded for quota metric 'Earth Engine compute time'."] * 3
    with pytest.raises(DownloadError, match=r"Quota exceeded.*tried 3 times"):
        imagery(server, patience=QUICK.model_copy(update={"tries": 3})).read(scene, Window(16, 8, 8, 8), 8)
    with pytest.raises(DownloadError, match=r"not found.*Correct samples.imagery.collection"):
        imagery(server, collection="USDA/NAIP/DOQ", bands=("R", "G", "B")).scenes()


def key_file(folder: Path, token_url: str) -> Path:
    """Key of a service account that nobody knows, made now."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    content = {
        "type": "service_account", "project_id": "project-of-the-key", "client_email": "reader@example.com",
        "token_uri": token_url, "private_key_id": "1",
        "private_key": key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    }  # fmt: skip
    file = folder / "key.json"
    file.write_text(json.dumps(content))
    return file


def test_an_expired_token_is_renewed(write: Write, serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = EarthEngine([Image(write("scene"))], tokens=["secret-1", "secret-2"])
    server = serve(engine)
    monkeypatch.setenv("EARTHENGINE_KEY_FILE", str(key_file(tmp_path, f"{server.url}/token")))
    source = imagery(server)
    source.check()
    (scene,) = source.scenes()
    engine.refused.add("secret-1")
    assert source.read(scene, Window(0, 0, 8, 8), 8).any()
    assert server.asked[-1].headers["authorization"] == "Bearer secret-2"
    assert server.asked[-1].headers["x-goog-user-project"] == "project-of-the-key"
    engine.refused.add("secret-2")
    engine.tokens = ["secret-2"] * 9
    with pytest.raises(DownloadError, match="invalid authentication credentials") as refused:
        source.read(scene, Window(8, 0, 8, 8), 8)
    kept = b"".join(file.read_bytes() for file in (tmp_path / "cache").rglob("*") if file.is_file())
    assert "secret" not in str(refused.value)
    assert b"secret" not in kept


def test_which_credentials_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = on_the_web()
    assert credentials_found() is None
    with pytest.raises(DownloadError, match=r"No Earth Engine credentials. Run `earthengine authenticate`, or set"):
        real.check()

    user = {"refresh_token": "secret", "project": "project-of-the-user"}
    gcloud = tmp_path / "gcloud"
    gcloud.mkdir()
    (gcloud / "application_default_credentials.json").write_text(
        json.dumps({**user, "type": "authorized_user", "client_id": "1", "client_secret": "secret"})
    )
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(gcloud))
    assert credentials_found() == f"user account ({gcloud}/application_default_credentials.json)"
    real.check()

    file = tmp_path / "home" / ".config" / "earthengine" / "credentials"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"refresh_token": "secret"}))
    assert credentials_found() == "user account (~/.config/earthengine/credentials)"
    with pytest.raises(DownloadError, match=r"needs a Cloud project.*Set samples.imagery.project or EARTHENGINE_P"):
        real.check()
    real.model_copy(update={"project": "mine"}).check()
    monkeypatch.setenv("EARTHENGINE_PROJECT", "mine")
    real.check()

    monkeypatch.setenv("EARTHENGINE_TOKEN", json.dumps(user))
    assert credentials_found() == "user account (EARTHENGINE_TOKEN)"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file(tmp_path, "https://oauth2.googleapis.com/token")))
    assert credentials_found() == "service account (GOOGLE_APPLICATION_CREDENTIALS)"
    real.check()


@pytest.mark.parametrize("content", [None, "no json secret", '{"private_key": "secret"}', '["secret"]'])
def test_broken_credentials_are_not_shown(content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key.json"
    if content:
        file.write_text(content)
    monkeypatch.setenv("EARTHENGINE_KEY_FILE", str(file))
    with pytest.raises(DownloadError, match="EARTHENGINE_KEY_FILE") as error:
        on_the_web(project="mine").check()
    assert "secret" not in str(error.value)
    file.write_text('{"type": "service_account", "private_key": "secret"}')
    with pytest.raises(DownloadError, match="no known kind, or not complete") as error:
        on_the_web(project="mine").check()
    assert "secret" not in str(error.value)


def test_without_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ee", None)
    for ask in (EarthEngineImagery.check, EarthEngineImagery.scenes):
        with pytest.raises(DownloadError, match=r"pip install 'mapteller\[earth-engine\]'"):
            ask(on_the_web(project="mine", url="http://127.0.0.1:9"))


def test_credentials_are_sent_encrypted_or_not_at_all() -> None:
    with pytest.raises(DownloadError, match="has to start with https://"):
        on_the_web(url="http://example.com").check()


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_ten_collections_are_ready(collection: str) -> None:
    ready = on_the_web(collection=collection)
    assert len(set(ready.bands)) == 3
    assert ready.source == collection
    assert ready.licence
    assert ready.attribution
    assert len(COLLECTIONS) == 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"collection": "projects/mine/assets/drone"}, "bands: name red, green and blue of projects/mine"),
        ({"dates": ("2022-01-01", "2021-01-01")}, "dates: 2022-01-01 comes after 2021-01-01"),
        ({"scale": (0.1, 0)}, "scale needs a stretch"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        on_the_web(**options)

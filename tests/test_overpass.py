"""Maps from Overpass servers, and how they are asked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import shapely

from annotation.tags import TagTable
from download.errors import DownloadError
from download.osm.cut import cut
from download.osm.extract import OsmExtract, OsmHistory
from download.osm.history import snapshot
from download.osm.overpass import OverpassMap, cells_of
from download.osm.overpass_servers import slot_wait
from download.patience import Patience
from pipeline.elements import ElementStore, write_elements
from tests.overpass_server import Extract, OverpassServer
from tests.stand_in import Answer, Asked, Faults, StandIn

QUICK = Patience(tries=12, first_wait_s=0.01, longest_wait_s=0.05, timeout_s=10)
HASTY = QUICK.model_copy(update={"timeout_s": 0.5})
VADUZ = shapely.box(9.512, 47.132, 9.528, 47.148)
DAY = date(2013, 5, 1)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def liechtenstein(shared_data: Path) -> Path:
    return shared_data / "osm" / "liechtenstein.osm.pbf"


@pytest.fixture(scope="module")
def vaduz(tmp_path_factory: pytest.TempPathFactory, liechtenstein: Path) -> Extract:
    """A part of the country, so that the servers are quick."""
    target = tmp_path_factory.mktemp("vaduz") / "vaduz.osm.pbf"
    cut(liechtenstein, (9.5, 47.12, 9.54, 47.16), target)
    return Extract(target).loaded()


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory, liechtenstein: Path) -> Extract:
    """A small map, for tests of manners."""
    target = tmp_path_factory.mktemp("village") / "village.osm.pbf"
    cut(liechtenstein, (9.515, 47.135, 9.52, 47.14), target)
    return Extract(target).loaded()


def small(*servers: StandIn, **changes: Any) -> OverpassMap:
    addresses = [f"{server.url}/api" for server in servers]
    return OverpassMap.model_validate({"kind": "overpass", "servers": addresses, "patience": QUICK, **changes})


SMALL = shapely.box(9.516, 47.136, 9.519, 47.139)


def elements(extract: OsmExtract, area: Any, folder: Path) -> pa.Table:
    """What a run would know of an area: all that has a share of it, not only its box."""
    target = folder / f"{extract.digest()}.parquet"
    write_elements(extract, TagTable.load(), target)
    table = ElementStore(target).read(area.bounds, hidden=True)
    return table.filter(shapely.intersects(area, shapely.from_wkb(table["geometry"].to_numpy())))


def queries(server: StandIn) -> int:
    return sum(asked.path == "/api/interpreter" for asked in server.asked)


def test_same_elements_as_the_extract(vaduz: Extract, liechtenstein: Path, tmp_path: Path) -> None:
    with StandIn(OverpassServer(vaduz)) as server:
        map_ = small(server, cell=0.02)
        extract = map_.on_disk(VADUZ)
        assert queries(server) == 5, "four cells and the boundaries"
        assert map_.on_disk(VADUZ) == extract
        assert queries(server) == 5
    extract.check()
    found = elements(extract, VADUZ, tmp_path)
    known = elements(OsmExtract(path=liechtenstein), VADUZ, tmp_path)
    assert len(known) > 300
    assert found.equals(known)


def test_same_elements_as_the_history_at_a_day(shared_data: Path, tmp_path: Path) -> None:
    history = OsmHistory(path=shared_data / "osm" / "andorra.osh.pbf").on_disk(None)
    state, area = tmp_path / "state.osm.pbf", shapely.box(1.51, 42.5, 1.55, 42.52)
    snapshot(history.path, datetime.combine(DAY, time.max, tzinfo=UTC), state)
    moment, known_then = f"{DAY}T23:59:59Z", Extract(state).loaded()
    with StandIn(OverpassServer(known_then, {moment: known_then})) as server:
        extract = small(server, date=DAY).on_disk(area)
        assert all(f'[date:"{moment}"]' in asked.body.decode() for asked in server.asked)
    found, known = elements(extract, area, tmp_path), elements(OsmExtract(path=state), area, tmp_path)
    assert len(known) > 300
    assert found.equals(known)


def test_storm(village: Extract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn(OverpassServer(village)) as calm:
        known = small(calm, cell=0.002).on_disk(SMALL).path.read_bytes()
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path / "other"))
    with StandIn(OverpassServer(village), Faults(seed=1, hang_s=0.7)) as one:
        found = small(one, cell=0.002, patience=HASTY).on_disk(SMALL)
        assert len(one.failed) > 2
    assert found.path.read_bytes() == known


def test_parallel_workers_ask_once(village: Extract) -> None:
    with StandIn(OverpassServer(village)) as server, ThreadPoolExecutor(4) as pool:
        files = set(pool.map(lambda _: small(server).on_disk(SMALL).path, range(4)))
        assert len(files) == 1
        assert queries(server) == 2


def says(status: int, body: bytes = b"", wait_s: int | None = None) -> Callable[[Asked], Answer]:
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    return lambda asked: Answer(404) if asked.path == "/api/status" else Answer(status, body, headers)


CUT = b'<?xml version="1.0"?><osm version="0.6"><node id="1" lat="1" lon="1"/>'
REMARK = CUT + b"<remark> runtime error: something went wrong </remark></osm>"


@pytest.mark.parametrize(
    "wrong",
    [
        says(429, wait_s=7000),
        says(504),
        says(400),
        says(403),
        says(200, b"<!DOCTYPE html><html>busy</html>"),
        says(200, b'<?xml version="1.0"?><!DOCTYPE html><html>The server is probably too busy</html>'),
        says(200, CUT),
        says(200, REMARK),
    ],
)
def test_another_server_is_asked(village: Extract, wrong: Callable[[Asked], Answer]) -> None:
    with StandIn(wrong) as first, StandIn(OverpassServer(village)) as second:
        small(first, second).on_disk(SMALL).check()
        assert (queries(first), queries(second)) == (2, 2)


def test_a_server_that_lags_or_knows_no_past_is_passed_over(village: Extract) -> None:
    then = {f"{DAY}T23:59:59Z": village}
    lagging = OverpassServer(village, then, base="2012-01-01T00:00:00Z")
    with (
        StandIn(lagging) as late,
        StandIn(OverpassServer(village)) as present,
        StandIn(OverpassServer(village, then)) as right,
    ):
        small(late, present, right, date=DAY).on_disk(SMALL).check()
        assert queries(right) == 2


def test_slots_are_waited_for(village: Extract) -> None:
    right = OverpassServer(village, slots="Slot available after: 2026-11-01T00:00:00Z, in 0 seconds.")
    refused: list[Asked] = []

    def busy_once(asked: Asked) -> Answer:
        if asked.path == "/api/interpreter" and not refused:
            refused.append(asked)
            return Answer(429)
        return right(asked)

    with StandIn(busy_once) as server:
        small(server).on_disk(SMALL)
        assert [asked.path for asked in server.asked][:3] == ["/api/interpreter", "/api/status", "/api/interpreter"]


@pytest.mark.parametrize(
    ("status", "wait"),
    [
        ("Rate limit: 2\n2 slots available now.\n", None),
        ("Rate limit: 2\n1 slot available now.\nSlot available after: 2026-11-20T18:08:05Z, in 9 seconds.", None),
        ("Slot available after: 2026-11-20T18:08:05Z, in 25 seconds.\nSlot available after: T, in 9 seconds.", 9),
        ("Slot available after: 2026-11-20T18:08:05Z, in -3 seconds.", 0),
        ("Rate limit: 0\n", None),
        ("<html>", None),
    ],
)  # fmt: skip
def test_status(status: str, wait: float | None) -> None:
    assert slot_wait(status) == wait


def test_what_is_too_much_is_asked_in_quarters(vaduz: Extract, tmp_path: Path) -> None:
    def too_much(query: str) -> str:
        whole = "admin_level" not in query and "(47.12,9.52,47.16,9.56)" in query
        return 'runtime error: Query timed out in "query" at line 2 after 180 seconds.' if whole else ""

    area, other = shapely.box(9.525, 47.13, 9.53, 47.15), shapely.box(9.525, 47.13, 9.535, 47.15)
    with StandIn(OverpassServer(vaduz, remark=too_much)) as server:
        extract = small(server, cell=0.04).on_disk(area)
        assert queries(server) == 6, "the cell, its quarters, and the boundaries"
        small(server, cell=0.04).on_disk(other)
        assert queries(server) == 6
    known = elements(OsmExtract(path=vaduz.path), area, tmp_path)
    assert elements(extract, area, tmp_path).equals(known)


def test_quarters_come_to_an_end(village: Extract) -> None:
    refusing = OverpassServer(village, remark=lambda _: "runtime error: Query run out of memory using about 512 MB.")
    with StandIn(refusing) as server, pytest.raises(DownloadError, match="gave up: runtime error: Query run out"):
        small(server).on_disk(SMALL)


def test_all_refuse() -> None:
    with (
        StandIn(says(400)) as one,
        StandIn(says(403)) as two,
        pytest.raises(DownloadError, match=r"HTTP 400.*HTTP 403"),
    ):
        small(one, two).on_disk(SMALL)
    with StandIn(says(429)) as busy, pytest.raises(DownloadError, match="tried 3 times"):
        small(busy, patience=QUICK.model_copy(update={"tries": 3})).on_disk(SMALL)


def test_boundaries_of_countries_on_request_only(village: Extract, tmp_path: Path) -> None:
    with StandIn(OverpassServer(village)) as server:
        levels = {}
        for widest in (2, 4, 8):
            found = elements(small(server, widest=widest).on_disk(SMALL), SMALL, tmp_path)
            tags = [dict(row) for row in found["tags"].to_pylist()]
            levels[widest] = {own["admin_level"] for own in tags if own.get("boundary") == "administrative"}
    assert "2" in levels[2]
    assert levels[4] == levels[2] - {"2"}
    assert levels[8] == levels[4] - {"4", "5", "6", "7"}


def test_areas_that_cannot_be_asked_for() -> None:
    map_ = OverpassMap(kind="overpass", servers=("http://127.0.0.1:9/api",))
    with pytest.raises(DownloadError, match="Set region"):
        map_.on_disk(None)
    with pytest.raises(DownloadError, match=r"400 cells of 0\.1°"):
        map_.on_disk(shapely.box(0, 0, 2, 2))
    secret = OverpassMap(kind="overpass", servers=("https://me:secret@example.org/api",))
    with pytest.raises(DownloadError, match="user or a password") as error:
        secret.on_disk(SMALL)
    assert "secret" not in str(error.value)


def test_cells() -> None:
    across_the_meridian = shapely.box(-0.05, 0.11, 0.05, 0.19)
    assert cells_of(across_the_meridian, 0.1) == [(-0.1, 0.1, 0.0, 0.2), (0.0, 0.1, 0.1, 0.2)]
    corner = shapely.Polygon([(0.01, 0.01), (0.18, 0.01), (0.01, 0.18)])
    assert len(cells_of(corner, 0.1)) == 3
    assert len(cells_of(shapely.box(0.01, 0.01, 0.09, 0.09).union(shapely.box(0.91, 0.91, 0.99, 0.99)), 0.1)) == 2

"""Files that were fetched once: one fetch for all processes, and nothing that blocks or deceives."""

import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from download import cache as cache_module
from download.cache import Cache
from download.errors import DownloadError
from download.patience import Patience
from download.web import Web
from tests.stand_in import Answer, Faults, StandIn

PATIENCE_S = 30
PROCESSES = multiprocessing.get_context("spawn")
CONTENT = bytes(range(256)) * 2000
KEY = ("maps", "https://example.org/map")


def _fetch(folder: Path, url: str) -> None:
    web = Web("test", Patience(first_wait_s=0.001, timeout_s=2))
    Cache(folder).file(KEY, ".pbf", "example", lambda target: web.download(url, target))


def _fetch_tiles(folder: Path, url: str) -> None:
    web = Web("test", Patience(first_wait_s=0.001, timeout_s=2))
    for number in range(5):
        got = Cache(folder).content(("tiles", str(number)), ".png", "example", lambda: web.get(f"{url}/{number}"))  # noqa: B023 - called at once
        assert got == f"/{number}".encode()


def _all_at_once(work: Callable[[], None], number: int, ending: int = 0) -> None:
    processes = [PROCESSES.Process(target=work) for _ in range(number)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE_S)
    assert [process.exitcode for process in processes] == [ending] * number


def test_processes_fetch_once(tmp_path: Path) -> None:
    with StandIn(lambda asked: Answer(body=asked.path.encode())) as server:
        _all_at_once(partial(_fetch_tiles, tmp_path, server.url), 3)
        assert sorted(asked.path for asked in server.asked) == [f"/{number}" for number in range(5)]
        _fetch_tiles(tmp_path, server.url)
        assert len(server.asked) == 5


def _die_half_way(folder: Path, url: str) -> None:
    def make(target: Path) -> None:
        try:
            Web("test", Patience(tries=1)).download(url, target)
        except DownloadError:
            os.kill(os.getpid(), signal.SIGKILL)

    Cache(folder).file(KEY, ".pbf", "example", make)


def test_a_killed_process_leaves_no_lock_and_no_waste(tmp_path: Path) -> None:
    half_once = Faults(1, kinds=("truncated",), in_a_row=1)
    with StandIn(lambda _: Answer(body=CONTENT, ranges=True), half_once) as server:
        _all_at_once(partial(_die_half_way, tmp_path, f"{server.url}/map"), 1, ending=-signal.SIGKILL)
        _fetch(tmp_path, f"{server.url}/map")
        assert server.asked[1].headers["range"] == f"bytes={len(CONTENT) // 2}-"
        assert server.sent == len(CONTENT)
    (kept,) = tmp_path.rglob("*.pbf")
    assert kept.read_bytes() == CONTENT


def test_what_is_kept_says_where_it_comes_from(tmp_path: Path) -> None:
    kept = Cache(tmp_path).file(KEY, ".pbf", "example", lambda target: _write(target, b"map"))
    record = json.loads(kept.with_name(f"{kept.name}.json").read_text())
    assert (record["source"], record["bytes"]) == ("example", 3)
    assert record["sha256"] == hashlib.sha256(b"map").hexdigest()
    assert datetime.fromisoformat(record["fetched"]).tzinfo is not None
    assert kept.parent.parent == tmp_path / "maps"


def _write(target: Path, content: bytes) -> None:
    target.write_bytes(content)


def _never(target: Path) -> None:
    raise AssertionError(f"{target} is asked for again")


def test_a_second_call_fetches_nothing_and_keys_differ(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    kept = cache.file(KEY, ".pbf", "example", lambda target: _write(target, b"map"))
    assert cache.file(KEY, ".pbf", "example", _never) == kept
    other = cache.file(("maps", "https://example.org", "map"), ".pbf", "example", lambda target: _write(target, b""))
    assert other != kept
    assert other.read_bytes() == b""
    assert cache.file(("maps", "https://example.org", "map"), ".pbf", "example", _never) == other


@pytest.mark.parametrize("change", [b"mop", b"longer", b""])
def test_a_changed_file_is_told(tmp_path: Path, change: bytes) -> None:
    cache = Cache(tmp_path)
    kept = cache.file(KEY, ".pbf", "example", lambda target: _write(target, b"map"))
    os.utime(kept, ns=(0, 0))
    assert cache.file(KEY, ".pbf", "example", _never) == kept, "a copy has another time, and the same content"
    kept.write_bytes(change)
    with pytest.raises(DownloadError, match=r"\.pbf was changed after it was fetched\. Delete it, then run again"):
        cache.file(KEY, ".pbf", "example", _never)
    kept.unlink()
    assert cache.file(KEY, ".pbf", "example", lambda target: _write(target, b"new")).read_bytes() == b"new"


def test_a_broken_record_is_told(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    kept = cache.file(KEY, ".pbf", "example", lambda target: _write(target, b"map"))
    record = kept.with_name(f"{kept.name}.json")
    for content in ("", "[]", "{}"):
        record.write_text(content)
        with pytest.raises(DownloadError, match=r"\.json was changed after it was written\. Delete it"):
            cache.file(KEY, ".pbf", "example", _never)
    record.unlink()
    assert cache.file(KEY, ".pbf", "example", lambda target: _write(target, b"new")).read_bytes() == b"new"


def test_failing_keeps_what_came(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    def break_off(target: Path) -> None:
        target.write_bytes(b"half")
        raise DownloadError("broke off")

    def go_on(target: Path) -> None:
        target.write_bytes(target.read_bytes() + b" and half")

    with pytest.raises(DownloadError, match="broke off"):
        cache.file(KEY, ".pbf", "example", break_off)
    assert list(tmp_path.rglob("*.pbf")) == []
    assert cache.file(KEY, ".pbf", "example", go_on).read_bytes() == b"half and half"


def test_no_room_is_told(tmp_path: Path) -> None:
    def full(target: Path) -> None:  # noqa: ARG001 - nothing can be written
        raise OSError(28, "No space left on device")

    def reset(target: Path) -> None:  # noqa: ARG001 - nothing came
        raise ConnectionResetError(104, "Connection reset by peer")

    with pytest.raises(DownloadError, match=r"cannot be written: No space left.*MAPTELLER_CACHE"):
        Cache(tmp_path).file(KEY, ".pbf", "example", full)
    with pytest.raises(ConnectionResetError):
        Cache(tmp_path).file(KEY, ".pbf", "example", reset)


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache_module.FOLDER, str(tmp_path / "here"))
    assert Cache.usual().folder == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(cache_module.FOLDER, "~/there")
    assert Cache.usual().folder == tmp_path / "there"
    monkeypatch.delenv(cache_module.FOLDER)
    assert Cache.usual().folder == tmp_path / ".cache" / "mapteller"

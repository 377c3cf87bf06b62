"""The run folder: parts, locks, leftovers; and what a fingerprint depends on."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.atomic import remove_unfinished, replacing, write_json
from pipeline.errors import PipelineError
from pipeline.fingerprint import content_of, differences, digest
from pipeline.parts import PART_KINDS
from pipeline.shards import Packer, ShardPlan
from pipeline.split import Split
from pipeline.store import Commit, RunFolder

NO_ROWS: dict[str, list[dict[str, object]]] = {kind: [] for kind in PART_KINDS}


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.txt"
    with pytest.raises(RuntimeError), replacing(target) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert list(target.parent.iterdir()) == []
    write_json(target, {"b": 1, "a": "ü"})
    with pytest.raises(RuntimeError), replacing(target) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert target.read_text() == '{\n  "a": "ü",\n  "b": 1\n}\n'


def test_leftovers_of_killed_runs_go(tmp_path: Path) -> None:
    (tmp_path / "map" / ".e.parquet.x.unfinished").mkdir(parents=True)
    (tmp_path / "map" / ".e.parquet.x.unfinished" / "run0").write_text("")
    (tmp_path / ".run.json.7.unfinished").write_text("")
    (tmp_path / "kept.json").write_text("")
    remove_unfinished(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["kept.json", "map"]


def test_a_unit_is_done_when_its_last_part_says_so(tmp_path: Path) -> None:
    folder, commit = RunFolder(tmp_path), Commit("f", "c", {"captioned": 0})
    assert folder.committed("u") is None
    folder.commit("u", NO_ROWS, commit)
    assert folder.committed("u") == commit
    part = folder.part("captions", "u")
    part.write_bytes(part.read_bytes()[:50])
    assert folder.committed("u") is None
    folder.commit("u", NO_ROWS, commit)
    folder.forget_all_but({"v"})
    assert folder.committed("u") is None
    assert not list(tmp_path.rglob("*.parquet"))


def test_only_one_run_writes(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    assert not first.running()
    with first.locked():
        assert second.running()
        with pytest.raises(PipelineError, match=r"Another run is writing"), second.locked():
            pass
        assert second.running()
    assert not second.running()
    with second.locked():
        assert first.running()


def test_damaged_run_json_is_said(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"name": ')
    with pytest.raises(PipelineError, match=r"run.json is damaged.*--resume never"):
        RunFolder(tmp_path).info()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12), st.integers(1, 7), st.randoms(use_true_random=False))
def test_shards_are_the_same_whatever_the_order_of_units(counts: list[int], size: int, draw: Random) -> None:
    units = [f"u{number}" for number in range(len(counts))]
    commits = {unit: Commit("f", unit, {"captioned": count}) for unit, count in zip(units, counts, strict=True)}

    def deal(order: list[str]) -> list[ShardPlan]:
        packer = Packer(units, size)
        return [plan for unit in order for plan in packer.add(unit, commits[unit])] + packer.finish()

    shuffled = units.copy()
    draw.shuffle(shuffled)
    plans = deal(units)
    assert deal(shuffled) == plans
    assert [plan.number for plan in plans] == list(range(len(plans)))
    lengths = [sum(piece.stop - piece.start for piece in plan.pieces) for plan in plans]
    assert all(length == size for length in lengths[:-1])
    assert sum(lengths) == sum(counts)
    dealt = [(piece.unit, place) for plan in plans for piece in plan.pieces for place in range(piece.start, piece.stop)]
    assert dealt == [(unit, place) for unit, count in zip(units, counts, strict=True) for place in range(count)]


def test_fingerprint_leaves_out_places_and_concurrency() -> None:
    config = {
        "name": "a", "workers": 2, "seed": 1, "output": {"kind": "webdataset"},
        "samples": {"imagery": {"kind": "local", "path": "/a", "bands": [1, 2, 3]}, "osm": {"path": "/b"}},
        "captions": {"engines": [{"kind": "grammar", "name": "g", "replicas": 3}]},
    }  # fmt: skip
    moved = json.loads(json.dumps(config))
    moved["name"], moved["workers"], moved["samples"]["imagery"]["path"] = "b", 9, "/elsewhere"
    moved["captions"]["engines"][0]["replicas"] = 1
    assert digest(content_of(config, {})) == digest(content_of(moved, {}))
    moved["captions"]["engines"][0]["name"] = "h"
    moved["seed"] = 2
    assert differences(content_of(config, {"map": "x"}), content_of(moved, {"map": "y"})) == [
        'captions.engines.0.name: "g" -> "h"',
        'inputs.map: "x" -> "y"',
        "seed: 1 -> 2",
    ]
    one, other = (
        {"samples": {"imagery": {"kind": "several", "sources": {"CH": {"kind": "local", "path": path}}}}}
        for path in ("/a", "/elsewhere")
    )
    assert digest(content_of(one, {})) == digest(content_of(other, {}))


@given(st.floats(-179, 179), st.floats(-89, 89))
def test_neighbours_share_a_split(lon: float, lat: float) -> None:
    split = Split(train=0.8, validation=0.1, test=0.1, cell=0.5)
    west, south = lon // 0.5 * 0.5, lat // 0.5 * 0.5
    corners = {split.of(west + dx, south + dy, seed=1) for dx in (0.001, 0.499) for dy in (0.001, 0.499)}
    assert corners == {split.of(west + 0.25, south + 0.25, seed=1)}


def test_split_shares_are_met() -> None:
    split = Split(train=0.7, validation=0.2, test=0.1, cell=0.05)
    drawn = [split.of(x * 0.05 + 0.01, y * 0.05 + 0.01, seed=4) for x in range(100) for y in range(100)]
    shares = {name: drawn.count(name) / len(drawn) for name in ("train", "validation", "test")}
    assert shares == pytest.approx({"train": 0.7, "validation": 0.2, "test": 0.1}, abs=0.02)

"""Samples and facts of an earlier run, captioned again."""

import io
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from download.sample import SampleCounty
from tests.conftest import CommandLine
from tests.run_folder import run_info, samples, shard_digests


@pytest.fixture(scope="module")
def earlier(
    county: SampleCounty, small_scenes: Path, tmp_path_factory: pytest.TempPathFactory, mapteller: CommandLine
) -> Path:
    """A finished run whose imagery and map are gone."""
    folder = tmp_path_factory.mktemp("earlier")
    imagery = folder / "imagery"
    imagery.mkdir()
    for name in ("a00.tif", "a01.tif"):
        (imagery / name).write_bytes((small_scenes / name).read_bytes())
    config = {
        "name": "earlier",
        "samples": {
            "kind": "grid",
            "imagery": {"kind": "local", "path": str(imagery)},
            "osm": {"kind": "extract", "path": str(county.extract)},
            "patch": {"size": 224, "gsd": 0.6},
        },
        "captions": {"tasks": {"area": 0.5, "non_area": 0.3, "scene": 0.2, "revision": 1}},
        "output": {"kind": "webdataset", "samples_per_shard": 16},
        "workers": 2,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    mapteller("run", folder / "config.yaml", "--out", folder / "run")
    shutil.rmtree(imagery)
    shutil.rmtree(folder / "run" / "map")
    return folder / "run"


def _config(folder: Path, earlier: Path, **changes: object) -> Path:
    config = {
        "name": "again",
        "seed": 11,
        "samples": {"kind": "run", "path": str(earlier)},
        "captions": {"engines": [{"kind": "grammar", "name": "one"}, {"kind": "grammar", "name": "two"}],
                     "assign": "share", "tasks": {"revision": {"mean": 2, "engine": "two"}}},
        "output": {"kind": "webdataset", "samples_per_shard": 10},
        "workers": 2,
        **changes,
    }  # fmt: skip
    file = folder / "again.yaml"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.mark.timeout(300)
def test_the_same_samples_are_told_anew(earlier: Path, tmp_path: Path, mapteller: CommandLine) -> None:
    config, out = _config(tmp_path, earlier), tmp_path / "again"
    mapteller("run", config, "--out", out)
    before = {sample["metadata"]["patch_id"]: sample for sample in samples(earlier)}
    after = {sample["metadata"]["patch_id"]: sample for sample in samples(out)}
    assert before.keys() == after.keys()
    for patch_id, sample in after.items():
        known = before[patch_id]
        assert sample["picture"] == known["picture"], "pictures are copied byte for byte"
        assert sample["metadata"] == known["metadata"]
        assert sample["elements"] == known["elements"]
        (first, *revisions) = sample["annotations"]
        assert first["task"] == known["annotations"][0]["task"]
        assert first["elements"] == known["annotations"][0]["elements"]
        assert [revision["annotator"] for revision in revisions] == ["two", "two"]
    texts = [{note["text"] for sample in run.values() for note in sample["annotations"]} for run in (before, after)]
    assert len(texts[0] & texts[1]) < len(texts[1]) / 4
    assert {sample["annotations"][0]["annotator"] for sample in after.values()} == {"one", "two"}
    assert run_info(out)["origin"]["kind"] == "grid"
    first = shard_digests(out)
    mapteller("run", config, "--out", out, "--resume", "never")
    assert shard_digests(out) == first


@pytest.mark.timeout(300)
def test_a_changed_earlier_run_is_noticed_and_other_pictures_can_be_written(
    earlier: Path, tmp_path: Path, mapteller: CommandLine
) -> None:
    output = {"kind": "webdataset", "samples_per_shard": 10, "image": "png"}
    mapteller("run", _config(tmp_path, earlier, output=output), "--out", tmp_path / "png")
    for sample, known in zip(samples(tmp_path / "png"), samples(earlier), strict=True):
        pictures = [np.asarray(Image.open(io.BytesIO(each["picture"]))) for each in (sample, known)]
        assert (pictures[0] == pictures[1]).all()
    damaged = tmp_path / "damaged"
    shutil.copytree(earlier, damaged)
    (shard, *_) = sorted((damaged / "shards").glob("*.tar"))
    shard.write_bytes(shard.read_bytes()[:5000])
    run = mapteller("run", _config(tmp_path, damaged), "--out", tmp_path / "cut", code=1)
    assert "is damaged at byte" in run.stdout
    assert run_info(tmp_path / "cut")["state"] == "incomplete"


def test_drafts_are_captions_of_their_own(earlier: Path, tmp_path: Path, mapteller: CommandLine) -> None:
    captions = {"drafts": 3, "tasks": {"revision": 1}}
    mapteller("run", _config(tmp_path, earlier, captions=captions), "--out", tmp_path / "three")
    for sample in samples(tmp_path / "three"):
        tasks = [note["task"] for note in sample["annotations"]]
        assert len(tasks) == 6
        assert tasks[3:] == [3, 3, 3]
        assert 3 not in tasks[:3]
    parts = [pq.read_table(file) for file in (tmp_path / "three" / "requests").glob("*.parquet")]
    keys = [key for part in parts for key in part["key"].to_pylist()]
    assert all(
        sum(key.startswith(f"{sample}/revision") for key in set(keys)) == 3
        for sample in {key.split("/")[0] for key in keys}
    )


@pytest.mark.parametrize("kind", ["nothing", "unfinished"])
def test_a_run_that_cannot_be_taken_up(kind: str, tmp_path: Path, mapteller: CommandLine) -> None:
    if kind == "unfinished":
        (tmp_path / "run.json").write_text('{"state": "stopped", "fingerprint": "x", "name": "x"}')
    said = mapteller("validate", _config(tmp_path, tmp_path), code=1).stderr
    assert ("holds no run" in said) if kind == "nothing" else ("is stopped, not complete" in said)

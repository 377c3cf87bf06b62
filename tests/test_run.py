"""Whole runs, as people start them: bytes, resuming, folders, failures."""

import io
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from tests.conftest import CommandLine, WriteConfig
from tests.run_folder import committed, run_info, samples, shard_digests

MOMENTS = 10


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, small_scenes: Path, county: object, mapteller: CommandLine
) -> tuple[Path, float]:
    """A run that nobody disturbed, and how long it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    config = _config(folder, small_scenes, county)
    started = time.monotonic()
    mapteller("run", config, "--out", folder / "run")
    return folder / "run", time.monotonic() - started


def _config(folder: Path, scenes: Path, county: object) -> Path:
    file = folder / "config.yaml"
    file.write_text(
        json.dumps(
            {
                "name": "small scenes",
                "seed": 3,
                "samples": {
                    "kind": "grid",
                    "imagery": {"kind": "local", "path": str(scenes)},
                    "osm": {"kind": "extract", "path": str(county.extract)},  # type: ignore[attr-defined]
                    "patch": {"size": 224, "gsd": 0.6},
                },
                "output": {"kind": "webdataset", "samples_per_shard": 16},
                "workers": 2,
            }
        )
    )
    return file


def test_counts_add_up(undisturbed: tuple[Path, float]) -> None:
    folder, _ = undisturbed
    info, found = run_info(folder), samples(folder)
    counts = info["counts"]
    assert info["state"] == "complete"
    assert info["units"] == {"total": 24, "done": 24, "reused": 0, "computed": 24, "failed": 0}
    assert counts["laid"] == counts["kept"] == 24 * 4
    assert sum(counts.get(key, 0) for key in ("captioned", "rejected", "nothing", "nodata")) == counts["kept"]
    assert counts["captioned"] == counts["read"] == len(found)
    assert counts["captioned"] >= 48
    assert counts["captions"] == sum(len(sample["annotations"]) for sample in found) == 2 * len(found)
    listed = json.loads((folder / "shards" / "dataset.json").read_text())
    assert listed["samples"] == len(found)
    assert [line["file"] for line in listed["shards"]] == sorted(
        file.name for file in (folder / "shards").glob("*.tar")
    )
    assert shard_digests(folder).items() >= {line["file"]: line["sha256"] for line in listed["shards"]}.items()


def test_a_sample_holds_what_the_contract_names(undisturbed: tuple[Path, float]) -> None:
    for sample in samples(undisturbed[0]):
        assert set(sample["metadata"]) == {
            "patch_id", "image_name", "bounds", "crs", "transform", "gsd", "acquired", "source", "place", "licence",
            "attribution", "split",
        }  # fmt: skip
        assert "OpenStreetMap" in sample["metadata"]["attribution"]
        first, revision = sample["annotations"]
        assert first["task"] in (1, 2)
        assert revision["task"] == 3
        assert first["text"] != revision["text"]
        known = {element["id"] for element in sample["elements"]}
        for annotation in sample["annotations"]:
            assert set(annotation) == {"task", "text", "annotator", "elements", "prompt", "seed", "checks"}
            assert set(annotation["elements"]) <= known
            assert annotation["annotator"] == "grammar"
        for element in sample["elements"]:
            assert set(element) == {"id", "kind", "tags", "facts"}


def test_the_picture_is_where_the_metadata_says(undisturbed: tuple[Path, float], small_scenes: Path) -> None:
    for sample in samples(undisturbed[0])[::7]:
        with rasterio.open(small_scenes / f"{sample['metadata']['image_name']}.tif") as scene:
            a, _, left, _, e, top = sample["metadata"]["transform"]
            column, row = (round(place) for place in ~scene.transform @ (left, top))
            pixels = np.moveaxis(scene.read([1, 2, 3]), 0, 2)[row : row + 224, column : column + 224]
        picture = np.asarray(Image.open(io.BytesIO(sample["picture"]))).astype(int)
        assert (a, e) == pytest.approx((0.6, -0.6))
        assert np.abs(picture - pixels).mean() < 4  # JPEG


def test_png_keeps_every_pixel(
    small_scenes: Path, write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine
) -> None:
    config = write_config(imagery=small_scenes / "a0[0-1].tif", output__image="png")
    mapteller("run", config, "--out", tmp_path / "run")
    for sample in samples(tmp_path / "run"):
        with rasterio.open(small_scenes / f"{sample['metadata']['image_name']}.tif") as scene:
            column, row = (
                round(place)
                for place in ~scene.transform @ (sample["metadata"]["transform"][2], sample["metadata"]["transform"][5])
            )
            pixels = np.moveaxis(scene.read([1, 2, 3]), 0, 2)[row : row + 224, column : column + 224]
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(sample["picture"]))), pixels)


def test_the_published_loader_reads_the_shards(undisturbed: tuple[Path, float]) -> None:
    """The published RSTeller loading code, with its tokenizer and image transform left as they are."""
    import webdataset as wds

    folder, _ = undisturbed
    shards = sorted((folder / "shards").glob("*.tar"))
    pattern = str(folder / "shards" / f"Patches{{0000..{len(shards) - 1:04d}}}.tar")
    draw = random.Random(0)
    pipeline = [
        wds.SimpleShardList(pattern),
        wds.shuffle(100),
        wds.tarfile_to_samples(),
        wds.decode("pil"),
        wds.rename(image="jpg", text="json"),
        wds.map_dict(text=lambda content: draw.choice(content["annotations"])["text"]),
        wds.map_dict(image=lambda image: image, text=lambda text: text),
        wds.to_tuple("image", "text"),
    ]
    loaded = list(wds.DataPipeline(*pipeline))
    assert len(loaded) == len(samples(folder))
    for image, text in loaded:
        assert image.size == (224, 224)
        assert text.endswith(".")


def test_two_runs_give_the_same_bytes(
    undisturbed: tuple[Path, float], small_scenes: Path, county: object, tmp_path: Path, mapteller: CommandLine
) -> None:
    mapteller("run", _config(tmp_path, small_scenes, county), "--out", tmp_path / "run", "--set", "workers=1")
    assert shard_digests(tmp_path / "run") == shard_digests(undisturbed[0])


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed_and_resumed_gives_the_same_bytes(
    moment: int,
    undisturbed: tuple[Path, float],
    small_scenes: Path,
    county: object,
    tmp_path: Path,
    mapteller: CommandLine,
) -> None:
    reference, duration = undisturbed
    config, out = _config(tmp_path, small_scenes, county), tmp_path / "run"
    process = mapteller.start("run", config, "--out", out)
    share = (moment + random.Random(moment).random()) / MOMENTS
    try:
        process.wait(timeout=share * duration)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    finished = committed(out)
    mapteller("run", config, "--out", out)
    units = run_info(out)["units"]
    after = committed(out)
    assert shard_digests(out) == shard_digests(reference)
    assert {unit: after[unit] for unit in finished} == finished
    assert units["reused"] >= len(finished)
    assert units["reused"] + units["computed"] == units["done"] == 24
    assert not list(out.rglob("*.unfinished"))


def test_interrupted_says_how_to_go_on(
    small_scenes: Path, county: object, tmp_path: Path, mapteller: CommandLine
) -> None:
    config, out = _config(tmp_path, small_scenes, county), tmp_path / "run"
    process = mapteller.start("run", config, "--out", out)
    deadline = time.monotonic() + 120
    while not (out / "run.json").exists() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Go on with: mapteller run {config} --out {out}" in err
    assert run_info(out)["state"] == "stopped"
    assert "stopped" in mapteller("status", out).stdout
    mapteller("run", config, "--out", out, "--resume", "always")
    assert run_info(out)["state"] == "complete"


def test_a_finished_run_is_not_done_again(undisturbed: tuple[Path, float], mapteller: CommandLine) -> None:
    folder, _ = undisturbed
    before, digests = committed(folder), shard_digests(folder)
    mapteller("run", folder.parent / "config.yaml", "--out", folder)
    info = run_info(folder)
    assert info["units"]["computed"] == 0
    assert info["shards"]["written"] == 0
    assert committed(folder) == before
    assert shard_digests(folder) == digests
    assert "24 of 24 done" in mapteller("status", folder).stdout


def test_a_second_run_into_the_folder_is_refused(
    small_scenes: Path, county: object, tmp_path: Path, mapteller: CommandLine
) -> None:
    config, out = _config(tmp_path, small_scenes, county), tmp_path / "run"
    first = mapteller.start("run", config, "--out", out)
    deadline = time.monotonic() + 120
    while not (out / "run.json").exists() and time.monotonic() < deadline:
        assert first.poll() is None
        time.sleep(0.05)
    second = mapteller("run", config, "--out", out, code=1)
    assert f"Another run is writing into {out}" in second.stderr
    out_text, err_text = first.communicate(timeout=240)
    assert first.returncode == 0, out_text + err_text
    assert run_info(out)["state"] == "complete"


def test_another_configuration_is_refused_with_what_differs(
    undisturbed: tuple[Path, float], tmp_path: Path, mapteller: CommandLine
) -> None:
    folder, _ = undisturbed
    before = shard_digests(folder)
    config = folder.parent / "config.yaml"
    refused = mapteller("run", config, "--out", folder, "--set", "captions.policy.min_share=0.2", code=1)
    assert "captions.policy.min_share: 0.05 -> 0.2" in refused.stderr
    assert "another --out, or --resume never" in refused.stderr
    assert shard_digests(folder) == before
    nothing = mapteller("run", config, "--out", tmp_path / "new", "--resume", "always", code=1)
    assert "holds no run to resume" in nothing.stderr


def test_other_shards_from_the_same_units(
    small_scenes: Path, county: object, tmp_path: Path, mapteller: CommandLine
) -> None:
    config, out = _config(tmp_path, small_scenes, county), tmp_path / "run"
    mapteller("run", config, "--out", out)
    first = samples(out)
    mapteller("run", config, "--out", out, "--set", "output.samples_per_shard=5")
    info = run_info(out)
    assert info["units"]["computed"] == 0
    assert [sample["metadata"]["patch_id"] for sample in samples(out)] == [
        sample["metadata"]["patch_id"] for sample in first
    ]
    assert len(list((out / "shards").glob("*.tar"))) == -(-len(first) // 5)
    mapteller("run", config, "--out", out, "--resume", "never", "--set", "seed=9")
    assert run_info(out)["units"]["computed"] == 24


def test_a_folder_of_strangers_is_left_alone(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    out = tmp_path / "holiday"
    out.mkdir()
    (out / "beach.jpg").write_text("sand")
    for resume in ("auto", "never"):
        refused = mapteller("run", write_config(), "--out", out, "--resume", resume, code=1)
        assert "is not empty and holds no run" in refused.stderr
    assert (out / "beach.jpg").read_text() == "sand"

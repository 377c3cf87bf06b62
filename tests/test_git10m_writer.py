"""Git-10M's columns with the published meanings, read back by pyarrow and by `datasets`."""

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.quality import img_quality_score
from pipeline.source import Encoded
from pipeline.writers.git10m import Git10mWriter, ground_resolution, tile_centre, tile_of
from pipeline.writers.sample import Sample

PUBLISHED = [
    "image", "img_name", "img_quality_score", "caption", "caption_length", "resolution", "Google_location",
]  # fmt: skip


def _corner(zoom: int, x: int, y: int) -> tuple[float, float]:
    """North-west corner of a tile, after the OSM wiki's Slippy map tilenames."""
    side = 2.0**zoom
    return x / side * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / side))))


def _bounds(zoom: int, x: int, y: int) -> list[float]:
    (west, north), (east, south) = _corner(zoom, x, y), _corner(zoom, x + 1, y + 1)
    return [round(value, 7) for value in (west, south, east, north)]


def _sample(
    patch_id: int, picture: Any, bounds: list[float] | None, texts: tuple[str, ...] = ("A road, é 漢.",)
) -> Sample:
    metadata = {
        "patch_id": patch_id, "image_name": f"scene {patch_id}", "bounds": bounds, "gsd": 0.6, "split": "train",
        "acquired": "2022-11-08", "licence": "ODbL", "attribution": "© OpenStreetMap contributors",
    }  # fmt: skip
    return Sample(patch_id, picture, metadata, [], [{"task": 4, "text": text} for text in texts])


def _samples() -> list[Sample]:
    chance = np.random.default_rng(0)
    pictures = [chance.integers(0, 256, (256, 256, 3)).astype(np.uint8) for _ in range(3)]
    same = io.BytesIO()
    Image.fromarray(pictures[0]).save(same, "PNG")
    return [
        _sample(3, pictures[0], _bounds(17, 77381, 65408), ("A road runs north.", 'It runs\nnorth, says "it".')),
        _sample(5, Encoded(same.getvalue(), "png"), _bounds(10, 536, 361)),
        _sample(9, pictures[1], [9.5, 47.1, 9.504, 47.103]),
        _sample(11, pictures[2][:, :, ::-1].copy(), _bounds(17, 77381, 65408)),
    ]  # fmt: skip


def test_published_columns(tmp_path: Path) -> None:
    samples, file = _samples(), tmp_path / "Patches0000.git10m.parquet"
    writer = Git10mWriter(kind="git10m")
    index = writer.write(samples, file)
    table = pq.read_table(file)
    assert table.column_names[:7] == PUBLISHED
    rows = table.to_pylist()
    assert [row["Google_location"] for row in rows] == ["17_77381_65408", "10_536_361", "0_0_0", "17_77381_65408"]
    assert [row["resolution"] for row in rows] == [1.0, 128.0, 0.6, 1.0]
    assert [row["caption"] for row in rows] == [sample.annotations[0]["text"] for sample in samples]
    assert [row["caption_length"] for row in rows] == [4, 4, 4, 4]
    assert rows[0]["captions"] == [annotation["text"] for annotation in samples[0].annotations]
    assert [row["img_name"] for row in rows] == ["3.png", "5.png", "9.png", "11.png"]
    shown = [np.array(Image.open(io.BytesIO(row["image"]["bytes"]))) for row in rows]
    np.testing.assert_array_equal(shown[0], samples[0].picture)
    assert [row["img_quality_score"] for row in rows] == [img_quality_score(picture) for picture in shown]
    assert [row["patch_id"] for row in index] == [3, 5, 9, 11]
    assert index[0]["tasks"] == [4, 4]
    content = file.read_bytes()
    for place, row in zip(index, rows, strict=True):
        assert content[place["offset"] : place["offset"] + place["bytes"]] == row["image"]["bytes"]


def test_true_resolution_and_centre(tmp_path: Path) -> None:
    """At 47 degrees a pixel of zoom 10 covers 104 m, not 128; the centre lies half a tile from the card's corner."""
    Git10mWriter(kind="git10m").write(_samples(), tmp_path / "a.parquet")
    rows = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert rows[0]["ground_resolution"] == pytest.approx(1.194, abs=0.001)
    assert rows[1]["ground_resolution"] == pytest.approx(
        152.874 * math.cos(math.radians(rows[1]["latitude"])), abs=0.01
    )
    assert (rows[2]["longitude"], rows[2]["latitude"]) == pytest.approx((9.502, 47.1015))
    west, south, east, north = _bounds(10, 536, 361)
    assert rows[1]["longitude"] == pytest.approx((west + east) / 2, abs=1e-6)
    assert south < rows[1]["latitude"] < north
    zoom, x, y = (int(part) for part in rows[1]["Google_location"].split("_"))
    assert _corner(zoom, x, y) == pytest.approx((west, north), abs=1e-6)


def test_same_samples_same_bytes(tmp_path: Path) -> None:
    writer = Git10mWriter(kind="git10m", image="jpg", quality=80)
    first, second = writer.write(_samples(), tmp_path / "a"), writer.write(iter(_samples()), tmp_path / "b")
    assert first == second
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert pq.read_table(tmp_path / "a")["image"].to_pylist()[0]["bytes"][:2] == b"\xff\xd8"


def test_no_samples_make_an_empty_file(tmp_path: Path) -> None:
    assert Git10mWriter(kind="git10m").write([], tmp_path / "a") == []
    assert pq.read_table(tmp_path / "a").num_rows == 0


def test_many_pictures_alike_keep_their_places(tmp_path: Path) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    samples = [_sample(number, picture + np.uint8(number // 2), [0, 0, 1, 2]) for number in range(150)]
    index = Git10mWriter(kind="git10m").write(samples, tmp_path / "a")
    content = (tmp_path / "a").read_bytes()
    for place, sample in zip(index, samples, strict=True):
        with Image.open(io.BytesIO(content[place["offset"] : place["offset"] + place["bytes"]])) as image:
            np.testing.assert_array_equal(np.array(image), sample.picture)
    assert len({place["offset"] for place in index}) == 150


@given(zoom=st.integers(0, 22), across=st.floats(0, 0.999999), down=st.floats(0, 0.999999))
def test_bounds_tell_the_tile(zoom: int, across: float, down: float) -> None:
    tile = (zoom, int(across * 2**zoom), int(down * 2**zoom))
    assert tile_of(_bounds(*tile)) == tile
    west, south, east, north = _bounds(*tile)
    longitude, latitude = tile_centre(*tile)
    assert longitude == pytest.approx((west + east) / 2, abs=1e-6)
    assert south < latitude < north
    shift = (east - west) * 0.3
    assert tile_of([west + shift, south, east + shift, north]) is None


def test_resolution_at_the_equator_and_beyond() -> None:
    assert ground_resolution(17, 0) == pytest.approx(1.19433, abs=1e-5)
    assert ground_resolution(17, 60) == pytest.approx(1.19433 / 2, abs=1e-5)
    assert ground_resolution(17, 0, 512) == pytest.approx(1.19433 / 2, abs=1e-5)


@pytest.mark.parametrize("bounds", [[1, 1, 1, 1], [2, 1, 1, 2], [0, 80, 90, 90], [-200, 0, 200, 50]])
def test_what_is_no_tile(bounds: list[float]) -> None:
    assert tile_of(bounds) is None


def test_datasets_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="`datasets` is missing; pip install datasets")
    file = tmp_path / "Patches0000.git10m.parquet"
    Git10mWriter(kind="git10m").write(_samples(), file)
    loaded = datasets.load_dataset("parquet", data_files={"train": str(file)}, cache_dir=str(tmp_path / "cache"))
    examples = list(loaded["train"])
    assert list(examples[0])[:7] == PUBLISHED
    assert examples[0]["image"].size == (256, 256)
    np.testing.assert_array_equal(np.array(examples[0]["image"]), _samples()[0].picture)
    assert examples[0]["captions"] == pq.read_table(file)["captions"][0].as_py()
    for example in examples:
        zoom, _, _ = example["Google_location"].split("_")
        assert example["resolution"] == (2.0 ** (17 - int(zoom)) if zoom != "0" else 0.6)


def test_the_features_are_said_in_the_words_of_datasets(tmp_path: Path) -> None:
    Git10mWriter(kind="git10m").write(_samples(), tmp_path / "a.parquet")
    features = json.loads(pq.read_schema(tmp_path / "a.parquet").metadata[b"huggingface"])["info"]["features"]
    assert list(features["image"].values()) == ["Image"]
    assert features["caption_length"] == {"dtype": "int64", "_type": "Value"}


def test_a_record_that_nobody_could_place_has_no_place(tmp_path: Path) -> None:
    file = tmp_path / "Patches0000.git10m.parquet"
    picture = np.zeros((64, 64, 3), dtype=np.uint8)
    Git10mWriter(kind="git10m").write([_sample(3, picture, None)], file)
    (row,) = pq.read_table(file).to_pylist()
    assert row["Google_location"] == "0_0_0"
    assert row["longitude"] is row["latitude"] is row["resolution"] is None

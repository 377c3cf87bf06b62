"""SkyScript told again by a real vLLM over a tiny model: from pickles out of a map to tables and shards."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from annotation.request import TASKS
from pipeline.bench.tiny_model import tiny_engine
from pipeline.writers.csv_titles import COLUMNS
from tests.conftest import CommandLine
from tests.need import need_vllm
from tests.run_folder import run_info
from tests.skyscript_made import Made, from_map, make, picture
from tests.taught_model import make_taught_model
from tests.vllm_here import ENVIRONMENT

need_vllm()

TRUE = "This picture shows the ground from straight above."
FALSE = "A tall lighthouse stands here on some rocks."
"""What the model knows by heart. The checks accept what claims nothing and refuse the lighthouse, which no sample's
tags hold; the model is asked again with another seed until it says the other."""


@pytest.fixture
def made(shared_data: Path, tmp_path: Path) -> Made:
    """A dozen elements of a real map as SkyScript publishes them, no two pictures and no two titles the same."""
    samples = from_map(shared_data / "osm" / "liechtenstein.osm.pbf", "CH", 2021, most=12)
    for number, sample in enumerate(samples):
        sample.picture, sample.title = picture(number, size=32), f'title "{number}",\nas it was published'
    return make(tmp_path / "made", samples, zipped=True)


@pytest.fixture
def config(made: Made, tmp_path: Path) -> Path:
    """The samples, told by one model that is wrong half of the time."""
    model = make_taught_model(tmp_path / "model", seed=0, captions=(TRUE, FALSE))
    file = tmp_path / "skyscript.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "name": "skyscript",
                "samples": {"kind": "skyscript", "path": str(made.folder), "unit": 4},
                "captions": {
                    "engines": [tiny_engine(model, name="taught", temperature=1, top_p=0.9, max_tokens=60)],
                    "tasks": {"revision": 0}, "retries": 20, "checks": {"max_repeat": 1.0},
                },
                "output": {"kind": "skyscript_csv", "samples_per_shard": 5},
                "workers": 1,
            }
        )
    )  # fmt: skip
    return file


def test_a_model_tells_what_a_map_knows_and_tables_and_shards_hold_it(
    made: Made, config: Path, tmp_path: Path, mapteller: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in ENVIRONMENT.items():
        monkeypatch.setitem(mapteller.environment, key, value)
    run = tmp_path / "run"
    mapteller("run", config, "--out", run)
    info = run_info(run)
    assert info["state"] == "complete"
    captions, rejected, requests, patches = (_parts(run, k) for k in ("captions", "rejected", "requests", "patches"))
    told = {row["patch_id"] for row in patches if row["status"] == "captioned"}
    assert Counter(row["patch_id"] for row in captions) == dict.fromkeys(told, 1)
    assert {(row["text"], row["task"], row["annotator"]) for row in captions} == {(TRUE, TASKS["recaption"], "taught")}
    assert {row["text"] for row in rejected} == {FALSE}
    assert all(any("lighthouse" in reason for reason in row["reasons"]) for row in rejected)
    assert len(requests) == len({row["key"] for row in requests}) == len(captions) + len(rejected)

    known = {sample.path: sample for sample in made.samples}
    places = {row["patch_id"]: known[row["scene"]].meta for row in patches}
    for element in _parts(run, "elements"):
        meta, tags = places[element["patch_id"]], dict(element["tags"])
        pickled = meta["surrounding_tags"] if element["id"].startswith("surrounding") else [meta["center_tags"]]
        assert any(tags.items() <= each.items() for each in pickled)

    rows = _rows_of_tables(run)
    assert {tuple(row) for row in rows} == {COLUMNS}
    assert len(rows) == len({row["filepath"] for row in rows}) == len(told) >= 8
    for row in rows:
        sample = known[row["filepath"]]
        assert (row["title"], row["title_multi_objects"]) == (sample.title, sample.titles)
        assert (row["caption"], row["task"], row["annotator"]) == (TRUE, "recaption", "taught")

    mapteller("run", config, "--out", run, "--set", "output.kind=webdataset")
    assert _parts(run, "requests") == requests, "the model is not asked again"
    shards = _samples_of_shards(run)
    assert Counter(shard["__key__"] for shard in shards) == dict.fromkeys(map(str, told), 1)
    for shard in shards:
        assert shard["jpg"] == known[shard["json"]["metadata"]["filepath"]].picture
        (note,) = shard["json"]["annotations"]
        assert (note["text"], note["task"], note["annotator"]) == (TRUE, TASKS["recaption"], "taught")


def _parts(run: Path, kind: str) -> list[dict[str, Any]]:
    return [row for file in sorted((run / kind).glob("*.parquet")) for row in pq.read_table(file).to_pylist()]


def _rows_of_tables(run: Path) -> list[dict[str, str]]:
    rows = []
    for file in sorted((run / "shards").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as table:
            rows += list(csv.DictReader(table))
    return rows


def _samples_of_shards(run: Path) -> list[dict[str, Any]]:
    """Every sample, read as loaders do."""
    import webdataset as wds

    shards = list(map(str, sorted((run / "shards").glob("*.tar"))))
    pipeline = wds.DataPipeline(wds.SimpleShardList(shards), wds.tarfile_to_samples(), wds.decode())
    return list(pipeline)

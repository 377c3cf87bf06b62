"""Samples of kind `gaia`, from published JSON to the JSON that img2dataset reads."""

import io
import json
import os
import subprocess
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image
from rich.console import Console

from pipeline.config import Config
from pipeline.gaia_index import UNIT, cell_of, year_of
from pipeline.prepare import prepare
from pipeline.run import run
from pipeline.stratify import GAIA_SHARES
from tests.gaia_made import made, serve, write
from tests.need import need_img2dataset
from tests.stand_in import StandIn

QUIET = Console(quiet=True)
QUIET_TOOL = {"NO_ALBUMENTATIONS_UPDATE": "1"}
"""Else what img2dataset stands on asks the network for a newer version."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPTELLER_CACHE", str(tmp_path / "cache"))


def config(path: Path, **changes: Any) -> Config:
    samples = {
        "kind": "gaia", "path": path, "size": 32,
        "pictures": {"kind": "web", "patience": {"tries": 2, "first_wait_s": 0.01, "timeout_s": 5}},
        **changes.pop("samples", {}),
    }  # fmt: skip
    return Config.model_validate(
        {"name": "told again", "samples": samples, "output": {"kind": "gaia_json"}, "split": GAIA_SHARES, "workers": 2}
        | changes
    )


def test_records_become_captions_and_what_is_broken_is_counted(tmp_path: Path) -> None:
    with StandIn(serve({7: "gone", 9: "page"})) as server:
        records = [made(number, server.url) for number in range(150)]
        records[3]["lat"] = 91.0
        records[4]["id"] = records[2]["id"]
        del records[5]["image_src"]
        records[6] |= {"image_alt": "", "tag": []}
        records[8] |= {"lat": None, "lon": None, "location": "Mid-ocean"}
        path = write(tmp_path / "train.json", records)
        assert run(config(path), tmp_path / "run", console=QUIET)
    told = json.loads((tmp_path / "run/run.json").read_text())
    counts = told["counts"]
    assert counts["laid"] == 150
    assert counts["captioned"] == 145
    assert counts["captions"] == 5 * 145
    assert counts["dead links"] == counts["dead"] == 2
    assert counts["nothing"] == counts["skipped.duplicate id"] == counts["skipped.no picture address"] == 1
    assert counts["misplaced"] == 1
    files = sorted((tmp_path / "run/shards").glob("*_data.json"))
    made_again = {file.stem: json.loads(file.read_text()) for file in files}
    assert list(made_again) == ["test_data", "train_data", "validation_data"]
    everything = {record["id"]: record for records in made_again.values() for record in records}
    assert len(everything) == sum(map(len, made_again.values())) == 145
    for record in everything.values():
        assert len(set(record["captions"])) == 5
        assert not any(caption.startswith("The image showcases") for caption in record["captions"])
    assert everything["gaia-0"] | {"captions": []} == records[0] | {
        "captions": [], "location": records[0]["location"][0], "location_by": "record", "location_sure": 1.0,
        "annotator": "grammar", "split": everything["gaia-0"]["split"],
    }  # fmt: skip
    assert everything["gaia-3"]["location_by"] in ("city", "country")
    assert 0 < everything["gaia-3"]["location_sure"] < 1
    shares = Counter({name: len(records) / 145 for name, records in made_again.items()})
    assert shares["train_data"] == pytest.approx(0.7, abs=0.1)


def test_a_second_run_asks_nobody_and_webdataset_gets_the_pictures(tmp_path: Path) -> None:
    with StandIn(serve(side=100)) as server:
        path = write(tmp_path / "r.jsonl", [made(number, server.url) for number in range(6)])
        text = "\n".join(json.dumps(made(number, server.url)) for number in range(6))
        path.write_text(text, encoding="utf-8")
        output = {"kind": "webdataset", "image": "png"}
        assert run(config(path, output=output), tmp_path / "one", console=QUIET)
        asked = len(server.asked)
        assert run(config(path, output=output), tmp_path / "two", console=QUIET)
        assert len(server.asked) == asked == 6
    one, two = ((tmp_path / name / "shards/Patches0000.tar").read_bytes() for name in ("one", "two"))
    assert one == two
    with tarfile.open(fileobj=io.BytesIO(one)) as tar:
        content = tar.extractfile("0.png")
        assert content is not None
        assert Image.open(content).size == (64, 32)
        said = tar.extractfile("0.json")
        assert said is not None
        assert [annotation["task"] for annotation in json.load(said)["annotations"]] == [6] * 5


def test_units_hold_their_records_and_splits_whole_cells(tmp_path: Path) -> None:
    records = [made(number, "https://example.org") for number in range(3 * UNIT + 5)]
    prepared = prepare(config(write(tmp_path / "many.json", records)))
    units = prepared.source.units
    assert [unit.laid for unit in units] == [UNIT, UNIT, UNIT, 5]
    assert [unit.first for unit in units] == [0, UNIT, 2 * UNIT, 3 * UNIT]
    assert len({unit.fingerprint("x") for unit in units}) == 4
    records[-1]["image_alt"] = "changed"
    changed = prepare(config(write(tmp_path / "other.json", records)))
    fingerprints = [unit.fingerprint("x") for unit in units]
    assert [unit.fingerprint("x") for unit in changed.source.units][:3] == fingerprints[:3]
    assert changed.source.units[3].fingerprint("x") != fingerprints[3]
    assert changed.fingerprint != prepared.fingerprint


def test_cells_meet_at_the_antimeridian_and_years_are_read_out_of_texts() -> None:
    from download.records.gaia import Record
    from download.records.gazetteer import Located

    def record(**changes: Any) -> Record:
        return Record.of(made(1, "https://example.org", **changes))

    east, west = Located(10.5, 180.0, 1, "record"), Located(10.5, -180.0, 1, "record")
    assert cell_of(record(), east, 1.0) == cell_of(record(), west, 1.0)
    assert cell_of(record(), None, 1.0) == cell_of(record(id="2"), None, 1.0)
    assert year_of(record(image_alt="Etna on 3 May 2014, and again in 2016", captions=[])) == "2014"
    assert year_of(record(image_alt="1,2019 or 0.2019 m or 120191", captions=[])) == ""
    assert year_of(record(image_alt="", captions=["In 1999"])) == "1999"


def test_pictures_that_engines_see_travel_with_the_request(tmp_path: Path) -> None:
    from pipeline.requests import Requests

    engine = {"kind": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1", "vision": True, "api_key_env": ""}
    with StandIn(serve()) as server:
        path = write(tmp_path / "r.json", [made(number, server.url) for number in range(3)])
        seen = config(path, captions={"engines": [engine]})
        prepared = prepare(seen)
        look = prepared.source.look(prepared.source.units[0], limit=2)
    requests = [Requests.of(seen).first(assignment) for assignment in look.assignments]
    assert len(requests) == 2
    for request in requests:
        assert request.schema is not None
        assert request.picture is not None
        assert request.picture.startswith(b"\x89PNG")
        assert 'Location: "' in request.messages[-1]["content"]


def test_img2dataset_reads_our_json(tmp_path: Path) -> None:
    tool = need_img2dataset()
    with StandIn(serve({2: "gone"})) as server:
        path = write(tmp_path / "r.json", [made(number, server.url, lat=47.1, lon=9.5) for number in range(6)])
        assert run(config(path, split={"train": 1}), tmp_path / "run", console=QUIET)
        subprocess.run(
            [tool, "--url_list", tmp_path / "run/shards/train_data.json", "--output_folder", tmp_path / "fetched",
             "--input_format", "json", "--url_col", "image_src", "--caption_col", "image_alt",
             "--output_format", "webdataset", "--save_additional_columns", "['id','captions']",
             "--processes_count", "1", "--thread_count", "2", "--image_size", "16",
             "--encode_format", "png", "--encode_quality", "9", "--resize_mode", "keep_ratio"],
            check=True, capture_output=True, timeout=120, env={**os.environ, **QUIET_TOOL},
        )  # fmt: skip
        parquet = pq.read_table(tmp_path / "fetched/00000.parquet").to_pylist()
        assert [row["status"] for row in parquet] == ["success"] * 5
        again = config(path, samples={"pictures": {"kind": "img2dataset", "path": tmp_path / "fetched"}})
        asked = len(server.asked)
        assert run(again, tmp_path / "again", console=QUIET)
        assert len(server.asked) == asked
    made_here = {record["id"]: record for record in json.loads((tmp_path / "run/shards/train_data.json").read_text())}
    assert {row["id"]: row["captions"] for row in parquet} == {key: one["captions"] for key, one in made_here.items()}
    assert json.loads((tmp_path / "again/run.json").read_text())["counts"]["captioned"] == 5

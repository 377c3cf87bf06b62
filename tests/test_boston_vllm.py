"""The main job with real language models: Boston told by two of them on one roster, revisions included."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
import yaml

from annotation.request import TASKS
from pipeline.bench.tiny_model import tiny_engine
from tests.conftest import PATIENCE_S, CommandLine
from tests.need import need_vllm
from tests.run_folder import run_info, samples
from tests.taught_model import make_taught_model
from tests.vllm_here import ENVIRONMENT

need_vllm()

pytestmark = pytest.mark.timeout(580)

SAID = {
    "north": (
        "Seen from straight above, this picture shows the ground as it lay in plain daylight.",
        "Looking down we find land open before our eyes on a calm clear day.",
    ),
    "south": (
        "A look down from high overhead at what is here, sharp and without any doubt.",
        "Nothing hides under this sky; all of it can be seen with ease by us.",
    ),
}
"""What each model knows by heart. It claims nothing, so that the checks accept it; a revision that repeats its draft is
refused and asked again with another seed, until the model says the other."""


@pytest.fixture(scope="module")
def config(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Boston's three tiles and two models."""
    folder = tmp_path_factory.mktemp("boston-vllm")
    engines = [
        tiny_engine(
            make_taught_model(folder / name, seed=seed, captions=captions),
            name=name, temperature=1, top_p=0.9, max_num_seqs=1, max_tokens=60,
        )
        for seed, (name, captions) in enumerate(SAID.items())
    ]  # fmt: skip
    file = folder / "boston.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "name": "boston",
                "samples": {
                    "kind": "grid",
                    "imagery": {"kind": "local", "path": str(shared_data / "boston" / "*.tif")},
                    "osm": {"kind": "extract", "path": str(shared_data / "boston" / "boston.osm.pbf")},
                    "patch": {"size": 224, "gsd": 1.4648},
                },
                "captions": {"engines": engines, "assign": "share", "retries": 9, "checks": {"max_repeat": 1.0}},
                "output": {"kind": "webdataset", "samples_per_shard": 20},
                "workers": 1,
            }
        )
    )
    return file


@pytest.fixture
def on_cpu(mapteller: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line with vLLM's settings for a CPU."""
    for key, value in ENVIRONMENT.items():
        monkeypatch.setitem(mapteller.environment, key, value)
    return mapteller


def _cores(of: int) -> list[psutil.Process]:
    """Processes of vLLM's that a run has started, the oldest first; engines are loaded one after another."""
    found = [
        child for child in psutil.Process(of).children(recursive=True) if "EngineCore" in " ".join(child.cmdline())
    ]
    return sorted(found, key=lambda child: child.create_time())


def test_two_models_tell_boston_and_one_of_them_is_killed(config: Path, tmp_path: Path, on_cpu: CommandLine) -> None:
    run = tmp_path / "run"
    process = on_cpu.start("run", config, "--out", run)
    until = time.monotonic() + PATIENCE_S
    killed = False
    while process.poll() is None and not killed and time.monotonic() < until:
        time.sleep(0.05)
        engines = (run_info(run).get("engines") or {}).get("engines", {}) if (run / "run.json").exists() else {}
        at_work = any(engine["alive"] and engine["running"] for engine in engines.values())
        if at_work and (cores := _cores(process.pid)):
            os.kill(cores[0].pid, signal.SIGKILL)
            killed = True
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, f"{out}\n{err}"
    assert killed, "the run ended before an engine was seen at work"
    info = run_info(run)
    assert (info["state"], info["counts"]["failed"]) == ("complete", 0)
    assert sum(engine["deaths"] for engine in info["engines"]["engines"].values()) == 1
    captions, rejected, requests = (_rows(run, kind) for kind in ("captions", "rejected", "requests"))
    keys = [row["key"] for row in requests]
    assert len(keys) == len(set(keys)) == len(captions) + len(rejected), "nothing is answered twice"
    revised = [row for row in captions if row["task"] == TASKS["revision"]]
    told = [row["patch_id"] for row in captions if row["task"] != TASKS["revision"]]
    assert len(told) == len(set(told)) == 32, "no patch is lost"
    assert {row["patch_id"] for row in revised} == set(told)
    assert {row["annotator"] for row in captions} == {row["annotator"] for row in revised} == set(SAID)
    assert all(row["text"] in SAID[row["annotator"]] for row in captions)
    assert {reason.split(":")[0] for row in rejected for reason in row["reasons"]} == {"repeats the draft"}
    notes = [note for sample in samples(run) for note in sample["annotations"]]
    assert len(notes) == len(captions)


def _rows(run: Path, kind: str) -> list[dict[str, Any]]:
    return [row for file in (run / kind).glob("*.parquet") for row in pq.read_table(file).to_pylist()]

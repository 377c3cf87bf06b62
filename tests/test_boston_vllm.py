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

from pipeline.bench.tiny_model import CPU_ENVIRONMENT, tiny_engine
from tests.conftest import PATIENCE_S, CommandLine
from tests.need import need_vllm
from tests.run_folder import run_info, samples
from tests.taught_model import make_taught_model

need_vllm()

pytestmark = pytest.mark.timeout(580)

SAID = {
    "north": (
        "Seen from straight above, this picture shows the ground as it lay in plain daylight.",
        "In plain daylight the ground lies open before us, looked at from straight above.",
    ),
    "south": (
        "This is a look down at the ground from high above, sharp and without a shadow of doubt.",
        "From high above we look down at what there is, and all of it is sharp and clear.",
    ),
}
"""Caption and revision that each model knows; they claim nothing, so what is learnt well is accepted."""


@pytest.fixture(scope="module")
def config(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Boston's three tiles and two models."""
    folder = tmp_path_factory.mktemp("boston-vllm")
    engines = [
        tiny_engine(
            make_taught_model(folder / name, seed=seed, caption=caption, revision=revision),
            name=name, temperature=0, max_num_seqs=1, max_tokens=60,
        )
        for seed, (name, (caption, revision)) in enumerate(SAID.items())
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
                "captions": {"engines": engines, "assign": "share", "checks": {"max_repeat": 1.0}},
                "output": {"kind": "webdataset", "samples_per_shard": 20},
                "workers": 1,
            }
        )
    )
    return file


@pytest.fixture
def on_cpu(mapteller: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line with vLLM's settings for a CPU."""
    for key, value in CPU_ENVIRONMENT.items():
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
        if any(engine["alive"] and engine["running"] for engine in engines.values()):
            os.kill(_cores(process.pid)[0].pid, signal.SIGKILL)
            killed = True
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, f"{out}\n{err}"
    assert killed, "the run ended before an engine was seen at work"
    info = run_info(run)
    assert (info["state"], info["counts"]["failed"]) == ("complete", 0)
    assert sum(engine["deaths"] for engine in info["engines"]["engines"].values()) == 1
    captions, rejected, requests = (_rows(run, kind) for kind in ("captions", "rejected", "requests"))
    assert len({row["patch_id"] for row in (*captions, *rejected)}) == 32, "no patch is lost"
    keys = [row["key"] for row in requests]
    assert len(keys) == len(set(keys)) == len(captions) + len(rejected), "nothing is answered twice"
    assert {row["annotator"] for row in (*captions, *rejected)} == set(SAID)
    assert {3} < {row["task"] for row in captions}
    notes = [note for sample in samples(run) for note in sample["annotations"]]
    assert len(notes) == len(captions)


def _rows(run: Path, kind: str) -> list[dict[str, Any]]:
    return [row for file in (run / kind).glob("*.parquet") for row in pq.read_table(file).to_pylist()]

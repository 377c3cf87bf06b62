"""How a run stands, from what is on disk."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from pipeline.errors import PipelineError
from pipeline.progress import minutes
from pipeline.store import RunFolder


def show_status(path: Path, console: Console) -> None:
    """Prints done, rejected, failed, left, rate and time to go.

    Raises:
        PipelineError: the folder holds no run.
    """
    folder = RunFolder(path)
    info = folder.info()
    if info is None:
        raise PipelineError(f"{path} holds no run: there is no run.json.")
    for line in status_lines(info, running=folder.running(), path=path):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def status_lines(info: Mapping[str, Any], *, running: bool, path: Path) -> list[str]:
    """The lines of `mapteller status`."""
    units, counts, seconds = info["units"], info["counts"], info["seconds"]
    left = units["total"] - units["done"] - units["failed"]
    state = info["state"] if running or info["state"] != "running" else "killed"
    lines = [
        f"{info['name']}: {state}",
        f"units     {units['done']:,} of {units['total']:,} done, {units['failed']:,} failed, {left:,} left",
        (
            f"patches   {counts.get('captioned', 0):,} captioned, {counts.get('rejected', 0):,} rejected, "
            f"{counts.get('nodata', 0):,} with nodata, {counts.get('nothing', 0):,} with nothing to tell"
        ),
        f"captions  {counts.get('captions', 0):,}; {counts.get('refused', 0):,} answers refused",
        f"shards    {info['shards']['done']:,} written, {counts.get('read', 0):,} pictures read",
    ]
    lines += engine_lines(info.get("engines") or {})
    if units["computed"] and seconds:
        rate = units["computed"] / seconds
        lines.append(
            f"rate      {rate * 60:.1f} units a minute"
            + (f", {minutes(left / rate)} to go" if left and running else "")
        )
    lines += [f"failed    {failure['kind']} {failure['name']}: {failure['error']}" for failure in info["failures"]]
    if state in ("killed", "stopped", "failed"):
        lines.append(f"Go on with: mapteller run CONFIG --out {path}")
    return lines


def engine_lines(figures: Mapping[str, Any]) -> list[str]:
    """How the engines stand, or stood when the run ended."""
    lines = []
    for name, engine in figures.get("engines", {}).items():
        lines.append(
            f"engine    {name}: {engine['alive']} of {engine['copies']} up, {engine['running']:,} running, "
            f"{engine['waiting']:,} waiting, {engine['requests_per_s']:,} requests/s, "
            f"{engine['prompt_tokens_per_s']:,.0f} prompt tokens/s ({engine['cached_share']:.0%} cached), "
            f"{engine['completion_tokens_per_s']:,.0f} output tokens/s, {engine['errors']:,} errors, "
            f"{engine['deaths']:,} deaths"
        )
    lines += [f"gone      {copy}: {reason}" for copy, reason in figures.get("gone", {}).items()]
    if figures:
        lines.append(f"queue     {figures['waiting']:,} waiting for any engine, {figures['retries']:,} tried again")
    if figures.get("gpu_hours"):
        lines.append(f"gpu       {figures['gpu_hours']:.3f} hours")
    if figures.get("cost_per_1000_captions") is not None:
        lines.append(f"cost      {figures['cost_per_1000_captions']:.4f} per 1,000 captions")
    return lines

"""A run: units on Ray, engines as actors, shards as they fill, and the truth of it in run.json."""

import errno
import platform
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from pipeline.atomic import read_json, write_json
from pipeline.cluster import cluster
from pipeline.config import Config
from pipeline.crew import Crew, Errand, Failure
from pipeline.elements import ElementStore, write_elements
from pipeline.errors import PipelineError
from pipeline.fingerprint import differences
from pipeline.grid import Block
from pipeline.prepare import Prepared, prepare, tag_table
from pipeline.progress import Display, progress
from pipeline.region import check_overlap
from pipeline.roster import Roster
from pipeline.shards import Packer, ShardPlan, list_shards, make_shard
from pipeline.store import OURS, Commit, RunFolder
from pipeline.unit import Job, caption_unit

Resume = Literal["auto", "never", "always"]
SAVE_EVERY_S = 2.0
NO_USE_GOING_ON = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(slots=True)
class Ledger:
    """What run.json says of progress.

    Attributes:
        total: units in all.
        reused: units that an earlier session had finished.
        computed: units finished in this session.
        counts: what became of the patches, all units together.
        shards: lines of dataset.json.
        failures: units, shards and patches that failed, with the reason.
    """

    total: int
    reused: int = 0
    computed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    shards: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Units finished, in this session or before."""
        return self.reused + self.computed

    def as_json(self) -> dict[str, Any]:
        """The progress part of run.json."""
        failed = sum(failure["kind"] == "unit" for failure in self.failures)
        units = {
            "total": self.total,
            "done": self.done,
            "reused": self.reused,
            "computed": self.computed,
            "failed": failed,
        }
        written = sum(not line["reused"] for line in self.shards)
        shards = {"done": len(self.shards), "reused": len(self.shards) - written, "written": written}
        counts = {**self.counts, "read": sum(line["samples"] for line in self.shards)}
        return {
            "units": units,
            "shards": shards,
            "counts": dict(sorted(counts.items())),
            "failures": self.failures,
        }


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
        PipelineError: the run cannot start, or the disk gave out.
        DownloadError: imagery or map cannot be used.
        AnnotationError: tag table or prompts cannot be used.
        KeyboardInterrupt: stopped by the user; run.json says so.
    """
    started = time.time()
    prepared = prepare(config)
    folder = RunFolder(out)
    with folder.locked():
        _open_folder(folder, prepared, resume)
        info = _info(prepared, started)
        elements = _read_map(folder, prepared, info, console)
        check_overlap(list(prepared.scenes.values()), ElementStore(elements).bounds)
        ledger = Ledger(len(prepared.units))
        try:
            _work(prepared, folder, elements, ledger, info, ray_address, console)
        except KeyboardInterrupt:
            _save(folder, info, ledger, "stopped", started)
            raise
        except BaseException:
            _save(folder, info, ledger, "failed", started)
            raise
        whole = not ledger.failures
        list_shards(folder, config.name, ledger.shards)
        _save(folder, info, ledger, "complete" if whole else "incomplete", started)
    return whole


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
        "scenes": len(prepared.scenes),
    }


def _read_map(folder: RunFolder, prepared: Prepared, info: dict[str, Any], console: Console) -> Path:
    target = folder.path / "map" / f"elements-{prepared.map_digest}.parquet"
    if not target.exists():
        console.print(
            f"Reading the map {prepared.config.samples.osm.path} …",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
        counts = write_elements(prepared.config.samples.osm, tag_table(prepared.config.tags), target)
        write_json(target.with_suffix(".json"), counts.as_json())
        for notice in counts.notices:
            console.print(notice, markup=False, highlight=False, soft_wrap=True)
    info["map"] = read_json(target.with_suffix(".json"))
    return target


def _work(
    prepared: Prepared,
    folder: RunFolder,
    elements: Path,
    ledger: Ledger,
    info: Mapping[str, Any],
    address: str | None,
    console: Console,
) -> None:
    config, units = prepared.config, prepared.units
    packer = Packer([unit.id for unit in units], config.output.samples_per_shard)
    todo, plans = _sort_out(folder, prepared.fingerprint, units, packer, ledger)
    started = time.time()
    with cluster(address, config.workers, sum(engine.replicas for engine in config.captions.engines)) as slots:
        import ray

        roster = Roster.open(config.captions.engines, config.captions.assign) if todo else None
        job = ray.put(Job(config, folder.path, elements, prepared.fingerprint, roster))
        unit_task, shard_task = (
            ray.remote(num_cpus=1, max_retries=1)(caption_unit),
            ray.remote(num_cpus=1, max_retries=1)(make_shard),
        )
        scenes = ray.put(prepared.scenes)

        def shard(plan: ShardPlan) -> Errand:
            return Errand("shard", plan.name, shard_task, (plan, folder, config.samples.imagery, scenes, config.output))

        crew = Crew(2 * slots)
        for errand in [shard(plan) for plan in plans] + [
            Errand("unit", unit.id, unit_task, (job, unit)) for unit in todo
        ]:
            crew.send(errand)
        with progress(console, ledger.total, ledger.reused) as display:
            for last in (False, True):
                if last:
                    for plan in packer.finish():
                        crew.send(shard(plan))
                while crew.busy:
                    for errand, outcome in crew.finished(SAVE_EVERY_S):
                        _book(ledger, errand, outcome, display)
                        if errand.kind == "unit" and isinstance(outcome, Commit):
                            for plan in packer.add(errand.name, outcome):
                                crew.send(shard(plan))
                    display.show(ledger.done, len(ledger.shards), ledger.counts)
                    _save(folder, info, ledger, "running", started)


def _sort_out(
    folder: RunFolder, fingerprint: str, units: Sequence[Block], packer: Packer, ledger: Ledger
) -> tuple[list[Block], list[ShardPlan]]:
    """Units still to do, and shards that earlier sessions' units fill; parts of scenes that are gone are removed."""
    folder.forget_all_but({unit.id for unit in units})
    todo, plans = [], []
    for unit in units:
        commit = folder.committed(unit.id)
        if commit is None or commit.fingerprint != unit.fingerprint(fingerprint):
            todo.append(unit)
            continue
        ledger.reused += 1
        ledger.counts.update(commit.counts)
        plans += packer.add(unit.id, commit)
    return todo, plans


def _book(ledger: Ledger, errand: Errand, outcome: Any, display: Display) -> None:
    if isinstance(outcome, Failure):
        if isinstance(outcome.cause, OSError) and outcome.cause.errno in NO_USE_GOING_ON:
            raise PipelineError(
                f"{outcome.cause}. What is finished is kept: make room, then run the same command again."
            ) from outcome.cause
        ledger.failures.append(
            {"kind": errand.kind, "name": errand.name, "error": outcome.error, "traceback": outcome.trace}
        )
        display.say(f"{errand.kind} {errand.name} failed twice: {outcome.error}")
    elif errand.kind == "unit":
        ledger.computed += 1
        ledger.counts.update(outcome.counts)
    else:
        ledger.shards.append(outcome)
        for failure in outcome["failures"]:
            ledger.failures.append(
                {
                    "kind": "patch",
                    "name": str(failure["patch_id"]),
                    "error": failure["error"],
                    "traceback": "",
                }
            )
            display.say(f"patch {failure['patch_id']}: {failure['error']}")


def _save(folder: RunFolder, info: Mapping[str, Any], ledger: Ledger, state: str, started: float) -> None:
    seconds = round(time.time() - started, 1)
    folder.write_info({**info, **ledger.as_json(), "state": state, "seconds": seconds})

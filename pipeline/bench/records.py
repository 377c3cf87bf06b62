"""How fast published records are told again: a SkyScript that is made here, in zip files, through a whole run."""

import csv
import pickle
import platform
import random
import re
import subprocess
import sys
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psutil
import yaml
from rich.console import Console

from pipeline.atomic import read_json
from pipeline.config import load_config
from pipeline.errors import PipelineError
from pipeline.run import run as run_pipeline

WORKERS: Final = 2
SMALL: Final = 10
"""The smaller run has one in so many entries."""
SHARD: Final = 5000
"""Pictures of a shard, whose index is held in memory: fewer than the smaller run has, so that both can be compared."""
PARTS: Final = ("2", "3", "4", "5")
LOOK_EVERY_S: Final = 0.25
TASKS: Final = ("caption_unit", "make_shard")
"""What workers do, by the names that Ray gives their processes."""
PICTURE: Final = b"\xff\xd8\xff\xd9"
"""Pictures are handed on unread: two markers do."""
CENTERS: Final = (
    ("a", {"natural": "water", "water": "lake"}),
    ("w", {"highway": "residential", "surface": "asphalt", "lanes": "2"}),
    ("a", {"building": "school", "roof:shape": "gabled"}),
    ("n", {"power": "tower"}),
    ("a", {"leisure": "pitch", "sport": "soccer", "surface": "artificial_turf"}),
    ("w", {"waterway": "river"}),
    ("a", {"landuse": "farmland", "crop": "corn"}),
    ("w", {"railway": "rail", "electrified": "contact_line"}),
)
AROUND: Final = (
    {"building": "house", "roof:material": "roof_tiles"},
    {"building": "house"},
    {"highway": "service"},
    {"highway": "residential", "surface": "asphalt"},
    {"amenity": "parking", "surface": "asphalt"},
    {"leisure": "swimming_pool"},
    {"natural": "tree"},
    {"landuse": "forest"},
)
DETAILS: Final = ("maxspeed", "building:levels", "height", "ele", "capacity", "operator")
"""Keys that make tags differ from one object to the next, as they do in the published files."""


def run(entries: int = 200_000) -> dict[str, Any]:
    """Runs `recaption` with the grammar engine over so many entries and over a tenth of them, two workers each.

    What is measured ends with the last shard; the measuring of the captions that follows is told apart.

    Args:
        entries: pictures of the larger run, in zip files that are made here.

    Returns:
        Of the larger run `entries_per_s`, from the start of the process to the last shard; `cpu_ms_per_entry` (user
        and system time of all its processes, Ray's too) and `entries_per_s_of_two_cores` (two cores with nothing else
        to do, if all could be shared); the same of a `further_entry`, what the larger run took beyond the smaller
        one, so that starting is left out; `peak_mb` and `smaller_peak_mb`: the largest resident memory of a process
        of each kind; `metrics_s` and `metrics_peak_mb`: of the measuring afterwards; `captions`; settings.

    Raises:
        PipelineError: a run failed; its last words are told.
    """
    few = entries // SMALL
    with TemporaryDirectory(prefix="mapteller-") as folder:
        smaller, larger = (_measured(number, Path(folder) / str(number)) for number in (few, entries))
    further = (larger.streamed.cpu_s - smaller.streamed.cpu_s) / (entries - few)
    return {
        "entries_per_s": round(entries / larger.streamed.seconds),
        "entries_per_s_of_two_cores": round(2 * entries / larger.streamed.cpu_s),
        "cpu_ms_per_entry": round(1000 * larger.streamed.cpu_s / entries, 3),
        "cpu_ms_per_further_entry": round(1000 * further, 3),
        "further_entries_per_s_of_two_cores": round(2 / further),
        "cpu_s_by_process": larger.streamed.cpu,
        "captions": larger.captions,
        "peak_mb": larger.streamed.peaks_mb,
        "smaller_peak_mb": smaller.streamed.peaks_mb,
        "metrics_s": round(larger.whole.seconds - larger.streamed.seconds, 1),
        "metrics_peak_mb": larger.whole.peaks_mb["run"],
        "settings": {
            "entries": [few, entries],
            "workers": WORKERS,
            "seconds": [round(smaller.streamed.seconds, 1), round(larger.streamed.seconds, 1)],
            "python": platform.python_version(),
        },
    }


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run took up to a moment.

    Attributes:
        seconds: since it began.
        cpu: seconds of user and system time by kind of process: `run`, `worker`, actors by name, the rest of `ray`.
        peaks_mb: resident memory (`VmHWM`, MiB) of the largest process of each kind but `ray`.
    """

    seconds: float
    cpu: dict[str, float]
    peaks_mb: dict[str, int]

    @property
    def cpu_s(self) -> float:
        """Of all processes."""
        return sum(self.cpu.values())


@dataclass(frozen=True, slots=True)
class Measured:
    """A run, up to its last shard and up to its end; and how many captions it made."""

    streamed: Taken
    whole: Taken
    captions: int


@dataclass(slots=True)
class Watch:
    """Looks at a process and at all that it started; those that ended keep what was last seen of them.

    Attributes:
        process: the run.
        started: when it began.
        cpu: seconds of each process, by its id.
        peaks: largest resident memory of each, in MiB.
        kinds: of each.
    """

    process: psutil.Process
    started: float = field(default_factory=time.perf_counter)
    cpu: dict[int, float] = field(default_factory=dict)
    peaks: dict[int, int] = field(default_factory=dict)
    kinds: dict[int, str] = field(default_factory=dict)

    def look(self) -> None:
        """Books what all of them have taken until now."""
        for each in (self.process, *_started_by(self.process)):
            try:
                times, peak = each.cpu_times(), _peak_mb(each.pid)
                kind = "run" if each.pid == self.process.pid else _kind((each.cmdline() or [""])[0])
            except (psutil.Error, OSError):
                continue  # it ended meanwhile
            self.cpu[each.pid] = times.user + times.system
            self.peaks[each.pid] = max(peak, self.peaks.get(each.pid, 0))  # at its very end a process has none
            if self.kinds.get(each.pid, "ray") in ("ray", "worker"):
                self.kinds[each.pid] = kind  # an actor is a worker until it has its name

    @property
    def taken(self) -> Taken:
        """Until the last look."""
        cpu: defaultdict[str, float] = defaultdict(float)
        peaks: dict[str, int] = {}
        for pid, kind in self.kinds.items():
            cpu[kind] += self.cpu[pid]
            peaks[kind] = max(peaks.get(kind, 0), self.peaks[pid])
        peaks.pop("ray", None)
        seconds = time.perf_counter() - self.started
        return Taken(seconds, {kind: round(cpu[kind], 1) for kind in sorted(cpu)}, dict(sorted(peaks.items())))


def make_records(folder: Path, entries: int, seed: int = 0) -> Path:
    """Writes SkyScript's layout: a table and the zip files of pictures and metadata; gives the folder."""
    folder.mkdir(parents=True)
    archives = {
        group + part: zipfile.ZipFile(folder / f"{group}{part}.zip", "w", zipfile.ZIP_DEFLATED)
        for group in ("images", "meta")
        for part in PARTS
    }
    with (folder / "SkyScript_train.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("filepath", "title", "title_multi_objects"))
        for stem, part, content in islice(_records(random.Random(seed)), entries):
            table.writerow((f"images{part}/{stem}.jpg", "a title", "a title, surrounded by another"))
            archives[f"images{part}"].writestr(zipfile.ZipInfo(f"images{part}/{stem}.jpg"), PICTURE)
            archives[f"meta{part}"].writestr(zipfile.ZipInfo(f"meta{part}/{stem}.pickle"), content)
    for archive in archives.values():
        archive.close()
    return folder


def config_of(folder: Path, **captions: Any) -> dict[str, Any]:
    """A run that tells such records again, without revisions."""
    return {
        "name": "records",
        "samples": {"kind": "skyscript", "path": str(folder)},
        "captions": {"tasks": {"revision": 0}, **captions},
        "output": {"kind": "skyscript_csv", "samples_per_shard": SHARD},
        "workers": WORKERS,
    }


def _records(rng: random.Random) -> Iterator[tuple[str, str, bytes]]:
    number = 100_000
    while True:
        number += rng.randrange(1, 9)
        letter, center = rng.choice(CENTERS)
        west, south = rng.uniform(-179, 178), rng.uniform(-80, 80)
        said = {
            "box": (west, south, west + 0.002, south + 0.002),
            "time": (rng.randrange(2010, 2023), rng.randrange(1, 13), rng.randrange(1, 29), 10, 30),
            "center_tags": _detailed(center, rng),
            "surrounding_tags": [_detailed(rng.choice(AROUND), rng) for _ in range(rng.randrange(9))],
        }
        stem = f"{letter}{number}_{rng.choice(('CH', 'US'))}_{rng.randrange(17, 22)}"
        yield stem, rng.choice(PARTS), pickle.dumps(said, protocol=4)


def _detailed(tags: dict[str, str], rng: random.Random) -> dict[str, str]:
    return {**tags, rng.choice(DETAILS): str(rng.randrange(200))} if rng.random() < 1 / 4 else dict(tags)


def _measured(entries: int, folder: Path) -> Measured:
    records, config, out = make_records(folder / "records", entries), folder / "records.yaml", folder / "run"
    config.write_text(yaml.safe_dump(config_of(records)), encoding="utf-8")
    listed, log = out / "shards" / "dataset.json", folder / "log.txt"
    with log.open("wb") as said:
        command = [sys.executable, "-m", __name__, str(config), str(out)]
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)  # noqa: S603 - our own module
        watch, streamed = Watch(psutil.Process(process.pid)), None
        while process.poll() is None:
            watch.look()
            if streamed is None and listed.exists():
                streamed = watch.taken
            time.sleep(LOOK_EVERY_S)
    if process.returncode:
        raise PipelineError(f"The run failed: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
    return Measured(streamed or watch.taken, watch.taken, read_json(listed)["captions"])


def _started_by(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def _kind(title: str) -> str:
    """Ray's processes of ours bear the name of their task or actor."""
    found = re.match(r"ray::(\w+)", title)
    if not found or found[1] in ("DashboardAgent", "RuntimeEnvAgent"):
        return "ray"
    return "worker" if found[1] in ("IDLE", *TASKS) else found[1]


def _peak_mb(pid: int) -> int:
    """What Linux counts for a process since it began (`VmHWM`)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return next((int(line.split()[1]) >> 10 for line in status.splitlines() if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    run_pipeline(load_config(Path(sys.argv[1])), Path(sys.argv[2]), console=Console(stderr=True))

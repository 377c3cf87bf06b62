"""How fast a map extract becomes elements, beside the bare reading of it, and how much memory that takes."""

import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import osmium

from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from pipeline.elements import write_elements

REPEATS: Final = 3
STEP: Final = 0.25
"""Degrees of longitude between copies of an extract."""


def run(extract: Path, *, times: int = 1, repeats: int = REPEATS) -> dict[str, Any]:
    """Measures `write_elements` against a bare pyosmium pass over the same extract.

    The bare pass builds the geometry and the tags of every tagged way and of every area that osmium assembles. Both
    run in this process by turns; of their times the medians count. Memory is the peak of a process of its own that
    does nothing but write the elements.

    Args:
        extract: Any file that `OsmExtract` reads; with `times`, and for the bare pass, one of OSM's own formats.
        times: Measure on so many copies of the extract, side by side.
        repeats: Turns.

    Returns:
        `ratio` (elements / bare), `peak_mb` (MiB), `bare_s`, `elements_s`, `counts`, and the settings.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        if times > 1:
            extract = copies(extract, scratch / "copies.osm.pbf", times)
        table = TagTable.load()
        source = OsmExtract(path=extract)
        target = scratch / "elements.parquet"
        bare, elements = [], []
        for _ in range(repeats):
            bare.append(_seconds(lambda: bare_pass(extract)))
            elements.append(_seconds(lambda: write_elements(source, table, target)))
        counts = write_elements(source, table, target)
        peak = _peak_of_a_process(extract, target)
    return {
        "ratio": round(statistics.median(elements) / statistics.median(bare), 3),
        "peak_mb": peak,
        "bare_s": round(statistics.median(bare), 3),
        "elements_s": round(statistics.median(elements), 3),
        "counts": counts.as_json(),
        "settings": {
            "extract": extract.name,
            "times": times,
            "repeats": repeats,
            "python": platform.python_version(),
            **{package: version(package) for package in ("osmium", "shapely", "pyarrow")},
        },
    }


def bare_pass(extract: Path) -> int:
    """Builds the geometry (WKB) and the tags (dict) of every tagged way and area; gives their number."""
    wkb = osmium.geom.WKBFactory()
    number = 0
    drawn = osmium.filter.EntityFilter(osmium.osm.WAY | osmium.osm.AREA)
    tagged = osmium.FileProcessor(extract).with_areas().with_filter(osmium.filter.EmptyTagFilter())
    elements: Iterable[Any] = tagged.with_filter(drawn)
    for element in elements:
        try:
            wkb.create_linestring(element) if element.is_way() else wkb.create_multipolygon(element)
        except RuntimeError:
            continue
        dict(element.tags)
        number += 1
    return number


def copies(extract: Path, target: Path, times: int) -> Path:
    """Writes an extract several times over into one file, each copy with new ids, a step further east."""
    most = dict.fromkeys("nwr", 0)
    for element in osmium.FileProcessor(extract):
        most[element.type_str()] = max(most[element.type_str()], element.id + 1)
    with osmium.SimpleWriter(str(target)) as writer:
        for entity in (osmium.osm.NODE, osmium.osm.WAY, osmium.osm.RELATION):
            for copy in range(times):
                shift = {kind: copy * count for kind, count in most.items()}
                for element in osmium.FileProcessor(extract, entity):
                    writer.add(_shifted(element, shift, copy * STEP))
    return target


def _shifted(element: Any, shift: dict[str, int], east: float) -> Any:
    new_id = element.id + shift[element.type_str()]
    if element.is_node():
        return element.replace(id=new_id, location=(element.lon + east, element.lat))
    if element.is_way():
        return element.replace(id=new_id, nodes=[node.ref + shift["n"] for node in element.nodes])
    members = [(member.type, member.ref + shift[member.type], member.role) for member in element.members]
    return element.replace(id=new_id, members=members)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _peak_of_a_process(extract: Path, target: Path) -> int:
    """Peak of resident memory in MiB of a process that writes the elements once."""
    command = [sys.executable, "-m", __name__, str(extract), str(target)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own module
    return int(json.loads(answer.stdout.splitlines()[-1]))


def _peak_mb() -> int:
    """What Linux counts for this process since it began (`VmHWM`); `ru_maxrss` would count its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1024


if __name__ == "__main__":
    write_elements(OsmExtract(path=Path(sys.argv[1])), TagTable.load(), Path(sys.argv[2]))
    print(_peak_mb())  # noqa: T201 - read by the parent process

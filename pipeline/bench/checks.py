"""How fast captions are checked, claims and hygiene, on one core: those of the grammar engine over a map."""

import platform
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from annotation.checks.checks import Checks
from annotation.grammar.caption import caption
from annotation.request import ElementFacts
from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from download.sample import make_county
from pipeline.bench.facts import GRID, picture_of_nothing
from pipeline.config import Captions, Config
from pipeline.elements import ElementStore, write_elements
from pipeline.garbage import collect_seldom
from pipeline.grid import blocks
from pipeline.requests import Requests
from pipeline.samples import make_plans, meet, patch_gsd, unit_elements, unit_patches
from pipeline.scribe import Scribe
from pipeline.source import Assignment

TASKS = {"area": 0.4, "non_area": 0.3, "scene": 0.3}
_CONFIG = Config.model_construct(
    seed=7, region=None, tags=None, tag_wiki=None, prompts=None, captions=Captions.model_validate({"tasks": TASKS})
)


def run(extract: Path | None = None, captions: int = 4000) -> dict[str, Any]:
    """Checks captions that the grammar engine made from real facts, several of each patch.

    Args:
        extract: the map; left out, a synthetic county.
        captions: how many.

    Returns:
        `captions_per_s` and `claims_per_s` on one core, tables loaded and text at hand; how many captions were
        refused; claims by verdict; settings.
    """
    with TemporaryDirectory(prefix="mapteller-") as folder:
        source = extract or make_county(Path(folder) / "county").extract
        requests = list(map(Requests.of(_CONFIG).first, _assignments(source)))
    seeds = range(1 + captions // len(requests))
    texts = [(caption(request.elements, seed), request) for seed in seeds for request in requests][:captions]
    checks = Checks()
    collect_seldom()  # as workers do
    for text, request in texts[:100]:
        checks.judge(request, text)  # the first ones load tables
    started = time.perf_counter()
    found = [checks.judge(request, text) for text, request in texts]
    seconds = time.perf_counter() - started
    return {
        "captions_per_s": round(len(texts) / seconds),
        "claims_per_s": round(sum(len(verdict.claims) for verdict in found) / seconds),
        "refused": sum(bool(verdict.reasons) for verdict in found),
        "verdicts": dict(Counter(claim.verdict for verdict in found for claim in verdict.claims)),
        "settings": {
            "extract": extract.name if extract else "synthetic county",
            "captions": len(texts),
            "words": round(sum(text.count(" ") + 1 for text, _ in texts) / len(texts), 1),
            "tasks": TASKS,
            "python": platform.python_version(),
        },
    }


def facts_of(extract: Path) -> Iterator[tuple[ElementFacts, ...]]:
    """What is told of patches laid edge to edge over an extract, areas, lines and scenes mixed."""
    return (assignment.told for assignment in _assignments(extract))


def _assignments(extract: Path) -> Iterator[Assignment]:
    with TemporaryDirectory(prefix="mapteller-") as folder:
        elements = Path(folder) / "elements.parquet"
        write_elements(OsmExtract(path=extract), TagTable.load(), elements)
        store = ElementStore(elements)
        for unit in blocks([picture_of_nothing(store.bounds)], GRID):
            here = unit_patches(_CONFIG, unit)
            met_elements = unit_elements(store, here, unit, None)
            met = meet(unit, here, met_elements)
            plans = make_plans(_CONFIG, unit, here, met_elements, met)
            for brief in Scribe.of(_CONFIG, unit, met_elements, met).briefs(plans):
                patch_id = int(here.ids[brief.plan.patch])
                yield Assignment(patch_id, brief.plan.task, 1, brief.told, patch_gsd(unit))

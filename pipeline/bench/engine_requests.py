"""Requests as runs make them: prompts of all templates over the synthetic county."""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from annotation.request import Request
from annotation.tags import TagTable
from download.osm.extract import OsmExtract
from download.sample import make_county
from pipeline.bench.facts import picture_of_nothing
from pipeline.config import Captions, Config
from pipeline.elements import ElementStore, write_elements
from pipeline.grid import PatchGrid, blocks
from pipeline.requests import Requests
from pipeline.samples import make_plans, meet, patch_gsd, unit_elements, unit_patches
from pipeline.scribe import Scribe
from pipeline.source import Assignment

GRID = PatchGrid(size=224, gsd=0.6, stride=0.25)
"""Patches of 134 m that overlap, so that a small county gives many."""
FIRST_TASKS = ("area", "non_area", "scene")
DRAFT = (
    "A caption as another engine may have written it, of ordinary length, naming what lies in the picture and where."
)


def county_requests(number: int) -> Mapping[str, list[Request]]:
    """`number` requests of each task, all of different patches; revisions rewrite a caption of that length."""
    with TemporaryDirectory(prefix="mapteller-") as folder:
        county = make_county(Path(folder) / "county")
        elements = Path(folder) / "elements.parquet"
        write_elements(OsmExtract(path=county.extract), TagTable.load(), elements)
        store = ElementStore(elements)
        found = {task: _assignments(store, task, number) for task in FIRST_TASKS}
    writer = Requests.of(_config("area"))
    requests = {task: [writer.first(assignment) for assignment in told] for task, told in found.items()}
    told = list(chain.from_iterable(zip(*found.values(), strict=True)))[:number]
    return {**requests, "revision": [writer.revision(assignment, DRAFT, 0) for assignment in told]}


def _assignments(store: ElementStore, task: str, number: int) -> list[Assignment]:
    config, scene = _config(task), picture_of_nothing(store.bounds)
    assignments: list[Assignment] = []
    for unit in blocks([scene], GRID):
        patches = unit_patches(config, unit)
        elements = unit_elements(store, patches, unit, None)
        met = meet(unit, patches, elements)
        plans = [plan for plan in make_plans(config, unit, patches, elements, met) if plan.task == task]
        assignments += [
            Assignment(int(patches.ids[brief.patch]), task, 1, brief.told, patch_gsd(unit))
            for brief in Scribe.of(config, unit, elements, met).briefs(plans)
        ]
        if len(assignments) >= number:
            return assignments[:number]
    raise ValueError(f"the county gives only {len(assignments)} prompts of task {task}, not {number}")


def _config(task: str) -> Config:
    weights = dict.fromkeys(FIRST_TASKS, 0.0) | {task: 1.0}
    captions = Captions.model_validate({"tasks": weights})
    return Config.model_construct(seed=7, region=None, tags=None, tag_wiki=None, prompts=None, captions=captions)

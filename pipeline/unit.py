"""A unit's way through the house: one function, run as a Ray task."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotation.annotate import Ask, Attempt, annotate, seed_of
from annotation.prompts import Prompts
from annotation.request import Request
from pipeline.config import Config
from pipeline.elements import ElementStore
from pipeline.fingerprint import digest
from pipeline.grid import Block
from pipeline.maps import Maps
from pipeline.parts import Told, parts_of
from pipeline.place import places
from pipeline.prepare import prompts
from pipeline.roster import Roster
from pipeline.samples import as_of, make_plans, meet, patch_gsd, unit_elements, unit_patches
from pipeline.scribe import Brief, Scribe
from pipeline.store import Commit, RunFolder

IN_SHARDS = ("patches", "elements", "captions")
"""Parts whose content (but for outlines) goes into shards."""


@dataclass(frozen=True, slots=True)
class Job:
    """What all units of a run share.

    Attributes:
        config: the configuration.
        folder: the run folder.
        maps: the map as GeoParquet.
        fingerprint: of the run.
        roster: who answers; None if no unit is left to do.
    """

    config: Config
    folder: Path
    maps: Maps
    fingerprint: str
    roster: Roster | None


def caption_unit(job: Job, block: Block) -> Commit:
    """Lays, joins, measures, asks, checks and commits one unit; returns what was committed."""
    if job.roster is None:
        raise ValueError("no engine is on the roster")
    told = tell(job.config, block, job.maps, job.roster.ask)
    parts, counts = parts_of(job.config, block, told, places(job.maps.of(block.scene), told.patches.bounds))
    content = digest([{**row, "outline": ""} for kind in IN_SHARDS for row in parts[kind]])
    commit = Commit(block.fingerprint(job.fingerprint), content, counts)
    RunFolder(job.folder).commit(block.id, parts, commit)
    return commit


def tell(config: Config, block: Block, maps: Maps, ask: Ask, limit: int | None = None) -> Told:
    """Captions a unit's patches.

    Args:
        config: the configuration.
        block: the unit.
        maps: the map.
        ask: how engines are reached.
        limit: caption no more than this many patches, for a preview.
    """
    patches = unit_patches(config, block)
    gsd = patch_gsd(block)
    if not len(patches):
        return Told(patches, np.zeros(0, dtype=bool), None, [], {})
    elements = unit_elements(ElementStore(maps.of(block.scene)), patches, block, as_of(config, block))
    met = meet(block, patches, elements)
    scribe = Scribe.of(config, block, elements, met)
    plans = make_plans(config, block, patches, elements, met)
    complete = np.ones(len(patches), dtype=bool)
    wanted = [plan.patch for plan in plans]
    complete[wanted] = config.samples.imagery.complete(block.scene, [patches.windows[index] for index in wanted])
    found = scribe.briefs([plan for plan in plans if complete[plan.patch]][:limit])
    templates = prompts(config.prompts)
    first = [_first(config, templates, brief, int(patches.ids[brief.patch]), gsd) for brief in found]
    told = annotate(first, ask, retries=config.captions.retries, run_seed=config.seed)
    by_key = {brief_key(attempt.request): attempt for attempt in told if not attempt.reasons}
    again = [
        _revision(config, templates, brief, by_key[request.key].text, request, number, gsd)
        for brief, request in zip(found, first, strict=True)
        if request.key in by_key
        for number in range(brief.plan.revisions)
    ]
    told += annotate(again, ask, retries=config.captions.retries, run_seed=config.seed)
    attempts: dict[int, list[Attempt]] = {brief.patch: [] for brief in found}
    place = {int(patches.ids[brief.patch]): brief.patch for brief in found}
    for attempt in told:
        attempts[place[int(attempt.request.key.split("/", 1)[0])]].append(attempt)
    return Told(patches, complete, scribe, found, attempts)


def brief_key(request: Request) -> str:
    """Key of the first attempt at a request."""
    return f"{request.key.rsplit('/', 1)[0]}/0"


def _first(config: Config, templates: Prompts, brief: Brief, patch_id: int, gsd: float) -> Request:
    messages, version = templates.render(brief.plan.task, brief.told, gsd)
    key = f"{patch_id}/{brief.plan.task}/0"
    return Request(key, brief.plan.task, messages, brief.told, gsd, seed_of(config.seed, key), version)


def _revision(
    config: Config, templates: Prompts, brief: Brief, draft: str, first: Request, number: int, gsd: float
) -> Request:
    messages, version = templates.render("revision", brief.told, gsd, draft=draft)
    key = f"{first.key.split('/', 1)[0]}/revision.{number}/0"
    return Request(key, "revision", messages, brief.told, gsd, seed_of(config.seed, key), version, draft=draft)

"""A unit's way through the house: one function, run as a Ray task."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotation.annotate import Attempt, Post, annotate
from annotation.request import Request
from pipeline.config import Config
from pipeline.elements import ElementStore
from pipeline.fingerprint import digest
from pipeline.grid import Block
from pipeline.maps import Maps
from pipeline.parts import Told, parts_of
from pipeline.place import places
from pipeline.requests import Requests
from pipeline.roster import Roster
from pipeline.samples import as_of, make_plans, meet, unit_elements, unit_patches
from pipeline.scribe import Scribe
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
    post = job.roster.post(block.id)
    told = tell(job.config, block, job.maps, post)
    post.close()
    parts, counts = parts_of(job.config, block, told)
    content = digest([{**row, "outline": ""} for kind in IN_SHARDS for row in parts[kind]])
    commit = Commit(block.fingerprint(job.fingerprint), content, counts)
    RunFolder(job.folder).commit(block.id, parts, commit)
    return commit


def tell(config: Config, block: Block, maps: Maps, post: Post, limit: int | None = None) -> Told:
    """Captions a unit's patches.

    Args:
        config: the configuration.
        block: the unit.
        maps: the map.
        post: how engines are reached.
        limit: caption no more than this many patches, for a preview.
    """
    patches, map_file = unit_patches(config, block), maps.of(block.scene)
    if not len(patches):
        return Told(patches, [], np.zeros(0, dtype=bool), None, [], {})
    names = places(map_file, patches.bounds)
    elements = unit_elements(ElementStore(map_file), patches, block, as_of(config, block))
    met = meet(block, patches, elements)
    scribe = Scribe.of(config, block, elements, met)
    plans = make_plans(config, block, patches, elements, met)
    complete = np.ones(len(patches), dtype=bool)
    wanted = [plan.patch for plan in plans]
    complete[wanted] = config.samples.imagery.complete(block.scene, [patches.windows[index] for index in wanted])
    found = scribe.briefs([plan for plan in plans if complete[plan.patch]][:limit])
    requests = Requests.of(config, block, patches, names)
    brief_of = {int(patches.ids[brief.patch]): brief for brief in found}
    told = annotate(
        [requests.first(brief) for brief in found],
        post,
        retries=config.captions.retries,
        run_seed=config.seed,
        follow=lambda accepted: requests.revisions(brief_of[sample_of(accepted.request)], accepted),
    )
    attempts: dict[int, list[Attempt]] = {brief.patch: [] for brief in found}
    for attempt in told:
        attempts[brief_of[sample_of(attempt.request)].patch].append(attempt)
    return Told(patches, names, complete, scribe, found, attempts)


def sample_of(request: Request) -> int:
    """The patch that a request is about."""
    return int(request.key.split("/", 1)[0])
